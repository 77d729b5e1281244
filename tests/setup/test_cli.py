"""The command: every error is a sentence, every exit code says which of three things happened."""

import importlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from coursekit import cli, launcher, listing
from coursekit.app import server
from coursekit.app.browsers import can_open_a_browser
from coursekit.checkout import CannotRun, course_root, home_folder
from coursekit.record import Record

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: (exit code, stdout, stderr)."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        try:
            code = cli.main(list(arguments))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def content(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two lessons, one of them without its notebook, and one exercise."""
    notebook = tmp_path / "05-demo.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["# A stamp\n", "doesn't move 2 cells - it's half-baked."]},
        {"cell_type": "code", "source": "not one word of prose"},
        {"cell_type": "markdown", "source": "one string"},
    ]
    notebook.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    lessons = (
        SimpleNamespace(id="05-demo", title="Démo", minutes=45, path=notebook),
        SimpleNamespace(id="06-gone", title="Gone", minutes=30, path=tmp_path / "06-gone.ipynb"),
    )
    exercises = (SimpleNamespace(id="stamp", lesson="05-demo", function="stamp", points=2, version=1),)
    found = {"LESSONS": lessons, "all_exercises": lambda: exercises}
    monkeypatch.setattr(listing, "_content", lambda _room, name: found[name])
    return notebook


def test_help_lists_every_command_and_no_other(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    assert all(name in out for name in ("lab", "app", "lessons", "exercises", "doctor"))
    assert run() == (0, out, "")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(run: Run, name: str) -> None:
    code, out, _ = run(name, "--help")
    assert code == 0
    assert cli.COMMANDS[name][1] in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["lesons"], "there is no command 'lesons'. Did you mean 'lessons'?"),
        (["zebra"], "There are: lab, app"),
        (["app", "--port", "99999"], "expected a port from 1 to 65535, got '99999'"),
        (["app", "--port", "eight"], "expected a port from 1 to 65535, got 'eight'"),
        (["doctor", "--jason"], "unrecognized arguments: --jason"),
    ],
)
def test_a_wrong_argument_is_a_sentence_with_something_to_try(
    run: Run, arguments: list[str], says: str
) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert "Try: coursekit" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["lab", "app"])
def test_a_port_in_use_is_a_sentence(run: Run, command: str, taken_port: int) -> None:
    code, _, err = run(command, "--port", str(taken_port), "--no-browser")
    assert code == 2
    assert f"port {taken_port} is in use" in err
    assert "--port" in err


@pytest.mark.parametrize("command", ["lab", "app"])
def test_a_package_without_its_lessons_says_where_to_run(
    run: Run, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("coursekit.checkout.__file__", str(tmp_path / "coursekit" / "checkout.py"))
    code, _, err = run(command)
    assert code == 2
    assert "expected the folder lessons/" in err
    assert "make lab" in err


def test_what_nobody_foresaw_is_a_sentence_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(**_: object) -> int:
        raise RuntimeError("the roof is gone")

    monkeypatch.setattr(listing, "list_lessons", break_down)
    code, _, err = run("lessons")
    assert code == 2
    assert "RuntimeError: the roof is gone" in err
    assert "COURSEKIT_DEBUG=1" in err
    monkeypatch.setenv("COURSEKIT_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["lessons"])


def test_ctrl_c_ends_without_a_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def be_interrupted(**_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "list_exercises", be_interrupted)
    assert run("exercises") == (0, "", "\nStopped.\n")


def test_content_that_does_not_load_names_the_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr(listing, "import_module", missing)
    code, _, err = run("exercises")
    assert code == 2
    assert "No module named 'torch'" in err
    assert "coursekit doctor" in err


def test_lessons_are_measured(run: Run, content: Path) -> None:
    code, out, err = run("lessons", "--json")
    with_notebook, without = json.loads(out)
    assert with_notebook == {
        "id": "05-demo",
        "title": "Démo",
        "minutes": 45,
        "cells": 3,
        "words": 13,  # doesn, t and it, s and half, baked count as two each
        "exercises": ["stamp"],
        "points": 2,
    }
    assert without["cells"] is None
    assert code == 1
    assert "06-gone" in err


def test_lessons_and_exercises_as_tables(run: Run, content: Path) -> None:
    _, out, _ = run("lessons")
    assert out.splitlines()[1].split() == ["05-demo", "Démo", "45", "3", "13", "1", "2"]
    code, out, _ = run("exercises")
    assert code == 0
    assert out.splitlines()[1].split() == ["stamp", "05-demo", "stamp", "2"]
    assert out.splitlines()[-1] == "1 exercises, 2 points"


def test_the_keys_of_exercises_are_those_that_other_tools_read(run: Run, content: Path) -> None:
    _, out, _ = run("exercises", "--json")
    assert json.loads(out) == [
        {"id": "stamp", "lesson": "05-demo", "function": "stamp", "points": 2, "version": 1}
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "markdown"}]}'])
def test_a_broken_notebook_has_no_measures(text: str, tmp_path: Path) -> None:
    notebook = tmp_path / "broken.ipynb"
    notebook.write_text(text, encoding="utf-8")
    assert listing.measures(notebook) == {"cells": None, "words": None}


def test_the_real_content_is_listed(run: Run) -> None:
    code, out, _ = run("lessons", "--json")
    assert code == 0
    notebooks = {path.stem for path in (course_root() / "lessons").glob("*.ipynb")}
    assert {row["id"] for row in json.loads(out)} == notebooks
    _, exercises, _ = run("exercises", "--json")
    assert {row["lesson"] for row in json.loads(exercises)} <= notebooks


@pytest.mark.parametrize(("uid", "allowed"), [(0, True), (1000, False)])
def test_only_root_asks_lab_to_run_as_root(uid: int, allowed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: uid, raising=False)
    assert ("--allow-root" in launcher.lab_arguments(Path("course"), 8888, True)) is allowed


def test_no_text_browser_opens_where_there_is_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "--no-browser" in launcher.lab_arguments(Path("course"), None, browser=True)
    assert not can_open_a_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert "--no-browser" not in launcher.lab_arguments(Path("course"), None, browser=True)
    assert can_open_a_browser()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What the app's server would have been started with."""
    from coursekit.app.course_app import CourseApp

    seen: list[list[str]] = []
    monkeypatch.setattr(CourseApp, "launch_instance", lambda arguments: seen.append(arguments))
    monkeypatch.setattr(CourseApp, "course", {})
    monkeypatch.setattr(server, "ensure_free", lambda port, ip: None)
    return seen


def test_the_app_listens_on_this_machine_only(run: Run, launched: list[list[str]]) -> None:
    from coursekit.app.course_app import CourseApp

    code, out, _ = run("app", "--no-browser", "--port", "9000")
    assert (code, "http://127.0.0.1:9000/" in out) == (0, True)
    assert {"--Voila.ip=127.0.0.1", "--port=9000", "--no-browser"} <= set(launched[0])
    assert set(CourseApp.course["hosts"]) == {"localhost", "127.0.0.1", "::1"}
    assert CourseApp.course["seats"] >= 2


def test_the_app_elsewhere_with_a_token(
    run: Run, launched: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from coursekit.app.course_app import CourseApp

    monkeypatch.setenv("COURSEKIT_TOKEN", "s3cret")
    asked = ("--ip", "0.0.0.0", "--host", "course.example", "--base", "course", "--max-kernels", "7")
    code, out, _ = run("app", "--no-browser", *asked)
    assert (code, "/course/?token=..." in out, "s3cret" in out) == (0, True, False), "it may go into a log"
    assert "--Voila.ip=0.0.0.0" in launched[0]
    assert not any("s3cret" in each for each in launched[0]), "others may read a command's arguments"
    course = CourseApp.course
    assert (course["token"], course["seats"], course["base"]) == ("s3cret", 7, "/course/")
    assert "course.example" in course["hosts"]
    assert run("app", "--max-kernels", "0")[0] == 2
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert "/course/?token=s3cret" in run("app", *asked)[1]


def test_the_record_goes_where_its_variable_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path))
    assert home_folder() == tmp_path
    monkeypatch.delenv("COURSEKIT_HOME")
    assert home_folder() == course_root() / ".coursekit"


def test_cannot_run_is_what_a_missing_port_raises(taken_port: int) -> None:
    ports = importlib.import_module("coursekit.app.ports")
    with pytest.raises(CannotRun, match=f"port {taken_port}"):
        ports.ensure_free(taken_port)


def test_python_dash_m_is_the_same_command() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "coursekit", "--version"], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("coursekit ")


def test_lab_opens_lesson_00_until_something_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path))
    assert "--LabApp.default_url=/lab/tree/lessons/00-start-here.ipynb" in launcher.lab_arguments(
        Path("course"), None, True
    )
    Record(tmp_path).keep_hints("stamp", 1)
    assert "--LabApp.default_url=/lab/tree/lessons" in launcher.lab_arguments(Path("course"), None, True)
