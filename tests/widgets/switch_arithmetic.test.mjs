// Run by test_switch_surgery.py, which makes the cases with torch and exports the widget's functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { cases, deals, anew } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);

test("pooling and its switches are torch's", () => {
  for (const { x, size, values, switches } of cases) {
    const shape = [x.length, x[0].length];
    const pool = widget.poolWithSwitches(x.flat(), shape, size);
    assert.deepEqual([pool.shape, pool.values, pool.switches], [[values.length, values[0].length], values.flat(), switches.flat()]);
  }
});

test("unpooling with any switches is torch's, and both numbers with it", () => {
  for (const { x, values, moved, back, inPlace, difference } of cases) {
    const shape = [x.length, x[0].length];
    const ours = widget.unpooled(values.flat(), moved.flat(), shape);
    assert.deepEqual(ours, back.flat());
    assert.equal(widget.inPlace(x.flat(), values.flat(), moved.flat()), inPlace);
    assert.ok(Math.abs(widget.meanDifference(ours, x.flat()) - difference) < 1e-9);
  }
});

test("places and flat indices lead to each other, and every cell of a block to its pooled cell", () => {
  for (const { x, size, values } of cases) {
    const [rows, columns] = [x.length, x[0].length];
    const seen = new Set();
    for (let cell = 0; cell < values.flat().length; cell += 1)
      for (let place = 0; place < size * size; place += 1) {
        const flat = widget.flatIndex(cell, place, columns, size);
        assert.equal(widget.placeInBlock(flat, columns, size), place);
        assert.equal(widget.blockOf(flat, [rows, columns], size), cell);
        seen.add(flat);
      }
    for (let flat = 0; flat < rows * columns; flat += 1) if (!seen.has(flat)) assert.equal(widget.blockOf(flat, [rows, columns], size), -1);
  }
});

test("the browser shuffles as Python does", () => {
  for (const { places, seed, dealt } of deals) assert.deepEqual(widget.shuffledPlaces(places, seed), dealt);
  for (const { places, from, dealt } of anew) {
    const ours = widget.shuffledAnew(places, from);
    assert.deepEqual([ours.dealt, ours.shuffles], dealt);
  }
});

test("arrows hold a switch in its block; another key goes round", () => {
  assert.equal(widget.placeAfter("ArrowRight", 0, 2), 1);
  assert.equal(widget.placeAfter("ArrowRight", 1, 2), 1);
  assert.equal(widget.placeAfter("ArrowDown", 1, 3), 4);
  assert.equal(widget.placeAfter("ArrowUp", 1, 3), 1);
  assert.equal(widget.placeAfter("Enter", 3, 2), 0);
});
