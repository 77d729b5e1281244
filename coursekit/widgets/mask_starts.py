"""Masks to start from: right, or wrong in one way each."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.training.boundaries import without_gaps
from coursekit.widgets.mask_inputs import IGNORE, Pictured

GROWN_BY, SHIFTED_BY, BLOCK = 2, 3, 8

LABELS = {
    "empty": "empty",
    "truth": "the truth",
    "grown": f"truth, grown {GROWN_BY} px",
    "shifted": f"truth, moved {SHIFTED_BY} px",
    "blocks": f"truth in {BLOCK} × {BLOCK} blocks",
    "guess": "the net's answer",
}


def starts_of(given: Pictured) -> dict[str, Tensor]:
    """Every mask to start from, ``(H, W)`` uint8 each, with no pixel ignored."""
    truth = complete(given.truth)
    found = {
        "empty": torch.zeros_like(truth),
        "truth": truth,
        "grown": grown(truth, GROWN_BY),
        "shifted": moved(truth, 0, SHIFTED_BY),
        "blocks": in_blocks(truth, BLOCK),
    }
    return found if given.guess is None else {**found, "guess": given.guess}


def complete(truth: Tensor) -> Tensor:
    """The truth with a class for every pixel: an ignored one takes that of the nearest labelled one."""
    filled = without_gaps(truth[None])[0]
    return torch.where(filled == IGNORE, 0, filled).to(torch.uint8)


def grown(mask: Tensor, pixels: int) -> Tensor:
    """Objects fatter all round: background takes the largest class among its eight neighbours.

    Examples
    --------
    >>> grown(torch.tensor([[0, 0, 0, 2]], dtype=torch.uint8), 2).tolist()
    [[0, 2, 2, 2]]
    """
    for _ in range(pixels):
        largest = functional.max_pool2d(mask[None].float(), 3, stride=1, padding=1)[0].to(torch.uint8)
        mask = torch.where(mask == 0, largest, mask)
    return mask


def shrunk(mask: Tensor, pixels: int) -> Tensor:
    """Objects thinner all round: a pixel beside the background, corners counted, becomes background."""
    for _ in range(pixels):
        background = functional.max_pool2d((mask == 0)[None].float(), 3, stride=1, padding=1)[0] > 0
        mask = torch.where(background, 0, mask).to(torch.uint8)
    return mask


def moved(mask: Tensor, down: int, right: int) -> Tensor:
    """The mask moved by whole pixels; what comes in from outside is background.

    Examples
    --------
    >>> moved(torch.tensor([[1, 2, 3]], dtype=torch.uint8), 0, 1).tolist()
    [[0, 1, 2]]
    """
    height, width = mask.shape
    padded = functional.pad(mask, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0)))
    return padded[max(-down, 0) :, max(-right, 0) :][:height, :width].contiguous()


def in_blocks(mask: Tensor, side: int) -> Tensor:
    """Each block takes its most frequent class; of several, the smallest number."""
    height, width = mask.shape
    coarse = mask.clone()
    for top in range(0, height, side):
        for left in range(0, width, side):
            block = coarse[top : top + side, left : left + side]
            block[:] = torch.bincount(block.flatten().long()).argmax()
    return coarse
