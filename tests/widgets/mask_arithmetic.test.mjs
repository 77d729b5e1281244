// Run by test_mask_lab.py, which makes the cases with torch and exports the widget's functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { pairs, masks, texts, tasks, colours } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);
const bytes = (values) => Uint8Array.from(values.flat());
const rows = (mask, [, columns]) => Array.from({ length: mask.length / columns }, (_, row) => [...mask.subarray(row * columns, (row + 1) * columns)]);
const close = (one, other, what) => assert.ok(Math.abs(one - other) < 1e-6, `${what}: ${one}, not ${other}`);

test("scores and the counts behind them are torch's", () => {
  assert.ok(pairs.length >= 200);
  for (const { shape, classes, truth, painted, want } of pairs) {
    const facts = widget.truthFacts(bytes(truth), shape, classes, { tolerance: want.tolerance, band: want.band });
    const found = widget.scoresOf(bytes(painted), facts);
    for (const name of ["pixel_accuracy", "miou", "boundary_f1", "boundary_iou"]) close(found[name], want[name], name);
    assert.equal(found.area.right, want.right);
    assert.equal(found.area.counted, want.counted);
    assert.deepEqual(found.area.shared, want.shared);
    assert.deepEqual(found.area.either, want.either);
    assert.deepEqual(found.edge.both, want.both);
    assert.deepEqual(found.edge.either, want.edgeEither);
    assert.deepEqual(found.edge.matched, want.matched);
    assert.deepEqual(found.edge.drawn, want.drawn);
    close(widget.scoresOf(bytes(painted), facts).miou, want.torchmetrics, "torchmetrics");
  }
});

test("errors: every pixel is of one kind", () => {
  for (const { truth, painted } of pairs) {
    const [mine, theirs] = [bytes(painted), bytes(truth)];
    const { kinds, counts } = widget.errorsOf(mine, theirs);
    assert.equal(counts.reduce((sum, count) => sum + count), mine.length);
    kinds.forEach((kind, at) => {
      const expected = theirs[at] === 255 ? 4 : mine[at] === theirs[at] ? 0 : mine[at] === 0 ? 1 : theirs[at] === 0 ? 2 : 3;
      assert.equal(kind, expected);
    });
  }
});

test("grown, shrunk, moved and without gaps as in Python", () => {
  for (const { shape, mask, grown, shrunk, moved, gaps, filled } of masks) {
    const given = bytes(mask);
    assert.deepEqual(rows(widget.grownMask(widget.grownMask(given, shape), shape), shape), grown);
    assert.deepEqual(rows(widget.shrunkMask(given, shape), shape), shrunk);
    for (const [way, want] of moved) assert.deepEqual(rows(widget.movedMask(given, shape, way), shape), want);
    assert.deepEqual(rows(widget.withoutGaps(bytes(gaps), shape), shape), filled);
    assert.deepEqual([...given], mask.flat(), "the mask given stays");
  }
});

test("masks as text, there and back", () => {
  for (const { text, values } of texts) {
    assert.deepEqual([...widget.bytesOf(text)], values);
    assert.equal(widget.textOf(Uint8Array.from(values)), text);
  }
});

test("a brush is round, a line has no gaps, nothing leaves the picture", () => {
  const shape = [9, 12];
  assert.deepEqual(widget.brushPixels([0, 0], 1, shape), [0]);
  assert.deepEqual(widget.brushPixels([4, 4], 3, shape).length, 9);
  assert.deepEqual(widget.brushPixels([4, 4], 5, shape).length, 21);
  assert.deepEqual(widget.brushPixels([0, 11], 3, shape), [10, 11, 22, 23]);
  const mask = new Uint8Array(108);
  widget.line(mask, shape, [1, 1], [7, 10], 1, 2);
  assert.equal(mask.filter((name) => name === 2).length, 10);
  assert.deepEqual([mask[13], mask[94]], [2, 2]);
});

test("a fill stops at other classes and at the frame", () => {
  const mask = bytes([[0, 0, 1, 0], [0, 0, 1, 0], [1, 1, 1, 0]]);
  assert.equal(widget.flood(mask, [3, 4], [0, 0], 2), 4);
  assert.deepEqual(rows(mask, [3, 4]), [[2, 2, 1, 0], [2, 2, 1, 0], [1, 1, 1, 0]]);
  assert.equal(widget.flood(mask, [3, 4], [0, 0], 2), 0);
  assert.equal(widget.flood(mask, [3, 4], [0, 3], 0), 0);
});

test("tasks are reached where Python says so", () => {
  for (const { task, scores, met } of tasks) assert.equal(widget.isReached(task, scores), met);
});

test("the colours are those of the galleries", () => {
  assert.deepEqual(colours, widget.CLASS_COLOURS);
});
