"""Train once and write down what the board showed, so that a page without Python can play it again.

``python -m coursekit.site.recording`` writes ``recorded.json`` in this folder, in about two minutes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.boxes import normalize
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet, TwoHeadNet
from coursekit.training import JointLoss, Progress, Truth, fit
from coursekit.widgets import Tug, training_board

RECORDED = Path(__file__).parent / "recorded.json"
SECONDS = 30
LOOKED_AT = 32  # pictures from which the two losses' gradients are taken


def main() -> None:
    """Record both runs."""
    torch.manual_seed(0)
    told = {"board": recorded_board(), "tug": recorded_pulls()}
    RECORDED.write_text(json.dumps(told, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{RECORDED.name}: {RECORDED.stat().st_size / 1000:.0f} kB")


def recorded_board(seconds: float = SECONDS) -> dict[str, Any]:
    """A run on scenes as its board told it: what stays the same, and frames with what changed."""
    training_board.SHARE = 0.1  # more news than a learner's run would want to pay for
    scenes = load_scenes(2200)
    board = training_board.TrainingBoard(scenes[2000:], gallery=4, every=1.5)
    frames: list[dict[str, Any]] = []

    def note(change: Any) -> None:
        frames.append({change["name"]: change["new"]})

    board.observe(note, ["now", "predictions"])
    net = SegmentationNet(len(scenes.classes), "unet")
    board.finished(fit(net, scenes[:2000], scenes[2000:], budget=seconds, on_step=board))
    state = board.get_state(["curves", "pictures", "legend"])
    return {"state": state, "frames": _thinned(frames)}


def _thinned(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Half a second apart at least, with all pictures, and the last as it is."""
    kept: list[dict[str, Any]] = []
    last, pictures = -1.0, None
    for frame in frames:
        pictures = frame.get("predictions", pictures)
        now = frame.get("now")
        if now is None or (now["state"] == "training" and now["seconds"] - last < 0.5):
            continue
        last = now["seconds"]
        kept.append({"now": now} | ({"predictions": pictures} if pictures is not None else {}))
        pictures = None
    return kept


def recorded_pulls(seconds: float = 12) -> dict[str, Any]:
    """Two heads trained together: how their losses pull at the features, at the end and on the way."""
    scenes = load_scenes(2200, objects=1)
    practice, test = scenes[:2000], scenes[2000:]
    net = TwoHeadNet(len(practice.label_names))
    looks: list[tuple[int, float | None]] = []

    def watch(progress: Progress) -> None:
        if progress.step % 10 == 1:
            looks.append((progress.step, _angle(*_gradients(net.eval(), test))))
            net.train()

    fit(net, practice, budget=seconds, batch=16, rate=5e-3, on_step=watch)
    one, other = _gradients(net.eval(), test)
    tug = Tug(one, other, angles=looks)
    return {"lengths": tug.lengths, "cosine": tug.cosine, "looks": tug.looks}


def _gradients(net: TwoHeadNet, test: Any) -> tuple[Tensor, Tensor]:
    features = net.features(test.images[:LOOKED_AT])
    scores, boxes = net.heads(features)
    truth = Truth(test.labels[:LOOKED_AT], normalize(test.boxes[:LOOKED_AT], test.images.shape[-2:]))
    losses = JointLoss().parts(scores, boxes, truth)
    pulls = [torch.autograd.grad(loss, features, retain_graph=True)[0].flatten() for loss in losses]
    return pulls[0], pulls[1]


def _angle(one: Tensor, other: Tensor) -> float | None:
    lengths = one.norm() * other.norm()
    return float(torch.rad2deg(torch.acos((one @ other / lengths).clamp(-1, 1)))) if lengths else None


if __name__ == "__main__":
    main()
