"""Which of the course's methods a learner's function equals, and how it differs from the reference."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import torch

from coursekit.checking.cases import case_from
from coursekit.checking.declaration import Exercise
from coursekit.checking.timing import TimeLimit, TimeUp
from coursekit.checking.verdict import Verdict
from coursekit.upsampling import Trace, fingerprint, likeness, probe
from coursekit.upsampling.naming import EDGES

SIDE = 5  # cells: enough for a whole stamp of kernel 5 in the middle
SECONDS = 0.5
MOST_NAMES = 2
LONGEST_NAME = 120  # characters: a kernel of 4x4 whole numbers
_TELLING = ("right", "partial", "wrong")


def resemblance(exercise: Exercise, function: Callable[..., Any], verdict: Verdict) -> tuple[str, ...]:
    """Sentences for the verdict: what was built, by name; where it is wrong, also how it differs.

    Nothing is said where the exercise declares no fingerprint, the function is no linear map of its grid, or
    half a second is not enough.
    """
    if exercise.fingerprint is None or verdict.state not in _TELLING:
        return ()
    try:
        with TimeLimit(SECONDS) as limit, _quiet():
            trace = limit.call(_trace, exercise, function)
            names = limit.call(_names, exercise, trace)
    except (Exception, TimeUp):  # the verdict already says what went wrong with the function
        return ()
    if verdict.passed:
        return _said(names)
    wanted = _trace(exercise, exercise.reference)
    if trace.output.shape == wanted.output.shape and torch.allclose(
        trace.matrix, wanted.matrix.to(trace.matrix)
    ):
        return ()  # right at these settings: its name would sound like praise
    differs = "" if verdict.diagnosis else _difference(trace, wanted)
    if differs:  # then a name that holds only in the middle says less
        names = [name for name in names if not name.endswith(f"{EDGES}`")]
    return (*_said(names), *[differs] * bool(differs))


def _said(names: list[str]) -> tuple[str, ...]:
    return (f"What you built is {', and also '.join(names)}.",) if names else ()


def _trace(exercise: Exercise, function: Callable[..., Any]) -> Trace:
    assert exercise.fingerprint is not None
    grid, *others = (parameter.name for parameter in exercise.parameters)
    case = case_from(exercise, {grid: torch.ones(SIDE, SIDE), **exercise.fingerprint})

    def on_grid(x: torch.Tensor) -> Any:
        return function(x, *(case[name] for name in others))

    return probe(on_grid, case[grid])


def _names(exercise: Exercise, trace: Trace) -> list[str]:
    names = [name for name in fingerprint(trace).looks_like if len(name) < LONGEST_NAME]
    known = [name for name in names if not exercise.known or name.split("(")[0] in exercise.known]
    return [f"`{name}`" for name in known[:MOST_NAMES]]


def _difference(trace: Trace, wanted: Trace) -> str:
    try:
        return likeness(trace, wanted)
    except ValueError:  # a function that is no linear map has no simple difference
        return ""


@contextlib.contextmanager
def _quiet() -> Any:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
