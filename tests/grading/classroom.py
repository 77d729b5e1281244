"""A class for the tests: files that say which answer they hold, and a grader that checks that very function.

The verdicts are real ones, of `coursekit.checking.check` in this process; only the notebook around the
answers and the sandbox are left out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.checking import Verdict, check, function_from
from coursekit.checking.drawing.svg import panels_html
from coursekit.exercises import all_exercises, find_exercise
from coursekit.grading.results import ExerciseResult, SubmissionResult
from coursekit.grading.submission import Submission

ASKED = ("class-share", "max-pool", "stamp")
VERSIONS = {one.id: one.version for one in all_exercises()}
EXERCISES = {one.id: one for one in all_exercises()}


def handed_in(**answers: str) -> bytes:
    """A file that names its answers: "right", a misconception's id, "starter", or Python text."""
    return json.dumps({id.replace("_", "-"): answer for id, answer in answers.items()}).encode()


def function_for(id: str, answer: str) -> Callable[..., Any]:
    exercise = find_exercise(id)
    if answer == "right":
        return function_from(exercise.solution, exercise.function)
    if answer == "starter":
        return function_from(exercise.starter, exercise.function)
    for mistake in exercise.misconceptions:
        if mistake.id == answer:
            return mistake.mutant
    return function_from(answer, exercise.function)


@cache
def verdict_on(id: str, answer: str) -> Verdict:
    exercise = find_exercise(id)
    allowed = (
        replace(exercise, forbidden=()) if answer in {m.id for m in exercise.misconceptions} else exercise
    )
    return check(allowed, function_for(id, answer))


def result_on(id: str, answer: str) -> ExerciseResult:
    exercise, verdict = find_exercise(id), verdict_on(id, answer)
    picture = verdict.picture
    data = {**verdict.to_dict(), "seconds": 0.0, "picture": panels_html(picture.panels) if picture else None}
    return ExerciseResult(
        id,
        exercise.version,
        verdict.state,
        verdict.fraction,
        verdict.points,
        exercise.points,
        verdict.message,
        data,
    )


def absent(id: str, state: str, reason: str) -> ExerciseResult:
    exercise = find_exercise(id)
    return ExerciseResult(id, exercise.version, state, 0.0, 0.0, exercise.points, reason)


def graded(submission: Submission, asked: Sequence[str] = ASKED) -> SubmissionResult:
    """The result of one submission."""
    reason, answers = submission.reason, {}
    digest = "" if submission.content is None else hashlib.sha256(submission.content).hexdigest()
    if submission.content is not None:
        try:
            answers = json.loads(submission.content)
        except ValueError as problem:
            reason = f"It is no notebook: {problem}."
    state = "unreadable" if reason else "missing"
    results = tuple(
        result_on(id, answers[id]) if id in answers else absent(id, state, reason or "Not found.")
        for id in asked
    )
    tree = {id: hashlib.sha256(f"{id}{answer}".encode()).hexdigest() for id, answer in answers.items()}
    return SubmissionResult(submission.learner, submission.file, digest, "none (test)", results, reason, tree)


def grade(
    submissions: Iterable[Submission], *, seed: str, exercises: Sequence[str] | None = None
) -> Iterator[SubmissionResult]:
    """As :func:`coursekit.grading.grader.grade_submissions` is called."""
    for submission in submissions:
        yield graded(submission, exercises or ASKED)


def notebook(**answers: str) -> bytes:
    """A real notebook: "right", "starter", or the Python text of each answer."""
    cells = ["from coursekit import exercise\nimport torch"]
    for name, answer in answers.items():
        exercise = find_exercise(name.replace("_", "-"))
        texts = {"right": exercise.solution, "starter": exercise.starter}
        cells.append(f'@exercise("{exercise.id}")\n{texts.get(answer, answer)}')
    as_cells = [
        {
            "cell_type": "code",
            "id": str(number),
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": one,
        }
        for number, one in enumerate(cells)
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": as_cells}).encode()


def write_class(folder: Path, answers: dict[str, bytes]) -> Path:
    """A folder with a file for each learner."""
    folder.mkdir(parents=True, exist_ok=True)
    for learner, content in answers.items():
        (folder / f"{learner}.ipynb").write_bytes(content)
    return folder
