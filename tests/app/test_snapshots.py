"""Lessons and demos made before anybody visits: one at a time, once, by whichever server comes first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from coursekit.app import showcase
from coursekit.app.alone import earlier
from coursekit.app.assets import Assets
from coursekit.app.performing import Performance
from coursekit.app.snapshots import Snapshot
from tests.app.served import Served, run_async, write_lesson


class Rehearsals:
    """Runs in the place of `Snapshot._run`: counts how many there are at once, and in all."""

    def __init__(self, fails: bool = False) -> None:
        self.fails, self.now, self.most, self.all = fails, 0, 0, 0

    async def run(self, snapshot: Snapshot, _: Any) -> None:
        self.all, self.now = self.all + 1, self.now + 1
        self.most = max(self.most, self.now)
        for _ in range(20):
            await asyncio.sleep(0)
        self.now -= 1
        if self.fails:
            raise ConnectionError("the kernel does not answer")
        snapshot.performance = Performance({1: "<p>shown</p>"}, {})
        snapshot._save()

    def instead(self, monkeypatch: pytest.MonkeyPatch) -> Rehearsals:
        monkeypatch.setattr(Snapshot, "_run", lambda snapshot, start: self.run(snapshot, start))
        return self


def test_one_lesson_at_a_time_runs_for_all(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Rehearsals().instead(monkeypatch)

    async def test(served: Served) -> None:
        names = ["00-one", "01-broken"]
        answers = await asyncio.gather(*(served.get(f"/lessons/{name}/shown") for name in names * 3))
        assert {each.code for each in answers} == {200}
        assert (seen.most, seen.all) == (1, 2)

    serving(test)


def test_a_lesson_that_cannot_be_run_is_not_tried_for_each_who_asks(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Rehearsals(fails=True).instead(monkeypatch)

    async def test(served: Served) -> None:
        for _ in range(3):
            assert (await served.get("/lessons/00-one/shown")).code == 503
        assert seen.all == 1
        served.house.snapshots["00-one"]._not_before = 0.0  # a minute later
        seen.fails = False
        assert (await served.get("/lessons/00-one/shown")).code == 200

    serving(test)


def test_the_second_server_finds_what_the_first_has_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Rehearsals().instead(monkeypatch)
    write_lesson(tmp_path, "00-one", "1")

    async def test() -> None:
        servers = [Snapshot(tmp_path / "00-one.ipynb", Assets(), tmp_path / "kept") for _ in range(3)]
        await asyncio.gather(*(one.make(None, asyncio.Semaphore(1)) for one in servers))  # type: ignore[arg-type]
        assert all(one.there for one in servers)
        assert seen.all == 1

    run_async(test())


def test_keeping_takes_away_what_is_old_and_never_what_is_kept(tmp_path: Path) -> None:
    write_lesson(tmp_path, "00-one", "1")
    keep = tmp_path / "kept"
    keep.mkdir()
    snapshot = Snapshot(tmp_path / "00-one.ipynb", Assets(), keep)
    old, others = keep / f"00-one-{'0' * 16}.json", keep / f"00-one-more-{'0' * 16}.json"
    for file in (old, old.with_suffix(".turn"), others):
        file.write_text("{}")
    snapshot.performance = Performance({1: "<p>shown</p>"}, {})
    snapshot._save()
    assert not old.exists()
    assert not old.with_suffix(".turn").exists()
    assert others.exists(), "another lesson's"
    own = json.loads(snapshot._file.read_text())
    assert own["outputs"] == {"1": "<p>shown</p>"}
    assert earlier(snapshot._file) == []


def test_two_servers_write_each_demo_once_and_take_old_ones_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    monkeypatch.setattr("coursekit.site.demo_page", lambda name, *_: made.append(name) or "<p>demo</p>")
    old = tmp_path / f"demos-{'0' * 16}"
    old.mkdir()
    (old / "grid-explorer.html").write_text("old")
    fresh = tmp_path / f"demos-{'1' * 16}"
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(asyncio.run, showcase.main(fresh, "/")) for _ in range(2)]:
            done.result()
    assert made
    assert len(made) == len(set(made))
    assert {file.suffix for file in fresh.iterdir()} == {".html"}
    assert not old.exists()


def test_a_folder_that_cannot_be_written_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = Rehearsals().instead(monkeypatch)
    write_lesson(tmp_path, "00-one", "1")
    (tmp_path / "kept").write_text("no folder")
    one = Snapshot(tmp_path / "00-one.ipynb", Assets(), tmp_path / "kept")
    run_async(one.make(None, asyncio.Semaphore(1)))  # type: ignore[arg-type]
    assert one.there
    assert seen.all == 1
