"""Samples: images with what is true about them, kept as whole tensors, because training gathers by index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from coursekit.data.wording import described, is_whole, sentence

IGNORE = 255


@dataclass(frozen=True, eq=False, repr=False)
class Samples:
    """Images with their masks, boxes and labels.

    A notebook shows a gallery of the first few as a cell's last value.

    Parameters
    ----------
    images : Tensor
        ``(N, 3, H, W)`` uint8, red, green, blue.
    masks : Tensor
        ``(N, H, W)`` uint8: the class of every pixel, or ``ignore`` where nobody knows it.
    boxes : Tensor
        ``(N, 4)`` float32 ``(x, y, width, height)`` in pixels; ``(x, y)`` is the upper left corner.
    labels : Tensor
        ``(N,)`` int64: what the box holds, an index into ``label_names``.
    classes : tuple of str
        The names of the mask's classes, class 0 first.
    label_names : tuple of str, optional
        The names of the labels; ``classes`` when left out.
    ignore : int
        The mask value that counts neither in a loss nor in a score.

    Raises
    ------
    TypeError
        A field of another type or dtype.
    ValueError
        Shapes that do not go together, a mask value that names no class, or a label without a name.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> scenes = load_scenes(6, objects=1)
    >>> len(scenes), len(scenes[:2]), scenes.classes[1]
    (6, 2, 'disc')
    """

    images: Tensor  # [N, 3, H, W]
    masks: Tensor  # [N, H, W]
    boxes: Tensor  # [N, 4]
    labels: Tensor  # [N]
    classes: tuple[str, ...]
    label_names: tuple[str, ...] = ()
    ignore: int = IGNORE

    def __post_init__(self) -> None:
        for name, dtype, rank in _FIELDS:
            _require_tensor(getattr(self, name), name, dtype, rank)
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "label_names", tuple(self.label_names) or self.classes)
        _require_agreement(self)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, which: int | slice | Tensor | Sequence[int]) -> Samples:
        """Some of the samples, as ``Samples`` again; a single index gives one, still with its axis N."""
        rows = self._rows(which)
        chosen = {name: getattr(self, name)[rows] for name, _, _ in _FIELDS}
        return replace(self, **chosen)

    def _rows(self, which: Any) -> slice | Tensor:
        """What torch can index with, and keep the axis N."""
        if isinstance(which, slice):
            backwards = which.step is not None and which.step < 0  # torch has no such slices
            return torch.tensor(range(len(self))[which], dtype=torch.int64) if backwards else which
        if is_whole(which):
            if not -len(self) <= which < len(self):
                expected = f"an index from {-len(self)} to {len(self) - 1}"
                raise IndexError(sentence(expected, str(which), "a slice, such as samples[:4]"))
            return slice(int(which), int(which) + 1 or None)
        try:
            rows = torch.as_tensor(which, device=self.images.device)
            if rows.numel() == 0:
                rows = rows.to(torch.int64)
            if rows.dtype.is_floating_point or rows.ndim > 1:
                raise TypeError
        except (TypeError, ValueError, RuntimeError):
            expected = "an index, a slice, or one row of indices"
            raise TypeError(sentence(expected, described(which), "samples[:4], or samples[[0, 2]]")) from None
        return rows.reshape(-1)

    def __iter__(self) -> Iterator[Samples]:
        return (self[index] for index in range(len(self)))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the images, in pixels."""
        return self.images.shape[-2], self.images.shape[-1]

    def __repr__(self) -> str:
        height, width = self.size
        names = ", ".join(self.classes)
        return f"Samples: {len(self)} images of {height} x {width} pixels · classes {names}"

    def _repr_html_(self) -> str:
        from coursekit.data.gallery import as_html

        return as_html(self)


_FIELDS = (
    ("images", torch.uint8, 4),
    ("masks", torch.uint8, 3),
    ("boxes", torch.float32, 2),
    ("labels", torch.int64, 1),
)


def _require_tensor(value: Any, name: str, dtype: torch.dtype, rank: int) -> None:
    kind = str(dtype).removeprefix("torch.")
    expected = f"{name} as a {kind} tensor of {rank} axes"
    if not isinstance(value, Tensor) or value.dtype != dtype:
        attempt = f"{name}.to(torch.{kind})" if isinstance(value, Tensor) else f"torch.as_tensor({name})"
        raise TypeError(sentence(expected, described(value), attempt))
    if value.ndim != rank:
        raise ValueError(sentence(expected, described(value), f"{name}[None] for a single sample"))


def _require_agreement(samples: Samples) -> None:
    count, channels, height, width = samples.images.shape
    if channels != 3:
        raise ValueError(sentence("images with 3 channels", str(channels), "images.expand(-1, 3, -1, -1)"))
    shapes = {"masks": (count, height, width), "boxes": (count, 4), "labels": (count,)}
    for name, shape in shapes.items():
        came = tuple(getattr(samples, name).shape)
        if came != shape:
            raise ValueError(sentence(f"{name} of shape {shape}", str(came), "one entry for every image"))
    if not samples.classes or not all(isinstance(name, str) for name in samples.classes):
        raise ValueError(sentence("the classes' names", repr(samples.classes), "('background', 'pet')"))
    unnamed = samples.masks[samples.masks >= len(samples.classes)]
    if bool((unnamed != samples.ignore).any()):
        stray = int(unnamed[unnamed != samples.ignore][0])
        expected = f"mask values from 0 to {len(samples.classes) - 1}, or {samples.ignore} to ignore a pixel"
        raise ValueError(sentence(expected, str(stray), f"classes with a name for {stray}"))
    if count and not 0 <= int(samples.labels.min()) <= int(samples.labels.max()) < len(samples.label_names):
        expected = f"labels from 0 to {len(samples.label_names) - 1}"
        got = f"labels from {int(samples.labels.min())} to {int(samples.labels.max())}"
        raise ValueError(sentence(expected, got, "label_names with a name for every label"))
