"""Lesson 07: what goes into training, a step up with a skip connection, the loss, and scores in use."""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from coursekit.checking import Exercise, Misconception, Number, Property, Tensor

LESSON = "07-train-a-segmentation-net"

Grid = torch.Tensor
Arguments = dict[str, Any]


# --- skip-step -------------------------------------------------------------------------------------


def skip_step(large, one, other, weight):
    level = one if one.shape[2:] == large.shape[2:] else other
    both = torch.cat([large, level], dim=1)
    return torch.nn.functional.conv2d(both, weight)


def _levels(large: Grid, one: Grid, other: Grid) -> tuple[Grid, Grid]:
    """The level that fits, and the one that does not."""
    return (one, other) if one.shape[2:] == large.shape[2:] else (other, one)


def _wrong_level(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    wrong = functional.interpolate(_levels(large, one, other)[1], size=large.shape[2:], mode="nearest")
    return functional.conv2d(torch.cat([large, wrong], dim=1), weight)


def _always_one(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(torch.cat([large, one], dim=1), weight)


def _skip_first(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(torch.cat([_levels(large, one, other)[0], large], dim=1), weight)


def _added(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(large + _levels(large, one, other)[0], weight)


def _added_and_cut(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(large + _levels(large, one, other)[0], weight[:, : large.shape[1]])


def _without_skip(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(large, weight[:, : large.shape[1]])


def _skip_only(large: Grid, one: Grid, other: Grid, weight: Grid) -> Grid:
    return functional.conv2d(_levels(large, one, other)[0], weight[:, large.shape[1] :])


def _one_level_fits(case: Arguments) -> bool:
    fits = [case[name].shape[2:] == case["large"].shape[2:] for name in ("one", "other")]
    return fits[0] != fits[1]


def _first_fits(case: Arguments) -> bool:
    return bool(case["one"].shape[2:] == case["large"].shape[2:])


SKIP_STEP = Exercise(
    id="skip-step",
    lesson=LESSON,
    title="Lay what the way down left beside what came up, and mix",
    function="skip_step",
    points=3,
    minutes=8,
    difficulty=2,
    starter='''def skip_step(large, one, other, weight):
    """Lay the features of the right level beside the enlarged ones, and mix.

    large: (N, C, H, W), what a way up has just enlarged. one, other: what the way down left at two of its
    levels; only one of the two has the H rows and W columns of large. weight: (K, 2 * C, 1, 1): each
    output channel takes every channel of large and then every channel of that level, each times a number.
    Return the K sums at every cell, (N, K, H, W), just as they are.
    """
    ...
''',
    reference=skip_step,
    parameters=(
        Tensor("large", "N C H*2 W*2"),
        Tensor("one", "N C H*a W*a"),
        Tensor("other", "N C H*b W*b"),
        Tensor("weight", "K C*2 1 1", low=-4, high=4),
    ),
    sizes={"N": (1, 2), "C": (1, 2), "H": (1, 2), "W": (1, 2), "K": (1, 2), "a": (1, 2), "b": (1, 2)},
    valid=_one_level_fits,
    properties=(
        Property(
            "beside",
            "The right level lies beside what came up, and weight mixes both",
            sizes={"N": (1, 1), "C": (1, 1), "H": (1, 1), "W": (1, 2), "K": (1, 2)},
            valid=_first_fits,
        ),
        Property(
            "level",
            "Of the two levels the one with the size of large is taken, whichever comes first",
            weight=2,
            sizes={"N": (1, 1), "C": (1, 2), "H": (1, 2), "W": (1, 1), "K": (1, 2)},
            valid=lambda case: not _first_fits(case),
        ),
        Property("any-shape", "Any number of images, channels, rows and columns"),
    ),
    misconceptions=(
        Misconception(
            "wrong-level",
            "You take the wrong level and enlarge it to fit. It has been pooled once more, so its outlines "
            "are gone.",
            _wrong_level,
            "Compare shapes: the level you want has the rows and columns of large already.",
        ),
        Misconception(
            "always-one",
            "You always take `one`. Sometimes `other` is the level that fits.",
            _always_one,
            "Look at one.shape[2:] and large.shape[2:].",
        ),
        Misconception(
            "relu-on-scores",
            "You put a ReLU on the sums: whatever is below 0 becomes 0. If these are scores, all below 0 "
            "tie.",
            lambda large, one, other, weight: skip_step(large, one, other, weight).clamp_min(0),
            "Return the sums as they are. A ReLU may follow between two steps, but never on scores.",
        ),
        Misconception(
            "softmax-on-scores",
            "You turn the sums into shares. That is the loss's work, and it would be done twice.",
            lambda large, one, other, weight: skip_step(large, one, other, weight).softmax(1),
            "Return the sums as they are.",
        ),
        Misconception(
            "skip-first",
            "Your two halves are in the wrong order: the channels of large come first.",
            _skip_first,
            "torch.cat([large, level], dim=1).",
        ),
        Misconception(
            "added",
            "You add the two. Then there are only C channels, and weight has numbers for 2 * C.",
            _added,
            "Lay them beside each other: torch.cat along dim=1, the channels.",
        ),
        Misconception(
            "added-and-cut",
            "You add the two and use half of weight. So both always count the same.",
            _added_and_cut,
            "Lay them beside each other: torch.cat along dim=1, the channels.",
        ),
        Misconception(
            "no-skip",
            "What the way down left is missing from your sums.",
            _without_skip,
            "torch.cat([large, level], dim=1) has 2 * C channels.",
        ),
        Misconception(
            "skip-only",
            "What came up is missing from your sums.",
            _skip_only,
            "torch.cat([large, level], dim=1) has 2 * C channels.",
        ),
    ),
    hints=(
        "Two steps: choose the level, then put it beside large. one.shape[2:] is its rows and columns.",
        "level = one if one.shape[2:] == large.shape[2:] else other. torch.cat([a, b], dim=1) lays channels "
        "beside "
        "each other.",
        "torch.nn.functional.conv2d(both, weight) takes each channel times its number and adds, at every "
        "cell.",
    ),
    example={
        "large": torch.tensor([[[[1.0, 1.0], [2.0, 2.0]]]]),
        "one": torch.tensor([[[[7.0]]]]),
        "other": torch.tensor([[[[0.0, 5.0], [0.0, 5.0]]]]),
        "weight": torch.tensor([[[[10.0]], [[-1.0]]]]),
    },
)


# --- practice-batch --------------------------------------------------------------------------------


def practice_batch(images, masks, coins, kept):
    count = len(images) - kept
    images, masks = images[:count].clone(), masks[:count].clone()
    for i in range(count):
        if coins[i] == 1:
            images[i] = images[i].flip(-1)
            masks[i] = masks[i].flip(-1)
    return images, masks


def _image_only(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    return practice_batch(images, masks, coins, kept)[0], masks[: len(masks) - kept]


def _mask_only(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    return images[: len(images) - kept], practice_batch(images, masks, coins, kept)[1]


def _kept_only(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    count = len(images) - kept
    return practice_batch(images[count:], masks[count:], coins[count:], 0)


def _minus_zero(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    return practice_batch(images[:-kept], masks[:-kept], coins[:-kept], 0)


def _upside_down(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    turned = practice_batch(images.transpose(2, 3), masks.transpose(1, 2), coins, kept)
    return turned[0].transpose(2, 3), turned[1].transpose(1, 2)


def _mask_upside_down(images: Grid, masks: Grid, coins: Grid, kept: int) -> tuple[Grid, Grid]:
    return practice_batch(images, masks, coins, kept)[0], _upside_down(images, masks, coins, kept)[1]


PRACTICE_BATCH = Exercise(
    id="practice-batch",
    lesson=LESSON,
    title="What a net may learn from: pictures and masks, mirrored together",
    function="practice_batch",
    points=3,
    minutes=6,
    difficulty=1,
    starter='''def practice_batch(images, masks, coins, kept):
    """The pictures to learn from, with their masks; some of them mirrored left to right.

    images: (N, channels, H, W). masks: (N, H, W). The last `kept` pictures are for testing: leave them out.
    `kept` may be 0: then all are used.
    coins: N numbers; picture i is mirrored where coins[i] is 1, and stays as it is where it is 0.
    Return both, without those kept for testing. Change no picture and no mask that came in: .clone() them.
    """
    ...
''',
    reference=practice_batch,
    parameters=(
        Tensor("images", "N C H W"),
        Tensor("masks", "N H W", dtype="int64", low=0, high=9),
        Tensor("coins", "N", dtype="int64", low=0, high=1),
        Number("kept", 0, 2),
    ),
    sizes={"N": (1, 3), "C": (1, 2), "H": (1, 2), "W": (1, 3)},
    valid=lambda case: case["kept"] < len(case["images"]),
    properties=(
        Property(
            "pair",
            "Where the coin is 1, the picture and its mask are mirrored; where it is 0, neither is",
            weight=2,
            sizes={"N": (2, 3), "C": (1, 1), "H": (1, 2), "W": (2, 3)},
            fixed={"kept": 0},
        ),
        Property(
            "kept-back",
            "Pictures that are kept for testing are not learned from",
            sizes={"N": (2, 3), "C": (1, 1), "H": (1, 1), "W": (2, 3), "kept": (1, 2)},
        ),
        Property("any-shape", "Any number of pictures, channels, rows and columns"),
    ),
    misconceptions=(
        Misconception(
            "mask-stays",
            "You mirror the picture but not its mask, so the net learns from wrong answers.",
            _image_only,
            "Whatever moves a picture has to move its mask: masks[i] = masks[i].flip(-1).",
        ),
        Misconception(
            "image-stays",
            "You mirror the mask but not its picture, so the net learns from wrong answers.",
            _mask_only,
            "images[i] = images[i].flip(-1).",
        ),
        Misconception(
            "mask-upside-down",
            "You mirror the picture left to right, and its mask upside down.",
            _mask_upside_down,
            "Columns are the last axis of both: .flip(-1).",
        ),
        Misconception(
            "upside-down",
            "You mirror upside down. A photograph taken in a mirror looks right, one on its head does not.",
            _upside_down,
            "Columns are the last axis: .flip(-1).",
        ),
        Misconception(
            "learns-from-test",
            "You also learn from the pictures that are kept for testing. Then the score says nothing about "
            "new ones.",
            lambda images, masks, coins, kept: practice_batch(images, masks, coins, 0),
            "The last `kept` are left out: images[:len(images) - kept].",
        ),
        Misconception(
            "test-only",
            "You learn from just those pictures that are kept for testing.",
            _kept_only,
            "The last `kept` are left out: images[:len(images) - kept].",
        ),
        Misconception(
            "first-left-out",
            "You leave out the first `kept` pictures instead of the last.",
            lambda images, masks, coins, kept: practice_batch(images[kept:], masks[kept:], coins[kept:], 0),
            "images[:len(images) - kept].",
        ),
        Misconception(
            "minus-zero",
            "images[:-kept] is empty where kept is 0, since -0 is 0.",
            _minus_zero,
            "images[:len(images) - kept] works for 0 too.",
        ),
        Misconception(
            "always",
            "You mirror every picture, whatever its coin says.",
            lambda images, masks, coins, kept: practice_batch(images, masks, torch.ones_like(coins), kept),
            "if coins[i] == 1:",
        ),
        Misconception(
            "one-coin",
            "You look at the first coin only, and treat all pictures alike.",
            lambda images, masks, coins, kept: practice_batch(
                images, masks, coins[:1].expand_as(coins), kept
            ),
            "Each picture has a coin of its own: a loop over i, and coins[i].",
        ),
        Misconception(
            "coin-turned",
            "You mirror where the coin is 0.",
            lambda images, masks, coins, kept: practice_batch(images, masks, 1 - coins, kept),
            "if coins[i] == 1:",
        ),
    ),
    hints=(
        "First make both shorter, then clone, then go through what is left: for i in range(len(images)).",
        "picture.flip(-1) is the picture with its last axis, the columns, in reverse. What else has to turn "
        "with it?",
        "if coins[i] == 1: images[i] = images[i].flip(-1), and the same for masks[i]. Return images, masks.",
    ),
    example={
        "images": torch.tensor([[[[1.0, 2.0, 3.0]]], [[[4.0, 5.0, 6.0]]], [[[7.0, 8.0, 9.0]]]]),
        "masks": torch.tensor([[[0, 1, 1]], [[2, 0, 0]], [[0, 0, 3]]]),
        "coins": torch.tensor([1, 0, 1]),
        "kept": 1,
    },
)


# --- scores-in-use ---------------------------------------------------------------------------------


def scores_in_use(features, mean, var, weight):
    even = (features - mean[:, None, None]) / var[:, None, None].sqrt()
    return torch.nn.functional.conv2d(even, weight)


def _batch_statistics(features: Grid, mean: Grid, var: Grid, weight: Grid) -> Grid:
    even = functional.batch_norm(features, None, None, training=True)
    return functional.conv2d(even, weight)


def _batch_spread(features: Grid, mean: Grid, var: Grid, weight: Grid) -> Grid:
    axes = (0, 2, 3)
    return scores_in_use(features, features.mean(axes), features.var(axes), weight)


def _image_statistics(features: Grid, mean: Grid, var: Grid, weight: Grid) -> Grid:
    own = features.mean((2, 3), keepdim=True)
    spread = ((features - own) ** 2).mean((2, 3), keepdim=True)
    return functional.conv2d((features - own) / (spread + 1e-5).sqrt(), weight)


def _not_rooted(features: Grid, mean: Grid, var: Grid, weight: Grid) -> Grid:
    return scores_in_use(features, mean, var**2, weight)


SCORES_IN_USE = Exercise(
    id="scores-in-use",
    lesson=LESSON,
    title="Scores of a picture that do not depend on its neighbours",
    function="scores_in_use",
    points=3,
    minutes=6,
    difficulty=2,
    starter='''def scores_in_use(features, mean, var, weight):
    """The scores of each picture, worked out with what was remembered from training.

    features: (N, C, H, W). mean, var: C numbers each, what training remembered of every channel.
    Of each channel take away its mean, and divide by the square root of its var. Then mix: weight is
    (K, C, 1, 1), one number for each class and channel.
    Return (N, K, H, W), just as it is.
    """
    ...
''',
    reference=scores_in_use,
    parameters=(
        Tensor("features", "N C H W"),
        Tensor("mean", "C", low=0, high=9),
        Tensor("var", "C", low=2, high=9),
        Tensor("weight", "K C 1 1", low=-4, high=4),
    ),
    sizes={"N": (1, 3), "C": (1, 2), "H": (1, 2), "W": (1, 3), "K": (1, 2)},
    valid=lambda case: case["features"].numel() > case["features"].shape[1],
    properties=(
        Property(
            "remembered",
            "Each channel is made even with what training remembered of it",
            sizes={"N": (1, 1), "C": (1, 2), "H": (1, 1), "W": (2, 3), "K": (1, 1)},
        ),
        Property(
            "alone",
            "A picture's scores are the same, whichever pictures are beside it",
            weight=2,
            sizes={"N": (2, 3), "C": (1, 1), "H": (1, 1), "W": (1, 2), "K": (1, 2)},
        ),
        Property("any-shape", "Any number of pictures, channels, classes, rows and columns"),
    ),
    misconceptions=(
        Misconception(
            "batch-statistics",
            "You use the mean and spread of this batch. So a picture's scores change with its neighbours, as "
            "in training mode.",
            _batch_statistics,
            "Use `mean` and `var` that came in: they were remembered from training.",
        ),
        Misconception(
            "batch-spread",
            "You use the mean and spread of this batch. So a picture's scores change with its neighbours, as "
            "in training mode.",
            _batch_spread,
            "Use `mean` and `var` that came in: they were remembered from training.",
        ),
        Misconception(
            "image-statistics",
            "You use each picture's own mean and spread. Training remembered others.",
            _image_statistics,
            "Use `mean` and `var` that came in.",
        ),
        Misconception(
            "not-rooted",
            "You divide by var itself, not by its square root.",
            _not_rooted,
            "var[:, None, None].sqrt()",
        ),
        Misconception(
            "not-even",
            "You mix the features as they came, so weight meets numbers of another size than in training.",
            lambda features, mean, var, weight: functional.conv2d(features, weight),
            "First (features - mean) / sqrt(var), channel by channel.",
        ),
        Misconception(
            "relu-on-scores",
            "You put a ReLU on the scores: whatever is below 0 becomes 0. Where all classes score below 0, "
            "they all tie.",
            lambda features, mean, var, weight: scores_in_use(features, mean, var, weight).clamp_min(0),
            "Return the scores as they are.",
        ),
        Misconception(
            "softmax-on-scores",
            "You turn the scores into shares. For the largest it makes no difference, but a loss wants "
            "scores.",
            lambda features, mean, var, weight: scores_in_use(features, mean, var, weight).softmax(1),
            "Return the scores as they are.",
        ),
    ),
    hints=(
        "Which numbers may you use for a channel? Not those of the pictures that happen to be here.",
        "mean[:, None, None] turns C numbers into C grids of one cell, which fit to the channels of "
        "features.",
        "even = (features - mean[:, None, None]) / var[:, None, None].sqrt(). Then "
        "torch.nn.functional.conv2d(even, weight).",
    ),
    example={
        "features": torch.tensor([[[[1.0, 3.0]]], [[[5.0, 9.0]]]]),
        "mean": torch.tensor([3.0]),
        "var": torch.tensor([4.0]),
        "weight": torch.tensor([[[[1.0]]], [[[-10.0]]]]),
    },
)


# --- labelled-loss ---------------------------------------------------------------------------------


def labelled_loss(scores, mask, unknown):
    labelled = mask != unknown
    if not labelled.any():
        return torch.tensor(0.0)
    logs = torch.log_softmax(scores[:, labelled], dim=0)
    classes = mask[labelled]
    return -logs[classes, torch.arange(len(classes))].mean()


def _with_label(scores: Grid, mask: Grid, unknown: int, label: int) -> Grid:
    return labelled_loss(scores, torch.where(mask == unknown, label, mask), -1)


def _divided_by_all(scores: Grid, mask: Grid, unknown: int) -> Grid:
    return labelled_loss(scores, mask, unknown) * (mask != unknown).float().mean()


def _summed(scores: Grid, mask: Grid, unknown: int) -> Grid:
    return labelled_loss(scores, mask, unknown) * (mask != unknown).sum()


def _share_wrong(scores: Grid, mask: Grid, unknown: int) -> Grid:
    labelled = mask != unknown
    return (scores.argmax(0) != mask)[labelled].float().mean() if labelled.any() else torch.tensor(0.0)


def _of_choices(scores: Grid, mask: Grid, unknown: int) -> Grid:
    chosen = functional.one_hot(scores.argmax(0), len(scores)).permute(2, 0, 1).float()
    return labelled_loss(chosen, mask, unknown)


def _share_for_log(scores: Grid, mask: Grid, unknown: int) -> Grid:
    labelled = mask != unknown
    if not labelled.any():
        return torch.tensor(0.0)
    classes = mask[labelled]
    return 1 - scores.softmax(0)[:, labelled][classes, torch.arange(len(classes))].mean()


def _mean_of_nothing(scores: Grid, mask: Grid, unknown: int) -> Grid:
    return labelled_loss(scores, mask, unknown) if (mask != unknown).any() else torch.tensor(float("nan"))


_FOUR_PIXELS = [[[2, 0], [1, -1]], [[0, 1], [1, 2]], [[-1, 0], [3, 0]]]

LABELLED_LOSS = Exercise(
    id="labelled-loss",
    lesson=LESSON,
    title="A loss that leaves out pixels that nobody labelled",
    function="labelled_loss",
    points=3,
    minutes=8,
    difficulty=2,
    starter='''def labelled_loss(scores, mask, unknown):
    """How bad the scores are: the mean over all pixels with a label of -log(share of the true class).

    scores: (K, H, W), one grid a class. The share of a class is its softmax over the K scores of a pixel.
    mask: (H, W), the true class of every pixel, or the number `unknown` where nobody knows it.
    Return one number; if not one pixel has a label, 0.
    """
    labelled = mask != unknown
    ...
''',
    reference=labelled_loss,
    parameters=(
        Tensor("scores", "3 H W", low=-3, high=3),
        Tensor("mask", "H W", dtype="int64", low=0, high=3),
        Number("unknown", 3, 3),
    ),
    sizes={"H": (1, 2), "W": (1, 3)},
    properties=(
        Property(
            "labelled",
            "Where every pixel has a label, each counts: -log of its true class's share, and the mean of "
            "these",
            cases=({"scores": _FOUR_PIXELS, "mask": [[0, 2], [1, 0]], "unknown": 255},),
            sizes={"H": (1, 2), "W": (2, 3)},
            valid=lambda case: not bool((case["mask"] == case["unknown"]).any()),
        ),
        Property(
            "border",
            "A pixel without a label does not count",
            weight=2,
            cases=(
                {"scores": _FOUR_PIXELS, "mask": [[0, 255], [1, 0]], "unknown": 255},
                {"scores": _FOUR_PIXELS, "mask": [[255, 1], [255, 2]], "unknown": 255},
            ),
            sizes={"H": (2, 2), "W": (2, 3)},
            valid=lambda case: bool((case["mask"] == case["unknown"]).any()),
        ),
        Property(
            "nothing",
            "Where no pixel has a label the loss is 0",
            cases=({"scores": [[[1, 2]], [[0, 0]], [[3, -1]]], "mask": [[255, 255]], "unknown": 255},),
            count=0,
        ),
    ),
    misconceptions=(
        Misconception(
            "border-as-ground",
            "Pixels without a label count as class 0. So the net learns that every outline is ground.",
            lambda scores, mask, unknown: _with_label(scores, mask, unknown, 0),
            "Leave them out: scores[:, labelled] and mask[labelled].",
        ),
        Misconception(
            "border-as-last",
            "Pixels without a label count as the last class.",
            lambda scores, mask, unknown: _with_label(scores, mask, unknown, len(scores) - 1),
            "Leave them out: scores[:, labelled] and mask[labelled].",
        ),
        Misconception(
            "divided-by-all",
            "Pixels without a label still count in the number that you divide by.",
            _divided_by_all,
            "Divide by the pixels that have a label: labelled.sum().",
        ),
        Misconception(
            "argmax-first",
            "You count wrong pixels: argmax has dropped the scores, so no small change makes the loss "
            "smaller, "
            "and nothing can be learned.",
            _share_wrong,
            "Work on the scores themselves, with log_softmax.",
        ),
        Misconception(
            "argmax-then-log",
            "You take argmax before the loss: only the winner is left of the scores, so nothing can be "
            "learned "
            "from how close the others were.",
            _of_choices,
            "Give log_softmax the scores themselves.",
        ),
        Misconception(
            "relu-on-scores",
            "You put a ReLU on the scores, so all that lie below 0 count the same.",
            lambda scores, mask, unknown: labelled_loss(scores.clamp_min(0), mask, unknown),
            "Give log_softmax the scores as they are.",
        ),
        Misconception(
            "softmax-twice",
            "You take the softmax twice, so even a sure and right answer has a large loss.",
            lambda scores, mask, unknown: labelled_loss(scores.softmax(0), mask, unknown),
            "log_softmax and cross_entropy want the scores themselves.",
        ),
        Misconception(
            "no-log",
            "You take 1 minus the share, without the logarithm.",
            _share_for_log,
            "-log(share): torch.log_softmax gives the logarithm of each share.",
        ),
        Misconception(
            "no-minus",
            "Your loss has the wrong sign, so training would make the answers worse.",
            lambda scores, mask, unknown: -labelled_loss(scores, mask, unknown),
            "The log of a share is below 0: put a minus before it.",
        ),
        Misconception(
            "sum",
            "You add up the pixels and do not divide.",
            _summed,
            "End with .mean().",
        ),
        Misconception(
            "mean-of-nothing",
            "Where no pixel has a label you take a mean of nothing, and that is NaN.",
            _mean_of_nothing,
            "if not labelled.any(): return torch.tensor(0.0)",
        ),
    ),
    hints=(
        "scores[:, labelled] has K rows and a column for each labelled pixel; mask[labelled] has their "
        "classes.",
        "torch.log_softmax(columns, dim=0) gives the log of every share. logs[classes, "
        "torch.arange(len(classes))] "
        "picks the true class of each column.",
        "Or in one call: torch.nn.functional.cross_entropy(columns.T, classes). In both ways, first "
        "`if not labelled.any(): return torch.tensor(0.0)`.",
    ),
    example={
        "scores": torch.tensor([[[0.0, 2.0, 5.0]], [[0.0, 0.0, -5.0]]]).repeat(1, 1, 1),
        "mask": torch.tensor([[1, 0, 255]]),
        "unknown": 255,
    },
)


EXERCISES = (SKIP_STEP, PRACTICE_BATCH, SCORES_IN_USE, LABELLED_LOSS)
