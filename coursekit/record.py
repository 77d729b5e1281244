"""The learner's record: verdicts, passing functions, hints, guesses and answers, in one file on this machine.

The file is ``record.sqlite`` in ``COURSEKIT_HOME`` (``.coursekit/`` of the checkout unless that is set).
No learner data leaves the machine: no part of the course sends it anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from coursekit.checkout import CannotRun, home_folder
from coursekit.storage import Row, Storage

FILE_NAME = "record.sqlite"
VERSION = 1
TABLES = ("verdicts", "sources", "hints", "guesses", "answers")

_SCHEMA = (
    """CREATE TABLE verdicts (id INTEGER PRIMARY KEY, exercise TEXT NOT NULL, lesson TEXT NOT NULL,
       version INTEGER NOT NULL, state TEXT NOT NULL, fraction REAL NOT NULL, points REAL NOT NULL,
       at TEXT NOT NULL)""",
    """CREATE TABLE sources (exercise TEXT PRIMARY KEY, version INTEGER NOT NULL, source TEXT NOT NULL,
       at TEXT NOT NULL)""",
    "CREATE TABLE hints (exercise TEXT PRIMARY KEY, seen INTEGER NOT NULL, at TEXT NOT NULL)",
    """CREATE TABLE guesses (prediction TEXT PRIMARY KEY, choice INTEGER NOT NULL, said TEXT NOT NULL,
       answer INTEGER, at TEXT NOT NULL)""",
    """CREATE TABLE answers (id INTEGER PRIMARY KEY, lesson TEXT NOT NULL, idea TEXT NOT NULL,
       asked_in TEXT NOT NULL, choice INTEGER NOT NULL, correct INTEGER NOT NULL, question TEXT NOT NULL,
       at TEXT NOT NULL)""",
)


class Record:
    """What one learner did, kept across kernels.

    Every method that keeps something returns once it is on disk. Where the file cannot be used (a folder
    that is read-only, a disk that is full, a file of a newer course) the record goes on in memory and
    `take_notices` has a sentence about it; nothing is raised. A damaged file is put aside, not deleted.

    Parameters
    ----------
    folder : Path or None
        Where ``record.sqlite`` lies or will lie; None for memory only, as for a visitor of the web app.

    Examples
    --------
    >>> record = Record(None)
    >>> record.keep_guess("canvas-size", 1, "5 rows")
    >>> record.keep_guess("canvas-size", 0, "4 rows")   # a second guess is no guess
    >>> record.keep_outcome("canvas-size", 1)
    >>> [(row["said"], row["right"]) for row in record.guesses()]
    [('5 rows', True)]
    """

    def __init__(self, folder: Path | None) -> None:
        self._storage = Storage(folder / FILE_NAME if folder else None, _SCHEMA, VERSION)

    @classmethod
    def of_this_learner(cls) -> Record:
        """The record in ``COURSEKIT_HOME``; in memory, with a notice, where no folder can be named."""
        try:
            return cls(home_folder().absolute())
        except (CannotRun, OSError, RuntimeError) as problem:  # RuntimeError: ~name of nobody
            record = cls(None)
            record._storage.notices.append(f"Your record cannot be kept: {problem}")
            return record

    @property
    def path(self) -> Path | None:
        """The file; None for a record that was meant for memory only."""
        return self._storage.path

    @property
    def on_disk(self) -> bool:
        """Whether what is kept now will be there next time."""
        return self._storage.on_disk

    def take_notices(self) -> list[str]:
        """Sentences about trouble with the file that nobody was told yet."""
        taken, self._storage.notices = self._storage.notices, []
        return taken

    def keep_verdict(
        self, exercise: str, *, lesson: str, version: int, state: str, fraction: float, points: float
    ) -> None:
        """Keep the result of one check; earlier ones stay."""
        self._storage.write(
            "INSERT INTO verdicts (exercise, lesson, version, state, fraction, points, at) "
            "VALUES (?,?,?,?,?,?,?)",
            *(exercise, lesson, version, state, fraction, points, _now()),
        )

    def verdicts(self) -> list[Row]:
        """Every result in the order of time: exercise, lesson, version, state, fraction, points, at."""
        return self._storage.read(
            "SELECT exercise, lesson, version, state, fraction, points, at FROM verdicts ORDER BY id"
        )

    def keep_source(self, exercise: str, version: int, source: str) -> None:
        """Keep the text of a function that passed, in place of an earlier one."""
        self._storage.write(
            "INSERT INTO sources VALUES (?,?,?,?) ON CONFLICT (exercise) DO UPDATE SET "
            "version = excluded.version, source = excluded.source, at = excluded.at",
            *(exercise, version, source, _now()),
        )

    def source(self, exercise: str) -> str | None:
        """The text of the last function that passed, or None."""
        rows = self._storage.read("SELECT source FROM sources WHERE exercise = ?", exercise)
        return str(rows[0]["source"]) if rows else None

    def keep_hints(self, exercise: str, seen: int) -> None:
        """Keep how many hints were seen at most."""
        self._storage.write(
            "INSERT INTO hints VALUES (?,?,?) ON CONFLICT (exercise) DO UPDATE SET "
            "seen = max(seen, excluded.seen), at = excluded.at",
            *(exercise, seen, _now()),
        )

    def hints(self) -> dict[str, int]:
        """The number of hints seen, by exercise."""
        return {row["exercise"]: row["seen"] for row in self._storage.read("SELECT * FROM hints")}

    def keep_guess(self, prediction: str, choice: int, said: str) -> None:
        """Keep a guess from before its reveal. Only the first counts: after that the answer may be known."""
        self._storage.write(
            "INSERT OR IGNORE INTO guesses VALUES (?,?,?,NULL,?)", *(prediction, choice, said, _now())
        )

    def keep_outcome(self, prediction: str, answer: int) -> None:
        """Keep what turned out to be the answer to a guess."""
        self._storage.write("UPDATE guesses SET answer = ? WHERE prediction = ?", answer, prediction)

    def guesses(self) -> list[Row]:
        """Every guess: prediction, choice, said, at, and right, which is None before the reveal."""
        rows = self._storage.read("SELECT * FROM guesses ORDER BY at, prediction")
        for row in rows:
            answer = row.pop("answer")
            row["right"] = None if answer is None else row["choice"] == answer
        return rows

    def keep_answer(
        self,
        *,
        lesson: str,
        idea: str,
        asked_in: str,
        choice: int,
        correct: bool,
        question: Mapping[str, Any],
    ) -> None:
        """Keep the first answer to a question, with the question, so that it can be asked again elsewhere.

        Parameters
        ----------
        lesson, asked_in : str
            The number of the lesson whose question it is, and of the one that asked it now: "03", "06".
        idea : str
            What it asks about; the latest answer to an idea of a lesson counts.
        choice : int
            The position of the option chosen.
        correct : bool
            Whether that was right.
        question : mapping
            As :class:`coursekit.widgets.Quiz` takes it, of plain values.
        """
        self._storage.write(
            "INSERT INTO answers (lesson, idea, asked_in, choice, correct, question, at) "
            "VALUES (?,?,?,?,?,?,?)",
            *(lesson, idea, asked_in, choice, int(correct), json.dumps(question), _now()),
        )

    def answers(self) -> list[Row]:
        """Every answer in the order of time: lesson, idea, asked_in, choice, right, question, at."""
        rows = self._storage.read("SELECT * FROM answers ORDER BY id")
        for row in rows:
            del row["id"]
            row["right"] = bool(row.pop("correct"))
            row["question"] = _loaded(row["question"])
        return rows

    def missed(self) -> list[Row]:
        """The answers to ideas whose latest answer was wrong, those missed longest ago first."""
        latest = {(row["lesson"], row["idea"]): row for row in self.answers()}
        return sorted((row for row in latest.values() if not row["right"]), key=lambda row: str(row["at"]))

    def everything(self) -> dict[str, Any]:
        """All that is kept, as plain data for JSON."""
        return {
            "record_version": VERSION,
            "verdicts": self.verdicts(),
            "sources": self._storage.read("SELECT * FROM sources ORDER BY exercise"),
            "hints": self._storage.read("SELECT * FROM hints ORDER BY exercise"),
            "guesses": self.guesses(),
            "answers": self.answers(),
        }

    def clear(self) -> None:
        """Forget everything, on disk too."""
        self._storage.clear(TABLES)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a question that cannot be read is not asked again
        return None
