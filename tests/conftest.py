"""What every test gets: a record of its own, and one thread, so that two processes share two cores."""

import os
from pathlib import Path

import pytest

# Before torch is imported anywhere, and for the kernels that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from hypothesis import settings

# A busy machine must not fail a test, and a failure must come back on the next run.
settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


@pytest.fixture(autouse=True)
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the learner's record."""
    home = tmp_path / "coursekit-home"
    monkeypatch.setenv("COURSEKIT_HOME", str(home))
    return home
