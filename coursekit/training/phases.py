"""Checkerboards in what a net says: whether some seats of a block get larger logits than others."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from coursekit.upsampling.validation import described, require_pair, sentence


def phase_spread(logits: Tensor, stride: int | tuple[int, int] = 2, border: int = 8) -> float:
    """How far apart the seats of a block are on average, measured by how much the numbers vary at all.

    The plane is cut into blocks of ``stride`` rows and columns. For each seat of a block the mean over
    all blocks and all images is taken. Of these means the largest less the smallest is divided by the
    standard deviation of all numbers; then comes the mean over the channels.

    Parameters
    ----------
    logits : Tensor (N, C, H, W)
        Floating and finite, such as a net's answer for many images. A few images are not enough: a slope in
        a picture makes neighbouring seats differ too, and only over many pictures do slopes even out.
    stride : int or (int, int)
        Rows and columns of a block. 2 looks at a decoder's last step; the product of all strides at all.
    border : int
        Cells left out on every side, where stamps or windows are missing. What is left is cut to whole
        blocks.

    Returns
    -------
    float
        0 where all seats are alike, whatever the picture; 1 if they lie a standard deviation apart. It stays
        when the logits are scaled, or when a number is added to a channel.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> light = torch.tensor([[1.0, 3.0], [1.0, 3.0]]).repeat(1, 1, 4, 4)    # seats 1 and 3, deviation 1
    >>> phase_spread(light, stride=2, border=2)
    2.0
    """
    rows, columns = require_pair(stride, "stride", 1)
    inside = _blocks_of(_inside(logits, border, rows, columns), rows, columns).double()
    seats = inside.mean((0, 2, 4))  # [C, rows, columns]
    spread = seats.amax((1, 2)) - seats.amin((1, 2))
    deviation = inside.var((0, 2, 3, 4, 5), correction=0).sqrt()
    shares = torch.where(deviation > 0, spread / deviation.clamp_min(torch.finfo(deviation.dtype).tiny), 0.0)
    return float(shares.mean())


def _blocks_of(plane: Tensor, rows: int, columns: int) -> Tensor:
    """``[N, C, blocks down, rows, blocks across, columns]``."""
    return plane.unflatten(3, (-1, columns)).unflatten(2, (-1, rows))


def _inside(logits: Any, border: int, rows: int, columns: int) -> Tensor:
    """The logits without their border, cut to whole blocks."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        raise TypeError(sentence("logits as a floating tensor", described(logits), "net(images)"))
    if logits.ndim != 4 or logits.numel() == 0:
        attempt = "logits[None]" if logits.ndim == 3 else "net(images)"
        raise ValueError(sentence("logits (N, C, H, W) with a cell or more", described(logits), attempt))
    if not bool(torch.isfinite(logits).all()):
        raise ValueError(sentence("finite logits", "NaN or infinity", "a smaller learning rate"))
    frame, _ = require_pair(border, "border", 0)
    height, width = (side - 2 * frame for side in logits.shape[2:])
    if height < rows or width < columns:
        got = f"{logits.shape[2]} x {logits.shape[3]} cells with a border of {frame}"
        attempt = "border=0, or larger images"
        raise ValueError(sentence(f"room for a block of {rows} x {columns} inside", got, attempt))
    down, across = height - height % rows, width - width % columns
    return logits[..., frame : frame + down, frame : frame + across]
