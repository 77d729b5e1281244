"""What every lesson file must be, read without running it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from coursekit.curriculum import LESSONS, PLAN, Lesson
from coursekit.exercises import all_exercises

CHECKED = "nbval-check-output"
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def read(lesson: Lesson) -> nbformat.NotebookNode:
    return nbformat.read(lesson.path, as_version=4)


def test_every_notebook_is_in_the_curriculum() -> None:
    folder = LESSONS[0].path.parent
    assert {path.stem for path in folder.glob("*.ipynb")} == {lesson.id for lesson in LESSONS}


@lessons
def test_it_is_a_valid_notebook_and_short(lesson: Lesson) -> None:
    notebook = read(lesson)
    nbformat.validate(notebook)
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert len(notebook.cells) <= 40
    assert sum(len(re.findall(r"\w+", text)) for text in prose) <= 1200
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@lessons
def test_exercise_cells_hold_the_starters_word_for_word(lesson: Lesson) -> None:
    cells = {
        re.match(r'@exercise\("([^"]+)"\)', cell.source)[1]: cell.source
        for cell in read(lesson).cells
        if cell.source.startswith("@exercise(")
    }
    declared = {
        exercise.id: exercise.cell.strip("\n") for exercise in all_exercises() if exercise.lesson == lesson.id
    }
    assert cells == declared


@lessons
def test_only_digests_are_stored(lesson: Lesson) -> None:
    assert "widgets" not in read(lesson).metadata, "a saved notebook holds half a megabyte of widget state"
    for cell in read(lesson).cells:
        if cell.cell_type != "code":
            continue
        checked = CHECKED in cell.metadata.get("tags", [])
        assert cell.execution_count == (1 if checked else None), cell.id  # nbval compares only what was "run"
        if checked:
            assert cell.outputs, f"{cell.id} is tagged {CHECKED} but holds no output"
            assert all(output.output_type == "stream" for output in cell.outputs), cell.id
        else:
            assert not cell.outputs, cell.id


@lessons
def test_every_term_was_introduced_before(lesson: Lesson) -> None:
    told = read(lesson).metadata["coursekit"]
    earlier = [planned for planned in PLAN if planned.id <= lesson.id]
    known = {term for planned in earlier for term in planned.introduces}
    assert told["lesson"] == lesson.id
    assert tuple(told["introduces"]) == lesson.introduces
    assert set(told["uses"]) <= known


@lessons
def test_introduced_terms_are_there_to_be_read(lesson: Lesson) -> None:
    text = " ".join(cell.source for cell in read(lesson).cells).lower()
    missing = [term for term in lesson.introduces if term.lower() not in text]
    assert not missing


@lessons
def test_links_to_files_lead_somewhere(lesson: Lesson) -> None:
    for cell in read(lesson).cells:
        for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", cell.source):
            assert (Path(lesson.path).parent / target).exists(), f"{cell.id}: {target}"
