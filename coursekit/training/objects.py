"""The objects in true masks, and what makes one hard: how large, how thin, how much touched by another.

An object is a patch of one class, corners counted; two of one class that touch are one. Ignored pixels first
take the class of the nearest labelled one, so that an object ends in the middle of an unlabelled border.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.training.boundaries import without_gaps


@dataclass(frozen=True)
class Measures:
    """What the true mask says about one object.

    Attributes
    ----------
    image, label : int
        Which image, and its class.
    area : int
        Pixels.
    depth : int
        How many pixels its deepest one lies from the edge, the outermost ones being 1; diagonal steps count
        as one, and the frame of the image is no edge. A band of 6 pixels has depth 3.
    outline : int
        Its pixels with another class, or another object, above, below or beside them.
    touching : int
        Those of the outline that have another object there.
    box : tuple of int
        ``(x, y, width, height)``.
    """

    image: int
    label: int
    area: int
    depth: int
    outline: int
    touching: int
    box: tuple[int, int, int, int]


def numbered_objects(masks: Tensor) -> Tensor:
    """A number for each object of each image, 0 where class 0 is.

    Parameters
    ----------
    masks : Tensor
        ``(N, H, W)`` without ignored pixels.

    Returns
    -------
    Tensor
        ``(N, H, W)`` int64: 1, 2, 3 … through all images.

    Examples
    --------
    >>> numbered_objects(torch.tensor([[[1, 0, 1], [0, 0, 1]], [[2, 1, 0], [2, 0, 1]]])).tolist()
    [[[1, 0, 2], [0, 0, 2]], [[3, 4, 0], [3, 0, 4]]]
    """
    found = torch.arange(masks.numel(), device=masks.device).reshape(masks.shape)
    pairs = [
        (one, other, (masks[one] == masks[other]) & (masks[one] != 0))
        for one, other in _neighbours(masks.shape)
    ]
    while True:  # each pixel points to the last of those that it knows to be of its object
        joined = found.clone()
        for one, other, same in pairs:
            last = torch.maximum(found[one], found[other])
            for side in (one, other):
                joined[side] = torch.where(same, torch.maximum(joined[side], last), joined[side])
        joined = joined.flatten()[joined]  # and then to what that one points to
        if torch.equal(joined, found):
            break
        found = joined
    found = torch.where(masks == 0, -1, found)
    names, numbers = found.unique(return_inverse=True)
    return numbers if -1 in names[:1] else numbers + 1


def measured(masks: Tensor, numbers: Tensor) -> list[Measures]:
    """The measures of every object, object 1 first."""
    count = int(numbers.max()) if numbers.numel() else 0
    edge, touched = _outlines(numbers)
    images, rows, columns = numbers.nonzero(as_tuple=True)
    owner = numbers[images, rows, columns] - 1

    def furthest(values: Tensor, how: str) -> list[int]:
        start = torch.zeros(count, dtype=torch.int64, device=numbers.device)
        found = start.scatter_reduce(0, owner, values.long(), how, include_self=False)
        return [int(value) for value in found]

    def counted(where: Tensor) -> list[int]:
        return [int(value) for value in torch.bincount(numbers[where], minlength=count + 1)[1:]]

    left, top = furthest(columns, "amin"), furthest(rows, "amin")
    wide = [last - first + 1 for first, last in zip(left, furthest(columns, "amax"), strict=True)]
    high = [last - first + 1 for first, last in zip(top, furthest(rows, "amax"), strict=True)]
    figures = (
        furthest(images, "amax"),
        furthest(masks[images, rows, columns], "amax"),
        counted(numbers > 0),
        furthest(_depths(numbers)[images, rows, columns], "amax"),
        counted(edge),
        counted(touched),
    )
    boxes = zip(left, top, wide, high, strict=True)
    return [Measures(*told) for told in zip(*figures, boxes, strict=True)]


def nearest_object(numbers: Tensor, where: Tensor) -> Tensor:
    """The number of the nearest object for each pixel ``where`` says True, in reading order.

    Nearest in rows and columns, a diagonal step being one; 0 in an image without objects.

    Parameters
    ----------
    numbers : Tensor
        ``(N, H, W)`` from :func:`numbered_objects`.
    where : Tensor
        ``(N, H, W)`` bool.
    """
    found = [torch.empty(0, dtype=torch.int64, device=numbers.device)]
    for plane, wanted in zip(numbers, where, strict=True):
        asked, there = wanted.nonzero().float(), (plane > 0).nonzero().float()
        if len(asked) and len(there):
            nearest = torch.cdist(asked, there, p=torch.inf).argmin(1)
            found.append(plane[plane > 0][nearest])
        else:
            found.append(torch.zeros(len(asked), dtype=torch.int64, device=numbers.device))
    return torch.cat(found)


def gapless(masks: Tensor) -> Tensor:
    """Masks in which every ignored pixel has the nearest class; an image with no label at all is class 0."""
    filled = without_gaps(masks)
    return torch.where(filled == 255, 0, filled)


Place = tuple[slice, slice, slice]


def _neighbours(shape: torch.Size, corners: bool = True) -> list[tuple[Place, Place]]:
    """Pairs of slices whose cells are neighbours: across, down and, with corners, along both diagonals."""
    every, first, last = slice(None), slice(None, -1), slice(1, None)
    straight = [((every, every, first), (every, every, last)), ((every, first, every), (every, last, every))]
    diagonal = [((every, first, first), (every, last, last)), ((every, first, last), (every, last, first))]
    return straight + diagonal if corners else straight


def _outlines(numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels with another number above, below or beside them, and those of them with another object there."""
    edge, touched = torch.zeros_like(numbers, dtype=torch.bool), torch.zeros_like(numbers, dtype=torch.bool)
    for one, other in _neighbours(numbers.shape, corners=False):
        differ = numbers[one] != numbers[other]
        both = differ & (numbers[one] > 0) & (numbers[other] > 0)
        for side in (one, other):
            edge[side] |= differ
            touched[side] |= both
    return edge, touched


def _depths(numbers: Tensor) -> Tensor:
    """0 outside objects, 1 for a pixel with another number next to it, and one more for each ring inwards."""
    depth = (numbers > 0).long()
    inside = numbers > 0
    for one, other in _neighbours(numbers.shape):
        differ = numbers[one] != numbers[other]
        for side in (one, other):
            inside[side] &= ~differ
    while bool(inside.any()) and int(depth.max()) <= max(numbers.shape[1:]):
        depth += inside
        outside = functional.max_pool2d((~inside).float()[:, None], 3, stride=1, padding=1)[:, 0]
        inside = inside & (outside == 0)
    return depth
