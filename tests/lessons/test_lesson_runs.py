"""Every lesson from top to bottom: as the learner first opens it, and with every exercise solved."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from coursekit.curriculum import LESSONS, Lesson
from coursekit.exercises import all_exercises, find_exercise

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_FAST", "1")


lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)

STATES = """
import json
from coursekit import notebook
print("STATES", json.dumps({id: verdict.state for id, verdict in notebook._session.verdicts.items()}))
"""


def run(lesson: Lesson, *, solved: bool) -> dict[str, str]:
    """The states of the lesson's exercises after a run; an error in any cell fails the test."""
    notebook = nbformat.read(lesson.path, as_version=4)
    if solved:
        for cell in notebook.cells:
            opening = re.match(r'@exercise\("([^"]+)"\)', cell.source)
            if opening:
                cell.source = opening[0] + "\n" + find_exercise(opening[1]).solution
    notebook.cells.append(new_code_cell(STATES))
    folder = {"metadata": {"path": str(lesson.path.parent)}}
    NotebookClient(notebook, timeout=180, resources=folder).execute()
    # One print can come in two messages.
    printed = "".join(output.get("text", "") for output in notebook.cells[-1].outputs)
    return json.loads(printed.partition("STATES ")[2])


def ids(lesson: Lesson) -> set[str]:
    return {exercise.id for exercise in all_exercises() if exercise.lesson == lesson.id}


@lessons
def test_unsolved(lesson: Lesson) -> None:
    assert run(lesson, solved=False) == dict.fromkeys(ids(lesson), "not_attempted")


@lessons
def test_solved(lesson: Lesson) -> None:
    assert run(lesson, solved=True) == dict.fromkeys(ids(lesson), "right")
