"""What two heads can share: a net without its last layers, that turns images into features."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any, cast

import torch
from torch import Tensor, nn

from coursekit.nets.blocks import Encoder
from coursekit.nets.segmentation import SegmentationNet, require_widths, scaled
from coursekit.upsampling.validation import described, sentence

ENCODERS = ("encoder", "naive")
_TRIED_ON = (2, 3, 64, 64)


class EncoderFeatures(nn.Module):
    """The deepest features of one of the course's encoders.

    Parameters
    ----------
    encoder : Encoder
        The way down of a :class:`SegmentationNet`, or a new one.
    """

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        """Features ``(N, C, H / 8, W / 8)`` with four levels, for images ``(N, 3, H, W)``."""
        features, _ = self.encoder(scaled(images))
        return cast(Tensor, features)


class TorchvisionFeatures(nn.Module):
    """A torchvision model without its last layers, fed with the colours that its own weights expect."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.layers = _without_the_end(model)
        # Of the ImageNet photographs, as https://docs.pytorch.org/vision/stable/models.html states them.
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """Features ``(N, C, h, w)`` for images ``(N, 3, H, W)``."""
        features = self.layers(((scaled(images) + 1) / 2 - self.mean) / self.deviation)
        return cast(Tensor, list(features.values())[-1] if isinstance(features, dict) else features)


def made_backbone(backbone: Any, widths: Sequence[int], norm: str) -> nn.Module:
    """A feature extractor of its own: nothing that it learns changes the net it was taken from.

    Parameters
    ----------
    backbone : str or nn.Module
        "encoder" or "naive" for a new one; or a :class:`SegmentationNet`, a net with a ``backbone``, a
        torchvision model, or any module that gives features ``(N, C, h, w)``.
    widths, norm
        Of a new one.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.
    """
    if isinstance(backbone, str):
        if backbone not in ENCODERS:
            expected = f"backbone as a net, or one of {', '.join(map(repr, ENCODERS))}"
            raise ValueError(sentence(expected, repr(backbone), 'backbone="encoder"'))
        return EncoderFeatures(Encoder(3, require_widths(widths), norm, pooled=backbone == "encoder"))
    if not isinstance(backbone, nn.Module):
        attempt = f"{backbone.__name__}(…), with its brackets" if isinstance(backbone, type) else '"encoder"'
        raise TypeError(sentence("backbone as a net or a name", described(backbone), attempt))
    copy = deepcopy(backbone).cpu()
    for parameter in copy.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    if isinstance(copy, SegmentationNet):
        return EncoderFeatures(copy.encoder)
    if isinstance(getattr(copy, "box_head", None), nn.Module):
        return cast(nn.Module, copy.backbone)
    return TorchvisionFeatures(copy) if type(copy).__module__.startswith("torchvision.") else copy


def channels_of(backbone: nn.Module) -> int:
    """How many channels its features have, tried out on an image; its own numbers stay as they are."""
    modes = [(module, module.training) for module in backbone.modules()]
    expected = "a backbone that gives features (N, C, h, w) for images (N, 3, H, W)"
    try:
        with torch.no_grad():
            features = backbone.eval()(torch.zeros(_TRIED_ON))
    except Exception as problem:
        got = f"{type(problem).__name__}: {problem}"
        raise ValueError(
            sentence(expected, got, "the backbone alone on torch.zeros(2, 3, 64, 64)")
        ) from problem
    finally:
        for module, training in modes:
            module.training = training
    fine = isinstance(features, Tensor) and features.ndim == 4 and features.shape[0] == _TRIED_ON[0]
    if not fine or not features.is_floating_point() or features.numel() == 0:
        attempt = "the net without its last layers, such as nn.Sequential(*list(net.children())[:-2])"
        raise ValueError(sentence(expected, described(features), attempt))
    return int(features.shape[1])


def _without_the_end(model: nn.Module) -> nn.Module:
    """The part of a torchvision model before it pools everything into one number a channel."""
    for name in ("features", "backbone", "layers"):
        part = getattr(model, name, None)
        if isinstance(part, nn.Module):
            turned = [getattr(model, each) for each in ("norm", "permute") if hasattr(model, "permute")]
            return nn.Sequential(part, *turned) if turned else part
    named = dict(model.named_children())
    ends = [list(named).index(each) for each in ("avgpool", "fc") if each in named]
    if ends:
        return nn.Sequential(*list(named.values())[: min(ends)])
    got = f"{type(model).__name__} with {', '.join(named) or 'no parts'}"
    attempt = "resnet18(weights=…), mobilenet_v3_small(weights=…), or a module of yours that gives features"
    raise ValueError(sentence("a torchvision model with features to take", got, attempt))
