"""Max pooling with switches and its undoing, on plain lists: what `SwitchSurgery` shows, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from coursekit.widgets.values import Grid, Shape, plain, shape_of

Switches = list[list[int]]
MOST_SHUFFLES = 1_000_000


def pooled_shape(shape: Shape, size: int) -> Shape:
    """Whole blocks only: rows and columns that fill no block are dropped, as ``max_pool2d`` does."""
    return shape[0] // size, shape[1] // size


def pool(x: Grid, size: int) -> tuple[Grid, Switches]:
    """The maximum of each block, and where it stood as a flat index into ``x``; a tie goes to the first.

    Examples
    --------
    >>> pool([[1, 5, 2], [3, 4, 9]], 2)          # the last column fills no block
    ([[5]], [[1]])
    """
    (rows, columns), width = pooled_shape(shape_of(x), size), len(x[0])
    switches = [
        [
            max(_block(r, c, size, width), key=lambda flat: x[flat // width][flat % width])
            for c in range(columns)
        ]
        for r in range(rows)
    ]  # Python's max keeps the first of equals, as torch does
    values = [[x[flat // width][flat % width] for flat in row] for row in switches]
    return values, switches


def unpool(values: Grid, switches: Switches, shape: Shape) -> Grid:
    """Each value at its flat index in a grid of ``shape``, zeros elsewhere.

    Examples
    --------
    >>> unpool([[5]], [[1]], (2, 3))
    [[0, 5, 0], [0, 0, 0]]
    """
    flat: list[float] = [0] * (shape[0] * shape[1])
    for row, places in zip(values, switches, strict=True):
        for value, place in zip(row, places, strict=True):
            flat[place] = value
    return [flat[r * shape[1] : (r + 1) * shape[1]] for r in range(shape[0])]


def place_in_block(switch: int, width: int, size: int) -> int:
    """A flat index as the place in its block, counted row by row from 0."""
    return switch // width % size * size + switch % width % size


def flat_index(row: int, column: int, place: int, width: int, size: int) -> int:
    """The place in the block of a pooled cell as a flat index into a grid ``width`` wide."""
    return (row * size + place // size) * width + column * size + place % size


def in_place(x: Grid, values: Grid, switches: Switches) -> int:
    """How many values stand where ``x`` has them. With a tie, each of the equal places counts."""
    width = len(x[0])
    pairs = zip(chain(*values), chain(*switches), strict=True)
    return sum(x[place // width][place % width] == value for value, place in pairs)


def mean_difference(a: Grid, b: Grid) -> float:
    """Mean of the absolute differences, cell by cell."""
    pairs = [pair for rows in zip(a, b, strict=True) for pair in zip(*rows, strict=True)]
    return plain(sum(abs(one - other) for one, other in pairs) / len(pairs))


def shuffled(places: Sequence[int], seed: int) -> list[int]:
    """The same places in another order, the same for the same seed; the browser deals alike.

    Examples
    --------
    >>> sorted(shuffled([3, 1, 0, 2], seed=1)) == [0, 1, 2, 3]
    True
    """
    dealt, state = list(places), (seed * 2654435761 + 12345) % 2**32
    for last in range(len(dealt) - 1, 0, -1):
        state = (state * 1664525 + 1013904223) % 2**32
        other = (state >> 12) % (last + 1)
        dealt[last], dealt[other] = dealt[other], dealt[last]
    return dealt


def shuffled_anew(places: Sequence[int], shuffles: int) -> tuple[list[int], int]:
    """The next deal that changes something, if one of the next few does, and its number.

    Few cells often stay as they are; a press that changes nothing would look like a fault.
    """
    dealt = list(places)
    for _ in range(20):
        shuffles = shuffles % MOST_SHUFFLES + 1
        dealt = shuffled(places, shuffles)
        if dealt != list(places):
            break
    return dealt, shuffles


def _block(row: int, column: int, size: int, width: int) -> list[int]:
    """Flat indices of a block, row by row."""
    return [flat_index(row, column, place, width, size) for place in range(size * size)]
