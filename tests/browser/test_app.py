"""The web app with Python behind its pages: training waits for its button, closed tabs leave no kernel."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.slow

PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def app(serve: Callable[..., Any]) -> Any:
    return serve("app", "--lazy")


def kernels(app: Any) -> int:
    with urllib.request.urlopen(f"{app.url}/health", timeout=PATIENCE_MS / 1000) as answer:
        return int(json.load(answer)["kernels"])


def test_lesson_00_trains_only_when_asked_and_a_closed_tab_leaves_nothing(
    open_page: Callable[..., Any], app: Any, artifacts: Path
) -> None:
    page = open_page(width=1200, height=1400)
    page.goto(f"{app.url}/voila/render/00-start-here.ipynb", timeout=PATIENCE_MS)
    page.wait_for_selector("html[data-state=shown]", timeout=PATIENCE_MS)
    assert page.url.endswith("/lessons/00-start-here.ipynb")
    assert page.locator("text=Training has not begun").count() == 2
    assert page.locator("text=The results will appear here").count() == 2
    assert page.locator("html[data-python]").count() == 0, "who only looks takes no kernel"
    button = page.locator("button:has-text('Train for')").first
    button.click()
    page.wait_for_selector("html[data-python=ready]", timeout=PATIENCE_MS)
    assert kernels(app) == 1
    page.wait_for_selector("text=Finished after >> visible=true", timeout=PATIENCE_MS)
    page.wait_for_function(
        "document.body.innerText.split('The results will appear here').length == 2", timeout=PATIENCE_MS
    )
    page.screenshot(path=str(artifacts / "app-lesson-00-trained.png"), full_page=True)
    assert page.locator("text=Training has not begun").count() == 1
    assert not page.errors, page.errors
    page.context.close()
    other = open_page()
    other.goto(app.url)
    other.wait_for_function(
        "async () => (await (await fetch('/health')).json()).kernels === 0", timeout=PATIENCE_MS
    )


def test_a_guess_is_answered_by_python(open_page: Callable[..., Any], app: Any) -> None:
    page = open_page()
    page.goto(f"{app.url}/lessons/05-learnable-upsampling.ipynb", timeout=PATIENCE_MS)
    page.wait_for_selector("html[data-state=shown]", timeout=PATIENCE_MS)
    card = page.locator(".qc-predict").first
    card.locator("input").first.check()
    card.locator("button", has_text="Commit").click()
    page.wait_for_selector("text=You guessed A >> visible=true", timeout=PATIENCE_MS)
    assert not page.errors, page.errors


def break_when_done(page: Any) -> list[Any]:
    """From the press of a button on the page hears nothing; once Python is done with it, the line breaks."""
    lines: list[Any] = []

    def through(line: Any) -> None:
        lines.append(line)
        pressed = False

        def pass_on(message: str) -> None:
            nonlocal pressed
            pressed = pressed or '"disabled": true' in message
            if not pressed or len(lines) > 1:
                line.send(message)
            elif '"disabled": false' in message:
                line.close(code=1001)

        line.connect_to_server().on_message(pass_on)

    page.route_web_socket("**/live/*", through)
    return lines


@pytest.mark.parametrize(
    ("lesson", "label", "result"),
    [
        ("00-start-here", "Train for", "text=Finished after >> visible=true"),
        ("09-one-backbone-two-heads", "Train both heads", ".printed:has-text('degrees over training')"),
    ],
)
def test_a_line_that_breaks_takes_no_result_away(
    open_page: Callable[..., Any], app: Any, lesson: str, label: str, result: str
) -> None:
    page = open_page(width=1200, height=1400)
    lines = break_when_done(page)
    page.goto(f"{app.url}/lessons/{lesson}.ipynb", timeout=PATIENCE_MS)
    page.wait_for_selector("html[data-state=shown]", timeout=PATIENCE_MS)
    button = page.locator(f"button.press:has-text('{label}')").first
    button.click()
    page.wait_for_selector(result, timeout=PATIENCE_MS)
    assert len(lines) == 2
    expect(button).to_have_attribute("aria-disabled", "false", timeout=PATIENCE_MS)
    assert not page.errors, page.errors


def test_a_page_that_was_only_read_takes_a_seat_again_when_it_is_touched(
    open_page: Callable[..., Any], app: Any, artifacts: Path
) -> None:
    page = open_page()
    lines: list[Any] = []
    asked: list[str] = []

    def through(line: Any) -> None:
        lines.append(line)
        if len(lines) > 1:
            line.connect_to_server()
            return
        line.send('{"kind": "gone"}')
        line.close(code=4404)

    def full_at_first(route: Any) -> None:
        if route.request.headers["accept"] != "application/json":
            route.continue_()
            return
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(status=503, headers={"Retry-After": "3"}, body="")

    page.route_web_socket("**/live/*", through)
    page.route("**/lessons/*.ipynb", full_at_first)
    page.goto(f"{app.url}/lessons/05-learnable-upsampling.ipynb", timeout=PATIENCE_MS)
    page.wait_for_selector("html[data-state=shown]", timeout=PATIENCE_MS)
    page.wait_for_function("() => document.getElementById('status').hidden", timeout=PATIENCE_MS)
    card = page.locator(".qc-predict").first
    card.locator("input").first.check()
    card.locator("button", has_text="Commit").click()
    page.wait_for_selector("text=All seats are taken", timeout=PATIENCE_MS)
    page.screenshot(path=str(artifacts / "app-seats-taken.png"))
    page.wait_for_selector("text=You guessed A >> visible=true", timeout=PATIENCE_MS)
    assert len(lines) == len(asked) == 2
    assert [error for error in page.errors if "503" not in error] == []
