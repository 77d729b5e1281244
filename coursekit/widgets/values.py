"""What a browser may send, and what a caller may pass: checked before anything else sees it.

A visitor of an app can send any JSON for any trait. So every check here looks at types and lengths
before it looks at values, and what passes is a fresh plain value.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

Grid = list[list[float]]
Shape = tuple[int, int]
MOST_VALUE = 1_000_000


def described(value: Any) -> str:
    """A value in a few words, never its whole text."""
    if isinstance(value, list | tuple):
        nested = bool(value) and isinstance(value[0], list | tuple)
        return f"a list of {len(value)} rows" if nested else f"a list of length {len(value)}"
    text = repr(value) if isinstance(value, bool | int | float | str | None) else ""
    return text if 0 < len(text) <= 40 else f"a {type(value).__name__}"


def refusal(expected: str, got: str, attempt: str) -> str:
    """The course's form of an error: expected, got, try."""
    return f"Expected {expected}; got {got}. Try {attempt}."


def whole_number(value: Any, name: str, low: int, high: int) -> int:
    """``value`` as an int from low to high.

    Raises
    ------
    ValueError
        Anything else: a bool, a float with a fraction, text, a number out of range.
    """
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not is_whole or not low <= value <= high:
        expected = f"{name} from {low} to {high}, a whole number"
        raise ValueError(refusal(expected, described(value), f"{name}={low}"))
    return int(value)


def grid(value: Any, name: str, shape: Shape | None = None, sides: tuple[int, int] = (1, 12)) -> Grid:
    """``value`` as a list of rows of finite numbers; tensors and arrays are welcome from Python.

    Parameters
    ----------
    value : list of rows, tensor or array
    name : str
        For the sentence of an error.
    shape : (rows, columns), optional
        The one shape that is right.
    sides : (least, most)
        The sides allowed where there is no shape.

    Raises
    ------
    ValueError
        Not two axes, ragged, another shape, NaN or infinite, or beyond a million.

    Examples
    --------
    >>> grid([[1, 2.5]], "x")
    [[1, 2.5]]
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    free = f"rows of numbers, {sides[0]} to {sides[1]} a side"
    wanted = f"{name} as {f'{shape[0]} rows of {shape[1]}' if shape else free}"
    example = f"{name}=[[1, 2], [3, 4]]" if not shape else f"{shape[0]} lists of {shape[1]}"
    if not _is_list(value, shape[0] if shape else None, sides):
        raise ValueError(refusal(wanted, described(value), example))
    width = shape[1] if shape else (len(value[0]) if _is_list(value[0], None, sides) else -1)
    for row in value:
        if not _is_list(row, width, sides):
            raise ValueError(refusal(wanted, f"a row that is {described(row)}", example))
        for number in row:
            if not _is_number(number):
                expected = f"finite numbers in {name}, up to a million"
                raise ValueError(refusal(expected, described(number), "a small whole number"))
    return [[plain(number) for number in row] for row in value]


def _is_list(value: Any, length: int | None, sides: tuple[int, int]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    return len(value) == length if length is not None else sides[0] <= len(value) <= sides[1]


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= MOST_VALUE and isfinite(value)


def plain(value: float) -> float:
    """A number without the dust of float sums, whole numbers as int."""
    rounded = round(float(value), 9)
    return int(rounded) if rounded.is_integer() else rounded


def shape_of(rows: Sequence[Sequence[float]]) -> Shape:
    """Rows and columns of a checked grid."""
    return len(rows), len(rows[0])
