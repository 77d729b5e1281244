"""How well two heads say what is there and where: frozen features against scratch, each loss, every run.

Rows of each table, one for each loss of the box: *from scratch* in the time of the head alone; *from scratch*
in the time of features and head together; a small head on *frozen features* of a net that learned the masks
of the same training images, of a *classifier*, and of a *random* net. Beside them is the baseline: the mean
box of the training set. All are scored on images that no training has seen, nor that of the features: 400
scenes, the 200 test photographs, and for head boxes 76 of the 296 photographs that have one. Every mean IoU
is computed by torchvision as well, and must agree. On a busy machine use --cpu-seconds: one thread, and
budgets are CPU time.

    python benchmarks/localization_quality.py [--budget 60] [--head-budget S] [--seeds 3]
        [--data scenes pets heads] [--losses giou smooth_l1 l2] [--rows scratch features classes random]
        [--cpu-seconds] [--json]

Exit code 1 if a figure that must hold does not. With 60 s and 3 seeds the whole takes about 75 minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import nn

from coursekit.boxes import xywh_to_xyxy
from coursekit.nets import TwoHeadNet
from coursekit.training import BoxScores, JointLoss, fit, predict_boxes, running
from coursekit.training.freezes import BOX_LOSS_NAMES
from coursekit.training.pretraining import pretrained
from coursekit.training.recipes import BoxRecipe, box_recipe

DATA = ("scenes", "pets", "heads")
ROWS = ("scratch", "features", "classes", "random")
HEAD_SECONDS = {"scenes": 10.0, "pets": 20.0, "heads": 20.0}
NAMES = {
    "features": "small head on mask-trained features",
    "classes": "small head on a classifier's features",
    "random": "small head on random features",
}


@dataclass(frozen=True)
class Result:
    """One run."""

    data: str
    row: str
    loss: str
    seed: int
    accuracy: float
    mean_iou: float
    found: float
    baseline_iou: float
    feature_seconds: float
    train_seconds: float
    images_per_second: float

    def __str__(self) -> str:
        figures = (
            f"accuracy {self.accuracy:.3f}, mean IoU {self.mean_iou:.3f} (mean box {self.baseline_iou:.3f})"
        )
        return f"{self.data}, {self.row}, {self.loss}, seed {self.seed}: {figures}"


def require_agreement(net: nn.Module, recipe: BoxRecipe, scores: BoxScores) -> None:
    """Compute the mean IoU once more, by torchvision."""
    from torchvision.ops import box_iou

    _, boxes = predict_boxes(net, recipe.test)
    theirs = float(box_iou(xywh_to_xyxy(boxes), xywh_to_xyxy(recipe.test.boxes)).diagonal().mean())
    if abs(theirs - scores.mean_iou) > 1e-4:
        raise AssertionError(f"mean IoU: ours {scores.mean_iou:.5f}, torchvision {theirs:.5f}")


def trained(
    data: str, recipe: BoxRecipe, row: str, loss: str, seed: int, budget: float, backbone: Any = "encoder",
    spent: float = 0.0,
) -> Result:  # fmt: skip
    """One net in so many seconds."""
    frozen = not isinstance(backbone, str)
    net = TwoHeadNet(len(recipe.train.label_names), backbone, freeze=frozen, seed=seed)
    settings = recipe.head_settings if frozen else recipe.settings
    history = fit(net, recipe.train, recipe.test, loss=JointLoss(loss), budget=budget, seed=seed, **settings)
    scores = history.scores
    if history.interrupted or not isinstance(scores, BoxScores):
        raise KeyboardInterrupt
    require_agreement(net, recipe, scores)
    result = Result(
        data, row, loss, seed, scores.accuracy, scores.mean_iou, scores.found, scores.baseline_iou,
        spent, history.train_seconds, history.images_per_second,
    )  # fmt: skip
    print(result, file=sys.stderr, flush=True)
    return result


def runs_of(given: argparse.Namespace, data: str) -> Iterator[Result]:
    """All runs on one data set, seed by seed, so that a machine that slows down slows down all rows."""
    recipe = (
        box_recipe("scenes")
        if data == "scenes"
        else box_recipe("pets", "head" if data == "heads" else "animal")
    )
    short = given.head_budget or HEAD_SECONDS[data]
    long = given.budget if data == "scenes" else given.budget + short
    for seed in range(given.seeds):
        if "scratch" in given.rows:
            for loss in given.losses:
                for budget in (short, long):
                    yield trained(data, recipe, f"from scratch, {budget:g} s", loss, seed, budget)
        for kind in (each for each in ROWS[1:] if each in given.rows):
            backbone, history = pretrained(kind, recipe, seed=seed, budget=given.budget)
            spent = history.train_seconds if history else 0.0
            for loss in given.losses:
                yield trained(data, recipe, f"{NAMES[kind]}, {short:g} s", loss, seed, short, backbone, spent)


def table(results: list[Result]) -> str:
    """Medians, with the least and the most of each mean IoU."""
    groups: dict[tuple[str, str], list[Result]] = {}
    for each in results:
        groups.setdefault((each.row, each.loss), []).append(each)
    columns = f"{'accuracy':>9}{'mean IoU':>10}{'from - to':>16}{'features':>10}{'images/s':>10}"
    lines = [f"{'':<46}{'loss':<11}{columns}"]
    for (row, loss), runs in groups.items():
        ious = sorted(each.mean_iou for each in runs)
        spread = f"{ious[0]:.3f} - {ious[-1]:.3f}"
        pace = median(each.images_per_second for each in runs)
        spent = f"{median(each.feature_seconds for each in runs):.0f} s"
        lines.append(
            f"{row:<46}{loss:<11}{median(each.accuracy for each in runs):>9.3f}{median(ious):>10.3f}"
            f"{spread:>16}{spent:>10}{pace:>10,.0f}"
        )
    lines.append(f"{'the mean box of the training set':<66}{results[0].baseline_iou:>10.3f}")
    return "\n".join(lines)


def held(data: str, results: list[Result]) -> dict[str, bool]:
    """Which of the figures that must hold do, by the best loss of each row."""
    best: dict[str, tuple[float, float]] = {}
    for row in {each.row for each in results}:
        for loss in {each.loss for each in results if each.row == row}:
            runs = [each for each in results if (each.row, each.loss) == (row, loss)]
            figures = median(each.mean_iou for each in runs), median(each.accuracy for each in runs)
            best[row] = max(best.get(row, (0.0, 0.0)), figures)
    base = results[0].baseline_iou
    frozen = next((best[row] for row in best if row.startswith(NAMES["features"])), None)
    scratch = max((figures for row, figures in best.items() if row.startswith("from scratch")), default=None)
    found = {}
    if data == "scenes" and scratch:
        found["from scratch: accuracy >= 0.99 and mean IoU >= 0.86"] = (
            scratch >= (0.86, 0) and scratch[1] >= 0.99
        )
    if data == "scenes" and frozen:
        found["mask-trained: accuracy >= 0.95 and mean IoU >= 0.78"] = (
            frozen >= (0.78, 0) and frozen[1] >= 0.95
        )
    if data != "scenes" and frozen:
        more = 0.10 if data == "pets" else 0.05
        found[f"mask-trained: {more:.2f} above the mean box"] = frozen[0] >= base + more
    return found


def arguments() -> argparse.Namespace:
    """What was asked for."""
    options = argparse.ArgumentParser(description="How well two heads say what is there and where.")
    options.add_argument("--budget", type=float, default=60, help="seconds for features, and from scratch")
    options.add_argument("--head-budget", type=float, help="seconds of a head (default: 10 scenes, 20 pets)")
    options.add_argument("--seeds", type=int, default=3, help="runs of each row (default 3)")
    options.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    options.add_argument("--losses", nargs="+", choices=BOX_LOSS_NAMES, default=list(BOX_LOSS_NAMES))
    options.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    options.add_argument("--cpu-seconds", action="store_true", help="one thread; budgets are CPU time")
    options.add_argument("--json", action="store_true", help="print every run as JSON only")
    return options.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    if given.cpu_seconds:
        torch.set_num_threads(1)
        running.clock = time.process_time
    missed, everything = False, {}
    for data in given.data:
        results = list(runs_of(given, data))
        checks = held(data, results)
        everything[data] = {"runs": [asdict(each) for each in results], "held": checks}
        missed |= not all(checks.values())
        if not given.json:
            clock = "CPU seconds, one thread" if given.cpu_seconds else "seconds"
            print(f"\n{data} ({given.seeds} runs each, {clock})\n{table(results)}")
            print("\n".join(f"  {'holds' if fine else 'FAILS'}: {text}" for text, fine in checks.items()))
    if given.json:
        print(json.dumps(everything, indent=2))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
