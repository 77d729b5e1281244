"""How one up-sampling differs from another: a flipped kernel, a shift, another stride, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from coursekit.upsampling.contributions import Trace
from coursekit.upsampling.gridmap import GridMap
from coursekit.upsampling.validation import described, sentence

_HALVES = {0.5: "half a cell", 1.0: "one cell", 2.0: "two cells"}


def likeness(trace: Trace, wanted: Trace) -> str:
    """Say how the map of one trace differs from another's, if that is one simple thing.

    Parameters
    ----------
    trace, wanted : Trace
        Of linear or affine callables on the same grid. On 5x5 cells or more the middle stamp is whole.

    Returns
    -------
    str
        A sentence such as "The kernel is flipped: upside down and left to right.", or "" where the two
        are equal or differ in some other way.

    Raises
    ------
    TypeError, ValueError
        Not two traces, local ones, or of grids of different shapes.

    Examples
    --------
    >>> import torch
    >>> from coursekit.upsampling import bed_of_nails, probe
    >>> x = torch.ones(5, 5)
    >>> likeness(probe(lambda x: bed_of_nails(x).roll(1, 0), x), probe(bed_of_nails, x))
    'It lies one cell too low.'
    """
    for one in (trace, wanted):
        if not isinstance(one, Trace):
            raise TypeError(sentence("two traces", described(one), "probe(method, x) for each"))
        if one.kind == "local" or one.x.ndim < 2 or one.output.ndim < 2:
            raise ValueError(sentence("linear maps from grid to grid", f"{one!r}", "their linear parts"))
    if trace.x.shape != wanted.x.shape:
        got = f"{tuple(trace.x.shape)} and {tuple(wanted.x.shape)}"
        raise ValueError(sentence("traces of the same grid", got, "the same x for both"))
    mine, other = GridMap.of(trace), GridMap.of(wanted)
    if mine.out_shape == other.out_shape and torch.allclose(mine.table, other.table, atol=_slack(other)):
        return ""
    return _of_stamps(mine, other) or _of_places(mine, other)


@dataclass(frozen=True, eq=False)
class _Stamp:
    """What the middle input cell does: numbers, and the place of their upper left corner."""

    cells: Tensor
    corner: tuple[int, int]

    @classmethod
    def of(cls, found: GridMap) -> _Stamp | None:
        plane = found.plane()
        if plane is None:
            return None
        response = plane[:, :, plane.shape[2] // 2, plane.shape[3] // 2]
        places = response.nonzero()
        if not len(places):
            return None
        (top, left), (bottom, right) = places.amin(0).tolist(), places.amax(0).tolist()
        return cls(response[top : bottom + 1, left : right + 1], (top, left))


def _of_stamps(mine: GridMap, other: GridMap) -> str:
    """One simple thing that turns every stamp of the other map into mine."""
    if not (mine.has_stamps() and other.has_stamps()):
        return ""
    strides = [(found.stride(0), found.stride(1)) for found in (mine, other)]
    stamp, wanted = _Stamp.of(mine), _Stamp.of(other)
    if stamp is None or wanted is None:
        return ""
    slack = _slack(other)
    if strides[0] != strides[1]:
        same = _alike(stamp.cells, wanted.cells, slack)
        apart = [f"{rows} down and {columns} to the right" for rows, columns in strides]
        return f"The stamps lie {apart[0]} of each other, not {apart[1]}." if same else ""
    if _alike(stamp.cells, wanted.cells, slack):
        moved = [one - two for one, two in zip(stamp.corner, wanted.corner, strict=True)]
        return _moved(float(moved[0]), float(moved[1]))
    for turned, words in (
        (wanted.cells.flip(0, 1), "The kernel is flipped: upside down and left to right."),
        (wanted.cells.flip(0), "The kernel is upside down."),
        (wanted.cells.flip(1), "The kernel is flipped left to right."),
        (wanted.cells.T, "The kernel has its rows and columns swapped."),
    ):
        if _alike(stamp.cells, turned, slack):
            return words
    ratio = float(stamp.cells.sum() / wanted.cells.sum()) if float(wanted.cells.sum()) else 0.0
    if ratio and _alike(stamp.cells, wanted.cells * ratio, slack * max(1.0, abs(ratio))):
        return f"Every number is {ratio:.4g} times what it should be."
    return ""


def _of_places(mine: GridMap, other: GridMap) -> str:
    strides = [(found.stride(0), found.stride(1)) for found in (mine, other)]
    if strides[0] != strides[1] or mine.out_shape != other.out_shape:
        return ""
    moved = [mine.shift(axis, strides[0][axis]) - other.shift(axis, strides[0][axis]) for axis in (0, 1)]
    return _moved(*moved)


def _moved(down: float, right: float) -> str:
    """ "It lies half a cell too low and one cell too far to the right."; nothing where it does not."""
    parts = [
        f"{_distance(abs(way))} too {words[way < 0]}"
        for way, words in ((down, ("low", "high")), (right, ("far to the right", "far to the left")))
        if abs(way) > 1e-3
    ]
    return f"It lies {' and '.join(parts)}." if parts else ""


def _distance(cells: float) -> str:
    return _HALVES.get(round(cells, 3), f"{cells:.3g} cells")


def _alike(one: Tensor, two: Tensor, slack: float) -> bool:
    return one.shape == two.shape and bool((one - two).abs().max() <= slack)


def _slack(found: GridMap) -> float:
    return found.tolerance * float(found.table.abs().max())
