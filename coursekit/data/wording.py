"""How this room words its errors: expected, got, try; and the checks that its loaders share."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any

from coursekit.wording import described, sentence


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
