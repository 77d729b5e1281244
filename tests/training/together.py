"""What each process of test_several_processes.py runs: one task, and what it found as JSON."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import torch
from torch import nn

from coursekit.data import Samples, load_scenes
from coursekit.nets import SegmentationNet, TwoHeadNet
from coursekit.training import History, fit
from coursekit.training.losses import cross_entropy

RANK = int(os.environ.get("RANK", "0"))
STEPS = 40


def scenes() -> Samples:
    """Some masks have a large part that is ignored, so that parts of a batch weigh differently."""
    found = load_scenes(24, seed=3, size=32)
    found.masks[::3, :, :20] = 255
    found.boxes[1::4] = torch.nan
    return found


def small_net(norm: str = "group", seed: int | None = 0) -> nn.Module:
    return SegmentationNet(5, widths=(4, 8), norm=norm, seed=seed)


def two_heads(freeze: bool = False, seed: int = 0) -> nn.Module:
    return TwoHeadNet(5, widths=(4, 8), norm="group", freeze=freeze, seed=seed)


def checksum(net: nn.Module) -> list[float]:
    """Every number of a net, in order: JSON keeps them exactly."""
    return [float(each) for tensor in net.state_dict().values() for each in tensor.flatten().double()]


def told(net: nn.Module, history: History) -> dict:
    scores = history.scores
    return {
        "losses": [asdict(each) for each in history.losses],
        "steps": history.steps,
        "images": history.images,
        "batch": history.batch,
        "train_seconds": history.train_seconds,
        "evaluation_seconds": history.evaluation_seconds,
        "interrupted": history.interrupted,
        "diverged": history.diverged,
        "notes": history.notes,
        "miou": scores and scores.miou,
        "evaluations": len(history.evaluations),
        "weights": checksum(net),
    }


def run(**settings) -> dict:
    net = settings.pop("net", None) or small_net()
    return told(net, fit(net, scenes(), scenes()[:4], **{"steps": STEPS, **settings}))


def stopping(progress) -> None:
    if RANK == 1 and progress.step == 7:
        progress.stop()


def pressing(progress) -> None:
    if RANK == 1 and progress.step == 5:
        os.kill(os.getpid(), signal.SIGINT)


def spoilt(logits, masks):
    spoilt.calls += 1
    return cross_entropy(logits, masks) * (float("nan") if RANK == 1 and spoilt.calls > 15 else 1)


spoilt.calls = 0


def too_much(logits, masks):
    if RANK == 1 and len(logits) > 2:
        raise torch.OutOfMemoryError("too much")
    return cross_entropy(logits, masks)


def scores_seen() -> dict:
    seen = []
    run(steps=12, on_step=lambda progress: seen.append(progress.scores and progress.scores.miou))
    return {"seen": seen}


def refused(**settings) -> dict:
    try:
        fit(small_net(), scenes(), **{"steps": 3, **settings})
    except ValueError as problem:
        return {"refused": str(problem)}
    return {}


def resumed(folder: Path) -> dict:
    """Only the first process has the checkpoint; the net of the second is another one."""
    path = folder / f"run{RANK}"
    fit(small_net(), scenes(), steps=STEPS, checkpoint=path, on_step=stopping)
    return run(net=small_net(seed=RANK + 5), checkpoint=path, resume=True)


def broken_checkpoint(folder: Path) -> dict:
    """Only the first process sees that the file is broken."""
    path = folder / f"broken{RANK}"
    path.with_suffix(".safetensors").write_text("nothing")
    return refused(checkpoint=path, resume=True)


def everything(folder: Path) -> dict[str, dict]:
    return {
        "other seeds": refused(seed=RANK),
        "a small batch": refused(batch=1),
        "a broken checkpoint": broken_checkpoint(folder),
        "curve": run(),
        "uneven": run(batch=7),
        "boxes": run(net=two_heads(), batch=7),
        "frozen": run(net=two_heads(freeze=True, seed=RANK)),
        "batch norm": run(net=small_net("batch")),
        "unlike seeds": run(net=small_net(seed=RANK), steps=3),
        "budget": run(budget=1.0, steps=None),
        "stopped": run(on_step=stopping),
        "pressed": run(on_step=pressing),
        "nan": run(loss=spoilt),
        "memory": run(loss=too_much),
        "resumed": resumed(folder),
        "scores seen": scores_seen(),
        "files": {"there": sorted(each.name for each in folder.glob("run*"))},
    }


def alone() -> dict[str, dict]:
    boxes = {"boxes": run(net=two_heads(), batch=7), "frozen": run(net=two_heads(freeze=True))}
    return {"curve": run(), "uneven": run(batch=7), **boxes, "unlike seeds": run(steps=3)}


def lost(how) -> dict[str, dict]:
    from coursekit.training import several

    several.PATIENCE = timedelta(seconds=4)

    def on_step(progress):
        if RANK == 1 and progress.step == 3:
            how()

    try:
        run(on_step=on_step)
    except ConnectionError as problem:
        return {"lost": {"said": str(problem)}}
    return {"lost": {}}


def dies(folder: Path) -> dict[str, dict]:
    return lost(lambda: os._exit(3))


def hangs(folder: Path) -> dict[str, dict]:
    return lost(lambda: time.sleep(60))


def raises(folder: Path) -> dict[str, dict]:
    """An error that the program survives: the process is there, and takes no part any more."""

    def fails():
        raise ArithmeticError("on_step of process 1")

    try:
        found = lost(fails)
    except ArithmeticError as problem:
        found = {"lost": {"own": str(problem)}}
        time.sleep(8)
    return found


def long_run(folder: Path) -> dict[str, dict]:
    def on_step(progress):
        if progress.step == 3:
            (folder / f"at-work{RANK}").touch()

    return {"long": run(budget=120, steps=None, on_step=on_step)}


if __name__ == "__main__":
    task, folder = sys.argv[1], Path(sys.argv[2])
    found = globals()[task](folder)
    (folder / f"{task}{RANK}.json").write_text(json.dumps(found))
