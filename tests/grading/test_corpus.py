"""The whole corpus through the command, as an instructor runs it: right scores, and nothing else changed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hand_in import needs_sandbox

from tests.grading.corpus import ENTRIES, GROUPS

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a sandbox is Linux's")


def test_the_corpus_has_what_it_should():
    names = [one.name for one in ENTRIES]
    assert len(set(names)) == len(names)
    counted = {group: sum(one.group == group for one in ENTRIES) for group in GROUPS}
    assert counted["honest"] >= 20
    assert sum(counted.values()) - counted["honest"] >= 35
    assert all(one.kind for one in ENTRIES)


@pytest.mark.slow
def test_every_score_is_right_and_nothing_outside_changed(tmp_path):
    needs_sandbox()
    told = graded(tmp_path)
    assert told["status"] in (0, 1), told["said"]
    assert told["differences"] == []
    assert told["side_effects"] == []
    assert told["unexpected_files"] == []
    assert told["kept"] == told["results"]


def graded(folder):
    """What `tests.grading.corpus.ours` says, in a process that adopts whatever is left over."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "tests.grading.corpus.ours", str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
