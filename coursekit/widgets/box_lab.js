// BoxLab: drag a box over a picture and watch four judges of it push. All of it happens here in the browser; the
// model only remembers the boxes, whose arrows are drawn, and which tasks were reached.

const JUDGES = {
  l2: { name: "L2", perfect: 0 },
  smooth_l1: { name: "smooth L1", perfect: 0 },
  iou: { name: "IoU", perfect: 1 },
  giou: { name: "GIoU", perfect: 1 },
};
const NUMBERS = ["x", "y", "w", "h"];
const STEPS = [0.25, 1, 4, 16];
const SAVE_AFTER = 150; // milliseconds without a further change
const HIT = { mouse: 13, pen: 16, touch: 24 }; // screen pixels around a corner

const asPixels = (value) => String(Math.round(100 * value) / 100);
const areaWritten = (value) => Math.round(value).toLocaleString("en-US");
/** Small losses keep three digits; a share that is not perfect never reads as 1. */
function scoreWritten(name, value) {
  if (JUDGES[name].perfect === 1) return (value < 1 && value >= 0.9995 ? Math.floor(value * 1e5) / 1e5 : Number(value.toFixed(3))).toFixed(value < 1 && value >= 0.9995 ? 5 : 3).replace("-", "\u2212");
  if (value === 0) return "0";
  return value >= 0.001 ? value.toFixed(4) : value.toExponential(1).replace("-", "\u2212");
}

class BoxLabView {
  constructor(model, el) {
    this.model = model;
    this.outbox = new Outbox(model);
    this.size = model.get("size");
    this.truth = model.get("answer");
    this.rules = model.get("rules");
    this.tasks = model.get("tasks");
    this.rates = ratesFor(this.truth, this.size);
    this.box = [...model.get("now")];
    this.kept = model.get("held");
    this.arrows = model.get("arrows");
    this.reached = new Set(model.get("reached"));
    [this.step, this.drag, this.acted, this.zoom] = [1, null, false, 1];
    this.#build(el);
    this.refresh();
  }

  /* ---- building */

  #build(el) {
    const title = this.model.get("title");
    this.live = element("div", { class: "ck-live", "aria-live": "polite", role: "status" });
    this.node = element("div", { class: "ck-explorer ck-box-lab", role: "group", "aria-label": title || "box lab" },
      title ? element("div", { class: "ck-title", text: title }) : null,
      element("div", { class: "ck-stage" }, this.#pictureRegion(), this.#judgeRegion()),
      this.#taskList(), this.#hint(), this.live);
    this.node.addEventListener("keydown", (event) => this.#pressed(event));
    el.replaceChildren(this.node);
    this.sizing = new ResizeObserver(() => this.#fitRoom());
    this.sizing.observe(this.node);
  }

  #fitRoom() {
    const style = getComputedStyle(this.node);
    const inset = (side) => parseFloat(style[`padding${side}`]) || 0; // no number while it is not in the page
    const width = Math.max(0, this.node.clientWidth - inset("Left") - inset("Right"));
    const room = width < 560 ? "narrow" : width < 860 ? "medium" : "wide";
    const most = { narrow: width, medium: Math.min(width, 520), wide: Math.min(470, 0.46 * width) }[room];
    const [height, across] = this.size;
    const side = Math.floor(Math.max(80, Math.min(most, (520 * across) / height)));
    this.node.style.setProperty("--ck-room", `${Math.floor(width)}px`);
    this.tight = width < 270; // a notebook's cell on a phone
    setAttribute(this.node, "data-tight", String(this.tight));
    setAttribute(this.node, "data-room", room);
    this.zoom = side / across;
    setAll(this.sheet, { width: side, height: toTenth(height * this.zoom), viewBox: `0 0 ${side} ${toTenth(height * this.zoom)}` });
    setAll(this.photo, { width: side, height: toTenth(height * this.zoom) });
    this.#drawPicture();
    this.#drawNumbers();
  }

  #chip(name, text, action, more = {}) {
    return element("button", { type: "button", class: "ck-chip", "data-action": name, onclick: action, ...more }, element("span", { text }));
  }

  #pictureRegion() {
    const [height, width] = this.size;
    const cased = (kind) => svg("g", { class: `ck-frame ck-${kind}` }, svg("rect", { class: "ck-casing" }), svg("rect", { class: "ck-line2" }));
    this.photo = svg("image", { href: this.model.get("picture"), preserveAspectRatio: "none" });
    this.photo.style.imageRendering = Math.max(...this.size) <= 200 ? "pixelated" : "auto";
    this.pattern = `hatch-${Math.random().toString(36).slice(2)}`;
    const hatch = svg("pattern", { id: this.pattern, width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      svg("rect", { width: 7, height: 7, fill: "#fff", opacity: 0.12 }), svg("rect", { width: 1.4, height: 7, fill: "#000", opacity: 0.55 }), svg("rect", { x: 1.4, width: 1.4, height: 7, fill: "#fff", opacity: 0.8 }));
    this.marks = {
      shared: svg("rect", { fill: `url(#${this.pattern})` }), around: cased("around"), kept: cased("kept"), truth: cased("truth"), box: cased("box"),
      grab: svg("rect", { class: "ck-grab" }), arrows: svg("svg", { class: "ck-arrows" }), handles: svg("g", { class: "ck-handles" }), tags: svg("g", { class: "ck-tags" }),
    };
    this.handles = [0, 1, 2, 3].map((at) => svg("circle", { r: 6, class: "ck-handle", "data-corner": at }));
    this.marks.handles.append(...this.handles);
    this.sheet = svg("svg", { "aria-hidden": "true", class: "ck-sheet" }, svg("defs", {}, hatch), this.photo, ...Object.values(this.marks));
    this.easel = element("div", { class: "ck-easel", role: "application", "aria-roledescription": "box to move", tabindex: "0" }, this.sheet);
    this.#listen();
    const step = (by, mark, says) => element("button", { type: "button", class: "ck-chip", "data-action": by < 0 ? "finer" : "coarser", "aria-label": says, onclick: () => this.changeStep(by) }, mark);
    this.stepText = element("output", { class: "ck-step" });
    this.drop = this.#chip("drop", "forget it", () => this.keep(null));
    const tools = element("div", { class: "ck-tools" },
      element("div", { class: "ck-chips", role: "group", "aria-label": "your box" }, this.#chip("keep", "keep this box", () => this.keep(this.box)), this.drop,
        this.#chip("restart", "start again", () => this.place(this.model.get("start"), "Back at the start.")), this.#chip("truth", "onto the true box", () => this.place(this.truth, "On the true box."))),
      element("div", { class: "ck-chips ck-steps", role: "group", "aria-label": "step of the arrow keys" }, element("span", { class: "ck-faint", text: "step", "aria-hidden": "true" }), step(-1, "\u2212", "finer step"), this.stepText, step(1, "+", "coarser step")));
    return element("section", { class: "ck-region", "data-region": "picture" },
      element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: "drag the box" }), element("span", { class: "ck-size", text: `${width} wide \u00d7 ${height} high` })),
      this.easel, this.#legend(), tools);
  }

  #legend() {
    const swatch = (kind) => svg("svg", { class: `ck-swatch ck-${kind}`, width: 26, height: 14, "aria-hidden": "true" }, svg("path", { class: "ck-casing", d: "M2 7H24" }), svg("path", { class: "ck-line2", d: "M2 7H24" }));
    const arrow = svg("svg", { class: "ck-swatch", width: 26, height: 14, "aria-hidden": "true" }, svg("path", { class: "ck-arrow", d: arrowPath([2, 7], [22, 0], 4) }));
    this.arrowKey = element("span");
    this.keptKey = element("li", {}, swatch("kept"), "kept box");
    this.aroundKey = element("li", {}, swatch("around"), "box around both");
    return element("ul", { class: "ck-key" }, element("li", {}, swatch("box"), "your box"), element("li", {}, swatch("truth"), "true box"), this.keptKey, this.aroundKey, element("li", {}, arrow, this.arrowKey));
  }

  #judgeRegion() {
    const group = `arrows-${Math.random().toString(36).slice(2)}`;
    this.judges = Object.fromEntries(Object.entries(JUDGES).map(([name, { name: label }]) => [name, this.#judge(name, label, group)]));
    this.note = element("p", { class: "ck-note", role: "note" });
    return element("section", { class: "ck-region", "data-region": "judges" }, this.#numberTable(),
      element("fieldset", { class: "ck-judges" }, element("legend", {}, element("span", { class: "ck-name", text: "four judges" }), element("span", { class: "ck-size", text: "choose whose push the arrows show" })),
        ...Object.values(this.judges).map(({ node }) => node)), this.note);
  }

  #numberTable() {
    const row = (label, cells, more = {}) => element("tr", more, element("th", { scope: "row", text: label }), ...cells);
    const cells = () => NUMBERS.map(() => element("td"));
    this.cells = { box: cells(), truth: cells(), offs: cells(), kept: cells() };
    NUMBERS.forEach((_, at) => setText(this.cells.truth[at], asPixels(this.truth[at])));
    this.keptRow = row("kept box", this.cells.kept);
    return element("table", { class: "ck-numbers" }, element("caption", { class: "ck-live", text: "the four numbers of the boxes in pixels, and how far yours is off as a share of the picture" }),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, element("span", { class: "ck-faint", text: "in pixels" })), ...NUMBERS.map((name) => element("th", { scope: "col", text: name })))),
      element("tbody", {}, row("your box", this.cells.box), row("true box", this.cells.truth), this.keptRow, row("off, as a share", this.cells.offs, { class: "ck-offs" })));
  }

  #judge(name, label, group) {
    const radio = element("input", { type: "radio", name: group, value: name, onchange: () => this.showArrows(name) });
    const parts = { radio, number: element("b"), before: element("span", { class: "ck-before" }), sum: element("div", { class: "ck-sum" }) };
    parts.pushes = NUMBERS.map((number) => {
      const [bar, text] = [element("i"), element("span")];
      return { bar, text, node: element("li", { "data-number": number }, element("em", { text: number }), element("span", { class: "ck-bar", "aria-hidden": "true" }, bar), text) };
    });
    parts.node = element("div", { class: "ck-judge", "data-judge": name },
      element("label", {}, radio, element("span", { text: label }), parts.number, parts.before), parts.sum,
      element("ul", { class: "ck-pushes", "aria-label": `push of ${label} on each number` }, ...parts.pushes.map(({ node }) => node)));
    return parts;
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
    const keys = [["arrows", "move"], ["Shift + arrow", "changes the size"], ["[ ]", "step"], ["K", "keeps the box"], ["1\u20134", "whose arrows"], ["Home", "start again"]];
    const parts = keys.flatMap(([key, does], at) => [at ? " \u00b7 " : "On the picture: ", element("kbd", { text: key }), ` ${does}`]);
    return element("p", { class: "ck-hint" }, ...parts, " \u00b7 Arrows: where one step takes each side and the centre. x moves both sides, w only the right one.");
  }

  /* ---- the pointer */

  #placeOf(event) {
    const frame = this.sheet.getBoundingClientRect();
    return [((event.clientX - frame.left) / frame.width) * this.size[1], ((event.clientY - frame.top) / frame.height) * this.size[0]];
  }

  #corners() {
    const [x, y, w, h] = this.box;
    return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]];
  }

  /** A corner goes before the inside; a finger beside the box scrolls the page, a mouse draws a new box there. */
  #grabbed(event) {
    const place = this.#placeOf(event);
    const [x, y, w, h] = this.box;
    const far = this.#corners().map(([cornerX, cornerY]) => Math.hypot(cornerX - place[0], cornerY - place[1]) * this.zoom);
    const nearest = far.indexOf(Math.min(...far));
    const within = place[0] >= x && place[1] >= y && place[0] <= x + w && place[1] <= y + h;
    const reach = within ? Math.min(HIT[event.pointerType] ?? 13, (Math.min(w, h) * this.zoom) / 3) : HIT[event.pointerType] ?? 13;
    if (far[nearest] <= reach) return { kind: "corner", anchor: this.#corners()[(nearest + 2) % 4] };
    if (within) return { kind: "move", from: place, before: this.box };
    if (event.pointerType === "touch") return null;
    const grid = Math.min(1, this.step);
    return { kind: "corner", anchor: place.map((value, at) => between(snapped(value, grid), 0, this.size[1 - at])) };
  }

  #listen() {
    this.sheet.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.drag) return;
      const drag = this.#grabbed(event);
      if (!drag) return;
      event.preventDefault();
      this.easel.focus({ preventScroll: true });
      this.sheet.setPointerCapture(event.pointerId);
      this.drag = { ...drag, pointer: event.pointerId };
    });
    // a finger on the box drags it and one beside it scrolls: touch-action does not reach the parts of a drawing
    this.sheet.addEventListener("touchstart", (event) => { if (this.drag) event.preventDefault(); }, { passive: false });
    this.sheet.addEventListener("pointermove", (event) => {
      if (this.drag?.pointer !== event.pointerId) return void setAttribute(this.sheet, "data-over", event.pointerType === "touch" ? "" : this.#grabbed(event)?.kind ?? "");
      this.#dragTo(this.#placeOf(event));
    });
    const end = (event) => {
      if (this.drag?.pointer !== event.pointerId) return;
      this.drag = null;
      this.#commit("");
    };
    this.sheet.addEventListener("pointerup", end);
    this.sheet.addEventListener("pointercancel", end);
  }

  #dragTo(place) {
    const grid = Math.min(1, this.step);
    const { kind, anchor, from, before } = this.drag;
    if (kind === "corner") this.box = spannedBox(anchor, place, this.size, grid);
    else {
      const by = [0, 1].map((at) => snapped(before[at] + place[at] - from[at], grid) - before[at]);
      this.box = movedBox(before, by, this.size);
    }
    this.frame ??= requestAnimationFrame(() => this.refresh());
  }

  /* ---- the keys */

  #pressed(event) {
    const modified = event.ctrlKey || event.metaKey || event.altKey;
    const runsCell = event.key === "Enter" && (modified || event.shiftKey);
    if (!runsCell) event.stopPropagation(); // or Jupyter takes the key as a command
    if (modified || event.target.tagName === "INPUT") return;
    const done = (event.target === this.easel && this.#onEasel(event)) || this.#anywhere(event);
    if (done) event.preventDefault();
  }

  #onEasel(event) {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) this.nudge(way.map((one) => one * this.step), event.shiftKey);
    else if (event.key === "Home") this.place(this.model.get("start"), "Back at the start.");
    else return false;
    return true;
  }

  #anywhere(event) {
    if (event.key === "[") this.changeStep(-1);
    else if (event.key === "]") this.changeStep(1);
    else if (/^k$/i.test(event.key)) this.keep(this.box);
    else if (/^[1-4]$/.test(event.key)) this.showArrows(LOSSES[Number(event.key) - 1]);
    else return false;
    return true;
  }

  /* ---- what can be done */

  nudge(by, resize) {
    const before = this.box;
    this.box = (resize ? resizedBox : movedBox)(this.box, by, this.size);
    const stuck = this.box.every((value, at) => value === before[at]);
    this.#commit(stuck ? (resize ? "No further: the picture or one pixel is the limit." : "At the edge of the picture.") : "");
  }

  place(box, said) {
    this.box = [...box];
    this.#commit(said);
  }

  keep(box) {
    this.kept = box && [...box];
    this.acted = true;
    this.outbox.put({ held: this.kept }, SAVE_AFTER);
    this.refresh();
    this.say(box ? "This box is kept. Move on, and compare." : "The kept box is forgotten.");
  }

  changeStep(by) {
    this.step = STEPS[between(STEPS.indexOf(this.step) + by, 0, STEPS.length - 1)];
    this.#drawTools();
    this.say(`Steps of ${this.step} ${this.step === 1 ? "pixel" : "pixels"}.`);
  }

  showArrows(name) {
    this.arrows = name;
    this.outbox.put({ arrows: name }, SAVE_AFTER);
    this.refresh();
    this.say(`Arrows of ${JUDGES[name].name}. ${this.#pushText(name)}`);
  }

  #commit(said) {
    this.acted = true;
    this.outbox.put({ now: [...this.box] }, SAVE_AFTER);
    this.refresh();
    this.say(`${said} ${this.#boxText()}. ${this.#scoreText()} ${this.#pushText(this.arrows)}`.trim(), 250);
  }

  /* ---- drawing */

  refresh() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.now = judgeBox(this.box, this.truth, this.size, this.rules.beta);
    this.before = this.kept && judgeBox(this.kept, this.truth, this.size, this.rules.beta);
    this.#drawPicture();
    this.#drawNumbers();
    for (const name of LOSSES) this.#drawJudge(name);
    this.#drawTools();
    if (!this.drag) this.#checkTasks();
  }

  #drawTools() {
    setText(this.stepText, `${this.step} px`);
    this.drop.hidden = this.keptRow.hidden = this.keptKey.hidden = !this.kept;
    this.aroundKey.hidden = this.arrows !== "giou";
    setText(this.arrowKey, `one step of ${JUDGES[this.arrows].name}, learning rate ${written(this.rates[this.arrows])}`);
    setAttribute(this.easel, "aria-label", `your box, ${this.#boxText()}; true box, ${this.#boxText(this.truth)}`);
    setText(this.note, this.#kinkText());
    this.note.hidden = !this.note.textContent;
  }

  #frameOf(mark, [x, y, w, h]) {
    const place = { x: toTenth(x * this.zoom), y: toTenth(y * this.zoom), width: toTenth(w * this.zoom), height: toTenth(h * this.zoom) };
    for (const node of mark.tagName === "g" ? mark.children : [mark]) setAll(node, place);
  }

  #drawPicture() {
    if (!this.now) return;
    const { marks, box, truth } = this;
    this.#frameOf(marks.truth, truth);
    this.#frameOf(marks.box, box);
    this.#frameOf(marks.grab, box);
    marks.kept.style.display = this.kept ? "" : "none";
    if (this.kept) this.#frameOf(marks.kept, this.kept);
    const [left, top] = [Math.max(box[0], truth[0]), Math.max(box[1], truth[1])];
    const [right, bottom] = [0, 1].map((at) => Math.min(box[at] + box[at + 2], truth[at] + truth[at + 2]));
    const overlap = this.arrows.endsWith("iou") && right > left && bottom > top;
    marks.shared.style.display = overlap ? "" : "none";
    if (overlap) this.#frameOf(marks.shared, [left, top, right - left, bottom - top]);
    marks.around.style.display = this.arrows === "giou" ? "" : "none";
    const [from, to] = [[0, 1].map((at) => Math.min(box[at], truth[at])), [0, 1].map((at) => Math.max(box[at] + box[at + 2], truth[at] + truth[at + 2]))];
    this.#frameOf(marks.around, [...from, to[0] - from[0], to[1] - from[1]]);
    this.#corners().forEach(([x, y], at) => setAll(this.handles[at], { cx: toTenth(x * this.zoom), cy: toTenth(y * this.zoom) }));
    this.#drawTags();
    this.#drawArrows();
  }

  /** Names at the boxes' upper left corners, of the true one at its lower right: they would lie on one another. */
  #drawTags() {
    const [width, height] = [this.size[1] * this.zoom, this.size[0] * this.zoom];
    const tag = (text, [x, y, w, h], low) => {
      const wide = 6.4 * text.length + 9;
      const across = low ? (x + w) * this.zoom - wide : x * this.zoom;
      const down = low ? (y + h) * this.zoom + 3 : y * this.zoom - 19;
      const at = [between(across, 1, width - wide - 1), between(down, 1, height - 17)].map(toTenth);
      return svg("g", { transform: `translate(${at.join(" ")})` }, svg("rect", { width: wide, height: 16, rx: 3 }), svg("text", { x: wide / 2, y: 12 }, text));
    };
    this.marks.tags.replaceChildren(tag("true", this.truth, true), ...(this.kept ? [tag("kept", this.kept, false)] : []), tag("yours", this.box, false));
  }

  #drawArrows() {
    const { gradient } = this.now[this.arrows];
    const ways = arrowsBetween(this.box, steppedBox(this.box, gradient, this.rates[this.arrows], this.size));
    const scaled = (pair) => pair.map((value) => value * this.zoom);
    const drawn = Object.entries(ways).flatMap(([name, { from, by }]) => {
      const centre = name === "centre";
      const [start, way] = [scaled(from), scaled(by)];
      if (centre && way.every((one) => one === 0)) return [svg("circle", { class: "ck-none", cx: toTenth(start[0]), cy: toTenth(start[1]), r: 5.5 })];
      if (!centre && way.every((one) => one === 0)) return [];
      if (Math.hypot(...way) < 2.5) return [svg("circle", { class: "ck-arrow", cx: toTenth(start[0]), cy: toTenth(start[1]), r: 2.2 })];
      const root = centre ? [svg("circle", { class: "ck-arrow", cx: toTenth(start[0]), cy: toTenth(start[1]), r: 4 })] : [];
      return [svg("path", { class: "ck-arrow", "data-arrow": name, d: arrowPath(start, way, centre ? 6 : 4.5) }), ...root];
    });
    setAttribute(this.marks.arrows, "data-none", String(gradient.every((slope) => slope === 0)));
    if (gradient.every((slope) => slope === 0)) drawn.push(this.#plate("no push"));
    this.marks.arrows.replaceChildren(...drawn);
  }

  #plate(text) {
    const [x, y, w, h] = this.box.map((value) => value * this.zoom);
    const wide = 6.8 * text.length + 12;
    const across = between(x + w / 2 - wide / 2, 1, this.size[1] * this.zoom - wide - 1);
    return svg("g", { class: "ck-plate", transform: `translate(${toTenth(across)} ${toTenth(y + h / 2 + 9)})` }, svg("rect", { width: toTenth(wide), height: 17, rx: 3 }), svg("text", { x: toTenth(wide / 2), y: 12.5 }, text));
  }

  #drawNumbers() {
    if (!this.now) return;
    NUMBERS.forEach((_, at) => {
      setText(this.cells.box[at], asPixels(this.box[at]));
      setText(this.cells.offs[at], signed(this.now.offs[at], this.tight ? 2 : 3));
      if (this.kept) setText(this.cells.kept[at], asPixels(this.kept[at]));
    });
  }

  #drawJudge(name) {
    const { radio, number, before, sum, pushes, node } = this.judges[name];
    const { value, gradient } = this.now[name];
    radio.checked = this.arrows === name;
    setAttribute(node, "data-chosen", String(this.arrows === name));
    setText(number, scoreWritten(name, value));
    setText(before, this.before ? this.#beforeText(name) : "");
    setText(sum, this.#sumText(name));
    const full = 0.5 * Math.max(this.truth[2] / this.size[1], this.truth[3] / this.size[0]);
    pushes.forEach(({ bar, text, node: cell }, at) => {
      const push = -gradient[at] || 0;
      const share = between((push * this.rates[name]) / full, -1, 1);
      bar.style.setProperty("--ck-from", `${50 + 50 * Math.min(0, share)}%`);
      bar.style.setProperty("--ck-long", `${50 * Math.abs(share)}%`);
      setAttribute(cell, "data-zero", String(push === 0));
      setText(text, signed(push));
    });
  }

  #beforeText(name) {
    const kept = `kept: ${scoreWritten(name, this.before[name].value)}`;
    if (name !== "l2") return kept;
    const apart = l2Apart(this.now, this.before);
    return apart <= this.rules.same ? `${kept}, the same` : `${kept}, ${Math.max(Math.round(100 * apart), Math.ceil(100 * this.rules.same))} % apart`;
  }

  #sumText(name) {
    const { offs, areas, iou } = this.now;
    const { shared, union, around } = areas;
    if (name === "l2") return `mean of four squares: (${offs.map((off) => `${Math.abs(off).toFixed(3)}\u00b2`).join(" + ")}) / 4`;
    if (name === "smooth_l1") return `as L2 where a number is off by less than ${this.rules.beta}, a straight line beyond`;
    if (name === "iou") return `${areaWritten(shared)} px\u00b2 of overlap / ${areaWritten(union)} px\u00b2 of union`;
    return `IoU ${scoreWritten("iou", iou.value)} \u2212 ${areaWritten(around - union)} px\u00b2 in neither box / ${areaWritten(around)} px\u00b2 around both`;
  }

  #kinkText() {
    const lay = layOf(this.box, this.truth);
    if (lay === "same") return "Both boxes are the same. L2 and smooth L1 are flat here; IoU has its peak, and a peak like a roof has no one slope.";
    if (lay === "touching") return "The boxes touch and share nothing: IoU has a kink here. A hair closer it pushes, here and farther off it does not.";
    if (lay !== "apart" && sidesMeet(this.box, this.truth)) return "Two sides lie on one line: IoU has a kink there, and its push jumps. The one shown is torch's, halfway between.";
    return "";
  }

  /* ---- tasks */

  #checkTasks() {
    const met = this.acted ? tasksMet(this.box, this.kept, this.truth, this.size, this.rules) : [];
    const fresh = this.tasks.filter(({ name }) => met.includes(name) && !this.reached.has(name));
    for (const { name } of fresh) this.reached.add(name);
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

  #boxText(box = this.box) {
    return NUMBERS.map((name, at) => `${name} ${asPixels(box[at])}`).join(", ");
  }

  #scoreText() {
    return `${LOSSES.map((name) => `${JUDGES[name].name} ${scoreWritten(name, this.now[name].value)}`).join(", ")}.`;
  }

  #pushText(name) {
    const { gradient } = this.now[name];
    if (gradient.every((slope) => slope === 0)) return `${JUDGES[name].name} pushes nowhere.`;
    return `${JUDGES[name].name} pushes ${NUMBERS.map((number, at) => `${number} ${signed(-gradient[at] || 0)}`).join(", ")}.`;
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

  /** Python, or another view of the same model, changed something. */
  heard(name) {
    if (this.outbox.outdates(name) || this.drag) return;
    this.box = [...this.model.get("now")];
    this.kept = this.model.get("held");
    this.arrows = this.model.get("arrows");
    this.reached = new Set(this.model.get("reached"));
    this.frame ??= requestAnimationFrame(() => this.refresh());
  }

  destroy() {
    this.outbox.close();
    clearTimeout(this.saying);
    cancelAnimationFrame(this.frame);
    this.sizing.disconnect();
  }
}

function render({ model, el }) {
  const view = new BoxLabView(model, el);
  const unwatch = watchTheme(view.node);
  const heard = ["now", "held", "arrows", "reached"].map((name) => [`change:${name}`, () => view.heard(name)]);
  for (const [event, listener] of heard) model.on(event, listener);
  return () => {
    for (const [event, listener] of heard) model.off?.(event, listener);
    unwatch();
    view.destroy();
  };
}

export default { initialize: hearPython, render };
