"""What `MaskLab` is given: a picture, its true mask, perhaps a guess; checked, and made small enough."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.data.wording import described, require_whole, sentence

IGNORE = 255
LEAST_SIDE, MOST_SIDE = 16, 160
MOST_CLASSES = 21
_LONGEST_NAME = 40


@dataclass(frozen=True, eq=False)
class Pictured:
    """One picture to paint on.

    Attributes
    ----------
    image : Tensor
        ``(3, H, W)`` uint8, at most 160 pixels a side.
    truth : Tensor
        ``(H, W)`` uint8: the class of every pixel, 255 where it is ignored.
    classes : tuple of str
        Class 0, the background, first.
    guess : Tensor or None
        ``(H, W)`` uint8, a class for every pixel.
    original : (height, width)
        The size before it was made smaller.
    """

    image: Tensor
    truth: Tensor
    classes: tuple[str, ...]
    guess: Tensor | None
    original: tuple[int, int]

    @classmethod
    def of(cls, image: Any, mask: Any, classes: Any, guess: Any, index: Any) -> Pictured:
        """Read an image with its mask, or one of some ``Samples``."""
        if hasattr(image, "images") and hasattr(image, "masks"):
            image, mask, classes = _one_of(image, mask, classes, index)
        picture, truth = _image(image), _mask(mask, "mask")
        height, width = picture.shape[1:]
        for name, other in (("mask", truth), ("guess", None if guess is None else _mask(guess, "guess"))):
            if other is not None and tuple(other.shape) != (height, width):
                expected = f"a {name} as high and wide as the image, {height} x {width}"
                got = "{} x {}".format(*other.shape)
                raise ValueError(sentence(expected, got, f"the {name} of this very image"))
        names = _names(classes, truth)
        _require_classes(truth, names, "mask", ignored=True)
        shape = shown_shape(height, width)
        small = _shrunk_mask(truth, shape)
        answer = None if guess is None else as_painted(guess, names, (height, width))
        return cls(
            _shrunk_image(picture, shape),
            small,
            names,
            None if answer is None else _shrunk_mask(answer, shape),
            (height, width),
        )


def _one_of(samples: Any, mask: Any, classes: Any, index: Any) -> tuple[Tensor, Tensor, Any]:
    if mask is not None:
        expected = "MaskLab(samples, index=0), or MaskLab(image, mask)"
        raise TypeError(sentence(expected, "samples and a mask", f"index={described(mask)}"))
    number = require_whole(index, "index", 0, len(samples.images) - 1, "index=0")
    return samples.images[number], samples.masks[number], classes or samples.classes


def _array(value: Any) -> np.ndarray[Any, Any]:
    value = value.detach().cpu() if isinstance(value, Tensor) else value
    try:
        return np.asarray(value)
    except (ValueError, TypeError):  # ragged rows
        return np.asarray(None)


def _image(value: Any) -> Tensor:
    array = _array(value)
    expected = f"an image (3, H, W) or (H, W, 3) of uint8, {LEAST_SIDE} pixels a side or more"
    if array.dtype != np.uint8:
        attempt = "(image * 255).byte(), if it goes from 0 to 1"
        raise TypeError(sentence(expected, described(value), attempt))
    if array.ndim == 3 and array.shape[2] == 3:
        array = array.transpose(2, 0, 1)
    if array.ndim != 3 or array.shape[0] != 3 or min(array.shape[1:]) < LEAST_SIDE:
        attempt = "images[0] of a batch, or a larger image"
        raise ValueError(sentence(expected, described(value), attempt))
    return torch.from_numpy(np.array(array))  # a copy: the caller may paint on the original


def _mask(value: Any, name: str) -> Tensor:
    array = _array(value)
    expected = f"a {name} (H, W) of class numbers"
    if array.dtype.kind not in "uib":
        attempt = "load_scenes(1), whose masks are that" if value is None else f"{name}.long()"
        raise TypeError(sentence(expected, described(value), attempt))
    if array.ndim != 2:
        raise ValueError(sentence(expected, described(value), f"{name}[0], if it is one of a batch"))
    if array.size and not 0 <= int(array.min()) <= int(array.max()) <= IGNORE:
        got = f"values from {int(array.min())} to {int(array.max())}"
        raise ValueError(sentence(f"{expected} from 0 to {IGNORE}", got, f"{IGNORE} where nobody knows"))
    return torch.from_numpy(array.astype(np.uint8))


def _names(classes: Any, truth: Tensor) -> tuple[str, ...]:
    """The classes' names; numbers stand in where nobody named them."""
    if classes is None:
        labelled = truth[truth != IGNORE]
        count = max(2, int(labelled.max()) + 1 if len(labelled) else 2)
        return ("background", *(f"class {number}" for number in range(1, count)))
    listed = isinstance(classes, Sequence) and not isinstance(classes, str)
    if not listed or not all(isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME for name in classes):
        expected = f"classes as a row of names, each of 1 to {_LONGEST_NAME} letters"
        raise TypeError(sentence(expected, described(classes), "classes=('background', 'cat')"))
    return tuple(classes)


def _require_classes(mask: Tensor, names: tuple[str, ...], what: str, ignored: bool) -> None:
    if not 2 <= len(names) <= MOST_CLASSES:
        attempt = "classes=('background', 'cat')"
        raise ValueError(sentence(f"2 to {MOST_CLASSES} classes", str(len(names)), attempt))
    allowed = mask < len(names)
    strays = mask[~(allowed | (mask == IGNORE))] if ignored else mask[~allowed]
    if len(strays):
        more = f", or {IGNORE} to ignore a pixel" if ignored else ", one for every pixel"
        expected = f"a {what} with classes from 0 to {len(names) - 1}{more}"
        raise ValueError(sentence(expected, f"the value {int(strays[0])}", "a name for every class"))


def as_painted(value: Any, names: tuple[str, ...], shape: tuple[int, int]) -> Tensor:
    """A mask that somebody paints or a net guesses: a class for every pixel, none ignored."""
    mask = _mask(value, "mask")
    if tuple(mask.shape) != shape:
        got = "{} x {}".format(*mask.shape)
        raise ValueError(sentence("a mask of {} x {}".format(*shape), got, "lab.truth.shape"))
    _require_classes(mask, names, "painted mask", ignored=False)
    return mask


def shown_shape(height: int, width: int) -> tuple[int, int]:
    """The size on which one paints: the longer side at most 160 pixels, the sides' ratio kept.

    Examples
    --------
    >>> shown_shape(375, 500), shown_shape(64, 64)
    ((120, 160), (64, 64))
    """
    longer = max(height, width)
    if longer <= MOST_SIDE:
        return height, width
    shape = tuple(max(1, round(side * MOST_SIDE / longer)) for side in (height, width))
    if min(shape) < LEAST_SIDE:
        expected = f"an image at most {MOST_SIDE // LEAST_SIDE} times as long as it is narrow"
        raise ValueError(sentence(expected, f"{height} x {width}", "a part of it"))
    return shape[0], shape[1]


def _shrunk_image(image: Tensor, shape: tuple[int, int]) -> Tensor:
    """Each new pixel is the mean of the old ones that it covers."""
    if tuple(image.shape[1:]) == shape:
        return image
    from PIL import Image

    whole = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    small = whole.resize((shape[1], shape[0]), Image.Resampling.BOX)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous()


def _shrunk_mask(mask: Tensor, shape: tuple[int, int]) -> Tensor:
    """Each new pixel takes the class of the old one under its middle: a mean of classes would be no class."""
    rows, columns = (
        ((torch.arange(new) + 0.5) * old / new).long() for old, new in zip(mask.shape, shape, strict=True)
    )
    return mask[rows[:, None], columns]


def encoded(values: Tensor) -> str:
    """uint8 numbers as base64, as the browser reads them."""
    return base64.b64encode(values.contiguous().numpy().tobytes()).decode()


def decoded(text: Any, shape: tuple[int, int], classes: int) -> Tensor:
    """A mask from the browser, which may send anything.

    Raises
    ------
    ValueError
        Not base64 of exactly ``H * W`` bytes, each the number of a class.
    """
    count = shape[0] * shape[1]
    expected = f"the classes of {count} pixels, each from 0 to {classes - 1}, as base64"
    wrong = ValueError(sentence(expected, described(text), "lab.mask = a mask (H, W)"))
    if not isinstance(text, str) or len(text) != 4 * -(-count // 3):  # looked at before anything is decoded
        raise wrong
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise wrong from None
    if len(raw) != count or max(raw) >= classes:
        raise wrong
    return torch.frombuffer(bytearray(raw), dtype=torch.uint8).reshape(shape)
