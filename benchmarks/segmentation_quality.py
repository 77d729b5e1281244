"""How good each way up gets in a given time, and in given steps: mean IoU and edges, every run.

Two tables. *Equal seconds*: every decoder as `coursekit train segmentation` trains it, the course's own
stamps from lesson 05 among them ("mine"), and those with a skip connection as lesson 07 builds it.
*Equal steps*: the ways up alone, the same 3x3 convolution after each, a transposed convolution of kernel 3
among them. All are scored on images that no training has seen. Every confusion matrix is scored by
torchmetrics as well, and must agree. Seeds take turns, so a machine that slows down slows down everyone. On a
busy machine use --cpu-seconds: one thread, and the budget is CPU time.

    python benchmarks/segmentation_quality.py [--budget 60] [--steps 1000] [--seeds 3] [--data scenes pets]
        [--methods transposed unet …] [--cpu-seconds] [--json] [--write]

--write keeps the tables in data/bakeoff.json, where lesson 07 reads them. With 60 s and 3 seeds the whole
takes about 80 minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import nn

from coursekit.exercises.learnable_upsampling import transposed_conv
from coursekit.exercises.segmentation_net import skip_step
from coursekit.nets import UPSAMPLINGS, own_layer
from coursekit.training import BakeOff, History, Scores, bake_off, running
from coursekit.training.bakeoff import Method
from coursekit.training.bakeoff_file import write
from coursekit.training.recipes import Recipe, recipe
from coursekit.training.standings import FIGURES, Run

# Of the best decoder, in 60 s: (mean IoU, boundary F1).
TARGETS = {"scenes": (0.86, 0.97), "pets": (0.78, 0.0)}
PETS_TRY = ("transposed", "unet", "mine with skips")


def transposed_k3(inputs: int, outputs: int) -> nn.Module:
    """Kernel 3, stride 2: one, two or four stamps on a cell."""
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)


MINE = own_layer(transposed_conv)
EQUAL_SECONDS: dict[str, Method] = {
    **{name: name for name in UPSAMPLINGS},
    "mine": MINE,
    "mine with skips": {"upsampling": MINE, "skip": skip_step},
}
EQUAL_STEPS: dict[str, Method] = {
    "nearest": "nearest",
    "bilinear": "bilinear",
    "max_unpool": "max_unpool",
    "transposed k3": transposed_k3,
    "transposed k4": "transposed",
    "resize_conv": "resize_conv",
    "pixel_shuffle": "pixel_shuffle",
    "mine": MINE,
}


def require_agreement(scores: Scores) -> None:
    """Score the confusion matrix once more, by torchmetrics."""
    from torchmetrics.functional.classification.jaccard import _jaccard_index_reduce

    theirs = float(_jaccard_index_reduce(scores.matrix, average="macro"))
    if abs(theirs - scores.miou) > 1e-4:
        raise AssertionError(f"mean IoU: ours {scores.miou:.5f}, torchmetrics {theirs:.5f}")


def checked(run: Run) -> None:
    """Say how a run went, once another library agrees with its score."""
    assert run.scores is not None
    require_agreement(run.scores)
    print(run, file=sys.stderr)


def as_the_recipe_says(chosen: Recipe, net: nn.Module, _train: Any, _test: Any, **asked: Any) -> History:
    """Train as `coursekit train segmentation` does."""
    return chosen.fit(net, **asked)


def figures(table: BakeOff) -> dict[str, Any]:
    """Median and spread of every figure, for ``--json``."""
    found: dict[str, Any] = {}
    for row in table.rows:
        spread = {by: row.values(by)[-1] - row.values(by)[0] for by in FIGURES}
        found[row.method] = {by: row.median(by) for by in FIGURES} | {
            "images_per_second": row.images_per_second,
            "baseline_miou": table.baseline,
            "spread": spread,
            "seeds": len(row.runs),
        }
    return found


def met(data: str, table: BakeOff) -> bool:
    """Whether the best decoder reaches the targets."""
    miou, edges = TARGETS[data]
    best = {by: max(row.median(by) for row in table.rows) for by in ("miou", "boundary_f1")}
    return best["miou"] >= miou and best["boundary_f1"] >= edges


def arguments() -> argparse.Namespace:
    """What was asked for."""
    options = argparse.ArgumentParser(description="How good each way up gets in a given time.")
    options.add_argument("--budget", type=float, default=60, help="seconds a net (default 60); 0: none")
    options.add_argument("--steps", type=int, default=1000, help="steps of the controlled table; 0: none")
    options.add_argument("--seeds", type=int, default=3, help="runs of each method (default 3)")
    options.add_argument("--data", nargs="+", choices=list(TARGETS), default=list(TARGETS))
    options.add_argument("--methods", nargs="+", choices=list(EQUAL_SECONDS), help="all, but few on pets")
    options.add_argument("--cpu-seconds", action="store_true", help="one thread; the budget is CPU time")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    options.add_argument("--write", action="store_true", help="keep the tables in data/bakeoff.json")
    return options.parse_args()


def measured(given: argparse.Namespace) -> dict[str, BakeOff]:
    """All tables that were asked for."""
    tables = {}
    for data in given.data:
        chosen = recipe(data)
        names = given.methods or (EQUAL_SECONDS if data == "scenes" else PETS_TRY)
        shared = {"seeds": given.seeds, "on_result": checked, **chosen.settings}
        if given.budget:
            tables[f"{data}-seconds"] = bake_off(
                {name: EQUAL_SECONDS[name] for name in names},
                chosen.train,
                chosen.test,
                budget=given.budget,
                trained=partial(as_the_recipe_says, chosen),
                **shared,
            )
        if data == "scenes" and given.steps:
            tables["scenes-steps"] = bake_off(
                EQUAL_STEPS, chosen.train, chosen.test, steps=given.steps, refine=True, **shared
            )
    return tables


def main() -> None:
    """Measure and print."""
    given = arguments()
    if given.cpu_seconds:
        torch.set_num_threads(1)
        running.clock = time.process_time
    tables = measured(given)
    if given.cpu_seconds:
        clock = {"seconds": "of CPU time"}
        tables = {name: replace(table, facts=table.facts | clock) for name, table in tables.items()}
    if given.write:
        print(f"written: {write(tables).name}", file=sys.stderr)
    if given.json:
        told = {"budget": given.budget, "steps": given.steps, "threads": torch.get_num_threads()}
        print(json.dumps({**told, "results": {name: figures(table) for name, table in tables.items()}}))
        return
    for name, table in tables.items():
        print(f"{name}: {table}")
        if name.endswith("-seconds"):
            data = name.removesuffix("-seconds")
            goal = f"mIoU >= {TARGETS[data][0]}, edge F1 >= {TARGETS[data][1]}"
            print(f"targets of the best in 60 s ({goal}): {'met' if met(data, table) else 'NOT met'}\n")


if __name__ == "__main__":
    main()
