"""Every static page from `file://` in Chromium: no error, no request, keys answer, axe finds nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursekit.curriculum import LESSONS
from coursekit.site import build, demos
from tests.browser.seeing import EVERY_WAY, TWO_WAYS, begin, listening_window, looked_at, press

pytestmark = pytest.mark.slow

LOCAL = ("file:", "data:", "blob:")
# What a key is pressed on first, and which key; of a lesson, its first guess.
KEYS = {
    "grid-explorer": ('[data-grid="output"] [tabindex="0"]', "ArrowRight"),
    "checkerboards": ('[data-grid="output"] [tabindex="0"]', "ArrowRight"),
    "switch-surgery": ('.ck-surgery [tabindex="0"]', "ArrowRight"),
    "mask-lab": (".ck-easel", "Space"),
    "box-lab": (".ck-easel", "ArrowLeft"),
    "training-board": (".replay input", "Home"),
    "tug": (".ck-tug input[type=range]", "ArrowRight"),
    "guess-first": ('.qc-predict input[type="radio"]', "ArrowDown"),
    "progress-map": (".pm-map summary", "Enter"),
}
GUESS = KEYS["guess-first"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site."""
    return build(tmp_path_factory.mktemp("site") / "public")[0].parent


@pytest.fixture(scope="module")
def window(browser: Any) -> Iterator[Any]:
    with listening_window(browser) as page:
        yield page


@pytest.fixture
def visit(window: Any, folder: Path) -> Callable[[str], Any]:
    """Open a page of the site, and wait until its widgets are there."""

    def visit_one(name: str) -> Any:
        begin(window)
        window.goto((folder / f"{name}.html").as_uri())
        window.wait_for_selector("html[data-ready]", timeout=60_000)
        return window

    return visit_one


def assert_quiet(page: Any) -> None:
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith(LOCAL)] == []
    assert len([url for url in page.asked if url.startswith("file:")]) == 1


def press_first(page: Any, selector: str, key: str) -> None:
    press(page, page.locator("main"), page.locator(selector).first, key)


@pytest.mark.parametrize("name", ["index", *(demo.name for demo in demos())])
def test_a_demo_is_quiet_answers_a_key_and_reads_well(name: str, visit: Callable, artifacts: Path) -> None:
    page = visit(name)
    if name in KEYS:
        press_first(page, *KEYS[name])
    assert_quiet(page)
    assert looked_at(page, f"site-{name}", EVERY_WAY, artifacts) == []


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_lesson_is_quiet_answers_a_key_and_reads_well(
    lesson: Any, visit: Callable, artifacts: Path
) -> None:
    page = visit(lesson.id)
    press_first(page, *GUESS)
    assert_quiet(page)
    assert looked_at(page, f"site-{lesson.id}", TWO_WAYS, artifacts) == []


def test_an_answer_waits_for_its_guess(visit: Callable) -> None:
    page = visit("05-learnable-upsampling")
    both, places = (
        page.locator("details.waits").nth(0),
        page.locator("details.waits").nth(1),
    )  # of two guesses, of one
    assert places.locator(".live").first.is_hidden()
    card = page.locator(".qc-predict:not(.qc-locked):visible", has_text="In how many places").first
    card.locator("input").first.check()
    card.locator("button", has_text="Commit").click()
    places.locator(".live").first.wait_for(state="visible")
    page.wait_for_function("document.body.innerText.includes('You guessed A. The answer is')")
    assert both.locator(".live").first.is_hidden()
    both.locator("> summary").press("Enter")
    both.locator(".live").first.wait_for(state="visible")
    page.wait_for_function("document.activeElement.classList.contains('waits')")  # its own button is gone


def test_on_paper_a_page_is_light_and_its_answers_stay_closed(visit: Callable) -> None:
    page = visit("05-learnable-upsampling")
    page.emulate_media(color_scheme="dark", media="print")
    page.wait_for_function("getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'")
    light = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--text')")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("document.querySelector('.ck-explorer').dataset.theme === 'light'")
    assert light.strip() == "#1b1c1f"
    assert page.locator(".waits .live").first.is_hidden()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function("document.querySelector('.ck-explorer').dataset.theme === 'dark'")


def test_the_recording_plays_and_stops(visit: Callable) -> None:
    page = visit("training-board")
    page.locator(".tb-state", has_text="Finished").wait_for()
    last = page.locator(".replay input").input_value()
    page.locator(".replay-play").click()
    page.locator(".tb-state", has_text="Training").wait_for()
    page.wait_for_function("Number(document.querySelector('.replay input').value) > 1")
    assert int(page.locator(".replay input").input_value()) < int(last)
    page.locator(".tb-stop").click()
    page.locator(".tb-state", has_text="Stopped").wait_for()
    page.locator(".replay-play", has_text="Play").wait_for()


def test_the_switch_turns_page_and_widgets_and_is_remembered(visit: Callable) -> None:
    page = visit("grid-explorer")
    page.locator(".theme-switch").click()
    page.wait_for_function("document.querySelector('.ck-explorer').dataset.theme === 'dark'")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    page.wait_for_function("document.querySelector('.ck-explorer')?.dataset.theme === 'dark'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.locator(".theme-switch").click()
    page.wait_for_function("document.querySelector('.ck-explorer').dataset.theme === 'light'")
    page.evaluate("localStorage.clear()")


def test_a_page_without_scripts_still_says_what_it_shows(browser: Any, folder: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((folder / "grid-explorer.html").as_uri())
    assert "transposed_conv, stride=2, padding=1, output_padding=1" in page.locator("main").inner_text()
    page.goto((folder / "03-pooling-down-unpooling-up.html").as_uri())
    assert "Predict:" in page.locator("main").inner_text()
    waiting = page.locator("details.waits").first
    assert waiting.locator("> summary").is_visible()
    assert waiting.evaluate("one => !one.open")
    context.close()
