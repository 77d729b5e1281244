"""The way of a class through the real nbgrader: generate, release, fetch, submit, collect, grade, feedback.

nbgrader's commands are called in this process: each of its own would import it anew, which takes seconds.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hand_in import needs_sandbox

from coursekit.cli import main
from coursekit.exercises import find_exercise
from coursekit.grading.nbgrader_course import answer_id

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="nbgrader's exchange")]

ROOT = Path(__file__).resolve().parents[2]
LESSON = "04-max-unpooling"
IDS = ("pool-with-switches", "max-unpool", "corresponding-pairs", "round-trip")
FILE = f"{LESSON}/{LESSON}.ipynb"
PARTLY = {"pool-with-switches": find_exercise("pool-with-switches").solution.replace("] > x", "] >= x")}
"""Of equal numbers the last has the switch: one property of five does not hold."""

HOSTILE = """\
import glob, sqlite3, sys
import coursekit
coursekit.earned = lambda id: 99.0
for name in glob.glob("/tmp/**/gradebook.db", recursive=True) + [{book!r}]:
    try:
        with sqlite3.connect(name) as db:
            db.execute("UPDATE grade SET auto_score = 99, manual_score = 99")
    except Exception:
        pass
class Everything:
    __eq__ = lambda self, other: True
    __float__ = lambda self: 99.0
"""


@dataclass
class Classroom:
    """A course folder with nbgrader's own interface to it."""

    root: Path
    api: Any

    def submit(self, student: str, content: str | bytes, at: str = "2026-11-20 10:00:00.000000 UTC") -> Path:
        """What `nbgrader collect` puts down."""
        folder = self.root / "submitted" / student / LESSON
        folder.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        (folder / f"{LESSON}.ipynb").write_bytes(data)
        (folder / "timestamp.txt").write_text(at)
        (folder / "submission_secret.txt").write_text(f"secret of {student}")
        return folder

    def released(self) -> dict[str, Any]:
        return json.loads((self.root / "release" / FILE).read_text(encoding="utf-8"))

    def scores(self) -> dict[str, dict[str, float | None]]:
        """Student -> exercise -> points, as nbgrader itself reads its gradebook."""
        with self.api.gradebook as book:
            return {
                one.student.id: {grade.name: grade.score for nb in one.notebooks for grade in nb.grades}
                for one in book.find_assignment(LESSON).submissions
            }

    def dump(self) -> list[str]:
        with closing(sqlite3.connect(self.root / "gradebook.db")) as book:
            return sorted(book.iterdump())


def answered(notebook: Mapping[str, Any], answers: Mapping[str, str]) -> str:
    """A released notebook with answers in place of the starters."""
    cells = []
    for cell in notebook["cells"]:
        found = re.match(r'@exercise\("([^"]+)"\)\n', "".join(cell["source"]))
        if cell["cell_type"] == "code" and found and found[1] in answers:
            cell = {**cell, "source": found[0] + answers[found[1]]}
        cells.append(cell)
    return json.dumps({**notebook, "cells": cells})


def right(*ids: str) -> dict[str, str]:
    return {id: find_exercise(id).solution for id in ids}


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """A course with one released assignment."""
    needs_sandbox()
    pytest.importorskip("nbgrader")
    from nbgrader.apps import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    root = tmp_path_factory.mktemp("course")
    assert main(["export", "nbgrader", str(root), "--lessons", "04"]) == 0
    exchange = tmp_path_factory.mktemp("exchange")
    exchange.chmod(0o777)  # nbgrader insists
    patch = pytest.MonkeyPatch()
    patch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")  # it calls alembic
    patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))))
    patch.setenv("JUPYTER_DATA_DIR", str(tmp_path_factory.mktemp("data")))
    patch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    config = PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
    config.CourseDirectory.root = str(root)
    config.Exchange.root = str(exchange)
    api = NbGraderAPI(config=config)
    for step in (api.generate_assignment, api.release_assignment):
        done = step(LESSON)
        assert done["success"], done
    yield Classroom(root, api)
    patch.undo()


@pytest.fixture(scope="module")
def honest(classroom: Classroom, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A student fetched, answered and submitted through the exchange, and was collected; gives the name."""
    from nbgrader.auth import Authenticator
    from nbgrader.exchange.default import ExchangeFetchAssignment, ExchangeSubmit
    from nbgrader.utils import get_username

    api, home = classroom.api, tmp_path_factory.mktemp("home")
    api.coursedir.assignment_id = LESSON
    parts = {"coursedir": api.coursedir, "authenticator": Authenticator(parent=api), "parent": api}
    with inside(home):
        ExchangeFetchAssignment(**parts).start()
        fetched = home / FILE
        notebook = json.loads(fetched.read_text(encoding="utf-8"))
        fetched.chmod(0o644)
        fetched.write_text(answered(notebook, {**right(*IDS), **PARTLY}), encoding="utf-8")
        ExchangeSubmit(**parts).start()
    collected = api.collect(LESSON)
    assert collected["success"], collected
    return str(get_username())


def grade(classroom: Classroom, capsys: Any, *options: str) -> dict[str, Any]:
    """Run the command; what it told as JSON, with its exit code."""
    code = main(["grade", "--nbgrader", str(classroom.root), "--json", *options])
    told = capsys.readouterr()
    assert code < 2, told.err
    return {**json.loads(told.out), "code": code}


def ours(told: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Student -> exercise -> points, of what `--json` says."""
    return {
        one["learner"]: {
            id: each["fraction"] * find_exercise(id).points for id, each in one["exercises"].items()
        }
        for one in told["submissions"]
    }


def test_the_release_is_the_lessons_own(classroom: Classroom) -> None:
    sources = ["".join(cell["source"]) for cell in classroom.released()["cells"]]
    for id in IDS:
        assert find_exercise(id).cell.strip("\n") in sources
    assert not [one for one in sources if "SOLUTION" in one]
    assert "To hand this in" in sources[0]


def test_the_way_of_a_class(classroom: Classroom, honest: str, capsys: Any) -> None:
    # nbgrader's own autograde first, of the submission that came through its exchange
    graded = classroom.api.autograde(LESSON, honest)
    assert graded["success"], graded
    theirs = classroom.scores()[honest]
    told = grade(classroom, capsys)
    assert told["nbgrader"] == {"scores": 4, "changed": 0}
    assert theirs == classroom.scores()[honest] == pytest.approx(ours(told)[honest], abs=1e-5)
    assert 0 < theirs["pool-with-switches"] < 3
    assert {id: theirs[id] for id in IDS[1:]} == {id: find_exercise(id).points for id in IDS[1:]}

    # then more students, one of them with tricks
    plain = classroom.released()
    classroom.submit("bob", answered(plain, right("max-unpool", "round-trip")))
    classroom.submit("zed", b"{")
    classroom.submit("nan", "").joinpath(f"{LESSON}.ipynb").unlink()
    told = grade(classroom, capsys)
    assert told["code"] == 1  # zed's file cannot be read
    before = classroom.scores()
    assert before["bob"] == dict(zip(IDS, (0, 3, 0, 3), strict=True)) == ours(told)["bob"]
    assert set(before["zed"].values()) == set(before["nan"].values()) == {0}

    # nothing that eve does counts, for herself or another
    tricks = HOSTILE.format(book=str(classroom.root / "gradebook.db"))
    wrong = "def max_unpool(values, switches, output_size):\n    return Everything()\n"
    notebook = json.loads(answered(plain, {"max-unpool": wrong, **right("round-trip")}))
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"].update(points=99, grade_id="max-unpool")
            cell["source"] = "".join(cell["source"]).replace("earned(", "99.0 or earned(")
    notebook["cells"].insert(1, {**notebook["cells"][1], "cell_type": "code", "source": tricks, "outputs": [],
                                 "execution_count": None, "id": "tricks", "metadata": {}})  # fmt: skip
    classroom.submit("eve", json.dumps(notebook))
    told = grade(classroom, capsys)
    after = classroom.scores()
    assert after.pop("eve") == dict(zip(IDS, (0, 0, 0, 3), strict=True))
    assert after == before

    # a second run changes nothing at all, and starts no sandbox
    dump = classroom.dump()
    again = grade(classroom, capsys)
    assert again["nbgrader"]["changed"] == 0
    assert classroom.dump() == dump
    assert again["submissions"] == told["submissions"]


def test_a_comment_says_why_and_a_persons_word_stays(classroom: Classroom, honest: str, capsys: Any) -> None:
    grade(classroom, capsys)
    find = {"notebook": LESSON, "assignment": LESSON, "student": honest}
    with classroom.api.gradebook as book:
        comment = book.find_comment(answer_id("pool-with-switches"), **find)
        assert comment.comment.startswith("Partial. ")
        comment.manual_comment = "See me."
        mark = book.find_grade("pool-with-switches", **find)
        mark.manual_score, mark.needs_manual_grade = 2.5, False
        book.db.commit()
    override = ["override", honest, "max-unpool", "1.5", "--note", "half of it is bob's"]
    assert main(["gradebook", *override, "--gradebook", str(classroom.root / "coursekit.sqlite")]) == 0
    capsys.readouterr()
    assert grade(classroom, capsys)["nbgrader"]["changed"] == 1
    with classroom.api.gradebook as book:
        mark = book.find_grade("pool-with-switches", **find)
        assert (mark.score, mark.needs_manual_grade) == (2.5, False)
        assert book.find_comment(answer_id("pool-with-switches"), **find).comment == "See me."
        assert book.find_grade("max-unpool", **find).score == 1.5
        assert book.find_comment(answer_id("max-unpool"), **find).comment == "half of it is bob's"


def test_a_later_submission_counts(classroom: Classroom, capsys: Any) -> None:
    plain = classroom.released()
    classroom.submit("lea", answered(plain, right("max-unpool")))
    grade(classroom, capsys)
    first = classroom.scores()["lea"]
    classroom.submit("lea", answered(plain, right(*IDS)), "2026-11-21 10:00:00.000000 UTC")
    grade(classroom, capsys)
    assert (sum(first.values()), sum(classroom.scores()["lea"].values())) == (3, 12)
    with classroom.api.gradebook as book:
        assert book.find_submission(LESSON, "lea").timestamp.isoformat() == "2026-11-21T10:00:00"
    late = ("--due", "2026-11-20T00:00+00:00", "--late", "0.25")
    grade(classroom, capsys, *late)
    assert sum(classroom.scores()["lea"].values()) == 6


def test_nbgrader_releases_our_pages_of_feedback(classroom: Classroom, honest: str, capsys: Any) -> None:
    assert grade(classroom, capsys, "--nbgrader-feedback")["nbgrader"]["pages"] >= 1
    released = classroom.api.release_feedback(LESSON)
    assert released["success"], released
    pages = list((Path(classroom.api.exchange_root) / "every-pixel" / "feedback").glob("*.html"))
    assert any(f"Feedback for {honest}" in page.read_text(encoding="utf-8") for page in pages)
    assert {page.stat().st_mode & 0o044 for page in pages} == {0o044}  # else learners cannot read them


def test_a_course_without_assignments_says_what_to_do(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("nbgrader")
    assert main(["export", "nbgrader", str(tmp_path), "--lessons", "00"]) == 0
    assert main(["grade", "--nbgrader", str(tmp_path)]) == 2
    assert "nbgrader generate_assignment" in capsys.readouterr().err
    assert not (tmp_path / "gradebook.db").exists()
