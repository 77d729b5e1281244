// MaskLab: paint a mask on a picture and watch the scores disagree. Painting and scoring happen here in the
// browser; the model only remembers the painted mask and which tasks were reached.

// Okabe and Ito's colours, those of the course's galleries; class 0 shows the picture itself.
const CLASS_COLOURS = ["#2b2b2b", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"];
const ERROR_KINDS = [
  { kind: MISSED, name: "missed", means: "object, painted as background", colour: "#0072b2", lines: [1] },
  { kind: TOO_MUCH, name: "too much", means: "background, painted as object", colour: "#d55e00", lines: [-1] },
  { kind: OTHER, name: "other class", means: "one object taken for another", colour: "#a83c7e", lines: [1, -1] },
  { kind: UNCOUNTED, name: "ignored", means: "in no count; boundary scores take the nearest class there", colour: "#6b6b6b", lines: [0] },
];
const BRUSHES = [1, 3, 5, 7, 9, 13, 17, 25];
const MOST_STEPS_BACK = 60;
const SHEET_PIXELS = 640;
const SAVE_AFTER = 150; // milliseconds without a further change

const colourOfClass = (name) => CLASS_COLOURS[name % CLASS_COLOURS.length];
const spelled = (count) => count.toLocaleString("en-US");
/** Three places, but what is not perfect never reads as 1. */
const figure = (value) => (value < 1 && value >= 0.9995 ? (Math.floor(value * 1e5) / 1e5).toFixed(5) : value.toFixed(3));
const pixelsWritten = (count) => `${spelled(count)} ${count === 1 ? "pixel" : "pixels"}`;

/* ---------------------------------------------------------------- sheets: canvases with one face */

const blankCanvas = (width, height) => element("canvas", { width: String(width), height: String(height) });

/** A small tile of hatching over a tint; 1 falls, -1 rises, 0 runs level. */
function hatchTile(colour, lines, side = 12) {
  const tile = blankCanvas(side, side);
  const pen = tile.getContext("2d");
  pen.globalAlpha = 0.6;
  pen.fillStyle = colour;
  pen.fillRect(0, 0, side, side);
  pen.globalAlpha = 1;
  for (const [stroke, width] of [["#fff", 3.4], [colour, 1.6]]) {
    pen.strokeStyle = stroke;
    pen.lineWidth = width;
    pen.beginPath();
    for (const way of lines)
      for (const shift of [-side, 0, side]) {
        if (way) {
          pen.moveTo(way > 0 ? shift : shift + side, 0);
          pen.lineTo(way > 0 ? shift + side : shift, side);
        } else {
          pen.moveTo(0, side / 2);
          pen.lineTo(side, side / 2);
        }
      }
    pen.stroke();
  }
  return tile;
}

/** A canvas `scale` times as large as the mask, with what both sheets draw. */
class Sheet {
  constructor(shape) {
    this.shape = shape;
    this.scale = Math.max(2, Math.floor(SHEET_PIXELS / Math.max(...shape)));
    this.canvas = blankCanvas(shape[1] * this.scale, shape[0] * this.scale);
    this.pen = this.canvas.getContext("2d");
    this.small = blankCanvas(shape[1], shape[0]);
    this.layer = this.small.getContext("2d").createImageData(shape[1], shape[0]);
  }

  /** Lay a small picture over everything, each of its pixels a square. */
  lay(small) {
    this.pen.imageSmoothingEnabled = false;
    this.pen.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
  }

  /** Lay `rgba(pixel)` over everything. */
  tint(rgba) {
    const data = new Uint32Array(this.layer.data.buffer);
    for (let at = 0; at < data.length; at += 1) data[at] = rgba(at);
    this.small.getContext("2d").putImageData(this.layer, 0, 0);
    this.lay(this.small);
  }

  fill(pixels, style) {
    const [pen, side] = [this.pen, this.scale];
    pen.fillStyle = style;
    pen.beginPath();
    for (const at of pixels) pen.rect((at % this.shape[1]) * side, Math.floor(at / this.shape[1]) * side, side, side);
    pen.fill();
  }

  /** The lines between neighbours that differ, and with `framed` those along the frame; runs in one stroke. */
  edges(values, framed = false) {
    const [[rows, columns], side, path] = [this.shape, this.scale, new Path2D()];
    const value = (row, column) => (row < 0 || column < 0 || row >= rows || column >= columns ? 0 : values[row * columns + column]);
    const first = framed ? 0 : 1;
    const walk = (lines, length, differs, draw) => {
      for (let at = first; at <= lines - first; at += 1) {
        let from = -1;
        for (let along = 0; along <= length; along += 1) {
          const here = along < length && differs(at, along);
          if (here && from < 0) from = along;
          if (!here && from >= 0) {
            draw(at * side, from * side, along * side);
            from = -1;
          }
        }
      }
    };
    walk(rows, columns, (row, column) => value(row - 1, column) !== value(row, column), (y, from, to) => { path.moveTo(from, y); path.lineTo(to, y); });
    walk(columns, rows, (column, row) => value(row, column - 1) !== value(row, column), (x, from, to) => { path.moveTo(x, from); path.lineTo(x, to); });
    return path;
  }

  /** Dark below light, so that it is seen on any picture. */
  stroke(path, { dash = [], width = 1.6, light = "#fff" } = {}) {
    this.pen.lineCap = "square";
    for (const [style, wide, dashes] of [["#000", width + 2.2, []], [light, width, dash]]) {
      this.pen.setLineDash(dashes);
      this.pen.strokeStyle = style;
      this.pen.lineWidth = wide;
      this.pen.stroke(path);
    }
    this.pen.setLineDash([]);
  }

  /** A class's name on one of its own pixels near its middle. */
  write(text, at) {
    const size = this.canvas.width / 17;
    this.pen.font = `600 ${size}px system-ui, sans-serif`;
    this.pen.textAlign = "center";
    this.pen.textBaseline = "middle";
    this.pen.lineJoin = "round";
    const half = this.pen.measureText(text).width / 2;
    const across = (at % this.shape[1] + 0.5) * this.scale;
    const x = Math.max(half + 4, Math.min(this.canvas.width - half - 4, across));
    const y = Math.max(size, Math.min(this.canvas.height - size, (Math.floor(at / this.shape[1]) + 0.5) * this.scale));
    this.pen.strokeStyle = "#000";
    this.pen.lineWidth = size / 4;
    this.pen.strokeText(text, x, y);
    this.pen.fillStyle = "#fff";
    this.pen.fillText(text, x, y);
  }

  /** The pixel under a pointer, held in the picture. */
  placeAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    return [within((event.clientY - box.top) / box.height, this.shape[0]), within((event.clientX - box.left) / box.width, this.shape[1])];
  }
}

/** The pixel of each class nearest to the middle of that class; none for background and specks. */
function middles(mask, [, columns], classes) {
  const sums = Array.from({ length: classes }, () => [0, 0, 0]);
  for (let at = 0; at < mask.length; at += 1) {
    if (!mask[at]) continue;
    const sum = sums[mask[at]];
    sum[0] += 1;
    sum[1] += Math.floor(at / columns);
    sum[2] += at % columns;
  }
  const best = sums.map(() => [Infinity, -1]);
  for (let at = 0; at < mask.length; at += 1) {
    if (!mask[at]) continue;
    const sum = sums[mask[at]];
    const far = (Math.floor(at / columns) - sum[1] / sum[0]) ** 2 + ((at % columns) - sum[2] / sum[0]) ** 2;
    if (far < best[mask[at]][0]) best[mask[at]] = [far, at];
  }
  return best.map(([, at], name) => ({ name, at })).filter(({ name }) => name > 0 && sums[name][0] > 0.01 * mask.length);
}

function pictureCanvas(bytes, [rows, columns], grey) {
  const canvas = blankCanvas(columns, rows);
  const pen = canvas.getContext("2d");
  const pixels = pen.createImageData(columns, rows);
  for (let at = 0; at < rows * columns; at += 1) {
    const colour = bytes.subarray(3 * at, 3 * at + 3);
    const level = 0.6 * (0.3 * colour[0] + 0.59 * colour[1] + 0.11 * colour[2]) + 90;
    pixels.data.set(grey ? [level, level, level, 255] : [...colour, 255], 4 * at);
  }
  pen.putImageData(pixels, 0, 0);
  return canvas;
}

/* ---------------------------------------------------------------- the view */

class MaskLabView {
  constructor(model, el) {
    this.model = model;
    this.outbox = new Outbox(model);
    this.shape = model.get("shape");
    this.classes = model.get("classes");
    this.truth = bytesOf(model.get("answer"));
    this.facts = truthFacts(this.truth, this.shape, this.classes.length, model.get("rules"));
    this.starts = model.get("starts").map((start) => ({ ...start, mask: bytesOf(start.mask) }));
    this.tasks = model.get("tasks");
    this.reached = new Set(model.get("reached"));
    this.sent = model.get("painted");
    this.mask = bytesOf(this.sent);
    // a task by hand has to begin with nothing painted
    this.byHand = this.mask.every((name) => name === 0);
    [this.past, this.future] = [[], []];
    this.at = this.shape.map((side) => Math.floor(side / 2));
    [this.name, this.nameBefore, this.brush, this.opacity] = [1, 1, 5, 0.55];
    [this.penDown, this.filling, this.outline, this.stroke, this.acted] = [false, false, false, null, false];
    this.#build(el);
    this.refresh();
  }

  /* ---- building */

  #build(el) {
    const title = this.model.get("title");
    const [paint, errors] = [new Sheet(this.shape), new Sheet(this.shape)];
    this.sheets = { paint, errors };
    const bytes = bytesOf(this.model.get("picture"));
    this.pictures = { paint: pictureCanvas(bytes, this.shape, false), errors: pictureCanvas(bytes, this.shape, true) };
    this.patterns = new Map(ERROR_KINDS.map(({ kind, colour, lines }) => [kind, errors.pen.createPattern(hatchTile(colour, lines), "repeat")]));
    this.ignored = [...this.truth.keys()].filter((at) => this.truth[at] === IGNORED);
    this.live = element("div", { class: "ck-live", "aria-live": "polite", role: "status" });
    this.node = element("div", { class: "ck-explorer ck-mask-lab", role: "group", "aria-label": title || "mask lab" },
      title ? element("div", { class: "ck-title", text: title }) : null, this.#tools(),
      element("div", { class: "ck-stage" }, this.#paintRegion(), this.#errorRegion(), this.#scoreRegion()),
      this.#startChips(), this.#moveChips(), this.#taskList(), this.#hint(), this.live);
    this.node.addEventListener("keydown", (event) => this.#pressed(event));
    el.replaceChildren(this.node);
    this.sizing = new ResizeObserver(([{ contentRect }]) => this.#fitRoom(contentRect.width));
    this.sizing.observe(this.node);
  }

  #fitRoom(width) {
    this.node.style.setProperty("--ck-room", `${Math.floor(width)}px`);
    setAttribute(this.node, "data-room", width < 560 ? "narrow" : width < 920 ? "medium" : "wide");
  }

  #chip(name, text, action, more = {}) {
    return element("button", { type: "button", class: "ck-chip", "data-action": name, onclick: action, ...more }, element("span", { text }));
  }

  #tools() {
    const group = `class-${Math.random().toString(36).slice(2)}`;
    this.radios = this.classes.map((name, index) => element("input", { type: "radio", name: group, value: String(index), onchange: () => this.choose(index) }));
    const labels = this.radios.map((radio, index) => element("label", {}, radio,
      element("i", { style: `--ck-class:${colourOfClass(index)}`, "data-class": String(index), "aria-hidden": "true" }),
      element("span", { text: `${index} ${this.classes[index]}` })));
    const field = element("fieldset", { class: "ck-field" }, element("legend", { text: "paint with class (0 erases)" }), element("div", { class: "ck-classes" }, ...labels));
    this.brushText = element("output", { class: "ck-brush" });
    const step = (by, mark, says) => element("button", { type: "button", class: "ck-chip", "data-action": by < 0 ? "thinner" : "thicker", "aria-label": says, onclick: () => this.resize(by) }, mark);
    const brush = element("div", { class: "ck-field", role: "group", "aria-label": "brush" }, element("span", { text: "brush" }),
      element("div", { class: "ck-chips" }, step(-1, "\u2212", "thinner brush"), this.brushText, step(1, "+", "thicker brush")));
    this.actions = {
      fill: this.#chip("fill", "fill", () => this.toggleFill(), { "aria-pressed": "false" }),
      undo: this.#chip("undo", "undo", () => this.undo()),
      redo: this.#chip("redo", "redo", () => this.redo()),
    };
    const doing = element("div", { class: "ck-chips ck-doing", role: "group", "aria-label": "do" }, ...Object.values(this.actions));
    return element("div", { class: "ck-controls" }, field, brush, doing);
  }

  #region(name, heading, more, ...children) {
    return element("section", { class: "ck-region", "data-region": name },
      element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: heading }), element("span", { class: "ck-size", text: more })), ...children);
  }

  #paintRegion() {
    const [rows, columns] = this.shape;
    const sheet = this.sheets.paint;
    this.easel = element("div", { class: "ck-easel", role: "application", "aria-roledescription": "picture to paint on", tabindex: "0", "data-sheet": "paint" }, sheet.canvas);
    sheet.canvas.setAttribute("aria-hidden", "true");
    this.#listen(this.easel, sheet, true);
    this.easel.addEventListener("focus", () => this.#drawPaint());
    this.easel.addEventListener("blur", () => { this.liftPen(); this.#drawPaint(); });
    const slider = element("input", { type: "range", min: "0", max: "100", step: "5", value: String(100 * this.opacity), "aria-label": "how opaque the painted mask is, in percent", oninput: () => { this.opacity = Number(slider.value) / 100; this.#drawPaint(); } });
    const box = element("input", { type: "checkbox", "data-action": "outline", onchange: () => { this.outline = box.checked; this.#drawPaint(); } });
    const looks = element("div", { class: "ck-looks" }, element("label", {}, "mask ", slider), element("label", {}, box, " true outline"));
    return this.#region("paint", "your mask", `${rows} \u00d7 ${columns}`, this.easel, looks, this.#shrunkNote());
  }

  #shrunkNote() {
    const [height, width] = this.model.get("original");
    if (height === this.shape[0] && width === this.shape[1]) return null;
    return element("p", { class: "ck-hint", text: `Made smaller from ${height} \u00d7 ${width}; the true mask by its nearest pixels.` });
  }

  #errorRegion() {
    const sheet = this.sheets.errors;
    this.errorFace = element("div", { class: "ck-easel", role: "img", "data-sheet": "errors" }, sheet.canvas);
    this.#listen(this.errorFace, sheet, false);
    this.errorCounts = new Map();
    const shown = ERROR_KINDS.filter(({ kind }) => (kind === OTHER ? this.classes.length > 2 : kind === UNCOUNTED ? this.ignored.length : true));
    const rows = shown.map(({ kind, name, means, colour, lines }) => {
      const count = element("b");
      this.errorCounts.set(kind, count);
      const swatch = hatchTile(colour, lines, 18);
      swatch.setAttribute("aria-hidden", "true");
      return element("li", { "data-kind": name }, swatch, count, element("span", { text: ` ${name}` }), element("span", { class: "ck-faint", text: ` ${means}` }));
    });
    return this.#region("errors", "where it is wrong", "", this.errorFace, element("ul", { class: "ck-key" }, ...rows));
  }

  #scoreRegion() {
    const { tolerance, band } = this.model.get("rules");
    const meter = (name, label) => {
      const parts = { number: element("b"), bar: element("i"), sum: element("div", { class: "ck-sum", "data-label": label }) };
      const dial = element("div", { class: "ck-dial" }, element("p", {}, parts.number, ` ${label}`), element("div", { class: "ck-bar", "aria-hidden": "true" }, parts.bar));
      const node = element("div", { class: "ck-meter", "data-meter": name }, dial, parts.sum);
      return { node, ...parts };
    };
    this.rules = { tolerance, band };
    this.meters = {
      pixel_accuracy: meter("pixel_accuracy", "pixel accuracy"),
      miou: meter("miou", "mean IoU"),
      boundary_f1: meter("boundary_f1", "boundary F1"),
      boundary_iou: meter("boundary_iou", "boundary IoU"),
    };
    return this.#region("scores", "scores", "1 is perfect", element("div", { class: "ck-meters" }, ...Object.values(this.meters).map(({ node }) => node)));
  }

  #row(name, ...chips) {
    return element("div", { class: "ck-row", role: "group", "aria-label": name }, element("span", { class: "ck-lead", text: name, "aria-hidden": "true" }), ...chips);
  }

  #startChips() {
    const chips = this.starts.map((start) => this.#chip("start", start.label, () => this.startFrom(start), { "data-start": start.name }));
    return this.#row("start from", ...chips);
  }

  #moveChips() {
    const move = (name, text, says, act, said) => this.#chip(name, text, () => this.transform(act, said), { "aria-label": says });
    const step = (name, text, way) => move(name, text, `move the whole mask 1 pixel ${name}`, (mask) => movedMask(mask, this.shape, way), `Mask moved 1 pixel ${name}.`);
    return this.#row("whole mask",
      move("grow", "grow 1 px", "grow all objects by 1 pixel", (mask) => grownMask(mask, this.shape), "Objects grown by 1 pixel."),
      move("shrink", "shrink 1 px", "shrink all objects by 1 pixel", (mask) => shrunkMask(mask, this.shape), "Objects shrunk by 1 pixel."),
      step("left", "\u2190", [0, -1]), step("up", "\u2191", [-1, 0]), step("down", "\u2193", [1, 0]), step("right", "\u2192", [0, 1]));
  }

  #taskList() {
    if (!this.tasks.length) return null;
    this.taskRows = this.tasks.map((task) => {
      const parts = { box: element("span", { class: "ck-tick", "aria-hidden": "true" }), state: element("span", { class: "ck-live" }), why: element("span", { class: "ck-why" }) };
      const node = element("li", { "data-task": task.name }, parts.box, element("span", {}, element("span", { text: task.text }), parts.state, parts.why));
      return { task, node, ...parts };
    });
    return element("div", { class: "ck-tasks" }, element("p", { class: "ck-name", text: "Can you?" }), element("ul", {}, ...this.taskRows.map(({ node }) => node)));
  }

  #hint() {
    const keys = [["arrows", "move"], ["Space", "paints"], ["Enter", "holds the pen down"], ["Shift + arrow", "moves the whole mask"], ["0\u20139", "class"], ["[ ]", "brush"], ["E", "eraser"], ["F", "fills"], ["U", "undo"], ["R", "redo"]];
    const parts = keys.flatMap(([key, does], at) => [at ? " \u00b7 " : "On the picture: ", element("kbd", { text: key }), ` ${does}`]);
    return element("p", { class: "ck-hint" }, ...parts);
  }

  /* ---- the pointer */

  /** A finger paints on the picture only, so that a page on a phone can still be scrolled beside it. */
  #listen(face, sheet, fingers) {
    face.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || (event.pointerType === "touch" && !fingers) || this.stroke) return;
      event.preventDefault();
      this.easel.focus({ preventScroll: true });
      this.at = sheet.placeAt(event);
      if (this.filling) return void this.fill();
      face.setPointerCapture(event.pointerId);
      this.liftPen();
      this.stroke = { pointer: event.pointerId, before: this.#snapshot() };
      this.#paintTo(this.at);
    });
    face.addEventListener("pointermove", (event) => {
      if (this.stroke?.pointer !== event.pointerId) {
        if (event.pointerType !== "touch" && !this.penDown && !this.stroke) this.hovering = sheet.placeAt(event);
        return void this.#soonPaint();
      }
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length ? moves : [event]) this.#paintTo(sheet.placeAt(move));
    });
    const end = (event) => {
      if (this.stroke?.pointer !== event.pointerId) return;
      const { before } = this.stroke;
      this.stroke = null;
      this.#commit(before, "Painted.");
    };
    face.addEventListener("pointerup", end);
    face.addEventListener("pointercancel", end);
    face.addEventListener("pointerleave", () => { this.hovering = null; this.#soonPaint(); });
  }

  #paintTo(place) {
    line(this.mask, this.shape, this.at, place, this.brush, this.name);
    this.at = place;
    this.hovering = null;
    this.#soon();
  }

  /* ---- the keys */

  #pressed(event) {
    const onEasel = event.target === this.easel;
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const runsCell = event.key === "Enter" && (modified || event.shiftKey);
    if (!runsCell) event.stopPropagation(); // or Jupyter takes the key as a command
    const done = modified ? this.#modified(event) : (onEasel && this.#onEasel(event)) || this.#anywhere(event);
    if (done) event.preventDefault();
  }

  #modified(event) {
    if (event.altKey || !/^[zy]$/i.test(event.key)) return false;
    if (event.key.toLowerCase() === "y" || event.shiftKey) this.redo();
    else this.undo();
    return true;
  }

  #onEasel(event) {
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      this.node.querySelector(`[data-action="${event.key.slice(5).toLowerCase()}"]`).click();
      return true;
    }
    const leaps = { PageUp: [-8, 0], PageDown: [8, 0] };
    const leap = leaps[event.key];
    const to = leap ? [Math.max(0, Math.min(this.shape[0] - 1, this.at[0] + leap[0])), this.at[1]] : cellAfter(event.key, this.at, this.shape);
    if (to) this.moveTo(to);
    else if (event.key === " ") this.touch();
    else if (event.key === "Enter" && !event.shiftKey) this.togglePen();
    else if (event.key === "Escape" && (this.penDown || this.filling)) this.stop();
    else return false;
    return true;
  }

  #anywhere(event) {
    if (event.shiftKey && event.key.length > 1) return false;
    const keys = { "[": () => this.resize(-1), "]": () => this.resize(1), e: () => this.erase(), f: () => this.fill(), u: () => this.undo(), r: () => this.redo() };
    const act = keys[event.key.toLowerCase()];
    if (act) act();
    else if (/^\d$/.test(event.key) && Number(event.key) < this.classes.length) this.choose(Number(event.key));
    else return false;
    return true;
  }

  /* ---- painting */

  moveTo(place) {
    if (this.penDown) line(this.mask, this.shape, this.at, place, this.brush, this.name);
    this.at = place;
    this.hovering = null;
    if (this.penDown) this.#soon();
    else this.#soonPaint();
    setAttribute(this.easel, "aria-label", this.#easelText());
    this.say(this.#placeText(), 120);
  }

  /** Space: one touch of the brush; where it would change nothing it erases. */
  touch() {
    this.liftPen();
    const before = this.#snapshot();
    const pixels = brushPixels(this.at, this.brush, this.shape);
    const name = pixels.every((at) => this.mask[at] === this.name) ? 0 : this.name;
    for (const at of pixels) this.mask[at] = name;
    this.#commit(before, name === 0 ? "Erased." : `Painted ${this.classes[name]}.`);
  }

  togglePen() {
    if (this.penDown) return this.liftPen();
    this.penDown = true;
    this.strokeBefore = this.#snapshot();
    dab(this.mask, this.shape, this.at, this.brush, this.name);
    this.#soon();
    this.say("Pen down: the arrows paint. Enter lifts it.");
  }

  liftPen() {
    if (!this.penDown) return;
    this.penDown = false;
    this.#commit(this.strokeBefore, "Pen lifted.");
  }

  toggleFill() {
    this.filling = !this.filling;
    setAttribute(this.actions.fill, "aria-pressed", String(this.filling));
    this.say(this.filling ? "Fill: a click on the picture fills the patch under it." : "Brush.");
  }

  stop() {
    if (this.filling) this.toggleFill();
    this.liftPen();
  }

  fill() {
    this.liftPen();
    const before = this.#snapshot();
    const [row, column] = this.at;
    const old = this.mask[row * this.shape[1] + column];
    const count = flood(this.mask, this.shape, this.at, this.name);
    const said = count ? `${pixelsWritten(count)} of ${this.classes[old]} filled with ${this.classes[this.name]}.` : `This patch is ${this.classes[old]} already.`;
    this.#commit(before, said);
  }

  choose(index) {
    if (index !== this.name) [this.nameBefore, this.name] = [this.name, index];
    this.#drawTools();
    this.say(index === 0 ? "Eraser: paints background." : `Class ${index}, ${this.classes[index]}.`);
  }

  erase() {
    this.choose(this.name === 0 ? this.nameBefore : 0);
  }

  resize(by) {
    const at = Math.max(0, Math.min(BRUSHES.length - 1, BRUSHES.indexOf(this.brush) + by));
    this.brush = BRUSHES[at];
    this.#drawTools();
    this.#soonPaint();
    this.say(`Brush ${this.brush} pixels wide.`);
  }

  startFrom(start) {
    this.liftPen();
    const before = this.#snapshot();
    this.mask = start.mask.slice();
    this.byHand = start.name === "empty";
    this.#commit(before, `Starting from: ${start.label}.`);
  }

  transform(act, said) {
    this.liftPen();
    const before = this.#snapshot();
    this.mask = act(this.mask);
    this.#commit(before, said);
  }

  /* ---- steps back and forth */

  #snapshot() {
    return { mask: this.mask.slice(), byHand: this.byHand };
  }

  #commit(before, said) {
    this.acted = true;
    if (before.mask.some((name, at) => name !== this.mask[at]) || before.byHand !== this.byHand) {
      this.past = [...this.past.slice(1 - MOST_STEPS_BACK), before];
      this.future = [];
      this.#remember();
    }
    this.refresh();
    this.say(`${said} ${this.#scoreText()}`, 250);
  }

  undo() {
    this.liftPen();
    this.#step(this.past, this.future, "Undone.", "Nothing to undo.");
  }

  redo() {
    this.liftPen();
    this.#step(this.future, this.past, "Redone.", "Nothing to redo.");
  }

  #step(from, onto, said, none) {
    if (this.stroke) return;
    const found = from.pop();
    if (!found) return this.say(none);
    onto.push(this.#snapshot());
    [this.mask, this.byHand] = [found.mask, found.byHand];
    this.#remember();
    this.refresh();
    this.say(`${said} ${this.#scoreText()}`, 250);
  }

  /* ---- drawing */

  #soon() {
    this.frame ??= requestAnimationFrame(() => this.refresh());
  }

  /** Only the brush moved. */
  #soonPaint() {
    this.paintFrame ??= requestAnimationFrame(() => { this.paintFrame = null; this.#drawPaint(); });
  }

  refresh() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.scores = scoresOf(this.mask, this.facts);
    this.errors = errorsOf(this.mask, this.truth);
    this.#drawPaint();
    this.#drawErrors();
    this.#drawScores();
    this.#drawTools();
    if (!this.stroke) this.#checkTasks();
  }

  #drawTools() {
    this.radios.forEach((radio, index) => (radio.checked = index === this.name));
    setText(this.brushText, `${this.brush} px`);
    setAttribute(this.actions.undo, "aria-disabled", String(!this.past.length));
    setAttribute(this.actions.redo, "aria-disabled", String(!this.future.length));
    setAttribute(this.easel, "aria-label", this.#easelText());
    setAttribute(this.node, "data-pen", this.penDown ? "down" : "up");
  }

  #drawPaint() {
    const sheet = this.sheets.paint;
    const alpha = Math.round(255 * this.opacity);
    const rgba = this.classes.map((_, name) => {
      const [red, green, blue] = [1, 3, 5].map((from) => parseInt(colourOfClass(name).slice(from, from + 2), 16));
      return name === 0 ? 0 : ((alpha << 24) | (blue << 16) | (green << 8) | red) >>> 0; // little-endian bytes
    });
    sheet.lay(this.pictures.paint);
    sheet.tint((at) => rgba[this.mask[at]]);
    if (this.ignored.length) sheet.fill(this.ignored, this.patterns.get(UNCOUNTED));
    if (this.opacity > 0) sheet.stroke(sheet.edges(this.mask));
    if (this.outline) sheet.stroke(this.#truthPath(), { dash: [9, 8], light: "#ffe94d", width: 2.2 });
    if (this.opacity > 0) for (const { name, at } of middles(this.mask, this.shape, this.classes.length)) sheet.write(this.classes[name], at);
    this.#drawBrush(sheet);
  }

  #truthPath() {
    this.truthEdges ??= this.sheets.paint.edges(this.facts.filled);
    return this.truthEdges;
  }

  /** The outline of what the brush would paint, where the pointer or the keys stand. */
  #drawBrush(sheet) {
    const focused = document.activeElement === this.easel || this.easel.getRootNode().activeElement === this.easel;
    const place = this.hovering ?? (focused || this.stroke ? this.at : null);
    if (!place) return;
    const touched = new Uint8Array(this.mask.length);
    for (const at of brushPixels(place, this.brush, this.shape)) touched[at] = 1;
    sheet.stroke(sheet.edges(touched, true), { width: 2.4, dash: this.penDown || this.stroke ? [] : [5, 6] });
  }

  #drawErrors() {
    const sheet = this.sheets.errors;
    const { kinds, counts } = this.errors;
    sheet.lay(this.pictures.errors);
    const pixels = counts.map(() => []);
    kinds.forEach((kind, at) => kind && pixels[kind].push(at));
    pixels.forEach((found, kind) => found.length && sheet.fill(found, this.patterns.get(kind)));
    sheet.stroke(sheet.edges(kinds), { width: 1.2 });
    for (const [kind, node] of this.errorCounts) setText(node, spelled(counts[kind]));
    const told = ERROR_KINDS.filter(({ kind }) => this.errorCounts.has(kind)).map(({ kind, name }) => `${spelled(counts[kind])} ${name}`);
    setAttribute(this.errorFace, "aria-label", `errors in pixels: ${spelled(counts[0])} right, ${told.join(", ")}`);
  }

  #drawScores() {
    const { area, edge } = this.scores;
    const present = area.present;
    const mean = present.map((name) => figure(area.ious[name])).join(" + ");
    this.#drawMeter("pixel_accuracy", [`${spelled(area.right)} right / ${spelled(area.counted)} that count = ${figure(this.scores.pixel_accuracy)}`]);
    this.#drawMeter("miou", [
      ...present.map((name) => this.#ratioText(name, area.shared[name], area.either[name])),
      present.length ? `mean of the ${present.length} that occur: (${mean}) / ${present.length} = ${figure(this.scores.miou)}` : "no pixel counts",
    ]);
    const { matched, drawn, precision, recall } = edge;
    const near = `within ${this.rules.tolerance} px of`;
    this.#drawMeter("boundary_f1", drawn[0] + drawn[1] ? [
      `${spelled(matched[0])} of ${spelled(drawn[0])} painted edge pixels lie ${near} a true one: ${figure(precision)}`,
      `${spelled(matched[1])} of ${spelled(drawn[1])} true ones lie ${near} a painted one: ${figure(recall)}`,
      precision + recall ? `2 \u00b7 ${figure(precision)} \u00b7 ${figure(recall)} / (${figure(precision)} + ${figure(recall)}) = ${figure(this.scores.boundary_f1)}` : "no edge is near another: 0",
    ] : ["neither side has an edge"]);
    const edged = [...edge.either.keys()].filter((name) => edge.either[name]);
    this.#drawMeter("boundary_iou", [
      ...edged.map((name) => this.#ratioText(name, edge.both[name], edge.either[name])),
      edged.length ? `the same as mean IoU, of the pixels within ${this.rules.band} px of an edge` : "no pixel lies near an edge",
    ]);
  }

  #ratioText(name, shared, either) {
    return `${this.classes[name]}: ${spelled(shared)} shared / ${spelled(either)} in either = ${figure(ratio(shared, either))}`;
  }

  #drawMeter(name, lines) {
    const { number, bar, sum } = this.meters[name];
    setText(number, figure(this.scores[name]));
    bar.style.setProperty("--ck-share", `${100 * this.scores[name]}%`);
    while (sum.children.length > lines.length) sum.lastChild.remove();
    while (sum.children.length < lines.length) sum.append(element("div"));
    lines.forEach((text, at) => setText(sum.children[at], text));
  }

  /* ---- tasks */

  #checkTasks() {
    // what somebody else painted to start with is nobody's find
    const fresh = this.tasks.filter((task) => this.acted && !this.reached.has(task.name) && (this.byHand || !task.byHand) && isReached(task, this.scores));
    for (const task of fresh) this.reached.add(task.name);
    if (fresh.length) {
      this.outbox.put({ reached: this.tasks.filter(({ name }) => this.reached.has(name)).map(({ name }) => name) }, SAVE_AFTER);
      this.news = fresh.map((task) => `Task done: ${task.text} ${task.why}`).join(" ");
      this.say("", 250);
    }
    for (const { task, node, box, state, why } of this.taskRows ?? []) {
      const done = this.reached.has(task.name);
      setAttribute(node, "data-done", String(done));
      setText(box, done ? "\u2713" : "");
      setText(state, done ? " Done." : " Not done yet.");
      setText(why, done ? ` ${task.why}` : "");
    }
  }

  /* ---- for the ear */

  #easelText() {
    return `your mask, ${this.shape.join(" by ")} pixels; ${this.#placeText()}`;
  }

  /** Rows and columns counted from 1. */
  #placeText() {
    const [row, column] = this.at;
    const at = row * this.shape[1] + column;
    const truth = this.truth[at] === IGNORED ? "ignored" : this.classes[this.truth[at]];
    return `row ${row + 1} column ${column + 1}, painted ${this.classes[this.mask[at]]}, truth ${truth}`;
  }

  #scoreText() {
    const named = [["pixel_accuracy", "Pixel accuracy"], ["miou", "mean IoU"], ["boundary_f1", "boundary F1"], ["boundary_iou", "boundary IoU"]];
    return `${named.map(([name, label]) => `${label} ${figure(this.scores[name])}`).join(", ")}.`;
  }

  /** One announcement for a run of keys; what a task said is not lost under it. */
  say(text, wait = 80) {
    this.words = text || this.words || "";
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      setText(this.live, [this.words, this.news].filter(Boolean).join(" "));
      [this.words, this.news] = ["", ""];
    }, wait);
  }

  /* ---- the model */

  #remember() {
    this.sent = textOf(this.mask);
    this.outbox.put({ painted: this.sent }, SAVE_AFTER);
  }

  /** Python, or another view of the same model, painted. */
  heard() {
    if (this.outbox.outdates("painted")) return;
    const text = this.model.get("painted");
    if (text === this.sent || this.stroke) return;
    const before = this.#snapshot();
    this.past = [...this.past.slice(1 - MOST_STEPS_BACK), before];
    this.future = [];
    this.sent = text;
    this.mask = bytesOf(text);
    this.byHand = this.mask.every((name) => name === 0);
    this.refresh();
  }

  heardReached() {
    if (this.outbox.outdates("reached")) return;
    this.reached = new Set(this.model.get("reached"));
    this.#soon();
  }

  destroy() {
    this.outbox.close();
    clearTimeout(this.saying);
    cancelAnimationFrame(this.frame);
    cancelAnimationFrame(this.paintFrame);
    this.sizing.disconnect();
  }
}

function render({ model, el }) {
  const view = new MaskLabView(model, el);
  const unwatch = watchTheme(view.node);
  const heard = [["change:painted", () => view.heard()], ["change:reached", () => view.heardReached()]];
  for (const [event, listener] of heard) model.on(event, listener);
  return () => {
    for (const [event, listener] of heard) model.off?.(event, listener);
    unwatch();
    view.destroy();
  };
}

export default { initialize: hearPython, render };
