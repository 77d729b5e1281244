"""A net that gives every pixel a class: down through an encoder, up again by a method of your choice."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, cast

import torch
from torch import Tensor, nn

from coursekit.nets.blocks import Encoder, PerPixel, conv_block
from coursekit.nets.decoders import FACTORIES, Beside, Enlarge, Factory, Join, SkipStep, Unpool
from coursekit.nets.names import UPSAMPLINGS
from coursekit.upsampling.validation import described, is_int, sentence

NORMS = ("batch", "group")


class SegmentationNet(nn.Module):
    """An encoder-decoder for semantic segmentation, small enough to train in a minute.

    Parameters
    ----------
    classes : int
        How many classes a pixel can have, the background included.
    upsampling : str or callable
        How the decoder enlarges. "none" (no pooling, so nothing to enlarge: the same convolutions at full
        resolution), "nearest" and "bilinear" (each with a 1x1 convolution), "max_unpool", "transposed"
        (kernel 4, stride 2), "resize_conv", "pixel_shuffle", "unet"; or a callable
        ``(in_channels, out_channels) -> nn.Module`` that makes a layer of your own, which must double
        rows and columns. :func:`own_layer` makes one of a function on planes.
    widths : sequence of int
        Channels of each level. One more level is one more pooling.
    refine : bool
        True puts the same 3x3 convolution after every step up, so that methods are compared on equal terms.
    skip : callable, optional
        ``skip(large, one, other, weight)``, such as ``mine("skip-step")``: after each enlargement it gets
        the large features, those that the way down left at this level, the smaller ones that came in, and a
        weight ``(C, 2 C, 1, 1)`` to learn; it gives the first two mixed. Not with "none", "max_unpool" and
        "unet", which have no place for it.
    norm : {"batch", "group"}
        "group" looks at one image at a time, so that the size of the batch makes no difference.
    seed : int or None
        Decides the first weights; None takes them from torch's own random numbers.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> net = SegmentationNet(5, "transposed")
    >>> net(torch.zeros(2, 3, 45, 64, dtype=torch.uint8)).shape     # any size, odd ones too
    torch.Size([2, 5, 45, 64])
    """

    def __init__(
        self,
        classes: int,
        upsampling: str | Factory = "transposed",
        widths: Sequence[int] = (8, 16, 32, 64),
        *,
        refine: bool = False,
        skip: SkipStep | None = None,
        norm: str = "batch",
        seed: int | None = 0,
    ) -> None:
        super().__init__()
        self.classes = require_classes(classes)
        self.widths = require_widths(widths)
        if norm not in NORMS:
            raise ValueError(sentence(f"norm as one of {NORMS}", repr(norm), 'norm="batch"'))
        self.upsampling = _name_of(upsampling)
        _require_room_for(skip, self.upsampling, upsampling)
        with torch.random.fork_rng(devices=[], enabled=seed is not None):
            if seed is not None:
                torch.manual_seed(seed)
            self.encoder = Encoder(3, self.widths, norm, pooled=upsampling != "none")
            self.decoder = nn.ModuleList(self._steps_up(upsampling, norm, refine, skip))
            last = self.widths[-1] if upsampling == "none" else self.widths[0]
            self.head = PerPixel(last, classes, bias=True)

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(N, classes, H, W)`` for images ``(N, 3, H, W)``, uint8 or float from 0 to 1."""
        x, levels = self.encoder(scaled(images))
        for step, level in zip(self.decoder, reversed(levels), strict=True):
            x = step(x, level)
        return cast(Tensor, self.head(x))

    def _steps_up(
        self, upsampling: str | Factory, norm: str, refine: bool, skip: SkipStep | None
    ) -> list[nn.Module]:
        if upsampling == "none":
            return []
        pairs = list(zip(self.widths[:0:-1], self.widths[-2::-1], strict=True))
        steps = [_step_up(upsampling, inputs, outputs, norm, skip) for inputs, outputs in pairs]
        if not refine:
            return steps
        return [
            _Refined(step, conv_block(outputs, outputs, norm))
            for step, (_, outputs) in zip(steps, pairs, strict=True)
        ]

    def extra_repr(self) -> str:
        """What torch prints in the net's first line."""
        return f"classes={self.classes}, upsampling={self.upsampling!r}, widths={self.widths}"


class _Refined(nn.Module):
    def __init__(self, step: nn.Module, block: nn.Module) -> None:
        super().__init__()
        self.step, self.block = step, block

    def forward(self, x: Tensor, level: Any) -> Tensor:
        return cast(Tensor, self.block(self.step(x, level)))


def _step_up(
    upsampling: str | Factory, inputs: int, outputs: int, norm: str, skip: SkipStep | None
) -> nn.Module:
    if upsampling == "max_unpool":
        return Unpool(inputs, outputs, norm)
    if upsampling == "unet":
        return Join(inputs, outputs, norm)
    made = FACTORIES[upsampling] if isinstance(upsampling, str) else None
    layer = made(inputs, outputs) if made else _made_by(cast(Factory, upsampling), inputs, outputs)
    return Enlarge(layer, outputs, norm) if skip is None else Beside(layer, outputs, norm, skip)


def _made_by(factory: Factory, inputs: int, outputs: int) -> nn.Module:
    """The layer that a learner's callable makes, tried once on a small grid."""
    call = f"{_name_of(factory)}({inputs}, {outputs})"
    try:
        layer = factory(inputs, outputs)
    except Exception as problem:
        got = f"{type(problem).__name__}: {problem}"
        attempt = "a function of two numbers, the channels that come in and those that go out"
        raise ValueError(sentence(f"{call} to make a layer", got, attempt)) from problem
    if not isinstance(layer, nn.Module):
        attempt = "return nn.ConvTranspose2d(in_channels, out_channels, 2, stride=2)"
        raise TypeError(sentence(f"{call} to return an nn.Module", described(layer), attempt))
    _require_doubling(layer, call, inputs, outputs)
    return layer


def _require_doubling(layer: nn.Module, call: str, inputs: int, outputs: int) -> None:
    small, wanted = (2, inputs, 3, 5), (2, outputs, 6, 10)
    training = layer.training
    layer.eval()  # trying it out must not move what a normalisation layer remembers
    try:
        with torch.no_grad():
            enlarged = layer(torch.zeros(small))
    except Exception as problem:
        got = f"{type(problem).__name__}: {problem}"
        attempt = "the layer alone on torch.zeros(" + ", ".join(map(str, small)) + ")"
        raise ValueError(sentence(f"the layer of {call} to take a grid {small}", got, attempt)) from problem
    finally:
        layer.train(training)
    if not isinstance(enlarged, Tensor):
        raise TypeError(
            sentence(f"the layer of {call} to give a tensor", described(enlarged), "return the enlarged grid")
        )
    if tuple(enlarged.shape) != wanted:
        raise ValueError(
            sentence(
                f"the layer of {call} to turn {small} into {wanted}, rows and columns doubled",
                str(tuple(enlarged.shape)),
                "a stride of 2 and padding that makes the size exact, such as kernel 4 with padding 1",
            )
        )


def _name_of(upsampling: Any) -> str:
    if isinstance(upsampling, str):
        if upsampling in UPSAMPLINGS:
            return upsampling
        close = get_close_matches(upsampling, UPSAMPLINGS, n=1)
        attempt = repr(close[0]) if close else '"transposed"'
        raise ValueError(
            sentence(f"upsampling as one of {', '.join(UPSAMPLINGS)}", repr(upsampling), attempt)
        )
    if isinstance(upsampling, nn.Module):
        made = type(upsampling).__name__
        attempt = f"upsampling={made} or a lambda that makes it: each level needs a layer of its own size"
        raise TypeError(sentence("a callable that makes a layer", f"a finished layer ({made})", attempt))
    if not callable(upsampling):
        raise TypeError(sentence("upsampling as a name or a callable", described(upsampling), '"transposed"'))
    return getattr(upsampling, "__name__", type(upsampling).__name__)


def _require_room_for(skip: Any, name: str, upsampling: Any) -> None:
    if skip is None:
        return
    if not callable(skip):
        attempt = 'mine("skip-step"), or None'
        raise TypeError(
            sentence("skip as a function of (large, one, other, weight)", described(skip), attempt)
        )
    if isinstance(upsampling, str) and upsampling not in FACTORIES:
        expected = f"an upsampling that has room for a skip ({', '.join(FACTORIES)}, or your own)"
        raise ValueError(sentence(expected, repr(name), 'upsampling="transposed"'))


def require_classes(classes: Any) -> int:
    """``classes`` as an int that a byte can hold, or a sentence why not."""
    if not is_int(classes):
        attempt = f"classes={len(classes)}" if isinstance(classes, Sequence) else "classes=2"
        raise TypeError(sentence("classes as a whole number", described(classes), attempt))
    if not 1 <= classes <= 255:
        raise ValueError(
            sentence("1 to 255 classes (a mask holds bytes, 255 means ignore)", str(classes), "classes=2")
        )
    return int(classes)


def require_widths(widths: Any) -> tuple[int, ...]:
    """``widths`` as a tuple of whole numbers, or a sentence why not."""
    fine = isinstance(widths, Sequence) and widths and all(is_int(width) and width > 0 for width in widths)
    if not fine:
        raise ValueError(
            sentence("widths as positive whole numbers, one a level", repr(widths), "widths=(8, 16, 32, 64)")
        )
    return tuple(int(width) for width in widths)


def scaled(images: Any) -> Tensor:
    """Pixels from -1 to 1, whichever way they were stored."""
    if not isinstance(images, Tensor) or images.ndim != 4 or images.shape[1] != 3:
        attempt = (
            "images[None]" if isinstance(images, Tensor) and images.ndim == 3 else "a batch of RGB images"
        )
        raise ValueError(sentence("images as a tensor (N, 3, H, W)", described(images), attempt))
    if images.numel() == 0:
        raise ValueError(sentence("at least one pixel", described(images), "an image of 1x1 or more"))
    if images.is_floating_point():
        return images * 2 - 1
    if images.dtype != torch.uint8:
        expected = "images as uint8, or floats from 0 to 1"
        raise TypeError(sentence(expected, described(images), "images.to(torch.uint8)"))
    return images / 127.5 - 1
