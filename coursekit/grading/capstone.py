"""Capstones in, marks out: the net answers in the sandbox, its answers are marked here."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.checking.frames import Packer, Unpacker
from coursekit.checking.plain import described
from coursekit.checkout import CannotRun
from coursekit.grading.bubblewrap import ROOMS
from coursekit.grading.channel import BadFrame, Channel, HungUp, TooLate
from coursekit.grading.handed_capstone import HandedIn, read_capstone
from coursekit.grading.reading import Unreadable
from coursekit.grading.sandbox import Sandbox, SandboxDied
from coursekit.training.capstone import (
    Marks,
    Task,
    answer_problem,
    chance_problem,
    constant_problem,
    held_out,
    marks,
)

INSIDE = (*ROOMS, "nets", "boxes", "wording.py")
"""What of the course a capstone may import."""

AT_ONCE = 20
REPEATED = 12
"""So many images are asked about twice: the answer must depend on the image alone."""

SECONDS = 90.0
"""Wall clock for all answers, on a machine however busy; before that, 30 s of CPU end the process."""

GRACE = 5.0
STARTS = 60.0
TRIES = 3
STATES = ("graded", "ignores_input", "error", "timeout", "crashed", "unreadable")


class _Ended(Exception):
    """No marks; `state` says what kind of end it was, the message why."""

    def __init__(self, state: str, reason: str) -> None:
        super().__init__(reason)
        self.state = state


@dataclass(frozen=True)
class CapstoneResult:
    """What one capstone earned.

    Attributes
    ----------
    learner, file : str
        Who, and the name of the file with the class.
    state : str
        One of `STATES`.
    points, worth : int
        Thresholds reached, and how many there are.
    marks : Marks or None
        None where there was nothing to mark.
    reason : str
        Why there are no points, for the learner.
    numbers : int
        How many numbers the weights hold.
    sandbox : str
        In what the code ran.
    data : str
        What it was graded on: "photographs" or "scenes".
    """

    learner: str
    file: str
    state: str
    points: int
    worth: int
    data: str
    marks: Marks | None = None
    reason: str = ""
    numbers: int = 0
    sandbox: str = "none"

    def to_dict(self) -> dict[str, Any]:
        """As ``coursekit capstone --json`` prints it."""
        names = ("mask_iou", "box_iou", "constant_mask_iou", "constant_box_iou")
        figures = {
            name: None if self.marks is None else round(getattr(self.marks, name), 4) for name in names
        }
        return {
            "learner": self.learner,
            "file": self.file,
            "state": self.state,
            "fraction": round(self.points / self.worth, 6),
            "points": self.points,
            "worth": self.worth,
            **figures,
            "numbers": self.numbers,
            "data": self.data,
            "sandbox": self.sandbox,
            "reason": self.reason,
        }


def grade_capstones(
    paths: Iterable[Path], *, trust: bool = False, on: Task | None = None
) -> Iterator[CapstoneResult]:
    """Grade capstones, one after the other.

    Parameters
    ----------
    paths : iterable of Path
        Notebooks or Python files with their weights beside them, or folders that hold both.
    trust : bool
        Run the code unprotected where there is no sandbox.
    on : Task, optional
        What to grade on; the held-out photographs unless given.

    Raises
    ------
    CannotRun
        Where there is no sandbox.
    """
    task = held_out() if on is None else on
    with Sandbox(trust, rooms=INSIDE) as sandbox:
        for path in paths:
            yield grade_capstone(path, task, sandbox)


def grade_capstone(path: Path, task: Task, sandbox: Sandbox) -> CapstoneResult:
    """Grade one capstone in a sandbox that shows `INSIDE`; there is always a result.

    Raises
    ------
    CannotRun
        Where the sandbox does not start.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 (no links resolved)
    learner, file, worth, numbers = path.stem, path.name, Marks(0, 0, 0, 0, 0).worth, 0
    ran = "none"
    try:
        handed = read_capstone(path)
        file, numbers, ran = handed.file, handed.numbers, sandbox.name
        earned = marks(*_answers(handed, task, sandbox), task)
    except Unreadable as problem:
        return CapstoneResult(learner, file, "unreadable", 0, worth, task.name, reason=str(problem))
    except _Ended as end:
        reason = str(end)
        return CapstoneResult(learner, file, end.state, 0, worth, task.name, None, reason, numbers, ran)
    except CannotRun:
        raise
    except Exception as problem:  # what nobody foresaw must not stop the others
        state = "unreadable" if ran == "none" else "crashed"
        reason = f"It cannot be graded ({type(problem).__name__}). Ask your instructor."
        return CapstoneResult(learner, file, state, 0, worth, task.name, None, reason, numbers, ran)
    return CapstoneResult(
        learner, file, "graded", earned.points, worth, task.name, earned, _below(earned), numbers, ran
    )


def _below(earned: Marks) -> str:
    if earned.points:
        return ""
    return "Neither masks nor boxes are clearly better than one and the same answer for every image."


def _answers(handed: HandedIn, task: Task, sandbox: Sandbox) -> tuple[Tensor, Tensor]:
    """Masks ``(N, H, W)`` and boxes ``(N, 4)`` in the task's order, of a net that looked."""
    order = _order(handed.digest, len(task.samples))
    for _ in range(TRIES):
        try:
            scores, boxes = _in_sandbox(handed, task.samples.images[order], sandbox)
            break
        except SandboxDied:  # before any code of the learner's ran
            sandbox.stop()
    else:
        raise _Ended("crashed", "The sandbox could not be started again. Try grading this once more.")
    _refuse("ignores_input", chance_problem(order, scores, boxes))
    _refuse("ignores_input", constant_problem(scores.argmax(1), boxes))
    first = torch.full((len(task.samples),), -1)
    for at in range(len(order) - 1, -1, -1):
        first[order[at]] = at
    return scores.argmax(1).to(torch.uint8)[first], boxes[first]


def _order(digest: str, count: int) -> Tensor:
    """All images and some twice, in an order that differs from submission to submission but never for one.

    A net that counts its calls and knows the answers by number finds that the numbers mean nothing.
    """
    generator = torch.Generator().manual_seed(int(digest[:15], 16))
    twice = torch.randperm(count, generator=generator)[: min(count, REPEATED)]
    asked = torch.cat([torch.arange(count), twice])
    return asked[torch.randperm(len(asked), generator=generator)]


def _in_sandbox(handed: HandedIn, images: Tensor, sandbox: Sandbox) -> tuple[Tensor, Tensor]:
    channel = sandbox.open()
    channel.until(STARTS)
    try:
        channel.receive()
    except (HungUp, TooLate, BadFrame):
        sandbox.stop()
        raise SandboxDied from None
    try:
        return _asked(handed, images, channel)
    except TooLate:
        raise _Ended(
            "timeout",
            f"The net needed more than {SECONDS:.0f} s for {len(images)} images. Try a smaller one.",
        ) from None
    except HungUp:
        raise _Ended(
            "crashed",
            "The net ended its process: it took more than 30 s of computing time, too much memory, or "
            "called exit. Try a smaller net.",
        ) from None
    except BadFrame as problem:
        raise _Ended("crashed", f"The net answered with something unreadable ({problem}).") from None
    finally:
        _close(sandbox, channel)


def _close(sandbox: Sandbox, channel: Channel) -> None:
    try:
        sandbox.close(channel)
    except SandboxDied:
        with suppress(OSError):
            sandbox.stop()


def _asked(handed: HandedIn, images: Tensor, channel: Channel) -> tuple[Tensor, Tensor]:
    channel.until(SECONDS + GRACE)
    channel.send({"capstone": handed.program, "seconds": SECONDS}, handed.weights)
    made, _ = channel.receive()
    if made.get("made") is not True:
        complaint = made.get("complaint")
        if complaint == "timeout":
            raise TooLate
        raise _Ended("error", complaint[:600] if isinstance(complaint, str) else "The class makes no net.")
    scores, boxes = zip(*(_batch(batch, channel) for batch in images.split(AT_ONCE)), strict=True)
    return torch.cat(scores), torch.cat(boxes)


def _batch(images: Tensor, channel: Channel) -> tuple[Tensor, Tensor]:
    packer = Packer(64 << 20)
    channel.send({"images": packer.value(images)}, packer.payload)
    header, payload = channel.receive(most=8 << 20)
    outcome = Unpacker(payload).outcome(header.get("outcome"))
    if outcome.timed_out:
        raise TooLate
    if outcome.raised is not None:
        raise _Ended(
            "error", f"forward stopped with {outcome.raised.kinds[0]}: {outcome.raised.message[:300]}"
        )
    _refuse("error", answer_problem(outcome.value, images, described))
    scores, boxes = outcome.value
    return scores.float(), boxes.float()


def _refuse(state: str, problem: str) -> None:
    if problem:
        raise _Ended(state, problem)


def points_line(result: CapstoneResult) -> str:
    """One line for people."""
    line = f"{result.learner}: {result.points} of {result.worth} points ({result.state.replace('_', ' ')})"
    if result.marks is not None:
        shown = (
            f"{name} {score:.3f} (best constant answer {base:.3f}), {points} of {math.ceil(result.worth / 2)}"
            for name, score, base, points in (
                ("masks", result.marks.mask_iou, result.marks.constant_mask_iou, result.marks.mask_points),
                ("boxes", result.marks.box_iou, result.marks.constant_box_iou, result.marks.box_points),
            )
        )
        line += "".join(f"\n  {one}" for one in shown)
    return line + (f"\n  {result.reason}" if result.reason else "")
