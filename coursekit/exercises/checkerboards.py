"""Lesson 06: how even a layer is, and two ways up that begin even."""

from __future__ import annotations

from typing import Any

import torch

from coursekit.checking import Exercise, Misconception, Number, Pair, Property, Tensor

LESSON = "06-checkerboards"

Grid = torch.Tensor
Arguments = dict[str, Any]
Factors = tuple[int, int]


# --- overlap-count ---------------------------------------------------------------------------------


def count_and_light(kernel, stride):
    counts = torch.zeros(stride, stride)
    light = torch.zeros(stride, stride)
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            counts[a % stride, b % stride] += 1
            light[a % stride, b % stride] += kernel[a, b]
    return counts, light


def _corner_block(kernel: Grid, stride: int) -> tuple[Grid, Grid]:
    """What the upper left block of a canvas gets: the stamp of the corner cell alone."""
    counts, light = torch.zeros(stride, stride), torch.zeros(stride, stride)
    height, width = min(stride, kernel.shape[0]), min(stride, kernel.shape[1])
    counts[:height, :width] = 1
    light[:height, :width] = kernel[:stride, :stride]
    return counts, light


def _neighbouring_numbers(kernel: Grid, stride: int) -> tuple[Grid, Grid]:
    """A kernel cut into stride x stride pieces of neighbours, one for each seat."""
    counts, light = torch.zeros(stride, stride), torch.zeros(stride, stride)
    height, width = (-(-side // stride) for side in kernel.shape)
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            counts[a // height, b // width] += 1
            light[a // height, b // width] += kernel[a, b]
    return counts, light


def _means_for_sums(kernel: Grid, stride: int) -> tuple[Grid, Grid]:
    counts, light = count_and_light(kernel, stride)
    return counts, light / counts.clamp_min(1)


OVERLAP_COUNT = Exercise(
    id="overlap-count",
    lesson=LESSON,
    title="How many stamps reach each seat, and how bright does it get?",
    function="count_and_light",
    points=3,
    minutes=10,
    difficulty=2,
    starter='''def count_and_light(kernel, stride):
    """For each seat of a block far from the edges: how many stamps reach it, and their sum on flat 1s.

    kernel: a grid. stride: the stamps lie so many cells apart, so a block has stride x stride seats.
    A block begins where a stamp begins.
    Return two grids of stride rows and stride columns: the counts, and the brightness.
    """
    counts = torch.zeros(stride, stride)
    light = torch.zeros(stride, stride)
    ...
''',
    reference=count_and_light,
    parameters=(Tensor("kernel", "kh kw"), Number("stride", 1, 3)),
    sizes={"kh": (1, 5), "kw": (1, 5)},
    properties=(
        Property(
            "no-overlap",
            "Where the stride is as large as the kernel, one stamp reaches each seat",
            sizes={"kh": (2, 3), "kw": (2, 3)},
            valid=lambda case: tuple(case["kernel"].shape) == (case["stride"], case["stride"]),
        ),
        Property(
            "overlap",
            "Where stamps overlap, each one counts, and their kernel numbers add",
            weight=2,
            sizes={"kh": (2, 4), "kw": (3, 4)},
            fixed={"stride": 2},
        ),
        Property(
            "any-shape",
            "Any kernel and any stride; a seat that no stamp reaches has 0",
            sizes={"kh": (1, 5), "kw": (1, 5)},
        ),
    ),
    misconceptions=(
        Misconception(
            "edges",
            "You read the block in the corner, at the edge, where the stamps of neighbours are missing.",
            _corner_block,
            "Away from the edges the stamps of all neighbours arrive: kernel rows a, a + stride, "
            "a + 2 * stride ... all reach seat row a.",
        ),
        Misconception(
            "counts-for-light",
            "Your brightness is only the count. So every 3x3 kernel would be uneven, whatever its numbers.",
            lambda kernel, stride: (count_and_light(kernel, stride)[0],) * 2,
            "Add up the kernel's numbers for the brightness: they may even out what the counts do not.",
        ),
        Misconception(
            "light-for-counts",
            "Your counts hold the kernel's numbers. A stamp counts as 1, whatever number it brings.",
            lambda kernel, stride: (count_and_light(kernel, stride)[1],) * 2,
            "Add 1 to the count where you add kernel[a, b] to the brightness.",
        ),
        Misconception(
            "results-swapped",
            "Your two results are in the wrong order: the counts come first.",
            lambda kernel, stride: count_and_light(kernel, stride)[::-1],
            "return counts, light",
        ),
        Misconception(
            "mean",
            "Your brightness is divided by the number of stamps.",
            _means_for_sums,
            "Overlapping stamps add up, and nothing is divided.",
        ),
        Misconception(
            "neighbours",
            "You cut the kernel into pieces of neighbouring numbers. But neighbours in the kernel land on "
            "neighbouring seats.",
            _neighbouring_numbers,
            "Kernel row a lands on seat row a % stride: every stride-th row shares a seat.",
        ),
        Misconception(
            "no-sign",
            "You drop the minus signs: a negative kernel number makes its seat darker.",
            lambda kernel, stride: count_and_light(kernel.abs(), stride),
            "Add kernel[a, b] as it is.",
        ),
        Misconception(
            "swapped-axes",
            "Your seats' rows and columns are swapped.",
            lambda kernel, stride: tuple(grid.T for grid in count_and_light(kernel, stride)),
            "Kernel row a belongs to seat row a % stride, kernel column b to seat column b % stride.",
        ),
    ),
    hints=(
        "Flat input: every stamp is the kernel itself. Stride 2: the next stamp starts 2 rows further down. "
        "Which kernel rows can land on the first row of a block?",
        "With stride 2, kernel rows 0, 2, 4 land on seat row 0, and kernel rows 1, 3 on seat row 1. "
        "In general: row a lands on seat row a % stride.",
        "Two loops over the kernel, rows a and columns b. For each: counts[a % stride, b % stride] += 1, and "
        "light[a % stride, b % stride] += kernel[a, b].",
    ),
    forbidden=("coursekit.upsampling.fingerprint",),
    example={"kernel": torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]), "stride": 2},
)


# --- resize-conv -----------------------------------------------------------------------------------


def resize_conv(x, kernel, factor):
    down, across = factor
    large = x.repeat_interleave(down, dim=0).repeat_interleave(across, dim=1)
    rows, columns = large.shape
    height, width = kernel.shape
    bordered = torch.zeros(rows + height - 1, columns + width - 1)
    top, left = height // 2, width // 2
    bordered[top : top + rows, left : left + columns] = large
    out = torch.zeros(rows, columns)
    for a in range(height):
        for b in range(width):
            out += kernel[a, b] * bordered[a : a + rows, b : b + columns]
    return out


def _enlarged(x: Grid, factor: Factors) -> Grid:
    return x.repeat_interleave(factor[0], dim=0).repeat_interleave(factor[1], dim=1)


def _windows(bordered: Grid, kernel: Grid) -> Grid:
    return torch.nn.functional.conv2d(bordered[None, None], kernel[None, None])[0, 0]


def _same_size(x: Grid, kernel: Grid) -> Grid:
    return resize_conv(x, kernel, (1, 1))


def _nailed(x: Grid, factor: Factors) -> Grid:
    board = torch.zeros(x.shape[0] * factor[0], x.shape[1] * factor[1])
    board[:: factor[0], :: factor[1]] = x
    return board


def _copied_border(x: Grid, kernel: Grid, factor: Factors) -> Grid:
    sides = (kernel.shape[1] // 2, kernel.shape[1] // 2, kernel.shape[0] // 2, kernel.shape[0] // 2)
    large = _enlarged(x, factor)[None, None]
    return _windows(torch.nn.functional.pad(large, sides, mode="replicate")[0, 0], kernel)


def _border_below(x: Grid, kernel: Grid, factor: Factors) -> Grid:
    sides = (0, kernel.shape[1] - 1, 0, kernel.shape[0] - 1)
    return _windows(torch.nn.functional.pad(_enlarged(x, factor), sides), kernel)


def _odd(case: Arguments) -> bool:
    return all(side % 2 for side in case["kernel"].shape)


RESIZE_CONV = Exercise(
    id="resize-conv",
    lesson=LESSON,
    title="Resize-convolution: enlarge first, then convolve",
    function="resize_conv",
    points=3,
    minutes=10,
    difficulty=2,
    starter='''def resize_conv(x, kernel, factor):
    """Enlarge x by nearest neighbour, then lay the kernel on every cell of the large grid.

    x: a grid. kernel: a grid with an odd number of rows and of columns. factor: (down, across), the
    rows and columns of each block. The middle of the kernel goes over each cell in turn; zeros stand
    around the large grid, so the result has its size.
    """
    down, across = factor
    ...
''',
    reference=resize_conv,
    parameters=(Tensor("x", "H W"), Tensor("kernel", "kh kw"), Pair("factor", 1, 3)),
    sizes={"H": (1, 3), "W": (1, 3), "kh": (1, 3), "kw": (1, 3)},
    valid=_odd,
    properties=(
        Property(
            "enlarge",
            "With a 1x1 kernel it is nearest neighbour times one number",
            sizes={"H": (1, 2), "W": (2, 3)},
            fixed={"kh": 1, "kw": 1},
        ),
        Property(
            "convolve",
            "With factor (1, 1) it is a convolution that keeps the size",
            sizes={"H": (2, 3), "W": (2, 3), "kh": (1, 3), "kw": (3, 3)},
            fixed={"factor": (1, 1)},
        ),
        Property(
            "order",
            "The kernel lies on the large grid",
            weight=2,
            sizes={"H": (1, 2), "W": (2, 3), "kh": (1, 3), "kw": (3, 3), "factor": (1, 3)},
            valid=lambda case: max(case["factor"]) > 1,
        ),
    ),
    misconceptions=(
        Misconception(
            "conv-first",
            "You convolve the small grid and enlarge the result, so it stays blocky.",
            lambda x, kernel, factor: _enlarged(_same_size(x, kernel), factor),
            "Enlarge first. Then the kernel sees where one block ends and the next begins.",
        ),
        Misconception(
            "factors-swapped",
            "You take `factor` as (across, down).",
            lambda x, kernel, factor: resize_conv(x, kernel, factor[::-1]),
            "factor[0] is the number of rows of a block: it goes with dim=0.",
        ),
        Misconception(
            "tiled",
            "You lay copies of the whole grid side by side.",
            lambda x, kernel, factor: _same_size(x.repeat(*factor), kernel),
            "Use repeat_interleave, which repeats each row by itself, instead of repeat.",
        ),
        Misconception(
            "nails",
            "You enlarge with zeros between the numbers: a bed of nails.",
            lambda x, kernel, factor: _same_size(_nailed(x, factor), kernel),
            "Fill each block with copies of its number.",
        ),
        Misconception(
            "no-border",
            "Your result is too small: you put no zeros around the large grid.",
            lambda x, kernel, factor: _windows(_enlarged(x, factor), kernel),
            "kh // 2 rows of zeros above and below, kw // 2 columns on the left and on the right.",
        ),
        Misconception(
            "copied-border",
            "Around the large grid you repeat its outermost cells; here zeros belong there.",
            _copied_border,
            "Start from torch.zeros and put the large grid into the middle.",
        ),
        Misconception(
            "border-below",
            "Your kernel lies with its upper left number on each cell, not with its middle.",
            _border_below,
            "Half of the zeros go above and to the left: kh // 2 rows and kw // 2 columns.",
        ),
        Misconception(
            "flipped-kernel",
            "Your kernel is turned upside down and left to right.",
            lambda x, kernel, factor: resize_conv(x, kernel.flip(0, 1), factor),
            "Lay the kernel down as it is: kernel[0, 0] weighs the upper left cell of each window.",
        ),
        Misconception(
            "mean",
            "You divide by the number of kernel cells.",
            lambda x, kernel, factor: resize_conv(x, kernel, factor) / kernel.numel(),
            "Add the products and leave it at that.",
        ),
    ),
    hints=(
        "Two steps, one after the other: make the large grid, then convolve it with a step of 1.",
        "x.repeat_interleave(down, dim=0).repeat_interleave(across, dim=1) is the large grid. Lay it into "
        "the middle of a grid of zeros with kh - 1 more rows and kw - 1 more columns.",
        'That bordered grid has a window for every cell: mine("strided-conv")(bordered, kernel, 1) is the '
        "result.",
    ),
    fingerprint={"kernel": [[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 2.0]], "factor": (2, 2)},
    forbidden=("coursekit.upsampling.resize_conv",),
    example={
        "x": torch.tensor([[0.0, 4.0, 8.0]]),
        "kernel": torch.tensor([[0.25, 0.5, 0.25]]),
        "factor": (1, 2),
    },
)


# --- pixel-shuffle ---------------------------------------------------------------------------------


def pixel_shuffle(x, factor):
    channels, rows, columns = x.shape
    out = torch.zeros(channels // factor**2, rows * factor, columns * factor)
    for c in range(len(out)):
        for i in range(factor):
            for j in range(factor):
                out[c, i::factor, j::factor] = x[c * factor**2 + i * factor + j]
    return out


def _reordered(x: Grid, factor: int, split: str, order: str) -> Grid:
    """`x` with its channels split into the axes named by `split`, all axes laid out as `order` says."""
    channels, rows, columns = x.shape
    size = {"c": channels // factor**2, "i": factor, "j": factor, "h": rows, "w": columns}
    named = split + "hw"
    parts = x.reshape([size[name] for name in named]).permute([named.index(name) for name in order])
    return parts.reshape(size["c"], rows * factor, columns * factor)


def _shuffled_transposed(x: Grid, factor: int) -> Grid:
    """Each output channel with its rows and columns swapped."""
    return pixel_shuffle(x, factor).transpose(1, 2)


PIXEL_SHUFFLE = Exercise(
    id="pixel-shuffle",
    lesson=LESSON,
    title="Pixel shuffle: channels become the seats of a block",
    function="pixel_shuffle",
    points=3,
    minutes=10,
    difficulty=3,
    starter='''def pixel_shuffle(x, factor):
    """Give each output channel factor * factor channels of x: one for each seat of its blocks.

    x: (channels, rows, columns). Output channel 0 takes the first factor * factor channels, output
    channel 1 the next, and so on. Their order is the reading order of the seats: first row, left to right.
    Return (channels // factor**2, rows * factor, columns * factor).
    """
    channels, rows, columns = x.shape
    ...
''',
    reference=pixel_shuffle,
    parameters=(Tensor("x", "C*factor**2 H W"), Number("factor", 1, 3)),
    sizes={"C": (1, 3), "H": (1, 3), "W": (1, 3)},
    properties=(
        Property(
            "one-block",
            "The channels of one cell fill one block in reading order",
            sizes={"C": (1, 1), "H": (1, 1), "W": (1, 1), "factor": (2, 3)},
        ),
        Property(
            "blocks",
            "Every cell's block lies where the cell lay",
            weight=2,
            sizes={"C": (1, 1), "H": (1, 3), "W": (2, 3)},
            fixed={"factor": 2},
        ),
        Property(
            "channels",
            "Each output channel takes its own run of channels",
            weight=2,
            sizes={"C": (2, 3), "H": (1, 2), "W": (1, 2), "factor": (1, 3)},
        ),
    ),
    misconceptions=(
        Misconception(
            "tensorflow-order",
            "Your channels are in TensorFlow's order: output channel 0 takes every C-th channel of x.",
            lambda x, factor: _reordered(x, factor, "ijc", "chiwj"),
            "In PyTorch's order the seats of one output channel are neighbours: x[c * factor**2 + i * factor "
            "+ j] goes to row i, column j of the blocks of channel c.",
        ),
        Misconception(
            "seats-swapped",
            "The two factors are swapped: your channels fill a block column by column, not row by row.",
            lambda x, factor: _reordered(x, factor, "cji", "chiwj"),
            "Seat (i, j) is number i * factor + j, not j * factor + i.",
        ),
        Misconception(
            "reshape-only",
            "You only reshape, so the numbers stay in the order in which they lie in memory.",
            lambda x, factor: _reordered(x, factor, "cij", "cijhw"),
            "Numbers of different channels have to become neighbours: write out[c, i::factor, j::factor].",
        ),
        Misconception(
            "quarters",
            "Each of your channels stays in one piece: the small grids lie side by side.",
            lambda x, factor: _reordered(x, factor, "cij", "cihjw"),
            "A channel gives each block one cell, so its numbers lie `factor` apart: out[c, i::factor, "
            "j::factor].",
        ),
        Misconception(
            "block-in-a-row",
            "The cells of each of your blocks lie one after the other in a row.",
            lambda x, factor: _reordered(x, factor, "cij", "chwij"),
            "The order before the last reshape has to be: output channel, row, i, column, j.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            _shuffled_transposed,
            "Rows first: out[c, row, column].",
        ),
        Misconception(
            "upside-down",
            "Your seats are filled from the last to the first.",
            lambda x, factor: _reordered(
                x.unflatten(0, (-1, factor**2)).flip(1).flatten(0, 1), factor, "cij", "chiwj"
            ),
            "The first of an output channel's channels goes to the upper left seat.",
        ),
    ),
    hints=(
        "Take factor 2 and 4 channels. Each of the four is a small grid. Where do all the numbers of the "
        "second one go?",
        "They go to row 0, column 1 of every block. out[0, 0::2, 1::2] is all of these cells at once.",
        "Three loops: c over the output channels, i and j over the rows and columns of a block. "
        "out[c, i::factor, j::factor] = x[c * factor**2 + i * factor + j].",
    ),
    forbidden=(
        "torch.nn.functional.pixel_shuffle",
        "torch.nn.PixelShuffle",
        "torch.pixel_shuffle",
        "coursekit.upsampling.pixel_shuffle",
    ),
    example={
        "x": torch.tensor(
            [[[1.0, 2.0]], [[10.0, 20.0]], [[100.0, 200.0]], [[1000.0, 2000.0]]],
        ),
        "factor": 2,
    },
)


# --- icnr ------------------------------------------------------------------------------------------


def even_start(kernels, factor):
    return kernels.repeat_interleave(factor**2, dim=0)


def _first_of_each(kernels: Grid, factor: int) -> Grid:
    """Only the first seat of each block gets a kernel."""
    start = even_start(kernels, factor)
    start[torch.arange(len(start)) % factor**2 > 0] = 0
    return start


ICNR = Exercise(
    id="icnr",
    lesson=LESSON,
    title="An even start for pixel shuffle",
    function="even_start",
    points=2,
    minutes=6,
    difficulty=2,
    starter='''def even_start(kernels, factor):
    """Start values for the convolution before a pixel shuffle, so that all seats of a block begin equal.

    kernels: (C, C_in, kh, kw), for the C channels that leave the shuffle. Every seat of channel c
    begins with kernels[c].
    Return (C * factor**2, C_in, kh, kw), its first axis in the order in which the shuffle takes them.
    """
    ...
''',
    reference=even_start,
    parameters=(Tensor("kernels", "C_out C_in kh kw"), Number("factor", 1, 3)),
    sizes={"C_out": (1, 3), "C_in": (1, 2), "kh": (1, 2), "kw": (1, 3)},
    properties=(
        Property(
            "one-channel",
            "One output channel: factor * factor copies of its kernel",
            sizes={"C_out": (1, 1), "C_in": (1, 2), "kh": (1, 1), "kw": (1, 2), "factor": (2, 3)},
        ),
        Property(
            "own-kernels",
            "Each output channel's seats get its own kernel",
            weight=2,
            sizes={"C_out": (2, 3), "C_in": (1, 2), "kh": (1, 2), "kw": (1, 2), "factor": (2, 3)},
        ),
    ),
    misconceptions=(
        Misconception(
            "tiled",
            "Your copies are tiled: kernels 0, 1, 2 and then again 0, 1, 2. So the seats of one block begin "
            "with different kernels.",
            lambda kernels, factor: kernels.repeat(factor**2, 1, 1, 1),
            "The shuffle takes factor * factor neighbours for a block: repeat_interleave along dim=0.",
        ),
        Misconception(
            "factor-copies",
            "You make `factor` copies of each kernel. A block has factor * factor seats.",
            lambda kernels, factor: kernels.repeat_interleave(factor, dim=0),
            "factor**2 copies.",
        ),
        Misconception(
            "input-channels",
            "You repeat along the input channels.",
            lambda kernels, factor: kernels.repeat_interleave(factor**2, dim=1),
            "The shuffle rearranges what comes out: dim=0.",
        ),
        Misconception(
            "larger-kernels",
            "You enlarge each kernel; instead there should be more of them.",
            lambda kernels, factor: kernels.repeat_interleave(factor, 2).repeat_interleave(factor, 3),
            "The kernels keep their size: repeat along dim=0.",
        ),
        Misconception(
            "shared-out",
            "You divide the kernels by the number of seats.",
            lambda kernels, factor: even_start(kernels, factor) / factor**2,
            "Seats are not added up, so each gets the whole kernel.",
        ),
        Misconception(
            "first-kernel",
            "All your copies are of the first kernel.",
            lambda kernels, factor: even_start(kernels[:1].expand_as(kernels), factor),
            "Output channel c begins with kernels[c].",
        ),
        Misconception(
            "upper-left-only",
            "Only the upper left seat of each block has a kernel, the others begin with zeros.",
            _first_of_each,
            "All seats of a block begin with the same kernel.",
        ),
    ),
    hints=(
        "Which channels does the shuffle take for the first block of output channel 0? They should all be "
        "equal.",
        "With factor 2: kernels[0] four times, then kernels[1] four times, and so on.",
        "repeat_interleave repeats each entry by itself. How many times, and along which dim?",
    ),
    forbidden=(),
    example={
        "kernels": torch.tensor([[[[1.0, 2.0]]], [[[3.0, 4.0]]]]),
        "factor": 2,
    },
)


EXERCISES = (OVERLAP_COUNT, RESIZE_CONV, PIXEL_SHUFFLE, ICNR)
