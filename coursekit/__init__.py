"""What a lesson's cells use, and nothing else: names load when first touched.

`import coursekit` is quick (no torch, no Jupyter), so that the command line answers at once and a page
that only shows grids stays light. The rooms of the house are imported by their own names:
``from coursekit.upsampling import probe``.

Examples
--------
>>> from coursekit import hint
>>> hint("transposed-conv")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.notebook import (
        capstone_photographs,
        check_capstone,
        compare,
        earned,
        example,
        exercise,
        explore,
        failure,
        hint,
        lecture_map,
        mine,
        offered,
        photographs,
        predict,
        progress,
        quiz,
        results,
        save_capstone,
        solution,
        train,
    )

__version__ = "0.1.0"

__all__ = [
    "capstone_photographs",
    "check_capstone",
    "compare",
    "earned",
    "example",
    "exercise",
    "explore",
    "failure",
    "hint",
    "lecture_map",
    "mine",
    "offered",
    "photographs",
    "predict",
    "progress",
    "quiz",
    "results",
    "save_capstone",
    "solution",
    "train",
]


def __getattr__(name: str) -> object:
    """Load a lesson's name when it is first used (PEP 562)."""
    if name in __all__:
        from importlib import import_module

        value = getattr(import_module("coursekit.notebook"), name)
        globals()[name] = value
        return value
    raise AttributeError(_unknown(name), name=name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def _unknown(name: str) -> str:
    """Say what was probably meant: a name spelt differently, or a room that is imported by its own name."""
    from difflib import get_close_matches
    from importlib.util import find_spec

    close = get_close_matches(name, __all__, n=1)
    if close:
        return f"coursekit has no name {name!r}. Did you mean {close[0]!r}?"
    if name.isidentifier() and not name.startswith("_") and find_spec(f"coursekit.{name}"):
        return f"{name!r} is a room of its own. Write `from coursekit.{name} import …`."
    return f"coursekit has no name {name!r}. It has: {', '.join(__all__)}."
