"""The course as nbgrader takes it: solved, released as the lessons have it, with points from the check."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from coursekit import earned, exercise
from coursekit.checking import Exercise, check, function_from
from coursekit.cli import main
from coursekit.curriculum import LESSONS, Lesson
from coursekit.exercises import all_exercises, find_exercise
from coursekit.grading.nbgrader_course import STUB, answer_id, solved_cell, source_of, write_course
from coursekit.grading.reading import read_notebook

each = pytest.mark.parametrize("one", all_exercises(), ids=lambda one: one.id)
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.id)


def released(source: str) -> str:
    """As nbgrader clears a cell: the region and its marks become the stub, indented as the first mark."""
    region = re.compile(r"^( *)### BEGIN SOLUTION\n.*?\n *### END SOLUTION$", re.MULTILINE | re.DOTALL)
    return region.sub(lambda found: found[1] + STUB, source)


@each
def test_an_exercise_is_solved_and_its_release_is_the_starter(one: Exercise) -> None:
    cell = solved_cell(one)
    assert released(cell) == one.cell.strip("\n")
    assert check(one, function_from(cell.partition("\n")[2], one.function), named=False).passed


@lessons
def test_cells_say_what_nbgrader_wants_to_know(lesson: Lesson) -> None:
    cells = source_of(lesson)["cells"]
    marked = [one for one in cells if "nbgrader" in one["metadata"]]
    ids = [one.id for one in all_exercises() if one.lesson == lesson.id]
    keys = {"cell_type", "grade", "grade_id", "locked", "schema_version", "solution", "task"}
    for one in marked:
        marks = one["metadata"]["nbgrader"]
        assert set(marks) - {"points"} == keys
        assert (marks["schema_version"], marks["task"], marks["cell_type"]) == (3, False, "code")
        assert marks["solution"] is not marks["grade"]
        assert ("points" in marks) is marks["grade"] is marks["locked"]
    wanted = [name for id in ids for name in (answer_id(id), id)]
    assert Counter(one["metadata"]["nbgrader"]["grade_id"] for one in marked) == Counter(wanted)
    points = {
        one["metadata"]["nbgrader"]["grade_id"]: one["metadata"]["nbgrader"].get("points") for one in marked
    }
    assert {id: points[id] for id in ids} == {id: find_exercise(id).points for id in ids}
    assert max(Counter(one["id"] for one in cells).values()) == 1
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", one["id"]) for one in cells)


@lessons
def test_nothing_else_of_a_lesson_changes(lesson: Lesson) -> None:
    own = json.loads(lesson.path.read_text(encoding="utf-8"))
    source = source_of(lesson)
    kept = [one for one in source["cells"] if "nbgrader" not in one["metadata"]]
    assert kept == [one for one in own["cells"] if not "".join(one["source"]).startswith("@exercise(")]
    assert {**source, "cells": 0} == {**own, "cells": 0}


def test_the_class_grader_reads_the_source() -> None:
    lesson = next(one for one in LESSONS if one.id.startswith("04"))
    read = read_notebook(json.dumps(source_of(lesson)).encode())
    assert set(read.answers) == {one.id for one in all_exercises() if one.lesson == lesson.id}
    assert read.lesson == lesson.id


def test_what_was_earned_is_what_the_check_gave() -> None:
    right = find_exercise("max-pool")
    assert earned("bilinear") == 0
    exercise("max-pool")(function_from(right.solution, right.function))
    assert earned("max-pool") == right.points
    verdict = check(right, right.misconceptions[0].mutant)
    exercise("max-pool")(right.misconceptions[0].mutant)
    assert earned("max-pool") == verdict.points < right.points


def test_writing_twice_is_writing_once(tmp_path: Path) -> None:
    files = write_course(tmp_path)
    before = {path: path.read_bytes() for path in files}
    assert len(before) == 2 + len({one.lesson for one in all_exercises()})
    assert write_course(tmp_path) == files
    assert {path: path.read_bytes() for path in files} == before


@pytest.mark.parametrize("name", ["nbgrader_config.py", "source/header.ipynb"])
def test_an_instructors_work_is_not_written_over(tmp_path: Path, name: str, capsys: Any) -> None:
    write_course(tmp_path, LESSONS[:1])
    (tmp_path / name).write_text("mine")
    assert main(["export", "nbgrader", str(tmp_path)]) == 2
    assert name in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "mine"
    assert [one.name for one in (tmp_path / "source").iterdir() if one.is_dir()] == [LESSONS[0].id]


def test_one_assignment_of_several_lessons(tmp_path: Path, capsys: Any) -> None:
    assert (
        main(["export", "nbgrader", str(tmp_path), "--lessons", "03,04", "--assignment", "week 2", "--json"])
        == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert told["assignments"] == ["week 2"]
    names = sorted(one.name[:2] for one in (tmp_path / "source" / "week 2").iterdir())
    assert names == ["03", "04"]


@pytest.mark.parametrize("name", ["../up", "a+b", ".", "", "header", "a/b", "x "])
def test_names_that_nbgrader_cannot_take(tmp_path: Path, name: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["export", "nbgrader", str(tmp_path), "--assignment", name])
    assert left.value.code == 2
    assert not list(tmp_path.iterdir())


def test_without_nbgrader_there_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    write_course(tmp_path, LESSONS[:1])
    for name in [one for one in sys.modules if one.partition(".")[0] == "nbgrader"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    assert main(["grade", "--nbgrader", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "expected nbgrader" in told
    assert "pip install nbgrader" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--nbgrader", "."), "no nbgrader_config.py"),
        (("--nbgrader", ".", "x.ipynb"), "got both"),
        (("--nbgrader-feedback", "x.ipynb"), "expected --nbgrader COURSE"),
        (("x.ipynb",), "expected --gradebook FILE"),
    ],
)
def test_options_that_do_not_go_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, options: tuple[str, ...], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["grade", *options]) == 2
    assert told in capsys.readouterr().err
