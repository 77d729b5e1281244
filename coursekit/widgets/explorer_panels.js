// Two panels of the explorer: the matrix of the picture, and the checkerboard meter. Joined between the shared
// grid code and grid_explorer.js.

/* ---------------------------------------------------------------- arithmetic: pure functions */

const MOST_ENTRIES = 1600;

/** What every input cell weighs in every output cell, row by row: output cells down, input cells across. */
function matrixOf(picture, kernel) {
  const { trace } = picture;
  const [rows, columns] = [outputValues(picture, []).length, trace.inShape[0] * trace.inShape[1]];
  const values = new Array(rows * columns).fill(0);
  trace.gain.forEach((gain, at) => {
    const row = outputCell(picture, trace.dst[at]);
    if (row >= 0) values[row * columns + trace.src[at]] += gain * (trace.weight[at] < 0 ? 1 : kernel[trace.weight[at]]);
  });
  return { rows, columns, values };
}

/**
 * One axis folded to the seats of a block: [seat][kernel cell] says how much of flat grey reaches that seat
 * through that kernel cell, away from the border. Without a kernel there is one column, the mean.
 */
function foldedAxis({ size, parts }, kernel, stride, origin) {
  const reach = Array.from({ length: size }, () => new Array(kernel || 1).fill(0));
  for (const [, u, r, gain] of parts) reach[r][kernel ? u : 0] += gain;
  return Array.from({ length: stride }, (_, seat) => {
    const cells = reach.filter((_row, r) => (((r - origin - seat) % stride) + stride) % stride === 0);
    return Array.from({ length: kernel || 1 }, (_, u) => {
      const found = cells.map((cell) => cell[u]);
      // the border only ever takes from a kernel cell's share, so the largest is the interior's
      return kernel ? Math.max(0, ...found) : found.reduce((sum, gain) => sum + gain, 0) / (found.length || 1);
    });
  });
}

/** For every seat what adds up to its brightness, [[kernel cell or -1, gain]]; null where there is no meter. */
function seatsOf(state, window) {
  const { learned, method, settings, base, kernel, switches, atlas } = state;
  if (learned) return learned.seats ?? null;
  const { stride } = settings;
  const { takes, key } = atlas.methods[method];
  const every = (cell) => Array.from({ length: stride * stride }, (_, seat) => cell(Math.floor(seat / stride), seat % stride, seat));
  if (takes === "switches") {
    const places = switches.flat();
    return { stride: [stride, stride], terms: every((_a, _b, seat) => [[-1, places.filter((place) => place === seat).length / places.length]]) };
  }
  const cropped = key.includes("output_padding");
  const whole = { ...settings, padding: 0, output_padding: 0 };
  const fold = (axis) => {
    const side = takes === "kernel" ? (axis ? kernel[0].length : kernel.length) : 0;
    // a canvas shows whole stamps whatever its size; the others are read off their largest grid
    const size = takes === "kernel" && !cropped ? 4 : base[axis];
    const found = axisOf(atlas, method, whole, side || 1, size);
    return foldedAxis(found, side, stride, window ? [window.row, window.column][axis] : 0);
  };
  const [down, across] = [fold(0), fold(1)];
  return {
    stride: [stride, stride],
    terms: every((a, b) => {
      const width = across[b].length;
      const terms = down[a].flatMap((one, u) => across[b].map((other, v) => [takes === "kernel" ? u * width + v : -1, one * other]));
      return terms.filter(([, gain]) => gain !== 0);
    }),
  };
}

const brightnessOf = (terms, kernel) => terms.reduce((sum, [weight, gain]) => sum + gain * (weight < 0 ? 1 : kernel[weight]), 0);

/** The checkerboard number of the seats' gains: (largest - smallest) / mean size; dust of rounding is 0. */
function unevenness(gains) {
  const [most, least] = [Math.max(...gains), Math.min(...gains)];
  const mean = gains.reduce((sum, gain) => sum + Math.abs(gain), 0) / gains.length;
  const dust = 1e-6 * Math.max(...gains.map(Math.abs));
  return { most, least, mean, value: mean > 0 && most - least > dust ? (most - least) / mean : 0 };
}

/* ---------------------------------------------------------------- drawing */

/** The panel's place for the matrix: column letters, row names, the grid itself. */
class MatrixPanel {
  constructor(on) {
    this.grid = new GridView("matrix", on, { caption: "matrix: output cells down, input cells across" });
    this.heads = element("div", { class: "ck-matrix-heads", "aria-hidden": "true" });
    this.sides = element("div", { class: "ck-matrix-sides", "aria-hidden": "true" });
    this.board = element("div", { class: "ck-matrix" }, this.heads, this.sides, this.grid.node);
    this.note = element("p", { class: "ck-caption ck-meaning" });
    this.parts = [this.board, this.note];
  }

  /** Gives [rows, columns], or null where it would be too large to read. */
  draw(picture, kernel, holdsHereOnly) {
    const { trace } = picture;
    const [, width] = outputShape(picture);
    const entries = outputValues(picture, []).length * trace.inShape[0] * trace.inShape[1];
    const fits = entries <= MOST_ENTRIES;
    this.board.hidden = !fits;
    this.shown = fits;
    const meaning = holdsHereOnly ? "how much each output changes with each input, at these values only" : "each row makes one output cell: its numbers times the inputs above them, added up";
    setText(this.note, fits ? meaning : `It would have ${entries} numbers: choose a smaller input, kernel or stride.`);
    if (!fits) return null;
    const { rows, columns, values } = matrixOf(picture, kernel);
    this.grid.show([rows, columns], values);
    this.grid.paint((index) => (values[index] === 0 ? [] : [index % columns]), columns);
    this.grid.cells.forEach((cell, index) => this.#dress(cell, index, columns, width, trace.inShape[1]));
    this.#title(rows, columns, width);
    setAttribute(this.board, "data-density", columns > 9 ? "fine" : "roomy");
    return [rows, columns];
  }

  #dress(cell, index, columns, width, across) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    cell.classList.toggle("ck-tile-top", row > 0 && row % width === 0);
    const named = (at, wide) => `row ${Math.floor(at / wide) + 1} column ${(at % wide) + 1}`;
    setAttribute(cell, "aria-label", `output ${named(row, width)} from input ${named(column, across)}: ${cell.firstChild.textContent}`);
  }

  #title(rows, columns, width) {
    this.board.style.setProperty("--ck-columns", columns);
    const key = `${rows},${columns},${width}`;
    if (this.key === key) return;
    this.key = key;
    this.heads.replaceChildren(...Array.from({ length: columns }, (_, at) => element("span", { style: `--ck-ink:${inkOf(at)}`, text: letterOf(at) })));
    const side = (at) => element("span", { class: at > 0 && at % width === 0 ? "ck-tile-top" : "", text: `${Math.floor(at / width)},${at % width}` });
    this.sides.replaceChildren(...Array.from({ length: rows }, (_, at) => side(at)));
  }
}

const PATCH_BLOCKS = 5;

/** How bright each seat is, the pattern that flat grey becomes, and one number. */
class MeterPanel {
  constructor(on) {
    this.grid = new GridView("seat", on, { caption: "brightness of each seat of the block for flat grey input" });
    this.patch = element("canvas", { class: "ck-patch", role: "img" });
    this.number = element("b", { class: "ck-reading" });
    this.word = element("span", { class: "ck-word" });
    this.sum = element("code");
    const reading = element("p", { class: "ck-read" }, this.number, this.word);
    this.board = element("div", { class: "ck-metering" }, this.grid.node, this.patch);
    this.note = element("p", { class: "ck-caption" }, reading, this.sum, element("span", { class: "ck-meaning", text: "(largest \u2212 smallest) / mean brightness, away from the border" }));
    this.none = element("p", { class: "ck-caption ck-meaning", text: "No meter: the function is neither linear nor affine, so no seat has one brightness." });
    this.parts = [this.board, this.note, this.none];
  }

  /** Gives the seats' shape and the reading, or null where there is no meter. */
  draw(seats, kernel) {
    this.seats = seats;
    this.board.hidden = this.note.hidden = !seats;
    this.none.hidden = Boolean(seats);
    this.shown = Boolean(seats);
    if (!seats) return null;
    this.gains = seats.terms.map((terms) => brightnessOf(terms, kernel));
    this.reading = unevenness(this.gains);
    const { most, least, mean, value } = this.reading;
    this.grid.show(seats.stride, this.gains);
    const level = (gain) => Math.round(255 * Math.max(0, Math.min(1, mean > 0 ? (0.55 * gain) / mean : 0)));
    this.grid.cells.forEach((cell, index) => {
      const grey = level(this.gains[index]);
      cell.style.background = `rgb(${grey} ${grey} ${grey})`;
      cell.style.color = grey > 118 ? "#111" : "#fff";
    });
    this.#paintPatch(seats.stride, level);
    setText(this.number, written(value));
    setText(this.word, value === 0 ? "even: no checkerboard" : "uneven");
    setAttribute(this.board, "data-even", String(value === 0));
    const plain = (number) => (number < 0 ? `(${written(number)})` : written(number));
    setText(this.sum, mean > 0 ? `(${written(most)} \u2212 ${plain(least)}) / ${written(mean)}` : "every seat is 0");
    return seats.stride;
  }

  #paintPatch([rows, columns], level) {
    const { patch, gains } = this;
    const [high, wide] = [rows * PATCH_BLOCKS, columns * PATCH_BLOCKS];
    if (patch.width !== wide || patch.height !== high) Object.assign(patch, { width: wide, height: high });
    const pen = patch.getContext("2d");
    for (let r = 0; r < high; r += 1)
      for (let c = 0; c < wide; c += 1) {
        const grey = level(gains[(r % rows) * columns + (c % columns)]);
        pen.fillStyle = `rgb(${grey} ${grey} ${grey})`;
        pen.fillRect(c, r, 1, 1);
      }
    setAttribute(patch, "aria-label", `what flat grey becomes: ${this.reading.value === 0 ? "flat grey" : `a pattern of ${rows} by ${columns} seats, unevenness ${written(this.reading.value)}`}`);
  }
}
