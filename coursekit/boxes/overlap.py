"""How much two boxes have in common: IoU and GIoU.

IoU (intersection over union) is Jaccard's index of two areas. GIoU is from Rezatofighi and others,
"Generalized Intersection over Union" (CVPR 2019): it goes on falling where boxes are apart.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.boxes.validation import require_boxes, require_pairable


def iou(a: Tensor, b: Tensor) -> Tensor:
    """Intersection over union of boxes, pair by pair.

    Parameters
    ----------
    a, b : Tensor (..., 4)
        ``(x, y, width, height)``, floating; leading axes broadcast. Half precision is computed in float32.

    Returns
    -------
    Tensor (...)
        From 0 to 1: 1 for the same box, 0 where boxes are apart, touch, or one of them is empty (a side of
        0 or below); also where both are empty, although 0/0 could be anything. NaN for a pair with a NaN.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Notes
    -----
    The gradient is finite for finite boxes, and exactly 0 at the same box and wherever boxes are apart, touch
    or are empty.

    Examples
    --------
    >>> a = torch.tensor([0.0, 0.0, 4.0, 4.0])
    >>> iou(a, torch.tensor([2.0, 0.0, 4.0, 4.0]))     # 8 in both, 16 + 16 - 8 in at least one
    tensor(0.3333)
    """
    areas = _measured(a, b)
    return _share(areas.overlap, areas.union)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalized IoU, pair by pair: IoU minus the empty share of the smallest box around both.

    Parameters and errors as for :func:`iou`.

    Returns
    -------
    Tensor (...)
        Above -1 to 1: 1 for the same box, the IoU where the box around both holds nothing else, below 0 where
        boxes are far apart. An empty box counts as the point or line at its corner. Where the box around
        both has no area, 0. NaN for a pair with a NaN.

    Notes
    -----
    Its gradient is finite for finite boxes, and pulls together those that are apart. But the sides of an
    empty box get none: give a learned box sizes above 0 (softplus, sigmoid).

    Examples
    --------
    >>> a = torch.tensor([0.0, 0.0, 4.0, 4.0])
    >>> giou(a, torch.tensor([6.0, 0.0, 4.0, 4.0]))     # around both 10 x 4, of which 8 are empty
    tensor(-0.2000)
    """
    areas = _measured(a, b)
    return _share(areas.overlap, areas.union) - _share(areas.around - areas.union, areas.around)


def pairwise_iou(a: Tensor, b: Tensor) -> Tensor:
    """The IoU of every box of ``a`` with every box of ``b``.

    Parameters
    ----------
    a : Tensor (..., N, 4)
    b : Tensor (..., M, 4)
        ``(x, y, width, height)``, floating.

    Returns
    -------
    Tensor (..., N, M)

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> boxes = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 2.0, 2.0]])
    >>> pairwise_iou(boxes, boxes)
    tensor([[1.0000, 0.3333],
            [0.3333, 1.0000]])
    """
    return iou(require_boxes(a, "a", 2).unsqueeze(-2), require_boxes(b, "b", 2).unsqueeze(-3))


class _Areas(NamedTuple):
    overlap: Tensor
    union: Tensor
    around: Tensor


def _measured(a: Tensor, b: Tensor) -> _Areas:
    require_pairable(require_boxes(a, "a"), require_boxes(b, "b"))
    a_first, a_last = _corners(a)
    b_first, b_last = _corners(b)
    overlap = _area(torch.maximum(a_first, b_first), torch.minimum(a_last, b_last))
    # In this order no rounding takes the union below the overlap: no IoU comes out above 1.
    union = _area(a_first, a_last) + (_area(b_first, b_last) - overlap)
    around = _area(torch.minimum(a_first, b_first), torch.maximum(a_last, b_last))
    return _Areas(overlap, union, around)


def _corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """``(..., 2)`` each. An area of 256 x 256 overflows float16."""
    exact = boxes.float() if boxes.dtype in (torch.float16, torch.bfloat16) else boxes
    first, size = exact.split(2, dim=-1)
    return first, first + size.relu()


def _area(first: Tensor, last: Tensor) -> Tensor:
    width, height = (last - first).relu().unbind(-1)
    return width * height


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """``part / whole``, and 0 with gradient 0 where the whole is nothing (or too small to divide by)."""
    nothing = whole <= torch.finfo(whole.dtype).tiny  # not so for NaN, which stays NaN
    # The inner `where` matters: the gradient of a division by 0 is NaN even where it is not chosen.
    return torch.where(nothing, 0.0, part / torch.where(nothing, 1.0, whole))
