"""The capstone's marks: how much of the way from the best answer that never looks to a perfect one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from coursekit.boxes import box_from_mask, iou, normalize
from coursekit.data import Samples, load_pets, load_scenes
from coursekit.training.confusion import class_ious, confusion, mean_of_present
from coursekit.training.losses import IGNORE
from coursekit.training.tables import Table

CLASSES = ("background", "pet")
STEPS = {"mask": (0.08, 0.16, 0.24, 0.32, 0.40), "box": (0.05, 0.10, 0.15, 0.20, 0.25)}
"""A point each: shares of the way from the best constant answer to a perfect one.

Of a few hundred photographs a net learns outlines sooner than boxes, so the boxes' steps are shorter.
"""

MOST_PHOTOGRAPHS = 400
MOST_NUMBERS = 2_000_000  # in the weights, all of them counted
MOST_BYTES = 16 << 20
_SCENES = ("background", "object")
_CLOSE = 1e-3


@dataclass(frozen=True, eq=False)
class Task:
    """Images to answer, with what is true about them and what the best constant answer would get.

    Attributes
    ----------
    name : str
        "photographs" or "scenes".
    samples : Samples
        Of two classes of pixels, each with a box.
    constant_mask_iou, constant_box_iou : float
        The best that one and the same answer for every image can score on them.
    """

    name: str
    samples: Samples
    constant_mask_iou: float
    constant_box_iou: float


@dataclass(frozen=True, repr=False)
class Marks(Table):
    """What a net's masks and boxes earn. The baseline is the best answer that is the same for every image.

    Attributes
    ----------
    mask_iou, box_iou : float
        Mean IoU over the two classes of pixels; mean IoU over the boxes.
    constant_mask_iou, constant_box_iou : float
        Of the best constant answer.
    images : int
        How many were answered.
    """

    mask_iou: float
    box_iou: float
    constant_mask_iou: float
    constant_box_iou: float
    images: int

    @property
    def mask_points(self) -> int:
        """Thresholds that the masks reach."""
        return _reached("mask", self.mask_iou, self.constant_mask_iou)

    @property
    def box_points(self) -> int:
        """Thresholds that the boxes reach."""
        return _reached("box", self.box_iou, self.constant_box_iou)

    @property
    def points(self) -> int:
        """The sum of both."""
        return self.mask_points + self.box_points

    @property
    def worth(self) -> int:
        """What a perfect answer earns."""
        return sum(map(len, STEPS.values()))

    def next_step(self, kind: str) -> float:
        """The IoU at which "mask" or "box" earns the next point; NaN where all are earned."""
        constant: float = getattr(self, f"constant_{kind}_iou")
        points: int = getattr(self, f"{kind}_points")
        steps = STEPS[kind]
        return constant + steps[points] * (1 - constant) if points < len(steps) else math.nan

    @property
    def baseline(self) -> str:
        """What the baseline answers."""
        return "the best answer that is the same for every image"

    def rows(self) -> list[tuple[str, float, float | None]]:
        """``(name, score, baseline)`` of every figure."""
        return [
            ("mean IoU of the masks", self.mask_iou, self.constant_mask_iou),
            ("mean IoU of the boxes", self.box_iou, self.constant_box_iou),
        ]


def held_out() -> Task:
    """What a capstone is graded on: photographs of the test split, or scenes where there are none."""
    try:
        pets = load_pets(split="test")
    except FileNotFoundError:
        return task("scenes", _of_two_classes(load_scenes(200, seed=1, objects=1)))
    return task("photographs", pets[_spread(len(pets), MOST_PHOTOGRAPHS)])


def practice_and_own() -> tuple[str, Samples, Samples]:
    """The name of the data, samples to practise on, and others to score oneself with; none is held out."""
    try:
        pets = load_pets(split="trainval")
    except FileNotFoundError:
        scenes = _of_two_classes(load_scenes(1200, seed=0, objects=1))
        return "scenes", scenes[:1000], scenes[1000:]
    order = torch.randperm(len(pets), generator=torch.Generator().manual_seed(0))
    own = min(len(pets) // 5, MOST_PHOTOGRAPHS)
    return "photographs", pets[order[own:]], pets[order[:own]]


def task(name: str, samples: Samples) -> Task:
    """Samples as a task, with the best constant answers worked out."""
    return Task(name, samples, best_constant_mask(samples.masks), best_constant_box(shares_of(samples)))


def marks(masks: Tensor, boxes: Tensor, on: Task) -> Marks:
    """What masks ``(N, H, W)`` and boxes ``(N, 4)``, as shares of the sides, earn on a task of N images."""
    true = shares_of(on.samples)
    there = true.isfinite().all(1)
    fits = iou(boxes[there].double(), true[there].double()).nan_to_num(0.0)
    return Marks(
        mask_iou(masks, on.samples.masks),
        float(fits.mean()),
        on.constant_mask_iou,
        on.constant_box_iou,
        len(masks),
    )


def answer_problem(answer: Any, images: Tensor, said: Callable[[Any], str]) -> str:
    """Why a net's answer to images ``(n, 3, H, W)`` is not what was asked for; empty if it is.

    Parameters
    ----------
    answer : object
        Should be scores ``(n, 2, H, W)`` and boxes ``(n, 4)``, floats.
    images : Tensor
    said : callable
        Puts any part of the answer into words.
    """
    count, size = len(images), tuple(images.shape[2:])
    wanted = (count, len(CLASSES), *size), (count, 4)
    parts = list(answer) if isinstance(answer, tuple | list) and len(answer) == 2 else [answer]
    if [tuple(part.shape) if isinstance(part, Tensor) else None for part in parts] != list(wanted):
        got = " and ".join(map(said, parts))
        return f"Expected forward to give (scores {wanted[0]}, boxes {wanted[1]}); got {got}."
    if not all(part.is_floating_point() for part in parts):
        return "Expected scores and boxes as floats; got whole numbers. Try leaving the argmax out."
    if not all(bool(part.isfinite().all()) for part in parts):
        return "Expected numbers; the net gives NaN or infinity. Try training it anew with a smaller rate."
    return ""


def chance_problem(order: Tensor, scores: Tensor, boxes: Tensor) -> str:
    """Why answers do not depend on the image alone, where images of equal number in `order` are the same."""
    places: dict[int, int] = {}
    for at, image in enumerate(order.tolist()):
        before = places.setdefault(image, at)
        if not all(torch.allclose(each[at], each[before], _CLOSE, _CLOSE) for each in (scores, boxes)):
            return (
                "The same image got two different answers: they depend on more than the image, such as on "
                "chance, the order, or the images beside it. Try a forward without random numbers."
            )
    return ""


def constant_problem(masks: Tensor, boxes: Tensor) -> str:
    """Whether it is one and the same answer for all images, in words; empty if not."""
    if bool((masks == masks[:1]).all()) and torch.allclose(boxes, boxes[:1].expand_as(boxes), _CLOSE, _CLOSE):
        return "The net gives the same mask and the same box for every image: it does not look."
    return ""


def mask_iou(masks: Tensor, truth: Tensor) -> float:
    """Mean IoU over both classes, from one confusion matrix."""
    return mean_of_present(class_ious(confusion(masks, truth, len(CLASSES))))


def shares_of(samples: Samples) -> Tensor:
    """The boxes ``(N, 4)`` as shares of the images' sides."""
    return normalize(samples.boxes, samples.images.shape[2:])


def best_constant_mask(truth: Tensor) -> float:
    """The highest mean IoU of one mask for all images.

    A pixel belongs to the best mask if its share of foreground is above some bar: otherwise swapping it for
    one with a higher share would help. So it is enough to try the bars.
    """
    labelled = (truth != IGNORE).sum(0)
    share = ((truth == 1).sum(0) / labelled.clamp_min(1)).nan_to_num(0.0)
    bars = torch.linspace(0, 1, 101)
    return max(mask_iou((share > bar).to(torch.uint8).expand_as(truth), truth) for bar in bars)


def best_constant_box(true: Tensor) -> float:
    """The highest mean IoU of one box for all images, by small steps from the mean and the median box."""
    true = true[true.isfinite().all(1)].double()
    return max(_climbed(start, true) for start in (true.mean(0), true.median(0).values))


def _climbed(box: Tensor, true: Tensor) -> float:
    best, step = float(iou(box.expand_as(true), true).mean()), 0.1
    while step > 1e-3:
        moves = box + step * torch.cat([torch.eye(4), -torch.eye(4)]).double()
        scores = iou(moves[:, None], true[None]).mean(1)
        if float(scores.max()) > best:
            best, box = float(scores.max()), moves[int(scores.argmax())]
        else:
            step /= 2
    return best


def _reached(kind: str, score: float, constant: float) -> int:
    way = (score - constant) / (1 - constant) if constant < 1 else 0.0
    return sum(way >= step for step in STEPS[kind])


def _spread(count: int, most: int) -> Any:
    return torch.linspace(0, count - 1, min(count, most)).round().long()


def _of_two_classes(scenes: Samples) -> Samples:
    masks = torch.where(scenes.masks == IGNORE, scenes.masks, (scenes.masks != 0).to(torch.uint8))
    return Samples(
        scenes.images, masks, box_from_mask(masks == 1), scenes.labels, _SCENES, scenes.label_names
    )
