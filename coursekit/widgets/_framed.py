"""A predicted box as a picture: a frame in the colour of its class."""

from __future__ import annotations

import torch
from torch import Tensor


def framed(labels: Tensor, boxes: Tensor, size: tuple[int, int], classes: int) -> Tensor:
    """Masks ``(N, H, W)`` uint8 with the outline of each box in its label, and 0 elsewhere.

    Parameters
    ----------
    labels : Tensor
        ``(N,)``. A label that is 0 or names no class of masks, as the species of pets do, is drawn as 1.
    boxes : Tensor
        ``(N, 4)`` float ``(x, y, width, height)`` in pixels; what lies beyond the frame is not drawn.
    size : (int, int)
        Rows and columns.
    classes : int
        How many classes masks have.

    Examples
    --------
    >>> framed(torch.tensor([2]), torch.tensor([[1.0, 0.0, 3.0, 3.0]]), (4, 5), 3)[0].tolist()
    [[0, 2, 2, 2, 0], [0, 2, 0, 2, 0], [0, 2, 2, 2, 0], [0, 0, 0, 0, 0]]
    """
    rows, columns = size
    line = max(1, round(min(size) / 40))
    x = torch.arange(columns)[None, None, :].expand(len(boxes), 1, -1)
    y = torch.arange(rows)[None, :, None].expand(len(boxes), -1, 1)
    corner, end = boxes[:, :2].round(), (boxes[:, :2] + boxes[:, 2:]).round()
    left, top, right, bottom = (each[:, None, None] for each in torch.cat([corner, end], 1).cpu().unbind(1))

    def within(margin: int) -> Tensor:
        across = (x >= left + margin) & (x < right - margin)
        return across & (y >= top + margin) & (y < bottom - margin)

    known = labels.cpu().where((labels.cpu() > 0) & (labels.cpu() < classes), 1)
    return (known[:, None, None] * (within(0) & ~within(line))).to(torch.uint8)
