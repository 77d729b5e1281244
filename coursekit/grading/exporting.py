"""Scores as files: a plain table, what Canvas and Moodle import, and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from coursekit import __version__
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.scores import Score, Standing

CANVAS_HEADER = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
"""What Canvas's importer looks for in the first row; the assignment's column follows."""

MOODLE_HEADER = (
    "Identifier",
    "Full name",
    "Email address",
    "Status",
    "Grade",
    "Maximum Grade",
    "Grade can be changed",
    "Last modified (submission)",
    "Last modified (grade)",
    "Feedback comments",
)
"""The offline grading worksheet of a Moodle assignment."""

FORMATS = ("plain", "canvas", "moodle", "json")

_FORMULA = re.compile(r"^(?=\s*[=+\-@|%]|[\t\r\n])|(?<=[;\t\r\n])(?=\s*[=+\-@|%])")
"""Where a cell begins: in many countries a spreadsheet takes ``;`` for the end of one, whatever is quoted."""


def exported(
    standings: Sequence[Standing], book: Gradebook, form: str = "plain", assignment: str = "coursekit"
) -> str:
    """The scores as the text of a file.

    Parameters
    ----------
    standings : sequence of Standing
    book : Gradebook
        For the numbers under which Canvas and Moodle know the learners.
    form : str
        One of `FORMATS`.
    assignment : str
        The assignment's name in Canvas, best with its number: ``"Lesson 5 (1234)"``.

    Raises
    ------
    ValueError
        For an unknown form.
    """
    if form == "json":
        return json.dumps(as_data(standings), indent=2) + "\n"
    if form == "plain":
        return _csv(_plain(standings))
    if form == "canvas":
        return _csv(_canvas(standings, book.numbers("canvas"), assignment))
    if form == "moodle":
        return _csv(_moodle(standings, book.numbers("moodle")))
    raise ValueError(f"expected a format among {', '.join(FORMATS)}, got {form!r}. Try plain.")


def as_data(standings: Sequence[Standing]) -> dict[str, Any]:
    """The scores as plain data, with the keys of ``coursekit grade --json`` and what policies did to them."""
    return {
        "coursekit_version": __version__,
        "submissions": [
            {
                "learner": one.learner,
                "file": _latest(one),
                "fraction": one.fraction,
                "points": one.points,
                "worth": one.worth,
                "sandbox": one.attempts[-1].result.sandbox,
                "reason": "; ".join(sorted({bad.result.reason for bad in one.unreadable})),
                "exercises": {id: _score_data(score) for id, score in one.scores.items()},
            }
            for one in standings
        ],
    }


def _score_data(score: Score) -> dict[str, Any]:
    worth = score.result.worth
    return {
        "fraction": round(score.points / worth, 6) if worth else 0.0,
        "points": score.points,
        "state": score.result.state,
        "reason": score.result.reason,
        "version": score.result.version,
        "graded_points": score.result.points,
        "days_late": score.days_late,
        "override": score.override.note if score.override else "",
    }


def _plain(standings: Sequence[Standing]) -> list[Sequence[object]]:
    ids = _ids(standings)
    head = ["learner", "points", "worth", "percent", *ids, "days late", "by hand", "could not be read"]
    rows = [
        [
            one.learner,
            _number(one.points),
            _number(one.worth),
            _number(round(100 * one.fraction, 2)),
            *(_number(one.scores[id].points) for id in ids),
            max((score.days_late for score in one.scores.values()), default=0),
            "; ".join(f"{id}: {score.override.note}" for id, score in one.scores.items() if score.override),
            "; ".join(f"{bad.result.file}: {bad.result.reason}" for bad in one.unreadable),
        ]
        for one in standings
    ]
    return [head, *rows]


def _canvas(
    standings: Sequence[Standing], numbers: Mapping[str, str], assignment: str
) -> list[Sequence[object]]:
    worth = max((one.worth for one in standings), default=0.0)
    rows: list[Sequence[object]] = [
        [*CANVAS_HEADER, assignment],
        ["    Points Possible", "", "", "", "", _number(worth)],
    ]
    rows += [
        [one.learner, numbers.get(one.learner, ""), "", "", "", _number(one.points)] for one in standings
    ]
    return rows


def _moodle(standings: Sequence[Standing], numbers: Mapping[str, str]) -> list[Sequence[object]]:
    return [
        list(MOODLE_HEADER),
        *(
            [
                f"Participant {numbers[one.learner]}" if one.learner in numbers else "",
                one.learner,
                "",
                "Submitted for grading",
                _number(one.points),
                _number(one.worth),
                "Yes",
                _time(max((attempt.handed_in or 0.0 for attempt in one.attempts), default=0.0)),
                # Moodle keeps a grade that was changed there after this time.
                one.attempts[-1].at.partition(".")[0].replace("T", " ") + " UTC",
                "; ".join(f"{id}: {_number(score.points)} of {_number(score.result.worth)}"
                          for id, score in one.scores.items()),
            ]
            for one in standings
        ),
    ]  # fmt: skip


def _ids(standings: Sequence[Standing]) -> list[str]:
    return list(standings[0].scores) if standings else []  # everyone is measured by the same


def _latest(standing: Standing) -> str:
    return max(standing.attempts, key=lambda one: (one.handed_in or 0.0, one.id)).result.file


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def _safe(cell: object) -> object:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front; see `_FORMULA`."""
    return _FORMULA.sub("'", cell) if isinstance(cell, str) else cell


def _number(value: float) -> str:
    return f"{round(value, 4):.12g}"


def _time(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC" if at else "-"
