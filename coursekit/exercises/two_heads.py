"""Lesson 09: a head that finds a box, the loss of two heads, mirrored features, and one step of training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from coursekit.checking import Exercise, Misconception, Number, Pair, Property, Tensor

LESSON = "09-one-backbone-two-heads"

Grid = torch.Tensor
Box = torch.Tensor
Size = tuple[int, int]
Arguments = dict[str, Any]
Three = tuple[Grid, Grid, Grid]


# --- box-head --------------------------------------------------------------------------------------


def box_head(features, mixing):
    H, W = features.shape[2:]
    maps = torch.nn.functional.conv2d(features, mixing)
    shares = maps.flatten(2).softmax(2).reshape(maps.shape)
    across = (torch.arange(W) + 0.5) / W
    down = (torch.arange(H) + 0.5) / H
    x = (shares * across).sum((2, 3))
    y = (shares * down[:, None]).sum((2, 3))
    left, top, right, bottom = x[:, 0], y[:, 1], x[:, 2], y[:, 3]
    return torch.stack([left, top, right - left, bottom - top], dim=1)


def _maps(features: Grid, mixing: Grid) -> Grid:
    return functional.conv2d(features, mixing)


def _shares(features: Grid, mixing: Grid) -> Grid:
    maps = _maps(features, mixing)
    return maps.flatten(2).softmax(2).reshape(maps.shape)


def _sides(shares: Grid, offset: float = 0.5) -> Box:
    """Left, top, right, bottom of each picture, (N, 4): the mean place of each map's cells."""
    H, W = shares.shape[2:]
    x = (shares * ((torch.arange(W) + offset) / W)).sum((2, 3))
    y = (shares * ((torch.arange(H) + offset) / H)[:, None]).sum((2, 3))
    return torch.stack([x[:, 0], y[:, 1], x[:, 2], y[:, 3]], dim=1)


def _as_box(sides: Box) -> Box:
    return torch.cat([sides[:, :2], sides[:, 2:] - sides[:, :2]], dim=1)


def _averaged(features: Grid, mixing: Grid) -> Box:
    return box_head(features.mean((2, 3), keepdim=True).expand_as(features), mixing)


def _in_cells(features: Grid, mixing: Grid) -> Box:
    H, W = features.shape[2:]
    return box_head(features, mixing) * torch.tensor([W, H, W, H])


def _winner_only(features: Grid, mixing: Grid) -> Box:
    maps = _maps(features, mixing)
    chosen = functional.one_hot(maps.flatten(2).argmax(2), maps[0, 0].numel())
    return _as_box(_sides(chosen.reshape(maps.shape).float()))


def _maps_differ(case: Arguments) -> bool:
    """A map of cells that are all alike would hide most mistakes."""
    maps = _maps(case["features"], case["mixing"]).flatten(2)
    return bool((maps.amax(2) > maps.amin(2)).any())


SOFTMAX_PLACE = (
    "maps.flatten(2) lays the cells of each map end to end: .softmax(2) of that, and back with .reshape."
)

BOX_HEAD = Exercise(
    id="box-head",
    lesson=LESSON,
    title="A second head: four maps, one box",
    function="box_head",
    points=4,
    minutes=10,
    difficulty=3,
    starter='''def box_head(features, mixing):
    """One box for each picture, in shares of its width and height.

    features: (N, C, H, W). mixing: (4, C, 1, 1): mixes the channels to four maps, one for each side of
    the box, in the order left, top, right, bottom.
    In each map a softmax over all its cells makes shares that add up to 1. A side lies at the mean place
    of the cells, each counted by its share. For left and right a cell's place is how far across its middle
    is, from 0 to 1; for top and bottom, how far down.
    Return (N, 4): x, y, w, h; w is right - left and h is bottom - top, even where that is negative.
    """
    H, W = features.shape[2:]
    across = (torch.arange(W) + 0.5) / W  # the middle of each column
    down = (torch.arange(H) + 0.5) / H  # the middle of each row
    ...
''',
    reference=box_head,
    parameters=(Tensor("features", "N C H W", low=0, high=3), Tensor("mixing", "4 C 1 1", low=-1, high=1)),
    sizes={"N": (1, 2), "C": (1, 2), "H": (1, 3), "W": (1, 4)},
    valid=_maps_differ,
    properties=(
        Property(
            "across",
            "x and w: left and right lie where their maps are large",
            sizes={"N": (1, 1), "C": (1, 1), "H": (1, 1), "W": (2, 4)},
        ),
        Property(
            "down",
            "y and h: top and bottom lie where their maps are large",
            sizes={"N": (1, 1), "C": (1, 1), "H": (2, 3), "W": (1, 1)},
        ),
        Property(
            "grid",
            "Shares of a map add up to 1 over all its cells, rows and columns together",
            weight=2,
            sizes={"N": (1, 1), "C": (1, 2), "H": (2, 3), "W": (2, 3)},
        ),
        Property("any-shape", "Any number of pictures, channels, rows and columns"),
    ),
    misconceptions=(
        Misconception(
            "average-first",
            "You take the mean over all places before you look for the box. Then all cells are alike, and "
            "every box shrinks to the middle of its picture.",
            _averaged,
            "Mix the channels cell by cell: conv2d(features, mixing), without a mean before it.",
        ),
        Misconception(
            "two-corners",
            "You return right and bottom where width and height belong.",
            lambda features, mixing: _sides(_shares(features, mixing)),
            "w = right - left, h = bottom - top.",
        ),
        Misconception(
            "softmax-over-maps",
            "Your softmax goes over the four maps, so the shares within a map do not add up to 1.",
            lambda features, mixing: _as_box(_sides(_maps(features, mixing).softmax(1))),
            SOFTMAX_PLACE,
        ),
        Misconception(
            "softmax-along-columns",
            "Your softmax goes along each row by itself. All cells of a map share one 1.",
            lambda features, mixing: _as_box(_sides(_maps(features, mixing).softmax(3))),
            SOFTMAX_PLACE,
        ),
        Misconception(
            "softmax-along-rows",
            "Your softmax goes along each column by itself. All cells of a map share one 1.",
            lambda features, mixing: _as_box(_sides(_maps(features, mixing).softmax(2))),
            SOFTMAX_PLACE,
        ),
        Misconception(
            "no-softmax",
            "You weigh places by the maps themselves. Their numbers do not add up to 1, and may be below 0.",
            lambda features, mixing: _as_box(_sides(_maps(features, mixing))),
            SOFTMAX_PLACE,
        ),
        Misconception(
            "winner-only",
            "You take the place of the largest cell alone. A small change of the map leaves that as it "
            "is, so nothing can be learned.",
            _winner_only,
            "Take the mean place of all cells, each counted by its share.",
        ),
        Misconception(
            "in-cells",
            "Your box is in cells of the features, not in shares of the picture.",
            _in_cells,
            "`across` and `down` go from 0 to 1 already.",
        ),
        Misconception(
            "first-edge",
            "You take each cell's first edge as its place.",
            lambda features, mixing: _as_box(_sides(_shares(features, mixing), 0.0)),
            "A cell's middle lies half a cell further: `across` and `down` hold it.",
        ),
        Misconception(
            "other-order",
            "You read your maps as left, right, top, bottom.",
            lambda features, mixing: box_head(features, mixing[[0, 2, 1, 3]]),
            "The maps come as left, top, right, bottom: x uses maps 0 and 2, y uses maps 1 and 3.",
        ),
    ),
    hints=(
        "Three steps: maps, shares, mean places. The mean place across is the sum of share times place: "
        "(shares * across).sum((2, 3)), one number for each map.",
        "maps = torch.nn.functional.conv2d(features, mixing). "
        "shares = maps.flatten(2).softmax(2).reshape(maps.shape).",
        "x = (shares * across).sum((2, 3)) and y = (shares * down[:, None]).sum((2, 3)), both (N, 4). "
        "Left is x[:, 0], top y[:, 1], right x[:, 2], bottom y[:, 3]. "
        "Return torch.stack([left, top, right - left, bottom - top], dim=1).",
    ),
    example={
        "features": [[[[0, 20, 0, 0], [0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 0, 20]]]],
        "mixing": [[[[1]], [[0]]], [[[1]], [[0]]], [[[0]], [[1]]], [[[0]], [[1]]]],
    },
)


# --- joint-loss ------------------------------------------------------------------------------------


def joint_loss(scores, labels, answers, boxes, size, weight):
    H, W = size
    true = boxes / torch.tensor([W, H, W, H])
    wrong_class = torch.nn.functional.cross_entropy(scores, labels)
    wrong_box = ((answers - true) ** 2).sum(1).mean()
    return wrong_class + weight * wrong_box


def _parts(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size) -> tuple[Grid, Grid]:
    whole = joint_loss(scores, labels, answers, boxes, size, 1)
    wrong_class = functional.cross_entropy(scores, labels)
    return wrong_class, whole - wrong_class


def _summed(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    return joint_loss(scores, labels, answers, boxes, size, weight) * len(labels)


def _box_summed(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    wrong_class, wrong_box = _parts(scores, labels, answers, boxes, size)
    return wrong_class + weight * wrong_box * len(labels)


def _rooted(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    H, W = size
    distances = (answers - boxes / torch.tensor([W, H, W, H])).square().sum(1).sqrt()
    return functional.cross_entropy(scores, labels) + weight * distances.mean()


def _plain_distance(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    H, W = size
    differences = (answers - boxes / torch.tensor([W, H, W, H])).abs()
    return functional.cross_entropy(scores, labels) + weight * differences.sum(1).mean()


def _in_pixels(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    H, W = size
    return joint_loss(scores, labels, answers * torch.tensor([W, H, W, H]), boxes, (1, 1), weight)


def _class_weighed(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    wrong_class, wrong_box = _parts(scores, labels, answers, boxes, size)
    return weight * wrong_class + wrong_box


def _box_alone(scores: Grid, labels: Grid, answers: Box, boxes: Box, size: Size, weight: int) -> Grid:
    return weight * _parts(scores, labels, answers, boxes, size)[1]


def _one_picture(rows: int, columns: int, weight: int) -> Arguments:
    return {
        "scores": [[2, 0, -1]],
        "labels": [1],
        "answers": [[0.5, 0.25, 0.5, 0.5]],
        "boxes": [[2, 1, 4, 3]],
        "size": (rows, columns),
        "weight": weight,
    }


SHARES_ADVICE = "true = boxes / torch.tensor([W, H, W, H]), as in lesson 08."

JOINT_LOSS = Exercise(
    id="joint-loss",
    lesson=LESSON,
    title="One loss for two heads",
    function="joint_loss",
    points=3,
    minutes=7,
    difficulty=2,
    starter='''def joint_loss(scores, labels, answers, boxes, size, weight):
    """How wrong both heads are: the cross-entropy of the class, plus weight times how wrong the box is.

    scores: (N, K), the class head's. labels: (N,), the true classes.
    answers: (N, 4), the box head's x, y, w, h in shares of the picture's width and height.
    boxes: (N, 4), the true ones in pixels. size: (rows, columns) of the pictures.
    How wrong a box is: the squares of the four differences, in shares, added up. Then the mean over
    the pictures. Return one number.
    """
    H, W = size
    ...
''',
    reference=joint_loss,
    parameters=(
        Tensor("scores", "N 3", low=-3, high=3),
        Tensor("labels", "N", dtype="int64", low=0, high=2),
        Tensor("answers", "N 4", low=0, high=1),
        Tensor("boxes", "N 4", low=1, high=9),
        Pair("size", 4, 20),
        Number("weight", 0, 9),
    ),
    sizes={"N": (1, 3)},
    properties=(
        Property(
            "one",
            "One picture: cross-entropy of its class plus weight times its box's squared differences",
            cases=(_one_picture(4, 8, 1), _one_picture(4, 8, 5)),
            sizes={"N": (1, 1), "weight": (2, 9)},
        ),
        Property(
            "shares",
            "Boxes are compared in shares: x and w of the width, y and h of the height",
            weight=2,
            cases=(_one_picture(20, 10, 2), _one_picture(10, 20, 2)),
            sizes={"N": (1, 1), "weight": (2, 9)},
            valid=lambda case: case["size"][0] != case["size"][1],
        ),
        Property(
            "weight",
            "With weight 0 only the class counts",
            sizes={"N": (1, 2)},
            fixed={"weight": 0},
            count=4,
        ),
        Property("many", "Several pictures: the mean of theirs", sizes={"N": (2, 3), "weight": (2, 9)}),
    ),
    misconceptions=(
        Misconception(
            "in-pixels",
            "You compare boxes in pixels. Squared, the box's part becomes hundreds of times larger than the "
            "class's, and another size of picture would change everything.",
            _in_pixels,
            SHARES_ADVICE,
        ),
        Misconception(
            "mixed-units",
            "You compare shares with pixels: the true boxes were not divided by the picture's sides.",
            lambda scores, labels, answers, boxes, size, weight: joint_loss(
                scores, labels, answers, boxes, (1, 1), weight
            ),
            SHARES_ADVICE,
        ),
        Misconception(
            "sides-swapped",
            "You divide x and w by the height, y and h by the width.",
            lambda scores, labels, answers, boxes, size, weight: joint_loss(
                scores, labels, answers, boxes, size[::-1], weight
            ),
            SHARES_ADVICE,
        ),
        Misconception(
            "no-weight",
            "You add the two without the weight.",
            lambda scores, labels, answers, boxes, size, weight: joint_loss(
                scores, labels, answers, boxes, size, 1
            ),
            "Cross-entropy plus weight * the box's part.",
        ),
        Misconception(
            "class-weighed",
            "Your weight stands at the class's part.",
            _class_weighed,
            "Cross-entropy plus weight * the box's part.",
        ),
        Misconception(
            "box-alone",
            "How wrong the class is does not count: that head would learn nothing.",
            _box_alone,
            "Add torch.nn.functional.cross_entropy(scores, labels).",
        ),
        Misconception(
            "softmax-twice",
            "You take the softmax before the cross-entropy, which has it inside.",
            lambda scores, labels, answers, boxes, size, weight: joint_loss(
                scores.softmax(1), labels, answers, boxes, size, weight
            ),
            "Give cross_entropy the scores as they are.",
        ),
        Misconception(
            "mean-of-four",
            "You take the mean of the four squares, so a box counts a quarter of what it should.",
            lambda scores, labels, answers, boxes, size, weight: joint_loss(
                scores, labels, answers, boxes, size, weight / 4
            ),
            "First .sum(1), the four of each box added up; then .mean() over the pictures.",
        ),
        Misconception(
            "box-summed",
            "The boxes of all pictures are added up, so two pictures count twice as much as one.",
            _box_summed,
            "First .sum(1), the four of each box added up; then .mean() over the pictures.",
        ),
        Misconception(
            "summed",
            "You add up the pictures. The loss should be their mean.",
            _summed,
            "cross_entropy takes the mean already; end the box's part with .mean().",
        ),
        Misconception(
            "rooted",
            "You take the root of the squares' sum.",
            _rooted,
            "((answers - true) ** 2).sum(1), without a root.",
        ),
        Misconception(
            "not-squared",
            "You add up the differences without squaring them.",
            _plain_distance,
            "((answers - true) ** 2).sum(1)",
        ),
    ),
    hints=(
        "Two parts, then their sum. The class's part is torch.nn.functional.cross_entropy(scores, labels).",
        "Answers are in shares, true boxes in pixels: divide those first, as in lesson 08. "
        "true = boxes / torch.tensor([W, H, W, H]).",
        "wrong_box = ((answers - true) ** 2).sum(1).mean(). Return the class's part + weight * wrong_box.",
    ),
    example=_one_picture(4, 8, 2),
    shows=("scores", "labels", "answers", "boxes", "size", "weight"),
)


# --- mirrored-rounds -------------------------------------------------------------------------------


def mirrored_rounds(plain, mirrored, boxes, width, coins):
    features, answers = [], []
    for r in range(len(coins)):
        for i in range(len(boxes)):
            x, y, w, h = boxes[i]
            if coins[r, i] == 1:
                features.append(mirrored[i])
                answers.append(torch.stack([width - x - w, y, w, h]))
            else:
                features.append(plain[i])
                answers.append(boxes[i])
    return torch.stack(features), torch.stack(answers)


def _rounds(features: Grid, mirrored: Grid, boxes: Box, other: Box, coins: Grid) -> tuple[Grid, Grid]:
    """What each coin chooses, round after round."""
    flat, many = coins.flatten() == 1, coins.shape[0]
    first, second = features.repeat(many, 1, 1), mirrored.repeat(many, 1, 1)
    chosen = torch.where(flat[:, None, None], second, first)
    return chosen, torch.where(flat[:, None], other.repeat(many, 1), boxes.repeat(many, 1))


def _turned_boxes(boxes: Box, width: int) -> Box:
    return torch.stack([width - boxes[:, 0] - boxes[:, 2], *boxes[:, 1:].unbind(1)], dim=1)


def _box_stays(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    return _rounds(plain, mirrored, boxes, boxes, coins)


def _features_stay(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    return _rounds(plain, plain, boxes, _turned_boxes(boxes, width), coins)


def _first_round(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    return mirrored_rounds(plain, mirrored, boxes, width, coins[:1].expand_as(coins))


def _stale_features(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    old, _ = _first_round(plain, mirrored, boxes, width, coins)
    return old, mirrored_rounds(plain, mirrored, boxes, width, coins)[1]


def _width_forgotten(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    other = torch.stack([width - boxes[:, 0], *boxes[:, 1:].unbind(1)], dim=1)
    return _rounds(plain, mirrored, boxes, other, coins)


def _as_middle(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    other = torch.stack([width - boxes[:, 0] - boxes[:, 2] / 2, *boxes[:, 1:].unbind(1)], dim=1)
    return _rounds(plain, mirrored, boxes, other, coins)


def _upside_down(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    x, y, w, h = boxes.unbind(1)
    return _rounds(plain, mirrored, boxes, torch.stack([x, width - y - h, w, h], dim=1), coins)


def _one_short(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    other = _turned_boxes(boxes, width) - torch.tensor([1, 0, 0, 0])
    return _rounds(plain, mirrored, boxes, other, coins)


def _features_flipped(plain: Grid, mirrored: Grid, boxes: Box, width: int, coins: Grid) -> tuple[Grid, Grid]:
    return _rounds(plain, plain.flip(-1), boxes, _turned_boxes(boxes, width), coins)


def _both_coins(case: Arguments) -> bool:
    return len(case["coins"].unique()) == 2


def _rounds_differ(case: Arguments) -> bool:
    return bool((case["coins"] != case["coins"][:1]).any())


BY_COIN = "In every round ask coins[round, i], for the features and for the box alike."

MIRRORED_ROUNDS = Exercise(
    id="mirrored-rounds",
    lesson=LESSON,
    title="Mirrored pictures for a frozen network",
    function="mirrored_rounds",
    points=4,
    minutes=8,
    difficulty=2,
    starter='''def mirrored_rounds(plain, mirrored, boxes, width, coins):
    """What a head sees in each round of training: features, and the boxes that belong to them.

    plain: (N, H, W), one channel of the frozen features of each picture. mirrored: (N, H, W), the same
    channel of its mirror image's features.
    boxes: (N, 4), x, y, w, h of the pictures as they are, in pixels; a picture is `width` pixels wide.
    coins: (rounds, N). In round r picture i is seen mirrored where coins[r, i] is 1, else as it is.
    Return features (rounds * N, H, W) and boxes (rounds * N, 4), round after round.
    """
    features, answers = [], []
    for r in range(len(coins)):
        for i in range(len(boxes)):
            x, y, w, h = boxes[i]
            ...
    return torch.stack(features), torch.stack(answers)
''',
    reference=mirrored_rounds,
    parameters=(
        Tensor("plain", "N H W"),
        Tensor("mirrored", "N H W"),
        Tensor("boxes", "N 4", low=1, high=6),
        Number("width", 13, 20),
        Tensor("coins", "R N", dtype="int64", low=0, high=1),
    ),
    sizes={"N": (1, 3), "H": (1, 2), "W": (1, 3), "R": (1, 3)},
    properties=(
        Property(
            "pair",
            "Where the coin is 1, features and box are those of the mirror image; where it is 0, neither is",
            weight=2,
            sizes={"N": (2, 2), "H": (1, 1), "W": (2, 3)},
            fixed={"R": 1},
            valid=_both_coins,
        ),
        Property(
            "rounds",
            "Every round has coins of its own",
            weight=2,
            sizes={"N": (1, 2), "H": (1, 1), "W": (2, 2), "R": (2, 3)},
            valid=_rounds_differ,
        ),
        Property("any-shape", "Any number of rounds, pictures, rows and columns"),
    ),
    misconceptions=(
        Misconception(
            "box-stays",
            "You mirror the picture but not its box, so the head learns from wrong answers.",
            _box_stays,
            "Whatever moves a picture moves its box: x becomes width - x - w.",
        ),
        Misconception(
            "features-stay",
            "You turn the box, but the features are always those of the picture as it is. They were kept "
            "before the picture was mirrored.",
            _features_stay,
            "Where the coin is 1, take mirrored[i].",
        ),
        Misconception(
            "cached",
            "You use the first round's coins in every round: the mirroring was kept with the features, and "
            "is never drawn anew.",
            _first_round,
            BY_COIN,
        ),
        Misconception(
            "stale-features",
            "You keep the first round's features and go on turning boxes: the two no longer belong together.",
            _stale_features,
            BY_COIN,
        ),
        Misconception(
            "width-forgotten",
            "You place the new box's left side where the old left side is mirrored to. That is its right "
            "side.",
            _width_forgotten,
            "The mirrored box begins where the old one ended: width - (x + w).",
        ),
        Misconception(
            "middle",
            "You mirror x as if it were the middle of the box.",
            _as_middle,
            "x is the left side; the mirrored box begins at width - (x + w).",
        ),
        Misconception(
            "upside-down",
            "You turn the box upside down. Mirroring left to right changes x.",
            _upside_down,
            "x becomes width - x - w; y stays.",
        ),
        Misconception(
            "one-short",
            "Your mirrored boxes are one pixel too far left.",
            _one_short,
            "width - x - w, without - 1: x is a place, not the number of a column.",
        ),
        Misconception(
            "features-flipped",
            "You flip the features of the picture. A kernel is not its own mirror image, so these are not "
            "the features of the mirrored picture.",
            _features_flipped,
            "mirrored[i] was computed from the mirrored picture.",
        ),
        Misconception(
            "coin-turned",
            "You mirror where the coin is 0.",
            lambda plain, mirrored, boxes, width, coins: mirrored_rounds(
                plain, mirrored, boxes, width, 1 - coins
            ),
            "if coins[r, i] == 1:",
        ),
        Misconception(
            "always",
            "You mirror every picture, whatever its coin says.",
            lambda plain, mirrored, boxes, width, coins: mirrored_rounds(
                plain, mirrored, boxes, width, torch.ones_like(coins)
            ),
            "if coins[r, i] == 1:",
        ),
    ),
    hints=(
        "features.append(plain[i]) puts the features of picture i into the list. When is it mirrored[i]?",
        "if coins[r, i] == 1: the box begins at width - x - w, where it ended before; y, w and h stay.",
        "features.append(mirrored[i]); answers.append(torch.stack([width - x - w, y, w, h])). "
        "else: features.append(plain[i]); answers.append(boxes[i]).",
    ),
    example={
        "plain": [[[1, 2, 3]], [[4, 5, 6]]],
        "mirrored": [[[7, 8, 9]], [[0, 5, 1]]],
        "boxes": [[1, 2, 3, 4], [5, 1, 4, 5]],
        "width": 16,
        "coins": [[1, 0], [0, 1]],
    },
)


# --- joint-step ------------------------------------------------------------------------------------


def joint_step(x, backbone, mean, class_head, box_head, labels, boxes, frozen):
    before = (backbone, class_head, box_head)
    backbone, class_head, box_head = (each.clone().requires_grad_() for each in before)
    features = x @ backbone
    features = features - (mean if frozen else features.mean(0))
    wrong_class = torch.nn.functional.cross_entropy(features @ class_head, labels)
    wrong_box = ((features @ box_head - boxes) ** 2).sum(1).mean()
    learning = [class_head, box_head] if frozen else [backbone, class_head, box_head]
    slopes = torch.autograd.grad(wrong_class + wrong_box, learning)
    after = [learning[i] - 0.1 * slopes[i] for i in range(len(learning))]
    return (backbone, *after) if frozen else tuple(after)


def _step(
    case: Sequence[Any],
    *,
    remembered: bool | None = None,
    box_sees: bool = True,
    class_sees: bool = True,
    rate: float = 0.1,
    box_times: int = 1,
) -> Three:
    """A step with its choices laid open."""
    x, backbone, mean, class_head, box_head, labels, boxes, frozen = case
    backbone, class_head, box_head = (
        each.clone().requires_grad_() for each in (backbone, class_head, box_head)
    )
    features = x @ backbone
    features = features - (mean if (frozen if remembered is None else remembered) else features.mean(0))
    for_class, for_box = (features if sees else features.detach() for sees in (class_sees, box_sees))
    wrong_class = functional.cross_entropy(for_class @ class_head, labels)
    loss = wrong_class + box_times * ((for_box @ box_head - boxes) ** 2).sum(1).mean()
    weights = [backbone, class_head, box_head]
    slopes = torch.autograd.grad(loss, weights, allow_unused=True)
    one, two, three = (
        each if slope is None else each - rate * slope for each, slope in zip(weights, slopes, strict=True)
    )
    return (backbone if frozen else one), two, three


def _class_head_absent(*case: Any) -> Three:
    after = joint_step(*case)
    return after[0], case[3], after[2]


def _frozen_moves(*case: Any) -> Three:
    return _step((*case[:7], 0), remembered=bool(case[7]))


JOINT_STEP = Exercise(
    id="joint-step",
    lesson=LESSON,
    title="One step of training: who moves?",
    function="joint_step",
    points=4,
    minutes=10,
    difficulty=3,
    starter='''def joint_step(x, backbone, mean, class_head, box_head, labels, boxes, frozen):
    """One step of training a tiny network of two heads, by hand.

    x: (N, D), a row of numbers for each of N pictures. Features: x @ backbone, (N, C), less a mean for
    each of the C: `mean`, remembered from earlier training, if frozen; else that of these N pictures.
    Scores: features @ class_head. Answers: features @ box_head; `boxes` are the true ones.
    Loss: cross-entropy of scores and labels, plus the mean over pictures of the sum of (answers - boxes)**2.
    Each that learns becomes itself - 0.1 * its gradient. If frozen, the backbone does not learn.
    Return backbone, class_head, box_head after the step.
    """
    before = (backbone, class_head, box_head)
    backbone, class_head, box_head = (each.clone().requires_grad_() for each in before)
    features = x @ backbone
    ...
''',
    reference=joint_step,
    parameters=(
        Tensor("x", "N D", low=0, high=3),
        Tensor("backbone", "D C", low=-1, high=2),
        Tensor("mean", "C", low=4, high=6),
        Tensor("class_head", "C 2", low=-1, high=1),
        Tensor("box_head", "C 4", low=-1, high=1),
        Tensor("labels", "N", dtype="int64", low=0, high=1),
        Tensor("boxes", "N 4", low=0, high=1),
        Number("frozen", 0, 1),
    ),
    sizes={"N": (2, 3), "D": (1, 2), "C": (1, 2)},
    properties=(
        Property("heads", "Both heads take a step downhill", fixed={"frozen": 1}, sizes={"N": (2, 2)}),
        Property(
            "frozen",
            "Frozen: the backbone stays, and its remembered mean is used",
            fixed={"frozen": 1},
            sizes={"N": (2, 3), "C": (2, 2)},
        ),
        Property(
            "joint",
            "Not frozen: both losses move the backbone",
            weight=2,
            fixed={"frozen": 0},
            sizes={"N": (2, 3), "D": (1, 2)},
        ),
    ),
    misconceptions=(
        Misconception(
            "train-mode",
            "Frozen, you still take away the mean of these N pictures, as in training mode. So a picture's "
            "features change with its neighbours: that is not frozen.",
            lambda *case: _step(case, remembered=False),
            "features - mean, if frozen.",
        ),
        Misconception(
            "always-remembered",
            "You use the remembered mean even when the backbone learns, and its features have moved on.",
            lambda *case: _step(case, remembered=True),
            "features - features.mean(0), if not frozen.",
        ),
        Misconception(
            "box-head-absent",
            "The new head does not learn: it is not among those that take a step.",
            lambda *case: (*joint_step(*case)[:2], case[4]),
            "Ask for its gradient too: torch.autograd.grad(loss, [class_head, box_head]).",
        ),
        Misconception(
            "class-head-absent",
            "The class head does not learn: it is not among those that take a step.",
            _class_head_absent,
            "Ask for its gradient too: torch.autograd.grad(loss, [class_head, box_head]).",
        ),
        Misconception(
            "frozen-moves",
            "Your backbone moves though it is frozen.",
            _frozen_moves,
            "If frozen, return the backbone as it came.",
        ),
        Misconception(
            "box-detached",
            "Your box head gets the features cut off from the backbone, as by .detach(). So only the class's "
            "loss moves the backbone.",
            lambda *case: _step(case, box_sees=False),
            "Give both heads the same features: features @ class_head and features @ box_head.",
        ),
        Misconception(
            "class-detached",
            "Your class head gets the features cut off from the backbone, as by .detach(). So only the box's "
            "loss moves the backbone.",
            lambda *case: _step(case, class_sees=False),
            "Give both heads the same features: features @ class_head and features @ box_head.",
        ),
        Misconception(
            "backbone-stays",
            "Not frozen, and yet your backbone stays: its features were cut off, as by .detach(), or it is "
            "not among those that take a step.",
            lambda *case: _step(case, box_sees=False, class_sees=False),
            "If not frozen: torch.autograd.grad(loss, [backbone, class_head, box_head]).",
        ),
        Misconception(
            "uphill",
            "You add the gradient. It points uphill: the loss grows.",
            lambda *case: _step(case, rate=-0.1),
            "Take away 0.1 times the gradient.",
        ),
        Misconception(
            "whole-gradient",
            "You take away the whole gradient. A step of training is small: 0.1 times it.",
            lambda *case: _step(case, rate=1.0),
            "each - 0.1 * slope",
        ),
        Misconception(
            "box-summed",
            "You add up the boxes' losses over the pictures. It should be their mean.",
            lambda *case: _step(case, box_times=len(case[0])),
            "((features @ box_head - boxes) ** 2).sum(1).mean()",
        ),
    ),
    hints=(
        "features = features - mean, if frozen; else features - features.mean(0). Then the loss, as in "
        "joint_loss: torch.nn.functional.cross_entropy(features @ class_head, labels) + "
        "((features @ box_head - boxes) ** 2).sum(1).mean().",
        "torch.autograd.grad(loss, [class_head, box_head]) gives two gradients, in that order. Who is in "
        "that list if the backbone learns too?",
        "a, b = torch.autograd.grad(loss, [class_head, box_head]); "
        "return backbone, class_head - 0.1 * a, box_head - 0.1 * b. Not frozen: three in the list, and "
        "backbone - 0.1 times its own.",
    ),
    example={
        "x": [[1, 0], [0, 1]],
        "backbone": [[1], [3]],
        "mean": [2],
        "class_head": [[1, 0]],
        "box_head": [[0, 0, 1, 1]],
        "labels": [0, 1],
        "boxes": [[0, 0, 1, 1], [0, 0, 1, 1]],
        "frozen": 1,
    },
)


EXERCISES = (BOX_HEAD, JOINT_LOSS, MIRRORED_ROUNDS, JOINT_STEP)
