// Quiz: one question at a time, feedback at once, and another try until the right option is found.

function solved(asked, tried) {
  return tried.includes(asked.answer);
}

/** What a progress button shows and says: a number, then a tick, or a tick with the tries it took. */
function progressWords(asked, tried) {
  if (!solved(asked, tried)) return tried.length ? "not yet" : "open";
  return tried.length === 1 ? "right at the first try" : `right at try ${tried.length}`;
}

/** The explanation of every option tried, the wrong ones first as they came. */
function drawFeedback(asked, tried) {
  return tried.map((option) => {
    const right = option === asked.answer;
    const verdict = right ? "Right." : "Not this one.";
    const head = make("strong", {}, `${right ? "\u2713" : "\u2717"} ${LETTERS[option]}: ${verdict}`);
    return make("p", { class: right ? "qc-why qc-why-right" : "qc-why qc-why-wrong" }, head, " ",
      richText(asked.why[option]));
  });
}

/** The right option again, since the last thing read is what stays. */
function drawGiven({ options, answer }) {
  const words = options[answer].text;
  return make("span", { class: "qc-given" }, LETTERS[answer], words ? ": " : "", richText(words ?? ""));
}

function drawSummary(questions, tries) {
  const first = questions.filter((asked, index) => tries[index][0] === asked.answer).length;
  const items = questions.map((asked, index) => {
    const sure = tries[index][0] === asked.answer;
    const mark = make("span", { class: "qc-mark" }, sure ? "\u2713 First try" : `\u21bb Try ${tries[index].length}`);
    const text = make("span", { class: "qc-words" }, richText(asked.question), drawGiven(asked));
    return make("li", { class: sure ? "qc-result qc-right" : "qc-result qc-wrong" }, text, mark);
  });
  const missed = questions.length - first;
  const advice = missed
    ? `Come back to the ${missed === 1 ? "one" : missed} marked \u21bb tomorrow.`
    : "Nothing to come back to.";
  const score = `${first} of ${questions.length} right at the first try.`;
  return { score, nodes: [make("p", { class: "qc-question" }, score), make("ol", { class: "qc-results" }, ...items),
    make("p", { class: "qc-status" }, advice)] };
}

function render({ model, el }) {
  const questions = model.get("questions");
  const card = drawCard(el, "qc-quiz", model.get("title"));
  const dots = questions.map((_, index) => {
    const dot = make("button", { class: "qc-dot", type: "button" });
    dot.addEventListener("click", () => go(index));
    return dot;
  });
  const items = dots.map((dot) => make("li", {}, dot));
  card.head.append(make("nav", { "aria-label": "Questions" }, make("ol", { class: "qc-dots" }, ...items)));

  const SUMMARY = questions.length;
  let place = firstOpen();
  let picked = -1;
  let parts = null;
  keepKeys(card.frame, () => place !== SUMMARY || card.head.contains(document.activeElement));

  function tried(index) {
    return model.get("tries")[index];
  }

  function firstOpen(from = 0) {
    const order = questions.map((_, step) => (from + step) % questions.length);
    return order.find((index) => !solved(questions[index], tried(index))) ?? SUMMARY;
  }

  function go(index) {
    place = index;
    picked = -1;
    show();
    const first = parts?.rows.find(({ radio }) => !radio.disabled)?.radio;
    (first ?? parts?.next ?? card.frame).focus();
  }

  function show() {
    if (place === SUMMARY) showSummary();
    else showQuestion();
    update();
  }

  function showSummary() {
    parts = null;
    const { score, nodes } = drawSummary(questions, model.get("tries"));
    card.body.replaceChildren(...nodes);
    card.say(score);
  }

  function showQuestion() {
    const asked = questions[place];
    const { box, rows } = drawOptions(asked.options, (option) => {
      picked = option;
      update();
    });
    const whose = asked.lesson ? ` \u00b7 back from lesson ${asked.lesson}` : "";
    const count = make("span", { class: "qc-count" }, `Question ${place + 1} of ${questions.length}${whose}`);
    const legend = make("legend", { class: "qc-question" }, count, richText(asked.question));
    const check = drawButton("Check", "qc-primary", "submit");
    const next = drawButton("Next question");
    const status = make("p", { class: "qc-status" });
    const feedback = make("div", { class: "qc-feedback" });
    const form = make("form", { class: "qc-form" }, make("fieldset", { class: "qc-fieldset" }, legend, box),
      feedback, make("div", { class: "qc-foot" }, check, next, status));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      answer();
    });
    next.addEventListener("click", () => go(firstOpen(place + 1)));
    card.body.replaceChildren(form);
    parts = { rows, check, next, status, feedback };
  }

  function answer() {
    const asked = questions[place];
    if (solved(asked, tried(place))) return;
    if (picked < 0) {
      parts.status.textContent = "Choose an option first.";
      card.say("Choose an option first.");
      return;
    }
    const option = picked;
    picked = -1;
    const tries = model.get("tries").map((row, index) => (index === place ? [...row, option] : [...row]));
    model.set("tries", tries);
    model.set("answers", tries.map((row) => row[0] ?? -1));
    model.save_changes();
    update();
    const right = option === asked.answer;
    card.say(`${right ? "Right." : "Not this one. Try again."} ${asked.why[option].replaceAll("`", "")}`);
    (right ? parts.next : parts.rows.find(({ radio }) => !radio.disabled).radio).focus();
  }

  function update() {
    dots.forEach((dot, index) => updateDot(dot, index));
    if (parts) updateQuestion(questions[place], tried(place));
  }

  function updateDot(dot, index) {
    const [asked, row] = [questions[index], tried(index)];
    const done = solved(asked, row);
    dot.textContent = done ? (row.length === 1 ? "\u2713" : "\u21bb") : String(index + 1);
    dot.classList.toggle("qc-right", done && row.length === 1);
    dot.classList.toggle("qc-wrong", done && row.length > 1);
    dot.setAttribute("aria-label", `Question ${index + 1}, ${progressWords(asked, row)}`);
    if (index === place) dot.setAttribute("aria-current", "step");
    else dot.removeAttribute("aria-current");
  }

  function updateQuestion(asked, row) {
    const done = solved(asked, row);
    parts.rows.forEach((option, index) => {
      const wrong = row.includes(index) && index !== asked.answer;
      option.radio.checked = done ? index === asked.answer : index === picked;
      option.radio.disabled = done || wrong;
      option.row.classList.toggle("qc-chosen", option.radio.checked);
      if (wrong) markOption(option, "wrong", "Not this one");
      else if (done && index === asked.answer) markOption(option, "right", "Right");
      else markOption(option, "", "");
    });
    // Only when there is something new, or every choice would make the old words appear once more.
    if (parts.feedback.childElementCount !== row.length) {
      parts.feedback.replaceChildren(...drawFeedback(asked, row));
    }
    parts.check.hidden = done;
    parts.check.textContent = row.length ? "Check again" : "Check";
    parts.check.setAttribute("aria-disabled", String(picked < 0));
    parts.next.hidden = !done;
    parts.next.textContent = firstOpen(place + 1) === SUMMARY ? "See how it went" : "Next question";
    parts.status.textContent = row.length && !done ? "Choose another option." : "";
  }

  function refresh() {
    if (place === SUMMARY && firstOpen() !== SUMMARY) place = firstOpen();
    update();
  }

  show();
  return follow(model, ["tries"], refresh);
}

export default { initialize: hearPython, render };
