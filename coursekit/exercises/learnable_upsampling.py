"""Lesson 05: the strided convolution, the transposed convolution, its crop, and its channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from coursekit.checking import Exercise, Misconception, Number, Pair, Property, Tensor

LESSON = "05-learnable-upsampling"

Grid = torch.Tensor
Arguments = dict[str, Any]


# --- strided-conv ----------------------------------------------------------------------------------


def strided_conv(x, kernel, stride):
    height, width = kernel.shape
    rows = (x.shape[0] - height) // stride + 1
    columns = (x.shape[1] - width) // stride + 1
    out = torch.zeros(rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[top : top + height, left : left + width]
            out[i, j] = (window * kernel).sum()
    return out


def _conv_window_as_step(x: Grid, kernel: Grid, stride: int) -> Grid:
    windows = x.unfold(0, kernel.shape[0], kernel.shape[0]).unfold(1, kernel.shape[1], kernel.shape[1])
    return (windows * kernel).sum((-2, -1))


def _conv_rows_only(x: Grid, kernel: Grid, stride: int) -> Grid:
    return strided_conv(x, kernel, 1)[::stride]


def _conv_zero_border(x: Grid, kernel: Grid, stride: int) -> Grid:
    height, width = kernel.shape
    border = ((width - 1) // 2, width // 2, (height - 1) // 2, height // 2)
    return strided_conv(functional.pad(x, border), kernel, stride)


STRIDED_CONV = Exercise(
    id="strided-conv",
    lesson=LESSON,
    title="Shrink a grid with a convolution that takes big steps",
    function="strided_conv",
    points=2,
    minutes=8,
    difficulty=2,
    starter='''def strided_conv(x, kernel, stride):
    """Lay the kernel on x, `stride` cells further each time, and write down each sum of products.

    x: a grid of H rows, W columns. kernel: a smaller one of kh rows, kw columns.
    Return a grid with one number for each place where the kernel fits.
    """
    ...
''',
    reference=strided_conv,
    parameters=(Tensor("x", "H W"), Tensor("kernel", "kh kw"), Number("stride", 1, 3)),
    sizes={"H": (1, 6), "W": (1, 6), "kh": (1, 3), "kw": (1, 3)},
    valid=lambda case: (
        case["x"].shape[0] >= case["kernel"].shape[0] and case["x"].shape[1] >= case["kernel"].shape[1]
    ),
    properties=(
        Property(
            "window",
            "One window gives one number: each cell times the kernel cell over it, all added",
            sizes={"H": (2, 2), "W": (3, 3), "kh": (2, 2), "kw": (3, 3)},
            fixed={"stride": 1},
        ),
        Property(
            "step",
            "The kernel moves on by `stride` cells, down as well as to the right",
            weight=2,
            sizes={"H": (3, 5), "W": (3, 6), "kh": (1, 2), "kw": (1, 2)},
            fixed={"stride": 2},
        ),
        Property(
            "fits",
            "A place where the kernel would stick out does not count",
            sizes={"H": (4, 6), "W": (4, 6), "kh": (2, 3), "kw": (1, 2)},
            fixed={"stride": 3},
        ),
    ),
    misconceptions=(
        Misconception(
            "step-of-one",
            "Your kernel moves on by one cell, whatever `stride` says.",
            lambda x, kernel, stride: strided_conv(x, kernel, 1),
            "Place (i, j) of the output reads the window that starts at row i * stride, column j * stride.",
        ),
        Misconception(
            "rows-only",
            "Your kernel takes big steps downwards but steps of one to the right.",
            _conv_rows_only,
            "Use `stride` for the columns as well.",
        ),
        Misconception(
            "window-as-step",
            "Your kernel moves on by its own size, as in pooling, not by `stride`.",
            _conv_window_as_step,
            "Windows may overlap or leave gaps: only `stride` decides where the next one starts.",
        ),
        Misconception(
            "flipped-kernel",
            "Your kernel is turned upside down and left to right.",
            lambda x, kernel, stride: strided_conv(x, kernel.flip(0, 1), stride),
            "Deep-learning libraries lay the kernel down as it is: kernel[a, b] weighs window[a, b].",
        ),
        Misconception(
            "zero-border",
            "You put a border of zeros around the grid first, so there are more windows than fit.",
            _conv_zero_border,
            "Count the places inside x only: (H - kh) // stride + 1 rows of them.",
        ),
        Misconception(
            "mean",
            "Your numbers are means, not sums: they are divided by the number of kernel cells.",
            lambda x, kernel, stride: strided_conv(x, kernel, stride) / kernel.numel(),
            "Add the products and leave it at that.",
        ),
        Misconception(
            "swapped-axes",
            "Your output has its rows and columns swapped.",
            lambda x, kernel, stride: strided_conv(x, kernel, stride).T,
            "The first index is the row. out[i, j] belongs to row i, column j.",
        ),
    ),
    hints=(
        "How many places are there? Down: the first starts at row 0, the last may start at row H - kh.",
        "Rows of the output: (H - kh) // stride + 1. Make a grid of zeros of that size, then fill it.",
        "The window of place (i, j) is x[i * stride : i * stride + kh, j * stride : j * stride + kw].",
    ),
    forbidden=(
        "torch.nn.functional.conv2d",
        "torch.nn.Conv2d",
        "torch.conv2d",
        "torch.nn.functional.avg_pool2d",
    ),
    example={
        "x": torch.tensor(
            [[1.0, 2.0, 0.0, 1.0], [0.0, 3.0, 1.0, 2.0], [2.0, 1.0, 0.0, 1.0], [1.0, 0.0, 1.0, 3.0]]
        ),
        "kernel": torch.tensor([[1.0, 10.0], [0.0, 100.0]]),
        "stride": 2,
    },
)


# --- transposed-conv -------------------------------------------------------------------------------


def transposed_conv(x, kernel, stride):
    height, width = kernel.shape
    rows, columns = x.shape
    canvas = torch.zeros((rows - 1) * stride + height, (columns - 1) * stride + width)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            canvas[top : top + height, left : left + width] += x[i, j] * kernel
    return canvas


def _stamped(x: Grid, kernel: Grid, stride: int, join: Callable[[Grid, Grid], Grid]) -> Grid:
    """Stamps laid down one after another; `join` says what a cell becomes where a new one lands."""
    canvas = torch.zeros_like(transposed_conv(x, kernel, stride))
    for i, row in enumerate(x):
        for j, value in enumerate(row):
            place = (
                slice(i * stride, i * stride + len(kernel)),
                slice(j * stride, j * stride + kernel.shape[1]),
            )
            canvas[place] = join(canvas[place], value * kernel)
    return canvas


def _averaged(x: Grid, kernel: Grid, stride: int) -> Grid:
    stamps = transposed_conv(torch.ones_like(x), torch.ones_like(kernel), stride)
    return transposed_conv(x, kernel, stride) / stamps.clamp_min(1)


def _within_blocks(x: Grid, kernel: Grid, stride: int) -> Grid:
    return transposed_conv(x, kernel, stride)[: x.shape[0] * stride, : x.shape[1] * stride]


TRANSPOSED_CONV = Exercise(
    id="transposed-conv",
    lesson=LESSON,
    title="Transposed convolution: lay the stamps down and add them up",
    function="transposed_conv",
    points=4,
    minutes=12,
    difficulty=3,
    starter='''def transposed_conv(x, kernel, stride):
    """Each number of x makes a stamp: the number times the kernel. Where stamps overlap, they add.

    x: a grid of H rows, W columns. kernel: a grid of kh rows, kw columns.
    The stamp of x[i, j] starts at row i * stride, column j * stride. Return the whole canvas.
    """
    ...
''',
    reference=transposed_conv,
    parameters=(Tensor("x", "H W"), Tensor("kernel", "kh kw"), Number("stride", 1, 3)),
    sizes={"H": (1, 4), "W": (1, 4), "kh": (1, 4), "kw": (1, 4)},
    properties=(
        Property(
            "one-stamp",
            "One input value makes one stamp: the value times the kernel",
            sizes={"H": (1, 1), "W": (1, 1), "kh": (1, 3), "kw": (2, 3)},
        ),
        Property(
            "spacing",
            "The stamps lie `stride` cells apart; what no stamp reaches stays 0",
            sizes={"H": (1, 3), "W": (1, 3), "kh": (1, 2), "kw": (1, 2)},
            valid=lambda case: case["stride"] >= max(case["kernel"].shape),
        ),
        Property(
            "overlap",
            "Where stamps overlap, they add",
            weight=2,
            sizes={"H": (1, 3), "W": (2, 3), "kh": (1, 3), "kw": (3, 4)},
            fixed={"stride": 2},
        ),
        Property(
            "any-shape",
            "Any number of rows and columns, any kernel, any stride",
            sizes={"H": (1, 4), "W": (1, 4), "kh": (1, 4), "kw": (1, 4)},
        ),
    ),
    misconceptions=(
        Misconception(
            "overwrite",
            "Where your stamps overlap, the later one overwrites the earlier.",
            lambda x, kernel, stride: _stamped(x, kernel, stride, lambda old, new: new),
            "Add to what is there: `+=` instead of `=`.",
        ),
        Misconception(
            "average",
            "Where your stamps overlap, you take their mean.",
            _averaged,
            "Nothing is divided: overlapping stamps add up.",
        ),
        Misconception(
            "largest",
            "Where your stamps overlap, the larger value wins.",
            lambda x, kernel, stride: _stamped(x, kernel, stride, torch.maximum),
            "Overlapping stamps add up.",
        ),
        Misconception(
            "flipped-kernel",
            "Your stamp is turned upside down and left to right.",
            lambda x, kernel, stride: transposed_conv(x, kernel.flip(0, 1), stride),
            "Stamp the kernel as it is. Flipping belongs to the other way of writing it: a convolution over "
            "a grid with zeros in between.",
        ),
        Misconception(
            "step-of-one",
            "Your stamps lie one cell apart, whatever `stride` says.",
            lambda x, kernel, stride: transposed_conv(x, kernel, 1),
            "The stamp of x[i, j] starts at row i * stride, column j * stride.",
        ),
        Misconception(
            "gap-too-wide",
            "Your stamps lie one cell too far apart: `stride` zeros fit between them.",
            lambda x, kernel, stride: transposed_conv(x, kernel, stride + 1),
            "Neighbours start `stride` cells apart, so stride - 1 cells lie in between.",
        ),
        Misconception(
            "swapped-axes",
            "Your input's rows and columns are swapped: the stamp of x[i, j] lands where x[j, i]'s should.",
            lambda x, kernel, stride: transposed_conv(x.T, kernel, stride),
            "Rows first: i goes with the height, j with the width.",
        ),
        Misconception(
            "unweighted",
            "Your stamps do not depend on x: each is the bare kernel.",
            lambda x, kernel, stride: transposed_conv(torch.ones_like(x), kernel, stride),
            "Multiply the kernel by x[i, j] before you add it.",
        ),
        Misconception(
            "cut-to-blocks",
            "Your canvas is H * stride by W * stride, so the last stamps are cut off.",
            _within_blocks,
            "The last stamp starts at (H - 1) * stride and is kh rows high: that is where the canvas ends.",
        ),
    ),
    hints=(
        "How big is the canvas? The last stamp starts at row (H - 1) * stride and is kh rows high.",
        "Start with a canvas of zeros. Then two loops: for each row i and column j of x, one stamp.",
        "The stamp of x[i, j] covers canvas[i * stride : i * stride + kh, j * stride : j * stride + kw]. "
        "Add x[i, j] * kernel to what is there.",
    ),
    forbidden=(
        "torch.nn.functional.conv_transpose2d",
        "torch.nn.functional.conv_transpose1d",
        "torch.nn.functional.fold",
        "torch.nn.ConvTranspose2d",
        "torch.nn.ConvTranspose1d",
        "torch.nn.Fold",
        "torch.conv_transpose2d",
        "coursekit.upsampling.transposed_conv",
    ),
    example={
        "x": torch.tensor([[1.0, 2.0], [3.0, 4.0]]),
        "kernel": torch.tensor([[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 2.0]]),
        "stride": 2,
    },
    fingerprint={"kernel": [[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 2.0]], "stride": 2},
)


# --- output-padding --------------------------------------------------------------------------------


def crop_canvas(canvas, wanted, stride, padding):
    height, width = canvas.shape
    rows, columns = wanted
    more_rows = rows - (height - 2 * padding)  # the output_padding that this size needs
    more_columns = columns - (width - 2 * padding)
    if not (0 <= more_rows < stride and 0 <= more_columns < stride):
        return None
    paper = torch.zeros(height + stride, width + stride)  # the canvas, with blank paper below and right
    paper[:height, :width] = canvas
    return paper[padding : padding + rows, padding : padding + columns]


def _cut(
    canvas: Grid,
    wanted: tuple[int, int],
    corner: tuple[int, int],
    stride: int,
    bounds: tuple[int, int],
    padding: int,
) -> Grid | None:
    """A window of the wanted size from `corner`, zeros beyond; None unless output_padding is in `bounds`."""
    sizes = zip(wanted, canvas.shape, strict=True)
    if not all(bounds[0] <= cells - (side - 2 * padding) < bounds[1] for cells, side in sizes):
        return None
    margin = 16
    paper = functional.pad(canvas, (margin,) * 4)
    top, left = (start + margin for start in corner)
    return paper[top : top + wanted[0], left : left + wanted[1]]


def _crop_wrong_side(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    corner = tuple(side - padding - cells for cells, side in zip(wanted, canvas.shape, strict=True))
    return _cut(canvas, wanted, corner, stride, (0, stride), padding)  # type: ignore[arg-type]


def _crop_centred(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    corner = tuple((side - cells) // 2 for cells, side in zip(wanted, canvas.shape, strict=True))
    return _cut(canvas, wanted, corner, stride, (0, stride), padding)  # type: ignore[arg-type]


def _crop_adding(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    return _cut(canvas, wanted, (-padding, -padding), stride, (0, stride), -padding)


def _crop_any_size(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    return _cut(canvas, wanted, (padding, padding), stride, (-99, 99), padding)


def _crop_up_to_stride(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    return _cut(canvas, wanted, (padding, padding), stride, (0, stride + 1), padding)


def _crop_inside_only(canvas: Grid, wanted: tuple[int, int], stride: int, padding: int) -> Grid | None:
    if any(padding + cells > side for cells, side in zip(wanted, canvas.shape, strict=True)):
        return None
    return crop_canvas(canvas, wanted, stride, padding)


def _is_possible(case: Arguments) -> bool:
    return crop_canvas(**case) is not None


def _needs_extra(case: Arguments) -> bool:
    canvas, wanted, padding = case["canvas"], case["wanted"], case["padding"]
    return _is_possible(case) and wanted[0] > canvas.shape[0] - 2 * padding


def _leaves_canvas(case: Arguments) -> bool:
    canvas, wanted, padding = case["canvas"], case["wanted"], case["padding"]
    return _is_possible(case) and any(
        padding + cells > side for cells, side in zip(wanted, canvas.shape, strict=True)
    )


OUTPUT_PADDING = Exercise(
    id="output-padding",
    lesson=LESSON,
    title="Cut the wanted size out of the canvas, or say that it cannot be",
    function="crop_canvas",
    points=3,
    minutes=10,
    difficulty=3,
    starter='''def crop_canvas(canvas, wanted, stride, padding):
    """Cut a window of the wanted size out of the canvas, as PyTorch does; None if it cannot be had.

    canvas: a grid. wanted: (rows, columns). The window starts at row `padding`, column `padding`.
    Rows and columns each have an output_padding of their own: at least 0, and less than stride.
    Where the window leaves the canvas, it holds zeros.
    """
    rows, columns = wanted
    ...
''',
    reference=crop_canvas,
    parameters=(
        Tensor("canvas", "H W"),
        Pair("wanted", 1, 7),
        Number("stride", 1, 3),
        Number("padding", 0, 2),
    ),
    sizes={"H": (3, 6), "W": (3, 6)},
    valid=lambda case: min(case["canvas"].shape) > 2 * case["padding"],
    properties=(
        Property(
            "padding",
            "Without extra rows, `padding` goes off every side",
            sizes={"H": (3, 5), "W": (3, 5)},
            fixed={"padding": 1},
            valid=lambda case: tuple(case["wanted"]) == tuple(side - 2 for side in case["canvas"].shape),
        ),
        Property(
            "extra",
            "The extra rows and columns are kept below and on the right",
            weight=2,
            sizes={"H": (4, 6), "W": (4, 6)},
            fixed={"stride": 2, "padding": 1},
            valid=_needs_extra,
        ),
        Property(
            "beyond",
            "Where the window leaves the canvas there is blank paper: zeros",
            sizes={"H": (3, 4), "W": (3, 4)},
            fixed={"padding": 0},
            valid=_leaves_canvas,
        ),
        Property(
            "impossible",
            "A size that no allowed output_padding gives is None",
            sizes={"H": (3, 5), "W": (3, 5)},
            cases=(  # just too large (output_padding would equal the stride), and just too small
                {"canvas": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "wanted": (5, 3), "stride": 2, "padding": 0},
                {"canvas": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "wanted": (3, 2), "stride": 1, "padding": 0},
            ),
            valid=lambda case: not _is_possible(case),
        ),
    ),
    misconceptions=(
        Misconception(
            "wrong-side",
            "You keep the extra rows and columns above and on the left.",
            _crop_wrong_side,
            "torch keeps them below and on the right: its window starts at row `padding`, column `padding`.",
        ),
        Misconception(
            "padding-adds",
            "Your padding adds a border, but in a transposed convolution padding removes one.",
            _crop_adding,
            "Take `padding` rows and columns away from every side of the canvas.",
        ),
        Misconception(
            "centred",
            "You cut from the middle of the canvas.",
            _crop_centred,
            "The window starts at row `padding`, column `padding`, wherever it ends.",
        ),
        Misconception(
            "any-size",
            "You give a window for every size, also where output_padding would be negative or too large.",
            _crop_any_size,
            "output_padding = rows - (H - 2 * padding) has to be at least 0 and less than the stride.",
        ),
        Misconception(
            "up-to-stride",
            "You allow an output_padding equal to the stride.",
            _crop_up_to_stride,
            "It has to be smaller: 0, 1, ... stride - 1.",
        ),
        Misconception(
            "inside-only",
            "You give None as soon as the window leaves the canvas.",
            _crop_inside_only,
            "The size is allowed all the same: the rows beyond the canvas are zeros.",
        ),
        Misconception(
            "swapped-axes",
            "You take `wanted` as (columns, rows).",
            lambda canvas, wanted, stride, padding: crop_canvas(canvas, wanted[::-1], stride, padding),
            "Rows first: rows, columns = wanted.",
        ),
    ),
    hints=(
        "`padding` comes off above and below, so H - 2 * padding rows are left. How many more does `wanted` "
        "ask for?",
        "more_rows = rows - (H - 2 * padding) is the output_padding. If it is below 0, or not below stride: "
        "None. The same for columns.",
        "The window starts at row `padding`, column `padding`. Put the canvas into the upper left of a "
        "larger grid of zeros first: then the slice never falls off the edge.",
    ),
    forbidden=("torch.nn.functional.conv_transpose2d", "torch.nn.ConvTranspose2d"),
    example={
        "canvas": torch.arange(1.0, 26.0).reshape(5, 5),
        "wanted": (4, 4),
        "stride": 2,
        "padding": 1,
    },
)


# --- stamp -----------------------------------------------------------------------------------------


def stamp(cell, kernel):
    total = torch.zeros(kernel.shape[1:])
    for c in range(len(cell)):
        total += cell[c] * kernel[c]
    return total


def _stamp_swapped(cell: Grid, kernel: Grid) -> Grid:
    return stamp(cell, kernel.transpose(0, 1))


STAMP = Exercise(
    id="stamp",
    lesson=LESSON,
    title="A cell with several channels makes a stamp with several channels",
    function="stamp",
    points=2,
    minutes=7,
    difficulty=2,
    starter='''def stamp(cell, kernel):
    """The stamp of one cell that has several channels.

    cell: C_in numbers, one an input channel. kernel: (C_in, C_out, kh, kw); kernel[c] belongs to
    input channel c and holds a small grid for each of the C_out output channels.
    Return (C_out, kh, kw).
    """
    ...
''',
    reference=stamp,
    parameters=(Tensor("cell", "C_in"), Tensor("kernel", "C_in C_out kh kw")),
    sizes={"C_in": (1, 3), "C_out": (1, 3), "kh": (1, 2), "kw": (1, 2)},
    properties=(
        Property(
            "one-channel",
            "One input channel: its number times its stamp",
            sizes={"C_in": (1, 1), "C_out": (1, 3), "kh": (1, 2), "kw": (2, 2)},
        ),
        Property(
            "sum",
            "Several input channels: their stamps add up",
            weight=2,
            sizes={"C_in": (2, 3), "C_out": (2, 3), "kh": (1, 2), "kw": (1, 2)},
        ),
        Property(
            "channels-apart",
            "Output channels stay apart, whether there are more or fewer of them than input channels",
            sizes={"C_in": (2, 3), "C_out": (1, 3), "kh": (1, 1), "kw": (1, 2)},
            valid=lambda case: case["kernel"].shape[0] != case["kernel"].shape[1],
        ),
    ),
    misconceptions=(
        Misconception(
            "swapped-channels",
            "You read the kernel as (C_out, C_in, kh, kw), the order of an ordinary convolution.",
            _stamp_swapped,
            "In a transposed convolution the input channel comes first: kernel[c] belongs to cell[c].",
        ),
        Misconception(
            "first-channel-only",
            "You use the first input channel only.",
            lambda cell, kernel: cell[0] * kernel[0],
            "Add cell[c] * kernel[c] for every channel c.",
        ),
        Misconception(
            "mean",
            "You take the mean over the input channels.",
            lambda cell, kernel: stamp(cell, kernel) / len(cell),
            "Nothing is divided: stamps add up.",
        ),
        Misconception(
            "flipped-kernel",
            "Your stamps are turned upside down and left to right.",
            lambda cell, kernel: stamp(cell, kernel.flip(2, 3)),
            "Stamp each kernel as it is.",
        ),
        Misconception(
            "unweighted",
            "Your stamps do not depend on the cell's numbers.",
            lambda cell, kernel: kernel.sum(0),
            "Multiply kernel[c] by cell[c] before you add it.",
        ),
    ),
    hints=(
        "With one channel it is cell[0] * kernel[0]. What does a second channel do to the same cells?",
        "Start with zeros of shape kernel.shape[1:], which is (C_out, kh, kw).",
        "Loop over the input channels c and add cell[c] * kernel[c].",
    ),
    forbidden=("torch.nn.functional.conv_transpose2d", "torch.nn.ConvTranspose2d"),
    example={
        "cell": torch.tensor([1.0, 10.0]),
        "kernel": torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]], [[[5.0, 6.0]], [[7.0, 8.0]]]]),
    },
)


EXERCISES = (STRIDED_CONV, TRANSPOSED_CONV, OUTPUT_PADDING, STAMP)
