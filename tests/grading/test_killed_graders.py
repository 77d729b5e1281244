"""The grader with its sandbox is killed in the middle of a class: nothing is lost, doubled or left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hand_in import needs_sandbox

from coursekit.grading.gradebook import Gradebook
from tests.grading.classroom import EXERCISES, VERSIONS, notebook, write_class
from tests.grading.killing import grade_all

ROOT = Path(__file__).resolve().parents[2]
HEAD = {one.id: one.solution.split("\n", 1)[0] for one in EXERCISES.values()}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a sandbox is Linux's"),
]


def kept_in(file: Path) -> list[Any]:
    """All that is kept, but for times and the order in which it came."""
    book = Gradebook(file, VERSIONS)
    attempts = [(_timeless(one.result.to_record()), one.handed_in, one.round) for one in book.attempts()]
    book.close()
    return sorted(attempts, key=lambda one: one[0]["file"])


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: 0 if key == "seconds" else _timeless(item) for key, item in value.items()}
    return [_timeless(item) for item in value] if isinstance(value, list | tuple) else value


def answers(number: int) -> dict[str, str]:
    """Right, wrong, stopped, ended, untouched answers in turn."""
    bodies = ("return None", "return 1 / 0", "import os\n    os._exit(3)", "return x * 0")
    broken = f"{HEAD['max-pool']}\n    {bodies[number % len(bodies)]}\n"
    return {"class_share": "right", "max_pool": broken, "stamp": "starter" if number % 2 else "right"}


@pytest.mark.parametrize(
    ("kills", "learners"),
    [pytest.param(3, 24, id="3 times"), pytest.param(50, 150, id="50 times", marks=pytest.mark.soak)],
)
def test_a_killed_class_goes_on_where_it_stopped(tmp_path: Path, kills: int, learners: int) -> None:
    needs_sandbox()
    files = {f"learner-{number:03}": notebook(**answers(number)) for number in range(learners)}
    folder = write_class(tmp_path / "class", {**files, "broken": b"{"})
    killed, whole = tmp_path / "killed.sqlite", tmp_path / "whole.sqlite"
    Gradebook(killed, VERSIONS).close()
    shutil.copy(killed, whole)  # the same secret seed
    command = [sys.executable, "-m", "tests.grading.killing", "sandbox", folder, killed, kills, 11]
    run = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    print({key: len(value) if isinstance(value, list) else value for key, value in told.items()})
    grade_all("sandbox", folder, whole)
    assert told["lost"] == []
    assert told["left"] == []
    assert told["seeds"] == 1
    assert told["cut_short"] > kills // 3  # else nothing was interrupted
    assert len(told["acknowledged"]) == len(set(told["acknowledged"]))  # nothing was graded twice
    assert len(kept_in(whole)) == learners + 1
    assert kept_in(killed) == kept_in(whole)
