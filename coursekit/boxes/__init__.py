"""Boxes ``(x, y, width, height)`` with ``(x, y)`` the upper left corner: formats, IoU, GIoU, clipping.

A box is the last axis of a float tensor, ``(..., 4)``; leading axes are a batch. Everything is plain torch,
element by element and differentiable. torchvision (6 s to import) has IoUs of all pairs only, and gives NaN
for 0/0; the tests hold this room equal to it wherever both are defined.

What is out of the ordinary means the same everywhere:

* A side of 0 or below makes a box *empty*: its area is 0, and its overlap with anything is 0.
* Boxes that only touch have overlap 0.
* A NaN stays in its own box and in what is computed from it; other boxes of the batch are not affected.
* Boxes may lie outside of an image; `clip` cuts them.
"""

from coursekit.boxes.formats import clip, denormalize, normalize, xywh_to_xyxy, xyxy_to_xywh
from coursekit.boxes.from_masks import box_around_lines, box_from_mask
from coursekit.boxes.overlap import giou, iou, pairwise_iou

__all__ = [
    "box_around_lines",
    "box_from_mask",
    "clip",
    "denormalize",
    "giou",
    "iou",
    "normalize",
    "pairwise_iou",
    "xywh_to_xyxy",
    "xyxy_to_xywh",
]
