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
        ``(N, H, W)`` int64, different in every image and object, though not counted without gaps.
    """
    pixels = masks.shape[1] * masks.shape[2]
    start = torch.arange(1, pixels + 1, device=masks.device).reshape(masks.shape[1:]).float()
    found = torch.zeros(masks.shape, device=masks.device)
    for label in masks.unique().tolist():
        if label:
            solid = masks == label
            found = torch.where(solid, _spread_within(start * solid, solid), found)
    first = torch.arange(len(masks), device=masks.device)[:, None, None] * (pixels + 1)
    return torch.where(found > 0, found.long() + first, 0)


def measured(masks: Tensor, numbers: Tensor) -> dict[int, Measures]:
    """The measures of every object, under its number."""
    edge, touched, depth = _edges(masks, numbers)
    found: dict[int, Measures] = {}
    for image in range(len(masks)):
        for number in numbers[image].unique().tolist():
            if number == 0:
                continue
            here = numbers[image] == number
            rows, columns = here.nonzero(as_tuple=True)
            left, top = int(columns.min()), int(rows.min())
            found[number] = Measures(
                image=image,
                label=int(masks[image][here][0]),
                area=len(rows),
                depth=int(depth[image][here].max()),
                outline=int((edge[image] & here).sum()),
                touching=int((touched[image] & here).sum()),
                box=(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1),
            )
    return found


def nearest_objects(numbers: Tensor) -> Tensor:
    """The nearest object's number at every pixel; 0 in an image without objects."""
    filled = numbers.clone()
    present = (numbers > 0).flatten(1).any(1)[:, None, None]
    while bool(((filled == 0) & present).any()):
        filled = torch.where(filled == 0, _largest_beside(filled.double()).long(), filled)
    return filled


def gapless(masks: Tensor) -> Tensor:
    """Masks in which every ignored pixel has the nearest class; an image with no label at all is class 0."""
    filled = without_gaps(masks)
    return torch.where(filled == 255, 0, filled)


def _spread_within(marks: Tensor, solid: Tensor) -> Tensor:
    """Every pixel takes the greatest mark among its neighbours until none changes."""
    while True:
        spread = _largest_beside(marks) * solid
        if torch.equal(spread, marks):
            return marks
        marks = spread


def _largest_beside(values: Tensor) -> Tensor:
    return functional.max_pool2d(values[:, None], 3, stride=1, padding=1)[:, 0]


def _edges(masks: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels on an outline, those of them beside another object, and how deep each pixel lies."""
    edge, touched = torch.zeros_like(numbers, dtype=torch.bool), torch.zeros_like(numbers, dtype=torch.bool)
    for axis in (1, 2):
        length = masks.shape[axis] - 1
        here, there = numbers.narrow(axis, 0, length), numbers.narrow(axis, 1, length)
        differ = here != there
        both = differ & (here > 0) & (there > 0)
        for start in (0, 1):
            edge.narrow(axis, start, length).logical_or_(differ)
            touched.narrow(axis, start, length).logical_or_(both)
    return edge, touched, _depths(numbers)


def _depths(numbers: Tensor) -> Tensor:
    """1 for a pixel with another number next to it, corners counted; one more for each ring further in."""
    whole = numbers.double()
    inside = torch.ones_like(numbers, dtype=torch.bool)
    depth = torch.zeros_like(numbers)
    while bool(inside.any()):
        depth += inside
        level = torch.where(inside, whole, -1.0)
        inside = inside & (_largest_beside(level) == whole) & (-_largest_beside(-level) == whole)
        inside &= depth < max(numbers.shape[1:])
    return depth
