"""The gradebook: one SQLite file to which is only added, so that no grade is ever lost or changed unseen.

Each result is one transaction, flushed to the disk before it is acknowledged: whenever the grader is killed,
what it acknowledged is there and the rest is graded by the next run, with the same secret seed. Scores are
not stored but read from the history, so late days and "best of" never write over what happened.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coursekit import __version__
from coursekit.checkout import CannotRun
from coursekit.grading.ledger import opened, told
from coursekit.grading.reading import READER
from coursekit.grading.results import ExerciseResult, SubmissionResult
from coursekit.grading.submission import Submission
from coursekit.storage import transaction

_AGAIN = " again"  # behind the versions of what is not graded yet, for all that was kept of it


@dataclass(frozen=True)
class Attempt:
    """One grading of one file.

    Attributes
    ----------
    id : int
        Counts up in the order in which attempts were kept.
    result : SubmissionResult
    handed_in : float or None
        POSIX time.
    marked_late : bool
        Whether the LMS's file name says that it came late.
    round : int
        0, or the number of the regrade.
    coursekit, at : str
        The course's version and the time of grading (UTC).
    """

    id: int
    result: SubmissionResult
    handed_in: float | None
    marked_late: bool
    round: int
    coursekit: str
    at: str


@dataclass(frozen=True)
class Override:
    """A score given by a person. `points` is None where they went back to the graded one."""

    learner: str
    exercise: str
    points: float | None
    note: str
    at: str


@dataclass(frozen=True)
class Task:
    """What a run is asked for; the same submission under the same task is graded once.

    Attributes
    ----------
    exercises : tuple of str or None
        None for what the grader takes by itself.
    round : int
        0 for grading, else the number of a regrade.
    """

    exercises: tuple[str, ...] | None = None
    round: int = 0

    @property
    def key(self) -> str:
        """As it is kept."""
        return "" if self.exercises is None else " ".join(sorted(self.exercises))


class Gradebook:
    """The gradebook in a file.

    Parameters
    ----------
    path : Path
        The file; made where there is none.
    versions : mapping of str to int
        Exercise id -> its version now. A submission is graded again once the checks changed.
    create : bool
        Whether to make the file where there is none.
    lessons : mapping of str to str, optional
        Exercise id -> its lesson. With it, a submission is graded again once its lesson has another exercise.

    Raises
    ------
    CannotRun
        Where the file is none of ours, damaged, of a newer course, or cannot be written. It is left as it is.

    Examples
    --------
    >>> import tempfile
    >>> book = Gradebook(Path(tempfile.mkdtemp()) / "class.sqlite", versions={})
    >>> book.seed == book.seed, book.learners()
    (True, [])
    """

    def __init__(
        self,
        path: Path,
        versions: Mapping[str, int],
        create: bool = True,
        lessons: Mapping[str, str] | None = None,
    ) -> None:
        self.path = path
        self._versions = dict(versions)
        self._lessons = dict(lessons or {})
        if not create and not path.exists():
            raise CannotRun(
                f"expected a gradebook, got {path}, which is not there. `coursekit grade` makes one."
            )
        with told(path):
            self._connection = opened(path)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @property
    def seed(self) -> str:
        """The secret seed of this gradebook's batch, drawn once and kept."""
        return str(self._batch()["seed"])

    def begin_batch(self) -> None:
        """Draw a new secret seed: from now on every submission counts as not graded yet."""
        self._write(
            "INSERT INTO batches (seed, coursekit, at) VALUES (?,?,?)", _new_seed(), __version__, _now()
        )

    def next_round(self) -> int:
        """The number of the next regrade."""
        known = "SELECT round FROM attempts UNION SELECT round FROM rounds"
        return int(self._rows(f"SELECT coalesce(max(round), 0) + 1 AS next FROM ({known})")[0]["next"])

    def begin_round(self, exercises: Sequence[str], files: Iterable[tuple[str, str]]) -> tuple[Task, bool]:
        """A regrade of these exercises of these files (learner, name).

        Returns
        -------
        Task, bool
            What to grade; and whether it is the last regrade, which was stopped before its end.
        """
        batch, asked = self._batch()["id"], Task(tuple(exercises)).key
        listed = hashlib.sha256(_json(sorted(files)).encode()).hexdigest()
        last = self._rows("SELECT * FROM rounds ORDER BY round DESC LIMIT 1")
        if last and (last[0]["batch"], last[0]["asked"], last[0]["files"]) == (batch, asked, listed):
            round = int(last[0]["round"])
            if not self._rows("SELECT 1 FROM rounds_ended WHERE round = ?", round):
                return Task(tuple(exercises), round), True
        task = Task(tuple(exercises), self.next_round())
        values = (task.round, batch, asked, listed, __version__, _now())
        self._write(
            "INSERT INTO rounds (round, batch, asked, files, coursekit, at) VALUES (?,?,?,?,?,?)", *values
        )
        return task, False

    def end_round(self, round: int) -> None:
        """Everything that a regrade was asked for is kept; the same command begins another one."""
        self._write(
            "INSERT INTO rounds_ended (round, at) VALUES (?,?) ON CONFLICT (round) DO NOTHING", round, _now()
        )

    def note_learner(self, learner: str, lms: str, number: str) -> None:
        """Keep under which number an LMS knows a learner."""
        values = (learner, lms, number, _now())
        self._write(
            "INSERT INTO learners (learner, lms, number, at) VALUES (?,?,?,?) "
            "ON CONFLICT (learner, lms, number) DO NOTHING",
            *values,
        )

    def numbers(self, lms: str) -> dict[str, str]:
        """Learner -> the number that an LMS gave last."""
        rows = self._rows("SELECT learner, number FROM learners WHERE lms = ? ORDER BY id", lms)
        return {row["learner"]: row["number"] for row in rows}

    def add(
        self, submission: Submission, result: SubmissionResult, task: Task, marked_late: bool = False
    ) -> None:
        """Keep one result, all of it or nothing; when this returns, it is on the disk."""
        rests_on = self._rests_on(result, task) + (_AGAIN if result.judge_failed else "")
        values = (
            *(self._batch()["id"], submission.learner, submission.file, result.digest, submission.handed_in),
            *(int(marked_late), result.sandbox, _sound(result.reason), _json(result.tree), task.key),
            *(rests_on, task.round, __version__, _now()),
        )
        with told(self.path), transaction(self._connection):
            cursor = self._connection.execute(
                "INSERT INTO attempts (batch, learner, file, digest, handed_in, marked_late, sandbox, "
                "reason, tree, asked, versions, round, coursekit, at) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
                "ON CONFLICT (batch, learner, file, digest, asked, versions, round) DO NOTHING",
                values,
            )
            if cursor.rowcount:  # 0: another grader was quicker
                marks = [_mark_row(cursor.lastrowid, *each) for each in enumerate(result.exercises)]
                self._connection.executemany("INSERT INTO marks VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", marks)

    def graded(self, submission: Submission, digest: str, task: Task) -> Attempt | None:
        """The attempt that graded just this, if there is one: same file, same seed, same checks.

        An attempt in which the judge failed graded nothing.
        """
        rows = self._rows(
            "SELECT * FROM attempts WHERE batch = ? AND learner = ? AND file = ? AND digest = ? "
            f"AND asked = ? AND round = ? AND versions NOT LIKE '%{_AGAIN}' ORDER BY id DESC LIMIT 1",
            *(self._batch()["id"], submission.learner, submission.file, digest, task.key, task.round),
        )
        attempts = list(self._attempts(rows))
        if attempts and self._rests_on(attempts[0].result, task) == rows[0]["versions"]:
            return attempts[0]
        return None

    def attempts(self, learner: str | None = None) -> list[Attempt]:
        """Every attempt in the order in which they were kept, of all learners or one."""
        where, values = ("", ()) if learner is None else ("WHERE learner = ?", (learner,))
        return list(self._attempts(self._rows(f"SELECT * FROM attempts {where} ORDER BY id", *values)))

    def learners(self) -> list[str]:
        """Everyone with an attempt, by name."""
        return [
            row["learner"] for row in self._rows("SELECT DISTINCT learner FROM attempts ORDER BY learner")
        ]

    def override(self, learner: str, exercise: str, points: float | None, note: str) -> None:
        """Give a score by hand, or None to go back to the graded one; what was said before stays readable."""
        values = (learner, exercise, points, _sound(note), _now())
        self._write("INSERT INTO overrides (learner, exercise, points, note, at) VALUES (?,?,?,?,?)", *values)

    def overrides(self) -> list[Override]:
        """Every score given by hand, in the order of time; the last one on an exercise counts."""
        rows = self._rows("SELECT learner, exercise, points, note, at FROM overrides ORDER BY id")
        return [Override(**row) for row in rows]

    def _batch(self) -> dict[str, Any]:
        rows = self._rows("SELECT id, seed FROM batches ORDER BY id DESC LIMIT 1")
        if not rows:
            self.begin_batch()
            return self._batch()
        return rows[0]

    def _attempts(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Attempt]:
        for row in rows:
            marks = self._rows("SELECT * FROM marks WHERE attempt = ? ORDER BY position", row["id"])
            result = SubmissionResult(
                learner=row["learner"],
                file=row["file"],
                digest=row["digest"],
                sandbox=row["sandbox"],
                exercises=tuple(map(_result_of, marks)),
                reason=row["reason"],
                tree=json.loads(row["tree"]),
            )
            late = bool(row["marked_late"])
            yield Attempt(
                row["id"], result, row["handed_in"], late, row["round"], row["coursekit"], row["at"]
            )

    def _rests_on(self, result: SubmissionResult, task: Task) -> str:
        """The versions now of all that made a result: when one changes, it becomes a thing of the past."""
        graded = {one.id: one.version for one in result.exercises}
        lessons = {self._lessons[id] for id in graded if id in self._lessons and task.exercises is None}
        asked = [*graded, *(id for id, lesson in self._lessons.items() if lesson in lessons)]
        versions = {"reader": READER, **{id: self._versions.get(id, graded.get(id)) for id in asked}}
        return " ".join(f"{id}:{version}" for id, version in versions.items())

    def _write(self, statement: str, *values: object) -> None:
        with told(self.path), transaction(self._connection):
            self._connection.execute(statement, values)

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with told(self.path):
            return [dict(row) for row in self._connection.execute(query, values)]


def _mark_row(attempt: int | None, position: int, one: ExerciseResult) -> tuple[object, ...]:
    return (
        *(attempt, position, one.id, one.version, one.state, one.fraction, one.points, one.worth),
        *(_sound(one.reason), _json(one.verdict), _json(list(one.reports)), one.seconds),
    )


def _result_of(row: Mapping[str, Any]) -> ExerciseResult:
    return ExerciseResult(
        id=row["exercise"],
        **{
            name: row[name]
            for name in ("version", "state", "fraction", "points", "worth", "reason", "seconds")
        },
        verdict=json.loads(row["verdict"]),
        reports=tuple(json.loads(row["reports"])),
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True)  # half characters, which a learner may print, stay escaped


def _sound(text: str) -> str:
    """Text that SQLite can keep: half characters are written out."""
    return text.encode("utf-8", "backslashreplace").decode()


def _new_seed() -> str:
    return secrets.token_hex(16)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
