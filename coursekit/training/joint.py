"""The loss of two heads: how wrong the class is, and by a visible weight how wrong the box is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.boxes import giou
from coursekit.upsampling.validation import described, sentence

BETA = 0.05


class Truth(NamedTuple):
    """What is true about a batch of images.

    Attributes
    ----------
    labels : Tensor
        ``(N,)`` int64.
    boxes : Tensor
        ``(N, 4)`` float ``(x, y, w, h)``, each as a share of the image's width or height; NaN where an
        image has no box.
    """

    labels: Tensor
    boxes: Tensor


def l2(boxes: Tensor, true: Tensor) -> Tensor:
    """Squared distance of the four numbers, for boxes ``(N, 4)``: ``(N,)``."""
    return (boxes - true).square().sum(1)


def smooth_l1(boxes: Tensor, true: Tensor) -> Tensor:
    """Distance of the four numbers, rounded off below 0.05 of the image's side: ``(N,)``.

    Girshick 2015, https://arxiv.org/abs/1504.08083, there with a bend at 1.
    """
    return functional.smooth_l1_loss(boxes, true, reduction="none", beta=BETA).sum(1)


def one_minus_giou(boxes: Tensor, true: Tensor) -> Tensor:
    """From 0 (equal) to 2 (far apart): ``(N,)``.

    Rezatofighi et al. 2019, https://arxiv.org/abs/1902.09630.
    """
    return 1 - giou(boxes, true)


BOX_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "l2": l2,
    "smooth_l1": smooth_l1,
    "giou": one_minus_giou,
}


@dataclass(frozen=True)
class JointLoss:
    """Cross-entropy of the class plus ``weight`` times the loss of the box.

    Both are means over all images of the batch; an image without a box (NaN) adds 0 to the box's part.

    Parameters
    ----------
    box : {"l2", "smooth_l1", "giou"} or callable
        A callable takes boxes and true boxes ``(N, 4)`` and gives ``(N,)``, one loss a box.
    weight : float
        How much the box counts; 0 trains the class alone.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> truth = Truth(torch.tensor([0]), torch.tensor([[0.25, 0.25, 0.5, 0.5]]))
    >>> answer = torch.zeros(1, 2), torch.tensor([[0.25, 0.25, 0.5, 0.25]])
    >>> [round(float(part), 4) for part in JointLoss("l2").parts(*answer, truth)]    # log 2; 0.25 squared
    [0.6931, 0.0625]
    """

    box: str | Callable[[Tensor, Tensor], Tensor] = "giou"
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not callable(self.box) and self.box not in BOX_LOSSES:
            expected = f"the box's loss as one of {', '.join(BOX_LOSSES)}, or a function"
            raise ValueError(sentence(expected, described(self.box), 'JointLoss("giou")'))
        number = isinstance(self.weight, int | float) and not isinstance(self.weight, bool)
        if not number or not 0 <= self.weight < math.inf:
            raise ValueError(sentence("weight as a number from 0", described(self.weight), "weight=1.0"))

    def __call__(self, answer: Any, truth: Truth) -> Tensor:
        """The joint loss of ``answer``, a pair ``(logits, boxes)``: one number."""
        logits, boxes = answer
        class_part, box_part = self.parts(logits, boxes, truth)
        return class_part + self.weight * box_part

    def parts(self, logits: Tensor, boxes: Tensor, truth: Truth) -> tuple[Tensor, Tensor]:
        """The class's part and the box's part, before any weight.

        Parameters
        ----------
        logits : Tensor
            ``(N, classes)``.
        boxes : Tensor
            ``(N, 4)`` as shares of the image's sides.
        truth : Truth
        """
        there = truth.boxes.isfinite().all(1)
        # Where there is no box, the net's own stands in for it: a NaN times 0 would still be NaN.
        true = torch.where(there[:, None], truth.boxes, boxes.detach())
        function = self.box if callable(self.box) else BOX_LOSSES[self.box]
        losses = torch.where(there, function(boxes, true), 0)
        return functional.cross_entropy(logits, truth.labels.long()), losses.mean()
