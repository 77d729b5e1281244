"""The map of progress in a real browser: its colours, its folding by keys, its links, in Lab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.browser.seeing import complaints

pytestmark = pytest.mark.slow

FILL = """
from coursekit.checkout import home_folder
from coursekit.exercises import all_exercises
from coursekit.record import Record
record = Record(home_folder())
record.clear()
states = [("right", 1.0), ("right", 1.0), ("partial", 0.5), ("wrong", 0.0)]
for each, (state, fraction) in zip(all_exercises(), states):
    record.keep_verdict(each.id, lesson=each.lesson, version=1, state=state, fraction=fraction,
                        points=fraction * each.points)
record.keep_guess("stride-2", 2, "4x4")
record.keep_outcome("stride-2", 1)
record.keep_answer(lesson="00", idea="what `softmax` gives for equal scores", asked_in="00", choice=0,
                   correct=False, question={})
"""
SHOW = "from coursekit import progress\nprogress()"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("server", ["lab", "voila"])
def test_it_reads_well_and_folds_by_keys(
    server: str,
    theme: str,
    request: pytest.FixtureRequest,
    open_page: Callable[..., Any],
    write_notebook: Callable[..., str],
    show: Callable[..., None],
    artifacts: Path,
) -> None:
    served = request.getfixturevalue(server)
    # In Voila a visitor's record is empty and kept in memory.
    name = write_notebook(served, f"map-{theme}.ipynb", *([FILL] if server == "lab" else []), SHOW)
    page = open_page(theme=theme)
    show(page, served, name, ".pm-map", theme)
    page.wait_for_timeout(500)
    page.locator(".pm-map").screenshot(path=str(artifacts / f"progress-{server}-{theme}.png"))
    told = page.locator(".pm-map").inner_text()
    assert ("what softmax gives" in told) == (server == "lab")
    assert ("stays on your machine" in told) == (server == "lab")
    page.evaluate("document.querySelectorAll('.pm-map details').forEach((one) => { one.open = true; })")
    assert complaints(page, theme, ".pm-map") == []

    summary = page.locator(".pm-map summary").last
    lesson = page.locator(".pm-map details").last
    was_open = lesson.get_attribute("open") is not None
    summary.focus()
    page.keyboard.press("Enter")
    assert (lesson.get_attribute("open") is not None) != was_open
    assert summary.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    assert page.evaluate(
        "[...document.querySelectorAll('.pm-map')].every((one) => one.scrollWidth <= one.clientWidth)"
    )
    assert page.errors == []


def test_a_narrow_page_needs_no_sideways_scrolling(
    open_page: Callable[..., Any],
    write_notebook: Callable[..., str],
    show: Callable[..., None],
    voila: Any,
    artifacts: Path,
) -> None:
    page = open_page(width=390, height=800)
    show(page, voila, write_notebook(voila, "narrow.ipynb", SHOW), ".pm-map")
    page.locator(".pm-map").screenshot(path=str(artifacts / "progress-narrow.png"))
    assert page.evaluate("document.querySelector('.pm-map').getBoundingClientRect().right <= innerWidth")
