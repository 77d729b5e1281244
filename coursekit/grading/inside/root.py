"""The name `coursekit` inside the sandbox: what an answer may import from it. No exercises, no references."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__version__ = "0"

_SILENT = (
    "capstone_photographs check_capstone compare example explore failure hint lecture_map offered "
    "photographs predict progress quiz results save_capstone solution train"
)
__all__ = ["exercise", "mine", *_SILENT.split()]

answers: dict[str, Callable[[], Any]] = {}
"""How to make the learner's own function for an exercise; the worker fills this in."""


def exercise(id: str) -> Callable[[Any], Any]:
    """A decorator that leaves the function as it is: the judge decides when it is called."""
    return lambda function: function


def mine(id: str) -> Any:
    """The learner's own function for another exercise, if it is right, else the course's.

    Raises
    ------
    LookupError
        Where the judge did not foresee that it would be asked for.
    """
    if id not in answers:
        raise LookupError(
            f'expected the id of an exercise, written out as in mine("stamp"); got {id!r}. '
            "Try writing it out in the function."
        )
    return answers[id]()


def __getattr__(name: str) -> Any:
    """Whatever shows or asks something in a lesson does nothing here."""
    if name in __all__:
        return lambda *_, **__: None
    raise AttributeError(f"coursekit has no name {name!r}", name=name)
