"""What every test gets: a record of its own, and one thread, so that two processes share two cores."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch is imported anywhere, and for the kernels that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A command started in the background ignores Ctrl-C, and its children too; some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import settings

# A busy machine must not fail a test, and a failure must come back on the next run.
settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file go to one process, for what they share; the exercises' are too many for that."""
    for item in items:
        if item.path.name != "test_exercises.py":
            item.add_marker(pytest.mark.xdist_group(item.nodeid.split("::")[0]))


@pytest.fixture(scope="session", autouse=True)
def no_record_of_a_person(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fixtures that several tests share begin before `own_record`; they must not meet the real one either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSEKIT_HOME", str(tmp_path_factory.mktemp("coursekit-home")))
        yield


@pytest.fixture(autouse=True)
def own_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the learner's record."""
    home = tmp_path / "coursekit-home"
    monkeypatch.setenv("COURSEKIT_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A Chromium, the same for all tests of a process: Playwright allows no second one beside it."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        reason = "A Chromium is needed to press and read (apt install chromium)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()
