"""What each lesson shows before a visitor's kernel is there: kept from one run of its cells."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.app.alone import alone, earlier
from coursekit.app.assets import Assets
from coursekit.app.performing import Performance, perform, wait_until_ready
from coursekit.checkout import course_root

log = logging.getLogger("coursekit.app")

AGAIN_SECONDS = 60
"""A lesson that could not be run is not tried again before this."""

Start = Callable[[], Awaitable[tuple[Any, Callable[[], Awaitable[None]]]]]


class Snapshot:
    """One lesson as its cells leave it.

    Parameters
    ----------
    path : Path
        The notebook.
    assets : Assets
        Where large values go.
    folder : Path or None
        Where the result is kept for the next start of the server.
    """

    def __init__(self, path: Path, assets: Assets, folder: Path | None) -> None:
        self.path, self.assets = path, assets
        self.performance: Performance | None = None
        self._file = folder / f"{path.stem}-{fingerprint(path)}.json" if folder else None
        self._making: asyncio.Future[None] | None = None
        self._told: dict[str, Any] | None = None
        self._not_before = 0.0
        self._load()

    @property
    def there(self) -> bool:
        """Whether it can be shown at once."""
        return self.performance is not None

    async def make(self, start: Start, turn: asyncio.Semaphore) -> None:
        """Run the lesson once, whoever asks how often; return when it is there.

        Parameters
        ----------
        start : async callable
            Starts a kernel; returns its manager and a way to end it.
        turn : asyncio.Semaphore
            So many lessons may run at once.

        Raises
        ------
        Exception
            When it could not be run, now or a moment ago.
        """
        if self.performance is not None:
            return
        if self._making is None:
            if time.monotonic() < self._not_before:
                raise ConnectionError("it could not be run a moment ago")
            self._making = asyncio.ensure_future(self._make(start, turn))
            self._making.add_done_callback(self._made)
        await asyncio.shield(self._making)

    def told(self, performance: Performance | None = None) -> dict[str, Any]:
        """What a page needs: ``cells``, HTML by place, and ``states``, by widget; large values as names."""
        if performance is not None:
            return self._lightened(performance, tables=False)
        if self._told is None:
            assert self.performance is not None
            self._told = self._lightened(self.performance, tables=True)
        return self._told

    def _lightened(self, performance: Performance, tables: bool) -> dict[str, Any]:
        states = {name: self.assets.lighter(state, tables) for name, state in performance.states.items()}
        return {"cells": performance.outputs, "states": states}

    async def _make(self, start: Start, turn: asyncio.Semaphore) -> None:
        async with alone(self._file), turn:
            self._load()  # another server may have made it meanwhile
            if self.performance is None:
                await self._run(start)

    async def _run(self, start: Start) -> None:
        manager, end = await start()
        client = manager.client()
        try:
            await wait_until_ready(client, manager)
            self.performance = await perform(manager, client, self.path)
            self._save()
        finally:
            client.stop_channels()
            await end()

    def _made(self, done: asyncio.Future[None]) -> None:
        self._making = None
        if not done.cancelled() and done.exception() is not None:
            self._not_before = time.monotonic() + AGAIN_SECONDS
            log.error("%s could not be run: %s", self.path.name, done.exception())

    def _load(self) -> None:
        if self._file is None or not self._file.is_file():
            return
        try:
            kept = json.loads(self._file.read_text(encoding="utf-8"))
            outputs = {int(place): str(html) for place, html in kept["outputs"].items()}
            self.performance = Performance(outputs, dict(kept["states"]))
        except (OSError, ValueError, KeyError, AttributeError):
            log.warning("%s is damaged and will be made anew", self._file.name)

    def _save(self) -> None:
        if self._file is None or self.performance is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(f".{os.getpid()}.new")
            fresh.write_text(json.dumps(vars(self.performance)), encoding="utf-8")
            fresh.replace(self._file)
            for old in earlier(self._file):
                old.unlink(missing_ok=True)
        except (OSError, TypeError, ValueError) as problem:
            log.warning("what %s shows was not kept: %s", self.path.name, problem)


def fingerprint(path: Path, more: str = "") -> str:
    """A short name for a notebook together with everything that its cells call or show."""
    digest = hashlib.sha256(_course())
    digest.update(path.read_bytes())
    digest.update(f"{os.environ.get('COURSEKIT_FAST', '')}{more}".encode())
    return digest.hexdigest()[:16]


@cache
def _course() -> bytes:
    """A digest of the package and of the measured tables and pictures that come with it."""
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    for folder in (package, course_root() / "data"):
        for file in sorted(each for each in folder.rglob("*") if each.is_file() and each.suffix != ".pyc"):
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.digest()
