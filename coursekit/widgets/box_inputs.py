"""What `BoxLab` is given: a picture, the true box in it, perhaps a box to begin with; checked."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.data.wording import described, require_whole, sentence

Four = tuple[float, float, float, float]
Size = tuple[int, int]
LEAST_SIDE, MOST_SIDE = 16, 4096
MOST_SHOWN = 512
LEAST_BOX = 1.0
_DUST = 1e-3


@dataclass(frozen=True, eq=False)
class Framed:
    """One picture with the true box, and the box that a visitor begins with.

    Attributes
    ----------
    image : Tensor
        ``(3, h, w)`` uint8, at most 512 pixels a side, only to be looked at.
    size : (height, width)
        Of the picture as it was given: boxes are in its pixels.
    truth, box : (x, y, w, h)
        In pixels, x and y the upper left corner.
    """

    image: Tensor
    size: Size
    truth: Four
    box: Four

    @classmethod
    def of(cls, image: Any, truth: Any, box: Any, index: Any) -> Framed:
        """Read a picture with its box, or one of some ``Samples``; a scene where nothing is given."""
        if image is None:
            image, truth = _a_scene(truth)
        elif hasattr(image, "images") and hasattr(image, "boxes"):
            image, truth = _one_of(image, truth, index)
        picture = _image(image)
        size = int(picture.shape[1]), int(picture.shape[2])
        true = as_box(truth, "truth", size)
        first = _beside(true, size) if box is None else as_box(box, "box", size)
        return cls(_shown(picture), size, true, first)


def _a_scene(truth: Any) -> tuple[Tensor, Any]:
    from coursekit.data import load_scenes

    scene = load_scenes(1, seed=27, size=128, objects=1)
    return scene.images[0], scene.boxes[0] if truth is None else truth


def _one_of(samples: Any, truth: Any, index: Any) -> tuple[Tensor, Any]:
    number = require_whole(index, "index", 0, len(samples.images) - 1, "index=0")
    return samples.images[number], samples.boxes[number] if truth is None else truth


def _image(value: Any) -> Tensor:
    value = value.detach().cpu() if isinstance(value, Tensor) else value
    expected = f"an image (3, H, W) or (H, W, 3) of uint8, {LEAST_SIDE} to {MOST_SIDE} pixels a side"
    if getattr(value, "dtype", None) not in (torch.uint8, np.uint8):
        attempt = "(image * 255).byte(), if it goes from 0 to 1"
        raise TypeError(sentence(expected, described(value), attempt))
    array = np.asarray(value)
    if array.ndim == 3 and array.shape[2] == 3 and array.shape[0] != 3:
        array = array.transpose(2, 0, 1)
    sides = array.shape[1:]
    if array.ndim != 3 or array.shape[0] != 3 or not LEAST_SIDE <= min(sides) <= max(sides) <= MOST_SIDE:
        raise ValueError(sentence(expected, described(value), "images[0] of a batch, or a larger image"))
    return torch.from_numpy(np.array(array))


def _shown(image: Tensor) -> Tensor:
    """The picture small enough to be sent; its boxes stay in its own pixels."""
    longer = max(image.shape[1:])
    if longer <= MOST_SHOWN:
        return image
    from PIL import Image

    width, height = (max(1, round(side * MOST_SHOWN / longer)) for side in (image.shape[2], image.shape[1]))
    whole = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    small = whole.resize((width, height), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def as_box(value: Any, name: str, size: Size) -> Four:
    """A box ``(x, y, w, h)`` in pixels that lies in the picture.

    Raises
    ------
    TypeError
        Not four numbers.
    ValueError
        A number that is none, a side below one pixel, or a box that leaves the picture.
    """
    height, width = size
    expected = f"{name} as four numbers (x, y, w, h) in pixels"
    attempt = f"{name}=({width // 4}, {height // 4}, {width // 2}, {height // 2})"
    listed = value.tolist() if hasattr(value, "tolist") else value
    if not isinstance(listed, list | tuple) or len(listed) != 4 or not all(map(_is_plain, listed)):
        raise TypeError(sentence(expected, described(value), attempt))
    if not all(abs(one) <= MOST_SIDE and isfinite(one) for one in listed):
        raise ValueError(sentence(f"{expected}, finite and in the picture", described(value), attempt))
    x, y, w, h = (float(one) for one in listed)
    if min(w, h) < LEAST_BOX:
        sides = f"{w:g} x {h:g}"
        raise ValueError(sentence(f"a {name} at least {LEAST_BOX:g} pixel wide and high", sides, attempt))
    if min(x, y) < -_DUST or x + w > width + _DUST or y + h > height + _DUST:
        got = f"x from {x:g} to {x + w:g}, y from {y:g} to {y + h:g}"
        hint = f"{attempt}; were these two corners? Then w is x2 - x1"
        raise ValueError(sentence(f"a {name} within the picture, {width} wide and {height} high", got, hint))
    x, y = max(0.0, x), max(0.0, y)
    return x, y, min(w, width - x), min(h, height - y)


def _is_plain(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _beside(truth: Four, size: Size) -> Four:
    """A box that overlaps the true one in part: smaller, and off to the side where there is more room."""
    height, width = size
    x, y, w, h = truth
    wide, high = max(LEAST_BOX, round(0.75 * w)), max(LEAST_BOX, round(0.8 * h))
    left = x - 0.45 * w if x > width - x - w else x + 0.7 * w
    top = y - 0.3 * h if y > height - y - h else y + 0.5 * h
    return (
        float(round(min(max(0.0, left), max(0.0, width - wide)))),
        float(round(min(max(0.0, top), max(0.0, height - high)))),
        float(min(wide, width)),
        float(min(high, height)),
    )
