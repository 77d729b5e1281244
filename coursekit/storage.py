"""A small SQLite file that never stands in a lesson's way: what cannot be kept on disk is kept in memory.

The journal is SQLite's rollback journal: the newer one, WAL, needs memory shared by all who open the file,
and breaks on a home folder that lies on a network. The file is opened for each piece of work and closed after
it, so that several notebooks, a terminal and a killed kernel share it without holding each other up.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

Row = dict[str, Any]
T = TypeVar("T")

PATIENCE_S = 2.0
"""How long to wait while another notebook writes. A write takes milliseconds, so this is long."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""The file's pages are broken, it is no database, or it lacks a table that it should have."""


class _FromTheFuture(Exception):
    """The file was written by a newer version of the course."""


class _Unusable(Exception):
    """The file is damaged, or a sound database of another program."""


class Storage:
    """Tables in one file, or in memory where the file cannot be used.

    Parameters
    ----------
    path : Path or None
        The file, which need not exist yet; None for memory only.
    schema : sequence of str
        The statements that make the tables.
    version : int
        The schema's number, from 1. A file with a higher one is left alone.

    Attributes
    ----------
    notices : list of str
        Sentences for the learner, each said once, about what went wrong with the file.

    Examples
    --------
    >>> storage = Storage(None, ["CREATE TABLE seen (what TEXT)"], version=1)
    >>> storage.write("INSERT INTO seen VALUES (?)", "a hint")
    >>> storage.read("SELECT * FROM seen")
    [{'what': 'a hint'}]
    """

    def __init__(self, path: Path | None, schema: Sequence[str], version: int) -> None:
        self.path = path
        self.notices: list[str] = []
        self._schema = schema
        self._version = version
        self._lock = threading.RLock()
        self._sound: tuple[int, int] | None = None  # which file was found to be sound
        self._memory: sqlite3.Connection | None = self._new_memory() if path is None else None

    @property
    def on_disk(self) -> bool:
        """Whether what is written now will be there after this process."""
        return self._memory is None

    def write(self, statement: str, *values: object) -> None:
        """Run one statement; when this returns, it is kept."""
        self._work(lambda connection: connection.execute(statement, values))

    def read(self, query: str, *values: object) -> list[Row]:
        """The rows of a query; none where there is no file yet."""
        if self.path is not None and self.on_disk and not os.path.lexists(self.path):
            return []
        return self._work(lambda connection: [dict(row) for row in connection.execute(query, values)])

    def clear(self, tables: Sequence[str]) -> None:
        """Empty the tables and the places on disk where their rows were."""

        def empty(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA secure_delete = ON")
            for table in tables:
                connection.execute(f"DELETE FROM {table}")

        self._work(empty)

    def _work(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work on the file; once that fails for good, in memory from then on."""
        with self._lock:
            for _ in range(2):  # the second time on a new file, if the first one was damaged
                if self._memory is not None:
                    break
                try:
                    with self._opened() as connection, transaction(connection):
                        return work(connection)
                except (sqlite3.DatabaseError, OSError, _FromTheFuture, _Unusable) as problem:
                    self._cope_with(problem)
            if self._memory is None:
                self._go_on_in_memory("It is damaged again and again.")
            assert self._memory is not None
            with transaction(self._memory):
                return work(self._memory)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        assert self.path is not None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # what a learner did is for the learner's eyes
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=PATIENCE_S, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            self._prepare(connection, self.path)
            yield connection
        finally:
            connection.close()

    def _prepare(self, connection: sqlite3.Connection, path: Path) -> None:
        found = schema_version(connection)
        if found > self._version:
            raise _FromTheFuture(f"It was written by a newer version of the course ({found}).")
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = NORMAL")
        file = path.stat()
        if self._sound != (file.st_dev, file.st_ino):
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise _Unusable(verdict)
            self._sound = (file.st_dev, file.st_ino)
        if found == 0:
            with transaction(connection):
                self._make_tables(connection)

    def _make_tables(self, connection: sqlite3.Connection) -> None:
        if schema_version(connection) == self._version:  # another notebook was quicker
            return
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise _Unusable("it holds another program's tables")
        for statement in self._schema:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {self._version}")

    def _new_memory(self) -> sqlite3.Connection:
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        memory.row_factory = sqlite3.Row
        with transaction(memory):
            self._make_tables(memory)
        return memory

    def _cope_with(self, problem: Exception) -> None:
        code = getattr(problem, "sqlite_errorcode", None)
        if isinstance(problem, _Unusable) or (code is not None and code & 0xFF in _DAMAGED):
            self._put_aside(problem)
        elif isinstance(problem, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise problem  # a mistake of ours, not the file's
        elif isinstance(problem, _FromTheFuture):
            self._go_on_in_memory(f"{problem} Update the course, or set COURSEKIT_HOME to another folder.")
        else:
            reason = getattr(problem, "strerror", None) or str(problem)
            self._go_on_in_memory(
                f"The reason: {reason}. Try `coursekit doctor`, or set COURSEKIT_HOME to a folder of yours."
            )

    def _go_on_in_memory(self, why: str) -> None:
        self._memory = self._copied() or self._new_memory()
        self.notices.append(
            f"Your record {self.path} cannot be used, so what you do is remembered only until this session "
            f"ends. {why}"
        )

    def _copied(self) -> sqlite3.Connection | None:
        """What the file holds, if it can still be read and is ours."""
        assert self.path is not None
        if not os.path.isfile(self.path):  # noqa: PTH113 (False where one may not look, not an error)
            return None
        memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        memory.row_factory = sqlite3.Row
        try:
            readable = sqlite3.connect(f"{self.path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.2)
            try:
                if schema_version(readable) != self._version:
                    return None
                readable.backup(memory)
            finally:
                readable.close()
        except sqlite3.Error:
            return None
        return memory

    def _put_aside(self, problem: Exception) -> None:
        """Move a damaged file out of the way, its journal with it: together they may still be mended."""
        assert self.path is not None
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        aside = self.path.with_name(f"{self.path.stem}-damaged-{stamp}{self.path.suffix}")
        journal = self.path.with_name(f"{self.path.name}-journal")
        try:
            self.path.rename(aside)
            if journal.exists():
                journal.rename(aside.with_name(f"{aside.name}-journal"))
        except OSError:
            self._go_on_in_memory(f"It is damaged ({problem}) and cannot be moved.")
            return
        self.notices.append(
            f"Your record {self.path} was damaged ({problem}). It now lies beside it as {aside.name}, "
            "with nothing deleted, and a new record has begun."
        )


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing; the lock is taken at the start, so that two writers wait instead of failing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def schema_version(connection: sqlite3.Connection) -> int:
    """The number of the schema that a file has; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
