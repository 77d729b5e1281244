"""What the cells of a grid do under a linear up-sampling, read off a trace as stamps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.upsampling import Trace

STRIDE = 2

Correction = tuple[int | None, int | None, Tensor]


@dataclass(frozen=True)
class Rules:
    """One stamp for every cell, and corrections for rows and columns that differ.

    A table ``[stamp cells, kernel cells]`` turns a kernel into the stamp that a cell of value 1 leaves.

    Attributes
    ----------
    grid : tuple
        Rows and columns that were traced. A larger grid repeats the middle row and column.
    stamp, corner : tuple
        Rows and columns of a stamp, and where the one of cell (0, 0) begins on the canvas.
    growth : tuple
        Rows and columns that the canvas has beyond twice the grid's.
    base : Tensor
        The table of the cell in the middle.
    corrections : tuple
        ``(row, column, table)``: what to add for that row and column; None stands for all.
    """

    grid: tuple[int, int]
    stamp: tuple[int, int]
    corner: tuple[int, int]
    growth: tuple[int, int]
    base: Tensor
    corrections: tuple[Correction, ...]

    def like(self, weight: Tensor) -> Rules:
        """The same rules, their tables with the dtype and on the device of ``weight``."""
        if self.base.device == weight.device and self.base.dtype == weight.dtype:
            return self
        moved = tuple((row, column, table.to(weight)) for row, column, table in self.corrections)
        return replace(self, base=self.base.to(weight), corrections=moved)


def rules_of(trace: Trace, weights: int) -> Rules:
    """The rules of a traced plane.

    Parameters
    ----------
    trace : Trace
        Of a linear map of one plane, with its kernel cells or (``weights=1``) without a kernel.
    weights : int
        Cells of the kernel.
    """
    (rows, columns), (out_rows, out_columns) = trace.x.shape, trace.output.shape
    row, column = trace.input_index // columns, trace.input_index % columns
    down = trace.output_index // out_columns - STRIDE * row  # where on its stamp each contribution lies
    right = trace.output_index % out_columns - STRIDE * column
    corner = int(down.min()), int(right.min())
    stamp = int(down.max()) - corner[0] + 1, int(right.max()) - corner[1] + 1
    tables = torch.zeros(rows, columns, stamp[0] * stamp[1], weights)
    cell = (down - corner[0]) * stamp[1] + right - corner[1]
    places = (row, column, cell, trace.weight_index.clamp_min(0))
    tables.index_put_(places, trace.gains.float(), accumulate=True)
    base, corrections = _compared_with_the_middle(tables)
    growth = out_rows - STRIDE * rows, out_columns - STRIDE * columns
    return Rules((rows, columns), stamp, corner, growth, base, corrections)


def _compared_with_the_middle(tables: Tensor) -> tuple[Tensor, tuple[Correction, ...]]:
    """Take the middle's table off all, then each row's and column's own, so that corners keep the rest."""
    rows, columns = tables.shape[:2]
    middle_row, middle_column = rows // 2, columns // 2
    base = tables[middle_row, middle_column].clone()
    rest = tables - base
    of_rows, of_columns = rest[:, middle_column].clone(), rest[middle_row].clone()
    rest = rest - of_rows[:, None] - of_columns[None]
    found: list[Correction] = [(r, None, of_rows[r]) for r in range(rows)]
    found += [(None, c, of_columns[c]) for c in range(columns)]
    found += [(r, c, rest[r, c]) for r in range(rows) for c in range(columns)]
    return base, tuple(each for each in found if bool(each[2].any()))


def place(index: int | None, traced: int, size: int) -> slice:
    """The rows of a grid of ``size`` that follow the rule of row ``index`` among ``traced``."""
    if index is None:
        return slice(0, size)
    start = index if index < traced // 2 else size - traced + index
    return slice(start, start + 1)


def doubled(canvas: Tensor, rules: Rules, size: tuple[int, int], corner: tuple[int, int]) -> Tensor:
    """The part of a canvas that is twice ``size``: half of the excess goes above and to the left.

    ``corner`` is where the canvas begins in the function's own counting.
    """
    margins: list[int] = []
    for axis in (1, 0):  # functional.pad begins with the last axis
        before = corner[axis] - -(-rules.growth[axis] // 2)
        margins += [before, STRIDE * size[axis] - before - canvas.shape[axis - 2]]
    return functional.pad(canvas, margins) if any(margins) else canvas
