"""`probe`: what any callable does with every input number, found with unit impulses.

A fixed up-sampling is linear in its input and in its kernel. So feeding a single 1 in the input and a
single 1 in the kernel shows one contribution at a time, whatever the code inside looks like.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from coursekit.upsampling.validation import described, sentence

Cell = tuple[int, ...]
Kind = Literal["linear", "affine", "local"]

MOST_CALLS = 20_000
_LOCAL_STEP = 2.0**-10  # a power of two: exact beside small integers, so differences are exact too


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
        What it was probed with: the grid first, then the kernel if it takes one.
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
        return _as_tensor(self.inputs[0])

    @property
    def kernel(self) -> Tensor | None:
        """The kernel as a tensor, where kernel cells were probed."""
        return _as_tensor(self.inputs[1]) if bool((self.weight_index >= 0).any()) else None

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

        ``offset + matrix @ x`` is the output, cells in reading order.
        """
        table = torch.zeros(self.output.numel(), self.x.numel(), dtype=self.gains.dtype)
        values = self.gains * _weights_at(self.kernel, self.weight_index, self.gains.dtype)
        return table.index_put_((self.output_index, self.input_index), values, accumulate=True)

    def into(self, cell: Cell) -> tuple[Contribution, ...]:
        """The contributions that reach one output cell."""
        wanted = _require_cell(cell, self.output.shape, "output")
        return tuple(part for part in self.contributions if part.output == wanted)

    def out_of(self, cell: Cell) -> tuple[Contribution, ...]:
        """The contributions that one input cell makes: its stamp."""
        wanted = _require_cell(cell, self.x.shape, "input")
        return tuple(part for part in self.contributions if part.input == wanted)

    def __repr__(self) -> str:
        shapes = f"{_shape(self.x)} -> {_shape(self.output)}"
        return f"Trace({self.name}, {shapes}, {len(self.gains)} contributions, {self.kind})"

    def _repr_html_(self) -> str:
        kernel = self.kernel
        parts = [
            ("input", self.x),
            *([("kernel", kernel)] if kernel is not None else []),
            ("output", self.output),
        ]
        if self.matrix.shape[1] <= 16 and self.matrix.shape[0] <= 36:
            parts.append(("matrix: a row an output cell, a column an input cell", self.matrix))
        tables = "".join(_table(title, grid) for title, grid in parts if grid.ndim == 2)
        return (
            f'<div><code>{html.escape(repr(self))}</code><div style="display:flex;flex-wrap:wrap;gap:1.5em;'
            f'align-items:flex-start;margin-top:.5em">{tables}</div></div>'
        )


def probe(method: Callable[..., Any], *inputs: Any, **settings: Any) -> Trace:
    """Find every contribution of a callable by feeding it unit impulses.

    Parameters
    ----------
    method : callable
        A library function, a torch module, a learner's loop, NumPy code: ``method(*inputs, **settings)``.
        If it returns a tuple, the first entry is taken.
    *inputs
        First the grid, a floating tensor or NumPy array of any shape. If the second is floating too it
        is the kernel, and its cells are told apart. All others (switches, sizes) are held as they are.
    **settings
        Passed through and held.

    Returns
    -------
    Trace

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try: no floating grid, an empty grid or output, a
        NaN, more than 20,000 impulses. What the callable itself raises comes through as it is.

    Notes
    -----
    After the impulses the sum of the contributions is compared with the callable at the given inputs and
    at two points with negative numbers. If they differ, the kernel is held; if they still differ, the
    callable is neither linear nor affine and its slopes at the given inputs are returned ("local").

    Examples
    --------
    >>> from coursekit.upsampling import transposed_conv
    >>> trace = probe(transposed_conv, torch.ones(1, 2), torch.ones(1, 3), stride=2)
    >>> [part.input for part in trace.into((0, 2))]   # the middle cell gets two stamps
    [(0, 0), (0, 1)]
    """
    call = _Call(method, inputs, settings)
    output = call(call.x, call.kernel)
    attempts = [call.impulses_in_both] if call.kernel is not None else []
    for attempt in [*attempts, call.impulses_in_x]:
        offset, terms = attempt(output.shape)
        trace = call.trace(output, offset, terms, "affine" if bool(offset.any()) else "linear")
        if call.agrees(trace):
            return trace
    offset, terms = call.slopes(output)
    return call.trace(output, offset, terms, "local")


Terms = list[tuple[int, int, Tensor]]


class _Call:
    """The callable with its held arguments, called afresh with clones each time."""

    def __init__(self, method: Callable[..., Any], inputs: tuple[Any, ...], settings: dict[str, Any]) -> None:
        if not callable(method):
            raise TypeError(
                sentence("something to call", described(method), "a function, without its brackets")
            )
        if not inputs or not _is_floating(inputs[0]):
            got = described(inputs[0]) if inputs else "no input"
            raise TypeError(sentence("a floating tensor or NumPy array as the first input", got, "x.float()"))
        self.method, self.inputs, self.settings = method, inputs, settings
        self.x = _finite(_as_tensor(inputs[0]), "the grid")
        has_kernel = len(inputs) > 1 and _is_floating(inputs[1])
        self.kernel = _finite(_as_tensor(inputs[1]), "the kernel") if has_kernel else None
        self.held = inputs[2 if has_kernel else 1 :]

    def __call__(self, x: Tensor, kernel: Tensor | None) -> Tensor:
        arguments = [_like(x, self.inputs[0])]
        if kernel is not None:
            arguments.append(_like(kernel, self.inputs[1]))
        held = [value.clone() if isinstance(value, Tensor) else value for value in self.held]
        with torch.no_grad():
            result = self.method(*arguments, *held, **self.settings)
        first = result[0] if isinstance(result, tuple) and result else result
        if not (isinstance(first, Tensor | np.ndarray)):
            got = f"{described(result)} from {_name(self.method)}"
            raise TypeError(sentence("a tensor or NumPy array back", got, "return at its end"))
        output = _finite(_as_tensor(first), f"the output of {_name(self.method)}").clone()
        return output if output.is_floating_point() else output.to(self.x.dtype)

    def impulses_in_both(self, shape: torch.Size) -> tuple[Tensor, Terms]:
        assert self.kernel is not None
        self._refuse_if_many(self.x.numel() * self.kernel.numel())
        offset = self(torch.zeros_like(self.x), torch.zeros_like(self.kernel))
        pairs = product(range(self.x.numel()), range(self.kernel.numel()))
        return offset, [
            (i, w, self._same(self(_impulse(self.x, i), _impulse(self.kernel, w)), shape) - offset)
            for i, w in pairs
        ]

    def impulses_in_x(self, shape: torch.Size) -> tuple[Tensor, Terms]:
        self._refuse_if_many(self.x.numel())
        offset = self(torch.zeros_like(self.x), self.kernel)
        cells = range(self.x.numel())
        return offset, [
            (i, -1, self._same(self(_impulse(self.x, i), self.kernel), shape) - offset) for i in cells
        ]

    def slopes(self, output: Tensor) -> tuple[Tensor, Terms]:
        terms: Terms = []
        for i in range(self.x.numel()):
            nudged = self.x + _impulse(self.x, i) * _LOCAL_STEP
            terms.append(
                (i, -1, (self._same(self(nudged, self.kernel), output.shape) - output) / _LOCAL_STEP)
            )
        explained = sum((slope * self.x.flatten()[i] for i, _, slope in terms), torch.zeros_like(output))
        return output - explained, terms

    def agrees(self, trace: Trace) -> bool:
        """The superposition test."""
        generator = torch.Generator().manual_seed(0)
        points = [(self.x, self.kernel)]
        for _ in range(2):
            x = _integers(self.x, generator)
            held = trace.kernel is None or self.kernel is None
            points.append((x, self.kernel if held else _integers(self.kernel, generator)))  # type: ignore[arg-type]
        return all(_close(_replayed(trace, x, kernel), self(x, kernel)) for x, kernel in points)

    def trace(self, output: Tensor, offset: Tensor, terms: Terms, kind: Kind) -> Trace:
        ins, weights, outs, gains = [], [], [], []
        for i, w, response in terms:
            reached = response.flatten().nonzero().flatten()
            ins.append(torch.full_like(reached, i))
            weights.append(torch.full_like(reached, w))
            outs.append(reached)
            gains.append(response.flatten()[reached])
        return Trace(
            _name(self.method), self.inputs, output, offset, kind, self.settings,
            torch.cat(ins), torch.cat(weights), torch.cat(outs), torch.cat(gains), self.method,
        )  # fmt: skip

    def _refuse_if_many(self, calls: int) -> None:
        if calls > MOST_CALLS:
            raise ValueError(
                sentence(
                    f"at most {MOST_CALLS:,} impulses (input cells x kernel cells)",
                    f"{calls:,}",
                    "a smaller grid",
                )
            )

    def _same(self, output: Tensor, shape: torch.Size) -> Tensor:
        if output.shape != shape:
            got = f"{_shape(shape)} and {_shape(output)} from {_name(self.method)}"
            raise ValueError(
                sentence("one output shape for every input of one shape", got, "a size from the shapes alone")
            )
        return output


def _replayed(trace: Trace, x: Tensor, kernel: Tensor | None) -> Tensor:
    """The output that the contributions predict for other values."""
    terms = trace.gains * x.to(trace.gains.dtype).flatten()[trace.input_index]
    terms = terms * _weights_at(kernel if trace.kernel is not None else None, trace.weight_index, terms.dtype)
    total = torch.zeros(trace.output.numel(), dtype=terms.dtype).index_add_(0, trace.output_index, terms)
    return trace.offset + total.reshape(trace.output.shape)


def _weights_at(kernel: Tensor | None, index: Tensor, dtype: torch.dtype) -> Tensor:
    if kernel is None:
        return torch.ones(len(index), dtype=dtype)
    return kernel.to(dtype).flatten()[index]


def _close(ours: Tensor, theirs: Tensor) -> bool:
    """Equal up to the rounding of sums in the dtype's own precision."""
    if ours.shape != theirs.shape:
        return False
    precision = torch.finfo(theirs.dtype).eps if theirs.is_floating_point() else 0.0
    scale = float(theirs.abs().max()) + 1.0
    return bool((ours - theirs).abs().max() <= 256 * precision * scale)


def _integers(like: Tensor, generator: torch.Generator) -> Tensor:
    values = torch.randint(-5, 6, like.shape, generator=generator)
    return torch.where(values == 0, 6, values).to(like.dtype)


def _impulse(like: Tensor, cell: int) -> Tensor:
    grid = torch.zeros_like(like)
    grid.view(-1)[cell] = 1
    return grid


def _like(values: Tensor, original: Any) -> Any:
    return values.numpy().copy() if isinstance(original, np.ndarray) else values.clone().to(original.device)


def _as_tensor(value: Any) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(value)) if isinstance(value, np.ndarray) else value
    return tensor.detach().cpu().contiguous()


def _is_floating(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.is_floating_point()
    return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.floating)


def _finite(values: Tensor, what: str) -> Tensor:
    if values.numel() == 0:
        raise ValueError(
            sentence(f"{what} with at least one cell", f"shape {_shape(values)}", "a grid of 1x1 or more")
        )
    if not bool(torch.isfinite(values).all()):
        raise ValueError(
            sentence(f"finite numbers in {what}", "NaN or infinity", "a grid of small whole numbers")
        )
    return values


def _require_cell(cell: Any, shape: torch.Size, what: str) -> Cell:
    wanted = tuple(cell) if isinstance(cell, tuple | list) else (cell,)
    inside = len(wanted) == len(shape) and all(
        isinstance(place, int) and 0 <= place < side for place, side in zip(wanted, shape, strict=False)
    )
    if not inside:
        last = tuple(side - 1 for side in shape)
        raise ValueError(
            sentence(f"an {what} cell from {tuple(0 for _ in shape)} to {last}", repr(cell), f"{last}")
        )
    return wanted


def _cells(shape: torch.Size) -> list[Cell]:
    return list(product(*(range(side) for side in shape)))


def _name(method: Any) -> str:
    return getattr(method, "__name__", None) or type(method).__name__


def _shape(value: Tensor | torch.Size) -> str:
    sides = value.shape if isinstance(value, Tensor) else value
    return "x".join(str(side) for side in sides) or "a single number"


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
