"""Score a net on samples: every figure from counts over the whole data set, beside a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.boxes import iou
from coursekit.training.boundaries import BoundaryCounts
from coursekit.training.box_scoring import BoxScores, score_boxes
from coursekit.training.confusion import accuracy, always, class_dices, class_ious, confusion, mean_of_present
from coursekit.training.given import Given, device_of, judging, require_net
from coursekit.training.locating import Located, given_for
from coursekit.training.outlined import Outlined, gives_both, mask_logits
from coursekit.training.tables import Table

AT_ONCE = 64


@dataclass(frozen=True, eq=False, repr=False)
class Scores(Table):
    """How good predicted masks are. All figures go from 0 to 1, and 1 is perfect.

    The baseline is what answering the most frequent class everywhere would score; it draws no boundary.

    Attributes
    ----------
    miou : float
        Mean over the classes that occur of intersection over union, from one confusion matrix.
    pixel_accuracy : float
        The share of labelled pixels whose class is right.
    boundary_iou, boundary_f1 : float
        As :class:`coursekit.training.boundaries.BoundaryCounts` defines them.
    class_iou, class_dice : tuple of float
        Of each class; NaN for a class that neither truth nor prediction has.
    matrix : Tensor
        ``(classes, classes)``: true classes down, predicted classes across.
    images : int
        How many images were scored.
    """

    miou: float
    pixel_accuracy: float
    boundary_iou: float
    boundary_f1: float
    baseline_miou: float
    baseline_pixel_accuracy: float
    baseline_boundary_iou: float
    baseline_boundary_f1: float
    class_iou: tuple[float, ...]
    class_dice: tuple[float, ...]
    classes: tuple[str, ...]
    matrix: Tensor
    images: int

    def rows(self) -> list[tuple[str, float, float | None]]:
        """``(name, score, baseline)`` of every figure, for a table."""
        figures: list[tuple[str, float, float | None]] = [
            ("mean IoU", self.miou, self.baseline_miou),
            ("pixel accuracy", self.pixel_accuracy, self.baseline_pixel_accuracy),
            ("boundary IoU", self.boundary_iou, self.baseline_boundary_iou),
            ("boundary F1", self.boundary_f1, self.baseline_boundary_f1),
        ]
        named = zip(self.classes, self.class_iou, strict=True)
        return figures + [(f"IoU of {name}", iou, None) for name, iou in named]

    @property
    def baseline(self) -> str:
        """What the baseline answers."""
        return "the most frequent class everywhere"

    @property
    def against(self) -> str:
        """The same where there is little room."""
        return "one class everywhere"


@dataclass(frozen=True, eq=False, repr=False)
class MaskBoxScores(Scores):
    """How good masks are, and the boxes that the same net gives.

    Attributes
    ----------
    box_iou, baseline_box_iou : float
        Mean over the images that have a box of the intersection over union with it; the baseline answers the
        mean box everywhere.
    """

    box_iou: float
    baseline_box_iou: float

    def rows(self) -> list[tuple[str, float, float | None]]:
        """The masks' figures, with the boxes' after the first."""
        first, *others = super().rows()
        return [first, ("mean IoU of the boxes", self.box_iou, self.baseline_box_iou), *others]


def evaluate(net: nn.Module, samples: Any) -> Scores | BoxScores:
    """Score a net's masks against the true ones; or labels and boxes, of a net of two heads.

    Parameters
    ----------
    net : nn.Module
        Takes images, gives logits ``(N, classes, H, W)``, or a pair ``(logits, boxes)`` as
        :class:`coursekit.nets.TwoHeadNet` does. Its mode (training or not) is put back.
    samples : Samples, or a pair of tensors
        Images with their masks, or with ``(labels, boxes)``.

    Returns
    -------
    Scores or BoxScores

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> from coursekit.nets import SegmentationNet
    >>> evaluate(SegmentationNet(5), load_scenes(4)).images
    4
    """
    require_net(net)
    return score(net, given_for(net, samples, "samples"))


def score(net: nn.Module, given: Given) -> Scores | BoxScores:
    """:func:`evaluate` for samples that were checked before."""
    if isinstance(given, Located):
        return score_boxes(net, given)
    count = len(given.classes)
    matrix = torch.zeros(count, count, dtype=torch.int64)
    boundaries = BoundaryCounts(count)
    boxes = []
    for (predicted, box), truth in zip(_answers(net, given), given.masks.split(AT_ONCE), strict=True):
        truth = truth.to(predicted.device)
        matrix += confusion(predicted, truth, count).cpu()
        boundaries.add(predicted, truth)
        boxes.append(box)
    scores = _summed_up(matrix, boundaries, given)
    return (
        _with_boxes(scores, torch.cat(boxes).cpu(), given.boxes.cpu())
        if isinstance(given, Outlined)
        else scores
    )


def _with_boxes(scores: Scores, boxes: Tensor, true: Tensor) -> MaskBoxScores:
    there = true.isfinite().all(1)
    true = true[there]
    fits, mean_fits = (iou(each, true) for each in (boxes[there], true.mean(0).expand_as(true)))
    return MaskBoxScores(**vars(scores), box_iou=float(fits.mean()), baseline_box_iou=float(mean_fits.mean()))


def _summed_up(matrix: Tensor, boundaries: BoundaryCounts, given: Given) -> Scores:
    majority = int(matrix.sum(1).argmax())
    baseline = always(majority, matrix)
    return Scores(
        mean_of_present(class_ious(matrix)),
        accuracy(matrix),
        boundaries.iou,
        boundaries.f1,
        mean_of_present(class_ious(baseline)),
        accuracy(baseline),
        0.0,  # it draws no boundary
        boundaries.f1_without_edges,
        tuple(class_ious(matrix).tolist()),
        tuple(class_dices(matrix).tolist()),
        given.classes,
        matrix,
        len(given.images),
    )


def predict_masks(net: nn.Module, samples: Any) -> Tensor:
    """The most probable class of every pixel.

    Parameters
    ----------
    net : nn.Module
        Takes images, gives logits ``(N, classes, H, W)``.
    samples : Samples, a pair of tensors, or images ``(N, 3, H, W)``
        What to look at. Masks are not looked at.

    Returns
    -------
    Tensor
        ``(N, H, W)`` uint8, where the images are.
    """
    require_net(net)
    given = Given.of_images(samples)
    return torch.cat([masks for masks, _ in _answers(net, given)]).to(given.images.device)


def _answers(net: nn.Module, given: Given) -> Iterator[tuple[Tensor, Tensor]]:
    """Masks ``(n, H, W)``, and boxes ``(n, 4)`` of a net that gives any, some images at a time."""
    device = device_of(net)
    with judging(net), torch.inference_mode():
        for images in given.images.split(AT_ONCE):
            answer = net(images.to(device))
            boxes = answer[1].float() if gives_both(answer) else torch.empty(len(images), 0)
            yield mask_logits(answer).argmax(1).to(torch.uint8), boxes
