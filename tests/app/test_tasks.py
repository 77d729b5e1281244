"""The server knows its exercises and never loads torch for them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from coursekit.app.tasks import tasks
from coursekit.exercises import all_exercises


def test_tasks_are_the_exercises_own() -> None:
    told = tasks()
    assert {id: (one.title, one.points, one.minutes) for id, one in told.items()} == {
        one.id: (one.title, one.points, one.minutes) for one in all_exercises()
    }


@pytest.mark.skipif(sys.platform == "win32", reason="the nursery forks")
def test_the_server_s_own_process_has_no_torch() -> None:
    program = "import sys, coursekit.app.course_app; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
