"""What a picture of a mask needs: its colours as a PNG, the names on it, its box and its score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.boxes import box_from_mask
from coursekit.data.gallery import _coloured, _data_uri, colour_of
from coursekit.data.samples import IGNORE

__all__ = ["Tag", "box_of", "classes_in", "colour_of", "image_uri", "mask_uri", "mean_iou", "name_tags"]

_SPECK = 0.01
"""A class with a smaller share of the pixels gets no name on the picture: specks would hide it."""


@dataclass(frozen=True)
class Tag:
    """A class's name and where to write it, in pixels."""

    name: str
    x: float
    y: float


def image_uri(image: Tensor) -> str:
    """An image ``(3, H, W)``, uint8 or float from 0 to 1, as the address of an inline PNG."""
    if image.is_floating_point():
        image = (image.clamp(0, 1) * 255).round().to(torch.uint8)
    return _data_uri(image.cpu())


def mask_uri(mask: Tensor) -> str:
    """A mask ``(H, W)`` of classes as the address of an inline PNG, in colours safe for colour-blind eyes."""
    return _data_uri(_coloured(mask.cpu()))


def name_tags(mask: Tensor, classes: Sequence[str]) -> list[Tag]:
    """Each class's name at the middle one of its pixels; none for class 0, the ground, nor for specks.

    A name is a ninth of the width high. It is moved a little where it would leave the picture or lie over
    another name.

    Examples
    --------
    >>> mask = torch.zeros(64, 64, dtype=torch.uint8)
    >>> mask[30:33, 20:43] = 1
    >>> name_tags(mask, ("ground", "disc"))  # the middle of the middle pixel
    [Tag(name='disc', x=31.5, y=31.5)]
    """
    tags: list[Tag] = []
    for index, name in enumerate(classes):
        cells = (mask == index).nonzero().float()
        if index == 0 or len(cells) <= _SPECK * mask.numel():
            continue
        # One of its own pixels, because the middle of a ring lies on the ground.
        y, x = cells[(cells - cells.mean(0)).square().sum(1).argmin()].tolist()
        tags.append(_apart(Tag(name, x + 0.5, y + 0.5), tags, mask))
    return tags


def _apart(tag: Tag, others: Sequence[Tag], mask: Tensor) -> Tag:
    """The same name inside the picture and, if there is room, below or above those it would cover."""
    height, width = mask.shape
    line = width / 9
    half = min(width / 2, 0.28 * line * len(tag.name))
    x = min(max(tag.x, half), width - half)
    inside = [min(max(tag.y + shift * line, line / 2), height - line / 2) for shift in (0, 1, -1, 2, -2)]
    free = (
        y
        for y in inside
        if all(abs(y - each.y) >= 0.95 * line or _beside(x, tag, each, line) for each in others)
    )
    return Tag(tag.name, x, next(free, inside[0]))


def _beside(x: float, tag: Tag, other: Tag, line: float) -> bool:
    return abs(x - other.x) >= 0.28 * line * (len(tag.name) + len(other.name))


def classes_in(mask: Tensor, classes: Sequence[str]) -> list[str]:
    """The names of the classes that a mask holds, for those who hear a picture; class 0 is left out."""
    return [name for index, name in enumerate(classes) if index and bool((mask == index).any())]


def mean_iou(truth: Tensor, prediction: Tensor) -> float | None:
    """Intersection over union of one mask, the mean over the classes in truth or prediction.

    Pixels that the truth ignores (255) do not count; None where none is left.

    Examples
    --------
    >>> mean_iou(torch.tensor([[0, 0, 1, 1]]), torch.tensor([[0, 1, 1, 1]]))  # 1/2 and 2/3
    0.5833333333333333
    """
    counted = truth != IGNORE
    pairs = truth[counted].long() * 256 + prediction[counted].long()
    if not len(pairs):
        return None
    table = torch.bincount(pairs, minlength=256 * 256).reshape(256, 256)
    both = table.diagonal()
    either = table.sum(0) + table.sum(1) - both
    present = either > 0
    return float((both[present] / either[present].double()).mean())


def box_of(mask: Tensor) -> tuple[int, int, int, int] | None:
    """The box ``(x, y, width, height)`` around the largest patch that is not class 0, in pixels.

    A patch is what hangs together, corners counted; so a stray pixel far away does not spoil the box.

    Examples
    --------
    >>> mask = torch.zeros(5, 6, dtype=torch.uint8)
    >>> mask[1:3, 2:5] = 1
    >>> mask[4, 0] = 1
    >>> box_of(mask)
    (2, 1, 3, 2)
    """
    solid = (mask != 0) & (mask != IGNORE)
    if not bool(solid.any()):
        return None
    marks = _patches(solid)
    counts = torch.bincount(marks.flatten())
    counts[0] = 0
    x, y, width, height = map(int, box_from_mask(marks == counts.argmax()).tolist())
    return x, y, width, height


def _patches(solid: Tensor) -> Tensor:
    """A number for each patch: every pixel takes the greatest among its neighbours until none changes."""
    marks = torch.arange(1, solid.numel() + 1, device=solid.device).reshape(solid.shape) * solid
    while True:
        spread = functional.max_pool2d(marks[None].double(), 3, stride=1, padding=1)[0].long() * solid
        if torch.equal(spread, marks):
            return marks
        marks = spread
