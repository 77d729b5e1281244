// GridExplorer: input, kernel, canvas with its window, output. Everything happens here in the browser;
// the model only remembers. Depends on model.get, set, save_changes and on, and on nothing else.

/* ---------------------------------------------------------------- the picture: pure */

/** What to draw for a state: { trace, window, inputs… }, or { why } where the setting cannot be. */
function pictureOf(state) {
  const { method, settings, learned } = state;
  if (learned) return { trace: traceFromRows(learned), window: null, offset: learned.offset };
  const kernelShape = [state.kernel.length, state.kernel[0].length];
  const wanted = { ...state, kernelShape };
  const trace = traceFromAtlas(state.atlas, wanted);
  if (trace.why || !state.atlas.methods[method].key.includes("output_padding")) return trace.why ? trace : { trace, window: null };
  const whole = traceFromAtlas(state.atlas, { ...wanted, settings: { ...settings, padding: 0, output_padding: 0 } });
  return { trace: whole, window: placedWindow(state.window, trace.outShape, whole.outShape, settings.padding) };
}

/** The crop: null position means torch's own, `padding` rows and columns in. */
function placedWindow(position, [rows, columns], [canvasRows, canvasColumns], padding) {
  const most = [Math.max(padding, canvasRows - rows), Math.max(padding, canvasColumns - columns)];
  const [row, column] = (position ?? [padding, padding]).map((at, axis) => Math.max(0, Math.min(at, most[axis])));
  return { row, column, rows, columns, most };
}

/** The canvas cell behind an output cell, or -1 where output_padding reaches past the canvas. */
function canvasCell({ trace, window }, index) {
  if (!window) return index;
  const [row, column] = [Math.floor(index / window.columns) + window.row, (index % window.columns) + window.column];
  const [rows, columns] = trace.outShape;
  return row < rows && column < columns ? row * columns + column : -1;
}

function outputCell({ trace, window }, index) {
  if (!window) return index;
  const row = Math.floor(index / trace.outShape[1]) - window.row;
  const column = (index % trace.outShape[1]) - window.column;
  return row >= 0 && row < window.rows && column >= 0 && column < window.columns ? row * window.columns + column : -1;
}

const outputShape = ({ trace, window }) => (window ? [window.rows, window.columns] : trace.outShape);

function outputValues(picture, whole) {
  const [rows, columns] = outputShape(picture);
  return Array.from({ length: rows * columns }, (_, index) => whole[canvasCell(picture, index)] ?? 0);
}

/** Pixel shuffle needs stride² channels, laid side by side: the grid itself, then numbers that go on. */
function fittedInput(x, base, tiles) {
  const [height, width] = base;
  return Array.from({ length: height * tiles }, (_, r) =>
    Array.from({ length: width * tiles }, (_, c) => {
      if (x[r]?.[c] !== undefined && r < height && c < width) return x[r][c];
      const channel = Math.floor(r / height) * tiles + Math.floor(c / width);
      return channel * height * width + (r % height) * width + (c % width) + 1;
    }),
  );
}

const span = (first, last, what) => (first === last ? `${what} ${first}` : `${what}s ${first}\u2013${last}`);

function extentOf(indices, [, columns]) {
  const rows = indices.map((index) => Math.floor(index / columns));
  const across = indices.map((index) => index % columns);
  return `${span(Math.min(...rows), Math.max(...rows), "row")}, ${span(Math.min(...across), Math.max(...across), "column")}`;
}

/* ---------------------------------------------------------------- the view */

const REMEMBERED = ["method", "x", "kernel", "switches", "settings", "window", "step", "cell"];
const PLAY_MS = 950;
const ICONS = {
  reset: "M4 3v10M13 3.5v9L6 8z",
  back: "M11 3.5v9L4.5 8zM13 3v10",
  play: "M4.5 2.8v10.4L13 8z",
  pause: "M5 3v10M11 3v10",
  next: "M5 3.5v9L11.500 8zM3 3v10",
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

class ExplorerView {
  constructor(model, el) {
    this.model = model;
    this.outbox = new Outbox(model);
    this.state = {};
    for (const name of [...REMEMBERED, "base"]) this.state[name] = model.get(name);
    this.state.atlas = model.get("atlas");
    this.state.learned = model.get("learned");
    this.target = null;
    this.hovered = null;
    this.seed = 0;
    // Every widget runs its own copy of this file, so a counter would repeat: radio groups need names of their own.
    this.serial = Math.random().toString(36).slice(2);
    this.#build(el);
    this.refresh();
    this.#showCell();
  }


  get takes() {
    return this.state.learned ? (this.state.learned.kernelShape ? "kernel" : "grid") : this.state.atlas.methods[this.state.method].takes;
  }

  get readOnly() {
    return this.state.learned?.kind === "local";
  }

  /* ---- building, once */

  #build(el) {
    const on = (name) => ({
      point: (index, how) => this.point(index === null ? null : { grid: name, index }, how),
      edit: (index, value) => this.edit(name, index, value),
      refuse: (why) => this.say(why, true),
    });
    const editable = !this.readOnly;
    this.grids = {
      input: new GridView("input", on("input"), { editable, caption: "input grid" }),
      kernel: new GridView("kernel", on("kernel"), { editable, caption: "kernel grid" }),
      canvas: new GridView("canvas", on("canvas"), { caption: "canvas grid" }),
      output: new GridView("output", on("output"), { caption: "output grid" }),
    };
    this.matrix = new MatrixPanel(on("matrix"));
    this.meter = new MeterPanel(on("seat"));
    Object.assign(this.grids, { matrix: this.matrix.grid, seat: this.meter.grid });
    this.problem = element("p", { class: "ck-problem", role: "alert" });
    this.line = element("p", { class: "ck-line" });
    this.live = element("div", { class: "ck-live", "aria-live": "polite", role: "status" });
    this.sizes = {};
    this.node = element("div", {
      class: "ck-explorer", role: "group", "data-lm-suppress-shortcuts": "true",
      "aria-label": this.model.get("title") || "grid explorer",
    }, this.#header(), this.problem, this.#stage(), this.line, this.#transport(), this.live);
    this.node.addEventListener("keydown", (event) => this.#shortcut(event));
    el.replaceChildren(this.node);
    this.sizing = new ResizeObserver(([{ contentRect }]) => this.#fitRoom(contentRect.width));
    this.sizing.observe(this.node);
  }

  #fitRoom(width) {
    this.node.style.setProperty("--ck-room", `${Math.floor(width)}px`);
    setAttribute(this.node, "data-room", width < 560 ? "narrow" : width < 750 ? "medium" : "wide");
  }

  #header() {
    const title = this.model.get("title") || this.#learnedName();
    this.controls = element("div", { class: "ck-controls" });
    if (!this.state.learned) this.#addControls();
    const note = this.state.learned?.note ? element("p", { class: "ck-note", text: this.state.learned.note }) : null;
    return element("div", { class: "ck-header" }, title ? element("div", { class: "ck-title", text: title }) : null, note, this.controls);
  }

  #learnedName() {
    const { name, settings } = this.state.learned ?? {};
    const held = Object.entries(settings ?? {}).map(([key, value]) => `${key}=${value}`);
    return name && held.length ? `${name}(${held.join(", ")})` : name;
  }

  #addControls() {
    const { atlas } = this.state;
    const names = this.model.get("methods");
    this.method = element("select", { class: "ck-select", "aria-label": "method", onchange: () => this.setMethod(this.method.value) });
    for (const name of names) this.method.append(element("option", { value: name, text: atlas.methods[name].title }));
    if (names.length > 1) this.controls.append(element("label", { class: "ck-field" }, element("span", { text: "method" }), this.method));
    this.choices = {};
    const ranges = { ...atlas.ranges };
    delete ranges.size;
    for (const [name, [first, last]] of Object.entries(ranges)) {
      const group = `ck-${name}-${this.serial}`;
      const field = element("fieldset", { class: "ck-field", "data-setting": name }, element("legend", { text: name }));
      const seats = element("div", { class: "ck-seats" });
      for (let value = first; value <= last; value += 1) {
        const radio = element("input", { type: "radio", name: group, value: String(value), onchange: () => this.setSetting(name, value) });
        seats.append(element("label", {}, radio, element("span", { text: String(value) })));
      }
      field.append(seats);
      this.choices[name] = field;
    }
    for (const name of ["stride", "kernel", "padding", "output_padding"]) this.controls.append(this.choices[name]);
  }

  #region(name, heading, ...more) {
    this.sizes[name] = element("span", { class: "ck-size" });
    const title = element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: heading }), this.sizes[name]);
    return element("section", { class: "ck-region", "data-region": name }, title, ...more);
  }

  #stage() {
    this.preset = element("select", { class: "ck-select ck-small", "aria-label": "fill the kernel", onchange: () => this.fillKernel() });
    this.preset.append(element("option", { value: "", text: "fill with \u2026" }));
    for (const [name, label] of Object.entries(KERNEL_PRESETS)) this.preset.append(element("option", { value: name, text: label }));
    this.regions = {
      input: this.#region("input", "input", this.grids.input.node),
      kernel: this.#region("kernel", "kernel", this.grids.kernel.node, this.state.learned ? null : this.preset),
      canvas: this.#canvasRegion(),
      output: this.#region("output", "output", this.grids.output.node),
      matrix: this.#region("matrix", "matrix", ...this.matrix.parts),
      seat: this.#region("seat", "checkerboard meter", ...this.meter.parts),
    };
    this.stage = element("div", { class: "ck-stage" }, ...Object.values(this.regions));
    return this.stage;
  }

  #canvasRegion() {
    this.window = element("div", {
      class: "ck-window", tabindex: "0", role: "application", "aria-roledescription": "movable window",
    }, element("span", { class: "ck-grip", "aria-hidden": "true", text: "window" }));
    this.ghosts = {
      tensorflow: element("div", { class: "ck-ghost ck-tensorflow", "aria-hidden": "true" }, element("span", { text: "TensorFlow SAME" })),
      torch: element("div", { class: "ck-ghost ck-torch", "aria-hidden": "true" }, element("span", { text: "torch" })),
    };
    this.board = element("div", { class: "ck-board" }, this.grids.canvas.node, this.ghosts.tensorflow, this.ghosts.torch, this.window);
    this.window.addEventListener("keydown", (event) => this.#windowKey(event));
    this.window.addEventListener("focus", () => this.say(this.window.getAttribute("aria-label")));
    this.board.addEventListener("pointerdown", (event) => this.#startDrag(event));
    this.crops = {
      whole: element("button", { type: "button", class: "ck-chip", onclick: () => this.crop("whole") }, element("span", { text: "whole canvas" })),
      torch: element("button", { type: "button", class: "ck-chip ck-torch", onclick: () => this.crop("torch") }, element("span", { text: "torch" })),
      tensorflow: element("button", { type: "button", class: "ck-chip ck-tensorflow", onclick: () => this.crop("tensorflow") }, element("span", { text: "TensorFlow SAME" })),
    };
    this.slice = element("code");
    this.meaning = element("span", { class: "ck-meaning" });
    const chips = element("div", { class: "ck-chips", role: "group", "aria-label": "place the window" }, ...Object.values(this.crops));
    return this.#region("canvas", "canvas", this.board, chips, element("p", { class: "ck-slice" }, this.slice, this.meaning));
  }

  #transport() {
    const button = (name, label, action) =>
      element("button", { type: "button", class: "ck-button", "data-action": name, "aria-label": label, title: label, onclick: action }, icon(name));
    this.buttons = {
      reset: button("reset", "start over: an empty output", () => this.goTo(0)),
      back: button("back", "one stamp back (p)", () => this.advance(-1)),
      play: button("play", "play (space)", () => this.togglePlay()),
      next: button("next", "next stamp (n)", () => this.advance(1)),
    };
    this.progress = element("div", { class: "ck-progress", "aria-hidden": "true" });
    this.count = element("span", { class: "ck-count" });
    return element("div", { class: "ck-transport", role: "group", "aria-label": "steps" }, ...Object.values(this.buttons), this.progress, this.count);
  }

  /* ---- drawing */

  /** Recompute the picture and draw everything that a change of values or settings can touch. */
  refresh() {
    const found = pictureOf(this.state);
    if (!found.why && !this.#fits(found.trace)) return; // Python's values arrive one by one: the rest follows
    this.why = found.why ?? "";
    if (!found.why) this.picture = found;
    else if (!this.picture) this.picture = pictureOf({ ...this.state, settings: { ...this.state.settings, padding: 0, output_padding: 0 } });
    setText(this.problem, this.why);
    this.problem.hidden = !this.why;
    this.stage.classList.toggle("ck-dimmed", Boolean(this.why));
    this.#drawControls();
    if (!found.why) {
      this.flatX = this.state.x.flat();
      this.flatKernel = this.state.kernel.flat();
      this.total = this.flatX.length;
      this.#drawGrids();
    }
    this.#drawStep();
  }

  #fits({ inShape, kernelShape }) {
    const same = (rows, shape) => rows.length === shape[0] && rows[0].length === shape[1];
    return same(this.state.x, inShape) && (!kernelShape || same(this.state.kernel, kernelShape));
  }

  #drawControls() {
    if (this.state.learned) return;
    const { atlas, method, settings, kernel } = this.state;
    const { key, takes } = atlas.methods[method];
    this.method.value = method;
    for (const [name, field] of Object.entries(this.choices)) {
      field.hidden = !key.includes(name);
      const square = kernel.length === kernel[0].length ? kernel.length : null;
      const value = name === "kernel" ? square : settings[name];
      for (const radio of field.querySelectorAll("input")) radio.checked = Number(radio.value) === value;
    }
    const legends = { stride: method === "transposed_conv" ? "stride" : "factor", kernel: "kernel size", output_padding: "output padding" };
    for (const [name, text] of Object.entries(legends)) setText(this.choices[name].querySelector("legend"), text);
    setText(this.regions.kernel.querySelector(".ck-name"), takes === "switches" ? "switches" : "kernel");
  }

  #drawGrids() {
    const { input, kernel, canvas, output } = this.grids;
    const { trace, window } = this.picture;
    input.show(trace.inShape, this.flatX);
    const takes = this.takes;
    const second = takes === "switches" ? this.state.switches : this.state.kernel;
    this.regions.kernel.hidden = takes !== "kernel" && takes !== "switches";
    if (!this.regions.kernel.hidden) kernel.show([second.length, second[0].length], second.flat());
    kernel.name = takes === "switches" ? "switch" : "kernel";
    this.preset.hidden = takes !== "kernel";
    this.preset.value = "";
    this.stage.classList.toggle("ck-with-canvas", Boolean(window) && this.model.get("panels").includes("canvas"));
    this.regions.canvas.hidden = !window || !this.model.get("panels").includes("canvas");
    this.node.dataset.tiles = takes === "tiles" ? String(this.state.settings.stride) : "";
    this.#drawTiles();
    this.#drawPanels();
    this.#resize();
  }

  #isOpen(panel) {
    return this.model.get("panels").includes(panel);
  }

  #drawPanels() {
    this.regions.matrix.hidden = !this.#isOpen("matrix");
    this.regions.seat.hidden = !this.#isOpen("meter");
    const size = (shape, what) => (shape ? `${shape[0]} \u00d7 ${shape[1]}${what}` : "");
    if (!this.regions.matrix.hidden) setText(this.sizes.matrix, size(this.matrix.draw(this.picture, this.flatKernel, this.readOnly), ""));
    if (!this.regions.seat.hidden) setText(this.sizes.seat, size(this.meter.draw(seatsOf(this.state, this.picture.window), this.flatKernel), " seats"));
  }

  /** Channels of a pixel shuffle are told apart by a wider gap. */
  #drawTiles() {
    const [height, width] = this.state.base;
    const tiled = this.takes === "tiles";
    this.grids.input.cells.forEach((cell, index) => {
      const [row, column] = this.grids.input.place(index);
      cell.classList.toggle("ck-tile-top", tiled && row > 0 && row % height === 0);
      cell.classList.toggle("ck-tile-left", tiled && column > 0 && column % width === 0);
    });
  }

  #resize() {
    const { trace, window } = this.picture;
    const size = ([rows, columns]) => `${rows} \u00d7 ${columns}`;
    const channels = this.takes === "tiles" ? this.state.settings.stride ** 2 : 1;
    setText(this.sizes.input, channels > 1 ? `${channels} channels of ${size(this.state.base)}` : size(trace.inShape));
    setText(this.sizes.kernel, this.regions.kernel.hidden ? "" : size(this.grids.kernel.shape));
    setText(this.sizes.canvas, size(trace.outShape));
    setText(this.sizes.output, size(outputShape(this.picture)));
    const widest = Math.max(trace.outShape[1], trace.inShape[1], window ? window.columns : 0);
    this.node.dataset.density = widest > 9 ? "fine" : widest > 6 ? "medium" : "roomy";
  }

  /** Everything that depends on how many stamps are down. */
  #drawStep() {
    const { trace, window, offset } = this.picture;
    const stamps = Math.min(this.state.step ?? this.total, this.total);
    const whole = evaluate(trace, this.flatX, this.flatKernel, stamps, offset);
    this.whole = whole;
    this.stamps = stamps;
    const stamped = (cell) => {
      if (cell < 0) return [];
      const found = trace.into[cell].filter((at) => trace.src[at] < stamps && (trace.weight[at] < 0 || this.flatKernel[trace.weight[at]] !== 0));
      return [...new Set(found.map((at) => trace.src[at]))].slice(0, 9);
    };
    this.grids.output.show(outputShape(this.picture), outputValues(this.picture, whole));
    const width = trace.inShape[1];
    this.grids.output.paint((index) => stamped(canvasCell(this.picture, index)), width);
    if (!this.regions.canvas.hidden) {
      this.grids.canvas.show(trace.outShape, [...whole]);
      this.grids.canvas.paint(stamped, width);
      this.grids.canvas.cells.forEach((cell, index) => cell.classList.toggle("ck-cut", outputCell(this.picture, index) < 0));
    }
    this.grids.input.paint((index) => (index < stamps ? [index] : []), width);
    this.grids.input.tag((index) => letterOf(index));
    if (window && !this.why) this.#drawWindow();
    this.#drawTransport();
    this.#drawTarget();
  }

  #drawWindow() {
    const { window, trace } = this.picture;
    this.board.style.setProperty("--ck-columns", trace.outShape[1]);
    const put = (node, row, column, rows, columns) => {
      for (const [name, value] of Object.entries({ row, column, rows, columns })) node.style.setProperty(`--ck-at-${name}`, value);
    };
    put(this.window, window.row, window.column, Math.min(window.rows, trace.outShape[0] - window.row), Math.min(window.columns, trace.outShape[1] - window.column));
    const last = (start, size) => start + size - 1;
    this.window.setAttribute("aria-label",
      `window on canvas ${span(window.row + 1, last(window.row, window.rows) + 1, "row")}, ${span(window.column + 1, last(window.column, window.columns) + 1, "column")}; arrow keys move it`);
    setText(this.slice, `output = canvas[${window.row}:${window.row + window.rows}, ${window.column}:${window.column + window.columns}]`);
    const { places, at } = this.#cropPlaces();
    for (const name of ["torch", "tensorflow"]) {
      this.ghosts[name].hidden = !places[name] || window.rows !== places.rows || window.columns !== places.columns;
      if (places[name]) put(this.ghosts[name], places[name].row, places[name].column, places.rows, places.columns);
      this.crops[name].hidden = !places[name];
    }
    setText(this.ghosts.torch.firstChild, places.coincide ? "torch = TensorFlow SAME" : "torch");
    if (places.coincide) this.ghosts.tensorflow.hidden = true;
    setText(this.meaning, this.#meaning(at));
    for (const [name, chip] of Object.entries(this.crops)) chip.setAttribute("aria-pressed", String(at.has(name)));
  }

  #meaning(at) {
    const { padding, output_padding: extra } = this.state.settings;
    const { window } = this.picture;
    if (window.row === padding && window.column === padding) return `in torch: padding=${padding}, output_padding=${extra}`;
    return at.has("tensorflow") ? 'in TensorFlow: padding="SAME"' : "a crop of your own: no padding gives it";
  }

  /** Where torch and TensorFlow put a window of input size times stride, and which the window is at. */
  #cropPlaces() {
    const { settings, base, kernel } = this.state;
    const { window, trace } = this.picture;
    const down = sameSizeCrops(base[0], settings.stride, kernel.length);
    const across = sameSizeCrops(base[1], settings.stride, kernel[0].length);
    const alike = down.torch && across.torch && down.torch.padding === across.torch.padding && down.torch.outputPadding === across.torch.outputPadding;
    const fits = down.size <= trace.outShape[0] && across.size <= trace.outShape[1];
    const places = {
      rows: down.size, columns: across.size,
      torch: fits && alike ? { row: down.torch.padding, column: across.torch.padding, ...down.torch } : null,
      tensorflow: fits && alike ? { row: down.tensorflow, column: across.tensorflow } : null,
    };
    places.coincide = places.torch && places.torch.row === places.tensorflow.row && places.torch.column === places.tensorflow.column;
    const same = (place) => place && window.rows === places.rows && window.columns === places.columns && window.row === place.row && window.column === place.column;
    const at = new Set(["torch", "tensorflow"].filter((name) => same(places[name])));
    if (window.rows === trace.outShape[0] && window.columns === trace.outShape[1]) at.add("whole");
    return { places, at };
  }

  #drawTransport() {
    const { stamps, total } = this;
    const what = this.#stampNoun();
    setText(this.count, stamps === total ? `all ${total} ${what}s` : `${stamps} of ${total} ${what}s`);
    // aria-disabled, not disabled: a button that loses the focus takes the n and p keys with it
    for (const name of ["back", "reset"]) setAttribute(this.buttons[name], "aria-disabled", String(stamps === 0));
    setAttribute(this.buttons.next, "aria-disabled", String(stamps === total));
    if (this.progress.childElementCount !== total)
      this.progress.replaceChildren(...Array.from({ length: total }, (_, index) => element("i", { style: `--ck-ink:${inkOf(index)}` })));
    [...this.progress.children].forEach((dot, index) => {
      dot.classList.toggle("ck-done", index < stamps);
      dot.classList.toggle("ck-now", index === stamps - 1 && stamps < total);
    });
  }

  #stampNoun() {
    return this.takes === "kernel" ? "stamp" : "cell";
  }

  /* ---- what is pointed at */

  #drawTarget() {
    const { grids } = this;
    const marks = Object.fromEntries(Object.keys(grids).map((name) => [name, new Map()]));
    const target = this.#liveTarget();
    const text = target ? this.#explain(target, marks) : this.#stepText(marks);
    for (const name of Object.keys(grids)) grids[name].mark(marks[name]);
    return text;
  }

  #liveTarget() {
    const target = this.hovered ?? this.target;
    return target && target.index < this.grids[target.grid].cells.length && !this.regions[target.grid].hidden ? target : null;
  }

  /** Mark a canvas (or only) cell in both grids that show it. */
  #markBoth(marks, cell, mark) {
    if (this.picture.window) marks.canvas.set(cell, mark);
    const shown = outputCell(this.picture, cell);
    if (shown >= 0) marks.output.set(shown, mark);
  }

  #explain({ grid, index }, marks) {
    if (grid === "input") return this.#explainInput(index, marks);
    if (grid === "matrix") return this.#explainEntry(index, marks);
    if (grid === "seat") return this.#explainSeat(index, marks);
    if (grid === "kernel") return this.takes === "switches" ? this.#explainSwitch(index, marks) : this.#explainKernel(index, marks);
    const cell = grid === "output" ? canvasCell(this.picture, index) : index;
    return this.#explainOutput(grid, index, cell, marks);
  }

  #name(grid, index, shape) {
    return `${grid}[${Math.floor(index / shape[1])}, ${index % shape[1]}]`;
  }

  #explainOutput(grid, index, cell, marks) {
    const { trace, offset } = this.picture;
    const terms = cell < 0 ? [] : termsOf(trace, cell, this.stamps);
    marks[grid].set(index, { kind: "target" });
    if (cell >= 0) this.#markBoth(marks, cell, { kind: "target" });
    for (const term of terms) {
      const gain = term.weight < 0 && term.gain !== 1 ? `\u00d7${gainWritten(term.gain)}` : "";
      marks.input.set(term.input, { kind: "source", ink: term.input, tag: gain || letterOf(term.input) });
      if (term.weight >= 0) marks.kernel.set(term.weight, { kind: "source", ink: term.input, tag: letterOf(term.input) });
    }
    if (cell >= 0) this.#markRow(outputCell(this.picture, cell), marks);
    const value = cell < 0 ? 0 : this.whole[cell];
    const shape = this.grids[grid].shape;
    this.#writeTerms(this.#name(grid, index, shape), value, terms, offset?.[cell] ?? 0);
    const sum = arithmeticOf(terms, value, this.flatX, this.flatKernel, offset?.[cell] ?? 0, this.state.learned?.rest);
    return `${grid} row ${Math.floor(index / shape[1]) + 1} column ${(index % shape[1]) + 1}: ${sum.replaceAll("\u00b7", " \u00d7 ")}`;
  }

  #writeTerms(name, value, terms, offset) {
    const parts = [element("code", { text: name }), element("b", { text: ` ${written(value)}` }), " = "];
    terms.forEach((term, at) => {
      if (at) parts.push(" + ");
      parts.push(element("span", { class: "ck-term", style: `--ck-ink:${inkOf(term.input)}`, text: factorsOf(term, this.flatX, this.flatKernel).join("\u00b7") }));
    });
    if (offset) parts.push(terms.length ? " + " : "", element("span", { text: `${written(offset)} (${this.state.learned.rest})` }));
    if (!terms.length && !offset) parts.push(element("span", { class: "ck-faint", text: this.stamps < this.total ? "0 (no stamp here yet)" : "0 (nothing reaches this cell)" }));
    this.line.replaceChildren(...parts);
  }

  #writeLine(name, text) {
    this.line.replaceChildren(...(name ? [element("code", { text: name }), ` ${text}`] : [text]));
    return `${name} ${text}`.trim();
  }

  #where() {
    return this.picture.window && !this.regions.canvas.hidden ? "canvas" : "output";
  }

  #reach(entries) {
    const { trace } = this.picture;
    const where = this.#where();
    const cells = [...new Set(entries.map((at) => trace.dst[at]))];
    if (where === "canvas") return { cells, text: `canvas ${extentOf(cells, trace.outShape)}` };
    const shown = cells.map((cell) => outputCell(this.picture, cell)).filter((cell) => cell >= 0);
    return { cells, text: shown.length ? `output ${extentOf(shown, outputShape(this.picture))}` : "cells that the crop removes" };
  }

  #explainInput(index, marks) {
    const { trace } = this.picture;
    const entries = trace.outOf[index];
    marks.input.set(index, { kind: "source", ink: index, tag: letterOf(index) });
    this.#markColumn(index, marks);
    const { cells, text } = this.#reach(entries);
    for (const cell of cells) this.#markBoth(marks, cell, { kind: "reach", ink: index });
    const value = written(this.flatX[index]);
    const name = this.#name("input", index, trace.inShape);
    if (!entries.length) return this.#writeLine(name, `= ${value} reaches no output cell.`);
    const stamp = this.takes === "kernel" && trace.kernelShape ? `stamps ${value} \u00d7 kernel on ${text}` : `goes to ${text}`;
    return this.#writeLine(name, `= ${value} ${stamp}.`);
  }

  #explainKernel(index, marks) {
    const { trace } = this.picture;
    const entries = trace.through[index] ?? [];
    marks.kernel.set(index, { kind: "target" });
    for (const at of entries) {
      marks.input.set(trace.src[at], { kind: "source", ink: trace.src[at], tag: letterOf(trace.src[at]) });
      this.#markBoth(marks, trace.dst[at], { kind: "reach", ink: trace.src[at], tag: letterOf(trace.src[at]) });
      this.#markEntry(trace.dst[at], trace.src[at], marks, { kind: "reach", ink: trace.src[at] });
    }
    const name = this.#name("kernel", index, this.grids.kernel.shape);
    const value = written(this.flatKernel[index]);
    return this.#writeLine(name, entries.length ? `= ${value} multiplies each marked input, once a stamp, and lands on the cells with its letter.` : `= ${value} touches nothing that stays.`);
  }

  #explainSwitch(index, marks) {
    const { trace } = this.picture;
    marks.kernel.set(index, { kind: "target" });
    marks.input.set(index, { kind: "source", ink: index, tag: letterOf(index) });
    for (const at of trace.outOf[index]) this.#markBoth(marks, trace.dst[at], { kind: "reach", ink: index });
    const place = this.state.switches.flat()[index];
    const { stride } = this.state.settings;
    return this.#writeLine(this.#name("switches", index, trace.inShape), `= ${place}: the maximum stood in row ${Math.floor(place / stride)}, column ${place % stride} of its block, so the value goes back there.`);
  }

  /* ---- the matrix and the meter: what is lit there, and what they light */

  #markEntry(cell, input, marks, mark) {
    const row = outputCell(this.picture, cell);
    if (row >= 0 && this.matrix.shown) marks.matrix.set(row * this.matrix.grid.shape[1] + input, mark);
  }

  #markRow(row, marks) {
    const [, columns] = this.matrix.grid.shape;
    if (row >= 0 && this.matrix.shown) for (let input = 0; input < columns; input += 1) marks.matrix.set(row * columns + input, { kind: "reach", ink: input });
  }

  #markColumn(input, marks) {
    const [rows, columns] = this.matrix.grid.shape;
    if (this.matrix.shown) for (let row = 0; row < rows; row += 1) marks.matrix.set(row * columns + input, { kind: "reach", ink: input });
  }

  #explainEntry(index, marks) {
    const { trace } = this.picture;
    const [, columns] = this.matrix.grid.shape;
    const [row, input] = [Math.floor(index / columns), index % columns];
    const cell = canvasCell(this.picture, row);
    this.#markRow(row, marks);
    this.#markColumn(input, marks);
    marks.matrix.set(index, { kind: "target" });
    marks.input.set(input, { kind: "source", ink: input, tag: letterOf(input) });
    if (cell >= 0) this.#markBoth(marks, cell, { kind: "target" });
    else marks.output.set(row, { kind: "target" });
    const used = cell < 0 ? [] : trace.into[cell].filter((at) => trace.src[at] === input && trace.weight[at] >= 0);
    for (const at of used) marks.kernel.set(trace.weight[at], { kind: "source", ink: input, tag: letterOf(input) });
    const value = this.matrix.grid.cells[index].firstChild.textContent;
    const [output, source] = [this.#name("output", row, outputShape(this.picture)), this.#name("input", input, trace.inShape)];
    const through = used.map((at) => this.#name("kernel", trace.weight[at], this.grids.kernel.shape)).join(" + ");
    const reaches = cell >= 0 && trace.into[cell].some((at) => trace.src[at] === input);
    const told = reaches ? `${output} takes ${value} times ${source}${through ? `, through ${through}` : ""}.` : `${source} does not reach ${output}.`;
    return this.#writeLine(this.#name("matrix", index, this.matrix.grid.shape), `= ${value}: ${told}`);
  }

  #explainSeat(index, marks) {
    const [rows, columns] = this.meter.seats.stride;
    const [row, column] = [Math.floor(index / columns), index % columns];
    const [high, wide] = outputShape(this.picture);
    marks.seat.set(index, { kind: "target" });
    for (let r = row; r < high; r += rows) for (let c = column; c < wide; c += columns) marks.output.set(r * wide + c, { kind: "target" });
    const terms = this.meter.seats.terms[index];
    for (const [weight] of terms) if (weight >= 0 && !this.regions.kernel.hidden) marks.kernel.set(weight, { kind: "target" });
    const value = written(this.meter.gains[index]);
    const parts = terms.filter(([weight]) => weight >= 0).map(([weight, gain]) => `${gain === 1 ? "" : `${gainWritten(gain)}\u00b7`}${written(this.flatKernel[weight])}`);
    const sum = parts.length ? `: of the kernel ${parts.map((part) => (part.startsWith("\u2212") ? `(${part})` : part)).join(" + ")} lands here` : "";
    return this.#writeLine(this.#name("seat", index, [rows, columns]), `= ${value} times the flat grey that goes in${sum}.`);
  }

  /** With nothing pointed at, the line tells the step. */
  #stepText(marks) {
    const { stamps, total } = this;
    if (stamps === 0) return this.#writeLine("", "Nothing is put down yet. Press n, or play, for the first input cell.");
    if (stamps === total) return this.#writeLine("", `Point at a cell, or use Tab and the arrow keys, to see where its number comes from.${this.readOnly ? "" : " Type to change an input or kernel value."}`);
    const input = stamps - 1;
    marks.input.set(input, { kind: "source", ink: input, tag: letterOf(input) });
    const { cells, text } = this.#reach(this.picture.trace.outOf[input]);
    const overlaps = cells.filter((cell) => this.picture.trace.into[cell].some((at) => this.picture.trace.src[at] < input)).length;
    for (const cell of cells) this.#markBoth(marks, cell, { kind: "reach", ink: input });
    const value = written(this.flatX[input]);
    const what = this.takes === "kernel" ? `${value} \u00d7 kernel` : value;
    const sum = overlaps ? ` ${overlaps} ${overlaps === 1 ? "cell has" : "cells have"} an earlier stamp: there the values add up.` : "";
    const where = cells.length ? `is put on ${text}.${sum}` : "reaches no output cell.";
    return this.#writeLine(`${this.#stampNoun()} ${letterOf(input)}`, `(${stamps} of ${total}): ${what} ${where}`);
  }

  /* ---- what people do */

  point(target, how) {
    if (how === "hover") this.hovered = target;
    else {
      this.target = target;
      this.hovered = null;
    }
    const text = this.#drawTarget();
    if (how === "focus") {
      if (target) this.say(text);
      const [row, column] = target ? this.grids[target.grid].place(target.index) : [];
      this.outbox.put({ cell: target ? [target.grid, row, column] : null }, 200);
    }
  }

  edit(grid, index, value) {
    if (this.why) {
      this.say("Choose a setting that can be, first.", true);
      return;
    }
    const { state } = this;
    const name = grid === "input" ? "x" : this.takes === "switches" ? "switches" : "kernel";
    const most = state.settings.stride ** 2 - 1;
    if (name === "switches" && !(Number.isInteger(value) && value >= 0 && value <= most)) {
      this.say(`A switch is a place in its block, a whole number from 0 to ${most}.`, true);
      return;
    }
    const width = state[name][0].length;
    this.#change({ [name]: state[name].map((row, r) => row.map((old, c) => (r * width + c === index ? value : old))) });
    const text = this.#drawTarget();
    this.say(this.meter.shown ? `${text} checkerboard ${this.meter.number.textContent}` : text);
  }

  setMethod(method) {
    this.#change({ method, ...this.#fitted({ method }), window: null, step: null });
    this.say(this.why || `${this.state.atlas.methods[method].title}: output ${outputShape(this.picture).join(" by ")}`);
  }

  setSetting(name, value) {
    if (name === "kernel") this.#change({ kernel: resizedKernel(this.state.kernel, value), window: null });
    else {
      const settings = { ...this.state.settings, [name]: value };
      this.#change({ settings, ...this.#fitted({ settings }), window: null });
    }
    this.say(this.why || `output ${outputShape(this.picture).join(" by ")}`);
  }

  /** Input and switches that fit another method or factor; what still fits is kept. */
  #fitted(change) {
    const { atlas, method, settings, x, base, switches } = { ...this.state, ...change };
    const tiles = atlas.methods[method].takes === "tiles" ? settings.stride : 1;
    const most = settings.stride ** 2 - 1;
    return { x: fittedInput(x, base, tiles), switches: switches.map((row) => row.map((place) => Math.min(place, most))) };
  }

  fillKernel() {
    const name = this.preset.value;
    if (!name) return;
    const { kernel, settings } = this.state;
    const { window } = this.picture;
    const cut = window ? [window.row, window.column] : [(kernel.length - 1) >> 1, (kernel[0].length - 1) >> 1];
    this.#change({ kernel: kernelPreset(name, [kernel.length, kernel[0].length], settings.stride, cut, this.seed) });
    if (name === "random") this.seed += 1;
    this.say(`kernel filled: ${KERNEL_PRESETS[name]}`);
  }

  crop(name) {
    const { places } = this.#cropPlaces();
    const settings = { ...this.state.settings, padding: 0, output_padding: 0 };
    if (name === "whole") this.#change({ settings, window: null });
    else {
      const { padding, outputPadding } = places.torch;
      const { row, column } = places[name];
      this.#change({ settings: { ...settings, padding, output_padding: outputPadding }, window: name === "torch" ? null : [row, column] });
    }
    this.say(`${this.window.getAttribute("aria-label")}. ${this.slice.textContent}`);
  }

  moveWindow(row, column) {
    const { window } = this.picture;
    const to = [Math.max(0, Math.min(row, window.most[0])), Math.max(0, Math.min(column, window.most[1]))];
    if (to[0] === window.row && to[1] === window.column) {
      if (window.most[0] === 0 && window.most[1] === 0) this.say("The window is as large as the canvas. Choose torch or TensorFlow below to crop it.", true);
      return;
    }
    this.#change({ window: to });
    this.say(`${this.window.getAttribute("aria-label")}. ${this.slice.textContent}`);
  }

  #windowKey(event) {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!steps || this.why) return;
    event.preventDefault();
    this.moveWindow(this.picture.window.row + steps[0], this.picture.window.column + steps[1]);
  }

  #startDrag(event) {
    const { window } = this.picture;
    if (!window || this.why || event.button !== 0) return;
    const onHandle = event.target.closest(".ck-grip");
    const cell = event.target.closest("[data-index]");
    const inside = cell && outputCell(this.picture, Number(cell.dataset.index)) >= 0;
    if (!onHandle && (!inside || event.pointerType === "touch")) return;
    const box = this.grids.canvas.cells[0].getBoundingClientRect();
    const second = this.grids.canvas.cells[Math.min(1, this.grids.canvas.cells.length - 1)].getBoundingClientRect();
    const pitch = second.left - box.left || box.width;
    const from = { x: event.clientX, y: event.clientY, row: window.row, column: window.column };
    const move = (moved) => {
      this.node.classList.add("ck-dragging");
      this.moveWindow(from.row + Math.round((moved.clientY - from.y) / pitch), from.column + Math.round((moved.clientX - from.x) / pitch));
    };
    const stop = () => {
      this.node.classList.remove("ck-dragging");
      document.removeEventListener("pointermove", move);
      for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, stop);
    };
    document.addEventListener("pointermove", move);
    for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, stop);
    if (onHandle) event.preventDefault();
  }

  goTo(step) {
    this.state.step = step >= this.total ? null : step;
    this.outbox.put({ step: this.state.step }, 200);
    this.hovered = null;
    this.#drawStep();
    this.say(this.line.textContent);
  }

  advance(by) {
    this.pause();
    this.goTo(Math.max(0, Math.min(this.total, this.stamps + by)));
  }

  togglePlay() {
    if (this.timer) return this.pause();
    if (this.stamps === this.total) this.goTo(0);
    const tick = () => {
      this.goTo(this.stamps + 1);
      if (this.stamps === this.total) this.pause();
    };
    this.timer = setInterval(tick, PLAY_MS);
    tick();
    this.#drawPlay();
    return undefined;
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.#drawPlay();
  }

  #drawPlay() {
    const { play } = this.buttons;
    const label = this.timer ? "pause (space)" : "play (space)";
    play.replaceChildren(icon(this.timer ? "pause" : "play"));
    play.setAttribute("aria-label", label);
    play.title = label;
  }

  #shortcut(event) {
    event.stopPropagation(); // or Jupyter takes the key as a command
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const { target } = event;
    const native = target.matches("select, input:not([type=radio])") || (event.key === " " && target.matches("button, input"));
    const action = { n: () => this.advance(1), p: () => this.advance(-1), " ": () => this.togglePlay() }[event.key];
    if (native || !action) return;
    event.preventDefault();
    action();
  }

  /** The visible line for refusals, and the live region for everything. */
  say(text, visible = false) {
    if (visible) this.#writeLine("", text);
    clearTimeout(this.saying);
    this.saying = setTimeout(() => setText(this.live, text), 80); // one announcement for a run of keys
  }

  /* ---- the model */

  #change(change) {
    Object.assign(this.state, change);
    this.outbox.put(change);
    this.refresh();
  }

  /** The cell that the model names, shown as if pointed at; the focus stays where it is. */
  #showCell() {
    const [grid, row, column] = this.model.get("cell") ?? [];
    const view = this.grids[grid];
    const inside = view && row < view.shape[0] && column < view.shape[1];
    this.target = inside ? { grid, index: row * view.shape[1] + column } : null;
    this.#drawTarget();
  }

  /** Python, or another view of the same model, changed something. */
  heard(name) {
    if (this.outbox.outdates(name)) return;
    const value = this.model.get(name);
    if (JSON.stringify(value) === JSON.stringify(this.state[name])) return;
    this.state[name] = value;
    if (name === "cell") {
      this.#showCell();
      return;
    }
    cancelAnimationFrame(this.redraw);
    this.redraw = requestAnimationFrame(() => this.refresh());
  }

  destroy() {
    clearInterval(this.timer);
    this.outbox.close();
    clearTimeout(this.saying);
    this.sizing.disconnect();
    cancelAnimationFrame(this.redraw);
  }
}

function render({ model, el }) {
  const view = new ExplorerView(model, el);
  const heard = REMEMBERED.map((name) => [`change:${name}`, () => view.heard(name)]);
  for (const [event, listener] of heard) model.on(event, listener);
  const unwatch = watchTheme(view.node);
  return () => {
    for (const [event, listener] of heard) model.off?.(event, listener);
    unwatch();
    view.destroy();
  };
}

export default { initialize: hearPython, render };
