"""One exercise of one submission: from the text to the verdict, the learner's code kept in the sandbox."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coursekit.checking import Exercise, Verdict, judge_answer
from coursekit.checking import wording as words
from coursekit.checking.drawing.svg import panels_html
from coursekit.checking.refusing import bare, of_shortcut
from coursekit.checking.shortcuts import Shortcut, shortcut_in_trees
from coursekit.checking.sources import is_untouched_text
from coursekit.checkout import CannotRun
from coursekit.exercises import all_exercises, find_exercise
from coursekit.grading.channel import BadFrame, HungUp, TooLate
from coursekit.grading.program import others_wanted, program_for, program_of, tree_digest, trees_for
from coursekit.grading.reading import Answer, Notebook
from coursekit.grading.remote import SECONDS, Crashed, NotMade, RemoteAnswer
from coursekit.grading.results import JUDGE_FAILED, ExerciseResult
from coursekit.grading.sandbox import Sandbox, SandboxDied
from coursekit.grading.seeding import seed_for
from coursekit.grading.suspecting import suspicious

STARTS = 60.0  # seconds for a fork on a very busy machine; no learner code runs until then
TRIES = 3


Graded = tuple[ExerciseResult, str]


def grade_exercise(
    notebook: Notebook,
    exercise: Exercise,
    sandbox: Sandbox,
    secret: bytes,
    done: dict[str, Graded] | None = None,
) -> Graded:
    """Grade the answer to one exercise.

    Parameters
    ----------
    notebook, exercise, sandbox, secret
    done : dict, optional
        What was graded of the same notebook so far, by exercise id; this one and those whose answers it uses
        are added. An answer is graded once.

    Returns
    -------
    ExerciseResult, str
        Whatever the learner's code does, there is a result; and the digest of the answer's syntax tree, empty
        where there is no answer.

    Raises
    ------
    CannotRun
        Where the sandbox does not start: that is the machine's fault, and no grade.
    """
    done = {} if done is None else done
    if exercise.id not in done:

        def is_right(id: str) -> bool:
            result, _ = grade_exercise(notebook, find_exercise(id), sandbox, secret, done)
            if result.judge_failed:  # then nobody knows, and this one is to be graded again too
                raise RuntimeError(f"no grade for {id}")
            return result.state == "right"

        done[exercise.id] = _graded_once(notebook, exercise, sandbox, secret, is_right)
    return done[exercise.id]


def _graded_once(
    notebook: Notebook, exercise: Exercise, sandbox: Sandbox, secret: bytes, is_right: Callable[[str], bool]
) -> Graded:
    started = time.perf_counter()
    answer = notebook.answers.get(exercise.id)
    if answer is None:
        return _without_answer(notebook, exercise), ""
    digest, reports = "", []
    try:
        trees = trees_for(notebook, answer)
        digest = tree_digest(trees[-1:])
        reports = suspicious(trees)
        programs = {exercise.id: program_for(notebook, answer)}
        programs |= _others(notebook, exercise.id, is_right)
        result = _graded(exercise, answer, trees, programs, sandbox, seed_for(secret, exercise.id), reports)
    except RecursionError:
        result = _unjudged(
            exercise, "error", "Your function is nested too deeply to be read. Try shorter steps."
        )
    except CannotRun:
        raise
    except Exception as problem:  # one answer must never stop the others
        reports.append(f"{JUDGE_FAILED}{type(problem).__name__}: {problem}")
        result = _unjudged(
            exercise, "error", "Your function could not be judged. Your instructor was told why."
        )
    seconds = round(time.perf_counter() - started, 4)
    return replace(result, seconds=seconds, reports=tuple(reports)), digest


def _graded(
    exercise: Exercise,
    answer: Answer,
    trees: list[ast.stmt],
    programs: dict[str, Any],
    sandbox: Sandbox,
    seed: int,
    reports: list[str],
) -> ExerciseResult:
    if answer.definition is not None and is_untouched_text(answer.definition, exercise.starter):
        return _judged(bare(exercise, "not_attempted", words.of_not_attempted(exercise)))
    shortcut = shortcut_in_trees(trees, exercise.forbidden) if exercise.forbidden else None
    if shortcut is not None:
        reports.append(f"forbidden in the text: {shortcut.name}")
        return _judged(of_shortcut(exercise, shortcut))
    for _ in range(TRIES):
        try:
            return _in_sandbox(exercise, seed, programs, trees[-1], sandbox, reports)
        except SandboxDied:  # before any code of the learner's ran
            sandbox.stop()
    reports.append(f"{JUDGE_FAILED}a sandbox that died {TRIES} times before the code ran")
    return _unjudged(
        exercise, "crashed", "The sandbox could not be started again. Try grading this once more."
    )


def _others(notebook: Notebook, own: str, is_right: Callable[[str], bool]) -> dict[str, Any]:
    """A program for each answer that one asks for by ``mine``, and for those that they ask for.

    As in the notebook it is the learner's own where that is right, else the course's; where two ask for each
    other, the course's, as for the one that was checked first.
    """
    found: dict[str, Any] = {}
    known = {one.id for one in all_exercises()}
    waiting = _wanted(notebook, own)
    while waiting:
        id = waiting.pop()
        if id == own or id in found or id not in known:
            continue
        if id in notebook.answers and own not in _reached(notebook, id) and is_right(id):
            found[id] = program_for(notebook, notebook.answers[id])
            waiting += _wanted(notebook, id)
        else:
            exercise = find_exercise(id)
            found[id] = program_of(exercise.solution, exercise.function)
    return found


def _reached(notebook: Notebook, id: str) -> set[str]:
    """What an answer asks for by ``mine``, itself or through others."""
    found: set[str] = set()
    waiting = _wanted(notebook, id)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += _wanted(notebook, one)
    return found


def _wanted(notebook: Notebook, id: str) -> list[str]:
    answer = notebook.answers.get(id)
    return [] if answer is None else others_wanted(trees_for(notebook, answer))


def _in_sandbox(
    exercise: Exercise,
    seed: int,
    programs: dict[str, Any],
    definition: ast.stmt,
    sandbox: Sandbox,
    reports: list[str],
) -> ExerciseResult:
    channel = sandbox.open()
    channel.until(STARTS)
    try:
        channel.receive()
    except (HungUp, TooLate, BadFrame):
        sandbox.stop()
        raise SandboxDied from None
    answer = RemoteAnswer(exercise, seed, programs, channel, definition)
    try:
        return _judged(judge_answer(exercise, answer, seed, SECONDS))
    except NotMade as problem:
        return _judged(bare(exercise, "error", str(problem)))
    except Crashed as problem:
        reports.append(f"crashed: {problem}")
        return _unjudged(exercise, "crashed", f"{problem} Try running the notebook from the top.")
    finally:
        reports += _seen(answer)
        _close(sandbox, channel, reports)


def _seen(answer: RemoteAnswer) -> list[str]:
    found = [f"forbidden when it ran: {answer.seen.name}"] if isinstance(answer.seen, Shortcut) else []
    return found + ([f"lost {answer.lost}"] if answer.lost else [])


def _close(sandbox: Sandbox, channel: Any, reports: list[str]) -> None:
    try:
        sandbox.close(channel)
    except SandboxDied:
        reports.append("the preloader died with this exercise; a new one was started")
        sandbox.stop()


def _without_answer(notebook: Notebook, exercise: Exercise) -> ExerciseResult:
    broken = notebook.broken.get(exercise.id)
    if broken:
        return _unjudged(exercise, "error", f"{broken}. Try running the cell: Python shows where it stops.")
    wanted = f'@exercise("{exercise.id}")'
    undecorated = any(exercise.function in one.bound for one in notebook.statements)
    hint = f" There is a {exercise.function}, but without that line above it." if undecorated else ""
    return _unjudged(exercise, "missing", f"Expected a function under {wanted}; found none.{hint}")


def _unjudged(exercise: Exercise, state: str, reason: str) -> ExerciseResult:
    return ExerciseResult(exercise.id, exercise.version, state, 0.0, 0.0, exercise.points, reason)


def _judged(verdict: Verdict) -> ExerciseResult:
    exercise = verdict.exercise
    picture = verdict.picture
    shown = {**verdict.to_dict(), "picture": None if picture is None else panels_html(picture.panels)}
    return ExerciseResult(
        exercise.id,
        exercise.version,
        verdict.state,
        round(verdict.fraction, 6),
        verdict.points,
        exercise.points,
        verdict.message,
        shown,
    )
