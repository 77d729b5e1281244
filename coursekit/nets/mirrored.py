"""Two looks at each picture, one of them in the mirror, and the mean of what they say."""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn

from coursekit.upsampling.validation import described, sentence


class Mirrored(nn.Module):
    """A net that, once trained, is asked about each picture and about its mirror image.

    The two answers are laid over each other and averaged ("test-time augmentation"): slips that depend on
    which way a thing faces cancel. It costs twice the time for an answer and nothing in training, where
    only the picture itself is looked at.

    Parameters
    ----------
    net : nn.Module
        Takes images ``(N, 3, H, W)``, gives logits ``(N, classes, H, W)``; it is trained with this one.

    Raises
    ------
    TypeError
        `net` is no module.

    Examples
    --------
    >>> import torch
    >>> from coursekit.nets import SegmentationNet
    >>> net = Mirrored(SegmentationNet(2)).eval()
    >>> image = torch.rand(1, 3, 8, 8)
    >>> torch.allclose(net(image.flip(3)), net(image).flip(3), atol=1e-6)     # it faces no way
    True
    """

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        if not isinstance(net, nn.Module):
            raise TypeError(sentence("a net (nn.Module)", described(net), "Mirrored(SegmentationNet(2))"))
        self.net = net
        if isinstance(classes := getattr(net, "classes", None), int):
            self.classes = classes

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N, classes, H, W)``; in evaluation mode, logs of the averaged shares."""
        if self.training:
            return cast(Tensor, self.net(images))
        straight, mirrored = self.net(images), self.net(images.flip(3)).flip(3)
        return torch.logaddexp(straight.log_softmax(1), mirrored.log_softmax(1)) - math.log(2)
