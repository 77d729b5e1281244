"""``coursekit grade --nbgrader COURSE``: from what nbgrader collected into what nbgrader keeps."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.checkout import CannotRun
from coursekit.cli_grading import chosen, exercises, policy_of

if TYPE_CHECKING:
    from coursekit.grading.gradebook import Gradebook
    from coursekit.grading.nbgrader_book import Course, Handed
    from coursekit.grading.scores import Standing
    from coursekit.grading.submissions import Found

GRADEBOOK = "coursekit.sqlite"


def add_nbgrader_options(command: argparse.ArgumentParser) -> None:
    """``--nbgrader COURSE`` and what belongs to it."""
    with_nbgrader = command.add_argument_group("a class that hands in through nbgrader")
    with_nbgrader.add_argument(
        "--nbgrader",
        metavar="COURSE",
        type=Path,
        help="grade what nbgrader collected in this course, and write the scores into its gradebook too "
        f"(then --gradebook is COURSE/{GRADEBOOK} unless given)",
    )
    with_nbgrader.add_argument(
        "--nbgrader-feedback",
        action="store_true",
        help="put each page of feedback where `nbgrader release_feedback` finds it",
    )


@dataclass(frozen=True)
class Collection:
    """What was collected, and where its scores go."""

    course: Course
    handed: list[Handed]
    found: list[Found] = field(default_factory=list)

    def write(self, book: Gradebook, arguments: argparse.Namespace) -> dict[str, int]:
        """Write scores, and pages where asked for; what ``--json`` prints of it."""
        standings = self._standings(book, arguments)
        only = chosen(arguments.regrade or arguments.exercises)
        written = self.course.write(self.handed, standings, only)
        told = {"scores": written.scores, "changed": written.changed}
        if arguments.nbgrader_feedback:
            told["pages"] = self.course.write_feedback(self.handed, standings, exercises())
        return told

    def _standings(self, book: Gradebook, arguments: argparse.Namespace) -> dict[str, dict[str, Standing]]:
        """File -> learner -> scores: nbgrader keeps each assignment for itself, so each is read by itself."""
        from coursekit.grading.scores import standings

        attempts, overrides, order = book.attempts(), book.overrides(), list(exercises())
        asked = self.course.asked()
        of_file: dict[str, dict[str, Standing]] = {}
        for file in {one.file for one in self.found}:
            own = [one for one in attempts if one.result.file == file]
            read = standings(own, overrides, policy_of(arguments), order, asked[file])
            of_file[file] = {one.learner: one for one in read}
        return of_file


def collection(arguments: argparse.Namespace) -> Collection | None:
    """What ``--nbgrader`` names, or None without it; ``arguments.gradebook`` is set where it was left out.

    Raises
    ------
    CannotRun
        Where nothing was collected, or options do not go together.
    """
    if arguments.nbgrader is None:
        if arguments.nbgrader_feedback:
            raise CannotRun(
                "expected --nbgrader COURSE with --nbgrader-feedback. Try --nbgrader . in a course."
            )
        return None
    if arguments.paths:
        raise CannotRun(
            f"expected --nbgrader COURSE or a PATH, got both ({arguments.paths[0]}). Try one after the other."
        )
    from coursekit.grading.nbgrader_book import Course

    course = Course(arguments.nbgrader)
    handed = course.collected()
    if not handed:
        raise CannotRun(
            f"nothing was collected in {arguments.nbgrader} yet. Try `nbgrader collect NAME` there first."
        )
    if arguments.gradebook is None:
        arguments.gradebook = course.root / GRADEBOOK
    return Collection(course, handed, [found for one in handed for found in one.found()])
