"""The pieces that every net here is made of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Level:
    """What the way down leaves behind for the way up, at one resolution."""

    features: Tensor  # [N, width, H, W] before pooling
    switches: Tensor  # [N, width, ceil(H / 2), ceil(W / 2)] where each maximum stood

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns before pooling."""
        return self.features.shape[-2], self.features.shape[-1]


class SteadyBatchNorm(nn.BatchNorm2d):
    """Batch normalisation that also works where a channel has a single number.

    One image that pooling has shrunk to one pixel has no spread to divide by. Then the running figures
    serve, as they do after training.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` ``(N, C, H, W)``."""
        if self.training and x.numel() == x.shape[1]:
            return functional.batch_norm(
                x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        return super().forward(x)


class PerPixel(nn.Conv2d):
    """A 1x1 convolution, worked out as what it is: one matrix for every pixel.

    torch takes a slow way through its convolutions for so small a kernel.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = False) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, outputs, H, W)``."""
        pixels = x.permute(0, 2, 3, 1)
        return functional.linear(pixels, self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


def norm_of(kind: str, channels: int) -> nn.Module:
    """A normalisation layer: "batch", or "group", which looks at one image at a time."""
    if kind == "batch":
        return SteadyBatchNorm(channels)
    groups = next(count for count in (4, 2, 1) if channels % count == 0)
    return nn.GroupNorm(groups, channels)


def conv_block(inputs: int, outputs: int, norm: str) -> nn.Sequential:
    """3x3 convolution, normalisation, ReLU; rows and columns stay."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), norm_of(norm, outputs), nn.ReLU(inplace=True)
    )


class Encoder(nn.Module):
    """Conv blocks, level by level, each level half as high and wide as the one before.

    Level k, counted from 0, has k blocks, and at least one: deep down a convolution sees far and costs
    little, and that is where a net finds out what it looks at.

    Parameters
    ----------
    inputs : int
        Channels of the images.
    widths : sequence of int
        Channels of each level. The last level is not pooled.
    norm : str
        "batch" or "group".
    pooled : bool
        False leaves the pooling out: one block a level, all at full resolution, which is price enough.
    """

    def __init__(self, inputs: int, widths: tuple[int, ...], norm: str, pooled: bool = True) -> None:
        super().__init__()
        self.pooled = pooled
        before = (inputs, *widths)
        self.blocks = nn.ModuleList(
            _blocks(before[level], width, norm, count=max(1, level) if pooled else 1)
            for level, width in enumerate(widths)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, list[Level]]:
        """Deepest features, and a :class:`Level` for each pooling, shallowest first."""
        levels: list[Level] = []
        x = self.blocks[0](images)
        for block in self.blocks[1:]:
            if self.pooled:
                # ceil_mode: an odd row keeps a place of its own, so the way up only ever has to crop.
                pooled, switches = functional.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
                levels.append(Level(x, switches))
                x = pooled
            x = block(x)
        return x, levels


def _blocks(inputs: int, outputs: int, norm: str, count: int) -> nn.Sequential:
    more = (conv_block(outputs, outputs, norm) for _ in range(count - 1))
    return nn.Sequential(conv_block(inputs, outputs, norm), *more)


def fitted(x: Tensor, size: tuple[int, int]) -> Tensor:
    """``x`` cropped at the bottom and at the right to ``size``, the row or column that an odd side adds."""
    return x if x.shape[-2:] == torch.Size(size) else x[..., : size[0], : size[1]]
