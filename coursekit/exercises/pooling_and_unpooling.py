"""Lesson 03: max pooling, and three ways back up with nothing to learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from coursekit.checking import Exercise, Misconception, Number, Property, Tensor

LESSON = "03-pooling-down-unpooling-up"
UPWARDS = ("nearest", "bed_of_nails", "bilinear")

Grid = torch.Tensor
Arguments = dict[str, Any]


# --- max-pool --------------------------------------------------------------------------------------


def max_pool(x, size):
    rows, columns = x.shape[0] // size, x.shape[1] // size
    out = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            block = x[i * size : (i + 1) * size, j * size : (j + 1) * size]
            out[i, j] = block.max()
    return out


def _blocks(x: Grid, size: int) -> Grid:
    return x.unfold(0, size, size).unfold(1, size, size)


def _runs_as_blocks(x: Grid, size: int) -> Grid:
    # No rows are left out first: who writes this does not, so that it stops where theirs does.
    return x.reshape(x.shape[0] // size, x.shape[1] // size, size, size).amax((2, 3))


def _pool_partial_blocks(x: Grid, size: int) -> Grid:
    below, right = -x.shape[0] % size, -x.shape[1] % size
    return max_pool(functional.pad(x, (0, right, 0, below), value=-torch.inf), size)


def _sides_over(case: Arguments) -> tuple[int, int]:
    return case["x"].shape[0] % case["size"], case["x"].shape[1] % case["size"]


MAX_POOL = Exercise(
    id="max-pool",
    lesson=LESSON,
    title="Max pooling: keep the largest number of each block",
    function="max_pool",
    points=2,
    minutes=7,
    difficulty=2,
    starter='''def max_pool(x, size):
    """Cut x into blocks of size x size cells, side by side, and keep the largest number of each.

    x: a grid of H rows, W columns. Rows and columns that do not fill a block are left out.
    Return a grid of H // size rows, W // size columns.
    """
    ...
''',
    reference=max_pool,
    parameters=(Tensor("x", "H W"), Number("size", 2, 3)),
    sizes={"H": (2, 7), "W": (2, 7)},
    valid=lambda case: min(case["x"].shape) >= case["size"],
    properties=(
        Property(
            "one-block",
            "One block becomes one number, its largest",
            sizes={"H": (2, 3), "W": (2, 3)},
            valid=lambda case: tuple(case["x"].shape) == (case["size"], case["size"]),
        ),
        Property(
            "all-blocks",
            "Every block has its place, row by row",
            weight=2,
            sizes={"H": (2, 6), "W": (2, 6)},
            valid=lambda case: _sides_over(case) == (0, 0) and case["x"].numel() > case["size"] ** 2,
        ),
        Property(
            "negative",
            "The largest of negative numbers is negative too",
            cases=(
                {"x": [[-3, -1], [-2, -4]], "size": 2},
                {"x": [[-7, -5, 3, -1], [-6, -8, -2, -4]], "size": 2},
                {"x": [[-4, -9, -7], [-8, -6, -3], [-5, -2, -1]], "size": 3},
            ),
            count=0,
        ),
        Property(
            "left-over",
            "Rows and columns that do not fill a block are left out",
            sizes={"H": (2, 7), "W": (2, 7)},
            valid=lambda case: _sides_over(case) != (0, 0),
        ),
    ),
    misconceptions=(
        Misconception(
            "starts-at-zero",
            "Your largest number so far begins at 0, so a block of negative numbers gives 0.",
            lambda x, size: max_pool(x, size).clamp_min(0),
            "Take block.max(), or begin with the block's first number.",
        ),
        Misconception(
            "mean",
            "You take the mean of each block, not the largest number.",
            lambda x, size: _blocks(x, size).mean((-2, -1)),
            "That is mean pooling, often called average pooling. Here: block.max().",
        ),
        Misconception(
            "smallest",
            "You keep the smallest number of each block.",
            lambda x, size: _blocks(x, size).amin((-2, -1)),
            "block.max() is the largest.",
        ),
        Misconception(
            "upper-left",
            "You keep the upper left number of each block, whatever the others are.",
            lambda x, size: _blocks(x, size)[..., 0, 0].clone(),
            "x[::size, ::size] looks at one number of each block. Look at all of them.",
        ),
        Misconception(
            "sliding",
            "Your blocks overlap: each starts one cell after the last.",
            lambda x, size: x.unfold(0, size, 1).unfold(1, size, 1).amax((-2, -1)),
            "Blocks lie side by side: block (i, j) starts at row i * size, column j * size.",
        ),
        Misconception(
            "rows-only",
            "You shrink the rows only: all the columns are still there.",
            lambda x, size: x.unfold(0, size, size).amax(-1),
            "A block is `size` rows high and `size` columns wide.",
        ),
        Misconception(
            "columns-only",
            "You shrink the columns only: all the rows are still there.",
            lambda x, size: x.unfold(1, size, size).amax(-1),
            "A block is `size` rows high and `size` columns wide.",
        ),
        Misconception(
            "runs-as-blocks",
            "Your reshape cuts x into runs of neighbours in reading order, not into square blocks.",
            _runs_as_blocks,
            "The axes must alternate: x.reshape(rows, size, columns, size), then the largest over axes 1, 3.",
        ),
        Misconception(
            "partial-blocks",
            "You keep the blocks that stick out below or to the right.",
            _pool_partial_blocks,
            "Only whole blocks count: H // size rows of them.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            lambda x, size: max_pool(x, size).T,
            "The first index is the row. out[i, j] belongs to row i, column j.",
        ),
    ),
    hints=(
        "How many blocks fit? H // size below each other, W // size side by side. Make a grid of zeros of "
        "that size, then fill it.",
        "Block (i, j) is x[i * size : (i + 1) * size, j * size : (j + 1) * size].",
        "block.max() is its largest number: out[i, j] = block.max().",
    ),
    forbidden=(
        "torch.nn.functional.max_pool2d",
        "torch.nn.functional.max_pool1d",
        "torch.nn.functional.adaptive_max_pool2d",
        "torch.nn.MaxPool2d",
        "torch.max_pool2d",
        "coursekit.upsampling.max_pool",
    ),
    example={
        "x": torch.tensor([[1.0, 5.0, -2.0, -1.0, 7.0], [3.0, 4.0, -6.0, -3.0, 8.0]]),
        "size": 2,
    },
)


# --- nearest ---------------------------------------------------------------------------------------


def nearest(x, factor):
    rows, columns = x.shape[0] * factor, x.shape[1] * factor
    out = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            out[i, j] = x[i // factor, j // factor]
    return out


def _runs_of_copies(x: Grid, factor: int) -> Grid:
    height, width = x.shape
    return x[:, :, None, None].expand(height, width, factor, factor).reshape(height * factor, width * factor)


def _rounded(x: Grid, factor: int) -> Grid:
    rows, columns = (
        [min(round(place / factor), side - 1) for place in range(side * factor)] for side in x.shape
    )
    return x[rows][:, columns]


NEAREST = Exercise(
    id="nearest",
    lesson=LESSON,
    title="Nearest neighbour: every number becomes a block of copies",
    function="nearest",
    points=2,
    minutes=6,
    difficulty=1,
    starter='''def nearest(x, factor):
    """Give each number of x a block of factor x factor cells, all filled with it.

    x: a grid of H rows, W columns. Return H * factor rows, W * factor columns.
    """
    ...
''',
    reference=nearest,
    parameters=(Tensor("x", "H W"), Number("factor", 2, 3)),
    sizes={"H": (1, 4), "W": (1, 4)},
    properties=(
        Property(
            "one-number",
            "One number becomes one block of copies",
            sizes={"H": (1, 1), "W": (1, 1)},
        ),
        Property(
            "places",
            "The blocks lie as the numbers lie in x, down as well as to the right",
            weight=2,
            sizes={"H": (2, 4), "W": (2, 4)},
            fixed={"factor": 2},
        ),
        Property(
            "any-factor",
            "Any number of rows and columns, any factor",
            sizes={"H": (1, 4), "W": (1, 4)},
        ),
    ),
    misconceptions=(
        Misconception(
            "tiled",
            "You lay the whole of x side by side, like tiles, instead of copying each number in its place.",
            lambda x, factor: x.repeat(factor, factor),
            "x.repeat repeats the whole grid. Ask for each output cell which number of x it belongs to: "
            "row i // factor, column j // factor.",
        ),
        Misconception(
            "rows-only",
            "You copy downwards only: there are as many columns as before.",
            lambda x, factor: x.repeat_interleave(factor, 0),
            "Do the same to the right.",
        ),
        Misconception(
            "columns-only",
            "You copy to the right only: there are as many rows as before.",
            lambda x, factor: x.repeat_interleave(factor, 1),
            "Do the same downwards.",
        ),
        Misconception(
            "runs",
            "The copies of a number lie in one run, in reading order, not in a square block.",
            _runs_of_copies,
            "Before a reshape the axes have to alternate: rows, factor, columns, factor.",
        ),
        Misconception(
            "nails",
            "Each number stands in the upper left of its block; the other cells of the block are still 0.",
            lambda x, factor: bed_of_nails(x, factor),
            "Fill the whole block with it.",
        ),
        Misconception(
            "shared",
            "You share each number out among the cells of its block.",
            lambda x, factor: nearest(x, factor) / factor**2,
            "They are copies: nothing is divided.",
        ),
        Misconception(
            "rounded",
            "You round i / factor, so some blocks begin too early.",
            _rounded,
            "Round down: i // factor.",
        ),
        Misconception(
            "always-two",
            "Your blocks are 2x2, whatever `factor` says.",
            lambda x, factor: nearest(x, 2),
            "Use `factor`.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            lambda x, factor: nearest(x, factor).T,
            "The first index is the row: i goes with the height, j with the width.",
        ),
    ),
    hints=(
        "Start with a grid of zeros with H * factor rows and W * factor columns. Then fill every cell.",
        "With factor 2, rows 0 and 1 of the result both come from row 0 of x, rows 2 and 3 from row 1. "
        "What do you do to the row number?",
        "out[i, j] = x[i // factor, j // factor].",
    ),
    fingerprint={"factor": 2},
    known=UPWARDS,
    forbidden=("torch.nn.functional.interpolate", "torch.nn.Upsample", "coursekit.upsampling.nearest"),
    example={"x": torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, 0.0]]), "factor": 2},
)


# --- bed-of-nails ----------------------------------------------------------------------------------


def bed_of_nails(x, factor):
    board = torch.zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[::factor, ::factor] = x
    return board


def _nails_at(x: Grid, factor: int, place: int) -> Grid:
    board = torch.zeros(x.shape[0] * factor, x.shape[1] * factor)
    board[place::factor, place::factor] = x
    return board


def _nails_in_the_corner(x: Grid, factor: int) -> Grid:
    return functional.pad(x, (0, x.shape[1] * (factor - 1), 0, x.shape[0] * (factor - 1)))


BED_OF_NAILS = Exercise(
    id="bed-of-nails",
    lesson=LESSON,
    title="Bed of nails: one number a block, zeros around it",
    function="bed_of_nails",
    points=1,
    minutes=4,
    difficulty=1,
    starter='''def bed_of_nails(x, factor):
    """Give each number of x a block of factor x factor cells: itself in the upper left, zeros in the rest.

    x: a grid of H rows, W columns. Return H * factor rows, W * factor columns.
    """
    ...
''',
    reference=bed_of_nails,
    parameters=(Tensor("x", "H W"), Number("factor", 2, 3)),
    sizes={"H": (1, 4), "W": (1, 4)},
    properties=(
        Property(
            "one-nail",
            "One number stands in the upper left of its block, the rest is 0",
            sizes={"H": (1, 1), "W": (1, 1)},
        ),
        Property(
            "spacing",
            "The next number stands `factor` cells further, down as well as to the right",
            weight=2,
            sizes={"H": (2, 4), "W": (2, 4)},
        ),
        Property(
            "any-shape",
            "Any number of rows and columns, any factor",
            sizes={"H": (1, 4), "W": (1, 4)},
        ),
    ),
    misconceptions=(
        Misconception(
            "bottom-right",
            "Your numbers stand in the bottom right of their blocks.",
            lambda x, factor: _nails_at(x, factor, factor - 1),
            "Upper left: x[i, j] goes to row i * factor, column j * factor.",
        ),
        Misconception(
            "centre",
            "Your numbers stand at factor // 2, the middle of their blocks.",
            lambda x, factor: _nails_at(x, factor, factor // 2),
            "Upper left: x[i, j] goes to row i * factor, column j * factor.",
        ),
        Misconception(
            "filled",
            "You fill the whole block with the number, as nearest neighbour does.",
            lambda x, factor: nearest(x, factor),
            "Set one cell of each block and leave the others at 0.",
        ),
        Misconception(
            "in-the-corner",
            "You put x as it is into the upper left corner, with no zeros between its numbers.",
            _nails_in_the_corner,
            "Each number has a block of its own: leave factor - 1 cells between neighbours.",
        ),
        Misconception(
            "gap-too-wide",
            "Your numbers stand one cell too far apart: `factor` zeros lie between them.",
            lambda x, factor: bed_of_nails(x, factor + 1),
            "Neighbours stand `factor` cells apart, so factor - 1 zeros lie in between.",
        ),
        Misconception(
            "ends-at-the-last-nail",
            "Your board ends at the last number: the rest of the last blocks is missing.",
            lambda x, factor: bed_of_nails(x, factor)[: 1 - factor, : 1 - factor],
            "The last block is whole too: H * factor rows, W * factor columns.",
        ),
        Misconception(
            "rows-only",
            "You leave room downwards only: there are as many columns as before.",
            lambda x, factor: bed_of_nails(x, factor)[:, ::factor].clone(),
            "Do the same to the right.",
        ),
        Misconception(
            "columns-only",
            "You leave room to the right only: there are as many rows as before.",
            lambda x, factor: bed_of_nails(x, factor)[::factor].clone(),
            "Do the same downwards.",
        ),
        Misconception(
            "always-two",
            "Your blocks are 2x2, whatever `factor` says.",
            lambda x, factor: bed_of_nails(x, 2),
            "Use `factor`.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            lambda x, factor: bed_of_nails(x, factor).T,
            "The first index is the row: i goes with the height, j with the width.",
        ),
    ),
    hints=(
        "Begin with a board of zeros, H * factor rows and W * factor columns. How many cells must change?",
        "x[i, j] goes to row i * factor, column j * factor. Two loops do it.",
        "Or in one go: board[::factor, ::factor] means every factor-th row and every factor-th column.",
    ),
    fingerprint={"factor": 2},
    known=UPWARDS,
    forbidden=(
        "torch.nn.functional.conv_transpose2d",
        "torch.nn.ConvTranspose2d",
        "torch.nn.functional.max_unpool2d",
        "coursekit.upsampling.bed_of_nails",
    ),
    example={"x": torch.tensor([[1.0, -2.0, 3.0], [4.0, 5.0, 6.0]]), "factor": 2},
)


# --- bilinear --------------------------------------------------------------------------------------


def bilinear(x):
    for _ in range(2):  # the rows; then, as x is turned over, the columns
        rows = len(x)
        tall = torch.zeros(2 * rows, x.shape[1])
        for i in range(rows):
            above, below = x[max(i - 1, 0)], x[min(i + 1, rows - 1)]
            tall[2 * i] = 0.75 * x[i] + 0.25 * above
            tall[2 * i + 1] = 0.75 * x[i] + 0.25 * below
        x = tall.T
    return x


Doubling = Callable[[Grid], Grid]


def _both_ways(x: Grid, double: Doubling) -> Grid:
    return double(double(x).T).T


def _woven(upper: Grid, lower: Grid) -> Grid:
    return torch.stack((upper, lower), 1).flatten(0, 1)


def _mixed(x: Grid, above: Grid, below: Grid, own: float = 0.75) -> Grid:
    return _woven(own * x + (1 - own) * above, own * x + (1 - own) * below)


def _neighbours(x: Grid) -> tuple[Grid, Grid]:
    return torch.cat((x[:1], x[:-1])), torch.cat((x[1:], x[-1:]))


def _right(x: Grid) -> Grid:
    return _mixed(x, *_neighbours(x))


def _halfway(x: Grid) -> Grid:
    return _woven(x, (x + _neighbours(x)[1]) / 2)


def _zero_border(x: Grid) -> Grid:
    nothing = torch.zeros_like(x[:1])
    return _mixed(x, torch.cat((nothing, x[:-1])), torch.cat((x[1:], nothing)))


def _slope_goes_on(x: Grid) -> Grid:
    before, after = (2 * x[:1] - x[1:2], 2 * x[-1:] - x[-2:-1]) if len(x) > 1 else (x, x)
    return _mixed(x, torch.cat((before, x[:-1])), torch.cat((x[1:], after)))


def _corners_meet(x: Grid) -> Grid:
    place = torch.linspace(0, len(x) - 1, 2 * len(x))  # of each new row, counted in old rows
    row = place.long()
    share = (place - row)[:, None]
    return (1 - share) * x[row] + share * x[(row + 1).clamp_max(len(x) - 1)]


def _corners(grid: Grid) -> list[float]:
    return [float(grid[row, column]) for row in (0, -1) for column in (0, -1)]


BILINEAR = Exercise(
    id="bilinear",
    lesson=LESSON,
    title="Bilinear: double a grid with steps in between",
    function="bilinear",
    points=3,
    minutes=12,
    difficulty=3,
    starter='''def bilinear(x):
    """Double x so that values change in small steps: first the rows, then the columns in the same way.

    Each row makes two. The upper is 0.75 times the row plus 0.25 times the row above it, the lower
    0.75 times the row plus 0.25 times the row below it. At the edge, where there is no such row, the
    row itself stands in. x: a grid of H rows, W columns. Return 2 * H rows, 2 * W columns.
    """
    ...
''',
    reference=bilinear,
    parameters=(Tensor("x", "H W"),),
    sizes={"H": (1, 4), "W": (1, 4)},
    properties=(
        Property(
            "down",
            "Down a column: three quarters of the own number, one quarter of the nearer neighbour",
            sizes={"H": (2, 4), "W": (1, 1)},
        ),
        Property(
            "right",
            "Along a row in the same way",
            sizes={"H": (1, 1), "W": (2, 4)},
        ),
        Property(
            "corners",
            "A corner has no neighbour further out: it keeps its number",
            sizes={"H": (1, 3), "W": (2, 3)},
            holds=lambda case, output: (
                output.shape == (2 * case["x"].shape[0], 2 * case["x"].shape[1])
                and _corners(output) == _corners(case["x"])
            ),
        ),
        Property(
            "both",
            "Both ways at once, with any number of rows and columns",
            weight=2,
            sizes={"H": (2, 4), "W": (2, 4)},
        ),
    ),
    misconceptions=(
        Misconception(
            "corners-meet",
            "Your steps are those of align_corners=True: the middles of the corner cells meet, and the new "
            "cells share out the way between them.",
            lambda x: _both_ways(x, _corners_meet),
            "Here the edges of the grids meet, so a new cell lies a quarter of a cell from its own number.",
        ),
        Misconception(
            "halfway",
            "You keep each number and put the mean of two neighbours between them.",
            lambda x: _both_ways(x, _halfway),
            "No new cell lies right on an old one: each takes 0.75 of its own and 0.25 of a neighbour.",
        ),
        Misconception(
            "halves",
            "You take half of each number and half of its neighbour.",
            lambda x: _both_ways(x, lambda rows: _mixed(rows, *_neighbours(rows), own=0.5)),
            "The own number is nearer, so it counts more: 0.75 to 0.25.",
        ),
        Misconception(
            "weights-swapped",
            "The neighbour counts 0.75 and the own number 0.25.",
            lambda x: _both_ways(x, lambda rows: _mixed(rows, *_neighbours(rows), own=0.25)),
            "The own number is nearer, so it counts more.",
        ),
        Misconception(
            "wrong-neighbour",
            "The upper of the two cells takes from the neighbour below, the lower from the one above.",
            lambda x: _both_ways(x, lambda rows: _mixed(rows, *_neighbours(rows)[::-1])),
            "The upper one lies nearer to the neighbour above.",
        ),
        Misconception(
            "wraps-around",
            "At the edge you take the neighbour from the opposite edge.",
            lambda x: _both_ways(x, lambda rows: _mixed(rows, rows.roll(1, 0), rows.roll(-1, 0))),
            "x[i - 1] with i = 0 is x[-1], the last row. Use x[max(i - 1, 0)].",
        ),
        Misconception(
            "zero-border",
            "Beyond the edge you take zeros, so the border gets darker.",
            lambda x: _both_ways(x, _zero_border),
            "Where there is no neighbour, the number itself stands in for it.",
        ),
        Misconception(
            "slope-goes-on",
            "Beyond the edge you let the values rise or fall on, so the border leaves the range of x.",
            lambda x: _both_ways(x, _slope_goes_on),
            "Where there is no neighbour, the number itself stands in for it.",
        ),
        Misconception(
            "columns-copied",
            "Down there are steps in between, but to the right you only copy.",
            lambda x: _right(x).repeat_interleave(2, 1),
            "Do with the columns what you did with the rows.",
        ),
        Misconception(
            "rows-copied",
            "To the right there are steps in between, but down you only copy.",
            lambda x: _right(x.T).T.repeat_interleave(2, 0),
            "Do with the rows what you did with the columns.",
        ),
        Misconception(
            "rows-only",
            "You double the rows only: there are as many columns as before.",
            _right,
            "Do the same to the right. `grid.T` swaps rows and columns, so the same code can run twice.",
        ),
        Misconception(
            "nearest",
            "You copy each number into a block, as nearest neighbour does: there is nothing in between.",
            lambda x: nearest(x, 2),
            "Each new cell takes 0.75 of its own number and 0.25 of its neighbour's.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            lambda x: bilinear(x).T,
            "If you turned the grid over once with .T, turn it back.",
        ),
    ),
    hints=(
        "Only the rows at first: a grid of zeros with 2 * H rows and W columns. tall[2 * i] and "
        "tall[2 * i + 1] come from row i.",
        "The row above row i is x[max(i - 1, 0)], the row below is x[min(i + 1, H - 1)]: so the edge row "
        "stands in for itself.",
        "Then the columns: turn the grid over with .T, do the same once more, and turn it back with .T.",
    ),
    fingerprint={},
    known=UPWARDS,
    forbidden=("torch.nn.functional.interpolate", "torch.nn.Upsample", "coursekit.upsampling.bilinear"),
    example={"x": torch.tensor([[0.0, 4.0, 16.0], [8.0, 4.0, -16.0]])},
)


EXERCISES = (MAX_POOL, NEAREST, BED_OF_NAILS, BILINEAR)
