"""One visitor's page and the kernel behind it, from the first touch to the closed tab."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from coursekit.app.assets import Assets
from coursekit.app.messages import Refused, to_browser, to_kernel
from coursekit.app.performing import (
    Performance,
    changes,
    perform,
    same_widgets,
    wait_until_ready,
)
from coursekit.app.snapshots import Snapshot

IDLE_SECONDS = 20 * 60
LOOK_EVERY = 2.0

log = logging.getLogger("coursekit.app")

RATE, BURST = 60, 400
"""What a page may send, for long in a second and at once: a message is 1, and 1 more for 4,096 letters."""
A_GREETING = 40
"""What it costs to ask for the states of all widgets."""
GREETINGS = ("wake", "back")
MOST_UNANSWERED = 200
"""So many messages may wait for a kernel; the next is refused. Our own page waits before that."""


class Line(Protocol):
    """A page's end of the line."""

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the page, if it is still there."""

    def end(self, code: int) -> None:
        """Hear and say no more; from 4000 on the page does not come back."""


class Visit:
    """A visitor on a lesson's page.

    Parameters
    ----------
    snapshot : Snapshot
        What the page shows before its kernel is there.
    start : async callable
        Starts a kernel; returns its manager and a way to end it.
    assets : Assets
        Where scripts of new widgets are kept.
    ended : callable
        Called when the kernel has gone by itself.
    rooms : asyncio.Semaphore
        So many lessons may run at once, so that those who came first are not slowed by all others.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        start: Callable[[], Awaitable[tuple[Any, Callable[[], Awaitable[None]]]]],
        assets: Assets,
        rooms: asyncio.Semaphore,
        ended: Callable[[], None],
    ) -> None:
        self.snapshot, self.assets = snapshot, assets
        self.line: Line | None = None
        self.touched = time.monotonic()
        self._start, self._rooms, self._ended = start, rooms, ended
        self._performance: Performance | None = None
        self._client: Any = None
        self._end: Callable[[], Awaitable[None]] | None = None
        self._life: asyncio.Task[None] | None = None
        self._credit, self._credited = float(BURST), self.touched
        self._unanswered: deque[str] = deque()
        self._printed: dict[str, str] = {}

    @property
    def awake(self) -> bool:
        """Whether a kernel runs for this visit, or is being started."""
        return self._life is not None

    @property
    def ready(self) -> bool:
        """Whether the kernel takes messages."""
        return self._performance is not None

    def take(self, line: Line) -> None:
        """Speak over this line from now on; there is one at a time."""
        if self.line is not None:
            self.line.end(4409)
        self.line = line

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the page, if it is there."""
        if self.line is not None:
            self.line.tell(message)

    def allows(self, text: str | bytes) -> bool:
        """Whether the page may send this now: however many lines it opens, its messages are counted here."""
        now = time.monotonic()
        self._credit = min(float(BURST), self._credit + (now - self._credited) * RATE)
        self._credited = now
        self._credit -= A_GREETING if text in GREETINGS else 1 + len(text) / 4096
        return self._credit > 0

    def wake(self, back: bool = False) -> None:
        """Start the kernel, if that was not done; tell a page that is `back` what it may have missed."""
        if self._life is None:
            self._life = asyncio.ensure_future(self._live())
        elif self.ready:
            self._greet(back)

    def hear(self, text: str | bytes) -> None:
        """Pass a browser's message on to the kernel.

        Raises
        ------
        Refused
            When no page of ours sends such a message.
        """
        if self._performance is None:
            return
        self.touched = time.monotonic()
        name, data = to_kernel(text, self._performance.states)
        if len(self._unanswered) >= MOST_UNANSWERED:
            raise Refused("too much waits already")
        content = {"comm_id": name, "data": data}
        message = self._client.session.msg("comm_msg", content)
        try:
            self._client.shell_channel.send(message)
        except (ValueError, RecursionError):  # half a surrogate pair, or lists within lists without end
            raise Refused("cannot be passed on") from None
        self._unanswered.append(message["header"]["msg_id"])

    async def close(self) -> None:
        """End the line and the kernel."""
        self.tell({"kind": "gone"})
        if self.line is not None:
            self.line.end(4404)
        if self._life is not None:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._life
        if self._client is not None:
            self._client.stop_channels()
        if self._end is not None:
            await self._end()
            self._end = None

    async def _live(self) -> None:
        try:
            await self._begin()
            await self._pass_on()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a visit to %s ended", self.snapshot.path.name)
        self._performance = None
        self.tell({"kind": "gone"})
        self._ended()

    async def _begin(self) -> None:
        self.tell({"kind": "starting"})
        async with self._rooms:
            starting = asyncio.ensure_future(self._start())
            try:
                manager, self._end = await asyncio.shield(starting)
            except asyncio.CancelledError:
                _, self._end = await starting  # or nobody could end it
                raise
            self._manager, self._client = manager, manager.client()
            await wait_until_ready(self._client, manager)
            self._performance = await perform(manager, self._client, self.snapshot.path)
        self.touched = time.monotonic()
        self._greet()

    def _greet(self, back: bool = False) -> None:
        """Tell the page that it may speak, and what is different from what it shows.

        That is the snapshot at first. What a page shows that is `back` only the page knows, so it gets all.
        """
        assert self._performance is not None
        shown = self.snapshot.performance
        if not back and (shown is None or not same_widgets(shown, self._performance)):
            whole = self.snapshot.told(self._performance)
            self.tell({"kind": "anew", **whole})
            return
        begun = shown.states if shown else {}
        states = {
            name: self.assets.lighter(state)
            for name, state in changes(begun, self._performance.states).items()
        }
        if back:
            states = {name: self._as_begun(name, states.get(name, {})) for name in self._performance.states}
        self.tell({"kind": "ready", "states": states, "printed": self._printed})

    def _as_begun(self, name: str, different: dict[str, Any]) -> dict[str, Any]:
        """A widget's whole state: what is as the page began with goes as the page got it, tables as names."""
        assert self._performance is not None
        begun = self.snapshot.told()["states"].get(name, {}) if self.snapshot.there else {}
        same = {key: begun[key] for key in self._performance.states[name] if key not in different}
        return {**same, **different}

    async def _pass_on(self) -> None:
        while time.monotonic() - self.touched < IDLE_SECONDS:
            try:
                message = await self._client.get_iopub_msg(timeout=LOOK_EVERY)
            except queue.Empty:
                if not await self._manager.is_alive():
                    return
                continue
            self._remember(message)
            told = to_browser(message, self.assets)
            if told is not None:
                self._print(told)
                self.tell(told)

    def _remember(self, message: dict[str, Any]) -> None:
        """Keep the widgets' names and values: what may be set, and what a page that reconnects shows."""
        assert self._performance is not None
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "status" and content["execution_state"] == "idle":
            self._answered(message["parent_header"].get("msg_id", ""))
        elif kind == "comm_close":
            self._performance.states.pop(content["comm_id"], None)
        elif kind in ("comm_open", "comm_msg"):
            state = content["data"].get("state")
            if isinstance(state, dict):
                self._performance.states.setdefault(content["comm_id"], {}).update(state)

    def _answered(self, message: str) -> None:
        """The kernel is done with one of the page's messages, and so with all before it."""
        if message in self._unanswered:
            done = self._unanswered.index(message) + 1
            for _ in range(done):
                self._unanswered.popleft()
            self.tell({"kind": "done", "messages": done})

    def _print(self, told: dict[str, Any]) -> None:
        """Keep what output widgets show, as the page does: it is in no widget's state."""
        assert self._performance is not None
        if told["kind"] not in ("output", "clear"):
            return
        for name, state in self._performance.states.items():
            if state.get("_model_name") == "OutputModel" and state.get("msg_id") == told["parent"]:
                before = self._printed.get(name, "") if told["kind"] == "output" else ""
                self._printed[name] = before + told.get("html", "")
