"""Scores that look at edges only: a mask can have nearly all pixels right and every edge wrong.

An edge lies between two pixels of different classes. The frame of the image is none: nobody knows what lies
beyond. Where the truth leaves a border unlabelled, as the trimaps of the pets do, the edge is taken to run
through its middle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.training.losses import IGNORE

# Cheng et al. take 2 % of the diagonal: 1.8 pixels at 64x64.
BAND = 2
# Csurka et al. and Martin et al. allow 0.75 % of the diagonal: 0.7 pixels at 64x64.
TOLERANCE = 1


def _largest_near(values: Tensor, distance: int) -> Tensor:
    """The largest of ``values`` ``(N, H, W)`` at most ``distance`` rows and columns away."""
    side = 2 * distance + 1
    return functional.max_pool2d(values.float()[:, None], side, stride=1, padding=distance)[:, 0]


def without_gaps(masks: Tensor) -> Tensor:
    """Every ignored pixel takes the class of the nearest labelled one; of several, the largest number.

    Nearest in rows and columns, a diagonal step being one. An image without any label stays as it is.

    Examples
    --------
    >>> without_gaps(torch.tensor([[[0, 255, 255, 255, 255, 1]]])).tolist()
    [[[0, 0, 0, 1, 1, 1]]]
    """
    signed = torch.where(masks == IGNORE, -1, masks.int())
    fillable = (signed >= 0).flatten(1).any(1)[:, None, None]
    while bool(((signed < 0) & fillable).any()):
        signed = torch.where(signed < 0, _largest_near(signed, 1).int(), signed)
    return torch.where(signed < 0, IGNORE, signed).to(masks.dtype)


def boundary_band(masks: Tensor, width: int = BAND) -> Tensor:
    """The pixels that lie at most ``width`` pixels from a pixel of another class.

    Parameters
    ----------
    masks : Tensor
        ``(N, H, W)`` whole numbers, 255 ignored.
    width : int
        Rows and columns; diagonal neighbours are 1 apart.

    Returns
    -------
    Tensor
        ``(N, H, W)`` bool.

    Examples
    --------
    >>> boundary_band(torch.tensor([[[0, 0, 0, 0, 1]]]), width=2).int().tolist()
    [[[0, 0, 1, 1, 1]]]
    """
    labelled = masks != IGNORE
    signed = masks.int()
    largest = _largest_near(torch.where(labelled, signed, -IGNORE), width)
    smallest = -_largest_near(torch.where(labelled, -signed, -IGNORE), width)
    return labelled & ((largest != signed) | (smallest != signed))


def contours(masks: Tensor) -> Tensor:
    """The pixels that touch a pixel of another class above, below or beside them, ``(N, H, W)`` bool."""
    found = torch.zeros_like(masks, dtype=torch.bool)
    for axis in (1, 2):
        length = masks.shape[axis] - 1
        here, there = masks.narrow(axis, 0, length), masks.narrow(axis, 1, length)
        differs = (here != there) & (here != IGNORE) & (there != IGNORE)
        for start in (0, 1):  # both sides of the edge
            found.narrow(axis, start, length).logical_or_(differs)
    return found


@dataclass
class BoundaryCounts:
    """Boundary IoU and boundary F1, counted over a whole data set a batch at a time.

    Notes
    -----
    *Boundary IoU* is the IoU of the two bands that reach two pixels into each class, the mean over classes:
    Cheng et al. 2021, https://arxiv.org/abs/2103.16562. Its code counts the frame as an edge; this does not.
    *Boundary F1* asks only where edges are, not between which classes: the share of predicted contour
    pixels with a true one at most one pixel away, the share of true ones with a predicted one, and their
    harmonic mean: Martin et al. 2004, https://doi.org/10.1109/TPAMI.2004.1273918; Csurka et al. 2013,
    https://doi.org/10.5244/C.27.32. Here the counts are of the whole data set, not of each image.
    """

    classes: int
    both: Tensor = field(init=False)
    either: Tensor = field(init=False)
    matched: Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.int64))
    drawn: Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.int64))

    def __post_init__(self) -> None:
        self.both = torch.zeros(self.classes, dtype=torch.int64)
        self.either = torch.zeros(self.classes, dtype=torch.int64)

    def add(self, predicted: Tensor, truth: Tensor) -> None:
        """Count one batch of masks ``(N, H, W)``."""
        truth = without_gaps(truth)
        predicted = torch.where(truth == IGNORE, IGNORE, predicted).to(truth.dtype)
        ours, theirs = boundary_band(predicted), boundary_band(truth)
        both = self._of_each_class(truth, ours & theirs & (predicted == truth))
        self.both += both
        self.either += self._of_each_class(predicted, ours) + self._of_each_class(truth, theirs) - both
        edges = contours(predicted), contours(truth)
        for side, (mine, other) in enumerate((edges, edges[::-1])):
            self.matched[side] += (mine & (_largest_near(other, TOLERANCE) > 0)).sum().cpu()
            self.drawn[side] += mine.sum().cpu()

    def _of_each_class(self, masks: Tensor, where: Tensor) -> Tensor:
        return torch.bincount(masks[where].long(), minlength=self.classes).cpu()

    @property
    def iou(self) -> float:
        """The mean over classes that have a boundary on either side; 0 if none has."""
        present = self.either > 0
        return float((self.both[present] / self.either[present]).mean()) if present.any() else 0.0

    @property
    def f1(self) -> float:
        """From 0 to 1; 1 where neither side has an edge, 0 where one side alone has none."""
        if not self.drawn.any():
            return 1.0
        precision, recall = (self.matched / self.drawn.clamp_min(1)).tolist()
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    @property
    def f1_without_edges(self) -> float:
        """What a prediction of one class everywhere scores against the same truth."""
        return 0.0 if self.drawn[1] else 1.0
