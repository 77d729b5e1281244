"""How the errors of this room are worded: expected, got, try; and the checks that several loaders share."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from torch import Tensor


def sentence(expected: str, got: str, attempt: str) -> str:
    """One error text in the course's form."""
    return f"Expected {expected}; got {got}. Try {attempt}."


def described(value: Any) -> str:
    """A value in a few words: its shape and dtype where it has them, else itself when short."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
    text = repr(value)
    return text if len(text) <= 40 else f"a value of type {type(value).__name__}"


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
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(sentence(expected, described(value), attempt))
    if not least <= value <= most:
        raise ValueError(sentence(expected, str(value), attempt))
    return int(value)
