"""What needs no running: no fitting function, an untouched starter, a shortcut in the text."""

from __future__ import annotations

import inspect
from typing import Any

from coursekit.checking import wording
from coursekit.checking.declaration import Exercise
from coursekit.checking.plain import Strange, described, plain
from coursekit.checking.shortcuts import Shortcut, shortcut_in_text
from coursekit.checking.sources import is_untouched
from coursekit.checking.verdict import PropertyResult, Verdict


def refused(exercise: Exercise, function: Any) -> Verdict | None:
    """The verdict where there is nothing to run, else None."""
    complaint = head_mistake(exercise.signature, len(exercise.parameters), function)
    if complaint:
        return bare(exercise, "error", complaint)
    if is_untouched(function, exercise.starter):
        return bare(exercise, "not_attempted", wording.of_not_attempted(exercise))
    shortcut = shortcut_in_text(function, exercise.forbidden) if exercise.forbidden else None
    return of_shortcut(exercise, shortcut) if shortcut else None


def of_shortcut(exercise: Exercise, shortcut: Shortcut) -> Verdict:
    """The verdict on a forbidden operation."""
    return bare(exercise, "forbidden", wording.of_forbidden(exercise, shortcut))


def bare(exercise: Exercise, state: str, message: str) -> Verdict:
    """A verdict without any case."""
    results = tuple(
        PropertyResult(p.id, p.says, p.weight, passed=False, ran=False) for p in exercise.properties
    )
    return Verdict(exercise, state, 0.0, results, message=message)


def head_mistake(signature: str, parameters: int, function: Any) -> str:
    """Why something cannot be called as a function of this signature; empty when it can.

    Parameters
    ----------
    signature : str
        Such as ``"stamp(cell, kernel)"``.
    parameters : int
        How many arguments a call has.
    function
        Whatever the learner wrote.
    """
    wanted = f"a function `{signature}`"
    head = f"writing `def {signature}:`"
    if not inspect.isfunction(function):
        what = described(plain(function)) if not isinstance(plain(function), Strange) else _kind_of(function)
        return wording.of_wrong_head(wanted, what, head)
    inner = inspect.unwrap(function)
    if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
        return wording.of_wrong_head(wanted, "an `async` function", "leaving out the word `async`")
    if inspect.isgeneratorfunction(inner):
        advice = "collecting the values and ending with one `return`"
        return wording.of_wrong_head(wanted, "a generator (it contains `yield`)", advice)
    try:
        inspect.signature(function).bind(*range(parameters))
    except TypeError:
        got = f"one that takes `{inspect.signature(function)}`"
        return wording.of_wrong_head(wanted, got, head)
    return ""


def _kind_of(function: Any) -> str:
    if isinstance(function, type):
        return "a class"
    return (
        "a ready-made function"
        if inspect.isroutine(function)
        else f"an object of type {type(function).__name__}"
    )
