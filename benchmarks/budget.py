"""Whether `fit(budget=B)` ends on time: seconds from call to return, less those of evaluation, against B.

The clock here is this script's own, outside `fit`; what `fit` says it used stands beside it. Each run is a
process of its own with its own number of threads. Scenes are scored on the way and at the end, as in lessons.

    python benchmarks/budget.py [--budgets 5 20 60] [--threads 1 2] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time

TARGET = 0.05


def measured(budget: float, threads: int) -> dict[str, float]:
    """One run, in this process."""
    import torch

    from coursekit.data import load_scenes
    from coursekit.nets import SegmentationNet
    from coursekit.training import fit

    torch.set_num_threads(threads)
    train, valid = load_scenes(1000), load_scenes(200, seed=1)
    fit(SegmentationNet(5), train, steps=2)  # what is loaded at the first use is not the budget's affair
    net = SegmentationNet(5)
    begin = time.perf_counter()
    history = fit(net, train, valid, budget=budget, device="cpu")
    whole = time.perf_counter() - begin
    training = whole - history.evaluation_seconds
    return {
        "budget": budget,
        "threads": threads,
        "training": round(training, 3),
        "fit_says": round(history.train_seconds, 3),
        "evaluation": round(history.evaluation_seconds, 3),
        "steps": history.steps,
        "over": round(training / budget - 1, 4),
    }


def in_a_process_of_its_own(budget: float, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", "--budgets", str(budget), "--threads", str(threads)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Whether fit(budget=B) ends on time.")
    options.add_argument("--budgets", type=float, nargs="+", default=[5, 20, 60], help="seconds")
    options.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of torch's threads")
    options.add_argument("--one", action="store_true", help="one run, in this process")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    if given.one:
        print(json.dumps(measured(given.budgets[0], given.threads[0])))
        return
    rows = [in_a_process_of_its_own(budget, each) for budget in given.budgets for each in given.threads]
    met = all(row["over"] <= TARGET for row in rows)
    if given.json:
        print(json.dumps({"runs": rows, "target": TARGET, "target_met": met}))
        return
    head = f"{'budget':>8}{'threads':>9}{'training':>10}{'over':>8}"
    print(f"{head}{'fit says':>10}{'evaluation':>12}{'steps':>8}")
    for row in rows:
        print(
            f"{row['budget']:7g}s{row['threads']:9d}{row['training']:9.2f}s{row['over']:8.1%}"
            f"{row['fit_says']:9.2f}s{row['evaluation']:11.2f}s{row['steps']:8d}"
        )
    print(f"target: at most {TARGET:.0%} over, evaluation apart: {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    main()
