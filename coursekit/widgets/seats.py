"""How bright each seat of the block is for flat grey input: the numbers of the checkerboard meter.

For the stored methods they come from the same table as everything else, without torch. A learner's function
is tried on a larger grid, as :func:`coursekit.upsampling.fingerprint` does, since on a 2x2 grid the border
hides most of the interior.
"""

from __future__ import annotations

from typing import Any

from coursekit.widgets.pictures import MOST_BASE, Axis, State
from coursekit.widgets.values import Grid, plain

Gains = Grid
_SIDES = (5, 7, 9)


def unevenness(gains: Gains) -> float:
    """(largest - smallest) / mean of the absolute gains; 0 is even.

    Examples
    --------
    >>> unevenness([[4, 2], [2, 1]])
    1.3333333333333333
    """
    flat = [gain for row in gains for gain in row]
    spread, mean = max(flat) - min(flat), sum(map(abs, flat)) / len(flat)
    return spread / mean if mean and spread > 1e-6 * max(map(abs, flat)) else 0.0


def of_state(state: State) -> Gains:
    """The gains of a stored method, away from the border.

    Raises
    ------
    ValueError
        A setting that cannot be, with the reason.
    """
    stride = state.settings["stride"]
    if state.takes == "switches":
        places = [place for row in state.switches for place in row]
        shares = [places.count(seat) / len(places) for seat in range(stride**2)]
        return [shares[row * stride : (row + 1) * stride] for row in range(stride)]
    origin = (0, 0) if state.window is None else (state.window[0], state.window[1])
    if state.window is None and state.cropped:
        origin = (state.settings["padding"],) * 2
    kernel = state.kernel if state.takes == "kernel" else [[1]]
    # A canvas shows whole stamps whatever its size; the others are read off their largest grid.
    wide = (MOST_BASE, MOST_BASE) if state.takes == "kernel" and not state.cropped else state.base
    rows, columns = State(**{**vars(state), "base": wide, "window": None}).uncropped_axes()
    many = state.takes == "kernel"
    down = _folded(rows, len(kernel) if many else 0, stride, origin[0])
    across = _folded(columns, len(kernel[0]) if many else 0, stride, origin[1])
    return [
        [
            plain(
                sum(
                    one * other * kernel[u][v]
                    for u, one in enumerate(down[a])
                    for v, other in enumerate(across[b])
                )
            )
            for b in range(stride)
        ]
        for a in range(stride)
    ]


def _folded(axis: Axis, kernel: int, stride: int, origin: int) -> Grid:
    """[seat][kernel cell]: how much of flat grey reaches that seat through that kernel cell."""
    size, parts = axis
    reach: Grid = [[0.0] * (kernel or 1) for _ in range(size)]
    for _, u, r, gain in parts:
        reach[r][u if kernel else 0] += gain
    found = []
    for seat in range(stride):
        cells = [reach[r] for r in range(size) if (r - origin - seat) % stride == 0]
        if kernel:  # the border only ever takes from a kernel cell's share: the largest is the interior's
            found.append([max([0.0, *(cell[u] for cell in cells)]) for u in range(kernel)])
        else:
            found.append([sum(cell[0] for cell in cells) / max(1, len(cells))])
    return found


def of_table(table: dict[str, Any], kernel: Grid) -> Gains | None:
    """The gains of a learner's function with these kernel values; None where there is no meter."""
    if not table["seats"]:
        return None
    weights = [value for row in kernel for value in row]
    (_, columns), terms = table["seats"]["stride"], table["seats"]["terms"]
    flat = [plain(sum(gain * (weights[w] if w >= 0 else 1) for w, gain in seat)) for seat in terms]
    return [flat[at : at + columns] for at in range(0, len(flat), columns)]


def terms_of_seats(trace: Any) -> dict[str, Any] | None:
    """What adds up to each seat's gain, ``[[weight or -1, gain]]``, of a callable; None if it is local.

    Parameters
    ----------
    trace : coursekit.upsampling.Trace

    Returns
    -------
    dict or None
        ``stride`` [rows, columns] and ``terms``, a list a seat.
    """
    from coursekit.upsampling.gridmap import GridMap  # only here: stored methods never pay for torch

    if trace.kind == "local":
        return None
    wide = _widened(trace)
    grid = GridMap.of(wide)
    stride = (grid.stride(0), grid.stride(1))
    inner = grid.has_stamps()
    reach = (grid.table != 0).sum((0, 3, 4, 5)).tolist()
    through = _through(wide)
    width = wide.output.shape[1]
    terms = []
    for row in range(stride[0]):
        for column in range(stride[1]):
            cells = [
                (r, c) for r in range(row, len(reach), stride[0]) for c in range(column, width, stride[1])
            ]
            fullest = max((reach[r][c] for r, c in cells), default=0)
            chosen = [(r, c) for r, c in cells if not inner or reach[r][c] == fullest]
            terms.append(_mean_of([through.get(r * width + c, {}) for r, c in chosen]))
    return {"stride": list(stride), "terms": terms}


def _mean_of(cells: list[dict[int, float]]) -> list[list[float]]:
    weights = sorted({weight for cell in cells for weight in cell})
    return [[w, sum(cell.get(w, 0.0) for cell in cells) / len(cells)] for w in weights]


def _through(trace: Any) -> dict[int, dict[int, float]]:
    """For every output cell the sum of gains through each kernel cell."""
    found: dict[int, dict[int, float]] = {}
    columns = (trace.output_index, trace.weight_index, trace.gains)
    for cell, weight, gain in zip(*(column.tolist() for column in columns), strict=True):
        sums = found.setdefault(cell, {})
        sums[weight] = sums.get(weight, 0.0) + gain
    return found


def _widened(trace: Any) -> Any:
    """The callable on a grid that shows whole stamps, its kernel without zeros; the trace itself if bound."""
    import torch

    from coursekit.upsampling import probe
    from coursekit.upsampling.gridmap import GridMap

    held = list(trace.inputs[1:])
    if trace.kernel is not None and held and isinstance(held[0], torch.Tensor):
        kernel = held[0]
        held[0] = torch.arange(1.0, kernel.numel() + 1, dtype=kernel.dtype).reshape(kernel.shape)
    best = trace
    for side in _SIDES:
        try:
            other = probe(trace.method, torch.ones(side, side, dtype=trace.x.dtype), *held, **trace.settings)
        except Exception:  # any refusal means the same: this callable is bound to its size
            return best
        if other.kind == "local" or other.output.ndim != 2:
            return best
        best = other
        if GridMap.of(other).shows_whole_stamp():
            return best
    return best
