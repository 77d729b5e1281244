"""nbgrader and otter-grader on submissions of the corpus: prepared as their users do, run in the jail."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.grading.bubblewrap import COURSE
from graders import jail
from graders.exam import FUNCTIONS, otter_file, test_cells, with_tests
from tests.grading.corpus import ENTRIES, Entry, Places
from tests.grading.corpus.entry import notebook_of

SECONDS = 300.0
PLACES = Places("/scratch/canary", "/scratch/course/gradebook.db", "/scratch/work", jail.PORT)
CONFIG = """
c = get_config()
c.CourseDirectory.course_id = "course"
c.Execute.timeout = 120
c.ExecutePreprocessor.timeout = 120
"""
NEIGHBOURS = ("ada", "zoe")


@dataclass
class Graded:
    """What another grader made of some submissions."""

    points: dict[str, float | None]  # by learner; None where there is no result
    exercises: dict[str, dict[str, float]] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    hung: bool = False
    side_effects: list[str] = field(default_factory=list)
    said: str = ""


class Other:
    """What both have in common: a scratch folder with canaries, and looking at it afterwards."""

    name = ""

    def __init__(self, venv: Path, cache: Path) -> None:
        self.venv, self.cache = venv, cache
        self.template = cache / f"template-{self.name}"

    def grade(self, entries: Sequence[Entry], seconds: float = SECONDS) -> Graded:
        """Grade submissions in one jail."""
        self.prepare()
        with tempfile.TemporaryDirectory(dir=self.cache) as folder:
            scratch = Path(folder)
            shutil.copytree(self.template, scratch, dirs_exist_ok=True)
            self._canaries(scratch)
            for entry in entries:
                self.hand_in(scratch, entry)
            before = _seen(scratch)
            done = jail.run(self.venv, scratch, self.command(entries), seconds)
            graded = self.scores(scratch, entries)
            graded.run, graded.hung, graded.said = done.told, done.hung, done.said
            graded.side_effects += _effects(before, _seen(scratch), done.told)
            return graded

    def _canaries(self, scratch: Path) -> None:
        for name in ("canary", "home", "work", "out"):
            (scratch / name).mkdir(exist_ok=True)
        (scratch / "canary" / "alive").write_text("alive")
        for entry in ENTRIES:
            if entry.name in NEIGHBOURS:
                entry.write(scratch / "work", PLACES)
        stub = scratch / "stub" / "coursekit"
        stub.mkdir(parents=True, exist_ok=True)
        shutil.copy(COURSE / "grading/inside/root.py", stub / "__init__.py")

    def prepare(self) -> None:
        """Make the template, once."""
        raise NotImplementedError

    def hand_in(self, scratch: Path, entry: Entry) -> None:
        """Put a submission where the grader looks for it."""
        raise NotImplementedError

    def command(self, entries: Sequence[Entry]) -> list[str]:
        """What is run in the jail."""
        raise NotImplementedError

    def scores(self, scratch: Path, entries: Sequence[Entry]) -> Graded:
        """What it gave."""
        raise NotImplementedError


class Nbgrader(Other):
    """``nbgrader autograde`` with default settings, but more time for a cell, as machines may be busy."""

    name = "nbgrader"

    def prepare(self) -> None:
        """A released assignment with one honest submission that was graded before."""
        if self.template.exists():
            return
        making = self.cache / "making"
        shutil.rmtree(making, ignore_errors=True)
        course = making / "course"
        (course / "source" / "lesson").mkdir(parents=True)
        (course / "nbgrader_config.py").write_text(CONFIG)
        released = notebook_of(["import torch\nfrom coursekit import exercise"])
        released["cells"] += [cell for id in FUNCTIONS for cell in test_cells(id, False)]
        (course / "source" / "lesson" / "lesson.ipynb").write_text(json.dumps(released))
        self._canaries(making)
        neighbour = next(one for one in ENTRIES if one.name == "ada")
        self.hand_in(making, neighbour)
        script = "cd course && nbgrader generate_assignment lesson && nbgrader autograde lesson --create"
        done = jail.run(self.venv, making, ["bash", "-c", script], 300)
        assert round(self.scores(making, [neighbour]).points["ada"] or 0.0, 3) == neighbour.points, done.said
        shutil.rmtree(course / "submitted")
        making.rename(self.template)

    def hand_in(self, scratch: Path, entry: Entry) -> None:
        """``submitted/NAME/lesson/lesson.ipynb``."""
        place = scratch / "course" / "submitted" / entry.name / "lesson"
        place.mkdir(parents=True)
        (place / "lesson.ipynb").write_bytes(with_tests(entry.notebook(PLACES)))

    def command(self, entries: Sequence[Entry]) -> list[str]:
        """All of them in one command."""
        return ["bash", "-c", "cd course && nbgrader autograde lesson --create"]

    def scores(self, scratch: Path, entries: Sequence[Entry]) -> Graded:
        """From its gradebook, where every test has a score."""
        graded = Graded({one.name: None for one in entries})
        names = {*graded.points, "ada"}
        rows: list[tuple[str, str, float | None]] = []
        try:
            with sqlite3.connect(scratch / "course" / "gradebook.db") as base:
                rows = base.execute(_SCORES).fetchall()
        except sqlite3.Error as problem:
            graded.side_effects.append(f"its gradebook: {problem}")
        for name in names:
            mine = [(test, score) for learner, test, score in rows if learner == name]
            if mine and all(score is not None for _, score in mine):
                by_exercise = {
                    id: sum(score or 0.0 for test, score in mine if test.startswith(f"{id}-"))
                    for id in FUNCTIONS
                }
                graded.exercises[name] = by_exercise
                if name in graded.points:
                    graded.points[name] = sum(score or 0.0 for _, score in mine)
        others = graded.exercises.pop("ada") if "ada" not in graded.points else {"": 8.0}
        if round(sum(others.values()), 3) != 8.0:
            graded.side_effects.append("another's grade was changed")
        return graded


_SCORES = """
SELECT student.id, base_cell.name, CASE WHEN grade.manual_score IS NOT NULL THEN grade.manual_score
    ELSE grade.auto_score END
FROM grade JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN student ON student.id = submitted_assignment.student_id
JOIN base_cell ON base_cell.id = grade.cell_id
"""


class Otter(Other):
    """``otter run``, one submission a command."""

    name = "otter"

    def prepare(self) -> None:
        """An autograder of test files that assert."""
        if self.template.exists():
            return
        making = self.cache / "making-otter"
        shutil.rmtree(making, ignore_errors=True)
        (making / "tests").mkdir(parents=True)
        for id in FUNCTIONS:
            (making / "tests" / f"{id}.py").write_text(otter_file(id))
        self._canaries(making)
        done = jail.run(
            self.venv,
            making,
            ["otter", "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment"],
            300,
        )
        assert (making / "autograder.zip").exists(), done.said
        making.rename(self.template)

    def hand_in(self, scratch: Path, entry: Entry) -> None:
        """``handed/NAME.ipynb``."""
        (scratch / "handed").mkdir(exist_ok=True)
        (scratch / "handed" / f"{entry.name}.ipynb").write_bytes(entry.notebook(PLACES))

    def command(self, entries: Sequence[Entry]) -> list[str]:
        """One after the other."""
        runs = (
            f"mkdir -p out/{one.name}; otter run --no-logo -o out/{one.name} handed/{one.name}.ipynb"
            for one in entries
        )
        return ["bash", "-c", "; ".join(runs)]

    def scores(self, scratch: Path, entries: Sequence[Entry]) -> Graded:
        """From ``results.json``."""
        graded = Graded({one.name: None for one in entries})
        for one in entries:
            try:
                data = json.loads((scratch / "out" / one.name / "results.json").read_text())
                tests = {test["name"].split(" ")[0]: float(test.get("score", 0.0)) for test in data["tests"]}
            except (OSError, ValueError, KeyError, TypeError):
                continue
            graded.exercises[one.name] = {
                id: sum(score for test, score in tests.items() if test.startswith(id)) for id in FUNCTIONS
            }
            graded.points[one.name] = sum(graded.exercises[one.name].values())
        return graded


def _seen(scratch: Path) -> dict[str, str]:
    """Canaries and others' work; the graders' own folders change as they should."""
    places = [scratch / name for name in ("canary", "work")]
    files = [path for place in places if place.exists() for path in place.rglob("*")]
    return {str(path.relative_to(scratch)): _digest(path) for path in files}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "other"


def _effects(before: dict[str, str], now: dict[str, str], told: dict[str, Any]) -> list[str]:
    found = [f"{path} changed" for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    if told.get("connections"):
        found.append(f"{told['connections']} connections")
    if told.get("neighbour") is False:
        found.append("another process of the instructor's was killed")
    return found + ([f"{told['left']} processes left"] if told.get("left") else [])
