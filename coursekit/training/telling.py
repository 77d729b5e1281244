"""Scores as plain figures, for a process that did not compute them."""

from __future__ import annotations

from typing import Any

import torch

from coursekit.training.box_scoring import BoxScores
from coursekit.training.scoring import MaskBoxScores, Scores


def as_plain(scores: Scores | BoxScores) -> dict[str, Any]:
    """Figures that JSON can say.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> from coursekit.nets import SegmentationNet
    >>> from coursekit.training import evaluate
    >>> scores = evaluate(SegmentationNet(5), load_scenes(2))
    >>> from_plain(as_plain(scores)).miou == scores.miou
    True
    """
    return {**vars(scores), "matrix": scores.matrix.tolist()}


def from_plain(plain: dict[str, Any]) -> Scores | BoxScores:
    """The scores again."""
    figures: dict[str, Any] = {
        name: tuple(each) if isinstance(each, list) else each for name, each in plain.items()
    }
    figures["matrix"] = torch.tensor(plain["matrix"], dtype=torch.int64)
    kind = BoxScores if "mean_iou" in figures else MaskBoxScores if "box_iou" in figures else Scores
    return kind(**figures)
