"""The promises of a declaration that only running it can test."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from coursekit.checking.judging import check
from coursekit.checking.shortcuts import resolved

if TYPE_CHECKING:
    from coursekit.checking.declaration import Exercise


def promises_broken(exercise: Exercise, seeds: Sequence[int]) -> list[str]:
    """Every broken promise of an exercise as a sentence; empty when it keeps them all."""
    return [
        *_broken_text(exercise),
        *(sentence for seed in seeds for sentence in _broken_answers(exercise, seed)),
    ]


def _broken_text(exercise: Exercise) -> Iterator[str]:
    for name in exercise.forbidden:
        try:
            resolved(name)
        except ValueError as reason:
            yield str(reason)
    if any(not hint.strip() for hint in exercise.hints):
        yield "Expected every hint to say something, got an empty one. Try leaving it out."
    try:
        exercise.example_case()
    except ValueError as reason:
        yield str(reason)
    try:
        starter = function_from(exercise.starter, exercise.function)
        function_from(exercise.solution, exercise.function)
    except (SyntaxError, KeyError) as reason:
        yield f"Expected starter and solution to define {exercise.function}, got {reason!r}. Try to run them."
        return
    state = check(exercise, starter).state
    if state != "not_attempted":
        yield f"Expected the starter to be not_attempted, got {state}. Try a body of `...`."


def _broken_answers(exercise: Exercise, seed: int) -> Iterator[str]:
    verdict = check(exercise, exercise.reference, seed=seed, named=False)
    if verdict.state != "right":
        yield f"Expected the reference to be right with seed {seed}, got {verdict.state}: {verdict.message}"
    allowed = replace(exercise, forbidden=())  # a mutant may use the very operation a learner may not
    for misconception in exercise.misconceptions:
        verdict = check(allowed, misconception.mutant, seed=seed, named=False)
        named = verdict.diagnosis.id if verdict.diagnosis else None
        if verdict.passed:
            yield (
                f"Expected misconception {misconception.id!r} to fail with seed {seed}, but it passes. "
                "Try other sizes."
            )
        elif named != misconception.id:
            yield (
                f"Expected misconception {misconception.id!r} to be named with seed {seed}, got {named!r} "
                f"({verdict.state}). Try sizes that tell the two apart, or drop one."
            )


def function_from(source: str, name: str, scope: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Run a function's source text as a notebook cell would, and return the function.

    The text is registered so that errors can quote its lines.
    """
    filename = f"<{name}-{abs(hash(source)):x}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    scope = {"__name__": "__main__", **_usual_imports(), **(scope or {})}
    exec(compile(source, filename, "exec"), scope)
    function: Callable[..., Any] = scope[name]
    return function


def _usual_imports() -> dict[str, Any]:
    import torch

    return {"torch": torch, "F": torch.nn.functional}
