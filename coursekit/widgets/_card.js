// Shared by the two question cards. Joined in front of a widget's own file when its script is built.

const LETTERS = "ABCDEFGH";

/** Make an element: `attributes` are set as they are, `children` are nodes or texts. */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Text with `code` between backticks. Built from nodes, so that no text can become markup. */
function richText(text) {
  const parts = text.split(/`([^`]+)`/);
  const fragment = document.createDocumentFragment();
  parts.forEach((part, index) => fragment.append(index % 2 ? make("code", {}, part) : part));
  return fragment;
}

/** Four figures, a true minus sign: the same as the text fallback shows. */
function shownNumber(value) {
  return String(Number(value.toPrecision(4))).replace("-", "\u2212");
}

/** The largest size of any number in the options: every grid is tinted on one scale. */
function largestValue(options) {
  const sizes = options.flatMap((option) => (option.grid ?? []).flat().map(Math.abs));
  return Math.max(1e-9, ...sizes);
}

/** A small grid of numbers. The tint only helps: the number itself is always there. */
function drawGrid(grid, largest) {
  const texts = grid.map((row) => row.map(shownNumber));
  const spoken = texts.map((row, index) => `row ${index + 1}: ${row.join(", ")}`).join("; ");
  const box = make("span", {
    class: "qc-grid",
    role: "img",
    "aria-label": `${grid.length} by ${grid[0].length} grid, ${spoken}`,
  });
  box.style.setProperty("--columns", grid[0].length);
  box.style.setProperty("--digits", Math.max(2, ...texts.flat().map((text) => text.length)));
  grid.forEach((row, r) =>
    row.forEach((value, c) => {
      const cell = make("span", { class: value < 0 ? "qc-cell qc-negative" : "qc-cell" }, texts[r][c]);
      cell.style.setProperty("--strength", `${Math.round((34 * Math.abs(value)) / largest)}%`);
      box.append(cell);
    }),
  );
  return box;
}

/** A radio group from which one option is chosen. Every row keeps a place for its mark. */
function drawOptions(options, onChoose) {
  const largest = largestValue(options);
  const drawn = options.some((option) => option.grid);
  const group = `choice-${Math.random().toString(36).slice(2)}`;
  const box = make("div", { class: drawn ? "qc-options qc-drawn" : "qc-options" });
  const rows = options.map((option, index) => {
    const radio = make("input", { type: "radio", name: group, value: index });
    const mark = make("span", { class: "qc-mark" });
    const content = option.grid
      ? drawGrid(option.grid, largest)
      : make("span", { class: "qc-words" }, richText(option.text));
    const letter = make("span", { class: "qc-letter" }, LETTERS[index]);
    const row = make("label", { class: "qc-option" }, radio, letter, content, mark);
    radio.addEventListener("change", () => onChoose(index));
    box.append(row);
    return { row, radio, mark };
  });
  return { box, rows };
}

/** Mark an option by shape, symbol and word; `kind` is "right", "wrong" or "". */
function markOption({ row, mark }, kind, words) {
  row.classList.toggle("qc-right", kind === "right");
  row.classList.toggle("qc-wrong", kind === "wrong");
  const symbol = { right: "\u2713 ", wrong: "\u2717 " }[kind] ?? "";
  mark.textContent = words ? symbol + words : "";
}

/** A button that can always be reached: one that cannot act yet says so instead of vanishing. */
function drawButton(words, kind = "qc-primary", type = "button") {
  return make("button", { class: `qc-button ${kind}`, type }, words);
}

/** The frame: what kind of card it is, a place for the question, and a voice for screen readers. */
function drawCard(el, kind, heading) {
  const name = `card-${Math.random().toString(36).slice(2)}`;
  const voice = make("p", { class: "qc-voice", role: "status", "aria-live": "polite" });
  const kicker = make("p", { class: "qc-kicker", id: name }, heading);
  const body = make("div", { class: "qc-body" });
  const frame = make("section", { class: `qc-card ${kind}`, "aria-labelledby": name, tabindex: "-1" });
  frame.append(make("header", { class: "qc-head" }, kicker), body, voice);
  el.replaceChildren(make("div", { class: "qc-room" }, frame));
  return { frame, head: frame.firstChild, body, say: (words) => (voice.textContent = words) };
}

/**
 * Keep plain keys from the page while the card is in use: JupyterLab, which listens on the document, would move
 * between cells on the arrows and delete one on d, d. (Its attribute against shortcuts counts only above an
 * element that matched.) Keys with a modifier pass: Shift+Enter still runs the cell.
 */
function keepKeys(frame, isOpen) {
  frame.addEventListener("keydown", (event) => {
    const modified = event.shiftKey || event.ctrlKey || event.metaKey || event.altKey;
    if (isOpen() && !modified) event.stopPropagation();
  });
}

/** Follow several traits, and stop when the view is taken away. */
function follow(model, names, update) {
  names.forEach((name) => model.on(`change:${name}`, update));
  return () => names.forEach((name) => model.off?.(`change:${name}`, update));
}
