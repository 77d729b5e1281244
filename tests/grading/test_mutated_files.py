"""Notebook files with bytes and structure changed at random: the grader goes on, and each has a result."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hand_in import needs_sandbox

from coursekit.grading.batch import run_batch
from coursekit.grading.gradebook import Gradebook, Task
from coursekit.grading.reading import Unreadable, read_notebook
from coursekit.grading.results import STATES
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import VERSIONS, notebook
from tests.grading.killing import in_the_sandbox
from tests.grading.mutating import mutated

WHOLE = notebook(nearest="right", class_share="right")
ASKED = ("nearest", "class-share")


def refusal(content: bytes) -> str | None:
    """Why a file cannot be read; None where it can."""
    try:
        read_notebook(content)
    except Unreadable as problem:
        return str(problem)
    return None


def test_a_mutated_file_is_read_or_refused_with_a_reason() -> None:
    refused = 0
    for content in mutated(WHOLE, 300, seed=3):
        reason = refusal(content)
        assert reason != ""
        refused += reason is not None
    assert 50 < refused < 250  # else only one way of reading was tried


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(60, id="60", marks=pytest.mark.slow),
        pytest.param(10_000, id="10,000", marks=pytest.mark.soak),
    ],
)
def test_each_mutated_file_has_a_recorded_result(tmp_path: Path, count: int) -> None:
    needs_sandbox()
    folder = tmp_path / "class"
    folder.mkdir()
    for number, content in enumerate(mutated(WHOLE, count, seed=5)):
        (folder / f"learner-{number:05}.ipynb").write_bytes(content)
    book = Gradebook(tmp_path / "grades.sqlite", VERSIONS)
    results = run_batch(find_submissions([folder])[0], book, in_the_sandbox, Task(ASKED))
    kept = [attempt.result for attempt in book.attempts()]
    book.close()
    assert len({one.file for one in kept}) == len(results) == count
    for one in results:
        assert [each.id for each in one.exercises] == list(ASKED)
        assert all(each.state in STATES for each in one.exercises)
        assert all(each.reason for each in one.exercises if each.state != "right")
        assert not any("the judge stopped" in report for each in one.exercises for report in each.reports)
        assert not one.reason.startswith("The file cannot be read (")  # an error that nobody foresaw
    states = Counter(each.state for one in results for each in one.exercises)
    print(dict(states))
    assert {"right", "unreadable", "missing", "error"} <= set(states)
