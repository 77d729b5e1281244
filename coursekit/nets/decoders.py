"""The ways back up: each doubles rows and columns, and each is one line of the lecture."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from coursekit.nets.blocks import Level, PerPixel, conv_block, fitted, norm_of

Factory = Callable[[int, int], nn.Module]
SkipStep = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""``(large, one, other, weight) -> mixed``: `large` beside whichever of the two levels has its size."""


class RepeatedPixels(nn.Module):
    """Nearest neighbour: every cell becomes a block of 2x2."""

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``(N, C, H, W)`` to ``(N, C, 2 H, 2 W)``."""
        return functional.interpolate(x, scale_factor=2, mode="nearest")


class BlendedPixels(nn.Module):
    """Bilinear: every new cell mixes its four nearest old ones."""

    def forward(self, x: Tensor) -> Tensor:
        """Enlarge ``(N, C, H, W)`` to ``(N, C, 2 H, 2 W)``."""
        return functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def nearest(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution, then nearest neighbour (the order makes no difference, but this one is cheaper)."""
    return nn.Sequential(PerPixel(inputs, outputs), RepeatedPixels())


def bilinear(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution, then bilinear enlargement."""
    return nn.Sequential(PerPixel(inputs, outputs), BlendedPixels())


def transposed(inputs: int, outputs: int) -> nn.Module:
    """A transposed convolution, kernel 4 and stride 2: every output cell gets the same number of stamps."""
    return nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)


def resize_conv(inputs: int, outputs: int) -> nn.Module:
    """Nearest neighbour, then a 3x3 convolution."""
    return nn.Sequential(RepeatedPixels(), nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))


def pixel_shuffle(inputs: int, outputs: int) -> nn.Module:
    """A 3x3 convolution makes four channels for each one wanted; they become the seats of a 2x2 block."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=False), nn.PixelShuffle(2))


FACTORIES: dict[str, Factory] = {
    "nearest": nearest,
    "bilinear": bilinear,
    "transposed": transposed,
    "resize_conv": resize_conv,
    "pixel_shuffle": pixel_shuffle,
}


class Enlarge(nn.Module):
    """One step up with any layer that doubles rows and columns; it looks at nothing but ``x``."""

    def __init__(self, upsampler: nn.Module, outputs: int, norm: str) -> None:
        super().__init__()
        self.upsampler = upsampler
        self.finish = nn.Sequential(norm_of(norm, outputs), nn.ReLU(inplace=True))

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """``(N, inputs, h, w)`` to ``(N, outputs, *level.size)``."""
        return cast(Tensor, self.finish(fitted(self.upsampler(x), level.size)))


class Unpool(nn.Module):
    """One step up by max unpooling: every value goes back to where its maximum stood; then a 3x3 conv."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__()
        self.narrow = nn.Sequential(PerPixel(inputs, outputs), norm_of(norm, outputs), nn.ReLU(inplace=True))
        self.spread = conv_block(outputs, outputs, norm)

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """``(N, inputs, h, w)`` to ``(N, outputs, *level.size)``."""
        return cast(Tensor, self.spread(put_back(self.narrow(x), level.switches, level.size)))


def put_back(values: Tensor, switches: Tensor, size: tuple[int, int]) -> Tensor:
    """Max unpooling: each value where its maximum stood, zeros elsewhere.

    torch's ``max_unpool2d`` gives the same, but its first call loads a library of symbols for three seconds.
    """
    images, channels = values.shape[:2]
    canvas = values.new_zeros(images, channels, size[0] * size[1])
    return canvas.scatter(2, switches.flatten(2), values.flatten(2)).reshape(images, channels, *size)


class Join(nn.Module):
    """One step up of a U-Net: enlarge, lay the features of the way down beside it, mix by a 3x3 conv."""

    def __init__(self, inputs: int, outputs: int, norm: str) -> None:
        super().__init__()
        self.enlarge = Enlarge(nearest(inputs, outputs), outputs, norm)
        self.mix = conv_block(2 * outputs, outputs, norm)

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """``(N, inputs, h, w)`` to ``(N, outputs, *level.size)``."""
        return cast(Tensor, self.mix(torch.cat([self.enlarge(x, level), level.features], dim=1)))


class Beside(nn.Module):
    """One step up by any layer; then a function lays the features of the way down beside it and mixes."""

    def __init__(self, upsampler: nn.Module, outputs: int, norm: str, skip: SkipStep) -> None:
        super().__init__()
        self.upsampler, self.skip = upsampler, skip
        self.weight = nn.Parameter(torch.randn(outputs, 2 * outputs, 1, 1) * outputs**-0.5)
        self.finish = nn.Sequential(norm_of(norm, outputs), nn.ReLU(inplace=True))

    def forward(self, x: Tensor, level: Level) -> Tensor:
        """``(N, inputs, h, w)`` to ``(N, outputs, *level.size)``."""
        large = fitted(self.upsampler(x), level.size)
        return cast(Tensor, self.finish(self.skip(large, level.features, x, self.weight)))
