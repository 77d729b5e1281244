"""The line before training: one at a time, in order, whatever happens to those who wait."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from coursekit.queueing import FOLDER, in_turn

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there nobody waits")

HOLDER = """
import sys
from pathlib import Path
from coursekit.queueing import in_turn
with in_turn(lambda before: print(before, flush=True), Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
print("out", flush=True)
"""


class Holder:
    """Another process in the line."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        return self.process.stdout.readline().strip()

    def done(self) -> None:
        self.process.stdin.write("\n")
        self.process.stdin.flush()


def test_everybody_knows_their_place(tmp_path: Path) -> None:
    first = Holder(tmp_path)
    assert [first.says(), first.says()] == ["0", "in"]
    second = Holder(tmp_path)
    assert second.says() == "1"
    third = Holder(tmp_path)
    assert third.says() == "2"
    second.process.kill()  # a closed tab
    second.process.wait()
    assert third.says() == "1"
    first.done()
    assert [third.says(), third.says()] == ["0", "in"]
    third.done()
    assert [first.says(), third.says()] == ["out", "out"]
    assert not list(tmp_path.glob("*.ticket"))
    for each in (first, third):
        each.process.communicate()
    second.process.communicate()


def test_a_mistake_ends_the_turn(tmp_path: Path) -> None:
    told: list[int] = []
    with pytest.raises(ZeroDivisionError), in_turn(told.append, tmp_path):
        1 / 0  # noqa: B018
    with in_turn(told.append, tmp_path):
        pass
    assert told == [0, 0]


def test_nobody_waits_outside_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER, raising=False)
    told: list[int] = []
    with in_turn(told.append):
        assert told == [0]
