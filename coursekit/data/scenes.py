"""Procedural scenes: textured shapes on a textured ground, with exact masks and boxes.

Colour, texture, size and turn say nothing about a shape's class, so a net has to learn the shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor

from coursekit.data.caching import cached
from coursekit.data.painting import painted
from coursekit.data.planning import Recipe, planned
from coursekit.data.samples import Samples
from coursekit.data.shapes import LARGEST_RADIUS, SHAPES
from coursekit.data.wording import described, is_number, require_whole, sentence

CLASSES = ("background", *SHAPES)

# Few enough pixels (96 small scenes) to stay in the processor's cache, enough to outweigh what a call costs.
_PIXELS_AT_ONCE = 96 * 64 * 64
_CHUNKS_PLANNED_AT_ONCE = 24

# Fewer are made faster than a file is read.
_WORTH_KEEPING = 256

# Raised when the same settings give other scenes than before, so that no old cache is taken for a new one.
_VERSION = 1


def load_scenes(
    n: int,
    seed: int = 0,
    size: int = 64,
    objects: int | tuple[int, int] | None = None,
    *,
    radius: tuple[float, float] = (0.14, 0.28),
    occlusion: float = 0.5,
    frequencies: Sequence[float] | None = None,
) -> Samples:
    """Make ``n`` scenes: one to three textured shapes of four classes on a textured ground.

    A scene depends on the seed, its number and the settings alone, so the first 10 of 1,000 are the 10, and
    they are the same on every machine. Masks are exact. ``boxes`` and ``labels`` describe the frontmost
    object, which nothing covers; with ``objects=1`` that is the only one.

    Parameters
    ----------
    n : int
        How many scenes.
    seed : int
        From 0 to 2**32 - 1. Another seed gives other scenes: use one to train and another to score.
    size : int
        Height and width in pixels, 16 to 1024.
    objects : int or pair of int, optional
        How many objects, or the least and the most; 1 to 3 when left out.
    radius : pair of float
        Least and greatest radius of an object, as a share of ``size``, up to 0.36.
    occlusion : float
        How deep an object may lie over an earlier one: 0 keeps them apart where there is room, 1 lets them
        lie anywhere.
    frequencies : sequence of 4 float, optional
        How often each shape comes, relative to the others (disc, square, triangle, ring); equal when left
        out. ``(8, 1, 1, 1)`` makes an unbalanced data set.

    Returns
    -------
    Samples
        Images ``(n, 3, size, size)``, masks, boxes, labels, and five classes, ``"background"`` first.

    Raises
    ------
    TypeError
        A setting of another type.
    ValueError
        A setting out of its range.

    Examples
    --------
    >>> scenes = load_scenes(8, seed=1, objects=1)
    >>> scenes.images.shape, scenes.masks.unique().max() <= 4
    (torch.Size([8, 3, 64, 64]), tensor(True))
    """
    n = require_whole(n, "n", 1, 10_000_000, "load_scenes(1000)")
    seed = require_whole(seed, "seed", 0, 2**32 - 1, "seed=0")
    recipe = _recipe(size, objects, radius, occlusion, frequencies)
    if n < _WORTH_KEEPING:
        made = _made(recipe, seed, n)
    else:
        settings = {"version": _VERSION, "n": n, "seed": seed, **asdict(recipe)}
        made = cached("scenes", settings, lambda: _made(recipe, seed, n))
    return Samples(made["images"], made["masks"], made["boxes"], made["labels"], CLASSES)


def _made(recipe: Recipe, seed: int, count: int) -> dict[str, Tensor]:
    """All scenes: planned block by block, painted chunk by chunk, then put in the order of their numbers."""
    size = recipe.size
    chunk = max(1, _PIXELS_AT_ONCE // size**2)
    made = {
        "images": torch.empty(count, 3, size, size, dtype=torch.uint8, device="cpu"),
        "masks": torch.empty(count, size, size, dtype=torch.uint8, device="cpu"),
        "boxes": torch.empty(count, 4, dtype=torch.float32, device="cpu"),
        "labels": torch.empty(count, dtype=torch.int64, device="cpu"),
    }
    for numbers in torch.arange(count, device="cpu").split(chunk * _CHUNKS_PLANNED_AT_ONCE):
        plan = planned(recipe, seed, numbers)
        parts = [painted(size, plan.part(begin, begin + chunk)) for begin in range(0, len(numbers), chunk)]
        places = plan.numbers.argsort()
        for name, whole in made.items():
            block = torch.cat([part[name] for part in parts])
            torch.index_select(block, 0, places, out=whole[numbers[0] : numbers[-1] + 1])
    return made


def _recipe(
    size: int,
    objects: int | tuple[int, int] | None,
    radius: tuple[float, float],
    occlusion: float,
    frequencies: Sequence[float] | None,
) -> Recipe:
    size = require_whole(size, "size", 16, 1024, "size=64")
    low, high = _numbers(radius, "radius", 2, "radius=(0.14, 0.28)")
    if not 2 / size <= low <= high <= LARGEST_RADIUS:
        expected = f"radius as (least, greatest) from {2 / size:.3f} (2 pixels) to {LARGEST_RADIUS}"
        raise ValueError(sentence(expected, str(radius), "radius=(0.14, 0.28)"))
    if not is_number(occlusion) or not 0 <= occlusion <= 1:
        raise ValueError(sentence("occlusion from 0 to 1", described(occlusion), "occlusion=0.5"))
    shares = _numbers(
        frequencies or (1,) * len(SHAPES), "frequencies", len(SHAPES), "frequencies=(8, 1, 1, 1)"
    )
    if min(shares) < 0 or sum(shares) <= 0:
        expected = "frequencies of 0 or more, not all of them 0"
        raise ValueError(sentence(expected, str(frequencies), "frequencies=(8, 1, 1, 1)"))
    return Recipe(size, _object_counts(objects), (low, high), float(occlusion), shares)


def _object_counts(objects: Any) -> tuple[int, int]:
    pair = (1, 3) if objects is None else objects if isinstance(objects, tuple | list) else (objects, objects)
    if len(pair) != 2:
        expected = "objects as a whole number, or as (least, most)"
        raise ValueError(sentence(expected, described(objects), "objects=(1, 3)"))
    least, most = (require_whole(each, "objects", 1, 12, "objects=1, or objects=(1, 3)") for each in pair)
    if least > most:
        expected = "objects as (least, most)"
        raise ValueError(sentence(expected, described(objects), f"objects=({most}, {least})"))
    return least, most


def _numbers(values: Any, name: str, count: int, attempt: str) -> tuple[float, ...]:
    """``values`` as floats, exactly ``count`` of them."""
    if not isinstance(values, tuple | list) or not all(is_number(each) for each in values):
        raise TypeError(sentence(f"{name} as {count} numbers", described(values), attempt))
    if len(values) != count:
        raise ValueError(sentence(f"{name} as {count} numbers", described(values), attempt))
    return tuple(float(each) for each in values)
