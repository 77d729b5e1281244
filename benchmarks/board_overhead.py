"""What a TrainingBoard costs: one long ``fit`` in a real kernel, with the board and without it by turns.

Run ``python benchmarks/board_overhead.py`` (``--json`` for figures only). It starts a kernel, because only in
one are news packed, signed and sent. The board is called in every other block of a few seconds, so each block
has a neighbour that ran beside the same other programs, on the same net. What counts is images per second of
the processor's time: on a shared machine, the wall clock says more about the others. Both are shown, and so
is the time spent inside the board's own call. The target is less than 3 %.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursekit.training import Progress
    from coursekit.widgets import TrainingBoard

TARGET = 0.03
PATIENCE = 3600


class Turns:
    """An ``on_step`` that calls the board in every other block, and keeps the pace of each block."""

    def __init__(self, board: TrainingBoard, seconds: float) -> None:
        self.board, self.seconds = board, seconds
        self.blocks: list[dict[str, float]] = []
        self.inside = self.used = 0.0
        self.on = False
        self.begin: tuple[float, float, int] | None = None

    def __call__(self, progress: Progress) -> None:
        """Count a step; end the block when its time is up."""
        if self.on:
            begin = time.thread_time()
            self.board(progress)
            self.inside += time.thread_time() - begin
        moment = (time.perf_counter(), time.process_time(), progress.images)
        if self.begin is None:
            self.begin = moment
            return
        wall, processor, images = (now - then for now, then in zip(moment, self.begin, strict=True))
        if wall >= self.seconds:
            self.blocks.append({"wall": images / wall, "cpu": images / processor})
            self.used += processor if self.on else 0.0
            self.on, self.begin = not self.on, moment


def measured(seconds: float, rounds: int) -> dict[str, Any]:
    """Train a net on scenes; the pace of each block, those without a board first."""
    import torch

    from coursekit.data import load_scenes
    from coursekit.nets import SegmentationNet
    from coursekit.training import fit
    from coursekit.widgets import TrainingBoard

    torch.set_num_threads(1)
    net, scenes, board = SegmentationNet(5), load_scenes(512), TrainingBoard(load_scenes(8, seed=1))
    fit(net, scenes, budget=1.0, on_step=board)
    turns = Turns(board, seconds)
    fit(net, scenes, budget=(2 * rounds + 0.5) * seconds, on_step=turns)
    return {"blocks": turns.blocks, "inside": turns.inside / turns.used}


def in_a_kernel(seconds: float, rounds: int) -> dict[str, Any]:
    """Measure in a kernel; also how much it sent to the browser."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    sent = {"messages": 0, "bytes": 0}

    def count(message: dict[str, Any]) -> None:
        if message["msg_type"] == "comm_msg":
            sent["messages"] += 1
            sent["bytes"] += len(json.dumps(message["content"]))

    here = Path(__file__).resolve()
    code = f"import sys, runpy; sys.path.insert(0, {str(here.parents[1])!r})\n"
    code += f"found = runpy.run_path({str(here)!r}, run_name='in_a_kernel')['measured']({seconds}, {rounds})"
    try:
        reply = client.execute_interactive(
            code, timeout=PATIENCE, output_hook=count, user_expressions={"found": "str(found)"}
        )["content"]
        if reply["status"] != "ok":
            raise RuntimeError("\n".join(reply["traceback"]))
        text = ast.literal_eval(reply["user_expressions"]["found"]["data"]["text/plain"])
        return {**ast.literal_eval(text), "sent": sent}
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def summed_up(found: dict[str, Any]) -> dict[str, Any]:
    """Medians over pairs of neighbours."""
    blocks = found.pop("blocks")
    pairs = list(zip(blocks[::2], blocks[1::2], strict=False))
    figures: dict[str, Any] = {**found, "pairs": len(pairs), "target": TARGET}
    for clock in ("cpu", "wall"):
        costs = [1 - board[clock] / bare[clock] for bare, board in pairs]
        low, cost, high = statistics.quantiles(costs, n=4)
        figures[clock] = {
            "without": statistics.median(bare[clock] for bare, _ in pairs),
            "with": statistics.median(board[clock] for _, board in pairs),
            "cost": cost,
            "quartiles": [low, high],
        }
    figures["target_met"] = figures["cpu"]["cost"] < TARGET and figures["inside"] < TARGET
    return figures


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="What a TrainingBoard costs.")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    options.add_argument("--seconds", type=float, default=4.0, help="length of a block (default 4)")
    options.add_argument("--rounds", type=int, default=15, help="pairs of blocks (default 15)")
    given = options.parse_args()
    figures = summed_up(in_a_kernel(given.seconds, given.rounds))
    if given.json:
        print(json.dumps(figures))
        return
    print(f"{'images a second':22}{'without':>10}{'with':>10}{'cost':>9}{'quartiles':>18}")
    for clock, name in (("cpu", "of processor time"), ("wall", "of the wall clock")):
        row = figures[clock]
        low, high = row["quartiles"]
        print(f"{name:22}{row['without']:10.1f}{row['with']:10.1f}{row['cost']:9.1%}{low:9.1%}{high:9.1%}")
    sent = figures["sent"]
    print(f"inside the board's call: {figures['inside']:.2%} of the processor's time")
    print(
        f"{sent['messages']} messages, {sent['bytes'] / 1e6:.2f} MB sent; medians of {figures['pairs']} pairs"
    )
    print(
        f"target: less than {TARGET:.0%} of processor time: {'met' if figures['target_met'] else 'NOT met'}"
    )


if __name__ == "__main__":
    main()
