"""The atlas: what every method does at every setting that the explorer offers, as one small file.

Pages that only show grids must not wait for torch, so they read ``data/atlas.json``. It is built here
from the methods themselves, with :func:`~coursekit.upsampling.probe`. Every method treats rows and
columns alike and apart, so one axis is stored: the contribution of input ``(i, j)`` through kernel cell
``(u, v)`` to output ``(r, c)`` has the gain ``rows[i, u, r] * columns[j, v, c]``. The tests multiply
every pair out and compare it with a probe of the whole grid.

Run ``python -m coursekit.upsampling.atlas`` to rebuild the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.upsampling.methods import (
    bed_of_nails,
    bilinear,
    max_unpool,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)
from coursekit.upsampling.tracing import probe

PATH = Path(__file__).parents[2] / "data" / "atlas.json"
SIZES = range(1, 5)
KERNELS = range(1, 6)
STRIDES = range(1, 4)
PADDINGS = range(5)
OUTPUT_PADDINGS = range(3)
GAIN_DIGITS = 12  # decimals: more than any sum of a few float64 terms shows

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
Axis = tuple[int, list[tuple[int, int, int, float]]]


@dataclass(frozen=True)
class _Method:
    """How one method is offered: its name for people, the settings in its keys, and its one-axis trace."""

    title: str
    key: tuple[str, ...]
    axis: Callable[..., Axis | str]
    takes: str = "grid"  # or "kernel", "switches", "tiles": what the grid comes with


def build() -> dict[str, Any]:
    """Probe every method at every setting.

    Returns
    -------
    dict
        ``gains``: the distinct gains. ``reasons``: why a setting cannot be. ``methods``: for each a
        title, what it ``takes``, the names that make up its ``key``, and its ``axes``, from key to either
        ``"size:…"`` with four base-36 digits a contribution (input, kernel cell, output, place in
        ``gains``), or a place in ``reasons``.

    Examples
    --------
    >>> build()["methods"]["nearest"]["axes"]["2,1"]   # factor 2, one cell: it reaches outputs 0 and 1
    '2:00000010'
    """
    book = _Book()
    methods = {
        name: {
            "title": method.title,
            "takes": method.takes,
            "key": list(method.key),
            "axes": {_key(found): book.entry(method.axis(**found)) for found in _settings(method.key)},
        }
        for name, method in _METHODS.items()
    }
    ranges = {name: [values[0], values[-1]] for name, values in _RANGES.items()}
    return {"format": 1, "ranges": ranges, "gains": book.gains, "reasons": book.reasons, "methods": methods}


def text() -> str:
    """The file's text, the same at every build."""
    return json.dumps(build(), ensure_ascii=False, separators=(",", ":")) + "\n"


class _Book:
    """Writes axes down, and collects what they share."""

    def __init__(self) -> None:
        self.gains: list[float] = [1.0]
        self.reasons: list[str] = []

    def entry(self, axis: Axis | str) -> str | int:
        if isinstance(axis, str):
            return self._place(self.reasons, axis)
        size, contributions = axis
        digits = (
            _DIGITS[i] + _DIGITS[u] + _DIGITS[r] + _DIGITS[self._place(self.gains, round(gain, GAIN_DIGITS))]
            for i, u, r, gain in contributions
        )
        return f"{size}:{''.join(digits)}"

    @staticmethod
    def _place(shelf: list[Any], value: Any) -> int:
        if value not in shelf:
            shelf.append(value)
        return shelf.index(value)


_RANGES = {
    "stride": STRIDES,
    "padding": PADDINGS,
    "output_padding": OUTPUT_PADDINGS,
    "kernel": KERNELS,
    "size": SIZES,
}


def _settings(key: tuple[str, ...]) -> Iterator[dict[str, int]]:
    for values in product(*(_RANGES[name] for name in key)):
        yield dict(zip(key, values, strict=True))


def _key(settings: dict[str, int]) -> str:
    return ",".join(str(value) for value in settings.values())


def _probed(method: Callable[..., Tensor], *inputs: Any, **settings: Any) -> Axis:
    """The trace of a grid of one column, as an axis."""
    trace = probe(method, *inputs, **settings)
    rows = [
        (part.input[0], 0 if part.weight is None else part.weight[0], part.output[0], part.gain)
        for part in trace.contributions
    ]
    return trace.output.shape[0], rows


def _column(cells: int) -> Tensor:
    return torch.arange(1, cells + 1, dtype=torch.float64)[:, None]


def _enlarging(method: Callable[..., Tensor]) -> Callable[..., Axis]:
    def axis(stride: int, size: int) -> Axis:
        return _probed(method, _column(size), factor=(stride, 1))

    return axis


def _unpooled(stride: int, size: int) -> Axis:
    """The place in the block that a switch remembers takes the part of the kernel cell."""
    contributions = []
    for place in range(stride):
        switches = (torch.arange(size) * stride + place)[:, None]
        _, rows = _probed(max_unpool, _column(size), switches, (size * stride, 1))
        contributions += [(i, place, r, gain) for i, _, r, gain in rows]
    return size * stride, sorted(contributions)


def _resized(stride: int, kernel: int, size: int) -> Axis:
    return _probed(resize_conv, _column(size), _column(kernel), factor=(stride, 1))


def _shuffled(stride: int, size: int) -> Axis:
    """Channels lie side by side as tiles, channel ``a * stride + b`` in row a, column b of the tiles."""

    def from_tiles(tiles: Tensor) -> Tensor:
        channels = tiles.reshape(stride, size, stride, size).transpose(1, 2).reshape(-1, size, size)
        return pixel_shuffle(channels, stride)[0]

    trace = probe(from_tiles, torch.ones(stride * size, stride * size, dtype=torch.float64))
    diagonal = [part for part in trace.contributions if part.input[0] == part.input[1]]
    return trace.output.shape[0], [(part.input[0], 0, part.output[0], part.gain) for part in diagonal]


def _transposed(stride: int, padding: int, output_padding: int, kernel: int, size: int) -> Axis | str:
    canvas = (size - 1) * stride + kernel
    if output_padding >= stride:
        sizes = "one output size" if stride == 1 else f"the {stride} output sizes"
        return (
            f"output_padding must be smaller than the stride ({stride}): it chooses among {sizes} that a "
            f"convolution with stride {stride} brings back to this input, so use {_choices(stride)}."
        )
    if canvas - 2 * padding + output_padding < 1:
        return (
            f"padding={padding} takes {2 * padding} cells of every row and column, and the canvas is only "
            f"{canvas} wide, so nothing is left: use a smaller padding or a larger kernel."
        )
    return _probed(
        transposed_conv, _column(size), _column(kernel),
        stride=(stride, 1), padding=(padding, 0), output_padding=(output_padding, 0),
    )  # fmt: skip


def _choices(stride: int) -> str:
    names = [str(value) for value in range(stride)]
    return names[0] if stride == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


_CROPPED = ("stride", "padding", "output_padding", "kernel", "size")
_METHODS = {
    "transposed_conv": _Method("Transposed convolution", _CROPPED, _transposed, "kernel"),
    "resize_conv": _Method("Resize, then convolve", ("stride", "kernel", "size"), _resized, "kernel"),
    "nearest": _Method("Nearest neighbour", ("stride", "size"), _enlarging(nearest)),
    "bilinear": _Method("Bilinear", ("stride", "size"), _enlarging(bilinear)),
    "bed_of_nails": _Method("Bed of nails", ("stride", "size"), _enlarging(bed_of_nails)),
    "max_unpool": _Method("Max unpooling", ("stride", "size"), _unpooled, "switches"),
    "pixel_shuffle": _Method("Pixel shuffle", ("stride", "size"), _shuffled, "tiles"),
}


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    print(f"{PATH.name}: {PATH.stat().st_size / 1000:.0f} kB")
