"""The board's script in a real browser, on a page with no Jupyter: every state, both themes, any width."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from coursekit.data import load_scenes
from coursekit.training import Progress, evaluate
from coursekit.widgets import TrainingBoard

pytestmark = pytest.mark.slow

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "board"

# The colours that JupyterLab gives its two themes, as far as a card reads them.
THEMES = {
    "light": ":root { --jp-layout-color1: #fff; --jp-ui-font-color0: #000; background: #fff }",
    "dark": ":root { --jp-layout-color1: #212121; --jp-ui-font-color0: #fff; background: #111 }",
}

PAGE = """
async ([script, style, state]) => {
  document.head.append(Object.assign(document.createElement("style"), { textContent: style }));
  const heard = {};
  window.sent = [];
  window.model = {
    get: (name) => state[name],
    send: (content) => window.sent.push(content),
    on: (event, listener) => (heard[event] ??= []).push(listener),
    off: (event, listener) => (heard[event] = heard[event].filter((one) => one !== listener)),
  };
  window.push = (fresh) => {
    Object.assign(state, fresh);
    for (const name in fresh) (heard[`change:${name}`] ?? []).forEach((listener) => listener());
  };
  window.spoken = [];
  const main = document.querySelector("main");
  new MutationObserver(() => {
    const words = main.querySelector("[role=status]")?.textContent;
    if (words && words !== window.spoken.at(-1)) window.spoken.push(words);
  }).observe(main, { subtree: true, childList: true, characterData: true });
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  window.leave = module.default.render({ model: window.model, el: main });
}
"""


class Blur(nn.Module):
    """Says what the truth is, the more exactly the clearer it sees; so that pictures sharpen in a test."""

    def __init__(self, masks: torch.Tensor) -> None:
        super().__init__()
        self.truth = nn.functional.one_hot(masks.long(), 5).permute(0, 3, 1, 2).float()
        self.width = nn.Parameter(torch.tensor(9.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        size = int(self.width) | 1
        blurred = nn.functional.avg_pool2d(self.truth[: len(images)], size, 1, size // 2)
        return blurred * (1 + 0 * self.width)


def board_at(part: float, state: str) -> TrainingBoard:
    """A board as it looks after a part of a run of 20 seconds."""
    scenes = load_scenes(4, seed=5)
    board, net = TrainingBoard(scenes), Blur(scenes.masks)
    if state == "waiting":
        return board
    progress = board.kept = Progress(net, 20.0, None)  # its end would be the end of the run
    now = 0.0
    board._clock = lambda: now  # type: ignore[method-assign, assignment]
    for step in range(int(400 * part)):
        now = progress.seconds = 0.05 * (step + 1)
        progress.step, progress.images = step + 1, 8 * (step + 1)
        progress.loss = 1.7 / (1 + step / 12) + 0.02 * (step % 7)
        net.width.data.fill_(max(1.0, 25 - step / 6))
        if step % 66 == 65:
            progress.scores = evaluate(net, scenes)
        board(progress)
    if state == "stopping":
        board.stop()
        board(progress)
    elif state != "training":
        board._close(state)
    return board


def plain_state(board: TrainingBoard) -> dict[str, Any]:
    names = ("now", "curves", "pictures", "predictions", "legend")
    return {name: getattr(board, name) for name in names}


@contextmanager
def shown(
    browser: Any, board: TrainingBoard, theme: str = "light", width: int = 900, **more: Any
) -> Iterator[Any]:
    """A page that shows the board; any error or warning in it fails the test."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **more)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_content("<!doctype html><title>A board</title><body style='margin:12px'><main></main>")
    page.add_style_tag(content=THEMES[theme])
    page.evaluate(PAGE, [board._esm, board._css, plain_state(board)])
    try:
        yield page
    finally:
        page.close()
    assert complaints == []


def number(page: Any, name: str) -> str:
    return page.locator(f"[data-figure={name}] strong").inner_text()


def test_stop_is_sent_once_and_shown_before_any_answer(browser):
    board = board_at(0.4, "training")
    with shown(browser, board) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "■ Stop"
        page.keyboard.press("Enter")
        page.keyboard.press("Enter")
        assert page.evaluate("window.sent") == [{"stop": 1}]
        assert page.locator(".tb-state").inner_text() == "● Stopping"
        board._hear(page.evaluate("window.sent")[0])
        assert board._stop_asked == 1
        page.evaluate("(fresh) => window.push(fresh)", plain_state(board_at(0.4, "stopped")))
        assert page.locator(".tb-state").inner_text() == "■ Stopped"
        assert page.get_by_role("button").count() == 0
        assert page.evaluate("document.activeElement.className").startswith("qc-card")


def test_a_new_run_can_be_stopped_again(browser):
    with shown(browser, board_at(0.4, "training")) as page:
        page.get_by_role("button", name="Stop").press("Enter")
        again = plain_state(board_at(0.2, "training"))
        again["now"]["run"] = 2
        page.evaluate("(fresh) => window.push(fresh)", again)
        assert page.locator(".tb-state").inner_text() == "● Training"
        page.get_by_role("button", name="Stop").press("Enter")
        assert page.evaluate("window.sent") == [{"stop": 1}, {"stop": 2}]


def test_seconds_count_down_without_news_but_not_for_long(browser):
    with shown(browser, board_at(0.4, "training")) as page:
        begun = int(number(page, "left"))
        page.locator("[data-figure=left] strong", has_text=str(begun - 1)).wait_for(timeout=10_000)
        page.wait_for_timeout(2500)  # no news: the net is being scored, and the time stands still
        still = number(page, "left")
        page.wait_for_timeout(1500)
        assert number(page, "left") == still
        assert begun - int(still) <= 2


def test_an_unanswered_stop_names_the_notebook_s_own_button(browser):
    with shown(browser, board_at(0.4, "training")) as page:
        page.get_by_role("button", name="Stop").press("Enter")
        page.locator(".tb-words", has_text="Interrupt").wait_for(timeout=10_000)


def test_it_speaks_at_the_beginning_the_middle_and_the_end_only(browser):
    with shown(browser, board_at(0.0, "waiting")) as page:
        for part in (0.05, 0.1, 0.2, 0.3, 0.45, 0.55, 0.7, 0.9):
            page.evaluate("(fresh) => window.push(fresh)", plain_state(board_at(part, "training")))
        page.evaluate("(fresh) => window.push(fresh)", plain_state(board_at(1.0, "finished")))
        spoken = page.evaluate("window.spoken")
    assert [words.split()[0] for words in spoken] == ["Training", "Half", "Finished"]


def test_curves_and_pictures_are_said_in_words_too(browser):
    with shown(browser, board_at(1.0, "finished")) as page:
        charts = [chart.get_attribute("aria-label") for chart in page.locator(".tb-chart").all()]
        assert re.fullmatch(r"Loss: from 1\.7\d* to 0\.\d+", charts[0])
        assert re.fullmatch(r"Mean IoU: from 0?\.?\d+ to \d\.?\d*", charts[1])
        tiles = [tile.get_attribute("aria-label") for tile in page.locator(".tb-tile").all()]
        assert len(tiles) == 12
        truths = [says.split(": ")[1] for says in tiles if says.startswith("truth")]
        assert truths == [picture["holds"] for picture in board_at(0, "waiting").pictures]
        assert page.locator(".tb-legend").inner_text().split() == list(load_scenes(1).classes)


def test_a_name_never_becomes_markup(browser):
    board = board_at(0.4, "training")
    nasty = "<img src=x onerror=alert(1)>"
    board.legend = [{"name": nasty, "colour": "#000"}]
    board.pictures = [{**each, "tags": [{"name": nasty, "x": 5, "y": 5}]} for each in board.pictures]
    with shown(browser, board) as page:
        assert page.locator("main img").count() == 0
        assert page.locator(".tb-legend").inner_text() == nasty


def test_a_view_that_is_gone_listens_no_more(browser):
    with shown(browser, board_at(0.2, "training")) as page:
        page.evaluate("window.leave()")
        before = page.locator(".tb-words").inner_text()
        page.evaluate("(fresh) => window.push(fresh)", plain_state(board_at(0.6, "training")))
        assert page.locator(".tb-words").inner_text() == before


def channels(colour: str) -> list[float]:
    """Red, green and blue from 0 to 1, of `rgb(…)` or of the `color(srgb …)` that a mix computes to."""
    numbers = [float(each) for each in re.findall(r"[\d.]+(?:e-?\d+)?", colour.replace("srgb", ""))]
    return [each / (1 if "srgb" in colour else 255) for each in numbers[:3]]


def contrast(first: str, second: str) -> float:
    """The contrast ratio of WCAG 2.1, 1 to 21."""

    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


# Names on pictures have an outline of their own and are left out.
PAINTED = """
() => [...document.querySelectorAll("main *:not(.tb-tag)")].filter((node) => node.checkVisibility() &&
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())).map((node) => {
  let under = node;
  const ground = () => getComputedStyle(under).backgroundColor;
  while (/rgba\\(0, 0, 0, 0\\)|\\/ 0/.test(ground())) under = under.parentElement;
  const style = getComputedStyle(node);
  return [node.textContent, node instanceof SVGElement ? style.fill : style.color, ground()];
})
"""


@pytest.mark.parametrize(("theme", "width"), list(itertools.product(THEMES, [360, 760, 1200])))
def test_every_state_fits_and_reads_in_both_themes(browser, theme, width):
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    stages = [(0.0, "waiting"), (0.3, "training"), (0.5, "stopping"), (0.5, "stopped"), (1.0, "finished")]
    for part, state in stages:
        with shown(browser, board_at(part, state), theme, width, reduced_motion="reduce") as page:
            assert page.evaluate("document.documentElement.scrollWidth") <= width, state
            painted = page.evaluate(PAINTED)
            assert len(painted) >= 8, state
            for text, colour, ground in painted:
                assert contrast(colour, ground) >= 4.5, (state, text, colour, ground)
            page.screenshot(path=ARTIFACTS / f"{state}-{theme}-{width}.png", full_page=True)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_glides_for_those_who_asked_for_stillness(browser, motion, moves):
    with shown(browser, board_at(0.3, "training"), reduced_motion=motion) as page:
        style = "getComputedStyle(document.querySelector('.tb-bar > div')).transitionDuration"
        assert (page.evaluate(style) != "0s") is moves
