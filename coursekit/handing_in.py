"""The capstone in a notebook: photographs to learn from, one's own marks, and the file to hand in."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit.notes import Mistake, Note, show
from coursekit.practice import say_that_scenes_serve

if TYPE_CHECKING:
    from torch import Tensor, nn

    from coursekit.data import Samples
    from coursekit.training.capstone import Marks

_TWICE = 8
_AT_ONCE = 20


def capstone_photographs() -> tuple[Samples, Samples]:
    """Photographs to practise on, and a part of your own to score with; scenes where there are none.

    Neither is among those on which a capstone is graded.

    Returns
    -------
    practice, own : Samples
    """
    from coursekit.training.capstone import practice_and_own

    name, practice, own = practice_and_own()
    if name == "scenes":
        say_that_scenes_serve("the capstone")
    return practice, own


@dataclass(frozen=True, eq=False)
class CapstoneCheck:
    """What a net would earn on the samples it was checked with; draws itself."""

    marks: Marks
    numbers: int

    def __repr__(self) -> str:
        lines = [f"{self.marks.points} of {self.marks.worth} points on these {self.marks.images} pictures"]
        for name, score, constant, points, coming in self._rows():
            lines.append(
                f"  {name}: mean IoU {score:.3f}, {points} points{coming}; never looking: {constant:.3f}"
            )
        return "\n".join(lines)

    def _rows(self) -> list[tuple[str, float, float, int, str]]:
        marks = self.marks
        return [
            (name, score, constant, points, "" if math.isnan(step) else f", the next at {step:.3f}")
            for name, score, constant, points, step in (
                (
                    "masks",
                    marks.mask_iou,
                    marks.constant_mask_iou,
                    marks.mask_points,
                    marks.next_step("mask"),
                ),
                ("boxes", marks.box_iou, marks.constant_box_iou, marks.box_points, marks.next_step("box")),
            )
        ]

    def _repr_html_(self) -> str:
        most, left = self.marks.worth // 2, "style='text-align:left;white-space:nowrap'"
        rows = "".join(
            f"<tr><th scope='row' {left}>{name}</th><td>{score:.3f}</td><td>{constant:.3f}</td>"
            f"<td {left}><span aria-hidden='true'>{'●' * points}{'○' * (most - points)}</span> "
            f"{points} of {most}{escape(coming)}</td></tr>"
            for name, score, constant, points, coming in self._rows()
        )
        return (
            "<div style='overflow-x:auto'><table><tr><th></th><th>mean IoU</th><th>never looking</th>"
            f"<th style='text-align:left'>points</th></tr>{rows}</table>"
            f"<div>{self.marks.points} of {self.marks.worth} points on these {self.marks.images} pictures, "
            f"with {self.numbers:,} numbers.</div></div>"
        )


def check_capstone(net: nn.Module, samples: Samples | None = None) -> CapstoneCheck:
    """What a net would earn as a capstone, on samples of your own.

    Parameters
    ----------
    net : nn.Module
        Takes images ``(N, 3, H, W)`` uint8, gives scores ``(N, 2, H, W)`` and boxes ``(N, 4)`` as shares.
    samples : Samples, optional
        The second part of :func:`capstone_photographs` unless given.

    Raises
    ------
    Mistake
        If the net could not be graded, with a sentence why.
    """
    import torch

    from coursekit.training.capstone import (
        MOST_NUMBERS,
        chance_problem,
        constant_problem,
        marks,
        practice_and_own,
        task,
    )
    from coursekit.training.given import judging, require_net

    require_net(net)
    own = practice_and_own()[2] if samples is None else samples
    twice = torch.arange(min(len(own), _TWICE)).flip(0)
    order = torch.cat([torch.arange(len(own)), twice])
    with judging(net), torch.no_grad():
        scores, boxes = _answers(net, own.images[order])
    numbers = sum(each.numel() for each in net.state_dict().values())
    if numbers > MOST_NUMBERS:
        raise Mistake(
            f"Expected a net of at most {MOST_NUMBERS:,} numbers; got {numbers:,}. Try fewer channels."
        )
    problem = chance_problem(order, scores, boxes) or constant_problem(scores.argmax(1), boxes)
    if problem:
        show(Note(problem))
    masks = scores.argmax(1).to(torch.uint8)[: len(own)]
    return CapstoneCheck(marks(masks, boxes[: len(own)], task("own", own)), numbers)


def save_capstone(net: nn.Module, path: str | Path = "capstone.safetensors") -> Note:
    """Write a net's weights to a file that can be handed in with the notebook that holds its class.

    Parameters
    ----------
    net : nn.Module
        Made by ``class Capstone``.
    path : str or Path
        Beside the notebook, unless it names another folder.

    Raises
    ------
    Mistake
        If it could not be graded, with a sentence why; nothing is written then.
    """
    from safetensors.torch import save_file

    if type(net).__name__ != "Capstone":
        raise Mistake(
            f"Expected a net made by `class Capstone`; got one of {type(net).__name__}. "
            "Try naming your class Capstone: the grader looks for that name."
        )
    check_capstone(net)
    target = Path(path).expanduser()
    weights = {name: each.detach().cpu().clone().contiguous() for name, each in net.state_dict().items()}
    save_file(weights, target)
    size = target.stat().st_size
    return Note(
        f"{target.name} is written, {size:,} bytes. Hand it in together with this notebook, saved. To see "
        "what the grader sees, run in a terminal:",
        "coursekit capstone <the notebook>",
    )


def _answers(net: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    from coursekit.training.capstone import answer_problem
    from coursekit.training.given import device_of
    from coursekit.upsampling.validation import described

    parts: list[Any] = []
    for batch in images.split(_AT_ONCE):
        answer = net(batch.to(device_of(net)))
        problem = answer_problem(answer, batch, described)
        if problem:
            raise Mistake(problem)
        parts.append([part.float().cpu() for part in answer])
    scores, boxes = zip(*parts, strict=True)
    return torch.cat(scores), torch.cat(boxes)
