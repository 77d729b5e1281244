// SwitchSurgery: a grid, its pooled values with their switches, and what unpooling brings back. Everything
// happens here in the browser; the model only remembers the switches and the cell that is looked at.

/* ---------------------------------------------------------------- arithmetic: pure functions on flat arrays */

/** Whole blocks only: what fills no block is dropped. */
const pooledShape = ([rows, columns], size) => [Math.floor(rows / size), Math.floor(columns / size)];

/** The place in the block of a pooled cell, as a flat index into a grid `width` wide. */
function flatIndex(cell, place, width, size) {
  const columns = Math.floor(width / size);
  const row = Math.floor(cell / columns) * size + Math.floor(place / size);
  return row * width + (cell % columns) * size + (place % size);
}

const placeInBlock = (flat, width, size) => (Math.floor(flat / width) % size) * size + ((flat % width) % size);

/** The pooled cell whose block holds a flat index, or -1 in the remainder. */
function blockOf(flat, [rows, columns], size) {
  const [row, column] = [Math.floor(Math.floor(flat / columns) / size), Math.floor((flat % columns) / size)];
  const [most, wide] = pooledShape([rows, columns], size);
  return row < most && column < wide ? row * wide + column : -1;
}

/** The maximum of each block and its flat index; a tie goes to the first, as in torch. */
function poolWithSwitches(x, shape, size) {
  const [rows, columns] = pooledShape(shape, size);
  const switches = Array.from({ length: rows * columns }, (_, cell) => {
    let best = flatIndex(cell, 0, shape[1], size);
    for (let place = 1; place < size * size; place += 1) {
      const flat = flatIndex(cell, place, shape[1], size);
      if (x[flat] > x[best]) best = flat;
    }
    return best;
  });
  return { shape: [rows, columns], values: switches.map((flat) => x[flat]), switches };
}

function unpooled(values, switches, [rows, columns]) {
  const out = new Array(rows * columns).fill(0);
  switches.forEach((flat, cell) => (out[flat] = values[cell]));
  return out;
}

/** Values that stand where x has them; with a tie each of the equal places counts. */
const inPlace = (x, values, switches) => switches.filter((flat, cell) => x[flat] === values[cell]).length;

const meanDifference = (a, b) => a.reduce((sum, value, at) => sum + Math.abs(value - b[at]), 0) / a.length;

/** The same places in another order, the same for the same seed; Python deals alike. */
function shuffledPlaces(places, seed) {
  const dealt = [...places];
  let state = (Math.imul(seed, 2654435761) + 12345) >>> 0;
  for (let last = dealt.length - 1; last > 0; last -= 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = (state >>> 12) % (last + 1);
    [dealt[last], dealt[other]] = [dealt[other], dealt[last]];
  }
  return dealt;
}

const MOST_SHUFFLES = 1_000_000;

/** The next deal that changes something, if one of the next few does: few cells often stay as they are. */
function shuffledAnew(places, shuffles) {
  let [number, dealt] = [shuffles, places];
  for (let tries = 0; tries < 20 && dealt.every((place, at) => place === places[at]); tries += 1) {
    number = (number % MOST_SHUFFLES) + 1;
    dealt = shuffledPlaces(places, number);
  }
  return { dealt, shuffles: number };
}

/** The place that an arrow leads to, held in the block; any other key goes on to the next place. */
function placeAfter(key, place, size) {
  const next = cellAfter(key, [Math.floor(place / size), place % size], [size, size]);
  return next ? next[0] * size + next[1] : (place + 1) % (size * size);
}

const rowsOf = (flat, columns) => Array.from({ length: flat.length / columns }, (_, row) => flat.slice(row * columns, (row + 1) * columns));

/* ---------------------------------------------------------------- a picture too large for numbers */

const PICTURE_PIXELS = 512;

/**
 * A grey picture as one canvas with the same face as GridView: show, focus, and on.point, with a frame
 * around the cell that is looked at. One tab stop; what it stands on is in its label.
 */
class PictureView {
  constructor(name, on, caption, shape) {
    [this.name, this.on, this.shape, this.focused] = [name, on, shape, 0];
    const scale = Math.max(1, Math.floor(PICTURE_PIXELS / Math.max(...shape)));
    this.canvas = element("canvas", { width: String(shape[1] * scale), height: String(shape[0] * scale), "aria-hidden": "true" });
    this.scale = scale;
    this.frame = element("span", { class: "ck-frame", "aria-hidden": "true" });
    this.node = element("div", {
      class: "ck-picture", role: "application", "aria-roledescription": "picture of cells", tabindex: "0",
      "aria-label": caption, "data-grid": name,
    }, this.canvas, this.frame);
    this.node.style.setProperty("--ck-wide", shape[1]);
    this.node.style.setProperty("--ck-high", shape[0]);
    this.node.addEventListener("pointermove", (event) => event.pointerType !== "touch" && on.point(this.#indexAt(event), "hover"));
    this.node.addEventListener("pointerleave", () => on.point(null, "hover"));
    this.node.addEventListener("click", (event) => this.focus(this.#indexAt(event)));
    this.node.addEventListener("focus", () => on.point(this.focused, "focus"));
    this.node.addEventListener("keydown", (event) => this.#pressed(event));
  }

  place(index) {
    return [Math.floor(index / this.shape[1]), index % this.shape[1]];
  }

  /** `look(index)` gives { grey, tint, dot, seat }: the cell's value, whether it is tinted, marks on it. */
  draw(look, size) {
    const [pen, side] = [this.canvas.getContext("2d"), this.scale];
    pen.imageSmoothingEnabled = false;
    for (let index = 0; index < this.shape[0] * this.shape[1]; index += 1) {
      const [row, column] = this.place(index);
      const { grey, tint = false, dot = false, seat = null } = look(index);
      const level = Math.round(255 * Math.max(0, Math.min(1, grey)));
      pen.fillStyle = tint ? `rgb(${Math.max(120, level)} ${Math.round(level * 0.55)} 20)` : `rgb(${level} ${level} ${level})`;
      pen.fillRect(column * side, row * side, side, side);
      const mark = (left, top, width) => {
        pen.fillStyle = level > 140 ? "#7a2a00" : "#ffb454";
        pen.fillRect(column * side + left, row * side + top, width, width);
      };
      if (dot) mark(side * 0.34, side * 0.34, side * 0.32);
      if (seat !== null) mark(((seat % size) * side) / size + side * 0.06, (Math.floor(seat / size) * side) / size + side * 0.06, side / size - side * 0.12);
    }
  }

  /** The frame around some cells: { row, column, rows, columns }, or none. */
  enframe(box) {
    this.frame.hidden = !box;
    for (const [name, value] of Object.entries(box ?? {})) this.frame.style.setProperty(`--ck-at-${name}`, value);
  }

  focus(index) {
    this.focused = index;
    if (document.activeElement !== this.node) this.node.focus({ preventScroll: true });
    this.on.point(index, "focus");
  }

  #indexAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (at, size) => Math.max(0, Math.min(size - 1, Math.floor(at * size)));
    const row = within((event.clientY - box.top) / box.height, this.shape[0]);
    return row * this.shape[1] + within((event.clientX - box.left) / box.width, this.shape[1]);
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const next = cellAfter(event.key, this.place(this.focused), this.shape);
    if (!next) return;
    event.preventDefault();
    this.focus(next[0] * this.shape[1] + next[1]);
  }
}

/* ---------------------------------------------------------------- the view */

const MOST_NUMBERS = 8;
const HEADINGS = { x: "x", pooled: "pooled, with switches", back: "brought back" };

class SurgeryView {
  constructor(model, el) {
    this.model = model;
    this.outbox = new Outbox(model);
    this.hovered = null;
    this.swapping = null;
    this.#read();
    this.#build(el);
    this.refresh();
  }

  #read() {
    const rows = this.model.get("x");
    this.size = this.model.get("size");
    this.shape = [rows.length, rows[0].length];
    this.x = rows.flat();
    this.pool = poolWithSwitches(this.x, this.shape, this.size);
    this.asNumbers = Math.max(...this.shape) <= MOST_NUMBERS;
    this.#hearSwitches();
    const [row, column] = this.model.get("cell") ?? [-1, 0];
    this.cell = row < 0 ? null : row * this.pool.shape[1] + column;
  }

  /** While Python sends a new grid, old switches may arrive first: until they fit, the true ones stand in. */
  #hearSwitches() {
    const heard = this.model.get("switches").flat();
    const fit = heard.length === this.pool.switches.length && heard.every((flat, cell) => blockOf(flat, this.shape, this.size) === cell);
    this.switches = fit ? heard : [...this.pool.switches];
  }

  /* ---- building */

  #build(el) {
    const view = (name, shape) => {
      const on = { point: (index, how) => this.point(index === null ? null : this.#pooledCell(name, index), how), edit() {}, refuse() {} };
      const caption = { x: "the grid x", pooled: "pooled values with their switches", back: "what unpooling brings back" }[name];
      if (!this.asNumbers) return new PictureView(name, on, `${caption}: ${shape.join(" by ")} cells`, shape);
      return new GridView(name, on, { caption });
    };
    this.views = { x: view("x", this.shape), pooled: view("pooled", this.pool.shape), back: view("back", this.shape) };
    const title = this.model.get("title");
    this.line = element("p", { class: "ck-line" });
    this.live = element("div", { class: "ck-live", "aria-live": "polite", role: "status" });
    this.node = element("div", {
      class: "ck-explorer ck-surgery", role: "group", "aria-label": title || "switch surgery", "data-numbers": String(this.asNumbers),
    }, title ? element("div", { class: "ck-title", text: title }) : null, this.#stage(), this.line, this.#buttons(), this.#meters(),
    this.#remainder(), element("p", { class: "ck-hint", text: "Arrow keys: to a pooled cell. Shift and an arrow, Enter or a click: move its switch." }), this.live);
    this.node.addEventListener("keydown", (event) => this.#operated(event), true);
    this.node.addEventListener("keydown", (event) => event.stopPropagation()); // or Jupyter takes the key as a command
    for (const name of ["pooled", "back"]) this.views[name].node.addEventListener("click", (event) => this.#clicked(name, event));
    el.replaceChildren(this.node);
    this.sizing = new ResizeObserver(([{ contentRect }]) => this.#fitRoom(contentRect.width));
    this.sizing.observe(this.node);
  }

  #fitRoom(width) {
    this.node.style.setProperty("--ck-room", `${Math.floor(width)}px`);
    setAttribute(this.node, "data-room", width < 560 ? "narrow" : width < 750 ? "medium" : "wide");
  }

  #stage() {
    const size = ([rows, columns]) => `${rows} \u00d7 ${columns}`;
    const regions = Object.entries(this.views).map(([name, view]) => {
      const shape = name === "pooled" ? this.pool.shape : this.shape;
      const heading = element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: HEADINGS[name] }), element("span", { class: "ck-size", text: size(shape) }));
      return element("section", { class: "ck-region", "data-region": name }, heading, view.node);
    });
    const arrow = (text) => element("div", { class: "ck-flow", "aria-hidden": "true" }, element("span", { text }), element("b", { text: "\u2192" }));
    const [first, second, third] = regions;
    const widest = this.asNumbers ? this.shape[1] : 0;
    this.density = widest > 6 ? "medium" : "roomy";
    return element("div", { class: "ck-stage" }, first, arrow("pool"), second, arrow("unpool"), third);
  }

  #buttons() {
    const button = (name, text, action) => element("button", { type: "button", class: "ck-chip", "data-action": name, onclick: action }, element("span", { text }));
    this.actions = {
      swap: button("swap", "swap with \u2026", () => this.startSwap()),
      shuffle: button("shuffle", "shuffle all", () => this.shuffle()),
      drop: button("drop", "drop all: upper left", () => this.operate(this.switches.map(() => 0), "All switches dropped: every value goes to the upper left of its block, a bed of nails.")),
      restore: button("restore", "put back", () => this.restore()),
    };
    return element("div", { class: "ck-chips", role: "group", "aria-label": "what to do with the switches" }, ...Object.values(this.actions));
  }

  #meters() {
    const meter = (name, label) => {
      const parts = { number: element("b"), note: element("span", { class: "ck-faint" }), bar: element("i") };
      const node = element("div", { class: "ck-meter", "data-meter": name }, element("p", {}, parts.number, ` ${label} `, parts.note), element("div", { class: "ck-bar", "aria-hidden": "true" }, parts.bar));
      return { node, ...parts };
    };
    this.meters = { inPlace: meter("in-place", "maxima back in their place"), difference: meter("difference", "mean difference to x") };
    return element("div", { class: "ck-meters" }, this.meters.inPlace.node, this.meters.difference.node);
  }

  /** What torch does with rows and columns that fill no block. */
  #remainder() {
    const [rows, columns] = this.shape;
    const named = (count, what) => (count ? [`the last ${count > 1 ? `${count} ${what}s` : what}`] : []);
    const over = [...named(rows % this.size, "row"), ...named(columns % this.size, "column")];
    if (!over.length) return null;
    return element("p", { class: "ck-hint", "data-remainder": "", text: `No block of ${this.size} \u00d7 ${this.size} holds ${over.join(" and ")} of x: pooling drops what is there. Unpooling is told output_size=(${rows}, ${columns}) and leaves zeros there.` });
  }

  #pooledCell(name, index) {
    return name === "pooled" ? index : Math.max(-1, blockOf(index, this.shape, this.size));
  }

  /* ---- drawing */

  refresh() {
    const { values, switches: truth, shape } = this.pool;
    this.back = unpooled(values, this.switches, this.shape);
    this.astray = this.switches.map((flat, cell) => this.x[flat] !== values[cell]);
    if (this.asNumbers) this.#drawNumbers();
    else this.#drawPictures();
    const count = inPlace(this.x, values, this.switches);
    const best = meanDifference(unpooled(values, truth, this.shape), this.x);
    const found = meanDifference(this.back, this.x);
    const scale = Math.max(meanDifference(this.x, this.x.map(() => 0)) + meanDifference(this.back, this.x.map(() => 0)), 1e-9);
    this.#drawMeter(this.meters.inPlace, `${count} of ${values.length}`, "", count / values.length);
    this.#drawMeter(this.meters.difference, written(found), `(${written(best)} with every switch right: what pooling lost)`, found / scale, best / scale);
    setAttribute(this.actions.restore, "aria-disabled", String(this.switches.every((flat, cell) => flat === truth[cell])));
    setAttribute(this.node, "data-density", this.density);
    setAttribute(this.node, "data-wide", String(shape[1]));
    this.#drawTarget();
  }

  #drawMeter({ number, note, bar }, value, remark, share, least = 0) {
    setText(number, value);
    setText(note, remark);
    bar.style.setProperty("--ck-share", `${100 * Math.min(1, share)}%`);
    bar.style.setProperty("--ck-split", share > 0 ? least / share : 0);
  }

  #drawNumbers() {
    const { x, pooled, back } = this.views;
    const { values, switches: truth, shape } = this.pool;
    const places = this.size ** 2;
    x.show(this.shape, this.x);
    pooled.show(shape, values);
    back.show(this.shape, this.back);
    const owner = (switches) => new Map(switches.map((flat, cell) => [flat, cell]));
    const [stood, stands] = [owner(truth), owner(this.switches)];
    this.stands = stands;
    const painted = (found) => (index) => (found.has(index) ? [found.get(index)] : []);
    x.paint(painted(stood), shape[1]);
    pooled.paint((index) => [index], shape[1]);
    back.paint(painted(stands), shape[1]);
    for (const [view, found] of [[x, stood], [back, stands]]) {
      view.tag((index) => (found.has(index) ? letterOf(found.get(index)) : ""));
      view.cells.forEach((cell, index) => this.#dressCell(view, cell, index, found));
    }
    pooled.tag((index) => letterOf(index));
    pooled.cells.forEach((cell, index) => {
      if (!cell.querySelector(".ck-mini")) cell.append(this.#mini(places));
      cell.style.setProperty("--ck-own", inkOf(index));
      setAttribute(cell, "data-astray", String(this.astray[index]));
      setAttribute(cell, "aria-label", `pooled ${this.#cellText(index)}`);
      const own = placeInBlock(this.switches[index], this.shape[1], this.size);
      const right = placeInBlock(truth[index], this.shape[1], this.size);
      [...cell.querySelector(".ck-mini").children].forEach((seat, place) => {
        setAttribute(seat, "data-seat", place === own ? "here" : place === right ? "was" : "");
      });
    });
  }

  #dressCell(view, cell, index, found) {
    const [row, column] = view.place(index);
    cell.style.setProperty("--ck-own", inkOf(found.get(index) ?? 0));
    const block = blockOf(index, this.shape, this.size);
    cell.classList.toggle("ck-tile-top", row > 0 && row % this.size === 0);
    cell.classList.toggle("ck-tile-left", column > 0 && column % this.size === 0);
    cell.classList.toggle("ck-rest", block < 0);
    const isBack = view === this.views.back;
    const astray = isBack && found.has(index) && this.astray[found.get(index)];
    setAttribute(cell, "data-astray", String(astray));
    setAttribute(cell, "data-missed", String(isBack && block >= 0 && this.astray[block] && this.pool.switches[block] === index));
    const what = found.has(index) ? `, ${isBack ? (astray ? "not where x has it" : "in its place") : "maximum of its block"}` : block < 0 ? ", in no block" : "";
    setAttribute(cell, "aria-label", `${isBack ? "brought back" : "x"} row ${row + 1} column ${column + 1}, value ${cell.firstChild.textContent}${what}`);
  }

  #mini(places) {
    const mini = element("span", { class: "ck-mini", "aria-hidden": "true" }, ...Array.from({ length: places }, (_, place) => element("i", { "data-place": String(place) })));
    mini.style.setProperty("--ck-side-of-block", this.size);
    return mini;
  }

  #drawPictures() {
    const { values, switches: truth } = this.pool;
    const [maxima, stands] = [new Set(truth), new Map(this.switches.map((flat, cell) => [flat, cell]))];
    this.stands = stands;
    this.views.x.draw((index) => ({ grey: this.x[index], dot: maxima.has(index) }), this.size);
    this.views.pooled.draw((index) => ({ grey: values[index], seat: placeInBlock(this.switches[index], this.shape[1], this.size) }), this.size);
    this.views.back.draw((index) => ({ grey: this.back[index], tint: stands.has(index) && this.astray[stands.get(index)] }), this.size);
  }

  /* ---- what is looked at */

  #drawTarget() {
    const cell = this.hovered ?? this.cell;
    const valid = cell !== null && cell >= 0 && cell < this.switches.length;
    if (this.asNumbers) this.#markNumbers(valid ? cell : null);
    else this.#framePictures(valid ? cell : null);
    const text = valid ? this.#explained(cell) : cell === -1 ? "This cell is in no block: pooling drops it." : "Every block of x gives its maximum, and its switch says where that stood. Choose a pooled cell, and move its switch.";
    if (this.swapping !== null) this.line.replaceChildren(element("b", { text: `Cell ${this.#name(this.swapping)}: ` }), "choose the cell that it shall swap places with (Enter or a click; Escape leaves it).");
    else this.line.replaceChildren(...(valid ? this.#explainedParts(cell) : [text]));
    setAttribute(this.actions.swap, "aria-pressed", String(this.swapping !== null));
    return this.swapping !== null ? this.line.textContent : text;
  }

  #markNumbers(cell) {
    const marks = { x: new Map(), pooled: new Map(), back: new Map() };
    if (cell !== null) {
      for (let place = 0; place < this.size ** 2; place += 1) {
        const flat = flatIndex(cell, place, this.shape[1], this.size);
        marks.x.set(flat, { kind: "reach", ink: cell, tag: this.pool.switches[cell] === flat ? letterOf(cell) : "" });
        marks.back.set(flat, { kind: "reach", ink: cell, tag: this.switches[cell] === flat ? letterOf(cell) : "" });
      }
      marks.pooled.set(cell, { kind: "target", tag: letterOf(cell) });
    }
    if (this.swapping !== null) marks.pooled.set(this.swapping, { kind: "source", ink: this.swapping, tag: "\u21c4" });
    for (const [name, view] of Object.entries(this.views)) view.mark(marks[name]);
  }

  #framePictures(cell) {
    const { x, pooled, back } = this.views;
    const [row, column] = cell === null ? [] : pooled.place(cell);
    const block = cell === null ? null : { row: row * this.size, column: column * this.size, rows: this.size, columns: this.size };
    x.enframe(block);
    back.enframe(block);
    pooled.enframe(cell === null ? null : { row, column, rows: 1, columns: 1 });
    // the label tells where the keys stand, whatever the pointer happens to be over
    if (this.cell !== null && this.cell >= 0) setAttribute(pooled.node, "aria-label", `pooled ${this.#cellText(this.cell)}`);
  }

  #name(cell) {
    const [row, column] = this.views.pooled.place(cell);
    return `${this.asNumbers ? `${letterOf(cell)}, ` : ""}pooled[${row}, ${column}]`;
  }

  /** For the ear: rows and columns counted from 1. */
  #cellText(cell) {
    const [row, column] = [Math.floor(cell / this.pool.shape[1]), cell % this.pool.shape[1]];
    const place = placeInBlock(this.switches[cell], this.shape[1], this.size);
    const where = `row ${Math.floor(place / this.size) + 1} column ${(place % this.size) + 1} of its block`;
    return `row ${row + 1} column ${column + 1}, value ${written(this.pool.values[cell])}, switch at ${where}, flat index ${this.switches[cell]}, ${this.astray[cell] ? "not where x has it" : "in its place"}`;
  }

  #explained(cell) {
    return `pooled ${this.#cellText(cell)}`;
  }

  #explainedParts(cell) {
    const [flat, width, size] = [this.switches[cell], this.shape[1], this.size];
    const place = placeInBlock(flat, width, size);
    const [row, column] = [Math.floor(flat / width), flat % width];
    const equals = Array.from({ length: size * size }, (_, at) => flatIndex(cell, at, width, size)).filter((at) => this.x[at] === this.pool.values[cell]);
    const tie = equals.length > 1 ? ` Its block holds this maximum ${equals.length} times; pooling takes the first.` : "";
    const verdict = this.astray[cell] ? " Not where x has it." : " Where x has it.";
    return [
      element("code", { text: this.#name(cell) }), element("b", { text: ` ${written(this.pool.values[cell])}` }),
      ` goes to place ${place} of its block (row ${Math.floor(place / size)}, column ${place % size}): row ${row}, column ${column} of the grid, flat index `,
      element("span", { class: "ck-term", style: `--ck-ink:${inkOf(cell)}`, text: `${row}\u00b7${width} + ${column} = ${flat}` }), ".",
      element("span", { class: this.astray[cell] ? "ck-wrong" : "ck-faint", text: verdict }), tie,
    ];
  }

  point(cell, how) {
    if (how === "hover") this.hovered = cell;
    else if (cell !== null || this.asNumbers) {
      this.hovered = null;
      if (cell !== null) this.cell = cell;
    }
    const text = this.#drawTarget();
    if (how === "focus" && cell !== null) {
      this.say(text);
      if (cell >= 0) this.outbox.put({ cell: this.views.pooled.place(cell) }, 200);
    }
  }

  /* ---- surgery */

  #places() {
    return this.switches.map((flat) => placeInBlock(flat, this.shape[1], this.size));
  }

  /** Every way to change the switches ends here. */
  operate(places, said, more = {}) {
    this.switches = places.map((place, cell) => flatIndex(cell, place, this.shape[1], this.size));
    this.swapping = null;
    this.outbox.put({ switches: rowsOf(this.switches, this.pool.shape[1]), ...more });
    this.refresh();
    this.say(`${said} ${this.meters.inPlace.node.textContent.trim()}; ${this.meters.difference.number.textContent} mean difference to x.`);
  }

  moveSwitch(cell, place) {
    const places = this.#places();
    places[cell] = place;
    this.cell = cell;
    this.hovered = null;
    this.operate(places, `switch to row ${Math.floor(place / this.size) + 1} column ${(place % this.size) + 1} of its block.`);
  }

  startSwap() {
    this.swapping = this.swapping === null ? Math.max(0, this.cell ?? 0) : null;
    if (this.swapping !== null) this.views.pooled.focus(this.swapping);
    this.#drawTarget();
    this.say(this.line.textContent);
  }

  swapWith(cell) {
    const places = this.#places();
    [places[this.swapping], places[cell]] = [places[cell], places[this.swapping]];
    const said = cell === this.swapping ? "A cell swapped with itself stays." : `${this.#name(this.swapping)} and ${this.#name(cell)} swapped places.`;
    this.operate(places, said);
  }

  shuffle() {
    const { dealt, shuffles } = shuffledAnew(this.#places(), this.model.get("shuffles"));
    this.operate(dealt, "All switches shuffled.", { shuffles });
  }

  restore() {
    this.operate(this.pool.switches.map((flat) => placeInBlock(flat, this.shape[1], this.size)), "All switches put back.");
  }

  /** Keys that operate, before the grids take the same keys to move from cell to cell. */
  #operated(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = ["pooled", "back"].find((one) => this.views[one].node.contains(event.target));
    const arrow = event.shiftKey && event.key.startsWith("Arrow");
    const next = event.key === "Enter" || event.key === " ";
    if (event.key === "Escape" && this.swapping !== null) this.startSwap();
    else if (name && (arrow || next)) this.#pressedOn(name, event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #pressedOn(name, key) {
    const index = this.views[name].focused;
    const cell = this.#pooledCell(name, index);
    if (cell < 0) return;
    if (this.swapping !== null) this.swapWith(cell);
    else if (name === "back" && !key.startsWith("Arrow")) this.moveSwitch(cell, placeInBlock(index, this.shape[1], this.size));
    else this.moveSwitch(cell, placeAfter(key, placeInBlock(this.switches[cell], this.shape[1], this.size), this.size));
  }

  #clicked(name, event) {
    const view = this.views[name];
    const held = event.target.closest?.("[data-index]");
    if (this.asNumbers && !held) return;
    const index = held ? Number(held.dataset.index) : view.focused;
    const seat = event.target.closest?.("[data-place]");
    const cell = this.#pooledCell(name, index);
    if (seat && this.swapping === null) this.moveSwitch(cell, Number(seat.dataset.place));
    else this.#pressedOn(name, "Enter");
  }

  say(text) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => setText(this.live, text), 80); // one announcement for a run of keys
  }

  /* ---- the model */

  /** Python, or another view of the same model, changed switches or the cell. */
  heard(name) {
    if (this.outbox.outdates(name)) return;
    this.#hearSwitches();
    const [row, column] = this.model.get("cell") ?? [-1, 0];
    if (row >= 0) this.cell = row * this.pool.shape[1] + column;
    cancelAnimationFrame(this.redraw);
    this.redraw = requestAnimationFrame(() => this.refresh());
  }

  destroy() {
    this.outbox.close();
    clearTimeout(this.saying);
    cancelAnimationFrame(this.redraw);
    this.sizing.disconnect();
  }
}

function render({ model, el }) {
  let view = null;
  let unwatch = () => {};
  const start = () => {
    view?.destroy();
    unwatch();
    view = new SurgeryView(model, el);
    unwatch = watchTheme(view.node);
  };
  start();
  const hear = (name) => [`change:${name}`, () => view.heard(name)];
  const heard = [hear("switches"), hear("cell"), ["change:x", start], ["change:size", start]];
  for (const [event, listener] of heard) model.on(event, listener);
  return () => {
    for (const [event, listener] of heard) model.off?.(event, listener);
    unwatch();
    view.destroy();
  };
}

export default { initialize: hearPython, render };
