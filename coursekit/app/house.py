"""Everything that the handlers share: lessons, demos, seats, visits, kernels."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from coursekit.app import forked
from coursekit.app.assets import Assets
from coursekit.app.handlers import CONTENT, PICTURES, fixed_files
from coursekit.app.lesson_pages import LessonText, environment, read_lesson
from coursekit.app.seats import Seats
from coursekit.app.server import LOCAL
from coursekit.app.showcase import Showcase
from coursekit.app.snapshots import Snapshot, fingerprint
from coursekit.app.visits import Line, Visit
from coursekit.site import shell
from coursekit.site.catalogue import demos as all_demos

GRACE_SECONDS = 8
"""A page whose line broke may come back within this time."""
READING_SECONDS = 60
"""A page that nobody touches keeps its seat for so long; it takes another at the first touch."""
MOST_TRAINING_SECONDS = 20

log = logging.getLogger("coursekit.app")


class House:
    """The server's state.

    Parameters
    ----------
    lessons : Path
        The folder of the notebooks.
    manager : MultiKernelManager
        Starts kernels and ends them.
    seats : int
        How many visitors may have a kernel at once.
    token : str
        Empty where anybody may come in.
    hosts : tuple of str
        The names under which this server answers; empty for any.
    base : str
        The path under which it is reached.
    keep : Path or None
        Where to keep what lessons show.
    """

    def __init__(
        self,
        lessons: Path,
        manager: Any,
        seats: int,
        token: str = "",
        hosts: tuple[str, ...] = LOCAL,
        base: str = "/",
        keep: Path | None = None,
    ) -> None:
        self.manager, self.token, self.hosts, self.base = manager, token, hosts, base
        self.seats, self.assets = Seats(seats), Assets()
        self.own = Path(tempfile.mkdtemp(prefix="coursekit-app-"))
        found = sorted(lessons.glob("*.ipynb"))
        play = sorted((lessons / "play").glob("*.ipynb"))
        paths = {path.stem: path for path in found} | {f"play/{path.stem}": path for path in play}
        self.lessons_by_name = {name: read_lesson(path) for name, path in paths.items()}
        self.lessons: list[tuple[str, LessonText]] = [
            (path.stem, self.lessons_by_name[path.stem]) for path in found
        ]
        self.snapshots = {name: Snapshot(path, self.assets, keep) for name, path in paths.items()}
        self.demos = all_demos()
        self.files = _files(self.demos)
        kept = (keep or self.own) / f"demos-{fingerprint(Path(__file__), base)}"
        self.showcase = Showcase([demo.name for demo in self.demos], base, kept)
        self._visits: dict[str, Visit] = {}
        self._ending: set[asyncio.Future[None]] = set()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._rooms = asyncio.Semaphore(max(1, os.cpu_count() or 1))
        self._rehearsals = asyncio.Semaphore(1)
        self._environment = environment()

    def render(self, template: str, /, **values: Any) -> str:
        """A template with what all pages know."""
        return self._environment.get_template(template).render(
            base=self.base, mark=Markup(shell.MARK), half_moon=Markup(shell.HALF_MOON), **values
        )

    def recorded(self, name: str) -> dict[str, Any]:
        """The states of a lesson's recorded boards, their tables as names of files."""
        states = self.lessons_by_name[name].recorded
        return {board: self.assets.lighter(state, tables=True) for board, state in states.items()}

    def is_host(self, name: str) -> bool:
        """Whether a request for this host name is meant for us: another's page may point its name here."""
        return not self.hosts or name.strip("[]").lower() in self.hosts

    def kernels(self) -> int:
        """How many kernels there are."""
        return len(self.manager.list_kernel_ids())

    async def make(self, name: str) -> None:
        """Run a lesson once for all visitors, if that was not done."""
        snapshot = self.snapshots[name]
        if not snapshot.there:
            await snapshot.make(lambda: self._start(name), self._rehearsals)

    async def warm_up(self) -> None:
        """Make each demo and run each lesson once, so that its page shows everything at once."""
        await self.showcase.make()
        for name, snapshot in self.snapshots.items():
            try:
                await self.make(name)
            except Exception as problem:
                log.error("%s could not be prepared: %s", snapshot.path.name, problem)

    def arrive(self, name: str, seat: str, line: Line) -> Visit | None:
        """A page has opened its line; None where its seat is gone, or is one of another lesson."""
        visit = self._visits.get(seat)
        if name not in self.snapshots or (visit and visit.snapshot is not self.snapshots[name]):
            return None
        if not self.seats.arrive(seat):
            return None
        if visit is None:
            visit = self._visits[seat] = Visit(
                self.snapshots[name],
                lambda: self._start(name),
                self.assets,
                self._rooms,
                lambda: self._end(seat),
            )
        visit.take(line)
        self._stay(seat)
        if not visit.awake:  # else it ends when it is idle
            self._later(seat, READING_SECONDS)
        return visit

    def wake(self, seat: str, back: bool) -> None:
        """A page was touched, or has come `back` and wants to know what it missed."""
        visit = self._visits.get(seat)
        if visit is None:
            return
        if not visit.awake:
            self._stay(seat)
        visit.wake(back)

    def leave(self, seat: str, line: Line) -> None:
        """A page's line is closed; its kernel ends soon unless it comes back."""
        visit = self._visits.get(seat)
        if visit is not None and visit.line is line:  # else it has come back already
            self._later(seat, GRACE_SECONDS)

    async def close(self) -> None:
        """End all kernels."""
        await self.showcase.close()
        for seat in list(self._visits):
            self._end(seat)
        await asyncio.gather(*self._ending, return_exceptions=True)
        forked.close()
        shutil.rmtree(self.own, ignore_errors=True)

    def _later(self, seat: str, seconds: float) -> None:
        self._stay(seat)
        self._leaving[seat] = asyncio.get_running_loop().call_later(seconds, self._end, seat)

    def _stay(self, seat: str) -> None:
        leaving = self._leaving.pop(seat, None)
        if leaving is not None:
            leaving.cancel()

    def _end(self, seat: str) -> None:
        """Take the seat at once: a page that returns while its kernel ends must not get another."""
        self._stay(seat)
        self.seats.leave(seat)
        visit = self._visits.pop(seat, None)
        if visit is not None:
            ending = asyncio.ensure_future(visit.close())
            self._ending.add(ending)  # else nobody holds it, and it may be collected half done
            ending.add_done_callback(self._ending.discard)

    async def _start(self, name: str) -> tuple[Any, Callable[[], Awaitable[None]]]:
        path = self.snapshots[name].path
        kind = "plain" if is_plain(path) else "torch"
        kernel = await self.manager.start_kernel(
            kernel_name="python3", cwd=str(path.parent), env=self._around(kind)
        )

        async def end() -> None:
            if kernel in self.manager:
                await self.manager.shutdown_kernel(kernel, now=True)

        return self.manager.get_kernel(kernel), end

    def _around(self, kind: str) -> dict[str, str]:
        """A kernel's environment: the server's without its token, and what kernels of the app are told."""
        return {
            **{name: value for name, value in os.environ.items() if name != "COURSEKIT_TOKEN"},
            "SERVER_SOFTWARE": "voila/coursekit",
            "COURSEKIT_DATA": str(self.own / "no-photographs"),  # those of a data set are not ours to show
            "COURSEKIT_QUEUE": str(self.own / "queue"),
            "COURSEKIT_MOST_SECONDS": str(MOST_TRAINING_SECONDS),
            "JUPYTER_WIDGETS_ECHO": "0",
            forked.KIND: kind,
        }


def is_plain(path: Path) -> bool:
    """Whether a notebook does without torch, as far as its imports tell; a wrong guess only costs time."""
    text = path.read_text(encoding="utf-8")
    return not any(
        word in text for word in ("import torch", "from coursekit import", "load_scenes", "BoxLab")
    )


def _files(demos: tuple[Any, ...]) -> dict[str, tuple[str, bytes, bytes | None, str]]:
    files = fixed_files()
    look = "\n".join(
        [
            shell.colours(),
            shell.text_of("page.css"),
            shell.text_of("index.css"),
            files.pop("app.css")[1].decode(),
        ]
    )
    files["look.css"] = (CONTENT[".css"], look.encode())
    for name in ("opening.svg", *(demo.picture for demo in demos)):
        picture = shell.FOLDER / "pictures" / name
        if picture.suffix in PICTURES and picture.is_file():
            files[picture.name] = (PICTURES[picture.suffix], picture.read_bytes())
    return {name: (kind, content, *_packed(content)) for name, (kind, content) in files.items()}


def _packed(content: bytes) -> tuple[bytes, str]:
    return gzip.compress(content, 6), hashlib.sha256(content).hexdigest()[:20]
