"""What nbgrader collected becomes submissions, and their scores go into nbgrader's own gradebook.

nbgrader's gradebook gets nothing that a notebook says of itself: a notebook is only read, its functions run
in the sandbox, and the points of the verdict are written to the grade cell that bears the exercise's id.
Everything written is a function of our own gradebook, so a run that was killed is mended by the next one.
"""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from glob import escape, glob
from pathlib import Path
from typing import Any

from coursekit.checking import Exercise
from coursekit.checkout import CannotRun
from coursekit.grading.entries import Entry, entry_of_file
from coursekit.grading.feedback import feedback_page, write_whole
from coursekit.grading.naming import Named, printable
from coursekit.grading.nbgrader_course import answer_id
from coursekit.grading.scores import Score, Standing
from coursekit.grading.submissions import Found

NOT_HANDED_IN = "This notebook was not handed in."
NO_FUNCTION = "No submission holds this function."
_ANYONE = "\0"
_TIMESTAMP, _SECRET = "timestamp.txt", "submission_secret.txt"


@dataclass(frozen=True)
class Handed:
    """What one student handed in of one assignment, as ``nbgrader collect`` put it down.

    Attributes
    ----------
    student, assignment : str
        As nbgrader names them.
    folder : Path
    at : float or None
        When, POSIX time.
    notebooks : mapping of str to Entry
        The files that nbgrader asked for, by the notebook's name; one that is missing is not there.
    """

    student: str
    assignment: str
    folder: Path
    at: float | None
    notebooks: Mapping[str, Entry] = field(repr=False)

    def found(self) -> Iterator[Found]:
        """As the grader takes them."""
        who = Named(printable(self.student))
        for name, entry in self.notebooks.items():
            yield Found(who.learner, file_of(self.assignment, name), who, entry)


@dataclass(frozen=True)
class Written:
    """What became of nbgrader's gradebook: how many scores it holds from us, and how many changed now."""

    scores: int = 0
    changed: int = 0


def file_of(assignment: str, notebook: str) -> str:
    """Under which name our gradebook keeps a collected notebook."""
    return f"{printable(assignment)}/{printable(notebook)}.ipynb"


class Course:
    """A course folder of nbgrader's: the one with ``nbgrader_config.py`` and ``gradebook.db``.

    Parameters
    ----------
    root : Path

    Raises
    ------
    CannotRun
        Where nbgrader is not installed, or the folder holds no course from which assignments were generated.

    Examples
    --------
    >>> course = Course(Path("course"))                   # doctest: +SKIP
    >>> [one.student for one in course.collected()]       # doctest: +SKIP
    ['ada', 'grace']
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        if not (self.root / "nbgrader_config.py").is_file() and not (self.root / "gradebook.db").is_file():
            raise CannotRun(
                f"expected a course of nbgrader's, got {root}, which holds no nbgrader_config.py. "
                "Try `coursekit export nbgrader DIR`, which makes one."
            )
        self._places = _course_directory(self.root)
        with self._gradebook() as book:
            self._cells = _cells_of(book)
        if not self._cells:
            raise CannotRun(
                f"expected assignments in nbgrader's gradebook of {root}, found none with this course's "
                "exercises. Try `nbgrader generate_assignment NAME` there first."
            )

    def collected(self) -> list[Handed]:
        """Everything that was collected, by assignment and student."""
        found = []
        for assignment, notebooks in self._cells.items():
            for student, folder in self._folders(assignment):
                at = _handed_in_at(folder)
                entries = {name: _entry(folder / f"{name}.ipynb", at) for name in notebooks}
                there = {name: one for name, one in entries.items() if os.path.lexists(one.key)}
                found.append(Handed(student, assignment, folder, at, there))
        return found

    def asked(self) -> dict[str, tuple[str, ...]]:
        """File (see `file_of`) -> the exercises that nbgrader has points for in it."""
        return {
            file_of(assignment, name): tuple(cells)
            for assignment, notebooks in self._cells.items()
            for name, cells in notebooks.items()
        }

    def write(
        self, collected: Sequence[Handed], standings: Mapping[str, Mapping[str, Standing]],
        only: Sequence[str] | None = None,
    ) -> Written:  # fmt: skip
        """Write everyone's scores into nbgrader's gradebook.

        Parameters
        ----------
        collected : sequence of Handed
        standings : mapping
            File (see `file_of`) -> learner -> the scores that count for that file.
        only : sequence of str, optional
            Leave all other exercises as they are.
        """
        scores = changed = 0
        with self._gradebook() as book:
            for handed in collected:
                submission = _submission(book, handed)
                for notebook in submission.notebooks:
                    cells = self._cells[handed.assignment].get(notebook.name, {})
                    wanted = {id: most for id, most in cells.items() if only is None or id in only}
                    standing = standings.get(file_of(handed.assignment, notebook.name), {}).get(
                        printable(handed.student)
                    )
                    said = {id: _said(id, standing, notebook.name in handed.notebooks) for id in wanted}
                    scores += len(wanted)
                    changed += _write_scores(notebook, wanted, said)
                book.db.commit()
        return Written(scores, changed)

    def write_feedback(
        self,
        collected: Sequence[Handed],
        standings: Mapping[str, Mapping[str, Standing]],
        exercises: Mapping[str, Exercise],
    ) -> int:
        """Put a page where ``nbgrader release_feedback`` looks, for each notebook; returns how many."""
        count = 0
        for handed in collected:
            folder = Path(self._path(self._places.feedback_directory, handed.student, handed.assignment))
            folder.mkdir(parents=True, exist_ok=True)
            for name in (_TIMESTAMP, _SECRET):  # nbgrader names what it releases by these
                content, _ = entry_of_file(handed.folder / name, (name,)).read()
                if content is not None:
                    write_whole(folder / name, content.decode("utf-8", "replace"))
            for name in handed.notebooks:
                standing = standings[file_of(handed.assignment, name)][printable(handed.student)]
                # nbgrader copies it with its mode to where learners fetch it
                write_whole(folder / f"{name}.html", feedback_page(standing, exercises), 0o644)
                count += 1
        return count

    def _folders(self, assignment: str) -> list[tuple[str, Path]]:
        """Each student with a folder for an assignment."""
        path = self._path(self._places.submitted_directory, _ANYONE, assignment)
        pattern = re.compile(re.escape(path).replace(re.escape(_ANYONE), r"(?P<student>[^/\\]+)"))
        folders = map(Path, sorted(glob(escape(path).replace(_ANYONE, "*"))))  # noqa: PTH207 - it is absolute
        matches = ((pattern.fullmatch(str(one)), one) for one in folders if one.is_dir())
        return [(found["student"], one) for found, one in matches if found]

    def _path(self, step: str, student: str, assignment: str) -> str:
        return str(self._places.format_path(step, student, assignment))

    @contextmanager
    def _gradebook(self) -> Iterator[Any]:
        from nbgrader.api import Gradebook
        from sqlalchemy.exc import SAWarning, SQLAlchemyError

        url = str(self._places.db_url)
        file = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite:///") and not file.is_file():  # nbgrader would make an empty one
            raise CannotRun(
                f"expected nbgrader's gradebook at {file}; there is none. "
                "Try `nbgrader generate_assignment NAME` there first."
            )
        try:
            with warnings.catch_warnings(), Gradebook(url, self._places.course_id) as book:
                warnings.simplefilter("ignore", SAWarning)  # nbgrader's own way of adding a submission
                yield book
        except SQLAlchemyError as problem:
            raise CannotRun(
                f"nbgrader's gradebook {url} cannot be used: {str(problem).splitlines()[0]}. The grades are "
                "kept; the same command writes them once it can."
            ) from problem


def _course_directory(root: Path) -> Any:
    """Where the course's files lie, as nbgrader's own commands read it from every ``nbgrader_config.py``."""
    try:
        from nbgrader.apps.baseapp import NbGrader
    except ImportError:
        raise CannotRun(
            "expected nbgrader, whose gradebook gets the scores; it is not installed in the course's "
            "environment. Try `pip install nbgrader` there."
        ) from None
    app = NbGrader(log_level=logging.ERROR)
    try:
        app.initialize(argv=[], root=str(root))
    except (Exception, SystemExit) as problem:
        raise CannotRun(f"{root}/nbgrader_config.py cannot be read: {problem}.") from problem
    return app.coursedir


def _cells_of(book: Any) -> dict[str, dict[str, dict[str, float]]]:
    """Assignment -> notebook -> exercise -> what it is worth there, of cells that are exercises of ours."""
    from coursekit.exercises import all_exercises

    ours = {one.id for one in all_exercises()}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for assignment in sorted(book.assignments, key=lambda one: str(one.name)):
        for notebook in sorted(assignment.notebooks, key=lambda one: str(one.name)):
            cells = {one.name: float(one.max_score) for one in notebook.grade_cells if one.name in ours}
            if cells:
                found.setdefault(assignment.name, {})[notebook.name] = cells
    return found


def _entry(path: Path, at: float | None) -> Entry:
    entry = entry_of_file(path, (path.name,))
    return entry if at is None else replace(entry, saved=at)


def _handed_in_at(folder: Path) -> float | None:
    """The time that ``nbgrader submit`` noted."""
    from nbgrader.utils import parse_utc

    content, _ = entry_of_file(folder / _TIMESTAMP, (_TIMESTAMP,)).read()
    with suppress(Exception):  # a learner can write anything there, and a parser can fail in many ways
        when = parse_utc((content or b"")[:100].decode().strip())
        return float(when.replace(tzinfo=UTC).timestamp())
    return None


def _submission(book: Any, handed: Handed) -> Any:
    """nbgrader's entry of a submission, made where there is none."""
    book.update_or_create_student(handed.student)
    when = {} if handed.at is None else {"timestamp": datetime.fromtimestamp(handed.at, UTC)}
    return book.update_or_create_submission(handed.assignment, handed.student, **when)


def _said(id: str, standing: Standing | None, there: bool) -> tuple[float, str]:
    """The share of the points that counts for an exercise, and a sentence."""
    score = standing.scores.get(id) if standing is not None else None
    if score is None:
        unread = standing.unreadable[-1].result.reason if standing and standing.unreadable else NO_FUNCTION
        return 0.0, unread if there else NOT_HANDED_IN
    return score.points / score.result.worth, _comment(score)


def _comment(score: Score) -> str:
    if score.override is not None:
        return score.override.note
    late = f" {score.days_late} days late." if score.days_late and score.points != score.result.points else ""
    return f"{score.result.state.replace('_', ' ').capitalize()}. {score.result.reason}{late}".strip()


def _write_scores(notebook: Any, worth: Mapping[str, float], said: Mapping[str, tuple[float, str]]) -> int:
    changed = 0
    for grade in notebook.grades:
        if grade.name not in worth:
            continue
        points = round(said[grade.name][0] * worth[grade.name], 6)
        by_hand = grade.manual_score is not None
        if grade.auto_score != points:
            grade.auto_score, grade.needs_manual_grade = points, by_hand
            changed += 1
        elif grade.needs_manual_grade and not by_hand:
            grade.needs_manual_grade = False
    comments = {answer_id(id): comment for id, (_, comment) in said.items()}
    for comment in notebook.comments:
        if comment.name in comments and comment.auto_comment != comments[comment.name]:
            comment.auto_comment = comments[comment.name]
    return changed
