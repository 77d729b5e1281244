"""`Trace`: every contribution of a callable, what can be read off it, and how it shows itself."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import torch
from torch import Tensor

from coursekit.upsampling.validation import as_tensor, is_int, sentence, shape_text

Cell = tuple[int, ...]
Kind = Literal["linear", "affine", "local"]

MOST_ENTRIES = 25_000_000  # of a matrix: 100 MB in float32
_MOST_SHOWN = 1_024  # cells of a grid that is still drawn as a table


@dataclass(frozen=True)
class Contribution:
    """One term of one output cell: ``x[input] * kernel[weight] * gain``, or without the kernel."""

    input: Cell
    weight: Cell | None
    output: Cell
    gain: float


@dataclass(frozen=True, eq=False)
class Trace:
    """Every contribution of a callable, as :func:`probe` found them.

    Attributes
    ----------
    name : str
        The callable's name.
    inputs : tuple
        Copies of what it was probed with: the grid first, then the kernel if it takes one.
    output : Tensor
        What it gave for these inputs.
    offset : Tensor
        What it gives for zeros (a bias); zeros for a linear map.
    kind : "linear", "affine" or "local"
        "linear": the output is the sum of the contributions. "affine": that plus `offset`. "local":
        neither; the contributions are the slopes at these inputs and say nothing elsewhere.
    settings : dict
        The keyword settings it was called with.
    """

    name: str
    inputs: tuple[Any, ...]
    output: Tensor
    offset: Tensor
    kind: Kind
    settings: dict[str, Any]
    input_index: Tensor  # [n] flat cells
    weight_index: Tensor  # [n] flat cells, -1 without a kernel
    output_index: Tensor  # [n] flat cells
    gains: Tensor  # [n]
    method: Callable[..., Any]

    @property
    def linear(self) -> bool:
        """Whether the output is exactly the sum of the contributions."""
        return self.kind == "linear"

    @property
    def x(self) -> Tensor:
        """The input grid as a tensor."""
        return as_tensor(self.inputs[0])

    @property
    def kernel(self) -> Tensor | None:
        """The kernel as a tensor, where kernel cells were probed."""
        return as_tensor(self.inputs[1]) if bool((self.weight_index >= 0).any()) else None

    @cached_property
    def contributions(self) -> tuple[Contribution, ...]:
        """Every contribution, in the order input cell, kernel cell, output cell."""
        kernel = self.kernel
        ins, outs = _cells(self.x.shape), _cells(self.output.shape)
        weights = _cells(kernel.shape) if kernel is not None else []
        rows = zip(
            self.input_index.tolist(),
            self.weight_index.tolist(),
            self.output_index.tolist(),
            self.gains.tolist(),
            strict=True,
        )
        return tuple(
            Contribution(ins[i], weights[w] if w >= 0 else None, outs[o], gain) for i, w, o, gain in rows
        )

    @cached_property
    def matrix(self) -> Tensor:
        """The map as a matrix ``(output cells, input cells)``, kernel values in place.

        ``offset.flatten() + matrix @ x.flatten()`` is ``output.flatten()``.

        Raises
        ------
        ValueError
            More than 25,000,000 entries.
        """
        rows, columns = self.output.numel(), self.x.numel()
        if rows * columns > MOST_ENTRIES:
            expected = f"a matrix of at most {MOST_ENTRIES:,} entries"
            raise ValueError(sentence(expected, f"{rows:,} x {columns:,}", "into(cell), or a smaller grid"))
        table = torch.zeros(rows, columns, dtype=self.gains.dtype)
        values = self.gains * weights_at(self.kernel, self.weight_index, self.gains.dtype)
        return table.index_put_((self.output_index, self.input_index), values, accumulate=True)

    def into(self, cell: Cell) -> tuple[Contribution, ...]:
        """The contributions that reach one output cell.

        Raises
        ------
        ValueError
            Not a cell of the output.
        """
        wanted = _require_cell(cell, self.output.shape, "output")
        return tuple(part for part in self.contributions if part.output == wanted)

    def out_of(self, cell: Cell) -> tuple[Contribution, ...]:
        """The contributions that one input cell makes: its stamp.

        Raises
        ------
        ValueError
            Not a cell of the input.
        """
        wanted = _require_cell(cell, self.x.shape, "input")
        return tuple(part for part in self.contributions if part.input == wanted)

    def __repr__(self) -> str:
        shapes = f"{shape_text(self.x.shape)} -> {shape_text(self.output.shape)}"
        return f"Trace({self.name}, {shapes}, {len(self.gains)} contributions, {self.kind})"

    def _repr_html_(self) -> str:
        kernel = self.kernel
        parts = [
            ("input", self.x),
            *([("kernel", kernel)] if kernel is not None else []),
            ("output", self.output),
        ]
        if self.x.numel() <= 16 and self.output.numel() <= 36:
            parts.append(("matrix: a row an output cell, a column an input cell", self.matrix))
        tables = "".join(_table(title, grid) for title, grid in parts if _is_shown(grid))
        return (
            f'<div><code>{html.escape(repr(self))}</code><div style="display:flex;flex-wrap:wrap;gap:1.5em;'
            f'align-items:flex-start;margin-top:.5em">{tables}</div></div>'
        )


def weights_at(kernel: Tensor | None, index: Tensor, dtype: torch.dtype) -> Tensor:
    """The kernel value of each contribution; 1 where no kernel cell was told apart."""
    if kernel is None:
        return torch.ones(len(index), dtype=dtype)
    return kernel.to(dtype).flatten()[index]


def _require_cell(cell: Any, shape: torch.Size, what: str) -> Cell:
    wanted = tuple(cell) if isinstance(cell, tuple | list) else (cell,)
    inside = len(wanted) == len(shape) and all(
        is_int(place) and 0 <= place < side for place, side in zip(wanted, shape, strict=False)
    )
    if not inside:
        last = tuple(side - 1 for side in shape)
        raise ValueError(
            sentence(f"an {what} cell from {tuple(0 for _ in shape)} to {last}", repr(cell), f"{last}")
        )
    return wanted


def _cells(shape: torch.Size) -> list[Cell]:
    return list(product(*(range(side) for side in shape)))


def _is_shown(grid: Tensor) -> bool:
    return grid.ndim == 2 and grid.numel() <= _MOST_SHOWN


def _table(title: str, grid: Tensor) -> str:
    style = (
        "border:1px solid var(--jp-border-color1,#bbb);padding:.15em .5em;text-align:right;"
        "font-variant-numeric:tabular-nums"
    )
    rows = "".join(f"<tr>{''.join(_data_cells(row, style))}</tr>" for row in grid.tolist())
    caption = f'<caption style="caption-side:top;text-align:left;opacity:.75">{html.escape(title)}</caption>'
    return f'<table style="border-collapse:collapse;margin:0">{caption}{rows}</table>'


def _data_cells(row: list[float], style: str) -> Iterator[str]:
    for value in row:
        faint = ";opacity:.35" if value == 0 else ""
        yield f'<td style="{style}{faint}">{value:g}</td>'
