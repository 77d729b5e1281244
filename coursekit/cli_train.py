"""``coursekit train``: train a net for so many seconds, and say how good it is."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import TYPE_CHECKING, Any

from coursekit.checkout import CannotRun
from coursekit.nets.names import UPSAMPLINGS
from coursekit.training.freezes import BOX_LOSS_NAMES, FREEZES

if TYPE_CHECKING:
    from torch import nn

    from coursekit.training import BoxScores, History, Scores

FINE, FOUND_WRONG = 0, 1


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its tasks, and each task its options."""
    tasks = command.add_subparsers(dest="task", metavar="TASK", title="tasks", required=True)
    masks = tasks.add_parser("segmentation", help="a class for every pixel")
    masks.add_argument(
        "--upsampling", choices=UPSAMPLINGS, default="transposed", help="the way up (default: %(default)s)"
    )
    _add_shared(masks)
    boxes = tasks.add_parser("localization", help="what is in an image, and the box around it")
    boxes.add_argument(
        "--loss", choices=BOX_LOSS_NAMES, default="giou", help="of the box (default: %(default)s)"
    )
    boxes.add_argument(
        "--weight", type=_weight, default=1.0, help="how much it counts beside the class's (default: 1)"
    )
    boxes.add_argument(
        "--freeze",
        choices=FREEZES,
        default="none",
        help="none: all is trained; else a small head on frozen features, which learned the masks of the "
        "same images (features), their classes, or nothing (random) (default: %(default)s)",
    )
    boxes.add_argument(
        "--feature-budget",
        type=_seconds,
        default=60.0,
        help="seconds of training for features that are frozen then (default: 60)",
    )
    boxes.add_argument(
        "--boxes", choices=("animal", "head"), default="animal", help="of the pets (default: %(default)s)"
    )
    boxes.add_argument(
        "--box-head",
        choices=("spatial", "average"),
        default="spatial",
        help="what finds the box: on the grid of features, or in their mean (default: %(default)s)",
    )
    _add_shared(boxes)


def _add_shared(task: argparse.ArgumentParser) -> None:
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
        history, more = (_located if arguments.task == "localization" else _segmented)(arguments)
    except (TypeError, ValueError, OSError) as problem:
        raise CannotRun(str(problem)) from problem
    scores = history.scores
    if scores is None:
        raise CannotRun("stopped before there was anything to score. Try again and let it run on.")
    if not is_first():  # torchrun starts several; one of them speaks
        return FOUND_WRONG if history.diverged else FINE
    if arguments.json:
        print(json.dumps(report(history, scores) | more, indent=2))
        for note in history.notes:
            print(note, file=sys.stderr)
    else:
        print(history)
    return FOUND_WRONG if history.diverged else FINE


def report(history: History, scores: Scores | BoxScores) -> dict[str, float | str]:
    """The figures of one run, under the names that other programs read."""
    from coursekit.training import BoxScores

    names = ("miou", "baseline_miou", "pixel_accuracy", "boundary_iou", "boundary_f1")
    if isinstance(scores, BoxScores):
        names = ("accuracy", "mean_iou", "baseline_iou", "found", "baseline_accuracy")
    return {
        **{name: round(getattr(scores, name), 4) for name in names},
        "images_per_second": round(history.images_per_second, 1),
        "train_seconds": round(history.train_seconds, 2),
        "device": history.device,
    }


More = dict[str, Any]  # what a task reports besides


def _segmented(arguments: argparse.Namespace) -> tuple[History, More]:
    from coursekit.nets import SegmentationNet
    from coursekit.training.recipes import recipe

    chosen = recipe(arguments.data)
    net = SegmentationNet(len(chosen.train.classes), arguments.upsampling, seed=arguments.seed)
    return chosen.fit(net, **_asked(arguments)), {}


def _located(arguments: argparse.Namespace) -> tuple[History, More]:
    from coursekit.nets import TwoHeadNet
    from coursekit.training import JointLoss, fit
    from coursekit.training.pretraining import pretrained
    from coursekit.training.recipes import box_recipe

    chosen = box_recipe(arguments.data, arguments.boxes)
    asked, settings, seconds = _asked(arguments), chosen.settings, 0.0
    backbone: str | nn.Module = "encoder"
    if frozen := arguments.freeze != "none":
        length = {**asked, "budget": arguments.feature_budget}
        backbone, features = pretrained(arguments.freeze, chosen, **length)
        seconds, settings = features.train_seconds if features else 0.0, chosen.head_settings
        if features is not None and features.interrupted:
            raise CannotRun("stopped while the features were learned. Try again and let it run on.")
    classes = len(chosen.train.label_names)
    net = TwoHeadNet(classes, backbone, box_head=arguments.box_head, freeze=frozen, seed=arguments.seed)
    loss = JointLoss(arguments.loss, arguments.weight)
    history = fit(net, chosen.train, chosen.test, loss=loss, **asked, **settings)
    return history, {"feature_seconds": round(seconds, 2)}


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(arguments, name) for name in ("budget", "seed", "device")}


def _seconds(text: str) -> float:
    seconds = _number(text)
    if 0 < seconds < math.inf:
        return seconds
    raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text!r}; try 60")


def _weight(text: str) -> float:
    weight = _number(text)
    if 0 <= weight < math.inf:
        return weight
    raise argparse.ArgumentTypeError(f"expected a number from 0, got {text!r}; try 1")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _seed(text: str) -> int:
    if text.isdecimal():
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}; try 0")
