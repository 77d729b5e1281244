"""The grader is killed in the middle of a batch: nothing acknowledged is lost, the rest is graded after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coursekit.grading.gradebook import Gradebook
from tests.grading.classroom import EXERCISES, VERSIONS, handed_in, write_class
from tests.grading.killing import grade_all

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and fork are POSIX's")


def kept_in(file: Path) -> list[Any]:
    """All that is kept, but for the times and the order in which it came."""
    book = Gradebook(file, VERSIONS)
    attempts = [(one.result.to_record(), one.handed_in, one.round, one.coursekit) for one in book.attempts()]
    book.close()
    return sorted(attempts, key=lambda one: one[0]["file"])


@pytest.mark.parametrize(
    ("kills", "learners"),
    [pytest.param(5, 12, id="5 times"), pytest.param(50, 120, id="50 times", marks=pytest.mark.soak)],
)
def test_a_killed_batch_goes_on_where_it_stopped(tmp_path: Path, kills: int, learners: int) -> None:
    mistakes = [one.id for one in EXERCISES["max-pool"].misconceptions]
    answers = {
        f"learner-{n:03}": handed_in(
            class_share="right", max_pool=mistakes[n % len(mistakes)], stamp="starter"
        )
        for n in range(learners)
    }
    folder = write_class(tmp_path / "class", answers)
    (folder / "broken.ipynb").write_bytes(b"{")
    killed, whole = tmp_path / "killed.sqlite", tmp_path / "whole.sqlite"
    command = [sys.executable, "-m", "tests.grading.killing", "classroom", folder, killed, kills, 7]
    run = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    grade_all("classroom", folder, whole)
    assert not told["lost"]
    assert told["seeds"] == 1
    assert told["cut_short"] > kills // 3  # else nothing was interrupted
    assert len(told["acknowledged"]) == len(set(told["acknowledged"]))  # nothing was graded twice
    assert kept_in(killed) == kept_in(whole)
    assert len(kept_in(whole)) == learners + 1
