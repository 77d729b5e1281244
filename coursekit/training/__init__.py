"""Training by a budget of seconds, and scores that say how good a mask is, or a label and a box.

The names load when first touched, so that the command line can name the choices without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.training.bakeoff import bake_off
    from coursekit.training.batches import flipped_sideways, varied
    from coursekit.training.box_scoring import BoxScores, predict_boxes
    from coursekit.training.checkpoints import load_weights
    from coursekit.training.failures import FailureAtlas, failure_atlas
    from coursekit.training.fitting import fit
    from coursekit.training.history import History
    from coursekit.training.joint import JointLoss, Truth
    from coursekit.training.losses import cross_entropy
    from coursekit.training.outlined import MaskBoxLoss
    from coursekit.training.phases import phase_spread
    from coursekit.training.scoring import MaskBoxScores, Scores, evaluate, predict_masks
    from coursekit.training.standings import BakeOff
    from coursekit.training.stopwatch import Progress

__all__ = [
    "BakeOff",
    "BoxScores",
    "FailureAtlas",
    "History",
    "JointLoss",
    "MaskBoxLoss",
    "MaskBoxScores",
    "Progress",
    "Scores",
    "Truth",
    "bake_off",
    "cross_entropy",
    "evaluate",
    "failure_atlas",
    "fit",
    "flipped_sideways",
    "load_weights",
    "phase_spread",
    "predict_boxes",
    "predict_masks",
    "varied",
]

_LIES_IN = {
    "BakeOff": "standings",
    "BoxScores": "box_scoring",
    "FailureAtlas": "failures",
    "bake_off": "bakeoff",
    "failure_atlas": "failures",
    "History": "history",
    "JointLoss": "joint",
    "MaskBoxLoss": "outlined",
    "MaskBoxScores": "scoring",
    "Progress": "stopwatch",
    "Scores": "scoring",
    "Truth": "joint",
    "cross_entropy": "losses",
    "evaluate": "scoring",
    "fit": "fitting",
    "flipped_sideways": "batches",
    "varied": "batches",
    "load_weights": "checkpoints",
    "phase_spread": "phases",
    "predict_boxes": "box_scoring",
    "predict_masks": "scoring",
}

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
