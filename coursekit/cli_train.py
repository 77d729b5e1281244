"""``coursekit train segmentation``: train a net for so many seconds, and say how good it is."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import TYPE_CHECKING

from coursekit.checkout import CannotRun
from coursekit.nets.names import UPSAMPLINGS

if TYPE_CHECKING:
    from coursekit.training import History, Scores

FINE, FOUND_WRONG = 0, 1


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its tasks, and each task its options."""
    tasks = command.add_subparsers(dest="task", metavar="TASK", title="tasks", required=True)
    task = tasks.add_parser("segmentation", help="a class for every pixel")
    task.add_argument(
        "--upsampling", choices=UPSAMPLINGS, default="transposed", help="the way up (default: %(default)s)"
    )
    task.add_argument(
        "--data",
        choices=("scenes", "pets"),
        default="scenes",
        help="what to learn from (default: %(default)s)",
    )
    task.add_argument(
        "--budget", type=_seconds, default=60.0, help="seconds of training (default: 60); scoring is apart"
    )
    task.add_argument(
        "--device", default="auto", help="cpu, cuda, or auto: a GPU when there is one (default: %(default)s)"
    )
    task.add_argument("--seed", type=_seed, default=0, help="decides all that is random (default: 0)")
    task.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Train, print the scores, and return the exit code: 1 where training came to no number."""
    from coursekit.training.crew import is_first

    try:
        history = _trained(arguments)
    except (TypeError, ValueError, OSError) as problem:
        raise CannotRun(str(problem)) from problem
    scores = history.scores
    if scores is None:
        raise CannotRun("stopped before there was anything to score. Try again and let it run on.")
    if not is_first():  # torchrun starts several; one of them speaks
        return FOUND_WRONG if history.diverged else FINE
    if arguments.json:
        print(json.dumps(report(history, scores), indent=2))
        for note in history.notes:
            print(note, file=sys.stderr)
    else:
        print(history)
    return FOUND_WRONG if history.diverged else FINE


def report(history: History, scores: Scores) -> dict[str, float | str]:
    """The figures of one run, under the names that other programs read."""
    return {
        "miou": round(scores.miou, 4),
        "baseline_miou": round(scores.baseline_miou, 4),
        "pixel_accuracy": round(scores.pixel_accuracy, 4),
        "boundary_iou": round(scores.boundary_iou, 4),
        "boundary_f1": round(scores.boundary_f1, 4),
        "images_per_second": round(history.images_per_second, 1),
        "train_seconds": round(history.train_seconds, 2),
        "device": history.device,
    }


def _trained(arguments: argparse.Namespace) -> History:
    from coursekit.nets import SegmentationNet
    from coursekit.training import fit
    from coursekit.training.recipes import recipe

    chosen = recipe(arguments.data)
    net = SegmentationNet(len(chosen.train.classes), arguments.upsampling, seed=arguments.seed)
    return fit(
        net,
        chosen.train,
        chosen.test,
        budget=arguments.budget,
        seed=arguments.seed,
        device=arguments.device,
        **chosen.settings,
    )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if 0 < seconds < math.inf:
        return seconds
    raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text!r}; try 60")


def _seed(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}; try 0")
