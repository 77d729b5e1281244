"""Every page of the web app in Chromium: quiet, answering keys, read by axe; no kernel is started for it."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coursekit.curriculum import LESSONS
from coursekit.site import demos
from tests.browser.seeing import EVERY_WAY, TWO_WAYS, begin, listening_window, looked_at, press

pytestmark = pytest.mark.slow

PATIENCE_MS = 180_000
# Each kind of widget, what in it takes keys, and a key that does something; two views may show one question.
KEYS = {
    ".ck-mask-lab": (".ck-easel", "Space"),
    ".ck-box-lab": (".ck-easel", "ArrowLeft"),
    ".ck-tug": ("input[type=range]", "ArrowRight"),
    ".ck-surgery": ('[tabindex="0"]', "ArrowRight"),
    ".ck-explorer:not(.ck-surgery, .ck-mask-lab, .ck-box-lab, .ck-tug)": (
        '[data-grid="output"] [tabindex="0"]', "ArrowRight",
    ),
    ".qc-predict": ("input[type=radio]", "ArrowDown"),
    ".qc-quiz": ("input[type=radio]", "ArrowDown"),
    ".pm-map": ("summary", "Enter"),
}  # fmt: skip


@pytest.fixture(scope="module")
def app(serve: Callable[..., Any]) -> Any:
    """Seats for the pages of this file: one that no kernel was started for is free again after 30 s."""
    return serve("app", "--lazy", "--max-kernels", "20")


@pytest.fixture(scope="module")
def window(browser: Any) -> Iterator[Any]:
    with listening_window(browser) as page:
        page.set_default_timeout(PATIENCE_MS)
        page.route_web_socket("**/live/*", lambda line: None)  # no visitor here needs Python
        yield page


@pytest.fixture
def visit(window: Any, app: Any) -> Callable[[str], Any]:
    """Open a page of the app, and wait until its widgets are there."""

    def visit_one(path: str) -> Any:
        begin(window)
        window.goto(app.url + path, timeout=PATIENCE_MS)
        if path.startswith("/lessons"):
            window.wait_for_selector("html[data-state=shown]")
        if path.startswith("/demos"):
            window.wait_for_selector("html[data-ready]")
        return window

    return visit_one


def press_in_every_widget(page: Any) -> int:
    """A key in each widget that takes keys; each must answer. Returns how many there were."""
    pressed = 0
    for kind, (within, key) in KEYS.items():
        for widget in page.locator(f"main {kind}").all():
            place = widget.locator(within).first
            if not place.is_visible():  # its guess is not made yet
                continue
            press(page, widget, place, key)
            pressed += 1
    return pressed


def assert_quiet(page: Any, app: Any) -> None:
    assert page.errors == []
    assert [url for url in page.asked if not url.startswith((app.url, "data:", "blob:"))] == []


def test_the_front_page(visit: Callable, app: Any, artifacts: Path) -> None:
    page = visit("/")
    links = page.evaluate("[...document.querySelectorAll('main a')].map((one) => one.getAttribute('href'))")
    assert {f"/lessons/{lesson.id}.ipynb" for lesson in LESSONS} <= set(links)
    assert {f"/demos/{demo.name}" for demo in demos()} <= set(links)
    assert looked_at(page, "app-front", EVERY_WAY, artifacts) == []
    assert_quiet(page, app)
    page.locator(".theme-switch").click()
    page.wait_for_selector("html[data-theme=dark]")
    page.reload()
    page.wait_for_selector("html[data-theme=dark]")
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize("name", [demo.name for demo in demos()])
def test_a_demo_is_one_request_and_answers_keys(name: str, visit: Callable, app: Any) -> None:
    """What axe says of these pages, in all sizes and schemes, is asked in test_site.py: they are the same."""
    page = visit(f"/demos/{name}")
    assert (
        press_in_every_widget(page) or name == "training-board"
    )  # a recording: its slider is not a widget's
    assert [url for url in page.asked if url.startswith("http")] == [f"{app.url}/demos/{name}"]
    assert_quiet(page, app)


@pytest.mark.parametrize("name", [*(lesson.id for lesson in LESSONS), "play/grid-explorer"])
def test_a_lesson_is_quiet_answers_keys_and_reads_well(
    name: str, visit: Callable, app: Any, artifacts: Path
) -> None:
    page = visit(f"/lessons/{name}.ipynb")
    assert page.locator("text=Traceback").count() == 0
    assert page.locator(".trouble").count() == 0
    assert press_in_every_widget(page)
    recorded = page.locator("details.recorded")
    for fold in recorded.all():
        fold.locator("summary").first.press("Enter")
    waiting = "details.recorded [data-recorded]:not([data-live])"
    page.wait_for_function(f"() => !document.querySelector('{waiting}')")
    if recorded.count():
        assert "Training has not begun" not in recorded.first.inner_text()
    assert looked_at(page, f"app-{name.replace('/', '-')}", TWO_WAYS, artifacts) == []
    assert_quiet(page, app)


def take_the_seats_that_are_left(app: Any) -> None:
    for _ in range(21):
        urllib.request.urlopen(f"{app.url}/lessons/play/grid-explorer.ipynb").close()


def test_pages_of_trouble_read_well(visit: Callable, app: Any, artifacts: Path) -> None:
    page = visit("/nothing-here")
    assert page.locator("h1").inner_text() == "There is no such page"
    found = looked_at(page, "app-trouble", TWO_WAYS, artifacts)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        take_the_seats_that_are_left(app)
    page.goto(f"{app.url}/lessons/00-start-here.ipynb")
    assert page.locator("h1").inner_text() == "All seats are taken"
    found += looked_at(page, "app-full", TWO_WAYS, artifacts)
    assert found == []
