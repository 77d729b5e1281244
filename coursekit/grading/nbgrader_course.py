"""The course as nbgrader takes it: ``nbgrader_config.py`` and ``source/<assignment>/<lesson>.ipynb``.

Nothing of nbgrader is needed to write this. Every exercise is two cells there: the answer, whose solution
nbgrader takes out for the release so that the lesson's own starter is left, and a locked one with the
exercise's points, whose value is what the course's own check gave. So nbgrader's own ``autograde`` and its
Validate button say something useful, too; what counts comes from ``coursekit grade --nbgrader``.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from coursekit.checking import Exercise
from coursekit.checkout import CannotRun
from coursekit.curriculum import LESSONS, Lesson
from coursekit.exercises import all_exercises, find_exercise

COURSE_ID = "every-pixel"
CONFIG = "nbgrader_config.py"
HEADER = "source/header.ipynb"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "..."

_EXERCISE = re.compile(r'@exercise\("([^"]+)"\)')
_CONFIG_TEXT = """# What nbgrader is told about this course. All of it may be changed: see nbgrader's manual.
#
# `coursekit grade --nbgrader .` grades what `nbgrader collect` collected, in a sandbox. `nbgrader autograde`
# runs the learners' code as you, on this machine, and believes what it prints: do not let it decide.

c = get_config()  # noqa: F821 - nbgrader defines it

c.CourseDirectory.course_id = {course!r}

# A released exercise ends in three dots, as in the course's own lessons: that counts as not attempted.
c.ClearSolutions.code_stub = {{"python": {stub!r}}}
c.IncludeHeaderFooter.header = {header!r}

# Lessons train small nets; nbgrader's 30 s a cell are short for a busy machine.
c.Execute.timeout = 300
"""
_HEADER_TEXT = """\
> **To hand this in:** write your functions, save, then press *Submit* in nbgrader's assignment list.
> You may hand in again until it is due.
>
> Keep the `@exercise(...)` line above each function: your functions are found by it, and called once more
> with other inputs when they are graded. The small locked cells show the points of the check in this
> notebook.
"""


def write_course(folder: Path, lessons: Sequence[Lesson] = (), assignment: str = "") -> list[Path]:
    """Write a course for nbgrader into a folder.

    Parameters
    ----------
    folder : Path
        Made where there is none. Files of other names in it are left alone.
    lessons : sequence of Lesson, optional
        Those with exercises among these; every lesson when left out.
    assignment : str, optional
        The name of one assignment for all of them; an assignment a lesson, named as it, when left out.

    Returns
    -------
    list of Path
        The files, those that were there already with this very content included.

    Raises
    ------
    CannotRun
        Where a file is there with another content: it may be an instructor's work.
    """
    files = {CONFIG: _config(), HEADER: _json(header())}
    wanted = [lesson for lesson in lessons or LESSONS if _ids_of(lesson)]
    for lesson in wanted:
        files[f"source/{assignment or lesson.id}/{lesson.id}.ipynb"] = _json(source_of(lesson))
    changed = [name for name, content in files.items() if _differs(folder / name, content)]
    if changed:
        raise CannotRun(
            f"expected {folder} to be empty or as this command left it; {changed[0]} is there and differs. "
            "Try another folder, or move that file away."
        )
    try:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
    except OSError as problem:
        raise CannotRun(f"{problem.filename} cannot be written: {problem.strerror}.") from problem
    return [folder / name for name in files]


def source_of(lesson: Lesson) -> dict[str, Any]:
    """A lesson's notebook as nbgrader's source: solved, and with a cell of points after each exercise.

    Parameters
    ----------
    lesson : Lesson

    Returns
    -------
    dict
        The notebook, format 4.5.
    """
    notebook: dict[str, Any] = json.loads(lesson.path.read_text(encoding="utf-8"))
    cells: list[dict[str, Any]] = []
    for cell in notebook["cells"]:
        found = _EXERCISE.match("".join(cell["source"])) if cell["cell_type"] == "code" else None
        cells += [cell] if found is None else _two_cells(cell, find_exercise(found[1]))
    return {**notebook, "cells": cells}


def solved_cell(exercise: Exercise) -> str:
    """An exercise's cell whose solution stands between nbgrader's marks; without it, the starter is left.

    Examples
    --------
    >>> print(solved_cell(find_exercise("way-to-perfect")).split('"' * 3)[-1])
    <BLANKLINE>
        ### BEGIN SOLUTION
        return max(0, (score - blind) / (100 - blind))
        ### END SOLUTION
    """
    lines = exercise.cell.strip("\n").split("\n")
    at = next(number for number, line in enumerate(lines) if line.strip() == STUB)
    indent = lines[at][: -len(STUB)]
    body = textwrap.indent("\n".join([BEGIN, *_body_of(exercise.solution), END]), indent)
    return "\n".join([*lines[:at], body, *lines[at + 1 :]])


def points_cell(exercise: Exercise) -> str:
    """The locked cell behind an exercise; its value is the points, which nbgrader takes as they are."""
    return (
        "# The points that the check above gave. This cell is locked.\n"
        f'from coursekit import earned\n\nearned("{exercise.id}")'
    )


def header() -> dict[str, Any]:
    """The notebook whose cells nbgrader puts above every released one."""
    cell = {"cell_type": "markdown", "id": "how-to-hand-in", "metadata": {}, "source": _lines(_HEADER_TEXT)}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}


def answer_id(exercise: str) -> str:
    """The ``grade_id`` of the cell with the answer; that of the points is the exercise's id itself."""
    return f"answer-{exercise}"


def _two_cells(cell: dict[str, Any], exercise: Exercise) -> list[dict[str, Any]]:
    answer = deepcopy(cell)
    answer["source"] = _lines(solved_cell(exercise))
    answer["metadata"]["nbgrader"] = _marks(answer_id(exercise.id), solution=True)
    points = {
        "cell_type": "code",
        "execution_count": None,
        "id": f"points-{exercise.id}"[:64],
        "metadata": {"nbgrader": {**_marks(exercise.id, grade=True, locked=True), "points": exercise.points}},
        "outputs": [],
        "source": _lines(points_cell(exercise)),
    }
    return [answer, points]


def _marks(
    grade_id: str, *, grade: bool = False, solution: bool = False, locked: bool = False
) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "grade": grade,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": solution,
        "task": False,
    }


def _body_of(solution: str) -> list[str]:
    """The lines of the function's body, not indented and without its docstring."""
    (function,) = ast.parse(solution).body
    assert isinstance(function, ast.FunctionDef)
    skipped = function.body[1:] if ast.get_docstring(function) is not None else function.body
    lines = solution.split("\n")[skipped[0].lineno - 1 : function.end_lineno]
    return textwrap.dedent("\n".join(lines)).split("\n")


def _ids_of(lesson: Lesson) -> list[str]:
    return [one.id for one in all_exercises() if one.lesson == lesson.id]


def _config() -> str:
    return _CONFIG_TEXT.format(course=COURSE_ID, stub=STUB, header=HEADER)


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)


def _json(notebook: dict[str, Any]) -> str:
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _differs(path: Path, content: str) -> bool:
    if not path.exists():
        return False
    try:
        return path.read_text(encoding="utf-8") != content
    except (OSError, UnicodeDecodeError):
        return True
