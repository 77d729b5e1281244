"""``coursekit lessons`` and ``coursekit exercises``: what the course holds, with its measures."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from coursekit.checkout import CannotRun, course_root

_WORD = re.compile(r"\w+")


def list_exercises(as_json: bool = False) -> int:
    """Print every exercise: id, lesson, function, points, version. Return 0."""
    rows = [
        {
            "id": each.id,
            "lesson": each.lesson,
            "function": each.function,
            "points": each.points,
            "version": each.version,
        }
        for each in _content("exercises", "all_exercises")()
    ]
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        columns = ("id", "lesson", "function", "points")
        print(as_table(columns, ([row[column] for column in columns] for row in rows)))
        print(f"\n{len(rows)} exercises, {sum(row['points'] for row in rows)} points")
    return 0


def list_lessons(as_json: bool = False, measure: bool = False) -> int:
    """Print every lesson with its measures; return 1 when a notebook is missing or stops, else 0.

    With `measure` each lesson is run twice too, unsolved and solved, which takes minutes.
    """
    rows = [_lesson_row(lesson, measure) for lesson in _content("curriculum", "LESSONS")]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        columns = tuple(rows[0]) if rows else ()
        counted = (
            [len(value) if isinstance(value, list) else value for value in row.values()] for row in rows
        )
        print(as_table(columns, counted))
    stopped = measure and any(None in (row["seconds_unsolved"], row["seconds_solved"]) for row in rows)
    missing = [row["id"] for row in rows if row["cells"] is None]
    if missing:
        print(f"No readable notebook for: {', '.join(missing)}.", file=sys.stderr)
    return 1 if missing or stopped else 0


def _lesson_row(lesson: Any, measure: bool) -> dict[str, Any]:
    own = [each for each in _content("exercises", "all_exercises")() if each.lesson == lesson.id]
    notebook = course_root() / lesson.path
    row = {
        "id": lesson.id,
        "title": lesson.title,
        "minutes": lesson.minutes,
        **measures(notebook),
        "exercises": [each.id for each in own],
        "points": sum(each.points for each in own),
    }
    if measure:
        there = row["cells"] is not None
        row["seconds_unsolved"] = _seconds(notebook, solved=False) if there else None
        row["seconds_solved"] = _seconds(notebook, solved=True) if there else None
    return row


def _seconds(notebook: Path, *, solved: bool) -> float | None:
    """How long a lesson takes; None, and a sentence, for one that stops: the others are measured still."""
    try:
        return float(_content("rehearsing", "seconds_to_run")(notebook, solved=solved))
    except CannotRun as problem:
        print(f"{problem} ({'solved' if solved else 'unsolved'})", file=sys.stderr)
        return None


def measures(notebook: Path) -> dict[str, int | None]:
    """Count a notebook's cells and the words of its prose.

    Parameters
    ----------
    notebook : Path
        An ``.ipynb`` file.

    Returns
    -------
    dict
        ``cells`` and ``words``; both None where no notebook can be read.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    except (OSError, ValueError, KeyError, TypeError):
        return {"cells": None, "words": None}
    return {"cells": len(cells), "words": sum(len(_WORD.findall(text)) for text in prose)}


def as_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay rows out under their columns: numbers to the right, words to the left.

    Examples
    --------
    >>> print(as_table(("id", "points"), [("stamp", 2), ("crop", 10)]))
    id     points
    stamp       2
    crop       10
    """
    body = [["–" if value is None else value for value in row] for row in rows]
    texts = [list(columns), *([str(value) for value in row] for row in body)]
    widths = [max(len(row[i]) for row in texts) for i in range(len(columns))]
    numeric = [
        bool(body) and all(isinstance(row[i], int | float) for row in body) for i in range(len(columns))
    ]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join(line(row) for row in texts)


def _content(room: str, name: str) -> Any:
    try:
        return getattr(import_module(f"coursekit.{room}"), name)
    except ImportError as problem:
        raise CannotRun(
            f"the course's content could not be loaded: {problem}. `coursekit doctor` says what is missing."
        ) from problem
