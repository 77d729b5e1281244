"""Both question cards in a real browser, worked by keyboard alone, on a page with no Jupyter in it.

The page holds a small model instead of a kernel. Where a test gives it a widget, what the page saves goes
through the same `set_state` that a kernel would call.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from coursekit.widgets._card import Card
from coursekit.widgets.predicting import Predict
from coursekit.widgets.quizzing import Quiz

pytestmark = pytest.mark.slow

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "cards"

GRIDS = [[[1, 3], [4, 10]], [[1, 1], [-2, 2.5]], [[1, 0], [0, 0]]]
QUESTIONS = [
    {
        "question": "Where two stamps overlap, their values are …",
        "options": ["averaged", "added", "overwritten by the later one"],
        "answer": "B",
        "why": ["A flat input would stay flat.", "Every stamp adds its share.", "Order would matter."],
    },
    {"question": "Which is bed of nails?", "options": GRIDS, "answer": "C", "why": "One nail a block."},
]

# The colours that JupyterLab gives its two themes, as far as a card reads them.
THEMES = {
    "light": ":root { --jp-layout-color1: #fff; --jp-ui-font-color0: #000; background: #fff }",
    "dark": ":root { --jp-layout-color1: #212121; --jp-ui-font-color0: #fff; background: #111 }",
    "bare": ":root { color-scheme: dark }",  # outside Jupyter, for a reader whose system is dark
}

MODEL = """
async ([script, style, state]) => {
  const sheet = document.createElement("style");
  sheet.textContent = style;
  document.head.append(sheet);
  const heard = {};
  let changed = {};
  window.model = {
    get: (name) => state[name],
    set(name, value) {
      if (state[name] === value) return;
      state[name] = changed[name] = value;
      (heard[`change:${name}`] ?? []).forEach((listener) => listener());
    },
    save_changes() {
      window.kernel?.(changed);
      changed = {};
    },
    on: (event, listener) => (heard[event] ??= []).push(listener),
  };
  window.push = (fresh) => Object.entries(fresh).forEach(([name, value]) => window.model.set(name, value));
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  module.default.render({ model: window.model, el: document.querySelector("main") });
}
"""


def plain_state(widget: Card) -> dict[str, Any]:
    return {name: value for name, value in widget.get_state().items() if name != "layout" and name[0] != "_"}


@contextmanager
def shown(
    browser: Any, widget: Card, *, kernel: bool = True, theme: str = "light", width: int = 900, **context: Any
) -> Iterator[Any]:
    """A page that shows the widget; any error or warning in it fails the test."""
    page = browser.new_page(viewport={"width": width, "height": 700}, **context)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    if kernel:
        page.expose_function("kernel", widget.set_state)
    head = '<!doctype html><meta name="viewport" content="width=device-width"><title>A card</title>'
    page.set_content(f"{head}<body style='margin:12px'><main></main>")
    page.add_style_tag(content=THEMES[theme])
    page.evaluate(MODEL, [widget._esm, widget._css, plain_state(widget)])
    try:
        yield page
    finally:
        page.close()
    assert complaints == []


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def settled(page: Any, python_has: Callable[[], bool]) -> bool:
    """Whether Python comes to have it: what the page saves arrives a moment after the key."""
    patience = time.monotonic() + 10
    while not python_has() and time.monotonic() < patience:
        page.wait_for_timeout(20)  # lets the page call Python
    return python_has()


def voice(page: Any) -> str:
    return page.locator("[role=status]").inner_text()


def push(page: Any, widget: Card) -> None:
    """What a kernel does after a change in Python."""
    page.evaluate("(fresh) => window.push(fresh)", plain_state(widget))


def asked(**settings: Any) -> Predict:
    why = "Because `stamps` are summed."
    return Predict(
        "What happens at `x`?", ["covered", "added", "lost"], **{"answer": "B", "why": why, **settings}
    )


def test_a_guess_is_chosen_and_locked_by_keyboard_and_shown_only_by_python(browser):
    guess = asked()
    with shown(browser, guess) as page:
        press(page, "Tab", "Space", "ArrowDown", "ArrowDown")
        assert page.locator("input:checked").get_attribute("value") == "2"
        press(page, "Tab", "Space")
        assert voice(page) == "Recorded. Run the next cell to see."
        assert page.locator("input:enabled").count() == 0
        assert settled(page, lambda: (guess.choice, guess.committed) == (2, True))
        assert "summed" not in page.content()
        assert page.locator(".qc-right, .qc-wrong").count() == 0
        guess.reveal()
        push(page, guess)
        assert page.locator(".qc-right").inner_text().split("\n")[-1] == "✓ The answer"
        assert page.locator(".qc-wrong").inner_text().split("\n")[-1] == "✗ Your guess"
        assert voice(page) == "You guessed C. The answer is B. Because stamps are summed."
        assert page.locator(".qc-why").inner_text() == "Because stamps are summed."


def test_enter_locks_too_and_a_right_guess_says_so(browser):
    guess = asked()
    with shown(browser, guess) as page:
        press(page, "Tab", "ArrowDown", "Enter")
        assert settled(page, lambda: guess.right is True)
        guess.reveal()
        push(page, guess)
        assert page.locator(".qc-right").inner_text().split("\n")[-1] == "✓ Your guess: right"
        assert page.locator(".qc-wrong").count() == 0


def test_nothing_chosen_is_said_and_locks_nothing(browser):
    guess = asked()
    with shown(browser, guess) as page:
        press(page, "Tab", "Enter")
        assert voice(page) == "Choose an option first."
        assert page.locator(".qc-status").inner_text() == "Choose an option first."
        assert page.locator("input:enabled").count() == 3
        assert not guess.committed


def test_the_lock_needs_no_kernel_and_keeps_the_focus_in_the_card(browser):
    with shown(browser, asked(), kernel=False) as page:
        press(page, "Tab", "Space", "Enter")
        assert page.locator("input:enabled").count() == 0
        assert page.locator(".qc-button:visible").count() == 0
        assert page.evaluate("document.activeElement.className").startswith("qc-card")


def test_an_answer_asked_for_too_early_waits(browser):
    guess = asked()
    guess.reveal()
    with shown(browser, guess) as page:
        assert page.locator(".qc-status").inner_text() == "The answer is ready. Commit your guess to see it."
        press(page, "Tab", "Space", "Enter")
        assert settled(page, lambda: guess.revealed)
        push(page, guess)
        assert page.locator(".qc-right").count() == 1


def test_a_static_page_shows_the_answer_on_a_button_after_the_guess(browser):
    with shown(browser, asked(static=True), kernel=False) as page:
        assert page.get_by_role("button", name="Show the answer").count() == 0
        press(page, "Tab", "Space", "Enter")
        assert page.evaluate("document.activeElement.textContent") == "Show the answer"
        press(page, "Enter")
        assert page.locator(".qc-right").count() == 1
        assert "The answer is B." in voice(page)


def test_a_page_with_shortcuts_hears_plain_keys_only_once_the_card_is_done(browser):
    with shown(browser, asked()) as page:
        # JupyterLab listens here; an arrow would move to another cell, d twice would delete one.
        page.evaluate("window.heard = []; document.addEventListener('keydown', (e) => heard.push(e.key))")
        press(page, "Tab")
        page.evaluate("window.heard.length = 0")
        press(page, "Space", "ArrowDown", "d", "Control+m")
        assert page.evaluate("window.heard") == ["Control", "m"]
        page.get_by_role("button", name="Commit").focus()
        press(page, "Space", "ArrowDown")
        assert page.evaluate("window.heard") == ["Control", "m", "ArrowDown"]


def test_grid_options_are_drawn_and_spoken(browser):
    with shown(browser, Predict("Which comes out?", GRIDS)) as page:
        assert page.locator(".qc-grid").count() == 3
        assert page.locator(".qc-cell").nth(3).inner_text() == "10"
        name = "B 2 by 2 grid, row 1: 1, 1; row 2: −2, 2.5"
        assert page.get_by_role("radio", name=name, exact=True).count() == 1
        press(page, "Tab", "ArrowRight", "Enter")
        assert page.evaluate("window.model.get('choice')") == 1


def test_a_text_never_becomes_markup(browser):
    nasty = "<img src=x onerror=alert(1)> `<b>`"
    guess = Predict(nasty, [nasty, "other"], answer=0, why=nasty)
    with shown(browser, guess) as page:
        press(page, "Tab", "Space", "Enter")
        guess.reveal()
        push(page, guess)
        assert page.locator("main img, main b").count() == 0
        assert page.locator("legend").inner_text() == "<img src=x onerror=alert(1)> <b>"


def test_a_quiz_is_worked_by_keyboard_to_its_summary(browser):
    quiz = Quiz(QUESTIONS)
    with shown(browser, quiz) as page:
        press(page, "Tab", "Tab", "Tab", "Space", "Enter")
        assert voice(page) == "Not this one. Try again. A flat input would stay flat."
        assert page.locator(".qc-wrong .qc-mark").inner_text() == "✗ Not this one"
        assert page.locator("input:enabled").count() == 2
        assert page.get_by_role("button", name="Next question").count() == 0
        press(page, "Space", "Enter")
        assert voice(page) == "Right. Every stamp adds its share."
        assert page.locator(".qc-why").all_inner_texts() == [
            "✗ A: Not this one. A flat input would stay flat.",
            "✓ B: Right. Every stamp adds its share.",
        ]
        press(page, "Enter")
        assert page.locator(".qc-count").inner_text() == "Question 2 of 2"
        press(page, "ArrowUp", "Enter", "Enter")
        assert voice(page) == "1 of 2 right at the first try."
        assert page.locator(".qc-result .qc-mark").all_inner_texts() == ["↻ Try 2", "✓ First try"]
        assert settled(page, lambda: (quiz.tries, quiz.answers, quiz.score) == ([[0, 1], [2]], [0, 2], 1))


def test_a_quiz_asks_for_a_choice_and_lets_one_look_back(browser):
    with shown(browser, Quiz(QUESTIONS), kernel=False) as page:
        press(page, "Tab", "Tab", "Tab", "Enter")
        assert voice(page) == "Choose an option first."
        press(page, "ArrowDown", "Enter", "Enter")
        page.get_by_role("button", name="Question 1, right at the first try").focus()
        press(page, "Enter")
        assert page.locator("[aria-current=step]").inner_text() == "✓"
        assert page.locator(".qc-right .qc-mark").inner_text() == "✓ Right"
        assert page.locator("input:enabled").count() == 0
        assert page.get_by_role("button", name="Question 2, open").count() == 1


def test_a_quiz_taken_up_again_opens_where_it_was_left(browser):
    quiz = Quiz(QUESTIONS)
    quiz.choose(1, "B")
    quiz.choose(2, "A")
    with shown(browser, quiz) as page:
        assert page.locator(".qc-count").inner_text() == "Question 2 of 2"
        assert page.locator(".qc-wrong .qc-mark").inner_text() == "✗ Not this one"


def cards() -> Iterator[tuple[str, Card]]:
    """Every face that a card can show."""
    for name, options in (("text", ["covered " * 12, "added", "lost"]), ("grid", GRIDS)):
        for stage in ("open", "locked", "revealed"):
            guess = Predict("What happens at `x`?", options, answer="B", why="Because stamps are summed.")
            if stage != "open":
                guess.commit("A")
            yield f"predict-{name}-{stage}", guess.reveal() if stage == "revealed" else guess
    for stage, tries in (("open", []), ("wrong", [(1, "A")]), ("done", [(1, "A"), (1, "B"), (2, "C")])):
        quiz = Quiz(QUESTIONS)
        for question, option in tries:
            quiz.choose(question, option)
        yield f"quiz-{stage}", quiz


def channels(colour: str) -> list[float]:
    """Red, green and blue from 0 to 1, of `rgb(…)` or of the `color(srgb …)` that a mix computes to."""
    numbers = [float(number) for number in re.findall(r"[\d.]+(?:e-?\d+)?", colour.replace("srgb", ""))]
    scale = 1 if "srgb" in colour else 255
    return [number / scale for number in numbers[:3]]


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.1, 1 to 21."""

    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


PAINTED_TEXTS = """
() => [...document.querySelectorAll("main *")].filter((node) => node.checkVisibility() &&
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())).map((node) => {
  let under = node;
  const ground = () => getComputedStyle(under).backgroundColor;
  while (/rgba\\(0, 0, 0, 0\\)|\\/ 0/.test(ground())) under = under.parentElement;
  return [node.textContent, getComputedStyle(node).color, ground()];
})
"""


@pytest.mark.parametrize(("theme", "width"), list(itertools.product(THEMES, [360, 1200])))
def test_every_face_fits_and_reads_in_both_themes(browser, theme, width):
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    scheme = {"color_scheme": "dark"} if theme == "bare" else {}
    for name, card in cards():
        with shown(browser, card, theme=theme, width=width, reduced_motion="reduce", **scheme) as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            painted = page.evaluate(PAINTED_TEXTS)
            assert len(painted) >= 5, name
            for text, colour, background in painted:
                assert contrast(colour, background) >= 4.5, (name, text, colour, background)
            page.screenshot(path=ARTIFACTS / f"{name}-{theme}-{width}.png", full_page=True)


def test_the_focus_is_always_visible(browser):
    outlined = """() => {
      const here = document.activeElement;
      return getComputedStyle(here.closest(".qc-option") ?? here).outlineStyle !== "none";
    }"""
    with shown(browser, Quiz(QUESTIONS)) as page:
        for _ in range(4):  # two questions to go to, the options, the button
            press(page, "Tab")
            assert page.evaluate("document.activeElement.matches('main *')")
            assert page.evaluate(outlined)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_for_those_who_asked_for_stillness(browser, motion, moves):
    guess = asked()
    guess.commit("A")
    with shown(browser, guess.reveal(), reduced_motion=motion) as page:
        style = "getComputedStyle(document.querySelector('.qc-why')).animationName"
        assert (page.evaluate(style) != "none") is moves
