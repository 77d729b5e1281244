"""The gradebook's file: its tables, opening it, and what goes wrong with it as a sentence."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coursekit.checkout import CannotRun
from coursekit.storage import schema_version, transaction

VERSION = 2
APPLICATION = 0x436B4772  # "CkGr", so that no other program's database is taken for a gradebook
PATIENCE_S = 30.0
"""How long to wait while another grader writes. A write takes milliseconds."""

TABLES = ("batches", "learners", "attempts", "marks", "overrides")
_TABLES_SINCE_2 = ("rounds", "rounds_ended")

_SCHEMA = (
    """CREATE TABLE batches (id INTEGER PRIMARY KEY, seed TEXT NOT NULL, coursekit TEXT NOT NULL,
       at TEXT NOT NULL)""",
    """CREATE TABLE learners (id INTEGER PRIMARY KEY, learner TEXT NOT NULL, lms TEXT NOT NULL,
       number TEXT NOT NULL, at TEXT NOT NULL, UNIQUE (learner, lms, number))""",
    """CREATE TABLE attempts (id INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches,
       learner TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL, handed_in REAL,
       marked_late INTEGER NOT NULL, sandbox TEXT NOT NULL, reason TEXT NOT NULL, tree TEXT NOT NULL,
       asked TEXT NOT NULL, versions TEXT NOT NULL, round INTEGER NOT NULL,
       coursekit TEXT NOT NULL, at TEXT NOT NULL,
       UNIQUE (batch, learner, file, digest, asked, versions, round))""",
    """CREATE TABLE marks (attempt INTEGER NOT NULL REFERENCES attempts, position INTEGER NOT NULL,
       exercise TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL, fraction REAL NOT NULL,
       points REAL NOT NULL, worth REAL NOT NULL, reason TEXT NOT NULL, verdict TEXT NOT NULL,
       reports TEXT NOT NULL, seconds REAL NOT NULL, PRIMARY KEY (attempt, exercise)) WITHOUT ROWID""",
    """CREATE TABLE overrides (id INTEGER PRIMARY KEY, learner TEXT NOT NULL, exercise TEXT NOT NULL,
       points REAL, note TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE INDEX attempts_by_learner ON attempts (learner)",
)
_SCHEMA_SINCE_2 = (
    """CREATE TABLE rounds (round INTEGER PRIMARY KEY, batch INTEGER NOT NULL REFERENCES batches,
       asked TEXT NOT NULL, files TEXT NOT NULL, coursekit TEXT NOT NULL, at TEXT NOT NULL)""",
    "CREATE TABLE rounds_ended (round INTEGER PRIMARY KEY REFERENCES rounds, at TEXT NOT NULL)",
)


def opened(path: Path) -> sqlite3.Connection:
    """Open a gradebook's file, or make one; every transaction is flushed to the disk before it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):  # it holds the secret seed, and learners may share this machine
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with transaction(connection):
            _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    anything = connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    if anything and application != APPLICATION:
        raise CannotRun(f"expected a gradebook, got {path}, another program's database. Try another name.")
    if schema_version(connection) > VERSION:
        raise CannotRun(f"{path} was written by a newer version of the course. Update the course.")
    if not anything:
        _make(connection, _SCHEMA, TABLES)
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
    if schema_version(connection) < VERSION:
        _make(connection, _SCHEMA_SINCE_2, _TABLES_SINCE_2)
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _make(connection: sqlite3.Connection, statements: Iterable[str], tables: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)
    for table in tables:
        for what in ("UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER {table}_{what.lower()} BEFORE {what} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the history is only added to'); END"
            )


@contextmanager
def told(path: Path) -> Iterator[None]:
    """What goes wrong with the file, as a sentence."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        if isinstance(problem, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise  # a mistake of ours, not the file's
        raise CannotRun(
            f"the gradebook {path} cannot be used: {problem}. What was kept is left as it is. "
            "Try another file, a folder of yours, or a copy of it."
        ) from problem
    except OSError as problem:
        raise CannotRun(f"the gradebook {path} cannot be used: {problem.strerror or problem}.") from problem
