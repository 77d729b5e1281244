"""Scores against plain loops and against torchmetrics."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from coursekit.training import evaluate, predict_masks
from coursekit.training.boundaries import BoundaryCounts, boundary_band, contours
from coursekit.training.confusion import accuracy, class_dices, class_ious, confusion, mean_of_present


class Answers(nn.Module):
    """Predicts what it was told, image by image."""

    def __init__(self, masks, classes):
        super().__init__()
        self.masks, self.classes, self.at = masks, classes, 0

    def forward(self, images):
        masks = self.masks[self.at : self.at + len(images)]
        self.at += len(images)
        return nn.functional.one_hot(masks.long(), self.classes).permute(0, 3, 1, 2).float()


def masks_of(seed, count=3, rows=9, columns=11, classes=4, ignored=True):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, classes, (count, 1, 3, 4), generator=generator).float()
    masks = nn.functional.interpolate(coarse, size=(rows, columns), mode="nearest")[:, 0].to(torch.uint8)
    if ignored:
        masks[torch.rand(masks.shape, generator=generator) < 0.1] = 255
    return masks


def around(mask, r, c, far):
    """The values at most ``far`` rows and columns away."""
    rows = range(max(0, r - far), min(len(mask), r + far + 1))
    columns = range(max(0, c - far), min(len(mask[0]), c + far + 1))
    return [mask[y][x] for y in rows for x in columns]


def in_band(mask, r, c):
    return mask[r][c] != 255 and any(other not in (255, mask[r][c]) for other in around(mask, r, c, 2))


def on_contour(mask, r, c):
    places = [(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)]
    beside = [mask[y][x] for y, x in places if 0 <= y < len(mask) and 0 <= x < len(mask[0])]
    return mask[r][c] != 255 and any(other not in (255, mask[r][c]) for other in beside)


def drawing(mask):
    return [[on_contour(mask, r, c) for c in range(len(mask[0]))] for r in range(len(mask))]


def filled(mask):
    """Ring by ring, an ignored pixel takes the largest class that touches it."""
    if all(value == 255 for row in mask for value in row):
        return mask
    while any(value == 255 for row in mask for value in row):
        mask = [
            [
                max((v for v in around(mask, r, c, 1) if v != 255), default=255) if value == 255 else value
                for c, value in enumerate(row)
            ]
            for r, row in enumerate(mask)
        ]
    return mask


def by_loops(predicted, truth, classes):
    """Confusion, boundary IoU and boundary F1 as their definitions say, a pixel at a time."""
    matrix = torch.zeros(classes, classes, dtype=torch.int64)
    both, either = [0] * classes, [0] * classes
    hits, drawn = [0, 0], [0, 0]
    for ours, theirs in zip(predicted.tolist(), truth.tolist(), strict=True):
        cells = [(r, c) for r in range(len(theirs)) for c in range(len(theirs[0]))]
        for r, c in cells:
            if theirs[r][c] != 255:
                matrix[theirs[r][c]][ours[r][c]] += 1
        theirs = filled(theirs)
        drawings = drawing(ours), drawing(theirs)
        for r, c in cells:
            mine, true = in_band(ours, r, c), in_band(theirs, r, c)
            for number in range(classes):
                one, two = mine and ours[r][c] == number, true and theirs[r][c] == number
                both[number] += one and two
                either[number] += one or two
            for side in (0, 1):
                drawn[side] += drawings[side][r][c]
                hits[side] += drawings[side][r][c] and any(around(drawings[1 - side], r, c, 1))
    ious = [b / e for b, e in zip(both, either, strict=True) if e]
    precision, recall = (h / d if d else 0.0 for h, d in zip(hits, drawn, strict=True))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else float(not any(drawn))
    return matrix, sum(ious) / len(ious) if ious else 0.0, f1


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.booleans())
def test_scores_are_what_their_definitions_say(seed, ignored):
    truth, predicted = masks_of(seed, ignored=ignored), masks_of(seed + 1, ignored=False)
    matrix, boundary_iou, boundary_f1 = by_loops(predicted, truth, 4)
    images = torch.zeros(3, 3, 9, 11, dtype=torch.uint8)
    scores = evaluate(Answers(predicted, 4), (images, truth))
    assert torch.equal(scores.matrix[: len(matrix), : len(matrix)], matrix)
    assert scores.boundary_iou == pytest.approx(boundary_iou)
    assert scores.boundary_f1 == pytest.approx(boundary_f1)
    ious = [
        float(matrix[k, k] / union)
        for k in range(4)
        if (union := int(matrix[k].sum() + matrix[:, k].sum() - matrix[k, k]))
    ]
    assert scores.miou == pytest.approx(sum(ious) / len(ious))
    assert scores.pixel_accuracy == pytest.approx(float(matrix.diagonal().sum() / matrix.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_torchmetrics_agrees(seed):
    # It loads torchvision and the compiler, many seconds: the course counts by itself, and tests with it.
    from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score, MulticlassJaccardIndex

    truth, predicted = masks_of(seed), masks_of(seed + 50, ignored=False)
    truth[truth == 2] = 3
    predicted[predicted == 2] = 3  # class 2 is absent on both sides
    matrix = confusion(predicted, truth, 4)
    jaccard = MulticlassJaccardIndex(4, average="macro", ignore_index=255)
    assert mean_of_present(class_ious(matrix)) == pytest.approx(float(jaccard(predicted, truth)), abs=1e-6)
    micro = MulticlassAccuracy(4, average="micro", ignore_index=255)
    assert accuracy(matrix) == pytest.approx(float(micro(predicted, truth)), abs=1e-6)
    dice = MulticlassF1Score(4, average="none", ignore_index=255)(predicted, truth)
    assert class_dices(matrix)[[0, 1, 3]].tolist() == pytest.approx(dice[[0, 1, 3]].tolist(), abs=1e-6)


def test_a_perfect_answer_scores_1_everywhere():
    truth = masks_of(1, ignored=False)
    scores = evaluate(Answers(truth, 4), (torch.zeros(3, 3, 9, 11), truth))
    assert (scores.miou, scores.pixel_accuracy, scores.boundary_iou, scores.boundary_f1) == (1, 1, 1, 1)


def test_the_baseline_is_the_score_of_the_most_frequent_class_everywhere():
    truth = masks_of(2)
    images = torch.zeros(3, 3, 9, 11)
    counts = torch.bincount(truth[truth != 255].long(), minlength=4)
    scores = evaluate(Answers(masks_of(3, ignored=False), 4), (images, truth))
    constant = evaluate(Answers(torch.full_like(truth, int(counts.argmax())), 4), (images, truth))
    assert scores.baseline_miou == constant.miou < 0.5
    assert scores.baseline_pixel_accuracy == constant.pixel_accuracy
    assert scores.baseline_boundary_iou == constant.boundary_iou == 0
    assert scores.baseline_boundary_f1 == constant.boundary_f1 == 0


def test_99_percent_of_pixels_right_and_the_object_missed():
    truth = torch.zeros(1, 10, 10, dtype=torch.uint8)
    truth[0, 0, 0] = 1
    matrix = confusion(torch.zeros_like(truth), truth, 2)
    assert accuracy(matrix) == pytest.approx(0.99)
    assert mean_of_present(class_ious(matrix)) == pytest.approx(0.495)


def test_a_class_that_neither_side_has_does_not_count():
    truth = torch.tensor([[[0, 1]]])
    matrix = confusion(truth, truth, 3)
    assert math.isnan(class_ious(matrix)[2])
    assert mean_of_present(class_ious(matrix)) == 1


def test_the_frame_and_ignored_pixels_make_no_edge():
    flat = torch.full((1, 6, 6), 3, dtype=torch.uint8)
    flat[0, 2:4] = 255
    for mask in (torch.full_like(flat, 3), flat, torch.full_like(flat, 255)):
        assert not boundary_band(mask).any()
        assert not contours(mask).any()
    scores = evaluate(Answers(torch.full_like(flat, 3), 4), (torch.zeros(1, 3, 6, 6), flat))
    assert scores.boundary_f1 == 1


def test_an_unlabelled_border_has_the_edge_in_its_middle():
    truth = torch.zeros(1, 8, 10, dtype=torch.uint8)
    truth[..., 3:7], truth[..., 7:] = 255, 1
    halves = torch.zeros_like(truth)
    halves[..., 5:] = 1
    images = torch.zeros(1, 3, 8, 10)
    assert evaluate(Answers(halves, 2), (images, truth)).boundary_iou == 1
    halves[..., 3:] = 1  # no labelled pixel is wrong, but the edge is
    shifted = evaluate(Answers(halves, 2), (images, truth))
    assert shifted.pixel_accuracy == 1
    assert shifted.boundary_iou < 1
    assert shifted.boundary_f1 < 1


def test_parts_of_a_data_set_add_up():
    truth, predicted = masks_of(5, count=4), masks_of(6, count=4, ignored=False)
    whole, parts = BoundaryCounts(4), BoundaryCounts(4)
    whole.add(predicted, truth)
    for place in range(4):
        parts.add(predicted[place : place + 1], truth[place : place + 1])
    assert (whole.iou, whole.f1) == (parts.iou, parts.f1)


def test_a_net_is_judged_in_evaluation_mode_and_put_back():
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2).eval(), nn.Dropout(0.9))
    net[0].train()
    images, masks = torch.rand(2, 3, 5, 5), torch.zeros(2, 5, 5, dtype=torch.uint8)
    modes = [module.training for module in net.modules()]
    first, second = evaluate(net, (images, masks)), evaluate(net, (images, masks))
    assert torch.equal(first.matrix, second.matrix)
    assert [module.training for module in net.modules()] == modes


def test_masks_are_predicted_for_images_alone():
    masks = masks_of(8, ignored=False)
    assert torch.equal(predict_masks(Answers(masks, 4), torch.zeros(3, 3, 9, 11)), masks)
    assert predict_masks(Answers(masks, 4), torch.zeros(3, 3, 9, 11)).dtype == torch.uint8


def test_scores_are_a_table():
    scores = evaluate(Answers(masks_of(9, ignored=False), 4), (torch.zeros(3, 3, 9, 11), masks_of(10)))
    assert "boundary F1" in repr(scores)
    assert f"{scores.miou:.3f}" in repr(scores)
    assert f"{scores.baseline_miou:.3f}" in scores._repr_html_()
