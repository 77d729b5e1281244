"""Widgets for notebooks, apps and static pages: one class, one script and one style sheet each.

Names load on first use, so that importing one widget does not import the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coursekit.widgets.grid_explorer import GridExplorer as GridExplorer
    from coursekit.widgets.mask_lab import MaskLab as MaskLab
    from coursekit.widgets.predicting import Predict as Predict
    from coursekit.widgets.progress_map import ProgressMap as ProgressMap
    from coursekit.widgets.quizzing import Quiz as Quiz
    from coursekit.widgets.side_by_side import SideBySide as SideBySide
    from coursekit.widgets.switch_surgery import SwitchSurgery as SwitchSurgery
    from coursekit.widgets.training_board import TrainingBoard as TrainingBoard

_HOMES = {
    "GridExplorer": "grid_explorer",
    "MaskLab": "mask_lab",
    "Predict": "predicting",
    "ProgressMap": "progress_map",
    "Quiz": "quizzing",
    "SideBySide": "side_by_side",
    "SwitchSurgery": "switch_surgery",
    "TrainingBoard": "training_board",
}

__all__ = [
    "GridExplorer",
    "MaskLab",
    "Predict",
    "ProgressMap",
    "Quiz",
    "SideBySide",
    "SwitchSurgery",
    "TrainingBoard",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
