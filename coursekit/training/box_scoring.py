"""Score a net of two heads: whether it names what is there, and how well its box fits, beside a baseline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.boxes import denormalize, iou
from coursekit.training.confusion import accuracy, confusion
from coursekit.training.given import Given, device_of, judging, require_net
from coursekit.training.locating import Located, truth_in
from coursekit.training.tables import Table

AT_ONCE = 64
FITS = 0.5  # the IoU from which a box is said to have found its object


@dataclass(frozen=True, eq=False, repr=False)
class BoxScores(Table):
    """How good labels and boxes are. All figures go from 0 to 1, and 1 is perfect.

    The baseline answers the most frequent label, and the same box for every image: the mean of the training
    boxes (of the scored ones, where nobody trained).

    Attributes
    ----------
    accuracy : float
        The share of images with the right label.
    mean_iou : float
        Mean over the images that have a box of the intersection over union with it.
    found : float
        The share of images with a box where the label is right and the IoU at least 0.5.
    matrix : Tensor
        ``(labels, labels)``: true labels down, predicted labels across.
    images, boxes : int
        How many images were scored, and how many of them have a box.
    """

    accuracy: float
    mean_iou: float
    found: float
    baseline_accuracy: float
    baseline_iou: float
    baseline_found: float
    classes: tuple[str, ...]
    matrix: Tensor
    images: int
    boxes: int

    @property
    def miou(self) -> float:
        """The mean IoU, as boards and bars ask for it."""
        return self.mean_iou

    @property
    def baseline_miou(self) -> float:
        """The baseline's mean IoU."""
        return self.baseline_iou

    @property
    def baseline(self) -> str:
        """What the baseline answers."""
        return "the mean box, and the most frequent label"

    @property
    def against(self) -> str:
        """The same where there is little room."""
        return "the mean box"

    def rows(self) -> list[tuple[str, float, float | None]]:
        """``(name, score, baseline)`` of every figure, for a table."""
        return [
            ("mean IoU", self.mean_iou, self.baseline_iou),
            ("accuracy", self.accuracy, self.baseline_accuracy),
            ("found (IoU ≥ 0.5)", self.found, self.baseline_found),
        ]


def score_boxes(net: nn.Module, given: Located) -> BoxScores:
    """Score labels and boxes of samples that were checked before."""
    truth = truth_in(given.masks)
    answers = list(_answers(net, given))
    labels = torch.cat([each for each, _ in answers]).cpu()
    boxes = torch.cat([each for _, each in answers]).cpu()
    true_labels, true_boxes = truth.labels.cpu(), truth.boxes.cpu()
    matrix = confusion(labels, true_labels, len(given.classes)).cpu()
    often = int(matrix.sum(1).argmax())
    there = true_boxes.isfinite().all(1)
    fits = iou(boxes[there], true_boxes[there])
    mean_fits = iou(given.mean_box.cpu().expand_as(true_boxes[there]), true_boxes[there])
    right, guessed = (labels == true_labels)[there], (true_labels == often)[there]
    return BoxScores(
        accuracy(matrix),
        float(fits.mean()),
        float((right & (fits >= FITS)).float().mean()),
        float(matrix.sum(1)[often] / matrix.sum()),
        float(mean_fits.mean()),
        float((guessed & (mean_fits >= FITS)).float().mean()),
        given.classes,
        matrix,
        len(labels),
        int(there.sum()),
    )


def predict_boxes(net: nn.Module, samples: Any) -> tuple[Tensor, Tensor]:
    """The most probable label and the box of every image.

    Parameters
    ----------
    net : nn.Module
        Of two heads, such as :class:`coursekit.nets.TwoHeadNet`.
    samples : Samples, or images ``(N, 3, H, W)``
        What to look at; labels and boxes are not looked at.

    Returns
    -------
    labels : Tensor
        ``(N,)`` int64.
    boxes : Tensor
        ``(N, 4)`` float ``(x, y, width, height)`` in pixels.
    """
    require_net(net)
    given = Given.of_images(samples)
    answers = zip(*_answers(net, given), strict=True)
    labels, boxes = (torch.cat(column).to(given.images.device) for column in answers)
    return labels, denormalize(boxes, given.images.shape[2:])


def _answers(net: nn.Module, given: Given) -> Iterator[tuple[Tensor, Tensor]]:
    device = device_of(net)
    with judging(net), torch.inference_mode():
        for images in given.images.split(AT_ONCE):
            logits, boxes = net(images.to(device))
            yield logits.argmax(1), boxes.float()
