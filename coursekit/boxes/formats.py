"""Ways to write a box down, and to cut it off at an image's edge."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.boxes.validation import require_boxes, require_size

Size = tuple[int, int] | tuple[float, float] | torch.Size


def xywh_to_xyxy(boxes: Tensor) -> Tensor:
    """Upper left corner and size to upper left and lower right corner.

    Parameters
    ----------
    boxes : Tensor (..., 4)
        ``(x, y, width, height)``, floating. A negative size puts the second corner before the first.

    Returns
    -------
    Tensor (..., 4)
        ``(left, top, right, bottom)``; right and bottom are where the box ends: a box of width 1 at x = 2
        ends at 3.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> xywh_to_xyxy(torch.tensor([2.0, 1.0, 3.0, 4.0]))     # 2 + 3 and 1 + 4
    tensor([2., 1., 5., 5.])
    """
    corner, size = require_boxes(boxes).split(2, dim=-1)
    return torch.cat([corner, corner + size], dim=-1)


def xyxy_to_xywh(boxes: Tensor) -> Tensor:
    """Upper left and lower right corner to upper left corner and size.

    Parameters and errors as for :func:`xywh_to_xyxy`, the other way round.

    Examples
    --------
    >>> xyxy_to_xywh(torch.tensor([2.0, 1.0, 5.0, 5.0]))     # 5 - 2 and 5 - 1
    tensor([2., 1., 3., 4.])
    """
    first, last = require_boxes(boxes).split(2, dim=-1)
    return torch.cat([first, last - first], dim=-1)


def clip(boxes: Tensor, size: Size) -> Tensor:
    """Cut boxes off at the edges of an image.

    Parameters
    ----------
    boxes : Tensor (..., 4)
        ``(x, y, width, height)`` in pixels. Both corners are moved into the image, each by itself: a box
        wholly outside becomes empty and lies at the edge, and a negative size stays negative or becomes 0.
    size : (int, int)
        Height and width of the image, as in ``image.shape[-2:]``.

    Returns
    -------
    Tensor (..., 4)
        Where a corner was moved, the gradient is 0.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> clip(torch.tensor([-1.0, 2.0, 4.0, 9.0]), size=(6, 8))     # from x 0 to 3, from y 2 to 6
    tensor([0., 2., 3., 4.])
    """
    height, width = require_size(size)
    left, top, right, bottom = xywh_to_xyxy(boxes).unbind(-1)
    across = (left.clamp(0, width), right.clamp(0, width))
    down = (top.clamp(0, height), bottom.clamp(0, height))
    return xyxy_to_xywh(torch.stack([across[0], down[0], across[1], down[1]], dim=-1))


def normalize(boxes: Tensor, size: Size) -> Tensor:
    """Pixels to shares of the image: x and width of its width, y and height of its height.

    Parameters
    ----------
    boxes : Tensor (..., 4)
        ``(x, y, width, height)`` in pixels, or two corners: each second number counts downwards in both.
    size : (int, int)
        Height and width of the image, as in ``image.shape[-2:]``.

    Returns
    -------
    Tensor (..., 4)
        Between 0 and 1 for a box inside the image.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> normalize(torch.tensor([4.0, 3.0, 2.0, 1.5]), size=(6, 8))
    tensor([0.5000, 0.5000, 0.2500, 0.2500])
    """
    return require_boxes(boxes) / _scale(boxes, size)


def denormalize(boxes: Tensor, size: Size) -> Tensor:
    """Shares of the image back to pixels; parameters and errors as for :func:`normalize`.

    Examples
    --------
    >>> denormalize(torch.tensor([0.5, 0.5, 0.25, 0.25]), size=(6, 8))
    tensor([4.0000, 3.0000, 2.0000, 1.5000])
    """
    return require_boxes(boxes) * _scale(boxes, size)


def _scale(boxes: Tensor, size: Size) -> Tensor:
    height, width = require_size(size)
    return boxes.new_tensor([width, height, width, height])
