"""Boxes around what a mask marks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from coursekit.wording import described, sentence


def box_from_mask(mask: Tensor) -> Tensor:
    """The smallest box around all cells that are not 0.

    Parameters
    ----------
    mask : Tensor (..., H, W)
        Bool or whole numbers, such as ``masks == 3``.

    Returns
    -------
    Tensor (..., 4)
        float32 ``(x, y, width, height)`` in cells: one lonely cell has width 1 and height 1. (torchvision's
        ``masks_to_boxes`` ends *on* the last cell instead, so its boxes are 1 short.) Zeros where no cell is
        marked.

    Raises
    ------
    TypeError
        Not a tensor, or one of floating dtype.
    ValueError
        Fewer than two axes, or no cells.

    Examples
    --------
    >>> mask = torch.zeros(4, 6, dtype=torch.int64)
    >>> mask[1:3, 2:5] = 1
    >>> box_from_mask(mask)
    tensor([2., 1., 3., 2.])
    """
    marked = _require_mask(mask) != 0
    return box_around_lines(marked.any(-2), marked.any(-1))


def box_around_lines(columns: Tensor, rows: Tensor) -> Tensor:
    """The box around the columns and the rows that hold something.

    Parameters
    ----------
    columns, rows : Tensor (..., W) and (..., H)
        Bool: whether each column, and each row, holds a marked cell.

    Returns
    -------
    Tensor (..., 4)
        float32 ``(x, y, width, height)``; zeros where nothing is marked.

    Examples
    --------
    >>> box_around_lines(torch.tensor([False, True, True]), torch.tensor([True, False]))
    tensor([1., 0., 2., 1.])
    """
    (x, width), (y, height) = _span(columns), _span(rows)
    return torch.stack([x, y, width, height], dim=-1).to(torch.float32)


def _span(line: Tensor) -> tuple[Tensor, Tensor]:
    """Where the marked stretch of each line begins, and how long it is; 0 and 0 where there is none."""
    marks = line.to(torch.int64)
    first = marks.argmax(-1)
    beyond = line.shape[-1] - marks.flip(-1).argmax(-1)
    return first, torch.where(line.any(-1), beyond - first, 0)


def _require_mask(mask: Any) -> Tensor:
    expected = "mask as a tensor (..., H, W) of bools or whole numbers"
    if not isinstance(mask, Tensor) or mask.is_floating_point() or mask.is_complex():
        attempt = "mask > 0.5" if isinstance(mask, Tensor) else "torch.as_tensor(mask)"
        raise TypeError(sentence(expected, described(mask), attempt))
    if mask.ndim < 2 or 0 in mask.shape[-2:]:
        raise ValueError(sentence(expected, described(mask), "a mask of one cell or more, (H, W)"))
    return mask
