"""Seats, lines and kernels when tabs close at a bad moment, or somebody asks for more than a page does."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coursekit.app import house as house_module
from coursekit.app import visits
from coursekit.app.assets import Assets
from coursekit.app.forked import Nursery
from coursekit.app.messages import MOST_BYTES, Refused
from coursekit.app.performing import Performance
from coursekit.app.visits import BURST, MOST_UNANSWERED, Visit
from tests.app.served import PATIENCE_S, Served, comes_true, run_async, until

BUTTON = {"_model_name": "ButtonModel", "disabled": False}
STATES = {"w1": BUTTON, "w2": {"_model_name": "OutputModel", "msg_id": ""}}


class Line:
    """A page that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.ended: int | None = None

    def tell(self, message: dict[str, Any]) -> None:
        self.told.append(message)

    def end(self, code: int) -> None:
        self.ended = code


def visit_of(start: Callable[[], Awaitable[Any]] | None = None) -> Visit:
    """A visit whose page is a `Line`; a kernel takes what it is sent and answers when the test says so."""
    begun = Performance({}, {name: dict(state) for name, state in STATES.items()})
    told = {"cells": {}, "states": begun.states}
    snapshot = SimpleNamespace(performance=begun, there=True, told=lambda: told, path=Path("x.ipynb"))
    visit = Visit(snapshot, start, Assets(), asyncio.Semaphore(1), lambda: None)  # type: ignore[arg-type]
    visit.take(Line())
    return visit


def with_kernel(visit: Visit) -> list[str]:
    """Let the kernel be there; returns the names of the messages that it gets."""
    numbers = iter(range(10_000))
    sent: list[str] = []
    message = lambda kind, content: {"header": {"msg_id": f"m{next(numbers)}"}, "content": content}  # noqa: E731
    channel = SimpleNamespace(send=lambda one: sent.append(one["header"]["msg_id"]))
    visit._client = SimpleNamespace(session=SimpleNamespace(msg=message), shell_channel=channel)
    visit._performance = Performance({}, {name: dict(state) for name, state in STATES.items()})
    return sent


async def closed(line: Any) -> int:
    """The code with which the server closes a line."""
    async with asyncio.timeout(PATIENCE_S):
        while await line.read_message() is not None:
            pass
    return int(line.close_code)


# --------------------------------------------------------------------------------------- kernels that start


def test_who_gives_up_on_a_kernel_leaves_no_answer_to_the_next() -> None:
    async def test() -> None:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        nursery = object.__new__(Nursery)
        nursery._socket, nursery._streams, nursery._turn = ours, None, asyncio.Lock()
        loop = asyncio.get_running_loop()
        first = asyncio.ensure_future(nursery.kernel("one", "/", {}))
        await loop.sock_recv(theirs, 1000)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.ensure_future(nursery.kernel("two", "/", {}))
        await loop.sock_sendall(theirs, b'{"pid": 1}\n')
        asked = await loop.sock_recv(theirs, 1000)
        assert json.loads(asked)["connection_file"] == "two"
        await loop.sock_sendall(theirs, b'{"pid": 2}\n')
        assert await second == 2
        nursery.close()
        theirs.close()

    run_async(test())


def test_a_tab_closed_while_its_kernel_starts_ends_that_kernel() -> None:
    async def test() -> None:
        asked, may_start = asyncio.Event(), asyncio.Event()
        ended: list[str] = []

        async def end() -> None:
            ended.append("the kernel")

        async def start() -> tuple[Any, Callable[[], Awaitable[None]]]:
            asked.set()
            await may_start.wait()
            return SimpleNamespace(client=None), end

        visit = visit_of(start)
        visit.wake()
        await asked.wait()
        closing = asyncio.ensure_future(visit.close())
        asyncio.get_running_loop().call_soon(may_start.set)
        await asyncio.wait_for(closing, PATIENCE_S)
        assert ended == ["the kernel"]

    run_async(test())


# ------------------------------------------------------------------------------------------ seats and lines


def test_a_seat_at_the_wrong_lesson_is_not_kept(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_module, "GRACE_SECONDS", 1)

    async def test(served: Served) -> None:
        seat = await served.seat("00-one")
        line = await served.line("00-one", seat)
        await comes_true(lambda: seat in served.house._visits)
        before = served.house._leaving.get(seat)
        line.close()
        await comes_true(lambda: served.house._leaving.get(seat) is not before)
        assert await closed(await served.line("01-broken", seat)) == 4404
        await comes_true(lambda: not len(served.house.seats))

    serving(test)


def test_a_page_that_returns_while_its_visit_ends_is_gone(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_module, "GRACE_SECONDS", 0)

    async def test(served: Served) -> None:
        ending, may_end = asyncio.Event(), asyncio.Event()

        async def close(_: Visit) -> None:
            ending.set()
            await may_end.wait()

        monkeypatch.setattr(Visit, "close", close)
        seat = await served.seat("00-one")
        (await served.line("00-one", seat)).close()
        await asyncio.wait_for(ending.wait(), PATIENCE_S)
        assert not len(served.house.seats)
        again = await served.line("00-one", seat)
        assert (await until(again, "gone"))["kind"] == "gone"
        assert not served.house._visits
        may_end.set()

    serving(test)


def test_one_seat_has_one_line(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        seat = await served.seat("00-one")
        first = await served.line("00-one", seat)
        second = await served.line("00-one", seat)
        assert await closed(first) == 4409
        assert second.close_code is None
        assert list(served.house._visits) == [seat]

    serving(test)


def test_who_only_reads_gives_the_seat_back_and_takes_another_at_a_touch(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(served: Served) -> None:
        monkeypatch.setattr(house_module, "READING_SECONDS", 0.1)
        line = await served.line("00-one", await served.seat("00-one"))
        await until(line, "gone")
        assert await closed(line) == 4404
        assert not len(served.house.seats)
        monkeypatch.undo()
        asked = await served.get("/lessons/00-one.ipynb", Accept="application/json")
        seat = json.loads(asked.body)["seat"]
        touched = await served.line("00-one", seat)
        await comes_true(lambda: seat in served.house._leaving)
        full = await served.get("/lessons/00-one.ipynb", Accept="application/json")
        assert full.code == 503
        assert int(full.headers["Retry-After"]) > 0
        touched.write_message("wake")
        await until(touched, "starting")
        assert seat not in served.house._leaving, "who has Python is idle after 20 minutes, not one"

    serving(test, seats=1)


# -------------------------------------------------------------------------------------- how much a page says


def test_messages_are_counted_by_the_visit_and_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "RATE", 0)

    async def test() -> None:
        visit = visit_of()
        first = visit.line
        assert all(visit.allows("{}") for _ in range(BURST - 2))
        visit.take(Line())
        assert first.ended == 4409
        assert not all(visit.allows("{}") for _ in range(2)), "another line brings no other credit"
        large = visit_of()
        assert sum(large.allows("A" * MOST_BYTES) for _ in range(BURST)) < 30
        asking = visit_of()
        assert sum(asking.allows("wake") for _ in range(BURST)) < 15

    run_async(test())


def test_a_kernel_that_is_behind_takes_no_more() -> None:
    async def test() -> None:
        visit = visit_of()
        sent = with_kernel(visit)
        press = '{"widget": "w1", "say": {"event": "click"}}'
        for _ in range(MOST_UNANSWERED):
            visit.hear(press)
        with pytest.raises(Refused):
            visit.hear(press)
        assert len(sent) == MOST_UNANSWERED
        idle = {"header": {"msg_type": "status"}, "content": {"execution_state": "idle"}}
        visit._remember({**idle, "parent_header": {"msg_id": "of nobody"}})
        visit._remember({**idle, "parent_header": {}})
        with pytest.raises(Refused):
            visit.hear(press)
        visit._remember({**idle, "parent_header": {"msg_id": sent[9]}})
        assert visit.line.told[-1] == {"kind": "done", "messages": 10}
        for _ in range(10):
            visit.hear(press)
        with pytest.raises(Refused):
            visit.hear(press)

    run_async(test())


def test_a_page_that_does_not_read_is_not_written_to_for_ever(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        seat = await served.seat("00-one")
        line = await served.line("00-one", seat)
        await comes_true(lambda: seat in served.house._visits)
        told = served.house._visits[seat].line
        for _ in range(60):
            told.tell({"kind": "say", "widget": "w1", "content": "A" * 1_000_000})
        assert told._over
        assert told._unwritten < 10_000_000
        assert await closed(line) == 1013, "a page may come again"

    serving(test)


# ------------------------------------------------------------------------------------------- who comes back


def test_a_page_that_is_back_is_told_all_that_it_may_have_missed() -> None:
    async def test() -> None:
        visit = visit_of()
        with_kernel(visit)
        (shown,) = (visit.snapshot.told()["states"],)
        shown["w1"]["table"] = {"$asset": "0" * 20 + ".json"}
        visit.snapshot.performance = Performance({}, {**STATES, "w1": {**BUTTON, "table": [1, 2]}})
        visit._performance.states["w1"]["table"] = [1, 2]
        visit._performance.states["w2"]["msg_id"] = "pressed"
        visit._performance.states["w3"] = {"_model_name": "HTMLModel", "value": "a result"}
        for html in ("one", "two"):
            visit._print({"kind": "output", "parent": "pressed", "html": html})
        visit._print({"kind": "output", "parent": "another", "html": "three"})
        visit._life = asyncio.get_running_loop().create_future()
        visit.wake(back=True)
        told = visit.line.told[-1]
        assert told["kind"] == "ready", "what the page shows stays, though there are more widgets now"
        assert told["printed"] == {"w2": "onetwo"}
        assert told["states"]["w1"]["disabled"] is False, "a button's state comes, changed or not"
        assert told["states"]["w1"]["table"] == shown["w1"]["table"], "what is large and as before is a name"
        assert told["states"]["w3"]["value"] == "a result"
        visit._print({"kind": "clear", "parent": "pressed"})
        assert visit._printed == {"w2": ""}

    run_async(test())
