"""`fingerprint`: what kind of up-sampling a trace shows, in numbers and by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coursekit.upsampling.contributions import Trace, weights_at
from coursekit.upsampling.gridmap import GridMap
from coursekit.upsampling.naming import names_of
from coursekit.upsampling.tracing import one_thread, probe
from coursekit.upsampling.validation import described, sentence

_SIDES = (5, 9, 13)  # cells a side: room for stamps of 6, 14, 22 cells at stride 2 with their surroundings

_MOST_ENTRIES = 1_000_000  # of a matrix that is read only to name switches


@dataclass(frozen=True, eq=False)
class Fingerprint:
    """What an up-sampling does to flat grey, to positions and to borders, and what it equals.

    Attributes
    ----------
    overlap : int64 Tensor, shaped as the output
        Input cells that reach each output cell of the trace.
    stride : (int, int)
        Output cells between the stamps of neighbouring input cells.
    phase_gains : Tensor (stride rows, stride columns)
        How bright each seat of a block is for flat grey input of 1, away from the border; the mean
        over the planes, if there are several.
    checkerboard : float
        (max - min) of the phase gains / mean of their absolute values; 0 is even.
    shift : (float, float)
        Rows and columns, in output cells, by which stamps lie off the place of their input cell.
    edge_loss : float
        Share of the stamps' total (absolute) weight that falls off the output; 0 where input cells
        make different stamps, so that nobody can say what is missing.
    looks_like : tuple of str
        Every method it equals, the most specific first. Kernels are written to four digits.
    """

    overlap: Tensor
    stride: tuple[int, int]
    phase_gains: Tensor
    checkerboard: float
    shift: tuple[float, float]
    edge_loss: float
    looks_like: tuple[str, ...]

    def __repr__(self) -> str:
        names = ", and also ".join(self.looks_like) or "no method of the course"
        return (
            f"Fingerprint({names}; checkerboard {self.checkerboard:.3g}, shift ({self.shift[0]:+.2g}, "
            f"{self.shift[1]:+.2g}), edge loss {self.edge_loss:.0%})"
        )


def fingerprint(trace: Trace) -> Fingerprint:
    """Describe and name the up-sampling behind a trace.

    Parameters
    ----------
    trace : Trace
        Of a linear or affine callable from a grid to a grid, as :func:`probe` gives it. Where the
        callable takes another size, stride, gains, shift and names are read off a 5x5 grid (or a larger
        one for large stamps), since on a 2x2 grid the border hides most of what happens.

    Returns
    -------
    Fingerprint

    Raises
    ------
    TypeError, ValueError
        Not a trace, a local trace, or fewer than two axes.

    Examples
    --------
    >>> from coursekit.upsampling import nearest
    >>> fingerprint(probe(nearest, torch.ones(2, 2))).looks_like
    ('nearest(factor=2)', 'transposed_conv(kernel=[[1, 1], [1, 1]], stride=2)')
    """
    if not isinstance(trace, Trace):
        raise TypeError(sentence("a Trace", described(trace), "fingerprint(probe(method, x))"))
    if trace.kind == "local":
        got = f"{trace!r}, whose contributions hold only near its inputs"
        raise ValueError(sentence("a linear or affine callable", got, "its linear part alone"))
    if trace.x.ndim < 2 or trace.output.ndim < 2:
        raise ValueError(sentence("a map from grid to grid", f"{trace!r}", "a grid with two axes"))
    with one_thread():
        wide = _widened(trace)
        small = trace.x.numel() * trace.output.numel() <= _MOST_ENTRIES
        own = GridMap.of(trace) if small or wide is None else None
        return _described(trace, wide or own or GridMap.of(trace), own)


def _described(trace: Trace, wide: GridMap, own: GridMap | None) -> Fingerprint:
    stride = (wide.stride(0), wide.stride(1))
    gains = wide.phase_gains(stride)
    overlap, stamps = _reached(trace)
    return Fingerprint(
        overlap=overlap,
        stride=stride,
        phase_gains=gains,
        checkerboard=wide.unevenness(gains),
        shift=(wide.shift(0, stride[0]), wide.shift(1, stride[1])),
        edge_loss=_edge_loss(stamps, wide),
        looks_like=tuple(name + _offset_text(trace.offset) for name in names_of(wide, stride, own)),
    )


def _reached(trace: Trace) -> tuple[Tensor, Tensor]:
    """Input cells that reach each output cell, and the absolute weight of each input cell's stamp."""
    cells = trace.x.numel()
    pairs, places = (trace.output_index * cells + trace.input_index).unique(return_inverse=True)
    weights = trace.gains.double() * weights_at(trace.kernel, trace.weight_index, torch.float64)
    # Several kernel cells may join the same two cells; only their sum is a weight.
    together = torch.zeros(len(pairs), dtype=torch.float64).index_add_(0, places, weights)
    stamps = torch.zeros(cells, dtype=torch.float64).index_add_(0, pairs % cells, together.abs())
    overlap = torch.bincount(pairs // cells, minlength=trace.output.numel())
    return overlap.reshape(trace.output.shape), stamps.reshape(-1, *trace.x.shape[-2:])


def _edge_loss(stamps: Tensor, wide: GridMap) -> float:
    fullest = wide.stamp_weights().amax((1, 2), keepdim=True)  # [in lead, 1, 1]
    if not wide.has_stamps() or not float(fullest.max()):
        return 0.0
    kept = stamps.sum() / fullest.expand_as(stamps).sum()
    return round(max(0.0, 1 - float(kept)), 6)


def _offset_text(offset: Tensor) -> str:
    if not offset.any():
        return ""
    return " plus a bias" if bool((offset == offset.flatten()[0]).all()) else " plus an offset"


def _widened(trace: Trace) -> GridMap | None:
    """The same callable on a grid where a whole stamp is seen; None if it is bound to its size."""
    best = None
    for side in _SIDES:
        other = _on_grid(trace, side)
        if other is not None:
            best = GridMap.of(other)
            if best.shows_whole_stamp():
                return best
    return best


def _on_grid(trace: Trace, side: int) -> Trace | None:
    """The callable on another square grid, its kernel held; None where it is bound to its size."""
    original, held = trace.inputs[0], trace.inputs[1:]
    x = torch.ones(*trace.x.shape[:-2], side, side, dtype=trace.x.dtype)
    first = x.to(original.device) if isinstance(original, Tensor) else x.numpy()

    def with_all_else_held(grid: Any) -> Any:
        return trace.method(grid, *held, **trace.settings)

    try:
        other = probe(with_all_else_held, first)
    except Exception:  # any refusal means the same: this callable is bound to its size (switches, say)
        return None
    before, after = (*trace.x.shape[-2:], *trace.output.shape[-2:]), (side, side, *other.output.shape[-2:])
    follows = all(_sign(after[i] - before[i]) == _sign(after[i + 2] - before[i + 2]) for i in (0, 1))
    return other if follows and other.kind != "local" else None


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
