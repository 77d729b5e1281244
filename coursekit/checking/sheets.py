"""What a picture of places is made of: rectangles on a sheet, x to the right and y downwards, to scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch

Look = Literal["given", "area", "answer"]
Extent = tuple[float, float, float, float]
FARTHEST = 1.5  # how far beyond the expected picture a wrong answer is followed, in widths of that picture


@dataclass(frozen=True)
class Rectangle:
    """One rectangle: where it begins, its size and its name.

    `look` is ``given`` (an outline), ``area`` (filled) or ``answer`` (what the function's result says: drawn
    as expected, and as the learner's own). A negative side reaches the other way.
    """

    label: str
    x: float
    y: float
    width: float
    height: float
    look: Look = "given"

    @property
    def ends(self) -> Extent:
        """Left, top, right and bottom, the smaller first."""
        left, right = sorted((self.x, self.x + self.width))
        top, bottom = sorted((self.y, self.y + self.height))
        return left, top, right, bottom

    @property
    def finite(self) -> bool:
        """Whether it can be drawn at all."""
        return all(map(math.isfinite, (self.x, self.y, self.width, self.height)))


@dataclass(frozen=True)
class Sheet:
    """What an output says about a case, to scale.

    Parameters
    ----------
    rectangles : tuple of Rectangle
    frame : (height, width), optional
        The outline of an image, with its upper left corner at 0, 0.
    cells : nested tuples of bool, optional
        Rows of cells of side 1, some of them filled.
    """

    rectangles: tuple[Rectangle, ...]
    frame: tuple[float, float] | None = None
    cells: tuple[tuple[bool, ...], ...] = ()

    @property
    def extent(self) -> Extent:
        """Left, top, right and bottom of everything on it, 0, 0 included."""
        ends = [(0.0, 0.0, 1.0, 1.0), *(each.ends for each in self.rectangles if each.finite)]
        if self.frame is not None:
            ends.append((0.0, 0.0, self.frame[1], self.frame[0]))
        if self.cells:
            ends.append((0.0, 0.0, float(len(self.cells[0])), float(len(self.cells))))
        left, top, right, bottom = zip(*ends, strict=True)
        return min(left), min(top), max(right), max(bottom)

    def answers(self) -> Iterator[Rectangle]:
        """The rectangles that the output says."""
        return (each for each in self.rectangles if each.look == "answer" and each.finite)


Draws = Callable[[Any, Any], Sheet]


def filled(mask: torch.Tensor) -> tuple[tuple[bool, ...], ...]:
    """A grid of bools as a sheet's cells."""
    return tuple(tuple(map(bool, row)) for row in mask.tolist())


def drawn_sheet(draws: Draws, case: Any, output: Any) -> Sheet | None:
    """The sheet of an output; None where the output, which may be anything, cannot be drawn."""
    try:
        sheet = draws(case, output)
    except Exception:
        return None
    said = [each for each in sheet.rectangles if each.look == "answer"]
    return sheet if all(each.finite for each in said) else None


def common_extent(expected: Sheet, got: Sheet | None) -> Extent:
    """Room for both, though a wild answer leaves the picture: the right one must stay readable."""
    left, top, right, bottom = expected.extent
    if got is None:
        return left, top, right, bottom
    far = FARTHEST * (right - left), FARTHEST * (bottom - top)
    other = got.extent
    return (
        max(min(left, other[0]), left - far[0]),
        max(min(top, other[1]), top - far[1]),
        min(max(right, other[2]), right + far[0]),
        min(max(bottom, other[3]), bottom + far[1]),
    )
