// Run by test_grid_arithmetic.py, which makes the cases with torch and exports the widget's functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const { atlas, cases, learned } = JSON.parse(readFileSync(process.env.CASES, "utf8"));
const widget = await import(process.env.WIDGET);

const near = (ours, theirs) => assert.ok(ours.length === theirs.length && ours.every((v, i) => Math.abs(v - theirs[i]) < 1e-8), `${ours} is not ${theirs}`);
const flatOf = (one) => [one.x.flat(), one.kernel.flat()];
const whole = (one, picture) => widget.evaluate(picture.trace, ...flatOf(one), Infinity, picture.offset);

test("every setting gives torch's numbers, or its refusal", () => {
  for (const one of cases) {
    const picture = widget.pictureOf({ ...one, atlas });
    if (one.why) {
      assert.equal(picture.why, one.why);
      continue;
    }
    near(widget.outputValues(picture, whole(one, picture)), one.want.flat());
    assert.deepEqual(widget.outputShape(picture), [one.want.length, one.want[0].length]);
  }
});

test("the terms of a cell add up to its value, and the stamps to the whole", () => {
  for (const one of cases.filter(({ why }) => !why)) {
    const picture = widget.pictureOf({ ...one, atlas });
    const [x, kernel] = flatOf(one);
    const values = whole(one, picture);
    values.forEach((value, cell) => {
      const terms = widget.termsOf(picture.trace, cell);
      const sum = terms.reduce((total, { input, weight, gain }) => total + x[input] * gain * (weight < 0 ? 1 : kernel[weight]), 0);
      assert.ok(Math.abs(sum - value) < 1e-8);
    });
    const before = widget.evaluate(picture.trace, x, kernel, 0);
    assert.ok(before.every((value) => value === 0));
    near([...widget.evaluate(picture.trace, x, kernel, x.length)], [...values]);
  }
});

test("torch's own place of the window is the output that torch gives; cells map to and fro", () => {
  const cropped = cases.filter(({ method, why }) => method === "transposed_conv" && !why);
  assert.ok(cropped.length > 100);
  for (const one of cropped) {
    const picture = widget.pictureOf({ ...one, atlas });
    for (let index = 0; index < one.want.flat().length; index += 1) {
      const cell = widget.canvasCell(picture, index);
      if (cell >= 0) assert.equal(widget.outputCell(picture, cell), index);
      else assert.equal(one.want.flat()[index], 0);
    }
  }
});

test("a window elsewhere crops elsewhere, and is held on the canvas", () => {
  const lecture = { method: "transposed_conv", settings: { stride: 2, padding: 1, output_padding: 1 }, base: [2, 2], x: [[1, 2], [3, 4]], kernel: [[1, 1, 1], [1, 1, 1], [1, 1, 1]], switches: [[0]], atlas };
  const rows = (window) => {
    const picture = widget.pictureOf({ ...lecture, window });
    return widget.outputValues(picture, whole(lecture, picture)).join(" ");
  };
  assert.equal(rows(null), "1 3 2 2 4 10 6 6 3 7 4 4 3 7 4 4");
  assert.equal(rows([0, 0]), "1 1 3 2 1 1 3 2 4 4 10 6 3 3 7 4");
  assert.equal(rows([9, 9]), rows(null));
  assert.deepEqual(widget.sameSizeCrops(2, 2, 3), { size: 4, torch: { padding: 1, outputPadding: 1 }, tensorflow: 0 });
  assert.deepEqual(widget.sameSizeCrops(2, 2, 4), { size: 4, torch: { padding: 1, outputPadding: 0 }, tensorflow: 1 });
  assert.equal(widget.sameSizeCrops(2, 3, 1).torch, null);
});

test("arithmetic is written as people write it", () => {
  const terms = [{ input: 0, weight: 0, gain: 1 }, { input: 1, weight: 1, gain: 1 }];
  assert.equal(widget.arithmeticOf(terms, 3, [1, 2], [1, 1]), "3 = 1\u00b71 + 2\u00b71");
  assert.equal(widget.arithmeticOf(terms, -1, [1, 2], [1, -1]), "\u22121 = 1\u00b71 + 2\u00b7(\u22121)");
  assert.equal(widget.arithmeticOf([{ input: 0, weight: -1, gain: 0.25 }], 1, [4], []), "1 = 4\u00b71/4");
  assert.equal(widget.arithmeticOf([], 0, [], []), "0 = 0 (nothing reaches this cell)");
  assert.equal(widget.arithmeticOf([], 2, [], [], 2), "2 = 2 (added whatever the input)");
  assert.equal(widget.arithmeticOf([{ input: 0, weight: -1, gain: 0.5625 }, { input: 0, weight: -1, gain: -0.3 }], 0.2625, [1], []), "0.263 = 1\u00b79/16 + 1\u00b7(\u22120.3)");
  for (const [value, text] of [[0.1 + 0.2, "0.3"], [1 / 3, "0.333"], [-0, "0"], [-2.5, "\u22122.5"], [1234567, "1234570"], [4e-5, "4.0e\u22125"]])
    assert.equal(widget.written(value), text);
});

test("numbers, arrows and kernels", () => {
  for (const [text, value] of [["2", 2], [" -1.5 ", -1.5], ["\u22123", -3], [".5", 0.5], ["0,5", 0.5], ["+4", 4]]) assert.equal(widget.parsedNumber(text), value);
  for (const text of ["", "-", "abc", "1e3", "1 2", "Infinity", "NaN", "99999999"]) assert.equal(widget.parsedNumber(text), null);
  assert.deepEqual(widget.cellAfter("ArrowUp", [0, 1], [2, 2]), [0, 1]);
  assert.deepEqual(widget.cellAfter("ArrowDown", [0, 1], [2, 2]), [1, 1]);
  assert.deepEqual(widget.cellAfter("End", [1, 0], [2, 3]), [1, 2]);
  assert.equal(widget.cellAfter("x", [0, 0], [2, 2]), null);
  assert.deepEqual(widget.kernelPreset("bilinear", [3, 3], 2, [1, 1])[0], [0.25, 0.5, 0.25]);
  assert.deepEqual(widget.kernelPreset("bilinear", [4, 4], 2, [1, 1])[0], [0.0625, 0.1875, 0.1875, 0.0625]);
  assert.deepEqual(widget.kernelPreset("distinct", [2, 3], 2, [0, 0]), [[1, 2, 3], [4, 5, 6]]);
  assert.deepEqual(widget.kernelPreset("random", [3, 3], 2, [0, 0], 4), widget.kernelPreset("random", [3, 3], 2, [0, 0], 4));
  const random = Array.from({ length: 30 }, (_, seed) => widget.kernelPreset("random", [3, 3], 2, [0, 0], seed).flat()).flat();
  assert.ok(random.every((value) => Number.isInteger(value) && value >= -3 && value <= 4) && new Set(random).size === 8);
  assert.deepEqual(widget.resizedKernel([[5, 6], [7, 8]], 3), [[5, 6, 1], [7, 8, 1], [1, 1, 1]]);
});

test("kernels that make nearest and nails make them", () => {
  const settings = { stride: 2, padding: 1, output_padding: 1 };
  for (const [name, want] of [["nearest", "1 1 2 2 1 1 2 2 3 3 4 4 3 3 4 4"], ["nails", "1 0 2 0 0 0 0 0 3 0 4 0 0 0 0 0"]]) {
    const one = { method: "transposed_conv", settings, base: [2, 2], x: [[1, 2], [3, 4]], kernel: widget.kernelPreset(name, [3, 3], 2, [1, 1]), window: null, switches: [[0]] };
    const picture = widget.pictureOf({ ...one, atlas });
    assert.equal(widget.outputValues(picture, whole(one, picture)).join(" "), want);
  }
});

test("channels laid side by side count on from the grid", () => {
  assert.deepEqual(widget.fittedInput([[1, 2], [3, 4]], [2, 2], 2), [[1, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]]);
  assert.deepEqual(widget.fittedInput([[9, 8, 0, 0], [7, 6, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], [2, 2], 1), [[9, 8], [7, 6]]);
});

test("a trace of a learner's own function gives its output", () => {
  for (const { table, x, kernel, want } of learned) {
    const picture = widget.pictureOf({ learned: table, x, kernel });
    near(widget.outputValues(picture, whole({ x, kernel }, picture)), want.flat());
  }
});
