// TrainingBoard: loss, mean IoU, seconds left and what the net says by now. Python sends all of it; the only
// thing that goes back is a request to stop.

const SVG = "http://www.w3.org/2000/svg";
const CHART = { width: 340, height: 168, left: 38, right: 12, top: 12, bottom: 24 };
const COUNTED_AHEAD = 1.5; // seconds: without news for longer, the net is being scored and no time runs

const RUNNING = ["training", "stopping"];
const STATES = {
  waiting: "\u25cb Not begun",
  training: "\u25cf Training",
  stopping: "\u25cf Stopping",
  finished: "\u2713 Finished",
  stopped: "\u25a0 Stopped",
  failed: "\u2717 Broke off",
};

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function fixed(value, digits) {
  return value === null || value === undefined ? "\u2013" : value.toFixed(digits);
}

/** Loss as a learner reads it: three figures, whether it is 12 or 0.0012. */
function shownLoss(value) {
  return value === null || value === undefined ? "\u2013" : String(Number(value.toPrecision(3)));
}

/** Round values for a log scale: 1, 2 and 5 times a power of ten, and some between where there are few. */
function powersBetween(low, high) {
  const found = [];
  const factors = high / low > 8 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 7];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1)
    found.push(...factors.map((factor) => factor * 10 ** power));
  const inside = found.filter((value) => value >= low && value <= high);
  const every = Math.ceil(inside.length / 6);
  return inside.filter((_, index) => index % every === 0);
}

/** Round values in equal steps of 1, 2 or 5 times a power of ten. */
function stepsBetween(low, high) {
  const power = 10 ** Math.floor(Math.log10((high - low) / 5));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => (high - low) / size <= 5);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, index) => (first + index) * step);
}

function roundValues({ low, high, log }) {
  const powers = log ? powersBetween(low, high) : [];
  return powers.length > 1 ? powers : stepsBetween(low, high);
}

/** Where values lie on the y axis: a log scale shows a loss that falls quickly and then slowly as one line. */
function scaleOf(values, bounds) {
  if (bounds) return { low: bounds[0], high: bounds[1], log: false };
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (least > 0) return { low: least * 0.9, high: Math.max(most * 1.1, least * 1.3), log: true };
  return { low: least - 0.1, high: most + 0.1 * (most - least) + 0.1, log: false };
}

function drawChart(title) {
  const svg = draw("svg", { viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: "img", class: "tb-chart" });
  const heading = make("figcaption", {}, title);
  return { figure: make("figure", { class: "tb-figure" }, heading, svg), heading, svg, title };
}

function updateChart(chart, points, { end, unit, bounds, baseline, against, empty, dots }) {
  const { width, height, left, right, top, bottom } = CHART;
  const parts = [];
  const scale = points.length || bounds ? scaleOf(points.map((point) => point[1]), bounds) : null;
  const measure = scale?.log ? Math.log : (value) => value;
  const last = Math.max(end, points.at(-1)?.[0] ?? 0) || 1;
  const x = (place) => left + (place / last) * (width - left - right);
  const y = (value) => {
    const part = (measure(value) - measure(scale.low)) / (measure(scale.high) - measure(scale.low));
    return height - bottom - part * (height - top - bottom);
  };
  const marks = bounds ? [0, 0.5, 1] : scale ? roundValues(scale) : [];
  for (const value of marks) {
    parts.push(draw("line", { class: "tb-grid", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    parts.push(draw("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, shownLoss(value)));
  }
  parts.push(draw("path", { class: "tb-axis", d: `M${left} ${top}V${height - bottom}H${width - right}` }));
  parts.push(draw("text", { x: left, y: height - 7 }, "0"));
  const whole = `${Math.round(last).toLocaleString("en")} ${unit}`;
  parts.push(draw("text", { x: width - right, y: height - 7, "text-anchor": "end" }, whole));
  if (baseline !== undefined && baseline !== null) {
    parts.push(draw("line", { class: "tb-base", x1: left, x2: width - right, y1: y(baseline), y2: y(baseline) }));
    const place = { x: width - right - 2, y: y(baseline) - 5, "text-anchor": "end", class: "tb-halo" };
    parts.push(draw("text", place, `${against}: ${baseline.toFixed(2)}`));
  }
  if (points.length) {
    const line = points.map(([place, value]) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`);
    parts.push(draw("polyline", { class: "tb-line", points: line.join(" ") }));
    const marked = dots ? line : line.slice(-1);
    marked.forEach((place) => {
      const [cx, cy] = place.split(",");
      parts.push(draw("circle", { class: "tb-dot", cx, cy, r: 3.5 }));
    });
  } else {
    const place = { x: (left + width - right) / 2, y: height / 2, "text-anchor": "middle" };
    parts.push(draw("text", place, empty));
  }
  chart.svg.replaceChildren(...parts);
  chart.heading.textContent = scale?.log ? `${chart.title} (log scale)` : chart.title;
  const [first, newest] = [points[0], points.at(-1)].map((point) => shownLoss(point?.[1]));
  const said = points.length ? `from ${first} to ${newest}` : empty;
  chart.svg.setAttribute("aria-label", `${chart.title}: ${said}`);
}

/** One picture; names lie on the classes, so that no colour is needed to tell them. */
function drawTile(source, { width, height, tags }, says) {
  const size = { width, height };
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": says, class: "tb-tile" });
  svg.append(draw("image", { href: source, ...size }));
  for (const { name, x, y } of tags ?? []) {
    const attributes = { x, y, "font-size": width / 9, "stroke-width": width / 45, class: "tb-tag" };
    svg.append(draw("text", attributes, name));
  }
  return svg;
}

/** What is wider than its place can be scrolled with the keyboard too, and is no stop of the Tab key else. */
function reachByKeys(place) {
  new ResizeObserver(() => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }).observe(place);
}

function drawGallery(pictures) {
  const grid = make("div", { class: "tb-gallery" });
  grid.style.setProperty("--abreast", pictures.length);
  const row = (name, cells) => grid.append(make("div", { class: "tb-row" }, name), ...cells);
  row("Image", pictures.map((each, index) =>
    make("div", {}, drawTile(each.image, { ...each, tags: [] }, `image ${index + 1}`))));
  row("Truth", pictures.map((each, index) =>
    make("div", {}, drawTile(each.mask, each, `truth ${index + 1}: ${each.holds}`))));
  const spaces = pictures.map(({ width, height }) => {
    const empty = make("div", { class: "tb-space" });
    empty.style.setProperty("--shape", `${width} / ${height}`);
    return make("div", {}, empty);
  });
  row("Prediction", spaces);
  reachByKeys(grid);
  return { grid, spaces };
}

function drawLegend(legend) {
  const entries = legend.map(({ name, colour }) => {
    const mark = make("i", { "aria-hidden": "true" });
    mark.style.background = colour;
    return make("span", {}, mark, name);
  });
  return make("p", { class: "tb-legend" }, ...entries);
}

function drawFigures(names) {
  const figures = {};
  const list = make("div", { class: "tb-figures" });
  for (const [key, name] of Object.entries(names)) {
    const [value, title] = [make("strong", {}, "\u2013"), make("span", {}, name)];
    figures[key] = { title, value };
    list.append(make("div", { "data-figure": key }, value, " ", title));
  }
  return { list, figures };
}

function render({ model, el }) {
  const card = drawCard(el, "tb-board", "Training");
  const state = make("span", { class: "tb-state" });
  const stop = drawButton("\u25a0 Stop", "tb-stop");
  card.head.append(make("div", { class: "tb-top" }, state, stop));
  const { list, figures } = drawFigures({ left: "seconds left", loss: "loss", miou: "mean IoU" });
  const bar = make("div", { class: "tb-bar", role: "progressbar", "aria-label": "time used" }, make("div"));
  const words = make("p", { class: "tb-words" });
  const charts = { loss: drawChart("Loss"), miou: drawChart("Mean IoU") };
  const gallery = make("div", { class: "tb-pictures" });
  const figuresBelow = make("div", { class: "tb-charts" }, charts.loss.figure, charts.miou.figure);
  card.body.append(list, bar, words, figuresBelow, gallery);
  keepKeys(card.frame, () => RUNNING.includes(model.get("now").state));
  let spaces = [];
  let heardAt = performance.now();
  let asked = { run: 0, at: 0 };
  let said = "";

  stop.addEventListener("click", () => {
    const { run, state: standing } = model.get("now");
    if (standing !== "training" || asked.run === run) return;
    asked = { run, at: performance.now() };
    model.send?.({ stop: run });
    showNow();
  });

  /** What is on the screen: pressing Stop shows at once, whenever Python may answer. */
  function standing() {
    const now = model.get("now");
    return now.state === "training" && asked.run === now.run ? "stopping" : now.state;
  }

  function secondsLeft() {
    const now = model.get("now");
    if (now.state !== "training") return 0;
    const since = Math.min(COUNTED_AHEAD, (performance.now() - heardAt) / 1000);
    return Math.max(0, now.left - since);
  }

  function showTime() {
    const [now, shown] = [model.get("now"), standing()];
    const left = secondsLeft();
    const over = ["finished", "stopped", "failed"].includes(shown);
    figures.left.title.textContent = over ? "seconds trained" : "seconds left";
    const ahead = shown === "training" ? String(Math.ceil(left)) : shown === "stopping" ? "0" : "\u2013";
    figures.left.value.textContent = over ? fixed(now.seconds, 1) : ahead;
    const share = shown === "training" && now.left + now.seconds > 0 ? 1 - left / (now.left + now.seconds) : now.part ?? 0;
    bar.firstChild.style.width = `${(100 * share).toFixed(1)}%`;
    bar.setAttribute("aria-valuenow", Math.round(100 * share));
    const slow = shown === "stopping" && now.state === "training" && performance.now() - asked.at > 4000;
    words.textContent = sentence(now, shown, left, slow);
  }

  function sentence(now, shown, left, slow) {
    if (slow) return "No answer yet. The notebook\u2019s own \u25a0 button (Interrupt) stops it too.";
    if (shown === "training") {
      const pace = now.pace ? ` \u00b7 ${Math.round(now.pace)} images a second` : "";
      return left > 0 ? `Step ${now.step.toLocaleString("en")}${pace}` : "Time is up: the net is scored.";
    }
    return shown === "stopping" ? "Stopping: the net is scored as it is now." : now.words;
  }

  function showNow() {
    const [now, shown] = [model.get("now"), standing()];
    const hadFocus = card.frame.contains(document.activeElement);
    state.textContent = STATES[shown] ?? "";
    card.frame.dataset.state = shown;
    stop.hidden = !RUNNING.includes(shown);
    stop.setAttribute("aria-disabled", String(shown === "stopping"));
    figures.loss.value.textContent = shownLoss(now.loss);
    figures.miou.value.textContent = fixed(now.miou, 2);
    showTime();
    // The pressed button is gone: the focus stays in the card instead of falling off the page.
    if (hadFocus && stop.hidden && document.activeElement !== card.frame) card.frame.focus({ preventScroll: true });
    announce(now, shown);
  }

  /** The beginning, the middle and the end; the numbers between are there to be read, not to interrupt. */
  function announce(now, shown) {
    const middle = shown === "training" && now.part >= 0.5;
    const stage = `${now.run} ${shown}${middle ? " half" : ""}`;
    if (stage === said || shown === "waiting") return;
    said = stage;
    if (shown === "stopping") card.say("Stopping.");
    else if (middle) card.say(`Half the time is over. Loss ${shownLoss(now.loss)}, mean IoU ${fixed(now.miou, 2)}.`);
    else if (shown === "training") card.say(`Training began, ${Math.ceil(now.left)} seconds.`);
    else card.say(now.words);
  }

  function hear() {
    heardAt = performance.now();
    showNow();
  }

  function showCurves() {
    const { losses = [], mious = [], end = 0, unit = "s" } = model.get("curves");
    figuresBelow.hidden = !end;
    const shared = { end, unit };
    updateChart(charts.loss, losses, { ...shared, empty: "no loss yet" });
    const { baseline, against } = model.get("now");
    const scored = { bounds: [0, 1], baseline, against, dots: true, empty: "not scored yet" };
    updateChart(charts.miou, mious, { ...shared, ...scored });
  }

  function showPictures() {
    const pictures = model.get("pictures");
    gallery.hidden = !pictures.length;
    if (!pictures.length) return;
    const drawn = drawGallery(pictures);
    spaces = drawn.spaces;
    gallery.replaceChildren(drawn.grid, drawLegend(model.get("legend")));
    showPredictions();
  }

  function showPredictions() {
    model.get("predictions").forEach((each, index) => {
      const says = `prediction ${index + 1}: ${each.holds}`;
      const score = make("small", {}, each.iou === null ? "" : `IoU ${each.iou.toFixed(2)}`);
      spaces[index]?.replaceChildren(drawTile(each.mask, each, says), score);
    });
  }

  const stops = [
    follow(model, ["now"], hear),
    follow(model, ["curves", "now"], showCurves),
    follow(model, ["pictures", "legend"], showPictures),
    follow(model, ["predictions"], showPredictions),
  ];
  const ticking = setInterval(() => RUNNING.includes(model.get("now").state) && showTime(), 200);
  showPictures();
  showCurves();
  hear();
  return () => {
    clearInterval(ticking);
    stops.forEach((end) => end());
  };
}

export default { initialize: hearPython, render };
