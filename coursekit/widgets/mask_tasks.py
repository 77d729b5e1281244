"""The tasks of `MaskLab`: masks on which the scores disagree, and which of them a picture allows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import torch
from torch import Tensor, nn

from coursekit.data.wording import described, sentence
from coursekit.training.scoring import Scores, evaluate
from coursekit.widgets.mask_inputs import IGNORE, Pictured
from coursekit.widgets.mask_starts import complete, grown, moved, shrunk, starts_of

Task = dict[str, Any]
SCORES = {
    "pixel_accuracy": "pixel accuracy",
    "miou": "mean IoU",
    "boundary_f1": "boundary F1",
    "boundary_iou": "boundary IoU",
}
BY_HAND = "by hand"
MOST_TASKS = 12
# What is asked for, and what one may see once it is there.
BUILT_IN = {
    "pixel_accuracy > 0.95, miou < 0.6": "Pixel accuracy asks about all pixels alike, mean IoU about all "
    "classes alike: a class of few pixels weighs little in the one and as much as any other in the other.",
    "miou > 0.8, boundary_f1 < 0.6": "A rim of a few pixels is a small share of an area and nearly all of "
    "an edge.",
    "boundary_f1 > 0.95, miou < 0.5": "Boundary F1 asks where edges run, not which classes lie beside them.",
    "by hand, miou > 0.9, boundary_f1 > 0.8": "Painted with no help: so that is what a good mask costs.",
}
_CONDITION = re.compile(r"\s*(\w+)\s*([<>])\s*(\d*\.?\d+)\s*")


def tasks_for(wanted: Any, given: Pictured) -> list[Task]:
    """The tasks for one picture.

    Parameters
    ----------
    wanted : bool or rows of text
        True for the built-in ones that can be done on this picture, or conditions such as
        ``"miou > 0.8, boundary_f1 < 0.6"``, which are taken as they are.
    given : Pictured
    """
    if wanted is False or wanted is None:
        return []
    if wanted is True:
        return _possible([_task(rule, why) for rule, why in BUILT_IN.items()], given)
    if isinstance(wanted, str) or not isinstance(wanted, Sequence) or len(wanted) > MOST_TASKS:
        expected = f"tasks=True, False, or a list of at most {MOST_TASKS} conditions"
        raise TypeError(sentence(expected, described(wanted), "tasks=['miou > 0.8, boundary_f1 < 0.6']"))
    return [_task(rule, BUILT_IN.get(rule, "")) for rule in dict.fromkeys(wanted)]


def _task(rule: Any, why: str) -> Task:
    parts = [part.strip() for part in rule.split(",")] if isinstance(rule, str) else [""]
    matches = [_CONDITION.fullmatch(part) for part in parts if part != BY_HAND]
    bounds = [
        (match[1], match[2], float(match[3])) for match in matches if match is not None and match[1] in SCORES
    ]
    if not bounds or len(bounds) != len(matches):
        expected = f"a task made of {', '.join(SCORES)}, each above (>) or below (<) a number"
        raise ValueError(sentence(expected, described(rule), "'miou > 0.8, boundary_f1 < 0.6'"))
    by_hand = BY_HAND in parts
    named = [
        f"{SCORES[name]} {'above' if sign == '>' else 'below'} {bound:g}" for name, sign, bound in bounds
    ]
    begin = "Start from empty and paint" if by_hand else "Find"
    text = f"{begin} a mask with {' and '.join(named)}."
    rows = [list(bound) for bound in bounds]
    return {"name": rule, "text": text, "bounds": rows, "byHand": by_hand, "why": why}


def _met(task: Task, scores: Mapping[str, float]) -> bool:
    return all(
        scores[name] > bound if sign == ">" else scores[name] < bound for name, sign, bound in task["bounds"]
    )


def _possible(tasks: list[Task], given: Pictured) -> list[Task]:
    """Those that one mask at least fulfils, of masks that a learner can come by."""
    open_ones = {task["name"] for task in tasks}
    for mask in _reachable(given):
        scores = scored(mask, given)
        found = {name: getattr(scores, name) for name in SCORES}
        open_ones -= {task["name"] for task in tasks if _met(task, found)}
        if not open_ones:
            break
    return [task for task in tasks if task["name"] not in open_ones]


def _reachable(given: Pictured) -> Iterator[Tensor]:
    truth, classes = complete(given.truth), len(given.classes)
    yield from starts_of(given).values()
    for pixels in (1, 2, 3):
        yield from (grown(truth, pixels), shrunk(truth, pixels), moved(truth, pixels, pixels))
    yield torch.where(truth == 0, 1, 0).to(torch.uint8)  # inside out
    yield torch.where(truth == 0, 0, truth % (classes - 1) + 1).to(torch.uint8)  # each as another class
    for gap in (6, 9):
        specks = truth.clone()
        specks[::gap, ::gap] = 1
        yield specks
    strays = truth.clone().flatten()  # one pixel of every class, absent ones too, where pixels count
    some = (given.truth.flatten() != IGNORE).nonzero()[:classes, 0]
    strays[some] = torch.arange(len(some), dtype=torch.uint8)
    yield strays.view_as(truth)


class _Painter(nn.Module):
    """Answers every image with one mask, so that a painted mask is scored as a net's."""

    def __init__(self, mask: Tensor, classes: int) -> None:
        super().__init__()
        self.mask, self.classes = mask, classes

    def forward(self, images: Tensor) -> Tensor:
        logits = nn.functional.one_hot(self.mask.long(), self.classes).permute(2, 0, 1).float()
        return logits.expand(len(images), -1, -1, -1)


def scored(mask: Tensor, given: Pictured) -> Scores:
    """The course's own scores of a mask ``(H, W)`` against the truth."""
    one = SimpleNamespace(images=given.image[None], masks=given.truth[None], classes=given.classes)
    return cast(Scores, evaluate(_Painter(mask, len(given.classes)), one))


def characters(mask: Tensor, across: int = 32) -> list[str]:
    """A mask in characters, for a terminal: a point for background, else the class, ? where ignored."""
    signs = ".123456789abcdefghijk"
    step = max(1, -(-mask.shape[1] // across))
    return [
        "".join("?" if value == IGNORE else signs[value] for value in row)
        for row in mask[:: 2 * step, ::step].tolist()  # a character is about twice as high as wide
    ]
