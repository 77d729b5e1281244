"""How long a learner waits for a verdict: right, wrong (shrunk, named, drawn) and error answers.

Beside it, in the same run: Hypothesis shrinking the same wrong answer, and matplotlib drawing the same
figure.

Run ``python benchmarks/check_latency.py`` (``--json`` for figures only). Times are medians of wall
milliseconds; ``first`` is the very first check of an exercise, when its cases are planned.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from coursekit.checking import Exercise, check, function_from
from coursekit.checking.verdict import Verdict
from coursekit.exercises import all_exercises

TARGET_RIGHT, TARGET_WRONG = 60.0, 120.0  # milliseconds


def shown(exercise: Exercise, function: Callable[..., Any]) -> Verdict:
    """What a cell does: check, then make the HTML that is displayed."""
    verdict = check(exercise, function)
    verdict._repr_html_()
    return verdict


def timed(action: Callable[[], Any], rounds: int) -> float:
    """The median of some rounds, in milliseconds."""
    durations = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        durations.append((time.perf_counter() - started) * 1e3)
    return statistics.median(durations)


def raising(exercise: Exercise) -> Callable[..., Any]:
    """An answer that stops with an error on its second line."""
    return function_from(
        f"def {exercise.signature}:\n    return {exercise.parameters[0].name}[99, 99]\n", exercise.function
    )


def measured(exercise: Exercise, rounds: int) -> dict[str, Any]:
    """The figures of one exercise; a wrong answer is each of its misconceptions."""
    first = timed(lambda: shown(exercise, exercise.reference), 1)
    right = timed(lambda: shown(exercise, exercise.reference), rounds)
    wrong = [timed(partial(shown, exercise, item.mutant), rounds) for item in exercise.misconceptions]
    error = timed(lambda: shown(exercise, raising(exercise)), rounds)
    return {
        "exercise": exercise.id,
        "first": first,
        "right": right,
        "wrong": statistics.median(wrong),
        "worst_wrong": max(wrong),
        "error": error,
    }


def hypothesis_shrinks(rounds: int) -> dict[str, Any]:
    """The peer: Hypothesis minimises the overwriting answer to the transposed convolution."""
    from hypothesis import HealthCheck, Phase, find, settings
    from hypothesis import strategies as st

    exercise = next(item for item in all_exercises() if item.id == "transposed-conv")
    mutant = next(item.mutant for item in exercise.misconceptions if item.id == "overwrite")
    cells = st.integers(-9, 9)

    @st.composite
    def grids(draw: Any) -> Any:
        height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
        values = draw(st.lists(cells, min_size=height * width, max_size=height * width))
        return torch.tensor(values, dtype=torch.float32).reshape(height, width)

    def differs(arguments: tuple[torch.Tensor, torch.Tensor, int]) -> bool:
        return not torch.equal(exercise.reference(*arguments), mutant(*arguments))

    how = settings(
        max_examples=200,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    found: list[Any] = []
    strategy = st.tuples(grids(), grids(), st.integers(1, 3))
    spent = timed(lambda: found.append(find(strategy, differs, settings=how)), rounds)
    ours = check(exercise, mutant).counterexample
    x, kernel, _ = found[-1]
    assert ours is not None
    return {
        "hypothesis_ms": spent,
        "hypothesis_cells": x.numel() + kernel.numel(),
        "our_check_ms": timed(lambda: shown(exercise, mutant), rounds),
        "our_cells": ours.case.size,
    }


def matplotlib_draws(rounds: int) -> float:
    """The peer: four small annotated grids as an inline picture."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    def draw() -> None:
        figure, axes = plt.subplots(1, 4, figsize=(8, 2))
        for axis in axes:
            axis.matshow(torch.arange(9.0).reshape(3, 3))
            for row in range(3):
                for column in range(3):
                    axis.text(column, row, str(row * 3 + column), ha="center", va="center")
        figure.savefig(io.BytesIO(), format="png")
        plt.close(figure)

    draw()  # the first figure also finds fonts
    return timed(draw, rounds)


def draws(rounds: int) -> float:
    """Ours: the HTML and SVG of a wrong verdict."""
    exercise = next(item for item in all_exercises() if item.id == "transposed-conv")
    verdict = check(exercise, exercise.misconceptions[0].mutant)
    return timed(verdict._repr_html_, rounds)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="How long a learner waits for a verdict.")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    options.add_argument("--rounds", type=int, default=9, help="repetitions of each measurement (default 9)")
    given = options.parse_args()
    rows = [measured(exercise, given.rounds) for exercise in all_exercises()]
    peer = hypothesis_shrinks(min(given.rounds, 5))
    drawing = {"matplotlib_ms": matplotlib_draws(given.rounds), "our_drawing_ms": draws(given.rounds)}
    met = all(row["right"] <= TARGET_RIGHT and row["worst_wrong"] <= TARGET_WRONG for row in rows)
    if given.json:
        print(json.dumps({"exercises": rows, "peer": peer, "drawing": drawing, "targets_met": met}))
        return
    print(f"{'ms, median':20}{'first':>8}{'right':>8}{'wrong':>8}{'worst':>8}{'error':>8}")
    for row in rows:
        figures = "".join(f"{row[key]:8.1f}" for key in ("first", "right", "wrong", "worst_wrong", "error"))
        print(f"{row['exercise']:20}{figures}")
    print(f"targets: right <= {TARGET_RIGHT:g}, wrong <= {TARGET_WRONG:g}: {'met' if met else 'NOT met'}")
    print(
        f"same answer: Hypothesis {peer['hypothesis_ms']:.0f} ms to {peer['hypothesis_cells']} cells; "
        f"our whole check {peer['our_check_ms']:.0f} ms to {peer['our_cells']} cells"
    )
    print(
        f"drawing: matplotlib {drawing['matplotlib_ms']:.0f} ms, ours {drawing['our_drawing_ms']:.1f} ms",
    )


if __name__ == "__main__":
    main()
