"""Lesson 08: a box from a mask, its corners, boxes in shares of the image, the IoU of two boxes, and GIoU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from coursekit.checking import (
    Exercise,
    Misconception,
    Number,
    Pair,
    Property,
    Rectangle,
    Sheet,
    Tensor,
    filled,
)

LESSON = "08-where-is-it"

Grid = torch.Tensor
Box = torch.Tensor
Size = tuple[int, int]
Arguments = dict[str, Any]


def _rectangle(label: str, box: Box, look: Any = "given") -> Rectangle:
    x, y, width, height = box.tolist()
    return Rectangle(label, x, y, width, height, look)


# --- box-from-mask ---------------------------------------------------------------------------------


def box_from_mask(mask, c):
    rows, columns = torch.where(mask == c)
    x, y = columns.min(), rows.min()
    w = columns.max() - x + 1
    h = rows.max() - y + 1
    return torch.stack([x, y, w, h])


def _edges(mask: Grid, c: int) -> tuple[Grid, Grid, Grid, Grid]:
    """First column, first row, last column, last row."""
    rows, columns = torch.where(mask == c)
    return columns.min(), rows.min(), columns.max(), rows.max()


def _without_one(mask: Grid, c: int) -> Grid:
    return box_from_mask(mask, c) - torch.tensor([0, 0, 1, 1])


def _last_for_size(mask: Grid, c: int) -> Grid:
    return torch.stack(_edges(mask, c))


def _end_for_size(mask: Grid, c: int) -> Grid:
    return torch.stack(_edges(mask, c)) + torch.tensor([0, 0, 1, 1])


def _middle_of_mask(mask: Grid, c: int) -> Grid:
    x, y, w, h = box_from_mask(mask, c)
    return torch.stack([x + w / 2, y + h / 2, w, h])


ROWS_ARE_Y = "`torch.where` gives rows first. Rows count downwards, so they are y; columns are x."
SIZES_WANTED = "The last two numbers are sizes: how many columns, and how many rows."

BOX_FROM_MASK = Exercise(
    id="box-from-mask",
    lesson=LESSON,
    title="The box around a class",
    function="box_from_mask",
    points=2,
    minutes=7,
    difficulty=1,
    starter='''def box_from_mask(mask, c):
    """The smallest box around all cells of class c: a tensor of the four whole numbers x, y, w, h.

    mask: a grid of classes; at least one cell has class c.
    x, y: the column and the row of the box's upper left cell. w, h: how many columns and rows it has.
    """
    rows, columns = torch.where(mask == c)  # the row and the column of each cell of class c
    ...
''',
    reference=box_from_mask,
    parameters=(Tensor("mask", "H W", dtype="int64", low=0, high=3), Number("c", 1, 3)),
    sizes={"H": (1, 4), "W": (1, 5)},
    valid=lambda case: bool((case["mask"] == case["c"]).any()),
    properties=(
        Property(
            "where",
            "x and y say where the box begins: its column and its row",
            count=0,
            cases=(
                {"mask": [[0, 0, 0, 0, 0], [0, 0, 0, 2, 2], [0, 0, 0, 2, 0], [0, 0, 0, 2, 0]], "c": 2},
                {"mask": [[0, 1, 1, 0], [0, 0, 1, 0]], "c": 1},
            ),
            holds=lambda case, output: bool((output[:2] == box_from_mask(**case)[:2]).all()),
        ),
        Property(
            "size",
            "w and h say how many columns and rows it has: one cell is 1 wide and 1 high",
            count=0,
            cases=(
                {"mask": [[0, 0, 0, 0, 0], [0, 0, 3, 3, 3], [0, 0, 0, 3, 0]], "c": 3},
                {"mask": [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]], "c": 1},
            ),
        ),
        Property(
            "one-class",
            "Other classes do not count",
            weight=2,
            sizes={"H": (2, 4), "W": (2, 5)},
            valid=lambda case: len(case["mask"].unique()) > 2,
        ),
    ),
    misconceptions=(
        Misconception(
            "one-short",
            "Your boxes are one column and one row too small: from column 2 to column 4 there are 3 columns, "
            "not 4 - 2.",
            _without_one,
            "Count both ends: `columns.max() - columns.min() + 1`.",
        ),
        Misconception(
            "last-for-size",
            "You return the last column and row where the sizes belong.",
            _last_for_size,
            SIZES_WANTED,
        ),
        Misconception(
            "end-for-size",
            "You return where the box ends where the sizes belong.",
            _end_for_size,
            SIZES_WANTED,
        ),
        Misconception(
            "rows-for-x",
            "You take rows as x and columns as y.",
            lambda mask, c: box_from_mask(mask, c)[[1, 0, 3, 2]],
            ROWS_ARE_Y,
        ),
        Misconception(
            "rows-for-x-short",
            "You take rows as x and columns as y, and your sizes are 1 too small.",
            lambda mask, c: _without_one(mask, c)[[1, 0, 3, 2]],
            f"{ROWS_ARE_Y} And count both ends: + 1.",
        ),
        Misconception(
            "centre",
            "You return the middle of the box. Ours begins with its upper left corner.",
            _middle_of_mask,
            "x is the smallest column and y the smallest row.",
        ),
        Misconception(
            "any-class",
            "Your box goes around everything that is not background.",
            lambda mask, c: box_from_mask(mask != 0, 1),
            "Only cells where `mask == c` count.",
        ),
    ),
    hints=(
        "`columns.min()` is the first column that holds the class, `columns.max()` the last one.",
        "From the first to the last, both counted: w = columns.max() - columns.min() + 1.",
        "For y and h the same with rows. End with `return torch.tensor([x, y, w, h])`.",
    ),
    forbidden=(
        "coursekit.boxes.box_from_mask",
        "coursekit.boxes.box_around_lines",
    ),
    version=2,
    example={
        "mask": [[0, 0, 0, 0, 0, 0], [0, 0, 0, 3, 3, 0], [1, 0, 3, 3, 3, 0], [1, 0, 0, 0, 0, 0]],
        "c": 3,
    },
    sheet=lambda case, output: Sheet(
        (_rectangle("box", output, "answer"),), cells=filled(case["mask"] == case["c"])
    ),
)


# --- box-corners -----------------------------------------------------------------------------------


def box_corners(box):
    x, y, w, h = box
    return torch.stack([x, y, x + w, y + h])


def _corners_sheet(case: Arguments, output: Any) -> Sheet:
    left, top, right, bottom = output.tolist()
    answer = Rectangle("corners", left, top, right - left, bottom - top, "answer")
    return Sheet((_rectangle("box", case["box"], "area"), answer))


def _same_start(case: Arguments, output: Any) -> bool:
    return bool((output[:2] == case["box"][:2]).all())


def _around_middle(box: Box) -> Box:
    x, y, w, h = box
    return torch.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2])


BOX_CORNERS = Exercise(
    id="box-corners",
    lesson=LESSON,
    title="From corner and size to two corners",
    function="box_corners",
    points=1,
    minutes=4,
    difficulty=1,
    starter='''def box_corners(box):
    """The same box, told by two of its corners: a tensor of the four numbers left, top, right, bottom.

    box: the four numbers x, y, w, h; (x, y) is the upper left corner.
    """
    x, y, w, h = box
    ...
''',
    reference=box_corners,
    parameters=(Tensor("box", "4", low=0, high=7),),
    properties=(
        Property("first", "The first corner is where it was", holds=_same_start),
        Property(
            "second",
            "The second corner lies w further right and h further down",
            weight=2,
            cases=({"box": [2, 1, 3, 4]}, {"box": [0, 0, 5, 2]}),
        ),
    ),
    misconceptions=(
        Misconception(
            "unchanged",
            "You return the sizes as they are. The last two numbers should say where the box ends.",
            lambda box: box.clone(),
            "It ends w further right than it begins: x + w.",
        ),
        Misconception(
            "centre-for-corner",
            "You take (x, y) as the middle of the box.",
            _around_middle,
            "It is the upper left corner: the box begins at x and ends at x + w.",
        ),
        Misconception(
            "corners-for-sizes",
            "You take (x, y, w, h) as two corners and work out the sizes. It is the other way round.",
            lambda box: torch.stack([box[0], box[1], box[2] - box[0], box[3] - box[1]]),
            "Sizes came in, corners go out: x + w and y + h.",
        ),
        Misconception(
            "one-short",
            "Your second corner lies one to the left and one higher. A corner is a place, not a cell: a box "
            "of width 1 at x = 2 ends at 3.",
            lambda box: box_corners(box) - torch.tensor([0, 0, 1, 1]),
            "x + w and y + h, without - 1.",
        ),
        Misconception(
            "sides-swapped",
            "You go h to the right and w down.",
            lambda box: box_corners(box[[0, 1, 3, 2]]),
            "w is the width: it goes with x.",
        ),
        Misconception(
            "by-axis",
            "Your numbers are right, but in another order: both x first.",
            lambda box: box_corners(box)[[0, 2, 1, 3]],
            "One corner after the other: left, top, right, bottom.",
        ),
    ),
    hints=(
        "A box begins at x and is w wide. Where does it end?",
        "right = x + w, bottom = y + h. Return `torch.stack([x, y, …, …])`.",
    ),
    forbidden=("coursekit.boxes.xywh_to_xyxy",),
    version=2,
    example={"box": [2, 1, 3, 4]},
    sheet=_corners_sheet,
)


# --- box-iou ---------------------------------------------------------------------------------------


def box_iou(a, b):
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    across = min(ax + aw, bx + bw) - max(ax, bx)
    down = min(ay + ah, by + bh) - max(ay, by)
    overlap = max(0, across) * max(0, down)
    return overlap / (aw * ah + bw * bh - overlap)


Scalar = torch.Tensor
Score = Callable[[Scalar, Scalar, Scalar], Any]


def _sides(a: Box, b: Box) -> tuple[Scalar, Scalar]:
    """How far two boxes overlap across and down; below 0 where there is a gap."""
    across, down = torch.minimum(a[:2] + a[2:], b[:2] + b[2:]) - torch.maximum(a[:2], b[:2])
    return across, down


def _scored(a: Box, b: Box, score: Score) -> Any:
    """A score of the overlap and the two areas."""
    across, down = _sides(a, b)
    return score(across.clamp(min=0) * down.clamp(min=0), a[2] * a[3], b[2] * b[3])


def _ratio(overlap: Scalar, one: Scalar, other: Scalar) -> Scalar:
    return overlap / (one + other - overlap)


def _no_clamp(a: Box, b: Box) -> Scalar:
    across, down = _sides(a, b)
    return _ratio(across * down, a[2] * a[3], b[2] * b[3])


def _clamped_late(a: Box, b: Box) -> Scalar:
    across, down = _sides(a, b)
    return _ratio((across * down).clamp(min=0), a[2] * a[3], b[2] * b[3])


def _as_corners(box: Box) -> Box:
    """What a box is taken for by who reads its sizes as a second corner."""
    return torch.cat([box[:2], box[2:] - box[:2]])


def _as_centred(box: Box) -> Box:
    return torch.cat([box[:2] - box[2:] / 2, box[2:]])


def _ends_at_sizes(a: Box, b: Box) -> Scalar:
    """Sizes taken as ends in the overlap, but as sizes in the areas."""
    across, down = torch.minimum(a[2:], b[2:]) - torch.maximum(a[:2], b[:2])
    return _ratio(across.clamp(min=0) * down.clamp(min=0), a[2] * a[3], b[2] * b[3])


def _around(a: Box, b: Box) -> Scalar:
    """The area of the smallest box around both."""
    across, down = torch.maximum(a[:2] + a[2:], b[:2] + b[2:]) - torch.minimum(a[:2], b[:2])
    return across * down


def _one_more(a: Box, b: Box) -> Scalar:
    across, down = _sides(a, b)
    overlap = (across + 1).clamp(min=0) * (down + 1).clamp(min=0)
    return _ratio(overlap, (a[2] + 1) * (a[3] + 1), (b[2] + 1) * (b[3] + 1))


def _pair_sheet(case: Arguments, output: Any) -> Sheet:
    a, b = case["a"], case["b"]
    across, down = (max(0.0, float(side)) for side in _sides(a, b))
    x, y = torch.maximum(a[:2], b[:2]).tolist()
    both = [Rectangle("both", x, y, across, down, "area")] if across * down > 0 else []
    return Sheet((*both, _rectangle("a", a), _rectangle("b", b)))


SAME_BOX = {"a": [2, 1, 3, 4], "b": [2, 1, 3, 4]}
PARTLY = ({"a": [0, 0, 4, 4], "b": [2, 1, 4, 5]}, {"a": [3, 2, 5, 4], "b": [1, 1, 4, 2]})
APART = (
    {"a": [0, 0, 2, 3], "b": [4, 5, 3, 2]},
    {"a": [1, 5, 3, 2], "b": [6, 1, 2, 3]},
    {"a": [0, 1, 3, 3], "b": [5, 2, 2, 4]},
    {"a": [1, 0, 4, 2], "b": [2, 4, 5, 3]},
)

BOX_IOU = Exercise(
    id="box-iou",
    lesson=LESSON,
    title="How good is a box? The IoU of two boxes",
    function="box_iou",
    points=4,
    minutes=10,
    difficulty=2,
    starter='''def box_iou(a, b):
    """The area that lies in both boxes, divided by the area that lies in at least one.

    a, b: boxes of four numbers x, y, w, h; w and h are above 0. Return one number, 0 (no area shared) to 1.
    """
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    ...
''',
    reference=box_iou,
    parameters=(Tensor("a", "4", low=1, high=9), Tensor("b", "4", low=1, high=9)),
    properties=(
        Property(
            "same",
            "The same box twice gives 1",
            cases=(SAME_BOX, {"a": [0, 0, 5, 2], "b": [0, 0, 5, 2]}),
            count=0,
        ),
        Property("partly", "Boxes that overlap in part: overlap divided by union", cases=PARTLY, count=0),
        Property(
            "inside",
            "A box inside another: the small area divided by the large one",
            cases=({"a": [0, 0, 5, 4], "b": [1, 1, 2, 2]}, {"a": [3, 2, 2, 3], "b": [1, 1, 6, 5]}),
            count=0,
        ),
        Property(
            "apart",
            "Boxes that lie apart, or only touch, give 0",
            cases=(*APART, {"a": [0, 0, 2, 2], "b": [2, 1, 3, 3]}),
            count=0,
        ),
        Property("any", "Any two boxes", weight=3),
    ),
    misconceptions=(
        Misconception(
            "no-clamp",
            "Where boxes are apart, your overlap has sides below 0: and two negative sides make a positive "
            "area.",
            _no_clamp,
            "A side of the overlap is never below 0: `max(0, …)` around each, before you multiply.",
        ),
        Misconception(
            "clamped-late",
            "You keep the area above 0, but not its sides: two negative sides make a positive area.",
            _clamped_late,
            "`max(0, …)` around each side, before you multiply.",
        ),
        Misconception(
            "plain-sum",
            "You divide by both areas added up. So what lies in both is counted twice.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap / (one + other)),
            "Take the overlap away once: area of a + area of b - overlap.",
        ),
        Misconception(
            "dice",
            "You take the overlap twice and divide by both areas added up. That is Dice, another score.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: 2 * overlap / (one + other)),
            "IoU is overlap / (area of a + area of b - overlap).",
        ),
        Misconception(
            "sizes-for-corners",
            "You take w and h as the right and lower end of the box.",
            lambda a, b: _scored(_as_corners(a), _as_corners(b), _ratio),
            "They are sizes: a box ends at x + w and y + h.",
        ),
        Misconception(
            "ends-at-sizes",
            "Your overlap takes w and h as the right and lower end of the box.",
            _ends_at_sizes,
            "They are sizes: a box ends at x + w and y + h.",
        ),
        Misconception(
            "centre-for-corner",
            "You take (x, y) as the middle of each box.",
            lambda a, b: _scored(_as_centred(a), _as_centred(b), _ratio),
            "It is the upper left corner: a box begins at x and ends at x + w.",
        ),
        Misconception(
            "sides-swapped",
            "Your boxes are w high and h wide.",
            lambda a, b: _scored(a[[0, 1, 3, 2]], b[[0, 1, 3, 2]], _ratio),
            "w goes with x, h with y.",
        ),
        Misconception(
            "of-the-first",
            "You divide by the area of the first box only.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap / one),
            "Divide by the union: area of a + area of b - overlap.",
        ),
        Misconception(
            "of-the-second",
            "You divide by the area of the second box only.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap / other),
            "Divide by the union: area of a + area of b - overlap.",
        ),
        Misconception(
            "of-the-smaller",
            "You divide by the smaller area: a tiny box inside a huge one would be perfect.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap / torch.minimum(one, other)),
            "Divide by the union: area of a + area of b - overlap.",
        ),
        Misconception(
            "around-both",
            "You divide by the box around both. Its empty corners are in neither of the two.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap / _around(a, b)),
            "Divide by the union: area of a + area of b - overlap.",
        ),
        Misconception(
            "area-only",
            "You return the area of the overlap.",
            lambda a, b: _scored(a, b, lambda overlap, one, other: overlap),
            "Divide it by the union, so that the same box twice gives 1.",
        ),
        Misconception(
            "one-more",
            "Your sides are 1 too long. A box of width 3 at x = 2 ends at 5; that is a place, not a cell.",
            _one_more,
            "No + 1: here nothing is counted.",
        ),
    ),
    hints=(
        "Take x alone first: both boxes are stretches on a line. Where does the part that they share begin, "
        "and where does it end?",
        "It begins at max(ax, bx) and ends at min(ax + aw, bx + bw). If the end lies before the beginning, "
        "they share nothing: max(0, end - beginning).",
        "overlap = width of it * height of it; union = aw * ah + bw * bh - overlap; return overlap / union.",
    ),
    forbidden=(
        "coursekit.boxes.iou",
        "coursekit.boxes.pairwise_iou",
        "coursekit.boxes.giou",
    ),
    version=2,
    example={"a": [1, 1, 4, 3], "b": [3, 2, 4, 4]},
    sheet=_pair_sheet,
)


# --- box-shares ------------------------------------------------------------------------------------


def box_shares(box, size):
    H, W = size
    return box / torch.tensor([W, H, W, H])


def _divided(box: Box, *sides: float) -> Box:
    return box / torch.tensor(sides, dtype=torch.float32)


def _shares_sheet(case: Arguments, output: Any) -> Sheet:
    height, width = case["size"]
    scaled = output * torch.tensor([width, height, width, height])
    return Sheet(
        (_rectangle("box", case["box"], "area"), _rectangle("shares", scaled, "answer")), (height, width)
    )


BOX_SHARES = Exercise(
    id="box-shares",
    lesson=LESSON,
    title="A box without pixels",
    function="box_shares",
    points=2,
    minutes=4,
    difficulty=1,
    starter='''def box_shares(box, size):
    """The box in shares of its image: x and w in image widths, y and h in image heights.

    box: the four numbers x, y, w, h in pixels. size: (rows, columns) of the image, as a shape tells it.
    """
    H, W = size  # the image's height and width
    x, y, w, h = box
    ...
''',
    reference=box_shares,
    parameters=(Tensor("box", "4", low=1, high=8), Pair("size", 8, 20)),
    properties=(
        Property(
            "square", "In a square image all four numbers are divided by the same", fixed={"size": (16, 16)}
        ),
        Property(
            "wide",
            "In a wide image x and w belong to the width, y and h to the height",
            cases=({"box": [5, 2, 10, 4], "size": (8, 20)},),
            sizes={"size": (8, 20)},
            valid=lambda case: case["size"][0] < case["size"][1],
        ),
        Property(
            "high",
            "In a high image too",
            cases=({"box": [2, 5, 4, 10], "size": (20, 8)},),
            sizes={"size": (8, 20)},
            valid=lambda case: case["size"][0] > case["size"][1],
        ),
    ),
    misconceptions=(
        Misconception(
            "swapped",
            "You divide x and w by the height, y and h by the width.",
            lambda box, size: _divided(box, size[0], size[1], size[0], size[1]),
            "x counts columns: divide it by W. y counts rows: divide it by H.",
        ),
        Misconception(
            "all-by-width",
            "You divide all four by the width.",
            lambda box, size: _divided(box, *[size[1]] * 4),
            "y and h count rows: divide them by H.",
        ),
        Misconception(
            "all-by-height",
            "You divide all four by the height.",
            lambda box, size: _divided(box, *[size[0]] * 4),
            "x and w count columns: divide them by W.",
        ),
        Misconception(
            "corner-only",
            "Your box's place is in shares, but its size still in pixels.",
            lambda box, size: _divided(box, size[1], size[0], 1, 1),
            "Divide w by W and h by H too.",
        ),
        Misconception(
            "size-only",
            "Your box's size is in shares, but its place still in pixels.",
            lambda box, size: _divided(box, 1, 1, size[1], size[0]),
            "Divide x by W and y by H too.",
        ),
        Misconception(
            "corner-and-end",
            "You divide x and y by the width, w and h by the height.",
            lambda box, size: _divided(box, size[1], size[1], size[0], size[0]),
            "The numbers take turns: x, y, w, h belong to W, H, W, H.",
        ),
        Misconception(
            "multiplied",
            "You multiply by the image's sizes: that is the way back to pixels.",
            lambda box, size: box * torch.tensor([size[1], size[0], size[1], size[0]]),
            "Divide: half-way across is 0.5 in any image.",
        ),
        Misconception(
            "whole",
            "Your shares are rounded down to whole numbers.",
            lambda box, size: box_shares(box, size).floor(),
            "`/` divides; `//` also rounds down.",
        ),
    ),
    hints=(
        "A box that begins in the middle of its image has x = 0.5, however many pixels there are.",
        "x / W, y / H, w / W, h / H. Return `torch.stack([…])` of the four.",
    ),
    forbidden=("coursekit.boxes.normalize",),
    version=2,
    example={"box": [5, 2, 10, 4], "size": (8, 20)},
    sheet=_shares_sheet,
)


# --- box-giou --------------------------------------------------------------------------------------


def box_giou(a, b):
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    across = min(ax + aw, bx + bw) - max(ax, bx)
    down = min(ay + ah, by + bh) - max(ay, by)
    overlap = max(0, across) * max(0, down)
    union = aw * ah + bw * bh - overlap
    around = (max(ax + aw, bx + bw) - min(ax, bx)) * (max(ay + ah, by + bh) - min(ay, by))
    return overlap / union - (around - union) / around


def _general(a: Box, b: Box, score: Callable[[Scalar, Scalar, Scalar], Any]) -> Any:
    """A score of overlap, union and the box around both."""
    return _scored(a, b, lambda overlap, one, other: score(overlap, one + other - overlap, _around(a, b)))


def _unclamped_giou(a: Box, b: Box) -> Scalar:
    across, down = _sides(a, b)
    overlap, around = across * down, _around(a, b)
    union = a[2] * a[3] + b[2] * b[3] - overlap
    return overlap / union - (around - union) / around


def _around_sheet(case: Arguments, output: Any) -> Sheet:
    a, b = case["a"], case["b"]
    first, last = torch.minimum(a[:2], b[:2]), torch.maximum(a[:2] + a[2:], b[:2] + b[2:])
    around = _rectangle("around both", torch.cat([first, last - first]), "area")
    return Sheet((around, _rectangle("a", a), _rectangle("b", b)))


BOX_GIOU = Exercise(
    id="box-giou",
    lesson=LESSON,
    title="Extra: a score that sees how far apart",
    function="box_giou",
    points=1,
    minutes=7,
    difficulty=3,
    starter='''def box_giou(a, b):
    """The IoU of two boxes, minus the empty share of the smallest box around both.

    a, b: boxes of four numbers x, y, w, h; w and h are above 0. Return one number from -1 to 1.
    """
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
    ...
''',
    reference=box_giou,
    parameters=(Tensor("a", "4", low=1, high=9), Tensor("b", "4", low=1, high=9)),
    properties=(
        Property("same", "The same box twice gives 1", cases=(SAME_BOX,), count=0),
        Property("partly", "Boxes that overlap: a little below the IoU", cases=PARTLY, count=0),
        Property("apart", "Boxes that lie apart: the farther, the lower", weight=2, cases=APART, count=0),
        Property("any", "Any two boxes", weight=3),
    ),
    misconceptions=(
        Misconception(
            "by-union",
            "You divide the empty part by the union. So it can be far below -1.",
            lambda a, b: _general(
                a, b, lambda both, either, around: both / either - (around - either) / either
            ),
            "It is the empty share of the box around both: divide it by that box's area.",
        ),
        Misconception(
            "plain-iou",
            "That is the IoU: 0 for all boxes that are apart, near or far.",
            lambda a, b: _general(a, b, lambda both, either, around: both / either),
            "Subtract the empty share: (around - union) / around.",
        ),
        Misconception(
            "added",
            "You add the empty share: so farther would be better.",
            lambda a, b: _general(
                a, b, lambda both, either, around: both / either + (around - either) / around
            ),
            "Subtract it.",
        ),
        Misconception(
            "filled-share",
            "You subtract the share that is filled, union / around.",
            lambda a, b: _general(a, b, lambda both, either, around: both / either - either / around),
            "The empty share is (around - union) / around.",
        ),
        Misconception(
            "overlap-left-out",
            "You take only the overlap from the box around both. Empty is what lies in neither a nor b.",
            lambda a, b: _general(
                a, b, lambda both, either, around: both / either - (around - both) / around
            ),
            "The empty share is (around - union) / around.",
        ),
        Misconception(
            "no-clamp",
            "Where boxes are apart, your overlap has sides below 0: and two negative sides make a positive "
            "area.",
            _unclamped_giou,
            "`max(0, …)` around each side of the overlap, before you multiply.",
        ),
    ),
    hints=(
        "Copy your lines from `box_iou`, up to overlap and union. What is new is the box around both.",
        "It begins at min(ax, bx) and ends at max(ax + aw, bx + bw); for y the same. Nothing can be below 0.",
        "around = its width * its height. Return overlap / union - (around - union) / around.",
    ),
    forbidden=("coursekit.boxes.giou",),
    version=2,
    example={"a": [0, 0, 2, 3], "b": [4, 5, 3, 2]},
    sheet=_around_sheet,
)


EXERCISES = (BOX_FROM_MASK, BOX_CORNERS, BOX_SHARES, BOX_IOU, BOX_GIOU)
