// Run by test_panels.py, which makes the cases with probe and fingerprint and exports the widget's functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { atlases, cases, learned } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);
const near = (ours, theirs, what) => assert.ok(ours.length === theirs.length && ours.every((v, i) => Math.abs(v - theirs[i]) < 1e-6), `${what}: ${ours} is not ${theirs}`);
const told = ({ method, settings, kernel }) => `${method} ${JSON.stringify(settings)} ${JSON.stringify(kernel)}`;

test("the meter reads what fingerprint reads", () => {
  for (const one of cases) {
    const state = { ...one, atlas: atlases[one.base.join()] };
    const { window } = widget.pictureOf(state);
    const gains = widget.seatsOf(state, window).terms.map((terms) => widget.brightnessOf(terms, one.kernel.flat()));
    near([widget.unevenness(gains).value], [one.checkerboard], told(one));
    if (one.gains) near(gains, one.gains, told(one));
  }
});

test("the matrix is the trace's, cropped as the output is", () => {
  for (const one of cases.filter(({ matrix }) => matrix)) {
    const picture = widget.pictureOf({ ...one, atlas: atlases[one.base.join()] });
    near(widget.matrixOf(picture, one.kernel.flat()).values, one.matrix, told(one));
  }
});

test("a learner's function has a meter, and one that is not linear has none", () => {
  const seats = widget.seatsOf({ learned: learned.table });
  near([widget.unevenness(seats.terms.map((terms) => widget.brightnessOf(terms, learned.kernel.flat()))).value], [learned.checkerboard]);
  assert.equal(widget.seatsOf({ learned: { seats: null } }), null);
});

test("the number itself", () => {
  assert.deepEqual(widget.unevenness([4, 2, 2, 1]), { most: 4, least: 1, mean: 2.25, value: 3 / 2.25 });
  assert.equal(widget.unevenness([0, 0]).value, 0);
  assert.equal(widget.unevenness([0.1 + 0.2, 0.3]).value, 0);
  assert.equal(widget.unevenness([-1, 1]).value, 2);
});
