"""Small nets that say something about every pixel, what they cost, and a learner's own layer inside them."""

from coursekit.nets.costing import Cost, cost
from coursekit.nets.decoders import UPSAMPLINGS
from coursekit.nets.own_layers import own_layer
from coursekit.nets.segmentation import SegmentationNet

__all__ = ["UPSAMPLINGS", "Cost", "SegmentationNet", "cost", "own_layer"]
