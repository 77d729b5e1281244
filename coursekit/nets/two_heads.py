"""A net that says what is in an image and where: one feature extractor, two heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from coursekit.nets.backbones import channels_of, made_backbone
from coursekit.nets.box_heads import BOX_HEADS, ClassHead, made_box_head
from coursekit.nets.segmentation import NORMS, require_classes
from coursekit.upsampling.validation import described, sentence


class TwoHeadNet(nn.Module):
    """One shared feature extractor, a classification head and a box head.

    Parameters
    ----------
    classes : int
        How many classes the label can have.
    backbone : str or nn.Module
        Where the features come from. "encoder" (the course's own: deepest features at an eighth of the
        image) and "naive" (no pooling) are new; a trained net gives a copy of its features: a
        :class:`SegmentationNet` (its encoder), another :class:`TwoHeadNet`, a torchvision model with its
        own weights, or any module that gives features ``(N, C, h, w)``.
    box_head : {"spatial", "average"} or nn.Module
        "spatial" looks for each side of the box on the grid of the features. "average" sees the mean over
        all places alone, which has forgotten most of where. A module of your own takes features
        ``(N, C, h, w)`` and gives boxes ``(N, 4)``.
    freeze : bool
        True leaves the features as they are: no gradient, and normalisation always as in evaluation.
        :func:`coursekit.training.fit` then computes the features of its images once.
    widths, norm
        Of a new backbone, as in :class:`SegmentationNet`.
    seed : int or None
        Decides the first weights; None takes them from torch's own random numbers.

    Attributes
    ----------
    backbone, class_head, box_head : nn.Module
        The three parts.
    frozen : bool
        Whether the backbone stays as it is.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> net = TwoHeadNet(5)
    >>> logits, boxes = net(torch.zeros(2, 3, 64, 64, dtype=torch.uint8))
    >>> logits.shape, boxes.shape                   # boxes are (x, y, w, h), 1 is the image's whole side
    (torch.Size([2, 5]), torch.Size([2, 4]))
    """

    def __init__(
        self,
        classes: int,
        backbone: str | nn.Module = "encoder",
        *,
        box_head: str | nn.Module = "spatial",
        freeze: bool = False,
        widths: Sequence[int] = (8, 16, 32, 64),
        norm: str = "batch",
        seed: int | None = 0,
    ) -> None:
        super().__init__()
        self.classes = require_classes(classes)
        if norm not in NORMS:
            raise ValueError(sentence(f"norm as one of {NORMS}", repr(norm), 'norm="batch"'))
        _require_box_head(box_head)
        if not isinstance(freeze, bool):
            raise TypeError(sentence("freeze as True or False", described(freeze), "freeze=True"))
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            self.backbone = made_backbone(backbone, widths, norm)
            channels = channels_of(self.backbone)
            self.class_head = ClassHead(channels, classes, norm=norm)
            made = made_box_head(box_head, channels, norm) if isinstance(box_head, str) else box_head
            self.box_head = made
        self.frozen = freeze
        self.backbone.requires_grad_(not freeze)
        self.train()

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What and where, for images ``(N, 3, H, W)``, uint8 or float from 0 to 1.

        Returns
        -------
        logits : Tensor
            ``(N, classes)``.
        boxes : Tensor
            ``(N, 4)``: ``(x, y, w, h)``, each as a share of the image's width or height.
        """
        return self.heads(self.features(images))

    def features(self, images: Tensor) -> Tensor:
        """What both heads look at, ``(N, C, h, w)``."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return cast(Tensor, self.backbone(images))

    def heads(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(N, classes)`` and boxes ``(N, 4)``, from features that :meth:`features` gave."""
        return self.class_head(features), self.box_head(features)

    def train(self, mode: bool = True) -> TwoHeadNet:
        """As for any module, but a frozen backbone stays in evaluation mode, or it would still change.

        Batch normalisation in training mode uses the batch's own mean and spread, and moves what it
        remembers of them, gradient or not.
        """
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def extra_repr(self) -> str:
        """What torch prints in the net's first line."""
        return f"classes={self.classes}, frozen={self.frozen}"


def _require_box_head(box_head: Any) -> None:
    if isinstance(box_head, nn.Module) or (isinstance(box_head, str) and box_head in BOX_HEADS):
        return
    expected = f"box_head as a module, or one of {', '.join(map(repr, BOX_HEADS))}"
    kind = ValueError if isinstance(box_head, str) else TypeError
    raise kind(sentence(expected, described(box_head), 'box_head="spatial"'))
