"""Pages with their kernels: what a visitor may do there, and what is left when the tab is closed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from coursekit.app import forked, visits
from coursekit.app import house as house_module
from coursekit.app.messages import MOST_BYTES
from tests.app.served import Served, comes_true, until, write_lesson

pytestmark = pytest.mark.slow

BIG = "A" * (MOST_BYTES // 20)


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house_module, "GRACE_SECONDS", 0.2)


def the_guess(states: dict[str, dict[str, Any]]) -> str:
    return next(name for name, state in states.items() if state.get("options"))


def test_a_page_wakes_its_kernel_and_a_closed_tab_ends_it(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        shown = json.loads((await served.get("/lessons/00-one/shown")).body)
        assert "How large is it?" in shown["cells"]["1"]
        await comes_true(lambda: not served.house.kernels())
        line, states = await served.awake("00-one")
        assert set(states) == set(shown["states"]), "the widgets of the page are those of the kernel"
        assert served.house.kernels() == 1
        guess = the_guess(states)
        line.write_message(json.dumps({"widget": guess, "set": {"choice": 0, "committed": True}}))
        while True:
            told = await until(line, "set")
            if told["state"].get("solution"):
                break
        assert told["widget"] == guess
        line.close()
        await comes_true(lambda: not served.house.kernels() and not len(served.house.seats))

    serving(test)


def test_a_line_that_broke_finds_its_kernel_again(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_module, "GRACE_SECONDS", 60)

    async def test(served: Served) -> None:
        line, states = await served.awake("00-one")
        (seat,) = served.house._visits
        guess = the_guess(states)
        line.write_message(json.dumps({"widget": guess, "set": {"choice": 0, "committed": True}}))
        await until(line, "done")
        line.close()
        again = await served.line("00-one", seat)
        again.write_message("wake")
        await until(again, "ready", "anew")
        assert served.house.kernels() == 1
        assert served.house._visits[seat]._performance.states[guess]["choice"] == 0

    serving(test)


def test_two_visitors_have_nothing_in_common(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        first, states = await served.awake("00-one")
        second = await served.line("00-one", await served.seat("00-one"))
        second.write_message("wake")
        await until(second, "ready", "anew")
        assert served.house.kernels() == 2
        guess = the_guess(states)
        first.write_message(json.dumps({"widget": guess, "set": {"choice": 0, "committed": True}}))
        while not (await until(first, "set"))["state"].get("solution"):
            pass
        one, other = (visit._performance.states[guess] for visit in served.house._visits.values())
        assert one["solution"]
        assert not other["solution"], "the second visitor has not guessed"
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(second.read_message(), 0.5)

    serving(test)


RECORDED = """from coursekit import predict, progress
guess = predict("how-large", ["2x2", "4x4"], question="How large is it?", answer=1, why="Twice.")
guess.reveal()"""


def test_a_record_is_each_visitor_s_own(
    serving: Callable[..., None], lessons: Path, own_record: Path
) -> None:
    write_lesson(lessons, "02-kept", RECORDED, "progress()")

    async def test(served: Served) -> None:
        first, states = await served.awake("02-kept")
        guess = the_guess(states)
        first.write_message(json.dumps({"widget": guess, "set": {"choice": 0, "committed": True}}))
        while not (await until(first, "set"))["state"].get("solution"):
            pass
        await served.awake("02-kept")
        one, other = (visit._performance.states for visit in served.house._visits.values())
        assert one[guess]["solution"]
        assert not other[guess]["solution"]
        assert not list(own_record.rglob("record*")), "a visitor's record is never written"

    serving(test)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="only Linux tells")
def test_a_page_without_torch_has_none_and_takes_little(serving: Callable[..., None], lessons: Path) -> None:
    write_lesson(lessons, "02-plain", "from coursekit.widgets import GridExplorer\nGridExplorer(padding=1)")

    async def test(served: Served) -> None:
        await served.house.make("02-plain")
        nursery = forked.ForkedProvisioner.nurseries["plain"].process.pid
        first = await served.awake("02-plain")
        before = sum(map(pss_mib, [nursery, *pids(served)]))
        second, third = await served.awake("02-plain"), await served.awake("02-plain")
        assert len(pids(served)) == 3
        for pid in pids(served):
            assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text()
        a_visitor = (sum(map(pss_mib, [nursery, *pids(served)])) - before) / 2
        print(f"{a_visitor:.1f} MiB PSS a visitor")
        assert a_visitor <= 45
        for line, _ in (first, second, third):
            line.close()

    serving(test)


def pids(served: Served) -> list[int]:
    manager = served.house.manager
    return [manager.get_kernel(kernel).provisioner.process.pid for kernel in manager.list_kernel_ids()]


def pss_mib(pid: int) -> float:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(text.split("\nPss:")[1].split()[0]) / 1024


def test_a_cell_that_fails_tells_nothing_of_this_machine(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        shown = (await served.get("/lessons/01-broken/shown")).body.decode()
        assert "could not be shown" in shown
        assert "still here" in shown
        for secret in ("no-such-secret", "Traceback", "FileNotFoundError", "/etc", "open("):
            assert secret not in shown
        page = (await served.get("/lessons/01-broken.ipynb")).body.decode()
        assert "could not be shown" in page, "what was found is in the page from then on"

    serving(test)


def test_an_idle_page_loses_its_kernel_and_is_told(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "LOOK_EVERY", 0.2)

    async def test(served: Served) -> None:
        line, _ = await served.awake("00-one")
        monkeypatch.setattr(visits, "IDLE_SECONDS", 0)
        await until(line, "gone")
        await comes_true(lambda: not served.house.kernels() and not len(served.house.seats))

    serving(test)


def test_a_kernel_that_dies_is_told(serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "LOOK_EVERY", 0.2)

    async def test(served: Served) -> None:
        line, _ = await served.awake("00-one")
        (kernel,) = served.house.manager.list_kernel_ids()
        await served.house.manager.get_kernel(kernel).provisioner.kill()
        await until(line, "gone")

    serving(test)


def test_what_lessons_show_is_kept_for_the_next_start(serving: Callable[..., None], tmp_path: Path) -> None:
    async def first(served: Served) -> None:
        await served.house.make("00-one")

    async def second(served: Served) -> None:
        assert served.house.snapshots["00-one"].there
        assert not served.house.snapshots["01-broken"].there
        page = (await served.get("/lessons/00-one.ipynb")).body.decode()
        assert "How large is it?" in page

    keep = tmp_path / "kept"
    serving(first, keep=keep)
    (damaged,) = keep.glob("00-one-*.json")
    serving(second, keep=keep)
    damaged.write_text("{", encoding="utf-8")
    serving(first, keep=keep)
    assert json.loads(damaged.read_text(encoding="utf-8"))["outputs"]


def forged(chance: random.Random, states: dict[str, dict[str, Any]]) -> str | bytes:
    """A message as somebody might make one up: some nearly right, some far off."""
    name = chance.choice([*states, "w0", "", None, 3, ["w1"], {"w1": 1}])
    traits = [*states.get(name, {})] if isinstance(name, str) else []
    key = chance.choice([*traits, "_esm", "_model_name", "comm", "keys", "x", "\u0000", "__class__"])
    values = [
        None, True, -1, 7, 10**30, 1e308, "", "B", BIG, [], [[]], [0] * 500, {}, {"answer": 0},
        {"a": {"b": {"c": [1, {"d": None}]}}}, "\ud800", "<img src=x onerror=alert(1)>", "IPY_MODEL_w1",
    ]  # fmt: skip
    value = chance.choice(values)
    messages: list[Any] = [
        {"widget": name, "set": {key: value}},
        {"widget": name, "set": {trait: chance.choice(values) for trait in traits}},
        {"widget": name, "say": value},
        {"widget": name, "say": {"event": "click", "kind": value, "method": "update", "state": {key: value}}},
        {"header": {"msg_type": "execute_request"}, "content": {"code": "raise SystemExit"}},
        {"comm_id": name, "data": {"method": "update", "state": {key: value}}},
        value,
    ]
    text = json.dumps(chance.choice(messages))
    return chance.choice([text, text, text, text, text[: len(text) // 2], text.encode(), "wake"])


def test_forged_messages_break_nothing(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch, lessons: Path
) -> None:
    monkeypatch.setattr("coursekit.app.visits.BURST", 10_000)

    async def test(served: Served) -> None:
        line, states = await served.awake("00-one")
        bystander, _ = await served.awake("00-one")
        (kernel, other) = served.house.manager.list_kernel_ids()
        chance = random.Random(8)
        for _ in range(240):
            message = forged(chance, states)
            await line.write_message(message, binary=isinstance(message, bytes))
        guess = the_guess(states)
        await line.write_message(json.dumps({"widget": guess, "set": {"choice": 0}}))
        await line.write_message(json.dumps({"widget": guess, "set": {"committed": True}}))
        visit = next(iter(served.house._visits.values()))
        await comes_true(lambda: bool(visit._performance.states[guess]["solution"]))
        said = []
        while len(said) < 2000:
            try:
                said.append(await asyncio.wait_for(line.read_message(), 1))
            except TimeoutError:
                break
        for secret in ("Traceback", "site-packages", "coursekit/", "/etc/"):
            assert not any(secret in text for text in said if text and "onerror" not in text), secret
        assert await served.house.manager.get_kernel(kernel).is_alive()
        assert await served.house.manager.get_kernel(other).is_alive()
        assert bystander.close_code is None
        assert (await served.get("/")).code == 200

    serving(test)


def test_a_flood_closes_the_line(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        line = await served.line("00-one", await served.seat("00-one"))
        for _ in range(1000):
            line.write_message("{}")
        while await line.read_message() is not None:
            pass
        assert line.close_code == 4429

    serving(test)


def test_a_hundred_megabytes_close_the_line(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        line = await served.line("00-one", await served.seat("00-one"))
        with contextlib.suppress(WebSocketClosedError, StreamClosedError):
            await line.write_message("A" * 100_000_000)
        while await line.read_message() is not None:
            pass
        assert not served.house.kernels()
        assert (await served.get("/")).code == 200

    serving(test)
