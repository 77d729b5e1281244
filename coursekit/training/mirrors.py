"""Boxes that go along when their images are mirrored, zoomed or moved."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.training.joint import Truth


def turned_over(truth: Truth, chosen: Tensor) -> Truth:
    """Mirror the boxes of the chosen images left to right.

    The left side of the mirrored box is where the right side was, counted from the other edge.

    Examples
    --------
    >>> truth = Truth(torch.tensor([0]), torch.tensor([[0.0, 0.5, 0.25, 0.5]]))
    >>> turned_over(truth, torch.tensor([True])).boxes.tolist()
    [[0.75, 0.5, 0.25, 0.5]]
    """
    x, y, width, height = truth.boxes.unbind(1)
    mirrored = torch.stack([1 - x - width, y, width, height], 1)
    return Truth(truth.labels, torch.where(chosen[:, None], mirrored, truth.boxes))


def seen_through(truth: Truth, views: Tensor) -> Truth:
    """Where the boxes lie in views of their images, cut at the frame.

    Parameters
    ----------
    truth : Truth
    views : Tensor
        ``(N, 2, 3)`` as :func:`torch.nn.functional.affine_grid` takes them, without any turn.

    Returns
    -------
    Truth
        NaN for a box of which nothing is in the frame.
    """
    views = views.to(truth.boxes)
    scale, move = torch.stack([views[:, 0, 0], views[:, 1, 1]], 1), views[:, :, 2]
    corner, size = truth.boxes[:, :2], truth.boxes[:, 2:]
    sides = torch.stack([corner, corner + size]) * 2 - 1  # the frame goes from -1 to 1
    sides = ((sides - move) / scale + 1) / 2
    first, last = sides.amin(0).clamp(0, 1), sides.amax(0).clamp(0, 1)
    boxes = torch.cat([first, last - first], 1)
    gone = (boxes[:, 2:] <= 0).any(1, keepdim=True)
    return Truth(truth.labels, boxes.masked_fill(gone, torch.nan))
