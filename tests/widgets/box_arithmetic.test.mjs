// Run by test_box_lab.py, which makes the cases with torch's autograd and exports the widget's functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { judged, steps, places, tasks } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);
const NAMES = ["l2", "smooth_l1", "iou", "giou"];
const close = (one, other, what) => assert.ok(Math.abs(one - other) <= 1e-9 * Math.max(1, Math.abs(other)), `${what}: ${one}, not ${other}`);

test("values and gradients are torch's, on kinks too", () => {
  assert.ok(judged.length >= 2000);
  for (const { box, truth, size, beta, want } of judged) {
    const found = widget.judgeBox(box, truth, size, beta);
    for (const name of NAMES) {
      close(found[name].value, want[name].value, `${name} of ${box} and ${truth}`);
      want[name].gradient.forEach((slope, at) => close(found[name].gradient[at], slope, `${name} by number ${at} of ${box} and ${truth}`));
    }
  }
});

test("where torch's gradient is exactly zero, so is the widget's", () => {
  let zeros = 0;
  for (const { box, truth, size, beta, want } of judged)
    for (const name of ["iou", "giou"])
      want[name].gradient.forEach((slope, at) => {
        if (slope !== 0) return;
        zeros += 1;
        assert.equal(widget.judgeBox(box, truth, size, beta)[name].gradient[at], 0, `${name} of ${box} and ${truth}`);
      });
  assert.ok(zeros > 200);
});

test("a step of descent, and the ways of the sides", () => {
  for (const { box, truth, size, beta, rate, want } of steps) {
    const to = widget.steppedBox(box, widget.judgeBox(box, truth, size, beta).l2.gradient, rate, size);
    to.forEach((value, at) => close(value, want[at], "step"));
    const ways = widget.arrowsBetween(box, to);
    close(box[0] + ways.left.by[0], to[0], "left side");
    close(box[1] + box[3] + ways.bottom.by[1], to[1] + to[3], "bottom side");
    close(box[0] + box[2] / 2 + ways.centre.by[0], to[0] + to[2] / 2, "centre");
  }
});

test("a rate of 2 takes L2 onto the true box in one step", () => {
  const [box, truth, size] = [[10, 20, 30, 40], [40, 10, 25, 60], [100, 200]];
  const { gradient } = widget.judgeBox(box, truth, size, 0.05).l2;
  widget.steppedBox(box, gradient, 2, size).forEach((value, at) => close(value, truth[at], "onto"));
});

test("how boxes lie", () => {
  for (const { box, truth, lay, meets } of places) {
    assert.equal(widget.layOf(box, truth), lay, `${box}`);
    assert.equal(widget.sidesMeet(box, truth), meets, `${box}`);
  }
});

test("tasks are met where they should be, and only there", () => {
  for (const { box, kept, truth, size, rules, met } of tasks) assert.deepEqual(widget.tasksMet(box, kept, truth, size, rules).sort(), met, `${box} beside ${kept}`);
});

test("a box stays in the picture and a pixel wide, and a drag may turn over", () => {
  const size = [50, 80];
  assert.deepEqual(widget.movedBox([10, 10, 20, 20], [-30, 5], size), [0, 15, 20, 20]);
  assert.deepEqual(widget.movedBox([10, 10, 20, 20], [100, 100], size), [60, 30, 20, 20]);
  assert.deepEqual(widget.resizedBox([10, 10, 20, 20], [-100, 100], size), [10, 10, 1, 40]);
  assert.deepEqual(widget.spannedBox([30, 30], [10.4, 44.6], size, 1), [10, 30, 20, 15]);
  assert.deepEqual(widget.spannedBox([30, 30], [10.4, 44.6], size, 0.25), [10.5, 30, 19.5, 14.5]);
  assert.deepEqual(widget.spannedBox([30, 30], [-9, 900], size, 1), [0, 30, 30, 20]);
  for (const anchor of [[0, 0], [80, 50], [80, 0], [0, 50], [30.5, 7.25]]) {
    const [x, y, w, h] = widget.spannedBox(anchor, anchor, size, 1);
    assert.ok(w >= 1 && h >= 1 && x >= 0 && y >= 0 && x + w <= 80 && y + h <= 50, `${anchor}: ${[x, y, w, h]}`);
  }
});

test("learning rates have one digit, and numbers read as they are", () => {
  assert.equal(widget.roundedDown(0.0488), 0.04);
  assert.equal(widget.roundedDown(0.3), 0.3);
  assert.equal(widget.roundedDown(0.0001), 0.0001);
  assert.deepEqual([0, 0.25, -0.004, 0.00002, -1.5].map((value) => widget.signed(value)), ["0", "+0.25", "\u22120.004", "+2e\u22125", "\u22121.50"]);
  assert.equal(widget.scoreWritten("iou", 0.99999), "0.99999");
  assert.equal(widget.scoreWritten("iou", 1), "1.000");
  assert.equal(widget.scoreWritten("giou", -0.25), "\u22120.250");
  assert.equal(widget.scoreWritten("l2", 0.00002), "2.0e\u22125");
});

test("an arrow ends exactly at its tip", () => {
  assert.equal(widget.arrowPath([0, 0], [0.1, 0]), "");
  assert.ok(widget.arrowPath([5, 5], [30, 0]).includes("L35 5L"));
  assert.ok(widget.arrowPath([5, 5], [0, -3]).includes("L5 2L"));
});
