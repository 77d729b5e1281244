"""Lesson 02: what a convolution costs, what a stack of them costs, and how far its output can see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch

from coursekit.checking import Exercise, Misconception, Number, Numbers, Pair, Property

LESSON = "02-the-naive-stack"

Size = tuple[int, int]
Arguments = dict[str, Any]


# --- conv-multiply-adds ----------------------------------------------------------------------------


def multiply_adds(channels_in, channels_out, kernel, stride, size):
    rows, columns = size
    places = len(range(0, rows, stride)) * len(range(0, columns, stride))
    one_number = channels_in * kernel * kernel
    return one_number * channels_out * places


def _with_places(count: Callable[[int, int], int]) -> Callable[..., int]:
    """The same count, but with so many places a side as `count` gives for a side and a stride."""

    def mutant(channels_in: int, channels_out: int, kernel: int, stride: int, size: Size) -> int:
        rows, columns = (count(side, stride) for side in size)
        return channels_in * channels_out * kernel * kernel * rows * columns

    return mutant


def _stride_for_rows_only(channels_in: int, channels_out: int, kernel: int, stride: int, size: Size) -> int:
    one_row = multiply_adds(channels_in, channels_out, kernel, 1, (1, size[1]))
    return one_row * len(range(0, size[0], stride))


def _kernel_side(channels_in: int, channels_out: int, kernel: int, stride: int, size: Size) -> int:
    return multiply_adds(channels_in, channels_out, 1, stride, size) * kernel


def _channels_added(channels_in: int, channels_out: int, kernel: int, stride: int, size: Size) -> int:
    return multiply_adds(channels_in + channels_out, 1, kernel, stride, size)


def _middles(case: Arguments, _: Any) -> list[tuple[str, torch.Tensor]]:
    """The input's cells, with a 1 wherever the middle of the kernel stands."""
    rows, columns = case["size"]
    board = torch.zeros(rows, columns)
    board[:: case["stride"], :: case["stride"]] = 1
    return [("1 where the kernel's middle stands", board)]


CONV_MULTIPLY_ADDS = Exercise(
    id="conv-multiply-adds",
    lesson=LESSON,
    title="What does one convolution cost?",
    function="multiply_adds",
    points=2,
    minutes=6,
    difficulty=1,
    starter='''def multiply_adds(channels_in, channels_out, kernel, stride, size):
    """How many multiply-adds does one convolution take?

    Each output channel has a kernel of its own: kernel x kernel numbers for each input channel.
    size: (rows, columns) of the input. The middle of the kernel stands on every stride-th row and
    column of the input, beginning with row 0, column 0. Zeros around the input let it stand there.
    """
    rows, columns = size
    ...
''',
    reference=multiply_adds,
    parameters=(
        Number("channels_in", 1, 5),
        Number("channels_out", 1, 4),
        Number("kernel", 1, 5),
        Number("stride", 1, 3),
        Pair("size", 1, 7),
    ),
    valid=lambda case: case["kernel"] % 2 == 1,
    properties=(
        Property(
            "one-number",
            "One output number takes a multiply-add for each kernel number, in each input channel",
            sizes={"channels_in": (2, 5), "kernel": (3, 5)},
            fixed={"channels_out": 1, "stride": 1, "size": (1, 1)},
        ),
        Property(
            "all-numbers",
            "Every output channel has such a number at each of its places",
            sizes={"channels_in": (2, 4), "channels_out": (2, 4), "kernel": (3, 3), "size": (2, 5)},
            fixed={"stride": 1},
            valid=lambda case: case["size"][0] != case["size"][1],
        ),
        Property(
            "stride",
            "A stride leaves fewer places, and only these cost anything",
            weight=2,
            sizes={
                "channels_in": (2, 4),
                "channels_out": (2, 4),
                "kernel": (1, 3),
                "stride": (2, 3),
                "size": (3, 7),
            },
            valid=lambda case: case["size"][0] != case["size"][1],
        ),
    ),
    misconceptions=(
        Misconception(
            "input-area",
            "You count a place for every cell of the input. With a stride the kernel skips some.",
            _with_places(lambda side, stride: side),
            "The middle stands on rows 0, stride, 2 * stride … : `len(range(0, rows, stride))` of them.",
        ),
        Misconception(
            "ins-forgotten",
            "Your count is the same for one input channel as for many.",
            lambda channels_in, *others: multiply_adds(1, *others),
            "One output number looks at all input channels, with kernel x kernel numbers for each.",
        ),
        Misconception(
            "outs-forgotten",
            "Your count is for a single output channel.",
            lambda channels_in, channels_out, *others: multiply_adds(channels_in, 1, *others),
            "Each output channel is worked out anew: multiply by channels_out.",
        ),
        Misconception(
            "flops",
            "Your number is twice too large: a multiplication and its addition count as one here.",
            lambda *given: 2 * multiply_adds(*given),
            "Counted as two they are called FLOPs, which is why figures from two sources can differ by a "
            "factor of 2.",
        ),
        Misconception(
            "kernel-side",
            "You multiply by the kernel's side. A 3x3 kernel has 9 numbers.",
            _kernel_side,
            "kernel * kernel",
        ),
        Misconception(
            "weights-only",
            "You count the numbers of the kernels. They are used again at every place.",
            _with_places(lambda side, stride: 1),
            "Multiply by the number of places: output rows times output columns.",
        ),
        Misconception(
            "rounded-down",
            "You lose the last place: 5 rows with stride 2 have places on rows 0, 2 and 4.",
            _with_places(lambda side, stride: side // stride),
            "`len(range(0, rows, stride))` counts them, or `(rows + stride - 1) // stride`.",
        ),
        Misconception(
            "stays-inside",
            "Your kernel stays inside the input. Here zeros around it let its middle stand on the edge.",
            lambda channels_in, channels_out, kernel, stride, size: multiply_adds(
                channels_in, channels_out, kernel, stride, tuple(max(0, side - kernel + 1) for side in size)
            ),
            "So the number of places does not depend on the kernel's size.",
        ),
        Misconception(
            "rows-only",
            "You apply the stride to the rows and not to the columns.",
            _stride_for_rows_only,
            "The kernel skips columns too.",
        ),
        Misconception(
            "channels-added",
            "You add the channels. But each output channel looks at each input channel: multiply them.",
            _channels_added,
            "channels_in * channels_out",
        ),
    ),
    hints=(
        "Begin with one output number. How many kernel numbers are multiplied for it, if the picture has 3 "
        "channels and the kernel is 3x3?",
        "That is channels_in * kernel * kernel. Now: how many output numbers are there? They have rows, "
        "columns and channels.",
        "`len(range(0, rows, stride))` rows, `len(range(0, columns, stride))` columns, and channels_out "
        "channels. Multiply it all.",
    ),
    example={"channels_in": 3, "channels_out": 2, "kernel": 3, "stride": 2, "size": (4, 5)},
    draw=_middles,
)


# --- stack-multiply-adds ---------------------------------------------------------------------------


def stack_multiply_adds(widths, size, pool):
    rows, columns = size
    total = 0
    for i in range(len(widths) - 1):
        total += widths[i] * widths[i + 1] * 9 * rows * columns
        rows, columns = rows // pool, columns // pool
    return total


def _pooled_first(widths: list[int], size: Size, pool: int) -> int:
    return stack_multiply_adds(widths, (size[0] // pool, size[1] // pool), pool)


def _pooled_once(widths: list[int], size: Size, pool: int) -> int:
    first = stack_multiply_adds(widths[:2], size, pool)
    return first + stack_multiply_adds(widths[1:], (size[0] // pool, size[1] // pool), 1)


def _places_by_pool(widths: list[int], size: Size, pool: int) -> int:
    """A block of pool x pool cells taken for `pool` cells: the places shrink by the side, not by the area."""
    total, places = 0, size[0] * size[1]
    for channels_in, channels_out in pairwise(widths):
        total += channels_in * channels_out * 9 * places
        places //= pool
    return total


def _widths_instead_of_pairs(widths: list[int], size: Size, pool: int) -> int:
    total, (rows, columns) = 0, size
    for width in widths[1:]:
        total += width * width * 9 * rows * columns
        rows, columns = rows // pool, columns // pool
    return total


def _first_left_out(widths: list[int], size: Size, pool: int) -> int:
    return stack_multiply_adds(widths, size, pool) - stack_multiply_adds(widths[:2], size, pool)


def _last_only(widths: list[int], size: Size, pool: int) -> int:
    return stack_multiply_adds(widths, size, pool) - stack_multiply_adds(widths[:-1], size, pool)


def _each_layer(case: Arguments, _: Any) -> list[tuple[str, torch.Tensor]]:
    """Channels in and out, rows and columns of every convolution: one line each."""
    lines, (rows, columns) = [], case["size"]
    for pair in pairwise(case["widths"]):
        lines.append([*pair, rows, columns])
        rows, columns = rows // case["pool"], columns // case["pool"]
    return [("each layer: channels in, out, rows, columns", torch.tensor(lines))]


STACK_MULTIPLY_ADDS = Exercise(
    id="stack-multiply-adds",
    lesson=LESSON,
    title="What does a stack of convolutions cost?",
    function="stack_multiply_adds",
    points=3,
    minutes=8,
    difficulty=2,
    starter='''def stack_multiply_adds(widths, size, pool):
    """How many multiply-adds do 3x3 convolutions take, one after the other, all with stride 1?

    widths: the channels of the picture, then those after each convolution. [3, 8, 16] is two
    convolutions: 3 channels to 8, and 8 to 16. size: (rows, columns) of the picture.
    Between two convolutions, max pooling takes blocks of pool x pool cells; 1 leaves all as it is.
    A block that is not full is left out. Pooling itself costs nothing here.
    """
    rows, columns = size
    ...
''',
    reference=stack_multiply_adds,
    parameters=(
        Numbers("widths", "L", low=2, high=6),
        Pair("size", 2, 9),
        Number("pool", 1, 3),
    ),
    sizes={"L": (2, 4)},
    properties=(
        Property(
            "one-layer",
            "One convolution: nothing is pooled before it",
            sizes={"size": (2, 4)},
            fixed={"L": 2},
        ),
        Property(
            "no-pooling",
            "Without pooling every convolution works at full size",
            sizes={"L": (3, 4), "size": (2, 4)},
            fixed={"pool": 1},
        ),
        Property(
            "pooling",
            "Each pooling leaves fewer rows and fewer columns to all that follows",
            weight=2,
            sizes={"L": (3, 4), "pool": (2, 3), "size": (4, 9)},
            valid=lambda case: min(case["size"]) >= case["pool"] ** (len(case["widths"]) - 2),
        ),
    ),
    misconceptions=(
        Misconception(
            "pooled-first",
            "You pool the picture before the first convolution, which works at full size.",
            _pooled_first,
            "First add the convolution's cost, then make rows and columns smaller.",
        ),
        Misconception(
            "side-for-area",
            "Your places shrink by the side of a block. A 2x2 block turns 4 cells into 1.",
            _places_by_pool,
            "Divide the rows, and divide the columns.",
        ),
        Misconception(
            "pooled-once",
            "You pool only once. There is a pooling between each two convolutions.",
            _pooled_once,
            "Inside the loop: rows, columns = rows // pool, columns // pool.",
        ),
        Misconception(
            "never-pooled",
            "Your rows and columns never change, so you get the cost without pooling.",
            lambda widths, size, pool: stack_multiply_adds(widths, size, 1),
            "After each convolution: rows, columns = rows // pool, columns // pool.",
        ),
        Misconception(
            "rows-only",
            "You pool the rows and not the columns.",
            lambda widths, size, pool: sum(
                stack_multiply_adds(widths[i : i + 2], (size[0] // pool**i, size[1]), 1)
                for i in range(len(widths) - 1)
            ),
            "Both sides of a block count.",
        ),
        Misconception(
            "same-width",
            "You take each convolution's output channels for its input channels too.",
            _widths_instead_of_pairs,
            "The channels that go in are the entry before: widths[i] and widths[i + 1].",
        ),
        Misconception(
            "first-left-out",
            "You leave out the first convolution, the one that looks at the picture.",
            _first_left_out,
            "Four numbers in `widths` are three convolutions.",
        ),
        Misconception(
            "last-only",
            "You return the cost of the last convolution only.",
            _last_only,
            "Start with total = 0 and write total += … inside the loop.",
        ),
        Misconception(
            "kernel-side",
            "You multiply by 3. A 3x3 kernel has 9 numbers.",
            lambda widths, size, pool: stack_multiply_adds(widths, size, pool) // 3,
            "3 * 3",
        ),
        Misconception(
            "flops",
            "Your number is twice too large: a multiplication and its addition count as one here.",
            lambda widths, size, pool: 2 * stack_multiply_adds(widths, size, pool),
            "Leave out the factor 2.",
        ),
    ),
    hints=(
        "Write a loop over the convolutions. What does each cost, and how many rows and columns are there?",
        "`for i in range(len(widths) - 1):` goes through the convolutions. Number i takes widths[i] channels "
        "in and gives widths[i + 1].",
        'Inside the loop: total += mine("conv-multiply-adds")(widths[i], widths[i + 1], 3, 1, (rows, '
        "columns)), and then rows, columns = rows // pool, columns // pool.",
    ),
    example={"widths": [3, 4, 5], "size": (6, 4), "pool": 2},
    draw=_each_layer,
)


# --- receptive-field -------------------------------------------------------------------------------


def receptive_field(kernels, strides):
    field, jump = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * jump
        jump *= stride
    return field


def _adds_whole_kernels(kernels: list[int], strides: list[int]) -> int:
    field, jump = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        field += kernel * jump
        jump *= stride
    return field


def _own_stride_early(kernels: list[int], strides: list[int]) -> int:
    field, jump = 1, 1
    for kernel, stride in zip(kernels, strides, strict=True):
        jump *= stride
        field += (kernel - 1) * jump
    return field


def _stride_before_only(kernels: list[int], strides: list[int]) -> int:
    return 1 + sum((kernel - 1) * jump for kernel, jump in zip(kernels, [1, *strides], strict=False))


def _strides_added(kernels: list[int], strides: list[int]) -> int:
    field, jump = 1, 0
    for kernel, stride in zip(kernels, strides, strict=True):
        field += (kernel - 1) * max(1, jump)
        jump += stride
    return field


def reached(kernels: Sequence[int], strides: Sequence[int]) -> torch.Tensor:
    """A line a step, the output above and the picture below: 1 where a cell is needed for one output cell.

    Each cell stands over the first pixel that it sees.
    """
    jumps = [1]
    for stride in strides:
        jumps.append(jumps[-1] * stride)
    lines = [{0}]
    for kernel, jump in zip(reversed(kernels), reversed(jumps[:-1]), strict=True):
        lines.append({cell + step * jump for cell in lines[-1] for step in range(kernel)})
    board = torch.zeros(len(lines), max(lines[-1]) + 1)
    for row, cells in enumerate(lines):
        board[row, sorted(cells)] = 1
    return board


def _steps(case: Arguments, _: Any) -> list[tuple[str, torch.Tensor]]:
    board = reached(case["kernels"], case["strides"])
    return [("1 where a cell is needed: output above, pixels below", board)]


def _stands_close(case: Arguments) -> bool:
    """No kernel leaps over cells that nobody looks at."""
    pairs = list(zip(case["kernels"], case["strides"], strict=True))
    return all(stride <= kernel for kernel, stride in pairs)


RECEPTIVE_FIELD = Exercise(
    id="receptive-field",
    lesson=LESSON,
    title="How many pixels can one output number see?",
    function="receptive_field",
    points=3,
    minutes=9,
    difficulty=3,
    starter='''def receptive_field(kernels, strides):
    """How many pixels of a row can one number of the last layer depend on?

    kernels, strides: a number for each layer, the first layer first. Layer i looks at kernels[i]
    neighbours of the layer before and takes a step of strides[i]. Max pooling of 2x2 blocks counts
    as a layer of kernel 2, stride 2.
    """
    field = 1  # without any layer, a number is one pixel
    jump = 1   # neighbours lie so many pixels apart
    ...
''',
    reference=receptive_field,
    parameters=(Numbers("kernels", "L", low=1, high=5), Numbers("strides", "L", low=1, high=3)),
    sizes={"L": (1, 4)},
    valid=_stands_close,
    properties=(
        Property(
            "one-layer",
            "One layer sees as many pixels as its kernel is wide, whatever its stride",
            count=0,
            cases=(
                {"kernels": [3], "strides": [1]},
                {"kernels": [5], "strides": [1]},
                {"kernels": [3], "strides": [2]},
            ),
        ),
        Property(
            "no-stride",
            "Without strides every layer adds its kernel less 1",
            count=0,
            cases=(
                {"kernels": [3, 3], "strides": [1, 1]},
                {"kernels": [3, 5], "strides": [1, 1]},
                {"kernels": [3, 1, 3], "strides": [1, 1, 1]},
                {"kernels": [2, 3, 4, 5], "strides": [1, 1, 1, 1]},
            ),
        ),
        Property(
            "strides",
            "After strides, neighbours lie further apart: their product",
            weight=2,
            sizes={"L": (2, 4)},
            cases=({"kernels": [2, 3], "strides": [2, 1]}, {"kernels": [2, 2, 3], "strides": [2, 2, 1]}),
            valid=lambda case: max(case["strides"][:-1]) > 1,
        ),
    ),
    misconceptions=(
        Misconception(
            "adds-k",
            "You add the whole kernel for each layer. One of its cells was counted before.",
            _adds_whole_kernels,
            "A kernel of 3 reaches 1 further on either side: 2 more, its size less 1.",
        ),
        Misconception(
            "jump-ignored",
            "Your layers all add the same, as if neighbours were always one pixel apart. After a stride of 2 "
            "they are 2 apart.",
            lambda kernels, strides: receptive_field(kernels, [1] * len(strides)),
            "Multiply what a layer adds by `jump`, the product of the strides of the layers before it.",
        ),
        Misconception(
            "own-stride-early",
            "You use a layer's own stride for the layer itself. It only moves apart what comes after.",
            _own_stride_early,
            "Add to `field` first, then change `jump`.",
        ),
        Misconception(
            "stride-before-only",
            "Your jump is the stride of the layer just before. All strides so far multiply.",
            _stride_before_only,
            "jump = jump * stride",
        ),
        Misconception(
            "strides-added",
            "You add up the strides. Two steps of 2 make neighbours 4 apart, three make them 8 apart.",
            _strides_added,
            "jump = jump * stride",
        ),
        Misconception(
            "wrong-end",
            "You go through the layers from the wrong end.",
            lambda kernels, strides: receptive_field(kernels[::-1], strides[::-1]),
            "Going from the first layer to the last: field + (kernel - 1) * jump, then jump * stride.",
        ),
        Misconception(
            "starts-at-nothing",
            "You are one short: without any layer, a number is already one pixel.",
            lambda kernels, strides: receptive_field(kernels, strides) - 1,
            "Start with field = 1.",
        ),
        Misconception(
            "area",
            "You count the pixels of a square. Asked are the pixels of one row.",
            lambda kernels, strides: receptive_field(kernels, strides) ** 2,
            "Return the side, not its square.",
        ),
        Misconception(
            "jump-returned",
            "You return the jump, how far apart neighbours end up.",
            lambda kernels, strides: int(torch.tensor(strides).prod()),
            "return field",
        ),
    ),
    hints=(
        "A kernel of 3 looks at the cell itself and at one neighbour on either side. By how many pixels does "
        "that widen what is seen, if neighbours lie `jump` pixels apart?",
        "By (kernel - 1) * jump. And after a layer with stride 2, how far apart do neighbours lie?",
        "`for kernel, stride in zip(kernels, strides):` goes through the layers. First "
        "field += (kernel - 1) * jump, then jump *= stride. After the loop, return field.",
    ),
    example={"kernels": [3, 2, 3], "strides": [1, 2, 1]},
    draw=_steps,
)


EXERCISES = (CONV_MULTIPLY_ADDS, STACK_MULTIPLY_ADDS, RECEPTIVE_FIELD)
