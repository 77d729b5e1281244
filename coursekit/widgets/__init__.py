"""Widgets for notebooks, apps and static pages: one class, one script and one style sheet each.

Names load on first use, so that importing one widget does not import the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.widgets.box_lab import BoxLab as BoxLab
    from coursekit.widgets.grid_explorer import GridExplorer as GridExplorer
    from coursekit.widgets.mask_lab import MaskLab as MaskLab
    from coursekit.widgets.predicting import Predict as Predict
    from coursekit.widgets.progress_map import ProgressMap as ProgressMap
    from coursekit.widgets.quizzing import Quiz as Quiz
    from coursekit.widgets.side_by_side import SideBySide as SideBySide
    from coursekit.widgets.switch_surgery import SwitchSurgery as SwitchSurgery
    from coursekit.widgets.training_board import TrainingBoard as TrainingBoard
    from coursekit.widgets.tugging import Tug as Tug

_LIES_IN = {
    "BoxLab": "box_lab",
    "GridExplorer": "grid_explorer",
    "MaskLab": "mask_lab",
    "Predict": "predicting",
    "ProgressMap": "progress_map",
    "Quiz": "quizzing",
    "SideBySide": "side_by_side",
    "SwitchSurgery": "switch_surgery",
    "TrainingBoard": "training_board",
    "Tug": "tugging",
}

__all__ = [
    "BoxLab",
    "GridExplorer",
    "MaskLab",
    "Predict",
    "ProgressMap",
    "Quiz",
    "SideBySide",
    "SwitchSurgery",
    "TrainingBoard",
    "Tug",
]

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
