"""Which of the course's methods have exactly this matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import pad

from coursekit.upsampling.gridmap import NOISE, GridMap
from coursekit.upsampling.methods import (
    bed_of_nails,
    bilinear,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)

EDGES = " but for the edges"
Stride = tuple[int, int]
Found = tuple[str, int]  # a name, and how many free numbers it holds


def names_of(wide: GridMap, stride: Stride, own: GridMap | None) -> tuple[str, ...]:
    """Every method that the map equals, the most specific (with the fewest free numbers) first.

    `own` is the map at the size it was traced at, the same object as `wide` if it takes no other. A
    method "but for the edges" comes last: it differs on half a block along the border.
    """
    names = [(name, 0) for name in _shuffled(wide, stride)]
    plane, own_plane = wide.plane(), own.plane() if own is not None else None
    if plane is not None:
        target = _Target(plane, wide.tolerance, stride, bound=wide is own)
        names += [(name, 0) for name in _fixed(target)]
        names += [*_transposed(target), *_resized(target)]
    if own_plane is not None:
        names += _unpooled(own_plane)
    names.sort(key=lambda entry: (entry[0].endswith(EDGES), entry[1]))
    return tuple(name for name, _ in names)


@dataclass(frozen=True, eq=False)
class _Target:
    """One plane's map, and the question whether a method's answers to unit impulses are the same."""

    plane: Tensor  # [H', W', H, W]
    tolerance: float
    stride: Stride
    bound: bool  # to its size: then a cut stamp has to be pieced together from all cells

    @property
    def factor(self) -> int | Stride:
        return self.stride[0] if self.stride[0] == self.stride[1] else self.stride

    @property
    def impulses(self) -> Tensor:  # [cells, H, W]
        height, width = self.plane.shape[2:]
        return torch.eye(height * width, dtype=torch.float64).reshape(-1, height, width)

    @property
    def responses(self) -> Tensor:  # [cells, H', W']
        return self.plane.flatten(2).movedim(-1, 0)

    @property
    def enlarges(self) -> bool:
        """Whether the output has a block of stride x stride cells for every input cell."""
        sides = zip(self.plane.shape[:2], self.plane.shape[2:], self.stride, strict=True)
        return all(after == before * step for after, before, step in sides)

    def equals(self, answers: Tensor, margin: Stride = (0, 0)) -> bool:
        ours = self.responses
        if answers.shape != ours.shape:
            return False
        rows, columns = (slice(margin[axis], ours.shape[axis + 1] - margin[axis]) for axis in (0, 1))
        error = (answers - ours)[:, rows, columns].abs().max()
        return bool(error <= self.tolerance * ours.abs().max())


def _fixed(target: _Target) -> Iterator[str]:
    if not target.enlarges:
        return
    impulses, factor = target.impulses, target.factor
    if target.equals(nearest(impulses, factor)):
        yield f"nearest(factor={factor})"
    if target.equals(bed_of_nails(impulses, factor)):
        yield f"bed_of_nails(factor={factor})"
    for corners in (False, True):
        if target.equals(bilinear(impulses, factor, align_corners=corners)):
            yield f"bilinear(factor={factor}, align_corners={corners})"


def _shuffled(found: GridMap, stride: Stride) -> Iterator[str]:
    shape, factor = found.x_shape, stride[0]
    if len(shape) < 3 or stride[0] != stride[1] or shape[-3] % factor**2:
        return
    cells = shape.numel()
    impulses = torch.eye(cells, dtype=torch.float64).reshape(cells, *shape)
    answers = pixel_shuffle(impulses, factor)
    ours = found.table.reshape(-1, cells).T
    if answers.shape[-2:] == found.out_shape[-2:] and answers.numel() == ours.numel():
        error = (answers.reshape(ours.shape) - ours).abs().max()
        if float(error) <= found.tolerance:
            yield f"pixel_shuffle(factor={factor})"


def _transposed(target: _Target) -> Iterator[Found]:
    """The transposed convolution with the smallest kernel: read it off the stamps, then compare."""
    half_block = (max(1, target.stride[0] // 2), max(1, target.stride[1] // 2))
    # Two whole blocks inside, or a comparison without the edges would say little.
    interior = all(
        target.plane.shape[axis] >= 2 * (target.stride[axis] + half_block[axis])
        and target.plane.shape[axis + 2] >= 4
        for axis in (0, 1)
    )
    for margin, remark in (((0, 0), ""), *([(half_block, EDGES)] if interior else [])):
        # Where the grid is free the middle stamp must explain all: a running sum has others, and is none.
        axes = [_Axis.of(target, axis, only_middle=bool(remark) or not target.bound) for axis in (0, 1)]
        settings: dict[str, Any] = {
            "stride": target.stride,
            "padding": (axes[0].padding, axes[1].padding),
            "output_padding": (axes[0].output_padding, axes[1].output_padding),
        }
        kernel = _kernel(target.plane, *axes)
        if target.equals(transposed_conv(target.impulses, kernel, **settings), margin):
            text = f"transposed_conv(kernel={_written(kernel)}{_settings_text(settings)}){remark}"
            yield text, kernel.numel()
            return


@dataclass(frozen=True)
class _Axis:
    """Where the stamps lie along one axis, and the settings that put them there."""

    first: int  # the stamp's first row, counted from stride times its input row
    length: int  # the stamp's rows
    before: int  # rows of zeros that the kernel needs in front of the stamp,
    after: int  # and behind it, since padding cuts both sides alike
    padding: int
    output_padding: int
    stride: int

    @classmethod
    def of(cls, target: _Target, axis: int, only_middle: bool) -> _Axis:
        outputs, inputs, stride = target.plane.shape[axis], target.plane.shape[axis + 2], target.stride[axis]
        reached = (target.plane != 0).any(1 - axis).any(2 - axis)  # [out, in]
        if only_middle:
            reached = reached & (torch.arange(inputs) == inputs // 2)
        out, source = reached.nonzero().T
        places = (out - stride * source).tolist() or [0]
        first, length = min(places), max(places) - min(places) + 1
        spare = outputs - (inputs - 1) * stride - length - 2 * first  # the output padding, without more zeros
        before = max(0, first, -spare)
        after = max(0, spare + before - (stride - 1))
        return cls(first, length, before, after, before - first, spare + before - after, stride)

    def sources(self, inputs: int, outputs: int) -> Tensor:
        """For each row of the stamp, the middlemost input row that shows it."""
        rows = torch.arange(self.length)[:, None] + self.first + self.stride * torch.arange(inputs)
        distance = (2 * torch.arange(inputs) - inputs + 1).abs() + (rows < 0) * 2 * inputs
        return (distance + (rows >= outputs) * 2 * inputs).argmin(1)


def _kernel(plane: Tensor, rows: _Axis, columns: _Axis) -> Tensor:
    i, j = rows.sources(plane.shape[2], plane.shape[0]), columns.sources(plane.shape[3], plane.shape[1])
    r = torch.arange(rows.length) + rows.first + rows.stride * i
    c = torch.arange(columns.length) + columns.first + columns.stride * j
    stamp = plane[r[:, None], c, i[:, None], j]
    return pad(stamp, (columns.before, columns.after, rows.before, rows.after))


def _resized(target: _Target) -> Iterator[Found]:
    """Enlarge, then convolve: the matrix is linear in the kernel's numbers, so solve for them."""
    if not target.enlarges:
        return
    stamp = [_Axis.of(target, axis, only_middle=True).length for axis in (0, 1)]
    modes: tuple[Literal["nearest", "bilinear"], ...] = ("nearest", "bilinear")
    for mode in modes if target.stride != (1, 1) else modes[:1]:
        for side in (3, 5):
            spread = 1 if mode == "nearest" else 2  # blocks that one value reaches before the convolution
            fits = all(
                length < spread * step + side for length, step in zip(stamp, target.stride, strict=True)
            )
            kernel = _solved(target, mode, side) if fits else None
            if kernel is None:
                continue
            if kernel.numel() > 1:  # a kernel of one number only says the enlarging method again
                mode_text = f', mode="{mode}"' if mode != "nearest" else ""
                text = f"resize_conv(kernel={_written(kernel)}, factor={target.factor}{mode_text})"
                yield text, kernel.numel()
            break


def _solved(target: _Target, mode: Literal["nearest", "bilinear"], side: int) -> Tensor | None:
    enlarge = nearest if mode == "nearest" else bilinear
    framed = pad(enlarge(target.impulses, target.factor), (side // 2,) * 4)
    # A kernel with a single 1 only moves the grid, so a column of the equations is a window.
    columns = framed.unfold(1, side, 1).unfold(2, side, 1).reshape(-1, side**2)
    normal, wanted = columns.T @ columns, columns.T @ target.responses.flatten()
    if target.bound and int(torch.linalg.matrix_rank(normal)) < side**2:
        return None  # so small a grid that many kernels would do: none of them was meant
    kernel = torch.linalg.lstsq(normal, wanted[:, None]).solution.reshape(side, side)
    kernel = _trimmed(kernel * (kernel.abs() > NOISE * kernel.abs().max()))
    return kernel if target.equals(resize_conv(target.impulses, kernel, target.factor, mode)) else None


def _trimmed(kernel: Tensor) -> Tensor:
    """Without zeros around it, as far as what stays keeps its place.

    Zeros on both sides go in pairs; a last row of zeros above goes alone, since the row that a kernel
    with an even number of them has beyond its middle lies below.
    """
    for axis in (0, 1):
        rows = kernel.movedim(axis, 0)
        while len(rows) > 1 and not rows[[0, -1]].any():
            rows = rows[1:-1]
        kernel = (rows if len(rows) == 1 or rows[0].any() else rows[1:]).movedim(0, axis)
    return kernel


def _unpooled(plane: Tensor) -> Iterator[Found]:
    """One copy of each value, no two on one cell, each in its own block: max unpooling with switches."""
    height, width, rows, columns = plane.shape
    matrix = plane.reshape(height * width, rows * columns)
    copies = (matrix == 1) if bool(((matrix == 0) | (matrix == 1)).all()) else torch.zeros_like(matrix)
    if not (bool((copies.sum(0) == 1).all()) and int(copies.sum(1).max()) == 1):
        return
    switches = copies.int().argmax(0).reshape(rows, columns)
    down = _in_own_blocks(switches // width, torch.arange(rows)[:, None], rows, height)
    across = _in_own_blocks(switches % width, torch.arange(columns), columns, width)
    if down and across:
        text = f"max_unpool(switches={switches.tolist()}, output_size=({height}, {width}))"
        yield text, switches.numel()


def _in_own_blocks(places: Tensor, blocks: Tensor, count: int, side: int) -> bool:
    """Whether some block size that pools `side` cells into `count` has every place in its block."""
    sizes = (size for size in range(1, side + 1) if side // size == count)
    return any(bool((places // size == blocks).all()) for size in sizes)


def _settings_text(found: dict[str, Stride]) -> str:
    shown = {name: pair for name, pair in found.items() if name == "stride" or pair != (0, 0)}
    return "".join(f", {name}={pair[0] if pair[0] == pair[1] else pair}" for name, pair in shown.items())


def _written(kernel: Tensor) -> str:
    """The kernel's numbers to four digits, whole ones in full."""
    rows = [", ".join(_digits(value) for value in row) for row in kernel.tolist()]
    return "[" + ", ".join(f"[{row}]" for row in rows) + "]"


def _digits(value: float) -> str:
    whole = round(value)
    return str(whole) if abs(value - whole) <= 1e-6 * abs(value) else f"{value:.4g}"
