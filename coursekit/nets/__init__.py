"""Small nets that say something about every pixel, what they cost, and a learner's own layer inside them.

The names load when first touched, so that the command line can list the decoders without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.nets.costing import Cost, cost
    from coursekit.nets.measuring import Measured, measure_step
    from coursekit.nets.names import UPSAMPLINGS
    from coursekit.nets.own_layers import own_layer
    from coursekit.nets.segmentation import SegmentationNet

__all__ = ["UPSAMPLINGS", "Cost", "Measured", "SegmentationNet", "cost", "measure_step", "own_layer"]

_LIES_IN = {
    "UPSAMPLINGS": "names",
    "Cost": "costing",
    "Measured": "measuring",
    "SegmentationNet": "segmentation",
    "cost": "costing",
    "measure_step": "measuring",
    "own_layer": "own_layers",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in _LIES_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LIES_IN[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
