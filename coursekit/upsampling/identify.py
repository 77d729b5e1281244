"""`fingerprint`: what kind of up-sampling a trace shows, in numbers and by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from coursekit.upsampling.methods import (
    bed_of_nails,
    bilinear,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)
from coursekit.upsampling.tracing import Trace, probe
from coursekit.upsampling.validation import described, sentence

_WIDE = 5  # cells a side: room for stamps up to 6 wide to overlap fully in the middle
_MOST_KERNEL = 6


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What an up-sampling does to flat grey, to positions and to borders, and what it equals.

    Attributes
    ----------
    overlap : int64 Tensor (H, W)
        Input cells that reach each output cell of the trace.
    stride : (int, int)
        Output cells between the stamps of neighbouring input cells.
    phase_gains : Tensor (stride rows, stride columns)
        How bright each seat of a block is for flat grey input of 1, away from the border.
    checkerboard : float
        (max - min) / mean of the absolute phase gains; 0 is even.
    shift : (float, float)
        Rows and columns, in output cells, by which stamps lie off the place of their input cell.
    edge_loss : float
        Share of the stamps' total (absolute) weight that falls off the output.
    looks_like : tuple of str
        Every method it equals, the most specific first.
    """

    overlap: Tensor
    stride: tuple[int, int]
    phase_gains: Tensor
    checkerboard: float
    shift: tuple[float, float]
    edge_loss: float
    looks_like: tuple[str, ...]

    def __repr__(self) -> str:
        names = ", and also ".join(self.looks_like) or "no method of the course"
        return (
            f"Fingerprint({names}; checkerboard {self.checkerboard:.3g}, shift ({self.shift[0]:+.2g}, "
            f"{self.shift[1]:+.2g}), edge loss {self.edge_loss:.0%})"
        )


def fingerprint(trace: Trace) -> Fingerprint:
    """Describe and name the up-sampling behind a trace.

    Parameters
    ----------
    trace : Trace
        Of a linear or affine callable from a grid to a grid, as :func:`probe` gives it. Where the
        callable takes another size, stride, gains, shift and names are read off a 5x5 grid, since on a
        2x2 grid the border hides most of what happens.

    Returns
    -------
    Fingerprint

    Raises
    ------
    TypeError, ValueError
        Not a trace, a local trace, or fewer than two axes.

    Examples
    --------
    >>> fingerprint(probe(nearest, torch.ones(2, 2))).looks_like[:2]
    ('nearest(factor=2)', 'transposed_conv(kernel=[[1, 1], [1, 1]], stride=2)')
    """
    if not isinstance(trace, Trace):
        raise TypeError(sentence("a Trace", described(trace), "fingerprint(probe(method, x))"))
    if trace.kind == "local":
        raise ValueError(sentence("a linear or affine callable", "a local trace", "its linear part alone"))
    if trace.x.ndim < 2 or trace.output.ndim < 2:
        raise ValueError(sentence("a map from grid to grid", f"{trace!r}", "a grid with two axes"))
    wide = _Map.of(_widened(trace))
    stride = (wide.stride(0, trace.settings), wide.stride(1, trace.settings))
    gains = wide.phase_gains(stride)
    spread = gains.abs().max() - gains.abs().min()
    return Fingerprint(
        overlap=_overlap(trace),
        stride=stride,
        phase_gains=gains,
        checkerboard=float(spread / gains.abs().mean().clamp_min(1e-12)),
        shift=(wide.shift(0, stride[0]), wide.shift(1, stride[1])),
        edge_loss=_Map.of(trace).edge_loss(),
        looks_like=tuple(_names(wide, stride)),
    )


def _overlap(trace: Trace) -> Tensor:
    pairs = torch.stack([trace.output_index, trace.input_index]).unique(dim=1)
    counts = torch.bincount(pairs[0], minlength=trace.output.numel())
    return counts.reshape(trace.output.shape)


def _widened(trace: Trace) -> Trace:
    """The same callable on a wider grid of ones with its kernel held, if it takes one."""
    sides = [max(_WIDE, side) for side in trace.x.shape[-2:]]
    x = torch.ones(*trace.x.shape[:-2], *sides, dtype=trace.x.dtype)
    original = trace.inputs[0]
    first = x if isinstance(original, Tensor) else x.numpy()
    held, rest = trace.inputs[1:], trace.settings

    def with_kernel_held(grid: Any) -> Any:
        return trace.method(grid, *held, **rest)

    try:
        wide = probe(with_kernel_held, first)
    except Exception:  # any refusal means the same: this callable is bound to its size (switches, say)
        return trace
    grown = all(
        after > before for after, before in zip(wide.output.shape[-2:], trace.output.shape[-2:], strict=True)
    )
    return wide if wide.kind != "local" and (grown or wide.x.shape == trace.x.shape) else trace


@dataclass(frozen=True)
class _Map:
    """A trace's matrix with its axes named: ``[out lead, H', W', in lead, H, W]``."""

    table: Tensor
    x_shape: torch.Size
    out_shape: torch.Size

    @classmethod
    def of(cls, trace: Trace) -> _Map:
        ins, outs = trace.x.shape, trace.output.shape
        table = trace.matrix.double().reshape(-1, *outs[-2:], int(torch.Size(ins[:-2]).numel()), *ins[-2:])
        return cls(table, ins, outs)

    def size(self, axis: int) -> tuple[int, int]:
        """Input and output cells along rows (0) or columns (1)."""
        return self.x_shape[axis - 2], self.out_shape[axis - 2]

    def profile(self, axis: int) -> Tensor:
        """Absolute weight from each input row (or column) to each output one, ``[out, in]``."""
        return self.table.abs().sum((0, 2, 3, 5)) if axis == 0 else self.table.abs().sum((0, 1, 3, 4))

    def stride(self, axis: int, settings: dict[str, Any]) -> int:
        """Output cells between neighbouring stamps: as set, as seen, or as the sizes say."""
        inputs, outputs = self.size(axis)
        for name in ("stride", "factor"):
            value = settings.get(name)
            if value is not None:
                return int(value[axis] if isinstance(value, tuple | list) else value)
        profile, seen = self.profile(axis) > 0, []
        for i in range(inputs - 1):
            here, there = profile[:, i].nonzero().flatten(), profile[:, i + 1].nonzero().flatten()
            if len(here) and len(there):
                seen += [int(there[0] - here[0]), int(there[-1] - here[-1])]
        return max(1, max(seen, default=0) or round(outputs / inputs))

    def phase_gains(self, stride: tuple[int, int]) -> Tensor:
        """Mean response to flat grey at each seat, over the cells that most input cells reach."""
        response, reach = self.table.sum((3, 4, 5)), (self.table != 0).sum((3, 4, 5))
        gains = torch.zeros(stride, dtype=torch.float64)
        for row, column in product(range(stride[0]), range(stride[1])):
            cells = response[:, row :: stride[0], column :: stride[1]]
            counts = reach[:, row :: stride[0], column :: stride[1]]
            if cells.numel():
                gains[row, column] = cells[counts == counts.max()].mean()
        return gains

    def shift(self, axis: int, stride: int) -> float:
        """How far the most complete stamps' centres lie from their input cells' places."""
        profile = self.profile(axis)
        reach = (profile > 0).sum(0)
        if not int(reach.max()):
            return 0.0
        places = torch.arange(profile.shape[0], dtype=torch.float64)
        offsets = []
        for i in (reach == reach.max()).nonzero().flatten().tolist():
            weight = profile[:, i]
            offsets.append(float((weight * places).sum() / weight.sum()) - ((i + 0.5) * stride - 0.5))
        middle = sorted(offsets)[len(offsets) // 2]
        return round(middle, 6) + 0.0

    def edge_loss(self) -> float:
        """The share of the absolute weight that the fullest stamp has and the others lack."""
        stamps = self.table.abs().sum((0, 1, 2)).flatten()
        return float(1 - stamps.mean() / stamps.max()) if float(stamps.max()) else 0.0

    def equals(
        self, method: Callable[..., Tensor], *arguments: Any, margin: int = 0, **settings: Any
    ) -> bool:
        """Whether a method has this very matrix, `margin` border rows and columns of the output apart."""
        cells = torch.Size(self.x_shape).numel()
        impulses = torch.eye(cells, dtype=torch.float64).reshape(cells, *self.x_shape)
        try:
            out = torch.stack([method(impulse, *arguments, **settings) for impulse in impulses])
        except (TypeError, ValueError, RuntimeError):
            return False
        height, width = self.out_shape[-2:]
        ours = self.table.reshape(-1, height, width, cells).movedim(-1, 0)
        if out.numel() != ours.numel():
            return False
        inner = (..., slice(margin, height - margin), slice(margin, width - margin))
        return bool(torch.allclose(out.reshape(ours.shape)[inner], ours[inner], atol=1e-5))


def _names(wide: _Map, stride: tuple[int, int]) -> Iterator[str]:
    factor = stride[0] if stride[0] == stride[1] else stride
    if wide.equals(nearest, factor):
        yield f"nearest(factor={factor})"
    if wide.equals(bed_of_nails, factor):
        yield f"bed_of_nails(factor={factor})"
    for corners in (False, True):
        if wide.equals(bilinear, factor, align_corners=corners):
            yield f"bilinear(factor={factor}, align_corners={corners})"
    if isinstance(factor, int) and len(wide.x_shape) >= 3 and wide.equals(pixel_shuffle, factor):
        yield f"pixel_shuffle(factor={factor})"
    if torch.Size(wide.x_shape[:-2]).numel() == 1 and torch.Size(wide.out_shape[:-2]).numel() == 1:
        yield from _as_transposed_conv(wide, stride)
        yield from _as_resize_conv(wide, factor)
        yield from _as_max_unpool(wide)


def _as_transposed_conv(wide: _Map, stride: tuple[int, int]) -> Iterator[str]:
    """The transposed convolution with the smallest kernel that has this matrix."""
    table = wide.table[0, :, :, 0]  # [H', W', H, W]
    options = [list(_settings(*wide.size(axis), stride[axis])) for axis in (0, 1)]
    ranked = sorted(product(*options), key=lambda pair: (pair[0][0] * pair[1][0], pair[0][1] + pair[1][1]))
    for margin, remark in ((0, ""), (1, " but for the edges")):
        for (kh, top, below), (kw, left, right) in ranked:
            kernel = _stamp(table, (kh, kw), stride, (top, left))
            found = {"stride": stride, "padding": (top, left), "output_padding": (below, right)}
            same = kernel is not None and wide.equals(
                _on_plane(transposed_conv), kernel, margin=margin, **found
            )
            if kernel is not None and same:
                yield f"transposed_conv(kernel={_written(kernel)}{_settings_text(found)}){remark}"
                return


def _settings(inputs: int, outputs: int, stride: int) -> Iterator[tuple[int, int, int]]:
    """Kernel, padding, output padding that give this size along one axis."""
    for kernel in range(1, _MOST_KERNEL + 1):
        for padding in range(kernel):
            extra = outputs - ((inputs - 1) * stride + kernel - 2 * padding)
            if 0 <= extra < stride:
                yield kernel, padding, extra


def _stamp(
    table: Tensor, size: tuple[int, int], stride: tuple[int, int], cut: tuple[int, int]
) -> Tensor | None:
    """The kernel, each entry read off the middlemost input cell that shows it; None if none does."""
    height, width, rows, columns = table.shape
    kernel = torch.zeros(size, dtype=table.dtype)
    cells = sorted(
        product(range(rows), range(columns)),
        key=lambda cell: abs(2 * cell[0] - rows) + abs(2 * cell[1] - columns),
    )
    for a, b in product(range(size[0]), range(size[1])):
        places = ((i * stride[0] + a - cut[0], j * stride[1] + b - cut[1], i, j) for i, j in cells)
        seen = next(((r, c, i, j) for r, c, i, j in places if 0 <= r < height and 0 <= c < width), None)
        if seen is None:
            return None
        kernel[a, b] = table[seen]
    return kernel


def _as_resize_conv(wide: _Map, factor: int | tuple[int, int]) -> Iterator[str]:
    """Nearest, then a 3x3 convolution: the matrix is linear in those nine numbers, so solve for them."""
    cells = torch.Size(wide.x_shape).numel()
    impulses = torch.eye(cells, dtype=torch.float64).reshape(cells, *wide.x_shape[-2:])
    ours = wide.table.reshape(-1, cells).T.flatten()
    basis = torch.eye(9, dtype=torch.float64).reshape(9, 3, 3)
    columns = torch.stack([resize_conv(impulses, kernel, factor).flatten() for kernel in basis], dim=1)
    if len(columns) != len(ours):
        return
    kernel = torch.linalg.lstsq(columns, ours[:, None]).solution.reshape(3, 3)
    if torch.allclose(columns @ kernel.flatten(), ours, atol=1e-5):
        yield f"resize_conv(kernel={_written(kernel)}, factor={factor})"


def _as_max_unpool(wide: _Map) -> Iterator[str]:
    """One copy of each value, no two on one cell, each in its own block: max unpooling with switches."""
    rows, columns = wide.x_shape[-2:]
    height, width = wide.out_shape[-2:]
    matrix = wide.table.reshape(height * width, rows * columns)
    ones = (matrix == 1).sum(0)
    if not (
        bool((ones == 1).all())
        and float(matrix.abs().sum()) == rows * columns
        and int(matrix.sum(1).max()) == 1
    ):
        return
    switches = matrix.argmax(0)
    step = (height // rows, width // columns)
    cell = torch.arange(rows * columns)
    in_rows = (switches // width) // max(1, step[0]) == cell // columns
    in_columns = (switches % width) // max(1, step[1]) == cell % columns
    if bool((in_rows & in_columns).all()):
        table = switches.reshape(rows, columns).tolist()
        yield f"max_unpool(switches={table}, output_size=({height}, {width}))"


def _on_plane(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def run(x: Tensor, *arguments: Any, **settings: Any) -> Tensor:
        return method(x.reshape(x.shape[-2:]), *arguments, **settings)

    return run


def _settings_text(found: dict[str, tuple[int, int]]) -> str:
    shown = {name: pair for name, pair in found.items() if name == "stride" or pair != (0, 0)}
    return "".join(f", {name}={pair[0] if pair[0] == pair[1] else pair}" for name, pair in shown.items())


def _written(kernel: Tensor) -> str:
    rows = [[round(value, 4) + 0.0 for value in row] for row in kernel.tolist()]
    return "[" + ", ".join("[" + ", ".join(f"{value:g}" for value in row) + "]" for row in rows) + "]"
