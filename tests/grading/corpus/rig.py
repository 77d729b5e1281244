"""A place to grade the corpus in, with all that must not change around it, and what did change.

Whoever uses it becomes the parent of every process that its children leave behind (Linux only), so that none
can hide.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import psutil  # type: ignore[import-untyped, unused-ignore]

from tests.grading.corpus import ENTRIES, Entry, Places, write_class

PR_SET_CHILD_SUBREAPER = 36
MARKS = ("/tmp/coursekit-mark", "/var/tmp/coursekit-mark", "/etc/coursekit-mark")
DAEMONS = 3.0  # seconds that what was left running has to show itself


class Rig:
    """Folders, a listener and a process that hostile submissions aim at.

    Parameters
    ----------
    folder : Path
        Empty; everything is made below it.
    entries : iterable of Entry
        Which submissions are handed in.
    """

    def __init__(self, folder: Path, entries: Iterable[Entry] = ENTRIES) -> None:
        self.entries = tuple(entries)
        self.work, self.canary, self.home = (folder / name for name in ("class", "canary", "home"))
        self.book = folder / "grades.sqlite"
        self.connections = 0
        for one in (self.canary, self.home):
            one.mkdir()
        (self.canary / "alive").write_text("alive")

    def __enter__(self) -> Rig:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()
        self.sleeper = subprocess.Popen(["sleep", "3600"])
        places = Places(str(self.canary), str(self.book), str(self.work), self.listener.getsockname()[1])
        write_class(self.work, places, self.entries)
        self.before = self._seen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.listener.close()
        self.sleeper.kill()
        self.sleeper.wait()
        for one in self.left():
            one.kill()

    def _listen(self) -> None:
        while True:
            try:
                self.listener.accept()
            except OSError:
                return
            self.connections += 1

    def environment(self) -> dict[str, str]:
        """For the grader: a home of its own, and something secret."""
        return {**os.environ, "HOME": str(self.home), "CANARY_SECRET": "nobody may read this"}

    def run(self, command: list[str], seconds: float) -> tuple[int | None, str, str]:
        """Run a grader to its end; None as its status where it was still running at the deadline."""
        started = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment(), text=True,
            stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            out, err = started.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            out, err = started.communicate()
            return None, out, err
        return started.returncode, out, err

    def left(self) -> list[psutil.Process]:
        """Processes that the grader left behind."""
        found = psutil.Process().children(recursive=True)
        return [one for one in found if one.pid != self.sleeper.pid and _runs(one)]

    def side_effects(self) -> list[str]:
        """What is not as it was: files, connections, processes."""
        time.sleep(DAEMONS)
        now = self._seen()
        changed = [f"{path} {_how(self.before.get(path), now.get(path))}" for path in {*self.before, *now}]
        changed = sorted(one for one in changed if not one.endswith(" same"))
        if self.connections:
            changed.append(f"{self.connections} connections")
        if self.sleeper.poll() is not None:
            changed.append("another process was killed")
        return changed + [f"process {one.pid} is left" for one in self.left()]

    def _seen(self) -> dict[str, str]:
        places = [self.work, self.canary, self.home]
        files = [path for place in places for path in place.rglob("*") if not _is_cache(path)]
        seen = {str(path): _state(path) for path in [*places, *files]}
        return seen | {mark: "there" for mark in MARKS if os.path.lexists(mark)}


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_cache(path: Path) -> bool:
    return any(part.startswith(".cache") for part in path.parts)


def _state(path: Path) -> str:
    if path.is_symlink():
        return f"link {path.readlink()}"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "folder" if path.is_dir() else "other" if path.exists() else "gone"


def _how(before: str | None, now: str | None) -> str:
    return "same" if before == now else "appeared" if before is None else "gone" if now is None else "changed"


def grader_command(rig: Rig, *more: str) -> list[str]:
    """The course's own grader, as an instructor calls it."""
    from tests.grading.corpus import ASKED

    return [
        *(sys.executable, "-m", "coursekit", "grade", str(rig.work), "--gradebook", str(rig.book), "--json"),
        *("--exercises", ",".join(ASKED), *more),
    ]
