"""What training makes small."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

IGNORE = 255


def cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """Mean over all labelled pixels of minus the log of the probability given to the true class.

    Parameters
    ----------
    logits : Tensor
        ``(N, classes, H, W)``, before any softmax.
    masks : Tensor
        ``(N, H, W)`` whole numbers; 255 marks pixels that do not count.

    Returns
    -------
    Tensor
        One number; 0 where no pixel counts (a mean of nothing would be NaN).

    Examples
    --------
    >>> import torch
    >>> round(float(cross_entropy(torch.zeros(1, 4, 2, 2), torch.zeros(1, 2, 2))), 4)     # log 4
    1.3863
    """
    masks = masks.long()
    total = functional.cross_entropy(logits, masks, ignore_index=IGNORE, reduction="sum")
    return total / (masks != IGNORE).sum().clamp_min(1)
