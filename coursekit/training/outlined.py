"""Masks and boxes from one net: the box of an image is the one around what its mask marks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.boxes import box_from_mask, normalize
from coursekit.training.given import Given
from coursekit.training.joint import one_minus_giou
from coursekit.training.losses import IGNORE, cross_entropy
from coursekit.upsampling.validation import described, sentence


@dataclass(frozen=True, eq=False)
class Outlined(Given):
    """Images with their masks, and with their boxes to score with.

    Attributes
    ----------
    boxes : Tensor
        ``(N, 4)`` as shares of the image's sides; NaN where there is none.
    """

    boxes: Tensor

    @classmethod
    def of(cls, samples: Any, name: str) -> Outlined:
        """Read :class:`coursekit.data.Samples`."""
        given = Given.of(samples, name)
        shares = normalize(samples.boxes.float(), given.masks.shape[1:])
        return cls(given.images, given.masks, given.classes, shares)

    def first(self, count: int) -> Outlined:
        """The first ``count`` images with what is true about them."""
        return replace(super().first(count), boxes=self.boxes[:count])

    def for_net(self, net: nn.Module) -> Outlined:
        """The same with a name for every class of ``net``, or a sentence why they do not go together."""
        given = super().for_net(net)
        assert isinstance(given, Outlined)
        return given


def boxes_around(masks: Tensor) -> Tensor:
    """The boxes around what masks ``(N, H, W)`` mark, whichever class: ``(N, 4)`` as shares of the sides.

    Ignored pixels mark nothing. NaN where a mask marks nothing at all.

    Examples
    --------
    >>> boxes_around(torch.tensor([[[0, 1], [0, 255]]])).tolist()
    [[0.5, 0.0, 0.5, 0.5]]
    """
    boxes = normalize(box_from_mask((masks != 0) & (masks != IGNORE)), masks.shape[1:])
    return torch.where(boxes[:, 2:3] > 0, boxes, math.nan)


@dataclass(frozen=True)
class MaskBoxLoss:
    """Cross-entropy of the pixels plus ``weight`` times 1 - GIoU of the box.

    The true box is read off the mask, after whatever an augmentation did to it.

    Parameters
    ----------
    weight : float
        How much the box counts; 0 trains the masks alone.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> answer = torch.zeros(1, 2, 2, 2), torch.tensor([[0.5, 0.0, 0.5, 1.0]])
    >>> round(float(MaskBoxLoss()(answer, torch.tensor([[[0, 1], [0, 1]]]))), 4)   # log 2, and a perfect box
    0.6931
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        number = isinstance(self.weight, int | float) and not isinstance(self.weight, bool)
        if not number or not 0 <= self.weight < math.inf:
            raise ValueError(sentence("weight as a number from 0", described(self.weight), "weight=1.0"))

    def __call__(self, answer: Any, masks: Tensor) -> Tensor:
        """The loss of ``answer``, logits ``(N, classes, H, W)`` and boxes ``(N, 4)``: one number."""
        logits, boxes = answer
        true = boxes_around(masks)
        there = true.isfinite().all(1)
        # Where there is no box, the net's own stands in for it: a NaN times 0 would still be NaN.
        losses = torch.where(
            there, one_minus_giou(boxes, torch.where(there[:, None], true, boxes.detach())), 0
        )
        return cross_entropy(logits, masks) + self.weight * losses.mean()


def loss_for_both(loss: Any) -> Any:
    """The default for masks becomes the one for masks and boxes."""
    return MaskBoxLoss() if loss is cross_entropy else loss


def gives_both(answer: Any) -> bool:
    """Whether a net's answer is a pair of mask logits and boxes."""
    pair = isinstance(answer, tuple | list) and len(answer) == 2
    return pair and isinstance(answer[0], Tensor) and answer[0].ndim == 4


def mask_logits(answer: Any) -> Any:
    """The mask's part of a net's answer, whether or not it gives a box besides."""
    return answer[0] if gives_both(answer) else answer
