"""What was handed over to train or to score, checked once: after this, the loop has no questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from coursekit.training.losses import IGNORE
from coursekit.upsampling.validation import described, sentence


@dataclass(frozen=True, eq=False)
class Given:
    """Images with their masks, as whole tensors.

    Attributes
    ----------
    images : Tensor
        ``(N, 3, H, W)`` uint8, or float from 0 to 1.
    masks : Tensor
        ``(N, H, W)`` uint8, 255 ignored.
    classes : tuple of str
        Their names; empty if nobody named them.
    """

    images: Tensor
    masks: Tensor
    classes: tuple[str, ...]

    @classmethod
    def of(cls, samples: Any, name: str) -> Given:
        """Read :class:`coursekit.data.Samples`, or a pair ``(images, masks)``."""
        if isinstance(samples, tuple | list) and len(samples) == 2:
            images, masks, classes = samples[0], samples[1], ()
        elif hasattr(samples, "images") and hasattr(samples, "masks"):
            images, masks, classes = samples.images, samples.masks, tuple(getattr(samples, "classes", ()))
        else:
            expected = f"{name} as Samples, or a pair (images, masks)"
            raise TypeError(sentence(expected, described(samples), "load_scenes(1000)"))
        require_images(images, name)
        _require_masks(masks, images, name)
        return cls(images, masks.to(torch.uint8), classes)

    @classmethod
    def of_images(cls, samples: Any) -> Given:
        """Read images alone."""
        pair = isinstance(samples, tuple | list) and len(samples) == 2
        images = samples[0] if pair else getattr(samples, "images", samples)
        require_images(images, "samples")
        return cls(images, torch.empty(0, dtype=torch.uint8), ())

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.images)

    @property
    def seconds(self) -> float:
        """What it took of the budget to get them ready."""
        return 0.0

    @property
    def notes(self) -> list[str]:
        """What a history should say about them."""
        return []

    def forward_of(self, net: nn.Module) -> Callable[[Tensor], Any]:
        """What turns a batch of them into an answer."""
        return net

    def first(self: Self, count: int) -> Self:
        """The first ``count`` images with their masks."""
        return replace(self, images=self.images[:count], masks=self.masks[:count])

    def for_net(self, net: nn.Module) -> Given:
        """The same with a name for every class of ``net``, or a sentence why they do not go together."""
        wanted = _classes_of(net, self.images[:1])
        if self.classes and len(self.classes) != wanted:
            got = f"{len(self.classes)} in the data ({', '.join(self.classes)})"
            attempt = f"{type(net).__name__}({len(self.classes)}, …)"
            raise ValueError(sentence(f"data with the net's {wanted} classes", got, attempt))
        strays = self.masks[(self.masks >= wanted) & (self.masks != IGNORE)]
        if len(strays):
            got = f"the value {int(strays[0])}"
            attempt = f"a net of {int(strays.max()) + 1} classes, or {IGNORE} for pixels to leave out"
            raise ValueError(
                sentence(f"masks from 0 to {wanted - 1}, or {IGNORE} to ignore a pixel", got, attempt)
            )
        return replace(self, classes=self.classes or tuple(f"class {number}" for number in range(wanted)))


def _classes_of(net: nn.Module, image: Tensor) -> int:
    """How many classes a net tells apart: it says so, or its answer to one image does."""
    said = getattr(net, "classes", None)
    if isinstance(said, int):
        return said
    with judging(net), torch.inference_mode():
        logits = net(image.to(device_of(net)))
    wanted = f"(1, classes, {image.shape[2]}, {image.shape[3]})"
    if isinstance(logits, tuple | list) and len(logits) == 2:  # masks, and boxes besides
        logits = logits[0]
    if not isinstance(logits, Tensor) or logits.ndim != 4 or logits.shape[2:] != image.shape[2:]:
        raise ValueError(
            sentence(f"a net that gives logits {wanted}", described(logits), "SegmentationNet(classes)")
        )
    return logits.shape[1]


@contextmanager
def judging(net: nn.Module) -> Iterator[None]:
    """Every module in evaluation mode, and afterwards each as it was."""
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def require_images(images: Any, name: str) -> None:
    """Refuse what is no batch of finite images."""
    expected = f"{name} with images (N, 3, H, W), uint8 or float from 0 to 1"
    if not isinstance(images, Tensor) or not (images.dtype == torch.uint8 or images.is_floating_point()):
        raise TypeError(sentence(expected, described(images), "uint8 images, as load_scenes gives them"))
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(sentence(expected, described(images), "images[None] for a single one"))
    if images.numel() == 0:
        raise ValueError(sentence(f"{name} with at least one image", described(images), "load_scenes(1000)"))
    if images.is_floating_point() and not torch.isfinite(images).all():
        broken = int((~torch.isfinite(images)).flatten(1).any(1).nonzero()[0])
        got = f"NaN or infinity in image {broken}"
        raise ValueError(
            sentence(f"finite pixels in {name}", got, "images.nan_to_num(), or leave that image out")
        )


def _require_masks(masks: Any, images: Tensor, name: str) -> None:
    wanted = (images.shape[0], *images.shape[2:])
    expected = f"{name} with masks {wanted} of whole numbers"
    if not isinstance(masks, Tensor) or masks.is_floating_point() or masks.is_complex():
        raise TypeError(sentence(expected, described(masks), "masks.to(torch.uint8)"))
    if tuple(masks.shape) != wanted:
        raise ValueError(sentence(expected, described(masks), "one mask an image, as high and as wide"))
    if (
        masks.dtype != torch.uint8
        and masks.dtype != torch.bool
        and not bool(((masks >= 0) & (masks <= IGNORE)).all())
    ):
        got = f"values from {int(masks.min())} to {int(masks.max())}"
        raise ValueError(
            sentence(f"{name} with mask values from 0 to {IGNORE}", got, f"{IGNORE} for pixels to ignore")
        )


def require_net(net: Any) -> None:
    """Refuse what is not a net, or has nothing to learn."""
    if not isinstance(net, nn.Module):
        attempt = "SegmentationNet(…), with its brackets" if isinstance(net, type) else "SegmentationNet(5)"
        raise TypeError(sentence("a net (nn.Module)", described(net), attempt))


def device_of(net: nn.Module) -> torch.device:
    """Where a net's numbers are."""
    first = next(net.parameters(), None)
    return torch.device("cpu") if first is None else first.device


def named_device(name: Any) -> torch.device:
    """The device asked for, or a sentence: there is no silent fallback.

    Parameters
    ----------
    name : str or torch.device
        "auto" takes a GPU when there is one.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise ValueError(sentence('device "auto", "cpu" or "cuda"', repr(name), 'device="auto"')) from None
    if device.type == "cpu":
        return device
    if device.type != "cuda":
        raise ValueError(sentence('device "auto", "cpu" or "cuda"', repr(name), 'device="auto"'))
    if not torch.cuda.is_available():
        got = "no GPU that torch can use on this machine"
        raise ValueError(sentence(f"a GPU for device={str(name)!r}", got, 'device="cpu" or device="auto"'))
    if (device.index or 0) >= torch.cuda.device_count():
        got = f"{torch.cuda.device_count()} GPU(s)"
        raise ValueError(sentence(f"a GPU of number {device.index}", got, 'device="cuda:0"'))
    return device
