"""What a learner finds in their home, and the home itself. No hub is needed for this."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from traitlets.config import PyFileConfigLoader

from tests.deploy.machine import ROOT, missing, part_of_the_hub

NOTEBOOK = "03-pooling.ipynb"


@pytest.fixture(scope="module")
def learner_server() -> ModuleType:
    return part_of_the_hub("learner_server")


@pytest.fixture
def course_spawner() -> ModuleType:
    if find_spec("jupyterhub") is None:
        missing("needs JupyterHub (uv pip install -e '.[hub]' -c constraints.txt); there is none for Windows")
    return part_of_the_hub("course_spawner")


class Home:
    """A course with one lesson, and a learner's home."""

    def __init__(self, folder: Path, module: ModuleType) -> None:
        self.course, self.lessons, self.register = folder / "course", folder / "lessons", folder / "register"
        (self.course / "play").mkdir(parents=True)
        self.module = module
        self.publish("first")

    def publish(self, text: str) -> None:
        (self.course / NOTEBOOK).write_text(text)

    def hand_out(self) -> list[str]:
        return list(self.module.hand_out(self.course, self.lessons, self.register))

    def of(self, name: str = NOTEBOOK) -> str:
        return (self.lessons / name).read_text()


@pytest.fixture
def home(tmp_path: Path, learner_server: ModuleType) -> Home:
    return Home(tmp_path, learner_server)


def test_lessons_are_laid_out_once_with_their_folders(home: Home) -> None:
    (home.course / "play" / "explorer.ipynb").write_text("play")
    assert home.hand_out() == [NOTEBOOK, "play/explorer.ipynb"]
    assert home.of("play/explorer.ipynb") == "play"
    assert home.hand_out() == []


def test_work_is_never_overwritten(home: Home) -> None:
    home.hand_out()
    (home.lessons / NOTEBOOK).write_text("my work")
    assert home.hand_out() == []
    home.publish("second")
    assert home.hand_out() == ["03-pooling.new.ipynb"]
    home.publish("third")
    assert home.hand_out() == ["03-pooling.new-2.ipynb"]
    assert [home.of(), home.of("03-pooling.new.ipynb")] == ["my work", "second"]


def test_an_untouched_lesson_is_renewed(home: Home) -> None:
    home.hand_out()
    home.publish("second")
    assert home.hand_out() == [NOTEBOOK]
    assert home.of() == "second"


def test_a_deleted_lesson_stays_deleted_until_it_changes(home: Home) -> None:
    home.hand_out()
    (home.lessons / NOTEBOOK).unlink()
    assert home.hand_out() == []
    home.publish("second")
    assert home.hand_out() == [NOTEBOOK]


def test_a_lost_register_costs_no_work(home: Home) -> None:
    home.hand_out()
    home.register.write_text("{")
    (home.lessons / NOTEBOOK).write_text("my work")
    assert home.hand_out() == ["03-pooling.new.ipynb"]
    assert home.of() == "my work"


def test_a_read_only_course_gives_copies_that_can_be_written(home: Home) -> None:
    (home.course / NOTEBOOK).chmod(0o444)
    home.hand_out()
    assert (home.lessons / NOTEBOOK).stat().st_mode & stat.S_IWUSR


def test_checkpoints_are_no_lessons(home: Home) -> None:
    (home.course / ".ipynb_checkpoints").mkdir()
    (home.course / ".ipynb_checkpoints" / "03-pooling-checkpoint.ipynb").write_text("old")
    assert home.hand_out() == [NOTEBOOK]


def test_idle_kernels_end_before_the_server_is_idle(learner_server: ModuleType, tmp_path: Path) -> None:
    given = dict(
        each.split("=", 1) for each in learner_server.arguments(tmp_path, 600) if each.count("=") == 1
    )
    assert given["--MappingKernelManager.cull_idle_timeout"] == "600"
    assert given["--ServerApp.shutdown_no_activity_timeout"] == "600"
    assert given["--MappingKernelManager.cull_connected"] == "True", (
        "an open tab must not keep a kernel for ever"
    )
    assert 0 < int(given["--MappingKernelManager.cull_interval"]) <= 600


def test_nbgrader_is_switched_on_where_the_class_uses_it(
    learner_server: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JUPYTER_CONFIG_PATH", raising=False)
    monkeypatch.delenv("COURSE_HUB_NBGRADER", raising=False)
    without = learner_server.settings().split(os.pathsep)
    monkeypatch.setenv("COURSE_HUB_NBGRADER", "1")
    extra, *rest = learner_server.settings().split(os.pathsep)
    assert rest == without, "the first folder wins, so nbgrader's stands before the course's own"
    (page,) = Path(extra).rglob("page_config.json")
    assert json.loads(page.read_text())["disabledExtensions"] == {"@jupyter/nbgrader": False}
    (server,) = Path(extra, "jupyter_server_config.d").iterdir()
    enabled = json.loads(server.read_text())["ServerApp"]["jpserver_extensions"]
    assert enabled["nbgrader.server_extensions.assignment_list"] is True


@pytest.fixture
def homes() -> Iterator[Path]:
    """A folder that others may enter; they may not enter pytest's."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root gives homes away")
    with tempfile.TemporaryDirectory(prefix="course-homes-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_each_home_has_an_owner_that_no_other_has(course_spawner: ModuleType, homes: Path) -> None:
    owners = [course_spawner.give_home(homes / name, 700_000) for name in ("ada", "grace", "ada")]
    assert owners == [700_000, 700_001, 700_000]
    assert [(homes / "ada").stat().st_mode & 0o777, (homes / "ada").stat().st_uid] == [0o700, 700_000]


def test_a_home_from_before_the_separation_is_refused(course_spawner: ModuleType, homes: Path) -> None:
    assert course_spawner.give_home(homes / "ada", 0) is None
    with pytest.raises(RuntimeError, match=r"expected .*ada to belong to a learner .*chown -R 700000"):
        course_spawner.give_home(homes / "ada", 700_000)


def test_a_learners_process_is_not_root_and_has_its_limits(course_spawner: ModuleType, homes: Path) -> None:
    like_a_spawner: Any = SimpleNamespace(
        home=homes / "ada", first_uid=700_000, mem_limit=3 << 30, cpu_limit=1.0, user=SimpleNamespace(id=5)
    )
    become = course_spawner.CourseSpawner.make_preexec_fn(like_a_spawner, "ada")
    tell = "id -u; id -g; id -G; ulimit -d; pwd; umask; touch mine; ls / > /dev/null && cat /etc/shadow 2>&1"
    told = subprocess.run(
        ["/bin/sh", "-c", tell], preexec_fn=become, capture_output=True, text=True, timeout=60
    )
    lines = told.stdout.splitlines()
    assert lines[:6] == ["700000", "700000", "700000", str((3 << 30) // 1024), str(homes / "ada"), "0077"]
    assert "Permission denied" in told.stdout
    assert (homes / "ada" / "mine").stat().st_uid == 700_000


def test_cores_are_dealt_round_the_machine(
    course_spawner: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert [course_spawner.cores_of(learner, 2.0) for learner in (1, 2, 3)] == [{2, 3}, {0, 1}, {2, 3}]
    assert course_spawner.cores_of(1, 64.0) == {0, 1, 2, 3}
    assert course_spawner.cores_of(1, None) == set()


def test_a_closed_folder_on_the_way_is_named(
    course_spawner: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    python = closed / "python"
    python.symlink_to("/usr/bin/env")
    assert closed in list(course_spawner.closed_to_others(python)), "the link itself cannot be reached"
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(RuntimeError, match="where every learner may read them"):
        course_spawner.uid_for_learners("")
    assert course_spawner.uid_for_learners("off") == 0


def test_what_the_hub_is_told_reaches_the_learners_servers(
    course_spawner: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COURSE_HUB_STATE", str(tmp_path))
    monkeypatch.setenv("COURSE_HUB_NBGRADER", "1")
    monkeypatch.setenv("COURSE_HUB_UIDS", "off")
    monkeypatch.delenv("COURSE_HUB_IDLE", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    config = PyFileConfigLoader(str(ROOT / "deploy" / "jupyterhub" / "jupyterhub_config.py")).load_config()
    assert config.Spawner.environment == {"COURSE_HUB_IDLE": "3600", "COURSE_HUB_NBGRADER": "1"}
