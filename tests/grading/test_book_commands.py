"""`coursekit grade`, `gradebook` and `lesson-plan`, from real notebooks through the sandbox to the files."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from coursekit.cli import main
from coursekit.grading import grader
from coursekit.grading.results import JUDGE_FAILED
from tests.grading.classroom import grade, graded, handed_in, notebook, write_class

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        code = main([str(one) for one in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def checked_here(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The classroom's grader in place of the sandbox; gives the settings of each call."""
    calls: list[dict[str, Any]] = []

    def stand_in(submissions: Any, *, seed: str, exercises: Any = None, **settings: Any) -> Any:
        calls.append({"seed": seed, "exercises": exercises, **settings})
        return grade(submissions, seed=seed, exercises=exercises)

    monkeypatch.setattr(grader, "grade_submissions", stand_in)
    return calls


@pytest.fixture
def room(tmp_path: Path) -> Path:
    answers = {
        "ada": handed_in(class_share="right", max_pool="mean", stamp="right"),
        "bob": handed_in(class_share="count", max_pool="right"),
    }
    return write_class(tmp_path / "class", answers)


def test_real_notebooks_through_the_sandbox(run: Run, tmp_path: Path) -> None:
    share = "def class_share(mask, label):\n    print('<b>')\n    return (mask == label).float().sum()\n"
    folder = write_class(
        tmp_path / "class",
        {"ada": notebook(class_share="right"), "bob": notebook(class_share=share), "eve": b"{"},
    )
    files = {name: tmp_path / name for name in ("book.sqlite", "grades.csv", "pages", "summary.html")}
    options = ("--gradebook", files["book.sqlite"], "--exercises", "class-share")
    written = (
        "--export",
        files["grades.csv"],
        "--feedback",
        files["pages"],
        "--summary",
        files["summary.html"],
    )
    code, out, err = run("grade", folder, *options, *written, "--json")
    if code == 2:
        pytest.skip(err)
    told = json.loads(out)
    assert set(told) == {"coursekit_version", "submissions"}
    ada, bob, eve = told["submissions"]
    for one in told["submissions"]:
        assert set(one) == {"learner", "file", "fraction", "points", "sandbox", "reason", "exercises"}
        assert set(one["exercises"]["class-share"]) == {"fraction", "state", "reason", "version"}
    assert (ada["learner"], ada["file"], ada["fraction"], ada["points"]) == ("ada", "ada.ipynb", 1, 1)
    assert bob["exercises"]["class-share"]["state"] == "partial"
    assert "number of cells" in bob["exercises"]["class-share"]["reason"]
    assert eve["reason"]
    assert eve["exercises"]["class-share"]["state"] == "unreadable"
    assert code == 1  # one file could not be read
    rows = list(csv.DictReader(files["grades.csv"].open(newline="", encoding="utf-8")))
    assert [row["learner"] for row in rows] == ["ada", "bob", "eve"]
    page = (files["pages"] / "bob.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "&lt;b&gt;" in page
    assert ada["sandbox"].split(",")[0] in files["summary.html"].read_text(encoding="utf-8")
    again = run("grade", folder, *options, "--json")
    assert json.loads(again[1]) == told


def test_a_second_run_starts_nothing(run: Run, room: Path, tmp_path: Path, checked_here: list[Any]) -> None:
    book = tmp_path / "book.sqlite"
    assert run("grade", room, "--gradebook", book)[0] == 0
    code, out, _ = run("grade", room, "--gradebook", book)
    assert (code, len(checked_here)) == (0, 1)
    assert "2 of them graded before" in out
    assert run("grade", room, "--gradebook", book, "--new-seed")[0] == 0
    assert checked_here[0]["seed"] != checked_here[1]["seed"]


def test_settings_reach_the_grader(run: Run, room: Path, tmp_path: Path, checked_here: list[Any]) -> None:
    book = tmp_path / "book.sqlite"
    run("grade", room, "--gradebook", book, "--jobs", 2, "--trust-submissions", "--exercises", "stamp,00")
    run("grade", room, "--gradebook", book, "--scheduler", "tcp://10.0.0.1:8786", "--regrade", "stamp")
    first, second = checked_here
    assert (first["jobs"], first["trust"], first["scheduler"]) == (2, True, None)
    assert first["exercises"] == ("class-share", "stamp")
    assert (second["scheduler"], second["exercises"]) == ("tcp://10.0.0.1:8786", ("stamp",))


def test_regrade_override_and_history(run: Run, room: Path, tmp_path: Path, checked_here: list[Any]) -> None:
    book = ("--gradebook", tmp_path / "book.sqlite")
    run("grade", room, *book)
    run("grade", room, *book, "--regrade", "max-pool")
    assert run("gradebook", "override", "bob", "stamp", 1.5, "--note", "told me", *book)[0] == 0
    _, out, _ = run("gradebook", "show", "bob", *book)
    assert "regrade 1" in out
    assert "1.5 points by hand: told me" in out
    (bob,) = json.loads(run("gradebook", "show", "bob", *book, "--json")[1])["submissions"]
    assert bob["exercises"]["stamp"]["points"] == 1.5
    run("gradebook", "override", "bob", "stamp", "graded", "--note", "a mistake of mine", *book)
    (bob,) = json.loads(run("gradebook", "show", "bob", *book, "--json")[1])["submissions"]
    assert bob["exercises"]["stamp"]["points"] == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("gradebook", "override", "bop", "stamp", "1", "--note", "x"), "Try 'bob'"),
        (("gradebook", "override", "bob", "stam", "1", "--note", "x"), "Try stamp"),
        (("gradebook", "show", "adda"), "Try 'ada'"),
        (("grade",), "got nothing"),
        (("grade", "nowhere"), "not there"),
        (("grade", "class", "--exercises", "99"), "a lesson's number"),
    ],
)
def test_what_cannot_be_run_is_a_sentence(
    run: Run, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checked_here: list[Any],
    wrong: tuple[str, ...], told: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    run("grade", room, "--gradebook", "book.sqlite")
    code, _, err = run(*wrong, "--gradebook", "book.sqlite")
    assert code == 2
    assert told in err


@pytest.mark.parametrize("wrong", [("--late", "2"), ("--due", "friday"), ("--jobs", "0"), ("--cutoff", "-1")])
def test_options_that_make_no_sense(run: Run, tmp_path: Path, wrong: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        run("grade", tmp_path, "--gradebook", tmp_path / "book.sqlite", *wrong)
    assert left.value.code == 2


def test_what_few_handed_in_is_not_counted_and_said_loudly(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def by_lesson(submissions: Any, *, seed: str, exercises: Any = None, **settings: Any) -> Any:
        for one in submissions:
            yield graded(one, exercises or tuple(json.loads(one.content)))

    monkeypatch.setattr(grader, "grade_submissions", by_lesson)
    answers = {name: handed_in(stamp="right") for name in ("ada", "bob", "eve")}
    folder = write_class(tmp_path / "class", {**answers, "zoe": handed_in(max_pool="right")})
    book, grades = ("--gradebook", tmp_path / "book.sqlite"), tmp_path / "grades.csv"
    code, _, err = run("grade", folder, *book, "--export", grades, "--format", "canvas", "--json")
    assert code == 0
    assert "NOT COUNTED: 03-" in err
    assert "zoe.ipynb" in err
    assert "--exercises 03,05" in err
    assert grades.read_text().splitlines()[1:] == [
        "    Points Possible,,,,,2", "ada,,,,,2", "bob,,,,,2", "eve,,,,,2", "zoe,,,,,0",
    ]  # fmt: skip
    code, _, err = run("grade", *book, "--export", grades, "--exercises", "max-pool,stamp")
    assert (code, err) == (0, "")
    assert {row["worth"] for row in csv.DictReader(grades.open(newline=""))} == {"4"}


def test_a_judge_that_failed_is_told(
    run: Run, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(submissions: Any, *, seed: str, exercises: Any = None, **settings: Any) -> Any:
        for one in grade(submissions, seed=seed, exercises=exercises):
            lost = replace(one.exercises[0], reports=(f"{JUDGE_FAILED}OSError: full",))
            yield replace(one, exercises=(lost,)) if one.learner == "bob" else one

    monkeypatch.setattr(grader, "grade_submissions", failing)
    _, _, err = run("grade", room, "--gradebook", tmp_path / "book.sqlite")
    assert "NOT GRADED, through no fault of theirs: bob.ipynb. Run the same command again." in err


def test_an_empty_folder_makes_no_gradebook(run: Run, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    assert run("grade", tmp_path / "class", "--gradebook", tmp_path / "book.sqlite")[0] == 2
    assert not (tmp_path / "book.sqlite").exists()


def test_exports_without_grading_take_the_policy(
    run: Run, room: Path, tmp_path: Path, checked_here: list[Any]
) -> None:
    book, grades = tmp_path / "book.sqlite", tmp_path / "grades.csv"
    run("grade", room, "--gradebook", book)
    late = ("--due", "2000-01-01", "--late", "0", "--cutoff", "3")
    assert run("grade", "--gradebook", book, "--export", grades, *late)[0] == 0
    assert {row["points"] for row in csv.DictReader(grades.open(newline=""))} == {"0"}
    assert run("grade", "--gradebook", book, "--export", grades, "--format", "canvas")[0] == 0
    assert grades.read_text().startswith("Student,ID,SIS User ID,SIS Login ID,Section,coursekit")
    assert len(checked_here) == 1


def test_a_file_that_cannot_be_written(run: Run, room: Path, tmp_path: Path, checked_here: list[Any]) -> None:
    code, _, err = run(
        "grade", room, "--gradebook", tmp_path / "b.sqlite", "--export", tmp_path / "no" / "g.csv"
    )
    assert code == 2
    assert "b.sqlite" in err


def test_the_lesson_plan(run: Run, room: Path, tmp_path: Path, checked_here: list[Any]) -> None:
    book = ("--gradebook", tmp_path / "book.sqlite")
    run("grade", room, *book)
    code, out, _ = run("lesson-plan", *book)
    assert code == 0
    assert "**On the board.** What does `class_share(mask, label)` give here?" in out
    plan = json.loads(run("lesson-plan", *book, "--json")[1])
    assert plan["minutes"] == sum(step["minutes"] for step in plan["steps"]) <= 20
    assert run("lesson-plan", *book, "--html", tmp_path / "plan.html")[0] == 0
    assert "<summary>Answer</summary>" in (tmp_path / "plan.html").read_text(encoding="utf-8")


def test_ctrl_c_says_that_it_goes_on(
    run: Run, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(submissions: Any, *, seed: str, exercises: Any = None, **settings: Any) -> Any:
        for number, one in enumerate(grade(submissions, seed=seed, exercises=exercises)):
            if number:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(grader, "grade_submissions", interrupted)
    code, _, err = run("grade", room, "--gradebook", tmp_path / "book.sqlite")
    assert code == 2
    assert "1 of 2 submissions are graded and kept" in err


def test_a_stopped_regrade_goes_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("ada", "bob", "eve")
    folder = write_class(tmp_path / "class", {name: handed_in(stamp="right") for name in names})
    book = ("--gradebook", tmp_path / "book.sqlite")
    asked: list[str] = []
    stopped_after = [9]

    def stopping(submissions: Any, *, seed: str, exercises: Any = None, **settings: Any) -> Any:
        for number, one in enumerate(grade(submissions, seed=seed, exercises=exercises)):
            if number == stopped_after[0]:
                raise KeyboardInterrupt
            asked.append(one.learner)
            yield one

    def regrade(*options: object) -> tuple[int, str, list[str]]:
        asked.clear()
        code, _, err = run("grade", folder, *book, "--regrade", "stamp", *options)
        return code, err, list(asked)

    monkeypatch.setattr(grader, "grade_submissions", stopping)
    run("grade", folder, *book)
    stopped_after[0] = 2
    assert regrade() == (2, ANY, ["ada", "bob"])
    stopped_after[0] = 9
    code, err, rest = regrade()
    assert (code, rest) == (0, ["eve"])
    assert "regrade 1" in err
    assert regrade() == (0, "", list(names))  # that one was finished, so this is another
    stopped_after[0] = 1
    assert regrade("--new-seed")[2] == ["ada"]
    stopped_after[0] = 9
    assert regrade("--new-seed")[2] == list(names)  # with another seed nothing is graded yet
    stopped_after[0] = 1
    regrade()
    (folder / "zoe.ipynb").write_bytes(handed_in(stamp="right"))
    stopped_after[0] = 9
    assert regrade()[2] == [*names, "zoe"]  # another class is another regrade
    rounds = [attempt["round"] for attempt in attempts_in(tmp_path / "book.sqlite")]
    assert rounds == sorted(rounds)


def attempts_in(book: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(book)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM attempts ORDER BY id")]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX's")
def test_the_command_killed_and_run_again(tmp_path: Path) -> None:
    folder = write_class(tmp_path / "class", {f"l{n}": notebook(class_share="right") for n in range(8)})
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def start(book: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "coursekit", "grade", folder, "--gradebook", book, "--json"]
        return subprocess.Popen(
            list(map(str, command)),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    whole, _ = start(tmp_path / "whole.sqlite").communicate(timeout=300)
    killed = start(tmp_path / "killed.sqlite")
    end = time.monotonic() + 300
    while killed.poll() is None and not kept(tmp_path / "killed.sqlite") and time.monotonic() < end:
        time.sleep(0.005)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = kept(tmp_path / "killed.sqlite")
    resumed, problem = start(tmp_path / "killed.sqlite").communicate(timeout=300)
    if not whole:
        pytest.skip(problem)
    assert before >= 1
    assert json.loads(resumed) == json.loads(whole)
    assert kept(tmp_path / "killed.sqlite") == 8


def kept(book: Path) -> int:
    if not book.exists():
        return 0
    connection = sqlite3.connect(f"{book.as_uri()}?mode=ro", uri=True, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM attempts").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are still to come
        return 0
    finally:
        connection.close()
