"""Where a learner stands: the record laid over the course, lesson by lesson, and what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from coursekit.checking import Exercise
from coursekit.curriculum import LESSONS, Lesson
from coursekit.exercises import all_exercises
from coursekit.record import Record
from coursekit.storage import Row

_PREDICTION = re.compile(r"""\bpredict\(\s*["']([^"']+)["']""")


def standing(
    record: Record, lessons: Sequence[Lesson] = LESSONS, exercises: Iterable[Exercise] | None = None
) -> dict[str, Any]:
    """Lay a record over the course.

    Parameters
    ----------
    record : Record
    lessons : sequence of Lesson
        In their order.
    exercises : iterable of Exercise, optional
        The course's own unless given.

    Returns
    -------
    dict
        Plain data: `lessons`, each with `id`, `title`, `minutes`, `exercises` (`id`, `title`, `function`,
        `state`, `points`, `of`, `tries`, `hints`), `points`, `of`, `predictions` (`asked`, `made`,
        `revealed`, `right`) and `missed` (ideas); the sums for the whole course; and `next`, with `lesson`,
        `exercise` and a sentence. An exercise's `state` is that of its best try, or "open".
    """
    tries = _by(record.verdicts(), "exercise")
    hints = record.hints()
    guesses = {row["prediction"]: row for row in record.guesses()}
    missed = _by(record.missed(), "lesson")
    declared = all_exercises() if exercises is None else tuple(exercises)
    rows = []
    for lesson in lessons:
        own = [
            _exercise_row(each, tries.get(each.id, []), hints.get(each.id, 0))
            for each in declared
            if each.lesson == lesson.id
        ]
        rows.append(
            {
                "id": lesson.id,
                "title": lesson.title,
                "minutes": lesson.minutes,
                "exercises": own,
                **_points(own),
                "predictions": _predictions(predictions_of(lesson.path), guesses),
                "missed": [row["idea"] for row in missed.get(lesson.id[:2], [])],
            }
        )
    return _sums(rows) | {"next": _next(rows), "lessons": rows}


def predictions_of(notebook: Path) -> list[str]:
    """The names of the predictions that a lesson asks for, in their order; none where it cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return list(dict.fromkeys(_PREDICTION.findall(code)))


def _by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[key], []).append(row)
    return grouped


def _exercise_row(exercise: Exercise, tries: list[Row], hints: int) -> Row:
    attempts = [row for row in tries if row["state"] != "not_attempted"]
    best = max(attempts, key=lambda row: (row["state"] == "right", row["fraction"]), default=None)
    return {
        "id": exercise.id,
        "title": exercise.title,
        "function": exercise.function,
        "state": best["state"] if best else "open",
        # The share of today's points: an exercise may be worth more than when it was solved.
        "points": round(best["fraction"] * exercise.points, 6) if best else 0,
        "of": exercise.points,
        "tries": len(attempts),
        "hints": hints,
    }


def _points(rows: Iterable[Row]) -> Row:
    rows = list(rows)
    return {"points": sum(row["points"] for row in rows), "of": sum(row["of"] for row in rows)}


def _predictions(asked: list[str], guesses: dict[str, Row]) -> Row:
    made = [guesses[name] for name in asked if name in guesses]
    known = [row["right"] for row in made if row["right"] is not None]
    return {"asked": len(asked), "made": len(made), "revealed": len(known), "right": sum(known)}


def _sums(rows: list[Row]) -> dict[str, Any]:
    solved = [each["state"] == "right" for row in rows for each in row["exercises"]]
    kinds = ("asked", "made", "revealed", "right")
    predictions = {kind: sum(row["predictions"][kind] for row in rows) for kind in kinds}
    return {
        **_points(rows),
        "solved": sum(solved),
        "exercises": len(solved),
        "predictions": predictions,
        "missed": [{"lesson": row["id"], "idea": idea} for row in rows for idea in row["missed"]],
    }


def _next(rows: list[Row]) -> Row:
    """The first exercise that is not solved; after the last one, what was missed."""
    for row in rows:
        for each in row["exercises"]:
            if each["state"] != "right":
                return {
                    "lesson": row["id"],
                    "exercise": each["id"],
                    "says": f"Lesson {row['id'][:2]}, {row['title']}: write `{each['function']}`.",
                }
    for row in rows:
        if row["missed"]:
            says = f"Take the questions of lesson {row['id'][:2]}, {row['title']}, again."
            return {"lesson": row["id"], "exercise": None, "says": f"Every exercise is solved. {says}"}
    return {"lesson": None, "exercise": None, "says": "All that there is to do is done."}
