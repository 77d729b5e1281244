"""The web app as a visitor meets it: its pages open, and nothing trains before a button is pressed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coursekit.curriculum import LESSONS
from coursekit.exercises import all_exercises

pytestmark = pytest.mark.slow

PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def app(serve: Callable[..., Any]) -> Any:
    return serve("app")


def visit(open_page: Callable[..., Any], app: Any, name: str, waits_for: str) -> Any:
    page = open_page(width=1200, height=1400)
    page.goto(f"{app.url}/voila/render/{name}.ipynb", timeout=PATIENCE_MS, wait_until="domcontentloaded")
    page.wait_for_selector(waits_for, timeout=PATIENCE_MS)
    return page


def test_the_front_page_leads_to_the_lessons(open_page: Callable[..., Any], app: Any) -> None:
    page = open_page()
    page.goto(app.url, timeout=PATIENCE_MS, wait_until="domcontentloaded")
    for lesson in LESSONS:
        page.wait_for_selector(f"text={lesson.id}", timeout=PATIENCE_MS)


def test_the_explorer_page(open_page: Callable[..., Any], app: Any, artifacts: Path) -> None:
    page = visit(open_page, app, "play/grid-explorer", ".ck-explorer")
    cell = page.locator('[data-grid="output"] [data-row="1"][data-column="1"]')
    cell.hover()
    page.wait_for_function("document.querySelector('.ck-explorer').innerText.includes('10 =')")
    page.screenshot(path=str(artifacts / "app-explorer.png"), full_page=True)
    assert not page.errors, page.errors


def test_lesson_00_trains_only_when_asked(open_page: Callable[..., Any], app: Any, artifacts: Path) -> None:
    page = visit(open_page, app, "00-start-here", "button:has-text('Train for')")
    page.wait_for_selector("text=From memory", timeout=PATIENCE_MS)
    assert page.locator("text=Training has not begun").count() == 2
    assert page.locator("text=The results will appear here").count() == 2
    page.screenshot(path=str(artifacts / "app-lesson-00.png"), full_page=True)
    page.locator("button:has-text('Train for')").first.click()
    page.wait_for_selector("text=Finished after", timeout=PATIENCE_MS)
    page.wait_for_function(
        "document.body.innerText.split('Press Train above').length == 2", timeout=PATIENCE_MS
    )
    page.screenshot(path=str(artifacts / "app-lesson-00-trained.png"), full_page=True)
    assert page.locator("text=Training has not begun").count() == 1
    assert not page.errors, page.errors


def test_lesson_05_opens_whole(open_page: Callable[..., Any], app: Any, artifacts: Path) -> None:
    page = visit(open_page, app, "05-learnable-upsampling", "text=8 · From memory")
    assert page.locator(".ck-explorer").count() == 4
    assert page.locator("text=Not attempted").count() == 4
    assert page.locator("text=Training has not begun").count() == 1
    page.screenshot(path=str(artifacts / "app-lesson-05.png"), full_page=True)
    assert not page.errors, page.errors


@pytest.mark.parametrize(
    ("name", "widget"),
    [
        ("03-pooling-down-unpooling-up", ".ck-explorer"),
        ("04-max-unpooling", ".ck-surgery"),
        ("06-checkerboards", ".ck-explorer"),
    ],
)
def test_the_other_lessons_open_whole(
    open_page: Callable[..., Any], app: Any, artifacts: Path, name: str, widget: str
) -> None:
    page = visit(open_page, app, name, "text=From memory")
    exercises = [exercise for exercise in all_exercises() if exercise.lesson == name]
    page.wait_for_selector(widget, timeout=PATIENCE_MS)
    assert page.locator("text=Not attempted").count() == len(exercises)
    assert page.locator("text=Traceback").count() == 0
    page.screenshot(path=str(artifacts / f"app-{name}.png"), full_page=True)
    assert not page.errors, page.errors
