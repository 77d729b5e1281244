// Run by test_tug.py, which measures the same sums with torch in all the dimensions that the gradients have.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { pulls, kinds } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);
const close = (one, other, what, scale = 1) => assert.ok(Math.abs(one - other) <= 1e-7 * Math.max(scale, Math.abs(other)), `${what}: ${one}, not ${other}`);

test("the sum, its length and the shares are those of the whole gradients", () => {
  assert.ok(pulls.length >= 100);
  for (const { lengths, cosine, weight, want } of pulls) {
    const found = widget.pullsAt(lengths, cosine, weight);
    close(found.lengths.sum, want.sum, "sum", want.box + lengths[0]);
    close(found.along.class, want.along[0], "class along the sum", want.box + lengths[0]);
    close(found.along.box, want.along[1], "box along the sum", want.box + lengths[0]);
    if (want.sum > 1e-6) close(found.shares.class + found.shares.box, 1, "the shares' sum");
  }
});

test("the drawing is to scale: distances in the plane are the gradients' own", () => {
  const far = ([x, y], [otherX, otherY]) => Math.hypot(x - otherX, y - otherY);
  for (const { lengths, cosine, weight, want } of pulls) {
    const { tips } = widget.pullsAt(lengths, cosine, weight);
    const { at, scale } = widget.fitted(tips, { width: 400, height: 250, margin: 30 });
    const size = lengths[0] + want.box;
    close(far(at(tips.class), at([0, 0])) / scale, lengths[0], "class", size);
    close(far(at(tips.box), at([0, 0])) / scale, want.box, "box", size);
    close(far(at(tips.sum), at([0, 0])) / scale, want.sum, "sum", size);
    close(far(at(tips.class), at(tips.box)) / scale, want.between, "from tip to tip", size);
    for (const tip of Object.values(tips)) {
      const [x, y] = at(tip);
      assert.ok(x >= 29.9 && x <= 370.1 && y >= 29.9 && y <= 220.1, `${[x, y]} lies on the sheet`);
    }
  }
});

test("words", () => {
  for (const { cosine, right, kind } of kinds) assert.equal(widget.kindOf(cosine, right), kind);
  assert.deepEqual([2, -2, 0, 1e-12].map((along) => widget.effectOf(along, 3)), ["lowers", "raises", "leaves", "leaves"]);
  assert.equal(widget.effectOf(0, 0), "leaves");
});

test("the weight that balances, and how far the slider goes", () => {
  const limits = { least: 1e-4, most: 1e4 };
  assert.equal(widget.balancedWeight([3, 6], limits), 0.5);
  assert.equal(widget.balancedWeight([3, 0], limits), null);
  assert.equal(widget.balancedWeight([0, 3], limits), null);
  assert.equal(widget.balancedWeight([0, 0], limits), null);
  assert.equal(widget.balancedWeight([1, 1e-9], limits), null);
  assert.deepEqual(widget.decadesFor([1, null], limits), [-2, 2]);
  assert.deepEqual(widget.decadesFor([0.0005, 300], limits), [-4, 3]);
});

test("numbers as people write them", () => {
  assert.deepEqual([0, 1, 0.5, 32.53, 1234.5, 3e-7, 2e9].map(widget.lengthWritten), ["0", "1", "0.5", "32.5", "1230", "3.0\u00b710\u207b\u2077", "2.0\u00b710\u2079"]);
  assert.deepEqual([0.123, -0.07, 1].map(widget.percent), ["12 %", "\u22127 %", "100 %"]);
  assert.deepEqual([7, 4.9, 1, 0.03, 99].map(widget.roundLength), [5, 2, 1, 0.02, 50]);
});
