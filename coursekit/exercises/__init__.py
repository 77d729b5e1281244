"""The exercises: one module a lesson, each a few declarative :class:`Exercise` objects."""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module

from coursekit.checking import Exercise

_MODULES = (
    "start_here",
    "every_pixel",
    "naive_stack",
    "pooling_and_unpooling",
    "max_unpooling",
    "learnable_upsampling",
    "checkerboards",
    "segmentation_net",
    "where_is_it",
    "two_heads",
    "summary",
)


@cache
def all_exercises() -> tuple[Exercise, ...]:
    """Every exercise, in the order of the lessons."""
    modules = (import_module(f"{__name__}.{name}") for name in _MODULES)
    return tuple(exercise for module in modules for exercise in module.EXERCISES)


def find_exercise(id: str) -> Exercise:
    """The exercise of this id.

    Raises
    ------
    KeyError
        With the ids there are and the nearest one.
    """
    by_id = {exercise.id: exercise for exercise in all_exercises()}
    if id in by_id:
        return by_id[id]
    near = difflib.get_close_matches(str(id), by_id, 1) or list(by_id)[:1]
    raise KeyError(f"Expected the id of an exercise ({', '.join(by_id)}); got {id!r}. Try {near[0]!r}.")


__all__ = ["all_exercises", "find_exercise"]
