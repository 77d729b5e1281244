"""From features to one box: where to look for its sides, and what a mean over all places leaves of that."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from coursekit.nets.blocks import conv_block

REACH = 1.0  # cells by which a cell may say that a side lies beside it


class SpatialBoxHead(nn.Module):
    """Four maps, one for each side of the box, each saying where that side is.

    A softmax turns each map into shares of attention. A side lies at the mean place of the cells, weighed by
    these shares, and each cell corrects its own place by up to a cell (the mean is the soft-argmax of
    Levine et al. 2016, https://arxiv.org/abs/1504.00702). So the answer moves with the object, and is finer
    than the grid.

    Parameters
    ----------
    channels : int
        Of the features.
    hidden : int
        Channels of the 3x3 convolution before the maps.
    norm : str
        "batch" or "group".
    """

    def __init__(self, channels: int, hidden: int = 32, norm: str = "batch") -> None:
        super().__init__()
        self.block = conv_block(channels, hidden, norm)
        self.maps = nn.Conv2d(hidden, 8, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Boxes ``(N, 4)`` for features ``(N, C, h, w)``: ``(x, y, w, h)`` as shares of the image's sides."""
        attention, places = self.looked_at(features)
        first, second = (attention * places).sum((2, 3)).chunk(2, 1)
        corner = torch.minimum(first, second)
        return torch.cat([corner, torch.maximum(first, second) - corner], 1)

    def looked_at(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """How much each cell counts for each side, and where it says that the side is; both ``(N, 4, h, w)``.

        The sides come in the order left, top, right, bottom.
        """
        rows, columns = features.shape[-2:]
        scores, corrections = self.maps(self.block(features)).float().chunk(2, 1)
        attention = scores.flatten(2).softmax(2).view_as(scores)
        x = (torch.arange(columns, device=features.device) + 0.5) / columns
        y = (torch.arange(rows, device=features.device) + 0.5) / rows
        centres = torch.stack([x.expand(rows, -1), y[:, None].expand(-1, columns)]).repeat(2, 1, 1)
        cell = torch.tensor([1 / columns, 1 / rows] * 2, device=features.device)[:, None, None]
        return attention, centres + REACH * cell * corrections.tanh()


class AverageBoxHead(nn.Module):
    """The mean over all places first, then two layers: what is where is gone before anyone asks.

    Parameters
    ----------
    channels : int
        Of the features.
    hidden : int
        Numbers between the two layers.
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(channels, hidden), nn.Linear(hidden, 4)

    def forward(self, features: Tensor) -> Tensor:
        """Boxes ``(N, 4)`` for features ``(N, C, h, w)``; a sigmoid keeps all four numbers in 0 to 1."""
        hidden: Tensor = functional.relu(self.first(features.mean((2, 3))))
        return self.second(hidden).float().sigmoid()


class ClassHead(nn.Module):
    """A look around, the mean over all places, then one layer: what is there, wherever it is.

    Parameters
    ----------
    channels : int
        Of the features.
    classes : int
        How many classes there are to choose from.
    hidden : int
        Channels of the 3x3 convolution before the mean.
    norm : str
        "batch" or "group".
    """

    def __init__(self, channels: int, classes: int, hidden: int = 32, norm: str = "batch") -> None:
        super().__init__()
        self.block = conv_block(channels, hidden, norm)
        self.layer = nn.Linear(hidden, classes)

    def forward(self, features: Tensor) -> Tensor:
        """Logits ``(N, classes)`` for features ``(N, C, h, w)``."""
        logits: Tensor = self.layer(self.block(features).mean((2, 3)))
        return logits


BOX_HEADS = ("spatial", "average")


def made_box_head(kind: str, channels: int, norm: str) -> nn.Module:
    """A box head by its name."""
    return SpatialBoxHead(channels, norm=norm) if kind == "spatial" else AverageBoxHead(channels)
