// What every grid widget shares: reading traces, doing their arithmetic, and drawing one grid.
// Python joins this file to a widget's own, so nothing here is imported or exported.

/* ---------------------------------------------------------------- traces: pure functions */

// A trace is { inShape, kernelShape, outShape, src, weight, dst, gain, into, outOf }: parallel arrays, one
// entry a contribution, cells as flat indices (weight -1: no kernel), and for every cell its entries.

/** "4:0000…" of the atlas: the output size, then four base-36 digits a contribution. */
function readAxis(entry, gains) {
  const [size, digits] = entry.split(":");
  const parts = [];
  for (let at = 0; at < digits.length; at += 4) {
    const [i, w, o, g] = [...digits.slice(at, at + 4)].map((digit) => parseInt(digit, 36));
    parts.push([i, w, o, gains[g]]);
  }
  return { size: Number(size), parts };
}

/** One axis of a method at a setting: { size, parts }, or { why } where the setting cannot be. */
function axisOf(atlas, method, settings, kernel, size) {
  const { key, axes } = atlas.methods[method];
  const entry = axes[key.map((name) => ({ ...settings, kernel, size })[name]).join(",")];
  if (entry === undefined) return { why: `The atlas has no ${method} of this size. Try explore(f) on a function.` };
  return typeof entry === "number" ? { why: atlas.reasons[entry] } : readAxis(entry, atlas.gains);
}

function makeTrace(inShape, kernelShape, outShape, rows) {
  const cells = ([height, width]) => Array.from({ length: height * width }, () => []);
  const trace = {
    inShape, kernelShape, outShape,
    src: rows.map((row) => row[0]),
    weight: rows.map((row) => row[1]),
    dst: rows.map((row) => row[2]),
    gain: rows.map((row) => row[3]),
    into: cells(outShape),
    outOf: cells(inShape),
    through: kernelShape ? cells(kernelShape) : [],
  };
  rows.forEach(([i, w, o], at) => {
    trace.outOf[i].push(at);
    trace.into[o].push(at);
    if (w >= 0) trace.through[w].push(at);
  });
  return trace;
}

/** Rows times columns: every pair of one-axis contributions is one contribution of the plane. */
function crossAxes(rows, columns, inShape, kernelShape, keep = () => true) {
  const [, width] = inShape;
  const across = kernelShape ? kernelShape[1] : 1;
  const parts = [];
  for (const [i, u, r, a] of rows.parts)
    for (const [j, v, c, b] of columns.parts)
      if (keep(i * width + j, u, v))
        parts.push([i * width + j, kernelShape ? u * across + v : -1, r * columns.size + c, a * b]);
  parts.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  return makeTrace(inShape, kernelShape, [rows.size, columns.size], parts);
}

/** The trace of a method from the atlas, or { why }. `base` is the grid's shape, of one tile for tiles. */
function traceFromAtlas(atlas, { method, settings, base, kernelShape, switches }) {
  const { takes } = atlas.methods[method];
  const [kh, kw] = kernelShape;
  const rows = axisOf(atlas, method, settings, kh, base[0]);
  const columns = axisOf(atlas, method, settings, kw, base[1]);
  if (rows.why || columns.why) return { why: rows.why || columns.why };
  const tiles = takes === "tiles" ? settings.stride : 1;
  const inShape = [base[0] * tiles, base[1] * tiles];
  const remembered = (cell, u, v) => switches.flat()[cell] === u * settings.stride + v;
  const keep = takes === "switches" ? remembered : undefined;
  return crossAxes(rows, columns, inShape, takes === "kernel" ? kernelShape : null, keep);
}

/** A trace that Python sent: rows [input, weight, output, gain] of a learner's own function. */
function traceFromRows({ inShape, kernelShape, outShape, rows }) {
  return makeTrace(inShape, kernelShape, outShape, rows);
}

/** The output of the first `stamps` input cells, as a flat array. */
function evaluate(trace, x, kernel, stamps = Infinity, offset = null) {
  const out = offset ? Float64Array.from(offset) : new Float64Array(trace.outShape[0] * trace.outShape[1]);
  trace.gain.forEach((gain, at) => {
    const i = trace.src[at];
    if (i < stamps) out[trace.dst[at]] += gain * x[i] * (trace.weight[at] < 0 ? 1 : kernel[trace.weight[at]]);
  });
  return out;
}

/** The terms of one output cell: [{ input, weight, gain }], only those of the first `stamps` inputs. */
function termsOf(trace, cell, stamps = Infinity) {
  return trace.into[cell]
    .filter((at) => trace.src[at] < stamps)
    .map((at) => ({ input: trace.src[at], weight: trace.weight[at], gain: trace.gain[at] }));
}

/** A number as people write it: whole, or with at most three decimals. */
function written(value) {
  const rounded = Math.abs(value) < 1e6 ? Number(value.toFixed(3)) : Number(value.toPrecision(6));
  const text = rounded === 0 && Math.abs(value) > 1e-9 ? value.toExponential(1) : String(rounded === 0 ? 0 : rounded);
  return text.replace("-", "\u2212");
}

/** A gain as the fraction it is, where it is a plain one: bilinear weights are sixteenths and ninths. */
function gainWritten(gain) {
  for (const below of [2, 3, 4, 9, 16, 36])
    if (Math.abs(gain * below - Math.round(gain * below)) < 1e-6 && !Number.isInteger(gain))
      return `${written(Math.round(gain * below))}/${below}`;
  return written(gain);
}

function factorsOf(term, x, kernel) {
  const factors = term.weight < 0 ? [] : [written(kernel[term.weight])];
  if (Math.abs(term.gain - 1) > 1e-9) factors.unshift(gainWritten(term.gain));
  return [written(x[term.input]), ...factors.map((text) => (text.startsWith("\u2212") ? `(${text})` : text))];
}

/** "10 = 1·1 + 2·1 + 3·1 + 4·1" */
function arithmeticOf(terms, value, x, kernel, offset = 0, why = "added whatever the input") {
  const sum = terms.map((term) => factorsOf(term, x, kernel).join("·"));
  if (offset) sum.push(`${written(offset)} (${why})`);
  return `${written(value)} = ${sum.length ? sum.join(" + ") : "0 (nothing reaches this cell)"}`;
}

/* ---------------------------------------------------------------- kernels, windows, keys: pure too */

const KERNEL_PRESETS = {
  ones: "all ones",
  distinct: "1, 2, 3 …",
  nearest: "makes blocks",
  nails: "makes nails",
  bilinear: "makes blends",
  random: "random",
};

/** Small whole numbers from -3 to 4, the same for the same seed. */
function seededIntegers(count, seed) {
  let state = (seed + 1) * 2654435761;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) | 0;
    return (((state >>> 9) & 7) + 8) % 8 - 3;
  });
}

function kernelProfile(name, size, stride, cut) {
  const start = Math.max(0, Math.min(cut, size - stride));
  const middle = (size - 1) / 2;
  return Array.from({ length: size }, (_, at) => {
    if (name === "nearest") return at >= start && at < start + stride ? 1 : 0;
    if (name === "nails") return at === Math.min(cut, size - 1) ? 1 : 0;
    return Math.max(0, 1 - Math.abs(at - middle) / stride);
  });
}

function kernelPreset(name, [height, width], stride, [top, left], seed = 0) {
  const flat = (cell) => Array.from({ length: height }, (_, r) => Array.from({ length: width }, (_, c) => cell(r, c)));
  if (name === "ones") return flat(() => 1);
  if (name === "distinct") return flat((r, c) => r * width + c + 1);
  if (name === "random") {
    const values = seededIntegers(height * width, seed);
    return flat((r, c) => values[r * width + c]);
  }
  const down = kernelProfile(name, height, stride, top);
  const across = kernelProfile(name, width, stride, left);
  return flat((r, c) => down[r] * across[c]);
}

/** The same kernel in another size: kept values stay in the upper left, new cells are 1. */
function resizedKernel(kernel, size) {
  return Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => kernel[r]?.[c] ?? 1));
}

/** torch's settings, and the crop that TensorFlow's "SAME" makes, for an output of size * stride. */
function sameSizeCrops(size, stride, kernel) {
  const extra = kernel - stride;
  const outputPadding = ((extra % 2) + 2) % 2;
  const padding = (extra + outputPadding) / 2;
  const possible = padding >= 0 && outputPadding < stride;
  return { size: size * stride, torch: possible ? { padding, outputPadding } : null, tensorflow: Math.max(0, Math.floor(extra / 2)) };
}

/** The cell that an arrow, Home or End leads to, or null for another key. */
function cellAfter(key, [row, column], [rows, columns]) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  if (key === "Home") return [row, 0];
  if (key === "End") return [row, columns - 1];
  if (!steps[key]) return null;
  const within = (value, size) => Math.max(0, Math.min(size - 1, value));
  return [within(row + steps[key][0], rows), within(column + steps[key][1], columns)];
}

/** The number that someone typed, or null. */
function parsedNumber(text) {
  const plain = text.trim().replace("\u2212", "-").replace(",", ".");
  if (!/^[-+]?(\d+\.?\d*|\.\d+)$/.test(plain)) return null;
  return Math.abs(Number(plain)) <= 1e6 ? Number(plain) : null;
}

/* ---------------------------------------------------------------- drawing */

const INKS = 6;
const TURNS = ["45deg", "-45deg", "0deg", "90deg", "22deg", "-68deg"];
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

const inkOf = (input) => `var(--ck-ink${input % INKS})`;
const letterOf = (input) => LETTERS[input] ?? String(input + 1);

/**
 * A cell's background: a hatched patch for every input that stamped it, laid out as those inputs lie in
 * the input grid, so that place tells them apart as well as colour and hatching.
 */
function patchesOf(inputs, width) {
  const rank = (values) => [...new Set(values)].sort((a, b) => a - b);
  const rows = rank(inputs.map((input) => Math.floor(input / width)));
  const columns = rank(inputs.map((input) => input % width));
  const along = (at, count) => (count === 1 ? 0 : (100 * at) / (count - 1));
  return inputs
    .flatMap((input) => {
      const across = along(columns.indexOf(input % width), columns.length);
      const down = along(rows.indexOf(Math.floor(input / width)), rows.length);
      const size = `${100 / columns.length + 0.5}% ${100 / rows.length + 0.5}%`;
      const line = `color-mix(in srgb, ${inkOf(input)} 34%, transparent)`;
      const tint = `color-mix(in srgb, ${inkOf(input)} 18%, transparent)`;
      return [
        `repeating-linear-gradient(${TURNS[input % INKS]}, ${line} 0 1px, transparent 1px 6px)`,
        `linear-gradient(${tint}, ${tint})`,
      ].map((layer) => `${layer} ${across}% ${down}% / ${size} no-repeat`);
    })
    .join(", ");
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/** Text or attribute only where it changes: the browser then repaints no more than it must. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/**
 * A grid of numbers as an ARIA grid with one tab stop. Cells are made when the shape changes and then
 * updated in place. `on`: point(cell | null, how), edit(cell, value), refuse(sentence).
 */
class GridView {
  constructor(name, on, { editable = false, caption = name } = {}) {
    this.name = name;
    this.on = on;
    this.editable = editable;
    this.shape = [0, 0];
    this.cells = [];
    this.focused = 0;
    this.marked = new Map();
    this.node = element("div", { class: "ck-grid", role: "grid", "aria-label": caption, "data-grid": name });
    this.node.addEventListener("pointerover", (event) => this.#pointed(event));
    this.node.addEventListener("pointerleave", () => this.on.point(null, "hover"));
    this.node.addEventListener("focusin", (event) => this.#entered(event));
    this.node.addEventListener("focusout", (event) => {
      if (!this.node.contains(event.relatedTarget)) this.on.point(null, "focus");
    });
    this.node.addEventListener("keydown", (event) => this.#pressed(event));
    this.node.addEventListener("dblclick", (event) => this.#edit(this.#indexAt(event)));
    this.node.addEventListener("click", (event) => this.#clicked(event));
  }

  place(index) {
    return [Math.floor(index / this.shape[1]), index % this.shape[1]];
  }

  show(shape, values) {
    if (shape[0] !== this.shape[0] || shape[1] !== this.shape[1]) this.#rebuild(shape);
    values.forEach((value, index) => {
      const cell = this.cells[index];
      const [row, column] = this.place(index);
      const text = written(value);
      setText(cell.firstChild, text);
      cell.classList.toggle("ck-zero", value === 0);
      cell.classList.toggle("ck-long", text.length > 4);
      setAttribute(cell, "aria-label", `${this.name} row ${row + 1} column ${column + 1}, value ${text}`);
    });
  }

  /** Backgrounds by cell: `inputs(index)` lists the inputs, of a grid `width` wide, that stamped it. */
  paint(inputs, width) {
    this.cells.forEach((cell, index) => {
      const found = inputs(index);
      const key = found.length ? `${width}:${found}` : "";
      if (cell.dataset.stamps === key) return;
      cell.dataset.stamps = key;
      cell.style.background = found.length ? patchesOf(found, width) : "";
    });
  }

  /** Marks by cell, { index: { kind, ink, tag } }; what was marked before and is no more is cleared. */
  mark(marks) {
    for (const index of this.marked.keys()) if (!marks.has(index)) this.#markCell(index, null);
    for (const [index, mark] of marks) this.#markCell(index, mark);
    this.marked = marks;
  }

  #markCell(index, mark) {
    const cell = this.cells[index];
    if (!cell) return;
    setAttribute(cell, "data-mark", mark ? mark.kind : "");
    const ink = mark && mark.ink !== undefined ? inkOf(mark.ink) : "";
    if (cell.style.getPropertyValue("--ck-ink") !== ink) cell.style.setProperty("--ck-ink", ink);
    setText(cell.children[1], (mark && mark.tag) || cell.dataset.tag || "");
  }

  /** A standing tag in a cell's corner, such as an input's letter. */
  tag(tagOf) {
    this.cells.forEach((cell, index) => {
      cell.dataset.tag = tagOf(index);
      if (!this.marked.has(index)) setText(cell.children[1], cell.dataset.tag);
    });
  }

  /** The focus comes at once, the scrolling with the next frame: else the page is laid out twice a key. */
  focus(index) {
    const cell = this.cells[index];
    cell.focus({ preventScroll: true });
    requestAnimationFrame(() => cell.scrollIntoView({ block: "nearest", inline: "nearest" }));
  }

  #rebuild(shape) {
    const hadFocus = this.node.contains(document.activeElement);
    this.shape = shape;
    this.cells = [];
    this.marked = new Map();
    this.focused = Math.min(this.focused, shape[0] * shape[1] - 1);
    const rows = Array.from({ length: shape[0] }, () => element("div", { role: "row" }));
    for (let index = 0; index < shape[0] * shape[1]; index += 1) {
      const cell = element("div", {
        role: "gridcell", tabindex: index === this.focused ? "0" : "-1", "data-index": String(index),
        "data-row": String(this.place(index)[0]), "data-column": String(this.place(index)[1]),
        "aria-readonly": String(!this.editable),
      }, element("span", { class: "ck-number" }), element("span", { class: "ck-tag", "aria-hidden": "true" }));
      this.cells.push(cell);
      rows[this.place(index)[0]].append(cell);
    }
    this.node.replaceChildren(...rows);
    this.node.style.setProperty("--ck-columns", shape[1]);
    this.node.style.setProperty("--ck-rows", shape[0]);
    if (hadFocus) this.cells[this.focused].focus();
  }

  #indexAt(event) {
    const cell = event.target.closest?.("[data-index]");
    return cell && this.node.contains(cell) ? Number(cell.dataset.index) : null;
  }

  #pointed(event) {
    const index = this.#indexAt(event);
    if (index !== null && event.pointerType !== "touch") this.on.point(index, "hover");
  }

  #entered(event) {
    const index = this.#indexAt(event);
    if (index === null || event.target.tagName === "INPUT") return;
    this.#rove(index);
    this.on.point(index, "focus");
  }

  #rove(index) {
    if (index === this.focused) return;
    this.cells[this.focused]?.setAttribute("tabindex", "-1");
    this.focused = index;
    this.cells[index].setAttribute("tabindex", "0");
  }

  #clicked(event) {
    const index = this.#indexAt(event);
    if (index !== null && event.target.tagName !== "INPUT") this.focus(index);
  }

  #pressed(event) {
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = cellAfter(event.key, this.place(this.focused), this.shape);
    if (next) {
      event.preventDefault();
      this.focus(next[0] * this.shape[1] + next[1]);
    } else if (this.editable && /^[-\d.]$/.test(event.key)) {
      event.preventDefault();
      this.#edit(this.focused, event.key);
    } else if (this.editable && (event.key === "Enter" || event.key === "F2")) {
      event.preventDefault();
      this.#edit(this.focused);
    }
  }

  #edit(index, typed = null) {
    if (!this.editable || index === null || this.cells[index].querySelector("input")) return;
    const cell = this.cells[index];
    const before = cell.firstChild.textContent;
    const [row, column] = this.place(index);
    const box = element("input", {
      class: "ck-editor", inputmode: "decimal", autocomplete: "off", maxlength: "9",
      "aria-label": `new value for ${this.name} row ${row + 1} column ${column + 1}`,
    });
    box.value = typed ?? before;
    let done = false;
    const finish = (keep, stay) => {
      if (done) return;
      const value = keep ? parsedNumber(box.value) : null;
      if (keep && value === null && stay) {
        box.setAttribute("aria-invalid", "true");
        this.on.refuse(`A number is needed here, such as 2, \u22121 or 0.5; "${box.value}" is none.`);
        return;
      }
      done = true;
      box.remove();
      if (stay) this.focus(index);
      if (value !== null) this.on.edit(index, value);
    };
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const leave = { Enter: [true, true], ArrowUp: [true, true], ArrowDown: [true, true], Escape: [false, true] }[event.key];
      if (leave) {
        event.preventDefault();
        finish(...leave);
      }
    });
    box.addEventListener("blur", () => finish(true, false));
    cell.append(box);
    box.focus();
    if (typed === null) box.select();
  }
}

/**
 * What a view has changed: sent at once, or a while after the last of a run of keys.
 *
 * The kernel repeats every change that it gets (ipywidgets calls it an echo). While newer changes wait here, an
 * echo of an older one is old news, and would take back the last keys.
 */
class Outbox {
  constructor(model) {
    this.model = model;
    this.waiting = {};
  }

  put(change, wait = 0) {
    Object.assign(this.waiting, change); // first, for `set` is heard at once
    for (const [name, value] of Object.entries(change)) this.model.set(name, value);
    clearTimeout(this.timer);
    if (wait) this.timer = setTimeout(() => this.send(), wait);
    else this.send();
  }

  send() {
    clearTimeout(this.timer);
    this.timer = null;
    this.waiting = {};
    this.model.save_changes();
  }

  /** Whether what the model says of `name` is older than a change that waits; that one is put back. */
  outdates(name) {
    if (!(name in this.waiting)) return false;
    const mine = this.waiting[name];
    if (JSON.stringify(this.model.get(name)) !== JSON.stringify(mine)) this.model.set(name, mine);
    return true;
  }

  /** A view that goes takes nothing with it. */
  close() {
    if (this.timer) this.send();
  }
}

/** Sets data-theme to light or dark by the background that the page really has, now and when it changes. */
function watchTheme(node) {
  const apply = () => {
    let probe = node.parentElement;
    let found = null;
    while (probe && !found) {
      const [, red, green, blue, alpha] = /rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)/.exec(getComputedStyle(probe).backgroundColor) ?? [];
      if (red !== undefined && alpha !== "0") found = (Number(red) * 3 + Number(green) * 6 + Number(blue)) / 10;
      probe = probe.parentElement;
    }
    const dark = found === null ? matchMedia("(prefers-color-scheme: dark)").matches : found < 128;
    setAttribute(node, "data-theme", dark ? "dark" : "light");
  };
  const soon = () => requestAnimationFrame(apply);
  const observer = new MutationObserver(soon);
  const options = { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-light", "data-jp-theme-name"] };
  for (const root of [document.documentElement, document.body]) observer.observe(root, options);
  const media = matchMedia("(prefers-color-scheme: dark)");
  media.addEventListener("change", soon);
  soon();
  const late = setTimeout(apply, 600); // theme sheets may arrive after the first frame
  return () => {
    observer.disconnect();
    media.removeEventListener("change", soon);
    clearTimeout(late);
  };
}
