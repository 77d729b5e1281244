"""Lesson 04: pooling with switches, max unpooling, pairs of layers, and what survives the round trip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from coursekit.checking import Exercise, Misconception, Number, Pair, Property, Tensor
from coursekit.upsampling import nearest

LESSON = "04-max-unpooling"

Grid = torch.Tensor
Pooled = tuple[Grid, Grid]
Size = tuple[int, int]
Arguments = dict[str, Any]


# --- pool-with-switches ----------------------------------------------------------------------------


def pool_with_switches(x, size):
    height, width = x.shape
    rows, columns = height // size, width // size
    values = torch.zeros(rows, columns)
    switches = torch.zeros(rows, columns, dtype=torch.int64)
    for i in range(rows):
        for j in range(columns):
            best = i * size, j * size
            for row in range(i * size, (i + 1) * size):
                for column in range(j * size, (j + 1) * size):
                    if x[row, column] > x[best]:
                        best = row, column
            values[i, j] = x[best]
            switches[i, j] = best[0] * width + best[1]
    return values, switches


def _renumbered(x: Grid, size: int, number: Callable[[Grid, Grid, Size], Grid]) -> Pooled:
    """Pooled rightly, but `number` turns the rows and columns of the maxima into switches its own way."""
    values, switches = pool_with_switches(x, size)
    row, column = switches // x.shape[1], switches % x.shape[1]
    return values, number(row, column, (x.shape[0], x.shape[1]))


def _pool_last_tie(x: Grid, size: int) -> Pooled:
    whole = x[: x.shape[0] // size * size, : x.shape[1] // size * size]
    values, switches = pool_with_switches(whole.flip(0, 1), size)  # read from the end, the first is the last
    switches = whole.numel() - 1 - switches.flip(0, 1)
    row, column = switches // whole.shape[1], switches % whole.shape[1]
    return values.flip(0, 1), row * x.shape[1] + column


def _pool_from_zero(x: Grid, size: int) -> Pooled:
    values, switches = pool_with_switches(x, size)
    return values.clamp_min(0), torch.where(values > 0, switches, 0)


def _pool_crumbs(x: Grid, size: int) -> Pooled:
    height, width = x.shape
    missing = (0, -width % size, 0, -height % size)
    values, switches = pool_with_switches(torch.nn.functional.pad(x, missing, value=-torch.inf), size)
    row, column = switches // (width + missing[1]), switches % (width + missing[1])
    return values, row * width + column


def _pool_searching_everywhere(x: Grid, size: int) -> Pooled:
    values, _ = pool_with_switches(x, size)
    return values, torch.stack([(x == value).flatten().int().argmax() for value in values.flatten()]).reshape(
        values.shape
    )


POOL_WITH_SWITCHES = Exercise(
    id="pool-with-switches",
    lesson=LESSON,
    title="Max pooling that remembers where each maximum stood",
    function="pool_with_switches",
    points=3,
    minutes=9,
    difficulty=3,
    starter='''def pool_with_switches(x, size):
    """The largest number of each block, and where it stood. Of equal ones, the first.

    x: a grid of H rows, W columns. size: rows and columns of a block. What fills no block is left out.
    Return two grids, values and switches. A switch is row * W + column of the cell in x.
    """
    ...
''',
    reference=pool_with_switches,
    parameters=(Tensor("x", "H W"), Number("size", 2, 3)),
    sizes={"H": (2, 6), "W": (2, 6)},
    valid=lambda case: min(case["x"].shape) >= case["size"],
    properties=(
        Property(
            "one-block",
            "One block gives one value, its largest, and the place of it",
            sizes={"H": (2, 3), "W": (2, 3)},
            valid=lambda case: tuple(case["x"].shape) == (case["size"], case["size"]),
        ),
        Property(
            "places",
            "A switch counts the cells of the whole of x, row by row from 0",
            weight=2,
            sizes={"H": (2, 6), "W": (2, 6)},
            count=8,
            valid=lambda case: all(side % case["size"] == 0 for side in case["x"].shape),
        ),
        Property(
            "left-out",
            "Rows and columns that fill no block are left out, but they are counted",
            sizes={"H": (3, 6), "W": (3, 5)},
            count=8,
            valid=lambda case: case["x"].shape[1] % case["size"] != 0,
        ),
        Property(
            "ties",
            "Of equal numbers in a block, the first in reading order has the switch",
            count=0,
            cases=(
                {"x": [[1, 4], [4, 2]], "size": 2},
                {"x": [[3, 1, 0, 2], [3, 3, 2, 0]], "size": 2},
                {"x": [[5, 5, 7, 1], [2, 5, 1, 5], [0, 5, 2, 7], [5, 0, 7, 7]], "size": 2},
            ),
        ),
        Property(
            "below-zero",
            "A block may hold nothing but negative numbers",
            count=0,
            cases=(
                {"x": [[-3, -1], [-2, -4]], "size": 2},
                {"x": [[2, 1, -3, -9], [4, 3, -5, -2]], "size": 2},
                {"x": [[-1, -2, -6], [-5, -7, -3], [-8, -4, -9]], "size": 3},
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "window-local",
            "Your switches count the cells of one block, not of the whole grid.",
            lambda x, size: _renumbered(x, size, lambda row, column, _: row % size * size + column % size),
            "Take the row and the column in x, not in the block: row * W + column.",
        ),
        Misconception(
            "pooled-width",
            "Your switches take the small grid's width as the length of a row.",
            lambda x, size: _renumbered(
                x, size, lambda row, column, shape: row * (shape[1] // size) + column
            ),
            "The cells of x are counted, so a row has W = x.shape[1] of them.",
        ),
        Misconception(
            "height-as-row-length",
            "Your switches take the number of rows as the length of a row.",
            lambda x, size: _renumbered(x, size, lambda row, column, shape: row * shape[0] + column),
            "A row is as long as there are columns: W = x.shape[1].",
        ),
        Misconception(
            "column-major",
            "Your switches count column by column.",
            lambda x, size: _renumbered(x, size, lambda row, column, shape: column * shape[0] + row),
            "Count along the rows, as one reads: row * W + column.",
        ),
        Misconception(
            "block-corner",
            "Your switches name the upper left cell of each block, wherever the largest number stands.",
            lambda x, size: _renumbered(
                x, size, lambda row, column, shape: (row - row % size) * shape[1] + column - column % size
            ),
            "Keep row and column of the largest number so far, and change them when you find a larger one.",
        ),
        Misconception(
            "last-tie",
            "Of equal numbers in a block, you take the last.",
            _pool_last_tie,
            "Move on only for a number that is larger: `>` instead of `>=`.",
        ),
        Misconception(
            "search-everywhere",
            "You look for the largest number in the whole grid, and find an equal one outside its block.",
            _pool_searching_everywhere,
            "Look inside the block only, and note the place together with the number.",
        ),
        Misconception(
            "starts-at-zero",
            "Your largest number starts at 0, so a block of negative numbers never gets one.",
            _pool_from_zero,
            "Start with the block's first cell, its number and its place.",
        ),
        Misconception(
            "crumbs",
            "You also pool the rows and columns at the end that fill no block.",
            _pool_crumbs,
            "There are H // size rows of blocks: divided, rounded down.",
        ),
        Misconception(
            "swapped-results",
            "You return the switches first.",
            lambda x, size: pool_with_switches(x, size)[::-1],
            "return values, switches",
        ),
    ),
    hints=(
        "There are H // size rows of blocks and W // size columns of them. Make two grids of that size.",
        "Block (i, j) begins at row i * size, column j * size. Start with that cell as the best one so far, "
        "then go through the cells of the block with two loops.",
        "Whenever x[row, column] is larger than the best so far, note the number, row and column. At the "
        "end of the block, values[i, j] is the number and switches[i, j] is row * W + column.",
    ),
    forbidden=(
        "torch.nn.functional.max_pool2d",
        "torch.nn.functional.max_pool2d_with_indices",
        "torch.nn.functional.adaptive_max_pool2d",
        "torch.nn.MaxPool2d",
        "torch.nn.AdaptiveMaxPool2d",
        "torch.max_pool2d",
        "coursekit.upsampling.max_pool",
    ),
    example={
        "x": torch.tensor([[1.0, 2, 6, 3, 9], [3, 5, 2, 1, 0], [4, 1, 0, 8, 2], [7, 3, 2, 4, 1]]),
        "size": 2,
    },
)


# --- max-unpool ------------------------------------------------------------------------------------


def max_unpool(values, switches, output_size):
    rows, columns = output_size
    out = torch.zeros(rows, columns)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            place = switches[i, j]
            out[place // columns, place % columns] = values[i, j]
    return out


def _halves(small: Grid, size: Size) -> bool:
    """Whether pooling 2x2 blocks of a grid of this size gives one as large as `small`."""
    return (size[0] // 2, size[1] // 2) == tuple(small.shape)


def _lead_into(switches: Grid, size: Size) -> bool:
    """Whether the switches name cells of a grid of this size, each a different one."""
    distinct = len(switches.unique()) == switches.numel()
    return distinct and bool((switches >= 0).all()) and int(switches.max()) < size[0] * size[1]


def _unpoolable(case: Arguments) -> bool:
    return _halves(case["values"], case["output_size"]) and _lead_into(case["switches"], case["output_size"])


def _placed(values: Grid, switches: Grid, size: Size, cell: Callable[[int, int, int], Size]) -> Grid:
    """Unpooling that reads a switch its own way: `cell` makes a row and a column of switch, i and j."""
    out = torch.zeros(size)
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            out[cell(int(switches[i, j]), i, j)] = value
    return out


def _unpool_local(values: Grid, switches: Grid, output_size: Size) -> Grid:
    return _placed(values, switches, output_size, lambda s, i, j: (2 * i + s // 2, 2 * j + s % 2))


def _unpool_small_rows(values: Grid, switches: Grid, output_size: Size) -> Grid:
    columns = values.shape[1]
    return _placed(values, switches, output_size, lambda s, i, j: (s // columns, s % columns))


def _unpool_by_columns(values: Grid, switches: Grid, output_size: Size) -> Grid:
    rows = output_size[0]
    return _placed(values, switches, output_size, lambda s, i, j: (s % rows, s // rows))


def _unpool_in_reading_order(values: Grid, switches: Grid, output_size: Size) -> Grid:
    ordered = switches.flatten().sort().values.reshape(switches.shape)
    return max_unpool(values, ordered, output_size)


def _unpool_filled(values: Grid, switches: Grid, output_size: Size) -> Grid:
    out = torch.zeros(output_size)
    out[: 2 * values.shape[0], : 2 * values.shape[1]] = nearest(values)
    return out


def _unpool_to_twice(values: Grid, switches: Grid, output_size: Size) -> Grid:
    return max_unpool(values, switches, (2 * values.shape[0], 2 * values.shape[1]))


MAX_UNPOOL = Exercise(
    id="max-unpool",
    lesson=LESSON,
    title="Max unpooling: each value back to where its switch says",
    function="max_unpool",
    points=3,
    minutes=6,
    difficulty=2,
    starter='''def max_unpool(values, switches, output_size):
    """Put each value into the cell that its switch names. All other cells are 0.

    values, switches: two grids of the same size. output_size: (rows, columns) of the large grid.
    A switch is row * columns + column of a cell in the large grid.
    """
    rows, columns = output_size
    ...
''',
    reference=max_unpool,
    parameters=(
        Tensor("values", "h w"),
        Tensor("switches", "h w", dtype="int64", low=0, high=15),
        Pair("output_size", 2, 7),
    ),
    sizes={"h": (1, 2), "w": (1, 3)},
    valid=_unpoolable,
    properties=(
        Property(
            "one-value",
            "One value stands where its switch says, and all else is 0",
            sizes={"h": (1, 1), "w": (1, 1), "output_size": (2, 3)},
        ),
        Property(
            "rows",
            "Switches count the cells of the large grid, row by row from 0",
            weight=2,
            sizes={"h": (1, 2), "w": (2, 3), "output_size": (2, 6)},
            valid=lambda case: not any(side % 2 for side in case["output_size"]),
        ),
        Property(
            "odd",
            "The large grid has the size that is asked for, also an odd one",
            sizes={"h": (1, 2), "w": (1, 3)},
            valid=lambda case: any(side % 2 for side in case["output_size"]),
        ),
    ),
    misconceptions=(
        Misconception(
            "window-local",
            "You read a switch as a place in its own 2x2 block, but it counts the cells of the large grid.",
            _unpool_local,
            "The row is switch // columns and the column is switch % columns, wherever the value stood.",
        ),
        Misconception(
            "pooled-width",
            "You take the small grid's width as the length of a row.",
            _unpool_small_rows,
            "The switches count cells of the large grid: divide by its `columns`.",
        ),
        Misconception(
            "column-major",
            "You read the switches column by column.",
            _unpool_by_columns,
            "They count along the rows: row = switch // columns, column = switch % columns.",
        ),
        Misconception(
            "reading-order",
            "The right cells are filled, but in reading order: each value has to follow its own switch.",
            _unpool_in_reading_order,
            "Take values[i, j] and switches[i, j] together.",
        ),
        Misconception(
            "filled",
            "You fill whole blocks, like nearest neighbour, and do not look at the switches.",
            _unpool_filled,
            "One cell a value, the one that its switch names; the others stay 0.",
        ),
        Misconception(
            "upper-left",
            "You put each value into the upper left of its block, like the bed of nails.",
            lambda values, switches, output_size: _placed(
                values, switches, output_size, lambda s, i, j: (2 * i, 2 * j)
            ),
            "Look the place up in switches[i, j].",
        ),
        Misconception(
            "twice-the-size",
            "You make the large grid twice the size of the small one, whatever output_size says.",
            _unpool_to_twice,
            "torch.zeros(rows, columns): grids of 4 and of 5 columns both pool to 2.",
        ),
        Misconception(
            "swapped-size",
            "You take output_size as (columns, rows).",
            lambda values, switches, output_size: max_unpool(values, switches, output_size[::-1]),
            "Rows first: rows, columns = output_size.",
        ),
    ),
    hints=(
        "Start with torch.zeros(rows, columns). Then go through the cells i, j of the small grid.",
        "A row of the large grid has `columns` cells. So cell number s is in row s // columns. In which "
        "column? What is left over: s % columns.",
        "s = switches[i, j], then out[s // columns, s % columns] = values[i, j].",
    ),
    forbidden=(
        "torch.nn.functional.max_unpool2d",
        "torch.nn.MaxUnpool2d",
        "coursekit.upsampling.max_unpool",
    ),
    example={
        "values": torch.tensor([[5.0, 6.0], [7.0, 8.0]]),
        "switches": torch.tensor([[6, 2], [15, 13]]),
        "output_size": (4, 5),
    },
)


# --- corresponding-pairs ---------------------------------------------------------------------------


def two_levels_up(values, deep, shallow, output_size):
    middle = torch.zeros(shallow.shape).flatten()
    middle[deep.flatten()] = values.flatten()
    large = torch.zeros(output_size).flatten()
    large[shallow.flatten()] = middle
    return large.reshape(output_size)


def _two_levels(case: Arguments) -> bool:
    middle = tuple(case["shallow"].shape)
    return (
        _halves(case["values"], middle)
        and _halves(case["shallow"], case["output_size"])
        and _lead_into(case["deep"], middle)
        and _lead_into(case["shallow"], case["output_size"])
    )


def _up_by_shallow_alone(values: Grid, deep: Grid, shallow: Grid, output_size: Size) -> Grid:
    return max_unpool(values, shallow[: values.shape[0], : values.shape[1]].contiguous(), output_size)


def _up_middle_doubled(values: Grid, deep: Grid, shallow: Grid, output_size: Size) -> Grid:
    middle = max_unpool(values, deep, (2 * values.shape[0], 2 * values.shape[1]))
    out = torch.zeros(output_size).flatten()
    for i, row in enumerate(middle):
        for j, value in enumerate(row):
            out[shallow[i, j]] = value
    return out.reshape(output_size)


def _up_then(finish: Callable[[Grid], Grid]) -> Callable[..., Grid]:
    """The first step right, the second without its switches."""

    def up(values: Grid, deep: Grid, shallow: Grid, output_size: Size) -> Grid:
        out = torch.zeros(output_size)
        grown = finish(max_unpool(values, deep, (shallow.shape[0], shallow.shape[1])))
        out[: grown.shape[0], : grown.shape[1]] = grown
        return out

    return up


def _nails(x: Grid) -> Grid:
    out = torch.zeros(2 * x.shape[0], 2 * x.shape[1])
    out[::2, ::2] = x
    return out


CORRESPONDING_PAIRS = Exercise(
    id="corresponding-pairs",
    lesson=LESSON,
    title="Two levels up, each with the switches of its own pooling",
    function="two_levels_up",
    points=3,
    minutes=6,
    difficulty=2,
    starter='''def two_levels_up(values, deep, shallow, output_size):
    """Bring values back through two poolings. Each way up takes the switches of its own way down.

    First pooling: large grid -> middle grid, switches `shallow` (as many as the middle grid has cells).
    Second pooling: middle grid -> small grid, switches `deep` (as many as the small grid has cells).
    values: a small grid. output_size: (rows, columns) of the large grid. Return the large grid.
    """
    ...
''',
    reference=two_levels_up,
    parameters=(
        Tensor("values", "h w"),
        Tensor("deep", "h w", dtype="int64", low=0, high=7),
        Tensor("shallow", "m n", dtype="int64", low=0, high=23),
        Pair("output_size", 4, 11),
    ),
    sizes={"h": (1, 1), "w": (1, 2), "m": (2, 3), "n": (2, 5)},
    valid=_two_levels,
    properties=(
        Property(
            "one-value",
            "One value goes up two levels, from switch to switch",
            sizes={"w": (1, 1), "m": (2, 2), "n": (2, 2), "output_size": (4, 5)},
        ),
        Property(
            "more-values",
            "Each value goes its own way",
            sizes={"w": (2, 2), "m": (2, 2), "n": (4, 4), "output_size": (4, 8)},
        ),
        Property(
            "odd-middle",
            "The middle grid has the size of `shallow`, also an odd one",
            sizes={"n": (3, 5)},
            valid=lambda case: case["shallow"].shape[1] % 2 == 1,
        ),
    ),
    misconceptions=(
        Misconception(
            "shallow-only",
            "You take another level's switches: shallow[i, j] belongs to cell (i, j) of the middle grid, "
            "not to values[i, j].",
            _up_by_shallow_alone,
            "First unpool values with `deep` into the middle grid, then that with `shallow`.",
        ),
        Misconception(
            "deep-only",
            "You take another level's switches: `deep` counts the cells of the middle grid, not of the large "
            "one.",
            lambda values, deep, shallow, output_size: max_unpool(values, deep, output_size),
            "Unpool with `deep` into a grid of shallow.shape. Then one more step, with `shallow`.",
        ),
        Misconception(
            "swapped-order",
            "You undo the two poolings in the wrong order: first with `shallow`, then with `deep`.",
            lambda values, deep, shallow, output_size: max_unpool(
                max_unpool(values, shallow, (shallow.shape[0], shallow.shape[1])), deep, output_size
            ),
            "The last pooling on the way down is undone first: `deep` before `shallow`.",
        ),
        Misconception(
            "middle-doubled",
            "Your middle grid is twice the small one, but it may have a row or a column more.",
            _up_middle_doubled,
            "There is one switch in `shallow` for each cell of the middle grid: shallow.shape is its size.",
        ),
        Misconception(
            "second-step-filled",
            "Your second step copies each cell into a block, like nearest neighbour.",
            _up_then(nearest),
            "Unpool the middle grid with the switches `shallow`.",
        ),
        Misconception(
            "second-step-nails",
            "Your second step puts each cell into the upper left of its block, like the bed of nails.",
            _up_then(_nails),
            "Unpool the middle grid with the switches `shallow`.",
        ),
    ),
    hints=(
        "The last pooling on the way down is the first to be undone on the way up.",
        "The middle grid: unpool values with `deep`. How large is it? As large as `shallow`.",
        "middle = unpool(values, deep, tuple(shallow.shape)), then unpool `middle` with `shallow` into "
        "output_size.",
    ),
    example={
        "values": torch.tensor([[9.0]]),
        "deep": torch.tensor([[1]]),
        "shallow": torch.tensor([[5, 2], [8, 15]]),
        "output_size": (4, 4),
    },
)


# --- round-trip ------------------------------------------------------------------------------------


def comes_back(values, switches, output_size):
    rows, columns = output_size
    grid = torch.zeros(rows * columns)
    grid[switches.flatten()] = values.flatten()
    grid = grid.reshape(rows, columns)
    back = torch.zeros(values.shape)
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            back[i, j] = grid[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
    return back == values


def _round_trip(values: Grid, switches: Grid, output_size: Size) -> Grid:
    """What stands in the small grid after going up and down again."""
    return pool_with_switches(max_unpool(values, switches, output_size), 2)[0]


def _at_home(values: Grid, switches: Grid, output_size: Size) -> Grid:
    """Which switches lead into the block of their own cell."""
    row, column = switches // output_size[1], switches % output_size[1]
    i = torch.arange(values.shape[0])[:, None]
    j = torch.arange(values.shape[1])
    return (row // 2 == i) & (column // 2 == j)


ROUND_TRIP = Exercise(
    id="round-trip",
    lesson=LESSON,
    title="Up and down again: which values come back?",
    function="comes_back",
    points=3,
    minutes=7,
    difficulty=2,
    starter='''def comes_back(values, switches, output_size):
    """Unpool the values, then max-pool the result again in 2x2 blocks. Which values come back?

    Return a grid of True and False, one for each value: True where the pooled grid has that value
    again, in the cell where `values` has it.
    """
    ...
''',
    reference=comes_back,
    parameters=(
        Tensor("values", "h w", low=-5, high=9),
        Tensor("switches", "h w", dtype="int64", low=0, high=15),
        Pair("output_size", 2, 7),
    ),
    sizes={"h": (1, 2), "w": (1, 3)},
    valid=_unpoolable,
    draw=lambda case, _: (
        ("unpooled", max_unpool(*case.arguments())),
        ("pooled again", _round_trip(*case.arguments())),
    ),
    properties=(
        Property(
            "own-block",
            "With switches into its own block, a value comes back unless it is below 0",
            count=0,
            cases=(
                {"values": [[4, -3]], "switches": [[5, 2]], "output_size": (2, 4)},
                {"values": [[0, 2], [-1, -6]], "switches": [[5, 3], [13, 17]], "output_size": (4, 5)},
                {"values": [[-2], [0], [1]], "switches": [[3], [6], [14]], "output_size": (7, 3)},
            ),
        ),
        Property(
            "one-block",
            "One value alone",
            sizes={"h": (1, 1), "w": (1, 1), "output_size": (2, 3)},
        ),
        Property(
            "elsewhere",
            "Switches may lead into other blocks; there, values meet others",
            weight=2,
            sizes={"h": (1, 2), "w": (2, 3), "output_size": (2, 7)},
            cases=(  # two values meet in one block: only the larger can come back
                {"values": [[3, 5]], "switches": [[1, 4]], "output_size": (2, 4)},
                {"values": [[7], [6], [2]], "switches": [[5], [2], [12]], "output_size": (6, 3)},
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "always",
            "You say that every value comes back.",
            lambda values, switches, output_size: torch.ones(values.shape, dtype=torch.bool),
            "Do it: unpool, pool, compare. A zero beside a negative value is larger than it.",
        ),
        Misconception(
            "sign-only",
            "You look at the sign only. A switch may lead into another block, too.",
            lambda values, switches, output_size: values >= 0,
            "Unpool, pool the result, and compare cell by cell.",
        ),
        Misconception(
            "zero-lost",
            "You count a 0 as lost, but pooling finds 0 in its block.",
            lambda values, switches, output_size: (
                (_round_trip(values, switches, output_size) == values) & (values != 0)
            ),
            "Compare with ==: 0 is the same number as 0.",
        ),
        Misconception(
            "home-only",
            "You only ask whether the switch leads into its own block. A negative value is lost there too, "
            "and a larger value may come in.",
            _at_home,
            "Unpool, pool the result, and compare cell by cell.",
        ),
        Misconception(
            "not-negative-at-home",
            "You forget that another, larger value may come into the block.",
            lambda values, switches, output_size: _at_home(values, switches, output_size) & (values >= 0),
            "Unpool all the values first. Then pool.",
        ),
        Misconception(
            "anywhere",
            "You count a value as back when it turns up in another cell.",
            lambda values, switches, output_size: torch.isin(
                values, _round_trip(values, switches, output_size)
            ),
            "Compare cell by cell: back == values.",
        ),
        Misconception(
            "magnitude",
            "You compare sizes without the sign, so that a negative value seems to come back.",
            lambda values, switches, output_size: (
                _round_trip(values.abs(), switches, output_size) == values.abs()
            ),
            "The largest of -3 and 0 is 0.",
        ),
        Misconception(
            "inverted",
            "Your grid is turned round: it is True where a value is lost.",
            lambda values, switches, output_size: _round_trip(values, switches, output_size) != values,
            "True where it comes back: back == values.",
        ),
    ),
    hints=(
        "You have both tools: unpooling, then pooling with size 2. Then compare with ==.",
        "grid = unpool(values, switches, output_size) and back, _ = pool(grid, 2).",
        "return back == values gives True and False, cell by cell.",
    ),
    example={
        "values": torch.tensor([[4.0, -3.0, 2.0]]),
        "switches": torch.tensor([[7, 2, 1]]),
        "output_size": (2, 6),
    },
)


EXERCISES = (POOL_WITH_SWITCHES, MAX_UNPOOL, CORRESPONDING_PAIRS, ROUND_TRIP)
