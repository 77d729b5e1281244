// Predict: choose, lock the guess, and only then see. The lock never waits for a kernel.

const RECORDED = "Recorded. Run the next cell to see.";

function drawQuestion(model, choose, commit) {
  const options = drawOptions(model.get("options"), choose);
  const legend = make("legend", { class: "qc-question" }, richText(model.get("question")));
  const fieldset = make("fieldset", { class: "qc-fieldset" }, legend, options.box);
  const button = drawButton("Commit", "qc-primary", "submit");
  const status = make("p", { class: "qc-status" });
  const form = make("form", { class: "qc-form" }, fieldset, make("div", { class: "qc-foot" }, button, status));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    commit();
  });
  return { form, rows: options.rows, button, status };
}

function markAnswer(parts, choice, answer) {
  parts.rows.forEach((row, index) => {
    if (index === answer) markOption(row, "right", index === choice ? "Your guess: right" : "The answer");
    else if (index === choice) markOption(row, "wrong", "Your guess");
    else markOption(row, "", "");
  });
}

function standing(model) {
  if (!model.get("committed")) {
    return model.get("awaited") ? "The answer is ready. Commit your guess to see it." : "";
  }
  if (!model.get("revealed")) return model.get("static") ? "Recorded." : RECORDED;
  const [choice, { answer }] = [model.get("choice"), model.get("solution")];
  if (choice === answer) return `Your guess ${LETTERS[answer]} was right.`;
  return `You guessed ${LETTERS[choice]}. The answer is ${LETTERS[answer]}.`;
}

function render({ model, el }) {
  const card = drawCard(el, "qc-predict", "Predict first");
  const parts = drawQuestion(model, choose, commit);
  const reveal = drawButton("Show the answer");
  const why = make("p", { class: "qc-why" });
  reveal.addEventListener("click", () => send({ revealed: true }));
  parts.button.after(reveal);
  card.body.append(parts.form, why);
  keepKeys(card.frame, () => !model.get("committed") || !reveal.hidden);
  let said = "";

  function send(values) {
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
    update();
  }

  function choose(index) {
    if (!model.get("committed")) model.set("choice", index);
    update();
  }

  function commit() {
    if (model.get("committed")) return;
    if (model.get("choice") < 0) {
      const asked = "Choose an option first.";
      parts.status.textContent = asked;
      card.say(asked);
      return;
    }
    send({ choice: model.get("choice"), committed: true });
  }

  function update() {
    const [choice, committed, revealed] = ["choice", "committed", "revealed"].map((name) => model.get(name));
    const hadFocus = card.frame.contains(document.activeElement);
    parts.rows.forEach(({ row, radio }, index) => {
      radio.checked = index === choice;
      radio.disabled = committed;
      row.classList.toggle("qc-chosen", index === choice);
    });
    card.frame.classList.toggle("qc-locked", committed);
    parts.button.hidden = committed;
    parts.button.setAttribute("aria-disabled", String(choice < 0));
    reveal.hidden = !(committed && model.get("static") && !revealed);
    showAnswer(choice, revealed);
    const words = standing(model);
    parts.status.textContent = words;
    if (words !== said) card.say(revealed ? `${words} ${why.textContent}` : words);
    said = words;
    // The pressed button is gone: the focus stays in the card instead of falling off the page.
    if (hadFocus && !card.frame.contains(document.activeElement)) card.frame.focus();
    if (hadFocus && document.activeElement?.disabled) card.frame.focus();
    if (hadFocus && !reveal.hidden) reveal.focus();
  }

  function showAnswer(choice, revealed) {
    const { answer, why: words } = revealed ? model.get("solution") : {};
    why.hidden = !words;
    why.replaceChildren(richText(words ?? ""));
    if (revealed) markAnswer(parts, choice, answer);
    else parts.rows.forEach((row, index) => markOption(row, "", lockWords(index === choice)));
  }

  function lockWords(chosen) {
    return chosen && model.get("committed") ? "Your guess" : "";
  }

  update();
  return follow(model, ["choice", "committed", "awaited", "revealed", "solution"], update);
}

export default { initialize: hearPython, render };
