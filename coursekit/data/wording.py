"""How this room words its errors: expected, got, try; and the checks that its loaders share."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def sentence(expected: str, got: str, attempt: str) -> str:
    """One error text in the course's form."""
    return f"Expected {expected}; got {got}. Try {attempt}."


def described(value: Any) -> str:
    """A value in a few words: its shape and dtype where it has them, else itself when short."""
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a {type(value).__name__} of shape {tuple(value.shape)} and dtype {dtype}"
    text = repr(value)
    return text if len(text) <= 40 else f"a value of type {type(value).__name__}"


def is_whole(value: Any) -> bool:
    """A whole number of Python's or NumPy's, but not True or False."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """A finite real number, but not True or False."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(float(value))


def require_whole(value: Any, name: str, least: int, most: int, attempt: str) -> int:
    """``value`` as an int between ``least`` and ``most``.

    Raises
    ------
    TypeError
        Not a whole number.
    ValueError
        Outside the range.
    """
    expected = f"{name} as a whole number from {least} to {most}"
    if not is_whole(value):
        raise TypeError(sentence(expected, described(value), attempt))
    if not least <= value <= most:
        raise ValueError(sentence(expected, str(value), attempt))
    return int(value)
