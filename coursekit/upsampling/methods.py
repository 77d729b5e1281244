"""The up-sampling methods (and the pooling that max unpooling undoes).

Each works on float tensors ``(..., H, W)`` and refuses what it cannot mean with a sentence: expected,
got, try. The arithmetic is torch's own where torch has the operator.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.upsampling.validation import (
    described,
    require_alike,
    require_cells,
    require_grid,
    require_pair,
    sentence,
)

Pair = int | tuple[int, int]


def nearest(x: Tensor, factor: Pair = 2) -> Tensor:
    """Nearest neighbour: every cell becomes a block of copies.

    Parameters
    ----------
    x : Tensor (..., H, W)
        Floating.
    factor : int or (int, int)
        Rows and columns of a block, 1 or more.

    Returns
    -------
    Tensor (..., H * factor, W * factor)

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> nearest(torch.tensor([[1.0, 2.0]]))          # one row of two cells: two blocks of 2x2
    tensor([[1., 1., 2., 2.],
            [1., 1., 2., 2.]])
    """
    rows, columns = require_pair(factor, "factor", 1)
    return require_grid(x).repeat_interleave(rows, dim=-2).repeat_interleave(columns, dim=-1)


def bed_of_nails(x: Tensor, factor: Pair = 2) -> Tensor:
    """Bed of nails: every cell in the upper left of its block, zeros elsewhere.

    Parameters and errors as for :func:`nearest`.

    Returns
    -------
    Tensor (..., H * factor, W * factor)

    Examples
    --------
    >>> bed_of_nails(torch.tensor([[1.0, 2.0]]))
    tensor([[1., 0., 2., 0.],
            [0., 0., 0., 0.]])
    """
    rows, columns = require_pair(factor, "factor", 1)
    height, width = require_grid(x).shape[-2:]
    board = x.new_zeros(*x.shape[:-2], height * rows, width * columns)
    board[..., ::rows, ::columns] = x
    return board


def bilinear(x: Tensor, factor: Pair = 2, align_corners: bool = False) -> Tensor:
    """Bilinear: every output cell is a weighted mean of the (up to) four nearest input cells.

    Parameters
    ----------
    x : Tensor (..., H, W)
        Floating.
    factor : int or (int, int)
        Output cells an input cell, 1 or more.
    align_corners : bool
        False: cells are little squares, and the outer *edges* of the two grids coincide.
        True: cells are points, and the *centres* of the corner cells coincide.

    Returns
    -------
    Tensor (..., H * factor, W * factor)

    Notes
    -----
    The arithmetic is ``torch.nn.functional.interpolate(mode="bilinear")``.

    Examples
    --------
    >>> bilinear(torch.tensor([[0.0, 4.0]]))[0]      # a quarter and three quarters of the way
    tensor([0., 1., 3., 4.])
    """
    rows, columns = require_pair(factor, "factor", 1)
    height, width = require_grid(x).shape[-2:]
    if not isinstance(align_corners, bool):
        raise TypeError(
            sentence("align_corners True or False", described(align_corners), "align_corners=False")
        )
    planes = x.reshape(1, -1, height, width)
    size = (height * rows, width * columns)
    grown = functional.interpolate(planes, size=size, mode="bilinear", align_corners=align_corners)
    return grown.reshape(*x.shape[:-2], *size)


def max_pool(x: Tensor, size: Pair = 2) -> tuple[Tensor, Tensor]:
    """Max pooling that remembers where each maximum was.

    Parameters
    ----------
    x : Tensor (..., H, W)
        Floating; rows and columns that do not fill a block are left out, as in torch.
    size : int or (int, int)
        Rows and columns of a block, and the step between blocks.

    Returns
    -------
    values : Tensor (..., H // size, W // size)
    switches : int64 Tensor of the same shape
        Where each value stood: its flat index in its input plane, ``row * W + column``. The first of
        equal maxima (in reading order) counts.

    Examples
    --------
    >>> values, switches = max_pool(torch.tensor([[1.0, 5.0, 2.0, 0.0], [3.0, 4.0, 2.0, 1.0]]))
    >>> values, switches                              # 5 stood at 0 * 4 + 1, the first 2 at 0 * 4 + 2
    (tensor([[5., 2.]]), tensor([[1, 2]]))
    """
    rows, columns = require_pair(size, "size", 1)
    height, width = require_grid(x).shape[-2:]
    require_cells(height // rows, width // columns, f"a size of at most {min(height, width)}")
    planes = x.reshape(-1, 1, height, width)
    values, switches = functional.max_pool2d(planes, (rows, columns), return_indices=True)
    shape = (*x.shape[:-2], *values.shape[-2:])
    return values.reshape(shape), switches.reshape(shape)


def max_unpool(values: Tensor, switches: Tensor, output_size: Pair) -> Tensor:
    """Max unpooling: every value goes back to where its maximum stood, zeros elsewhere.

    Parameters
    ----------
    values : Tensor (..., h, w)
        Floating.
    switches : int64 Tensor of the same shape
        Flat indices into each output plane, as :func:`max_pool` gives them. Where two of a plane are
        equal, torch does not define which value stays.
    output_size : int or (int, int)
        Rows and columns of the output. Needed, since odd sizes pool to the same size as even ones.

    Returns
    -------
    Tensor (..., rows, columns)

    Examples
    --------
    >>> max_unpool(torch.tensor([[5.0, 2.0]]), torch.tensor([[1, 2]]), (2, 4))
    tensor([[0., 5., 2., 0.],
            [0., 0., 0., 0.]])
    """
    attempt = "output_size=(rows, columns) of the grid that was pooled"
    rows, columns = require_pair(output_size, "output_size", 1, attempt)
    require_grid(values, "values")
    _require_switches(switches, values)
    low, high = int(switches.min()), int(switches.max())
    if low < 0 or high >= rows * columns:
        expected = f"switches from 0 to {rows * columns - 1}, the cells of a {rows} x {columns} grid"
        raise ValueError(sentence(expected, f"{low} to {high}", attempt))
    lead = values.shape[:-2]
    cells = values.new_zeros(*lead, rows * columns)
    cells.scatter_(-1, switches.reshape(*lead, -1), values.reshape(*lead, -1))
    return cells.reshape(*lead, rows, columns)


def transposed_conv(
    x: Tensor, kernel: Tensor, stride: Pair = 2, padding: Pair = 0, output_padding: Pair = 0
) -> Tensor:
    """Transposed convolution: every input value weighs a stamp of the kernel; the stamps are added.

    The stamps lie ``stride`` apart on a canvas of ``(H - 1) * stride + kh`` rows. ``padding`` then
    *removes* that many rows and columns from every side, and ``output_padding`` keeps that many more
    at the bottom and on the right.

    Parameters
    ----------
    x : Tensor (..., H, W), or (N, C_in, H, W) with a kernel of four axes
        Floating.
    kernel : Tensor (kh, kw) for each plane alone, or (C_in, C_out, kh, kw)
        Of the dtype of ``x``.
    stride : int or (int, int)
        Steps between stamps, 1 or more.
    padding : int or (int, int)
        Rows and columns cut off every side, 0 or more.
    output_padding : int or (int, int)
        Rows and columns kept beyond that, 0 or more and smaller than the stride: only then does a
        convolution with this stride come back to the same input size.

    Returns
    -------
    Tensor (..., H', W') with ``H' = (H - 1) * stride - 2 * padding + kh + output_padding``

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Notes
    -----
    The size formula is that of ``torch.nn.ConvTranspose2d`` with dilation 1, whose arithmetic this is.

    Examples
    --------
    >>> x = torch.tensor([[1.0, 2.0]])                # two stamps of [1, 10, 100], two apart
    >>> transposed_conv(x, torch.tensor([[1.0, 10.0, 100.0]]), stride=2)
    tensor([[  1.,  10., 102.,  20., 200.]])
    """
    step = require_pair(stride, "stride", 1)
    cut = require_pair(padding, "padding", 0)
    extra = require_pair(output_padding, "output_padding", 0)
    require_grid(x)
    require_grid(kernel, "kernel")
    require_alike(x, kernel)
    if extra[0] >= step[0] or extra[1] >= step[1]:
        expected = (
            "output_padding smaller than the stride, or a convolution would not come back to this input size"
        )
        got = f"output_padding={output_padding} with stride={stride}"
        raise ValueError(sentence(expected, got, _pair_text("output_padding", step[0] - 1, step[1] - 1)))
    planes, weight = _planes_and_weight(x, kernel, transposed=True)
    canvas = [(x.shape[axis] - 1) * step[axis] + kernel.shape[axis] + extra[axis] for axis in (-2, -1)]
    height, width = canvas[0] - 2 * cut[0], canvas[1] - 2 * cut[1]
    most = [min(cut[axis], (canvas[axis] - 1) // 2) for axis in (0, 1)]
    require_cells(height, width, _pair_text("padding", *most))
    grown = functional.conv_transpose2d(planes, weight, stride=step, padding=cut, output_padding=extra)
    return grown if kernel.ndim == 4 else grown.reshape(*x.shape[:-2], height, width)


def pixel_shuffle(x: Tensor, factor: int = 2) -> Tensor:
    """Pixel shuffle (depth to space): channels become the cells of each block.

    Parameters
    ----------
    x : Tensor (..., C * factor**2, H, W)
        Floating. Channel ``c * factor**2 + i * factor + j`` fills row i, column j of the blocks of
        output channel c: torch's order (TensorFlow's puts c last).
    factor : int
        Rows and columns of a block, 1 or more.

    Returns
    -------
    Tensor (..., C, H * factor, W * factor)

    Examples
    --------
    >>> pixel_shuffle(torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(4, 1, 1))
    tensor([[[1., 2.],
             [3., 4.]]])
    """
    rows, columns = require_pair(factor, "factor", 1)
    if rows != columns:
        raise ValueError(sentence("one factor for rows and columns", f"factor={factor}", f"factor={rows}"))
    channels = require_grid(x, least_rank=3).shape[-3]
    if channels % rows**2:
        most = channels - channels % rows**2
        attempt = (
            f"x[..., :{most}, :, :]" if most else f"a grid with {rows**2} channels, one a cell of the block"
        )
        expected = f"channels in a multiple of factor**2 = {rows**2}"
        raise ValueError(sentence(expected, f"{channels} channels", attempt))
    return functional.pixel_shuffle(x, rows)


def resize_conv(
    x: Tensor, kernel: Tensor, factor: Pair = 2, mode: Literal["nearest", "bilinear"] = "nearest"
) -> Tensor:
    """Resize-convolution: enlarge with a fixed method, then convolve at the new size.

    Parameters
    ----------
    x : Tensor (..., H, W), or (N, C_in, H, W) with a kernel of four axes
        Floating.
    kernel : Tensor (kh, kw) for each plane alone, or (C_out, C_in, kh, kw): a convolution's order
        Of the dtype of ``x``. Zeros surround the grid, so that the size stays; where a kernel's sides are
        even, the odd one out goes below and to the right, as with torch's ``padding="same"``.
    factor : int or (int, int)
        As for :func:`nearest`.
    mode : "nearest" or "bilinear"

    Returns
    -------
    Tensor (..., H * factor, W * factor)

    Notes
    -----
    Odena, Dumoulin & Olah, "Deconvolution and Checkerboard Artifacts", Distill, 2016.

    Examples
    --------
    >>> resize_conv(torch.tensor([[1.0, 3.0]]), torch.tensor([[0.5, 0.5, 0.0]]))[0]   # mean with the left
    tensor([0.5000, 1.0000, 2.0000, 3.0000])
    """
    if not isinstance(mode, str) or mode not in _ENLARGING:
        raise ValueError(sentence('mode "nearest" or "bilinear"', described(mode), 'mode="nearest"'))
    require_grid(x)
    require_grid(kernel, "kernel")
    require_alike(x, kernel)
    _planes_and_weight(x, kernel, transposed=False)  # refuse before the work, and name the caller's shapes
    grown = _ENLARGING[mode](x, factor)
    planes, weight = _planes_and_weight(grown, kernel, transposed=False)
    above, left = (kernel.shape[-2] - 1) // 2, (kernel.shape[-1] - 1) // 2
    frame = (left, kernel.shape[-1] - 1 - left, above, kernel.shape[-2] - 1 - above)
    # Not padding="same": torch warns about even kernels there.
    smoothed = functional.conv2d(functional.pad(planes, frame), weight)
    return smoothed if kernel.ndim == 4 else smoothed.reshape(grown.shape)


_ENLARGING = {"nearest": nearest, "bilinear": bilinear}


def _require_switches(switches: Tensor, values: Tensor) -> None:
    expected = f"switches as an int64 tensor of the values' shape {tuple(values.shape)}"
    if not isinstance(switches, Tensor):
        raise TypeError(sentence(expected, described(switches), "the switches that max_pool returned"))
    if switches.shape != values.shape:
        raise ValueError(sentence(expected, described(switches), "the switches that max_pool returned"))
    if switches.dtype != torch.int64:
        raise TypeError(sentence(expected, described(switches), "switches.long()"))


def _planes_and_weight(x: Tensor, kernel: Tensor, *, transposed: bool) -> tuple[Tensor, Tensor]:
    """Torch's two arguments: planes as a batch of one channel, or the channels as they are."""
    if kernel.ndim == 2:
        return x.reshape(-1, 1, *x.shape[-2:]), kernel[None, None]
    order = "(C_in, C_out, kh, kw)" if transposed else "(C_out, C_in, kh, kw)"
    if kernel.ndim != 4:
        fix = f"kernel[{', '.join('0' * (kernel.ndim - 2))}] for one plane"
        raise ValueError(sentence(f"a kernel (kh, kw) or {order}", described(kernel), fix))
    if x.ndim != 4:
        fix = {2: "x[None, None]", 3: "x[None]"}.get(x.ndim, "x.flatten(0, -4)")
        raise ValueError(sentence("x (N, C_in, H, W) with a kernel of four axes", described(x), fix))
    inputs, outputs = kernel.shape[:2] if transposed else (kernel.shape[1], kernel.shape[0])
    if x.shape[1] != inputs:
        got = f"x with {x.shape[1]} channels and a kernel {order} with C_in = {inputs}"
        swapped = "kernel.transpose(0, 1), if its two channel axes are swapped"
        fix = swapped if x.shape[1] == outputs else f"a kernel with C_in = {x.shape[1]}"
        raise ValueError(sentence("as many channels in x as the kernel takes", got, fix))
    return x, kernel


def _pair_text(name: str, rows: int, columns: int) -> str:
    return f"{name}={rows}" if rows == columns else f"{name}=({rows}, {columns})"
