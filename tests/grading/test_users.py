"""As root and as an ordinary user the grades are the same, and the results say what kept the code apart."""

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

from tests.grading.classroom import ASKED, notebook, write_class

ROOT = Path(__file__).resolve().parents[2]
ORDINARY = 4242
OWN_USER = "a user id and process namespace an exercise"
OWN_NAMESPACES = "user, process and mount namespaces an exercise"
TRIES = """
    import os, signal
    assert os.getuid() != 0
    for pid in (1, os.getppid(), -1):
        try: os.kill(pid, signal.SIGKILL)
        except OSError: pass
    try: open('/tmp/coursekit-ordinary', 'w').write('x')
    except OSError: pass
    return values * 0 if hasattr(values, 'shape') else 0
"""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="a sandbox is Linux's"),
]


def graded(folder: Path, book: Path, *before: str) -> list[dict[str, Any]]:
    """What the command says, run by the program in front of it."""
    command = [
        *before, sys.executable, "-m", "coursekit", "grade", str(folder), "--gradebook", str(book), "--json",
        "--exercises", ",".join(ASKED),
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    submissions: list[dict[str, Any]] = json.loads(done.stdout)["submissions"]
    return submissions


def as_an_ordinary_user() -> list[str]:
    """A user namespace in which root is somebody else: no capability is left, the files are still there."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare")
    command = ["unshare", "--user", f"--map-user={ORDINARY}", f"--map-group={ORDINARY}", "--"]
    print_user = [sys.executable, "-c", "import os; print(os.getuid())"]
    done = subprocess.run([*command, *print_user], capture_output=True, text=True, check=False)
    if done.stdout.strip() != str(ORDINARY):
        pytest.skip(f"no user namespace of another user here: {done.stderr}")
    return command


def test_root_and_an_ordinary_user_get_the_same(tmp_path: Path) -> None:
    needs_sandbox()
    head = "def class_share(mask, classes):"
    tries = head + TRIES.replace("values", "mask")
    folder = write_class(
        tmp_path / "class",
        {"ada": notebook(class_share="right", max_pool="right"), "eve": notebook(class_share=tries)},
    )
    here = graded(folder, tmp_path / "here.sqlite")
    assert here[0]["sandbox"].endswith(OWN_USER if os.getuid() == 0 else OWN_NAMESPACES)
    ordinary = graded(
        folder, tmp_path / "ordinary.sqlite", *(as_an_ordinary_user() if not os.getuid() else [])
    )
    assert ordinary[0]["sandbox"].endswith(OWN_NAMESPACES)
    assert [_grades(one) for one in here] == [_grades(one) for one in ordinary]
    assert (
        here[0]["exercises"]["class-share"]["state"] == here[0]["exercises"]["max-pool"]["state"] == "right"
    )
    assert here[1]["points"] == 0
    assert not Path("/tmp/coursekit-ordinary").exists()


def _grades(submission: dict[str, Any]) -> list[tuple[str, str, float]]:
    return [(id, one["state"], one["fraction"]) for id, one in submission["exercises"].items()]
