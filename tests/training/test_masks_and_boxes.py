"""A net of masks and boxes in the loop: the box is read off the mask, and both are scored."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.boxes import iou
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet
from coursekit.nets.box_heads import SpatialBoxHead
from coursekit.training import (
    MaskBoxLoss,
    MaskBoxScores,
    cross_entropy,
    evaluate,
    fit,
    flipped_sideways,
    predict_masks,
    varied,
)
from coursekit.training.outlined import boxes_around
from coursekit.training.telling import as_plain, from_plain


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.masks = SegmentationNet(5, "nearest", widths=(8, 16))
        self.box = SpatialBoxHead(5)

    def forward(self, images):
        scores = self.masks(images)
        return scores, self.box(nn.functional.avg_pool2d(scores, 4))


@pytest.fixture(scope="module")
def scenes():
    return load_scenes(96, objects=1)


def test_boxes_around_masks_are_the_scenes_own(scenes):
    assert torch.allclose(boxes_around(scenes.masks) * 64, scenes.boxes)
    empty = boxes_around(torch.tensor([[[0, 255]]]))
    assert empty.isnan().all()


@pytest.mark.parametrize("augment", [flipped_sideways, varied, None])
def test_training_makes_the_loss_small(scenes, augment):
    net = Both()
    history = fit(net, scenes, scenes, steps=40, augment=augment)
    assert isinstance(history.scores, MaskBoxScores)
    assert history.loss < history.losses[0].loss
    assert 0 < history.scores.box_iou <= 1
    assert "mean IoU of the boxes" in repr(history)


def test_the_loss_is_both_parts(scenes):
    net = Both().eval()
    with torch.no_grad():
        answer = net(scenes.images[:8])
    alone = cross_entropy(answer[0], scenes.masks[:8])
    assert MaskBoxLoss(0)(answer, scenes.masks[:8]) == alone
    assert MaskBoxLoss(2)(answer, scenes.masks[:8]) - alone == pytest.approx(
        2 * float(MaskBoxLoss(1)(answer, scenes.masks[:8]) - alone), rel=1e-4
    )
    perfect = answer[0], boxes_around(scenes.masks[:8])
    assert MaskBoxLoss()(perfect, scenes.masks[:8]) == pytest.approx(float(alone), rel=1e-5)


def test_an_image_without_a_box_gives_a_gradient_that_is_a_number():
    boxes = torch.full((2, 4), 0.3, requires_grad=True)
    logits = torch.zeros(2, 2, 4, 4, requires_grad=True)
    MaskBoxLoss()((logits, boxes), torch.zeros(2, 4, 4, dtype=torch.uint8)).backward()
    assert boxes.grad.isfinite().all()


def test_scores_are_of_masks_and_of_boxes(scenes):
    net = Both().eval()
    scores = evaluate(net, scenes)
    with torch.no_grad():
        masks, boxes = net(scenes.images)
    assert torch.equal(predict_masks(net, scenes), masks.argmax(1).to(torch.uint8))
    assert scores.box_iou == pytest.approx(float(iou(boxes * 64, scenes.boxes).mean()), abs=1e-5)
    alone = evaluate(net.masks, scenes)
    assert scores.miou == alone.miou
    assert not isinstance(alone, MaskBoxScores)
    assert vars(from_plain(as_plain(scores)))["box_iou"] == scores.box_iou


@pytest.mark.parametrize("weight", [-1, float("nan"), True, "1"])
def test_a_weight_that_cannot_be_is_refused(weight):
    with pytest.raises(ValueError, match="weight"):
        MaskBoxLoss(weight)
