"""How good each decoder gets in a given time: mean IoU and edges, median and spread over seeds.

Every net is trained by `fit` with the recipe of `coursekit train segmentation`, and scored on images that no
training has seen. Every confusion matrix is scored by torchmetrics as well, and must agree. On a busy
machine use --cpu-seconds: one thread, and the budget is CPU time.

    python benchmarks/segmentation_quality.py [--budget 60] [--seeds 3] [--data scenes pets]
        [--upsamplings transposed unet …] [--cpu-seconds] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import torch

from coursekit.nets import UPSAMPLINGS, SegmentationNet
from coursekit.training import Scores, fit, running
from coursekit.training.recipes import Recipe, recipe

FIGURES = ("miou", "boundary_iou", "boundary_f1", "images_per_second")
# Of the best decoder, in 60 s: (mean IoU, boundary F1).
TARGETS = {"scenes": (0.86, 0.97), "pets": (0.78, 0.0)}
PETS_TRY = ("transposed", "unet")


def trained(chosen: Recipe, upsampling: str, budget: float, seed: int) -> dict[str, float]:
    """Train one net and score it."""
    net = SegmentationNet(len(chosen.train.classes), upsampling, seed=seed)
    history = fit(net, chosen.train, chosen.test, budget=budget, seed=seed, augment=chosen.augment)
    scores = history.scores
    assert scores is not None
    require_agreement(scores)
    return {
        "miou": scores.miou,
        "boundary_iou": scores.boundary_iou,
        "boundary_f1": scores.boundary_f1,
        "baseline_miou": scores.baseline_miou,
        "images_per_second": history.images_per_second,
        "train_seconds": history.train_seconds,
    }


def require_agreement(scores: Scores) -> None:
    """Score the confusion matrix once more, by torchmetrics."""
    from torchmetrics.functional.classification.jaccard import _jaccard_index_reduce

    theirs = float(_jaccard_index_reduce(scores.matrix, average="macro"))
    if abs(theirs - scores.miou) > 1e-4:
        raise AssertionError(f"mean IoU: ours {scores.miou:.5f}, torchmetrics {theirs:.5f}")


def summary(runs: list[dict[str, float]]) -> dict[str, Any]:
    """Median and spread of every figure."""
    figures: dict[str, Any] = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    spread = [max(run[name] for run in runs) - min(run[name] for run in runs) for name in FIGURES]
    return {**figures, "spread": dict(zip(FIGURES, spread, strict=True)), "seeds": len(runs)}


def table(data: str, rows: dict[str, dict[str, Any]]) -> str:
    """Best first; a difference within the spread over seeds is a tie."""
    lines = [f"{data:14}{'mIoU':>8}{'±':>7}{'edge IoU':>10}{'edge F1':>9}{'images/s':>10}"]
    for name, row in sorted(rows.items(), key=lambda pair: -pair[1]["miou"]):
        lines.append(
            f"{name:14}{row['miou']:8.3f}{row['spread']['miou'] / 2:7.3f}{row['boundary_iou']:10.3f}"
            f"{row['boundary_f1']:9.3f}{row['images_per_second']:10.0f}"
        )
    baseline = next(iter(rows.values()))["baseline_miou"]
    return "\n".join([*lines, f"{'majority class':14}{baseline:8.3f}"])


def met(data: str, rows: dict[str, dict[str, Any]]) -> bool:
    """Whether the best decoder reaches the targets."""
    miou, edges = TARGETS[data]
    return (
        max(row["miou"] for row in rows.values()) >= miou
        and max(row["boundary_f1"] for row in rows.values()) >= edges
    )


def arguments() -> argparse.Namespace:
    """What was asked for."""
    options = argparse.ArgumentParser(description="How good each decoder gets in a given time.")
    options.add_argument("--budget", type=float, default=60, help="seconds a net (default 60)")
    options.add_argument("--seeds", type=int, default=3, help="runs of each decoder (default 3)")
    options.add_argument("--data", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    options.add_argument("--upsamplings", nargs="+", choices=UPSAMPLINGS, help="all on scenes, two on pets")
    options.add_argument("--cpu-seconds", action="store_true", help="one thread; the budget is CPU time")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    return options.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    if given.cpu_seconds:
        torch.set_num_threads(1)
        running.clock = time.process_time
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for data in given.data:
        chosen = recipe(data)
        names = given.upsamplings or (UPSAMPLINGS if data == "scenes" else PETS_TRY)
        results[data] = {}
        for name in names:
            runs = [trained(chosen, name, given.budget, seed) for seed in range(given.seeds)]
            results[data][name] = summary(runs)
            print(f"{data} {name}: {results[data][name]['miou']:.3f}", file=sys.stderr)
    if given.json:
        print(json.dumps({"budget": given.budget, "threads": torch.get_num_threads(), "results": results}))
        return
    for data, rows in results.items():
        print(table(data, rows))
        goal = f"mIoU >= {TARGETS[data][0]}, edge F1 >= {TARGETS[data][1]}"
        print(f"targets of the best in 60 s ({goal}): {'met' if met(data, rows) else 'NOT met'}\n")


if __name__ == "__main__":
    main()
