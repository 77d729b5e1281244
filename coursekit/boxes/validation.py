"""What the box functions accept, and the sentences that say so: expected, got, try."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from torch import Tensor

from coursekit.wording import described, sentence


def require_boxes(boxes: Any, name: str = "boxes", least_rank: int = 1) -> Tensor:
    """``boxes`` itself when it is a floating tensor ``(..., 4)``; NaN and empty boxes are allowed.

    Raises
    ------
    TypeError
        Not a tensor, or not of a floating dtype.
    ValueError
        The last axis has not length 4, or there are too few axes.
    """
    expected = f"{name} as a float tensor {'(..., 4)' if least_rank == 1 else '(..., N, 4)'}"
    if not isinstance(boxes, Tensor):
        raise TypeError(sentence(expected, described(boxes), f"torch.as_tensor({name}).float()"))
    if not boxes.is_floating_point():
        raise TypeError(sentence(expected, described(boxes), f"{name}.float()"))
    if boxes.ndim == 0 or boxes.shape[-1] != 4:
        raise ValueError(sentence(expected, described(boxes), _advice(boxes, name)))
    if boxes.ndim < least_rank:
        raise ValueError(sentence(expected, described(boxes), f"{name}[None] for a single box"))
    return boxes


def _advice(boxes: Tensor, name: str) -> str:
    if boxes.ndim == 2 and len(boxes) == 4:
        return f"{name}.T"
    fits = boxes.ndim == 1 and boxes.numel() % 4 == 0
    return f"{name}.reshape(-1, 4)" if fits else "four numbers a box: x, y, width, height"


def require_pairable(a: Tensor, b: Tensor) -> None:
    """Refuse two batches of boxes whose shapes do not go together, or that lie on two devices."""
    if a.device != b.device:
        raise TypeError(sentence("a and b on one device", f"{a.device} and {b.device}", "b.to(a.device)"))
    # Not by torch.broadcast_shapes, whose first call imports sympy: seconds of a short training run.
    pairs = zip(reversed(a.shape), reversed(b.shape), strict=False)
    if not all(mine == yours or 1 in (mine, yours) for mine, yours in pairs):
        got = f"{tuple(a.shape)} and {tuple(b.shape)}"
        attempt = "pairwise_iou(a, b) for every a with every b"
        raise ValueError(sentence("as many boxes in a as in b", got, attempt))


def require_size(size: Any) -> tuple[float, float]:
    """``(height, width)``, both above 0.

    Raises
    ------
    TypeError
        Not a pair of numbers.
    ValueError
        A side that is not above 0, or not finite.
    """
    expected, attempt = "size as (height, width) in pixels, both above 0", "size=image.shape[-2:]"
    pair = tuple(size) if isinstance(size, tuple | list) else ()
    if len(pair) != 2 or not all(isinstance(side, Real) and not isinstance(side, bool) for side in pair):
        raise TypeError(sentence(expected, described(size), attempt))
    height, width = map(float, pair)
    if not (0 < height < math.inf and 0 < width < math.inf):
        raise ValueError(sentence(expected, repr(tuple(size)), attempt))
    return height, width
