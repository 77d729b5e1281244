"""Lesson 01: resize a mask, softmax and cross-entropy in every pixel, and the mean IoU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from coursekit.checking import Exercise, Misconception, Number, Pair, Property, Tensor

LESSON = "01-every-pixel-gets-a-class"
IGNORED = 255

Grid = torch.Tensor
Size = tuple[int, int]
Arguments = dict[str, Any]


# --- resize-mask -----------------------------------------------------------------------------------


def resize_mask(mask, size):
    H, W = mask.shape
    rows, columns = size
    out = torch.zeros(rows, columns, dtype=torch.int64)
    for i in range(rows):
        for j in range(columns):
            out[i, j] = mask[i * H // rows, j * W // columns]
    return out


def _blended(mask: Grid, size: Size) -> Grid:
    """Means of neighbours, weighted by how near they are: bilinear, as a photograph is resized."""
    return functional.interpolate(mask[None, None].float(), size=size, mode="bilinear")[0, 0]


def _from_middles(mask: Grid, size: Size) -> Grid:
    return functional.interpolate(mask[None, None].float(), size=size, mode="nearest-exact")[0, 0].long()


def _cut_or_tiled(mask: Grid, size: Size) -> Grid:
    rows, columns = (torch.arange(wanted) % old for wanted, old in zip(size, mask.shape, strict=True))
    return mask[rows][:, columns]


BLENDED = (
    "You blend the numbers of neighbouring cells. Between class 1 and class 5 that makes class 3, which is "
    "not there at all."
)
PICK = "Pick one old cell for each new cell, and copy its class: mask[i * H // rows, j * W // columns]."


def _largest_class(mask: Grid) -> int:
    return int(mask[mask != IGNORED].max())


RESIZE_MASK = Exercise(
    id="resize-mask",
    lesson=LESSON,
    title="Another size for a mask",
    function="resize_mask",
    points=2,
    minutes=6,
    difficulty=1,
    starter='''def resize_mask(mask, size):
    """Give a mask another size. No class may appear that it did not hold.

    mask: a grid of classes with H rows and W columns. size: (rows, columns) of the result.
    Its cell in row i, column j takes the class of row i * H // rows, column j * W // columns.
    """
    H, W = mask.shape
    rows, columns = size
    out = torch.zeros(rows, columns, dtype=torch.int64)  # int64: whole numbers
    ...
''',
    reference=resize_mask,
    parameters=(Tensor("mask", "H W", dtype="int64", low=0, high=5), Pair("size", 1, 6)),
    sizes={"H": (1, 4), "W": (1, 4)},
    properties=(
        Property(
            "larger",
            "A mask can become larger: each class fills its share of the new cells",
            sizes={"H": (1, 2), "W": (2, 3), "size": (2, 6)},
            valid=lambda case: all(
                new > old for new, old in zip(case["size"], case["mask"].shape, strict=True)
            ),
        ),
        Property(
            "smaller",
            "It can become smaller: some cells are left out",
            sizes={"H": (2, 4), "W": (2, 4), "size": (1, 3)},
            valid=lambda case: all(
                new < old for new, old in zip(case["size"], case["mask"].shape, strict=True)
            ),
        ),
        Property(
            "any-size",
            "Rows and columns go each their own way",
            sizes={"H": (1, 4), "W": (1, 4), "size": (1, 5)},
        ),
        Property(
            "ignored",
            "255, for pixels that nobody labelled, is copied like any class",
            count=0,
            cases=(
                {"mask": [[1, 255, 0]], "size": (1, 6)},
                {"mask": [[2, 255], [255, 0]], "size": (4, 3)},
            ),
        ),
    ),
    misconceptions=(
        Misconception("blended", BLENDED, lambda mask, size: _blended(mask, size).round().long(), PICK),
        Misconception("blended-cut-off", BLENDED, lambda mask, size: _blended(mask, size).long(), PICK),
        Misconception("blended-fractions", BLENDED, _blended, PICK),
        Misconception(
            "swapped-size",
            "You take `size` as (columns, rows).",
            lambda mask, size: resize_mask(mask, size[::-1]),
            "Rows first: rows, columns = size.",
        ),
        Misconception(
            "cut-or-tiled",
            "You copy cells without stretching: a larger result repeats the mask, a smaller one cuts it off.",
            _cut_or_tiled,
            "Row i of the result is row i * H // rows of the mask, so the last rows belong together too.",
        ),
        Misconception(
            "middles",
            "You pick the old cell under the middle of each new one. That is as good a rule, but not ours.",
            _from_middles,
            "Ours looks under the upper left corner: row i * H // rows, column j * W // columns.",
        ),
        Misconception(
            "flipped-axes",
            "Your result has its rows and columns swapped.",
            lambda mask, size: resize_mask(mask, size).T,
            "Rows first: out[i, j], with i below `rows` and j below `columns`.",
        ),
    ),
    hints=(
        "Two loops: `for i in range(rows):` and, inside it, `for j in range(columns):`. Each round fills one "
        "cell of the result.",
        "mask[i * H // rows, j * W // columns] is the class to copy. Put it into out[i, j], and end with "
        "`return out`.",
    ),
    example={"mask": torch.tensor([[0, 1, 5], [2, 2, 0]]), "size": (4, 6)},
)


# --- pixel-softmax ---------------------------------------------------------------------------------


def pixel_softmax(logits):
    powers = (logits - logits.amax(0)).exp()
    return powers / powers.sum(0)


def _shares(logits: Grid, *axes: int) -> Grid:
    """Softmax over some axes, as it should be done along the classes alone."""
    powers = (logits - logits.amax(axes, keepdim=True)).exp()
    return powers / powers.sum(axes, keepdim=True)


def _without_largest(logits: Grid) -> Grid:
    return logits.exp() / logits.exp().sum(0)


def _less_one_largest(logits: Grid) -> Grid:
    return _without_largest(logits - logits.max())


PIXEL_SOFTMAX = Exercise(
    id="pixel-softmax",
    lesson=LESSON,
    title="Softmax in every pixel",
    function="pixel_softmax",
    points=3,
    minutes=7,
    difficulty=2,
    starter='''def pixel_softmax(logits):
    """In every pixel, turn the scores of all classes into shares that add up to 1.

    logits: (classes, rows, columns), one grid of scores for each class. They may be as large as 1000.
    Return shares of the same shape.
    """
    ...
''',
    reference=pixel_softmax,
    parameters=(Tensor("logits", "C H W", low=-2, high=3),),
    sizes={"C": (2, 4), "H": (1, 3), "W": (1, 3)},
    properties=(
        Property(
            "one-pixel",
            "One pixel: e to the power of each class's score, divided by their sum",
            sizes={"C": (2, 4), "H": (1, 1), "W": (1, 1)},
        ),
        Property(
            "every-pixel",
            "Each pixel has a sum of its own, over its classes",
            weight=2,
            sizes={"C": (2, 3), "H": (1, 3), "W": (2, 3)},
        ),
        Property(
            "large",
            "Large scores do no harm, neither do very different ones",
            count=0,
            cases=(
                {"logits": [[[1000]], [[999]]]},
                {"logits": [[[200, 1]], [[201, 3]], [[199, 2]]]},
                {"logits": [[[500, -500]], [[499, -499]]]},
                {"logits": [[[-300, 300]], [[-302, 301]]]},
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "along-columns",
            "Your shares add up to 1 along each row of the picture. Pixels compete, not classes.",
            lambda logits: _shares(logits, 2),
            "The classes are the first axis: sum over dim 0.",
        ),
        Misconception(
            "along-rows",
            "Your shares add up to 1 down each column of the picture. Pixels compete, not classes.",
            lambda logits: _shares(logits, 1),
            "The classes are the first axis: sum over dim 0.",
        ),
        Misconception(
            "whole-grids",
            "In each class your shares add up to 1 over the whole picture. Pixels compete, not classes.",
            lambda logits: _shares(logits, 1, 2),
            "The classes are the first axis: sum over dim 0.",
        ),
        Misconception(
            "everything",
            "All your shares together add up to 1, those of all pixels.",
            lambda logits: _shares(logits, 0, 1, 2),
            "Each pixel needs a sum of its own: .sum(0) adds up the classes and keeps the pixels apart.",
        ),
        Misconception(
            "no-powers",
            "You divide the scores themselves by their sum.",
            lambda logits: logits / logits.sum(0),
            "First take e to the power of each score: logits.exp().",
        ),
        Misconception(
            "not-divided",
            "You take e to the power of each score, but you do not divide by the sum.",
            lambda logits: logits.exp(),
            "Divide by the sum over the classes: .sum(0).",
        ),
        Misconception(
            "too-large",
            "e to the power of a large score is too large for the computer, so your shares become NaN.",
            _without_largest,
            "First subtract each pixel's largest score: logits - logits.amax(0). It changes no share.",
        ),
        Misconception(
            "one-largest",
            "You subtract the largest score of all pixels. In a pixel far below it, every power is 0.",
            _less_one_largest,
            "Subtract each pixel's own largest score: logits.amax(0).",
        ),
        Misconception(
            "twice",
            "You take the softmax twice: your shares are too much alike.",
            lambda logits: pixel_softmax(pixel_softmax(logits)),
            "Once is enough: shares already add up to 1.",
        ),
    ),
    hints=(
        "The classes are the first axis of logits, dim 0. x.sum(0) adds up the grids of all classes: one sum "
        "for each pixel.",
        "powers = logits.exp(), then powers / powers.sum(0). But e to the power of 1000 is too large for "
        "the computer.",
        "Subtracting the same number from all scores of a pixel changes no share. Subtract the largest, "
        "logits - logits.amax(0), and no power is above 1.",
    ),
    forbidden=(
        "torch.softmax",
        "torch.nn.functional.softmax",
        "torch.nn.functional.log_softmax",
        "torch.log_softmax",
        "torch.nn.Softmax",
        "torch.nn.Softmax2d",
        "torch.Tensor.softmax",
        "torch.Tensor.log_softmax",
    ),
    example={"logits": torch.tensor([[[2.0, 0.0, 1.0]], [[0.0, 0.0, 3.0]]])},
)


# --- pixel-cross-entropy ---------------------------------------------------------------------------


def pixel_cross_entropy(logits, masks):
    scores = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    labels = masks.reshape(-1)
    counted = labels != 255
    scores, labels = scores[counted], labels[counted]
    logs = torch.log_softmax(scores, dim=1)
    return -logs[torch.arange(len(labels)), labels].mean()


def _on_true_class(grids: Grid, masks: Grid) -> Grid:
    """What `grids` (N, C, H, W) hold for the true class of each pixel, (N, H, W); 0 where it is ignored."""
    counted = masks != IGNORED
    found = grids.gather(1, torch.where(counted, masks, 0)[:, None])[:, 0]
    return torch.where(counted, found, 0.0)


def _costs(logits: Grid, masks: Grid) -> Grid:
    return 0 - _on_true_class(logits.log_softmax(1), masks)  # 0 - 0 is 0, and -(0) would be shown as -0


def _mean_cost(costs: Grid, masks: Grid) -> Grid:
    return costs.sum() / (masks != IGNORED).sum()


def _over_pixels(logits: Grid, masks: Grid) -> Grid:
    counted = masks != IGNORED
    logs = logits.permute(0, 2, 3, 1)[counted].log_softmax(0)
    return -logs.gather(1, masks[counted][:, None]).mean()


def _as_ordered_in_memory(logits: Grid, masks: Grid) -> Grid:
    """The scores cut into rows of C as they lie in memory, which mixes pixels up."""
    mixed = logits.reshape(-1, logits.shape[1])[..., None, None]
    return pixel_cross_entropy(mixed, masks.reshape(-1, 1, 1))


def _of_each_image(logits: Grid, masks: Grid) -> Grid:
    pairs = zip(logits, masks, strict=True)
    return torch.stack([pixel_cross_entropy(one[None], mask[None]) for one, mask in pairs]).mean()


def _labelled(case: Arguments) -> bool:
    return _largest_class(case["masks"]) < case["logits"].shape[1]


PIXEL_CROSS_ENTROPY = Exercise(
    id="pixel-cross-entropy",
    lesson=LESSON,
    title="Cross-entropy over all pixels that count",
    function="pixel_cross_entropy",
    points=3,
    minutes=10,
    difficulty=3,
    starter='''def pixel_cross_entropy(logits, masks):
    """The mean of -log(share of the true class), over all pixels of all pictures that are not 255.

    logits: (pictures, classes, rows, columns), scores before any softmax.
    masks: (pictures, rows, columns), the true class of each pixel; 255 does not count.
    Return one number.
    """
    scores = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])  # a row for each pixel
    labels = masks.reshape(-1)  # the true class of each pixel, in the same order
    ...
''',
    reference=pixel_cross_entropy,
    parameters=(
        Tensor("logits", "N C H W", low=-2, high=3),
        Tensor("masks", "N H W", dtype="int64", low=0, high="C-1"),
    ),
    sizes={"N": (1, 2), "C": (2, 3), "H": (1, 2), "W": (1, 3)},
    valid=_labelled,
    properties=(
        Property(
            "one-pixel",
            "One pixel costs minus log of the share of its true class",
            sizes={"N": (1, 1), "C": (2, 3), "H": (1, 1), "W": (1, 1)},
        ),
        Property(
            "all-pixels",
            "The mean goes over the pixels of all pictures",
            weight=2,
            sizes={"N": (1, 2), "C": (2, 3), "H": (1, 2), "W": (2, 3)},
        ),
        Property(
            "ignored",
            "Pixels that are 255 count nowhere",
            weight=2,
            count=0,
            cases=(
                {"logits": [[[[2, 0]], [[0, 3]]]], "masks": [[[0, 255]]]},
                {"logits": [[[[2, 0, 1]], [[0, 3, 1]]]], "masks": [[[1, 255, 0]]]},
                {
                    "logits": [[[[3, 0]], [[0, 1]], [[1, 2]]], [[[0, 1]], [[2, 0]], [[1, 3]]]],
                    "masks": [[[0, 255]], [[2, 1]]],
                },
                {
                    "logits": [[[[3, 0, 1]], [[0, 2, 2]]], [[[1, 3, 0]], [[2, 0, 1]]]],
                    "masks": [[[255, 255, 1]], [[0, 1, 0]]],
                },
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "softmax-twice",
            "You take the softmax twice: log_softmax begins with one of its own.",
            lambda logits, masks: pixel_cross_entropy(logits.softmax(1), masks),
            "Give it the raw scores: torch.log_softmax(scores, dim=1).",
        ),
        Misconception(
            "over-pixels",
            "Your softmax goes over the pixels: they share out 1 among each other, within each class.",
            _over_pixels,
            "Each row of scores is one pixel, so its classes lie along dim 1.",
        ),
        Misconception(
            "over-pictures",
            "Your softmax goes over the pictures: they share out 1 among each other.",
            lambda logits, masks: -_mean_cost(_on_true_class(logits.log_softmax(0), masks), masks),
            "The classes are dim 1 of logits (and of `scores`).",
        ),
        Misconception(
            "not-permuted",
            "You reshape without permuting, so the scores of different pixels are mixed up.",
            _as_ordered_in_memory,
            "Move the classes to the end first: logits.permute(0, 2, 3, 1), then reshape.",
        ),
        Misconception(
            "ignored-as-background",
            "You take ignored pixels for background, class 0.",
            lambda logits, masks: pixel_cross_entropy(logits, torch.where(masks == IGNORED, 0, masks)),
            "Leave them out: counted = labels != 255, then scores[counted] and labels[counted].",
        ),
        Misconception(
            "ignored-in-the-mean",
            "Ignored pixels cost nothing, but you still divide by their number.",
            lambda logits, masks: _costs(logits, masks).mean(),
            "Divide by the number of counted pixels: take the mean after leaving the others out.",
        ),
        Misconception(
            "per-picture",
            "You take the mean of each picture, then the mean of these. A picture with few counted pixels "
            "then counts too much.",
            _of_each_image,
            "Put the pixels of all pictures into one list, and take one mean.",
        ),
        Misconception(
            "sum",
            "You add the costs up and do not divide.",
            lambda logits, masks: _costs(logits, masks).sum(),
            "Take the mean, so that large and small pictures can be compared.",
        ),
        Misconception(
            "no-minus",
            "You forget the minus sign: the log of a share is never above 0.",
            lambda logits, masks: -pixel_cross_entropy(logits, masks),
            "Put a minus before the mean.",
        ),
        Misconception(
            "no-log",
            "You take one minus the share. Its log is missing.",
            lambda logits, masks: 1 - _mean_cost(_on_true_class(logits.softmax(1), masks), masks),
            "The cost is -log(share): a share near 0 costs a lot.",
        ),
        Misconception(
            "share",
            "You take the mean share of the true class. Its log is missing.",
            lambda logits, masks: _mean_cost(_on_true_class(logits.softmax(1), masks), masks),
            "The cost is -log(share).",
        ),
        Misconception(
            "no-softmax",
            "You take minus the raw score of the true class, without any softmax.",
            lambda logits, masks: -_mean_cost(_on_true_class(logits, masks), masks),
            "torch.log_softmax(scores, dim=1) makes the log of the shares out of the scores.",
        ),
        Misconception(
            "all-classes",
            "You take the mean over all classes. Only the share of the true class counts.",
            lambda logits, masks: -logits.log_softmax(1).permute(0, 2, 3, 1)[masks != IGNORED].mean(),
            "logs[torch.arange(len(labels)), labels] takes one number from each row: that of its label.",
        ),
    ),
    hints=(
        "First leave out what does not count: counted = labels != 255. Then scores[counted] are the rows of "
        "the other pixels, and labels[counted] their classes.",
        "torch.log_softmax(scores, dim=1) gives the log of every share. From each row take the one of its "
        "label: logs[torch.arange(len(labels)), labels].",
        "Put together: counted = labels != 255; scores, labels = scores[counted], labels[counted]; logs = "
        "torch.log_softmax(scores, dim=1); return -logs[torch.arange(len(labels)), labels].mean().",
    ),
    forbidden=(
        "torch.nn.functional.cross_entropy",
        "torch.nn.CrossEntropyLoss",
        "torch.nn.functional.nll_loss",
        "torch.nn.NLLLoss",
        "coursekit.training.cross_entropy",
    ),
    draw=lambda case, _: [("cost of each pixel, 0 if ignored", _costs(case["logits"], case["masks"]))],
    example={
        "logits": torch.tensor([[[[2.0, 0.0, 1.0]], [[0.0, 0.0, 3.0]]]]),
        "masks": torch.tensor([[[0, 1, 255]]]),
    },
)


# --- mean-iou --------------------------------------------------------------------------------------


def mean_iou(predicted, truth, classes):
    counted = truth != 255
    predicted, truth = predicted[counted], truth[counted]
    ious = []
    for c in range(classes):
        overlap = ((predicted == c) & (truth == c)).sum()
        union = ((predicted == c) | (truth == c)).sum()
        if union > 0:
            ious.append(overlap / union)
    return sum(ious) / len(ious)


Counts = tuple[Grid, Grid, Grid]


def _counts(predicted: Grid, truth: Grid, classes: int, ignored: int = IGNORED) -> Counts:
    """Overlap, predicted pixels and true pixels of each class."""
    counted = truth != ignored
    said, true = (
        torch.stack([(grid[counted] == c).sum() for c in range(classes)]).float()
        for grid in (predicted, truth)
    )
    both = ((predicted == truth) & counted)[None] & (truth[None] == _each(classes, truth))
    return both.flatten(1).sum(1).float(), said, true


def _each(classes: int, like: Grid) -> Grid:
    return torch.arange(classes).reshape(-1, *[1] * like.ndim)


def _mean_where(values: Grid, present: Grid) -> Grid:
    return values[present].mean()


def _scored(rule: Callable[[Grid, Grid, Grid], Grid]) -> Callable[[Grid, Grid, int], Grid]:
    """A mean over the classes by another rule, which makes a number of each class's three counts."""

    def mutant(predicted: Grid, truth: Grid, classes: int) -> Grid:
        return rule(*_counts(predicted, truth, classes))

    return mutant


def _ious(both: Grid, said: Grid, true: Grid) -> Grid:
    return both / (said + true - both)


def _of_each_picture(predicted: Grid, truth: Grid, classes: int) -> Grid:
    pairs = zip(predicted, truth, strict=True)
    kept = [mean_iou(ours, theirs, classes) for ours, theirs in pairs if (theirs != IGNORED).any()]
    return torch.stack(kept).mean()


def _some_class(case: Arguments) -> bool:
    largest = max(_largest_class(case["truth"]), int(case["predicted"].max()))
    return largest < case["classes"]


def _parts(case: Arguments, _: Any) -> Sequence[tuple[str, Grid]]:
    both, said, true = _counts(case["predicted"], case["truth"], case["classes"])
    return [
        ("overlap of class 0, 1, …", both),
        ("union of class 0, 1, …", said + true - both),
    ]


MEAN_IOU = Exercise(
    id="mean-iou",
    lesson=LESSON,
    title="The mean IoU of a data set",
    function="mean_iou",
    points=4,
    minutes=10,
    difficulty=3,
    starter='''def mean_iou(predicted, truth, classes):
    """For each class: overlap divided by union, counted over all pictures together. Then the mean.

    predicted, truth: (pictures, rows, columns), the class of each pixel, from 0 to classes - 1.
    Pixels where truth is 255 count nowhere. A class that is in neither is left out of the mean.
    """
    counted = truth != 255
    ious = []
    ...
''',
    reference=mean_iou,
    parameters=(
        Tensor("predicted", "N H W", dtype="int64", low=0, high="classes-1"),
        Tensor("truth", "N H W", dtype="int64", low=0, high="classes-1"),
        Number("classes", 2, 4),
    ),
    sizes={"N": (1, 2), "H": (1, 3), "W": (2, 4)},
    valid=_some_class,
    properties=(
        Property(
            "one-picture",
            "One picture, two classes: overlap divided by union, then the mean",
            sizes={"N": (1, 1), "H": (1, 2), "W": (2, 4), "classes": (2, 2)},
        ),
        Property(
            "together",
            "All pictures are counted together",
            weight=2,
            sizes={"N": (2, 2), "H": (1, 2), "W": (2, 3), "classes": (2, 3)},
        ),
        Property(
            "absent",
            "A class in neither mask is left out; a class in only one of them scores 0",
            weight=2,
            count=0,
            cases=(
                {"predicted": [[[0, 1, 1]]], "truth": [[[0, 0, 1]]], "classes": 3},
                {"predicted": [[[3, 3], [0, 3]]], "truth": [[[3, 3], [0, 0]]], "classes": 4},
                {"predicted": [[[0, 2, 1, 1]]], "truth": [[[0, 0, 1, 1]]], "classes": 3},
                {"predicted": [[[1, 1]], [[1, 0]]], "truth": [[[1, 2]], [[1, 1]]], "classes": 4},
            ),
        ),
        Property(
            "ignored",
            "Pixels where truth is 255 count nowhere",
            weight=2,
            count=0,
            cases=(
                {"predicted": [[[0, 1, 1]]], "truth": [[[0, 1, 255]]], "classes": 2},
                {"predicted": [[[0, 0, 1, 1]]], "truth": [[[255, 0, 0, 1]]], "classes": 2},
                {
                    "predicted": [[[0, 1, 2]], [[2, 2, 1]]],
                    "truth": [[[0, 255, 255]], [[2, 1, 1]]],
                    "classes": 3,
                },
            ),
        ),
    ),
    misconceptions=(
        Misconception(
            "overlap-twice",
            "Your union counts the overlap twice: once in each mask.",
            _scored(lambda both, said, true: _mean_where(both / (said + true), said + true > 0)),
            "Subtract the overlap once, or use `|`: (predicted == c) | (truth == c).",
        ),
        Misconception(
            "dice",
            "This is the Dice score: twice the overlap, divided by the sizes of both.",
            _scored(lambda both, said, true: _mean_where(2 * both / (said + true), said + true > 0)),
            "Divide the overlap by the union, which counts every pixel once.",
        ),
        Misconception(
            "absent-zero",
            "A class that is nowhere scores 0 in your mean, though nothing was done wrong there.",
            _scored(lambda both, said, true: torch.nan_to_num(_ious(both, said, true)).mean()),
            "Take a class into the list only if its union is not 0, and divide by the length of the list.",
        ),
        Misconception(
            "absent-one",
            "A class that is nowhere scores 1 in your mean.",
            _scored(lambda both, said, true: torch.nan_to_num(_ious(both, said, true), nan=1.0).mean()),
            "Take a class into the list only if its union is not 0.",
        ),
        Misconception(
            "absent-nan",
            "You divide 0 by 0 for a class that is nowhere, and NaN spoils the mean.",
            _scored(lambda both, said, true: _ious(both, said, true).mean()),
            "Take a class into the list only if its union is not 0.",
        ),
        Misconception(
            "only-true-classes",
            "You leave out a class that is predicted but not in the truth. It is a mistake and scores 0.",
            _scored(lambda both, said, true: _mean_where(_ious(both, said, true), true > 0)),
            "Leave a class out only if it is in neither: ask whether the union is 0.",
        ),
        Misconception(
            "per-picture",
            "You score each picture, then take the mean of these scores.",
            _of_each_picture,
            "Count overlap and union over all pictures together; then a tiny object in one picture cannot "
            "weigh as much as a large one in another.",
        ),
        Misconception(
            "ignored-counted",
            "Ignored pixels count in your union, as if they were predicted wrongly.",
            lambda predicted, truth, classes: _mean_where(
                *_with_presence(_counts(predicted, truth, classes, ignored=-1))
            ),
            "Leave them out of both first: predicted[counted] and truth[counted].",
        ),
        Misconception(
            "ignored-as-background",
            "You take ignored pixels for background, class 0.",
            lambda predicted, truth, classes: mean_iou(
                predicted, torch.where(truth == IGNORED, 0, truth), classes
            ),
            "Leave them out of both first: predicted[counted] and truth[counted].",
        ),
        Misconception(
            "pixel-accuracy",
            "This is the share of right pixels, whatever their class.",
            lambda predicted, truth, classes: (predicted == truth)[truth != IGNORED].float().mean(),
            "Score each class by itself first: overlap divided by union.",
        ),
        Misconception(
            "recall",
            "You divide by the size of the class in the truth. Painting the class everywhere would score 1.",
            _scored(lambda both, said, true: _mean_where(both / true, true > 0)),
            "Divide by the union: pixels that are in the class in the truth, or predicted so, or both.",
        ),
        Misconception(
            "precision",
            "You divide by the size of the predicted class. One single right pixel would score 1.",
            _scored(lambda both, said, true: _mean_where(both / said, said > 0)),
            "Divide by the union: pixels that are in the class in the truth, or predicted so, or both.",
        ),
        Misconception(
            "no-background",
            "You leave out class 0. The background is a class too.",
            _scored(lambda both, said, true: _mean_where(_ious(both, said, true)[1:], (said + true)[1:] > 0)),
            "range(classes) begins with 0.",
        ),
        Misconception(
            "one-ratio",
            "You add up all overlaps and all unions and divide once, so that large classes count most.",
            _scored(lambda both, said, true: both.sum() / (said + true - both).sum()),
            "Divide for each class, then take the mean of the classes.",
        ),
    ),
    hints=(
        "predicted[counted] and truth[counted] are long lists of the pixels that count, of all pictures "
        "together. Then `for c in range(classes):`.",
        "Class c: overlap = ((predicted == c) & (truth == c)).sum(), and with `|` (or) instead of `&` (and) "
        "you get the union.",
        "if union > 0: ious.append(overlap / union). After the loop: return sum(ious) / len(ious).",
    ),
    draw=_parts,
    example={
        "predicted": torch.tensor([[[0, 0, 1, 1], [0, 1, 1, 1]]]),
        "truth": torch.tensor([[[0, 0, 0, 1], [0, 0, 1, 1]]]),
        "classes": 3,
    },
)


def _with_presence(counts: Counts) -> tuple[Grid, Grid]:
    """IoUs, and which classes occur."""
    return _ious(*counts), counts[1] + counts[2] > 0


EXERCISES = (RESIZE_MASK, PIXEL_SOFTMAX, PIXEL_CROSS_ENTROPY, MEAN_IOU)
