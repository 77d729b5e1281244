"""A run over a class: find, pass over what was graded before, grade the rest, keep each result at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Protocol

from coursekit.grading.gradebook import Gradebook, Task
from coursekit.grading.results import SubmissionResult
from coursekit.grading.submission import Submission
from coursekit.grading.submissions import Found


class Grader(Protocol):
    """What grades: :func:`coursekit.grading.grader.grade_submissions`, with the machine's settings bound."""

    def __call__(
        self, submissions: Iterable[Submission], *, seed: str, exercises: Sequence[str] | None
    ) -> Iterator[SubmissionResult]:
        """Grade submissions, in any order."""


@dataclass(frozen=True)
class Progress:
    """One submission is done: it was graded now, or before."""

    result: SubmissionResult
    before: bool


def run_batch(
    found: Sequence[Found],
    book: Gradebook,
    grade: Grader,
    task: Task | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[SubmissionResult]:
    """Grade what the gradebook does not hold yet.

    Each result is on the disk before `on_progress` hears of it, so this can be killed at any moment and run
    again: what was kept is passed over, with the same secret seed for the rest.

    Parameters
    ----------
    found : sequence of Found
    book : Gradebook
    grade : Grader
    task : Task, optional
        What to grade; everything the grader takes by itself when left out.
    on_progress : callable, optional
        Called with each submission's `Progress`.

    Returns
    -------
    list of SubmissionResult
        One a submission, in the order in which they were found.
    """
    task = task or Task()
    tell = on_progress or (lambda progress: None)
    waiting: dict[tuple[str, str, str], Found] = {}
    read: dict[tuple[str, str, str], Submission] = {}
    done: dict[tuple[str, str, str], SubmissionResult] = {}
    places: list[tuple[str, str, str]] = []

    def still_to_grade() -> Iterator[Submission]:
        for one in _under_own_names(found, book):
            submission = one.read()
            key = (submission.learner, submission.file, digest_of(submission))
            places.append(key)
            if key in waiting or key in done:
                continue
            before = book.graded(submission, key[2], task)
            if before is not None:
                done[key] = before.result
                tell(Progress(before.result, before=True))
                continue
            waiting[key] = one
            read[key] = replace(submission, content=None)  # its bytes need not be kept until it is graded
            yield submission

    remaining = still_to_grade()
    first = list(islice(remaining, 1))
    if not first:  # then no sandbox need be started, which takes seconds
        return [done[key] for key in places]
    for result in grade(chain(first, remaining), seed=book.seed, exercises=task.exercises):
        key = (result.learner, result.file, result.digest)
        book.add(read[key], result, task, marked_late=waiting[key].who.late)
        done[key] = result
        tell(Progress(result, before=False))
    return [done[key] for key in places if key in done]


def digest_of(submission: Submission) -> str:
    """SHA-256 of a submission's bytes, as the results have it; empty where there are none."""
    return "" if submission.content is None else hashlib.sha256(submission.content).hexdigest()


def _under_own_names(found: Sequence[Found], book: Gradebook) -> Iterator[Found]:
    """Each submission under a name that no other person has in this gradebook, with the LMS's number kept."""
    for one in found:
        who, learner = one.who, one.learner
        if who.lms == "canvas" and who.number:  # Canvas numbers people; Moodle numbers them anew each time
            known = book.numbers("canvas").get(learner)
            if known not in (None, who.number):
                learner = f"{learner} ({who.number})"
        if who.number:
            book.note_learner(learner, who.lms, who.number)
        yield replace(one, learner=learner)
