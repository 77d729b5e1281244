"""Small nets that say something about every pixel, or what is there and where; what they cost; own layers.

The names load when first touched, so that the command line can list the decoders without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.nets.costing import Cost, cost
    from coursekit.nets.measuring import Measured, measure_step
    from coursekit.nets.mirrored import Mirrored
    from coursekit.nets.names import UPSAMPLINGS
    from coursekit.nets.own_layers import own_layer
    from coursekit.nets.segmentation import SegmentationNet
    from coursekit.nets.two_heads import TwoHeadNet

__all__ = [
    "UPSAMPLINGS",
    "Cost",
    "Measured",
    "Mirrored",
    "SegmentationNet",
    "TwoHeadNet",
    "cost",
    "measure_step",
    "own_layer",
]

_LIES_IN = {
    "UPSAMPLINGS": "names",
    "Cost": "costing",
    "Measured": "measuring",
    "Mirrored": "mirrored",
    "SegmentationNet": "segmentation",
    "TwoHeadNet": "two_heads",
    "cost": "costing",
    "measure_step": "measuring",
    "own_layer": "own_layers",
}

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
