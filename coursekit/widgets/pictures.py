"""The explorer's arithmetic in Python, from the same table that the browser reads; no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.widgets.values import Grid, Shape, plain, shape_of

ATLAS = Path(__file__).parents[2] / "data" / "atlas.json"
MOST_BASE = 4  # the largest side of an input in the table
Axis = tuple[int, list[tuple[int, int, int, float]]]


@cache
def atlas() -> dict[str, Any]:
    """The stored table of traces.

    Raises
    ------
    FileNotFoundError
        The file is missing; the sentence says how to build it.
    """
    if not ATLAS.is_file():
        raise FileNotFoundError(
            "Expected the table of traces data/atlas.json in the course folder; got no such file. "
            "Try python -m coursekit.upsampling.atlas, which builds it."
        )
    table: dict[str, Any] = json.loads(ATLAS.read_text(encoding="utf-8"))
    return table


def atlas_for(base: Shape) -> dict[str, Any]:
    """The part of the table that a browser needs for inputs of one shape."""
    table, sizes = atlas(), {str(side) for side in base}
    wide = {"resize_conv": {str(MOST_BASE)}}  # on a small grid its border hides how bright the interior is
    methods = {
        name: {
            **method,
            "axes": {
                key: axis for key, axis in method["axes"].items() if key[-1] in sizes | wide.get(name, set())
            },
        }
        for name, method in table["methods"].items()
    }  # a key ends in the size, one digit
    return {**table, "methods": methods}


def what_it_takes(method: str) -> str:
    """What a method's grid comes with: "grid" (nothing), "kernel", "switches", or "tiles" (channels)."""
    return str(atlas()["methods"][method]["takes"])


@dataclass(frozen=True)
class State:
    """What fixes a picture: the same names as the widget's traits."""

    method: str
    settings: Mapping[str, int]
    base: Shape
    x: Grid
    kernel: Grid
    switches: Grid
    window: Sequence[int] | None = None

    @property
    def takes(self) -> str:
        """What the grid comes with: "grid", "kernel", "switches" or "tiles"."""
        return what_it_takes(self.method)

    @property
    def problem(self) -> str:
        """Why the setting cannot be, or nothing."""
        try:
            self._axes(self.settings)
        except ValueError as reason:
            return str(reason)
        return ""

    def output(self) -> Grid:
        """What the method gives, cropped where the window is.

        Raises
        ------
        ValueError
            A setting that cannot be, with the reason.
        """
        rows, columns = self._axes(self.settings)
        if self.window is None or "output_padding" not in self._key():
            return self._evaluated(rows, columns)
        whole = self._evaluated(*self._axes({**self.settings, "padding": 0, "output_padding": 0}))
        top, left = self.window
        height, width = shape_of(whole)
        return [
            [whole[r][c] if r < height and c < width else 0 for c in range(left, left + columns[0])]
            for r in range(top, top + rows[0])
        ]

    def window_limits(self) -> tuple[int, int]:
        """The last row and column at which the window may start; torch's own place is always allowed."""
        rows, columns = self._axes(self.settings)
        high, wide = self._axes({**self.settings, "padding": 0, "output_padding": 0})
        cut = self.settings["padding"]
        return max(cut, high[0] - rows[0]), max(cut, wide[0] - columns[0])

    @property
    def cropped(self) -> bool:
        """Whether the method makes a canvas and crops it."""
        return "output_padding" in self._key()

    def uncropped_axes(self) -> tuple[Axis, Axis]:
        """One axis of contributions down, one across; of the whole canvas where there is one."""
        return self._axes({**self.settings, "padding": 0, "output_padding": 0})

    def _key(self) -> list[str]:
        key: list[str] = atlas()["methods"][self.method]["key"]
        return key

    def _axes(self, settings: Mapping[str, int]) -> tuple[Axis, Axis]:
        kernel = shape_of(self.kernel)
        return self._axis(settings, kernel[0], self.base[0]), self._axis(settings, kernel[1], self.base[1])

    def _axis(self, settings: Mapping[str, int], kernel: int, size: int) -> Axis:
        found = {**settings, "kernel": kernel, "size": size}
        entry = atlas()["methods"][self.method]["axes"][",".join(str(found[name]) for name in self._key())]
        if isinstance(entry, int):
            raise ValueError(atlas()["reasons"][entry])
        side, _, digits = entry.partition(":")
        return int(side), list(_contributions(digits))

    def _evaluated(self, rows: Axis, columns: Axis) -> Grid:
        out: Grid = [[0] * columns[0] for _ in range(rows[0])]
        stride, takes = self.settings["stride"], self.takes
        for i, u, r, down in rows[1]:
            for j, v, c, across in columns[1]:
                if takes == "switches" and self.switches[i][j] != u * stride + v:
                    continue
                weight = self.kernel[u][v] if takes == "kernel" else 1
                out[r][c] += down * across * self.x[i][j] * weight
        return [[plain(value) for value in row] for row in out]


def _contributions(digits: str) -> Iterator[tuple[int, int, int, float]]:
    gains = atlas()["gains"]
    for at in range(0, len(digits), 4):
        i, u, r, g = (int(digit, 36) for digit in digits[at : at + 4])
        yield i, u, r, gains[g]


def fitted_input(x: Grid, base: Shape, tiles: int) -> Grid:
    """The grid as the first of ``tiles``² channels laid side by side; the others count on from it.

    Examples
    --------
    >>> fitted_input([[7]], (1, 1), 2)
    [[7, 2], [3, 4]]
    """
    height, width = base

    def value(r: int, c: int) -> float:
        if r < height and c < width:
            return x[r][c]
        channel = r // height * tiles + c // width
        return channel * height * width + r % height * width + c % width + 1

    return [[value(r, c) for c in range(width * tiles)] for r in range(height * tiles)]


def as_text(grids: Mapping[str, Grid]) -> str:
    """Grids under their names, for a terminal or a page without scripts."""
    return "\n".join(line for name, rows in grids.items() for line in [name, *_lines(rows)])


def _lines(rows: Grid) -> list[str]:
    cells = [[f"{value:.4g}" for value in row] for row in rows]
    width = max(len(cell) for row in cells for cell in row)
    return ["  " + " ".join(cell.rjust(width) for cell in row) for row in cells]
