"""What every test gets: a record of its own, and one thread, so that two processes share two cores."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# Before torch is imported anywhere, and for the kernels that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from _pytest.runner import runtestprotocol
from hypothesis import settings

# A busy machine must not fail a test, and a failure must come back on the next run.
settings.register_profile("course", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("course")


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
    from playwright.sync_api import Keyboard, Locator, sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        reason = "A Chromium is needed to press and read (apt install chromium)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        for kind in (Keyboard, Locator):
            patch.setattr(kind, "press", with_a_moment(kind.press))
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield chromium
        chromium.close()


def with_a_moment(press: Callable[..., None]) -> Callable[..., None]:
    """On a busy machine a key can come back from the browser before the page has heard of it."""

    def press_and_wait(self: Any, *arguments: Any, **options: Any) -> None:
        press(self, *arguments, **options)
        time.sleep(0.15)

    return press_and_wait


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A browser test gets a second try on a busy machine; one that is wrong fails twice."""
    if "browser" not in item.path.as_posix() and not item.path.name.endswith("_page.py"):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        print(f"second try: {item.nodeid}")
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
