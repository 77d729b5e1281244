// Tug: two losses' pulls on shared features and their weighted sum, drawn to scale. Python measures the two gradients
// once, as two lengths and a cosine; all that follows from the weight is worked out here.

const CHART = { height: 190, left: 40, right: 12, top: 12, bottom: 30 };
const SAVE_AFTER = 150; // milliseconds without a further change

/* ---------------------------------------------------------------- pure functions */

/**
 * All that a weight makes of two pulls: the tips of the arrows in their plane (class along x, y upwards), lengths,
 * and what each gives along the sum. { tips: { class, box, sum }, lengths, along, shares }
 */
function pullsAt([one, bare], cosine, weight) {
  const other = weight * bare;
  const turn = cosine ?? 1;
  const box = [other * turn, other * Math.sqrt(Math.max(0, 1 - turn * turn))];
  const both = cosine === null ? 0 : one * other * turn;
  const sum = Math.sqrt(Math.max(0, one * one + other * other + 2 * both));
  const along = sum > 0 ? { class: (one * one + both) / sum, box: (other * other + both) / sum } : { class: 0, box: 0 };
  const share = (value) => (sum > 0 ? value / sum : 0);
  return {
    tips: { class: [one, 0], box, sum: [one + box[0], box[1]] },
    lengths: { class: one, box: other, sum },
    along,
    shares: { class: share(along.class), box: share(along.box) },
  };
}

const angleOf = (cosine) => (cosine === null ? null : (Math.acos(cosine) * 180) / Math.PI);

/** "apart", "right" (nearly at right angles), "same" or "none". */
function kindOf(cosine, right) {
  const angle = angleOf(cosine);
  if (angle === null) return "none";
  if (Math.abs(angle - 90) <= right) return "right";
  return angle > 90 ? "apart" : "same";
}

/** The weight at which both pull equally hard, or null where one does not pull or the weight would be out of reach. */
function balancedWeight([one, bare], { least, most }) {
  const weight = one / bare;
  return weight >= least && weight <= most ? weight : null;
}

/** Whole decades on the slider: -2 to 2, and on to what has to be reached. */
function decadesFor(weights, { least, most }) {
  const logs = weights.filter((one) => one !== null).map(Math.log10);
  const low = Math.max(Math.log10(least), Math.min(-2, Math.floor(Math.min(...logs))));
  const high = Math.min(Math.log10(most), Math.max(2, Math.ceil(Math.max(...logs))));
  return [Math.round(low), Math.round(high)];
}

/** What a small step along the sum does to a loss: it falls as long as its pull has a part along the sum. */
function effectOf(along, length) {
  if (length === 0 || Math.abs(along) <= 1e-9 * length) return "leaves";
  return along > 0 ? "lowers" : "raises";
}

/** 1, 2 or 5 times a power of ten, at most `most`. */
function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [5, 2, 1].find((one) => one * power <= most * (1 + 1e-9)) ?? 1;
  return Number((step * power).toPrecision(1));
}

/** Where the plane's points lie on the sheet, all tips inside: { scale, at }. */
function fitted(tips, { width, height, margin }) {
  const points = [[0, 0], ...Object.values(tips)];
  const [low, high] = [Math.min, Math.max].map((best) => [0, 1].map((axis) => best(...points.map((point) => point[axis]))));
  const span = [high[0] - low[0], high[1] - low[1]];
  const room = [width - 2 * margin, height - 2 * margin];
  const scales = span.map((one, axis) => (one > 0 ? room[axis] / one : Infinity));
  const scale = Math.min(...scales);
  const use = Number.isFinite(scale) ? scale : 1;
  const left = (width - use * span[0]) / 2 - use * low[0];
  const base = height / 2 + (use * span[1]) / 2;
  return { scale: use, at: ([x, y]) => [left + use * x, base - use * y] };
}

/** Four figures at most, small and large ones with a power of ten. */
function lengthWritten(value) {
  if (value === 0) return "0";
  if (value >= 1e-3 && value < 1e5) return String(Number(value.toPrecision(3)));
  const [digits, power] = value.toExponential(1).split("e");
  return `${digits}\u00b710${[...String(Number(power))].map((sign) => (sign === "-" ? "\u207b" : "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[sign])).join("")}`;
}
const percent = (share) => `${Math.round(100 * share)} %`.replace("-", "\u2212");
const NAMES = { class: "class loss", box: "box loss", sum: "sum" };
const KINDS = { apart: "They pull apart.", right: "They pull nearly at right angles.", same: "They pull the same way." };

/* ---------------------------------------------------------------- the view */

class TugView {
  constructor(model, el) {
    this.model = model;
    this.outbox = new Outbox(model);
    this.lengths = model.get("lengths");
    this.cosine = model.get("cosine");
    this.looks = model.get("looks");
    this.limits = model.get("limits");
    this.weight = this.start = model.get("weight");
    this.balanced = balancedWeight(this.lengths, this.limits);
    this.decades = decadesFor([this.weight, this.balanced, 1], this.limits);
    this.#build(el);
    this.refresh();
  }

  /* ---- building */

  #build(el) {
    const title = this.model.get("title");
    this.live = element("div", { class: "ck-live", "aria-live": "polite", role: "status" });
    this.node = element("div", { class: "ck-explorer ck-tug", role: "group", "aria-label": title || "the tug of two losses" },
      title ? element("div", { class: "ck-title", text: title }) : null,
      element("div", { class: "ck-stage" }, this.#planeRegion(), element("div", { class: "ck-region", "data-region": "told" }, this.#toldRegion(), this.#chartRegion())), this.live);
    this.node.addEventListener("keydown", (event) => {
      const runsCell = event.key === "Enter" && (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
      if (!runsCell) event.stopPropagation(); // or Jupyter takes the key as a command
    });
    el.replaceChildren(this.node);
    this.sizing = new ResizeObserver(([{ contentRect: { width } }]) => this.#fitRoom(width));
    this.sizing.observe(this.node);
  }

  /** A pixel of the drawings is a pixel of the screen, so that their letters stay as large on a phone. */
  #fitRoom(width) {
    setAttribute(this.node, "data-room", width < 560 ? "narrow" : width < 860 ? "medium" : "wide");
    const side = Math.floor(this.plane.getBoundingClientRect().width) || 320;
    this.sheet = { width: side, height: Math.round(Math.max(220, Math.min(330, 0.64 * side))), margin: side < 330 ? 30 : 42 };
    setAll(this.plane, { viewBox: `0 0 ${side} ${this.sheet.height}`, height: this.sheet.height });
    this.#drawPlane();
    if (this.over) this.over.chart.replaceWith((this.over.chart = this.#chart(Math.floor(this.over.node.getBoundingClientRect().width) || 320)));
  }

  #planeRegion() {
    const arrow = (name) => svg("path", { class: `ck-pull ck-${name}`, "data-arrow": name });
    const label = (name) => svg("text", { class: `ck-label ck-${name}` });
    this.arrows = { sum: arrow("sum"), class: arrow("class"), box: arrow("box") };
    this.stripes = svg("path", { class: "ck-stripes" });
    this.labels = { sum: label("sum"), class: label("class"), box: label("box") };
    this.guides = svg("path", { class: "ck-guides" });
    this.arc = svg("path", { class: "ck-arc" });
    this.arcText = svg("text", { class: "ck-degrees" });
    this.bar = { line: svg("path", { class: "ck-scale" }), text: svg("text", { class: "ck-scale-text" }) };
    this.sheet = { width: 460, height: 300, margin: 42 };
    this.plane = svg("svg", { class: "ck-plane", role: "img" }, this.guides, this.arc,
      this.arrows.sum, this.arrows.class, this.arrows.box, this.stripes, svg("circle", { class: "ck-origin", r: 4 }), this.arcText, ...Object.values(this.labels), this.bar.line, this.bar.text);
    return element("section", { class: "ck-region", "data-region": "plane" }, element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: "two pulls and their sum" })), this.plane, this.#sliderRow());
  }

  #sliderRow() {
    const [low, high] = this.decades;
    const id = `weight-${Math.random().toString(36).slice(2)}`;
    this.slider = element("input", { type: "range", id, min: String(low), max: String(high), step: "any", oninput: () => this.move(10 ** Number(this.slider.value)) });
    this.slider.addEventListener("keydown", (event) => this.#pressed(event));
    this.weightText = element("b");
    const ticks = Array.from({ length: high - low + 1 }, (_, at) => element("span", { text: lengthWritten(10 ** (low + at)), style: `left:${(100 * at) / (high - low)}%` }));
    const chip = (name, text, weight) => element("button", { type: "button", class: "ck-chip", "data-action": name, onclick: () => this.move(weight, true) }, element("span", { text }));
    const chips = [chip("one", "weight 1", 1)];
    if (this.balanced !== null) chips.push(chip("balanced", `pull equally hard: ${lengthWritten(this.balanced)}`, this.balanced));
    return element("div", { class: "ck-weight" }, element("label", { for: id }, "weight of the box loss ", this.weightText), this.slider, element("div", { class: "ck-ticks", "aria-hidden": "true" }, ...ticks), element("div", { class: "ck-chips" }, ...chips));
  }

  #toldRegion() {
    this.headline = element("p", { class: "ck-headline" });
    this.effect = element("p", { class: "ck-effect" });
    this.rows = Object.fromEntries(["class", "box"].map((name) => {
      const parts = { share: element("b"), bar: element("i"), sum: element("span", { class: "ck-faint" }) };
      const swatch = svg("svg", { class: "ck-swatch", width: 26, height: 14, "aria-hidden": "true" }, svg("path", { class: `ck-pull ck-${name}`, d: arrowPath([2, 7], [22, 0], 4) }), ...(name === "box" ? [svg("path", { class: "ck-stripes", d: "M3 7H13" })] : []));
      parts.node = element("div", { class: "ck-giver", "data-giver": name }, element("p", {}, swatch, element("span", { text: name === "box" ? "weighted box loss" : NAMES.class }), parts.share), element("div", { class: "ck-bar", "aria-hidden": "true" }, parts.bar), parts.sum);
      return [name, parts];
    }));
    return element("section", { class: "ck-told" }, this.headline, element("p", { class: "ck-faint ck-asks", text: "How much of the sum's length comes from each?" }), ...Object.values(this.rows).map(({ node }) => node), this.effect);
  }

  #chartRegion() {
    if (!this.looks.length) return null;
    const known = this.looks.filter(([, angle]) => angle !== null);
    const wide = known.filter(([, angle]) => angle > 90).length;
    const ends = known.length > 1 ? [known[0], known.at(-1)] : known;
    const told = ends.map(([step, angle]) => `Step ${step}: ${angle.toFixed(0)}\u00b0. `).join("");
    const text = known.length
      ? `${told}Above 90\u00b0 in ${wide} of ${known.length} ${known.length > 1 ? "looks" : "look"}.`
      : "One of the two was zero at every look.";
    this.over = { label: `angle between the two over training. ${text}`, node: element("section", { class: "ck-over" }) };
    this.over.chart = this.#chart(420);
    this.over.node.append(element("div", { class: "ck-heading" }, element("span", { class: "ck-name", text: "their angle over training" })), this.over.chart, element("p", { class: "ck-faint", text }));
    return this.over.node;
  }

  #chart(width) {
    const { height, left, right, top, bottom } = CHART;
    const [first, last] = [this.looks[0][0], this.looks.at(-1)[0]];
    const x = (step) => toTenth(left + (last > first ? (step - first) / (last - first) : 0.5) * (width - left - right));
    const y = (angle) => toTenth(height - bottom - (angle / 180) * (height - top - bottom));
    const runs = [];
    this.looks.forEach(([step, angle], at) => {
      if (angle === null) return;
      if (at === 0 || this.looks[at - 1][1] === null) runs.push([]);
      runs.at(-1).push(`${x(step)} ${y(angle)}`);
    });
    const dots = this.looks.length > 80 ? [] : this.looks.filter(([, angle]) => angle !== null).map(([step, angle]) => svg("circle", { class: "ck-dot", cx: x(step), cy: y(angle), r: this.looks.length > 30 ? 1.8 : 2.8 }));
    const { right: nearly } = this.limits;
    const words = (text, at, angle, anchor, kind = "ck-axis") => { const node = svg("text", { x: at, y: y(angle) + 4, "text-anchor": anchor, class: kind }); node.textContent = text; return node; };
    const below = (text, at, anchor) => { const node = svg("text", { x: at, y: height - bottom + 17, "text-anchor": anchor, class: "ck-axis" }); node.textContent = text; return node; };
    return svg("svg", { class: "ck-chart", viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": this.over.label },
      svg("rect", { class: "ck-band", x: left, y: y(90 + nearly), width: width - left - right, height: y(90 - nearly) - y(90 + nearly) }),
      svg("path", { class: "ck-ends", d: `M${left} ${y(180)}H${width - right}M${left} ${y(0)}H${width - right}` }),
      svg("path", { class: "ck-ninety", d: `M${left} ${y(90)}H${width - right}` }),
      words("180\u00b0", left - 6, 180, "end"), words("90\u00b0", left - 6, 90, "end", "ck-axis ck-strong"), words("0\u00b0", left - 6, 0, "end"),
      words("pull apart", width - right - 4, 165, "end"), words("the same way", width - right - 4, 14, "end"),
      below(`step ${first}`, left, "start"), ...(last > first ? [below(`step ${last}`, width - right, "end")] : []),
      svg("path", { class: "ck-curve", d: runs.map((points) => `M${points.join("L")}`).join("") }), ...dots);
  }

  /* ---- the keys and the slider */

  /** A twentieth of a power of ten a key; a whole half with Page Up and Page Down. */
  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const [low, high] = this.decades;
    const by = { ArrowRight: 0.05, ArrowUp: 0.05, ArrowLeft: -0.05, ArrowDown: -0.05, PageUp: 0.5, PageDown: -0.5 }[event.key];
    const to = event.key === "Home" ? low : event.key === "End" ? high : by === undefined ? null : Math.round(20 * (Math.log10(this.weight) + by)) / 20;
    if (to === null) return;
    event.preventDefault();
    this.move(10 ** Math.max(low, Math.min(high, to)));
  }

  move(weight, exactly = false) {
    const { least, most } = this.limits;
    const rounded = exactly ? weight : Number(weight.toPrecision(4));
    this.weight = Math.max(least, Math.min(most, rounded));
    this.outbox.put({ weight: this.weight }, SAVE_AFTER);
    this.frame ??= requestAnimationFrame(() => this.refresh());
    this.say();
  }

  /* ---- drawing */

  refresh() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.now = pullsAt(this.lengths, this.cosine, this.weight);
    this.#drawPlane();
    this.#drawTold();
    this.slider.value = String(Math.log10(this.weight));
    setAttribute(this.slider, "aria-valuetext", `weight ${lengthWritten(this.weight)}`);
    setText(this.weightText, lengthWritten(this.weight));
  }

  #drawPlane() {
    if (!this.now) return;
    const { tips, lengths } = this.now;
    const { at, scale } = fitted(tips, this.sheet);
    const origin = at([0, 0]);
    const way = (name) => at(tips[name]).map((value, axis) => value - origin[axis]);
    const thick = { sum: 11, class: 6.5, box: 4.5 };
    for (const [name, node] of Object.entries(this.arrows)) setAttribute(node, "d", arrowPath(origin, way(name), thick[name]));
    const neck = way("box").map((value) => value * Math.max(0, 1 - (3 * thick.box + 1) / Math.max(1, Math.hypot(...way("box")))));
    setAttribute(this.stripes, "d", `M${origin.map(toTenth).join(" ")}l${neck.map(toTenth).join(" ")}`);
    setAll(this.plane.querySelector(".ck-origin"), { cx: toTenth(origin[0]), cy: toTenth(origin[1]) });
    const [one, box, sum] = ["class", "box", "sum"].map((name) => at(tips[name]).map(toTenth).join(" "));
    setAttribute(this.guides, "d", `M${one}L${sum}M${box}L${sum}`);
    this.#drawLabels(at, scale);
    this.#drawArc(origin, way);
    const length = roundLength((90 / scale) || 1);
    const long = toTenth(length * scale);
    const foot = this.sheet.height - 8;
    setAttribute(this.bar.line, "d", lengths.class + lengths.box > 0 ? `M10 ${foot - 4}V${foot}H${10 + long}V${foot - 4}` : "");
    setText(this.bar.text, lengths.class + lengths.box > 0 ? `length ${lengthWritten(length)}` : "");
    setAll(this.bar.text, { x: 16 + long, y: foot + 1 });
    setAttribute(this.plane, "aria-label", `Arrows to scale: class loss ${lengthWritten(lengths.class)}, weighted box loss ${lengthWritten(lengths.box)}, sum ${lengthWritten(lengths.sum)}. ${this.#angleText()}`);
  }

  /** The class lies along the bottom, and the box's tip always left of the sum's: so their names keep apart. */
  #drawLabels(at, scale) {
    const { tips, lengths } = this.now;
    const texts = { class: "class", box: "weight \u00d7 box", sum: "sum" };
    const place = { class: [0, 22, "middle"], box: [-10, -9, "end"], sum: [12, -9, "start"] };
    for (const [name, node] of Object.entries(this.labels)) {
      const [x, y] = at(tips[name]);
      setText(node, lengths[name] * scale > 5 ? texts[name] : "");
      const wide = node.getComputedTextLength();
      const [dx, dy, anchor] = place[name];
      const [low, high] = { start: [4, this.sheet.width - wide - 4], end: [wide + 4, this.sheet.width - 4], middle: [wide / 2 + 4, this.sheet.width - wide / 2 - 4] }[anchor];
      setAll(node, { x: toTenth(Math.max(low, Math.min(high, x + dx))), y: toTenth(Math.max(14, Math.min(this.sheet.height - 20, y + dy))), "text-anchor": anchor });
    }
  }

  #drawArc(origin, way) {
    const angle = angleOf(this.cosine);
    const shortest = Math.min(Math.hypot(...way("class")), Math.hypot(...way("box")));
    const radius = Math.min(44, 0.42 * shortest);
    const shown = angle !== null && radius > 16;
    const turn = ((angle ?? 0) * Math.PI) / 180;
    const on = (far, part) => [origin[0] + far * Math.cos(part * turn), origin[1] - far * Math.sin(part * turn)].map(toTenth).join(" ");
    setAttribute(this.arc, "d", shown ? `M${on(radius, 0)}A${toTenth(radius)} ${toTenth(radius)} 0 0 0 ${on(radius, 1)}` : "");
    const [x, y] = on(radius + 20, angle > 90 ? 0.72 : 0.5).split(" ");
    setAll(this.arcText, { x, y: Number(y) + 4 });
    setText(this.arcText, shown ? `${angle.toFixed(1)}\u00b0` : "");
  }

  #angleText() {
    const angle = angleOf(this.cosine);
    if (angle !== null) return `${angle.toFixed(1)}\u00b0: ${KINDS[kindOf(this.cosine, this.limits.right)].toLowerCase()}`;
    const still = ["class", "box"].filter((_, at) => this.lengths[at] === 0);
    return still.length === 2 ? "Both gradients are zero: nothing pulls." : `The gradient of the ${still[0]} loss is zero: it pulls nowhere, and there is no angle.`;
  }

  #drawTold() {
    const { shares, lengths, along } = this.now;
    setText(this.headline, this.#angleText());
    for (const [name, { share, bar, sum, node }] of Object.entries(this.rows)) {
      setText(share, percent(shares[name]));
      const [from, to] = [0, Math.max(-1, Math.min(2, shares[name]))].sort((one, other) => one - other);
      bar.style.setProperty("--ck-from", `${(100 * (from + 1)) / 3}%`);
      bar.style.setProperty("--ck-long", `${(100 * (to - from)) / 3}%`);
      setAttribute(node, "data-back", String(shares[name] < 0));
      const back = along[name] < 0 ? `, ${lengthWritten(-along[name])} against the sum` : `, ${lengthWritten(along[name])} along the sum`;
      setText(sum, `length ${lengthWritten(lengths[name])}${lengths.sum > 0 ? back : ""}`);
    }
    setText(this.effect, this.#effectText());
  }

  #effectText() {
    const { lengths, along } = this.now;
    if (lengths.sum === 0) return lengths.class ? "The two cancel: a step goes nowhere." : "";
    const [one, other] = ["class", "box"].map((name) => effectOf(along[name], lengths[name]));
    if (one === other) return `A small step along the sum ${one} both losses.`;
    const told = { leaves: "leaves", lowers: "lowers", raises: "raises" };
    const part = (what, name) => `${told[what]} the ${name} loss${what === "leaves" ? " as it is" : ""}`;
    return `A small step along the sum ${part(one, "class")} and ${part(other, "box")}.`;
  }

  /** One announcement for a run of keys. */
  say() {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const { shares } = this.now;
      setText(this.live, `Weight ${lengthWritten(this.weight)}. Of the sum ${percent(shares.class)} is the class loss, ${percent(shares.box)} the box loss. ${this.#effectText()}`);
    }, 250);
  }

  /* ---- the model */

  /** Python, or another view of the same model, moved the weight. */
  heard() {
    if (this.outbox.outdates("weight")) return;
    this.weight = this.model.get("weight");
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
  const view = new TugView(model, el);
  const unwatch = watchTheme(view.node);
  const heard = () => view.heard();
  model.on("change:weight", heard);
  return () => {
    model.off?.("change:weight", heard);
    unwatch();
    view.destroy();
  };
}

export default { initialize: hearPython, render };
