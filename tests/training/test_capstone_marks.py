"""What a capstone earns: no constant answer earns anything, and each step up is a share of the way."""

from __future__ import annotations

import math

import pytest
import torch

from coursekit.boxes import iou
from coursekit.training.capstone import (
    STEPS,
    Marks,
    best_constant_box,
    best_constant_mask,
    held_out,
    marks,
    mask_iou,
    practice_and_own,
    shares_of,
)


@pytest.fixture(params=["scenes", "photographs"], scope="module")
def on(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "scenes":
            patch.setenv("COURSEKIT_DATA", str(tmp_path_factory.mktemp("nothing")))
        found = held_out()
    if found.name != request.param:
        pytest.skip("no photographs on this machine")
    return found


@pytest.mark.slow
def test_no_constant_answer_earns_a_point(on):
    generator = torch.Generator().manual_seed(0)
    truth, count = on.samples.masks, len(on.samples)
    often = (truth == 1).float().mean(0)
    for _ in range(60):
        blur = often + 0.2 * torch.randn(64, 64, generator=generator) * torch.rand(1, generator=generator)
        mask = (blur > torch.rand(1, generator=generator)).to(torch.uint8)
        box = shares_of(on.samples).nanmean(0) + 0.1 * torch.randn(4, generator=generator)
        earned = marks(mask.expand(count, -1, -1), box.expand(count, -1), on)
        assert earned.points == 0
        assert earned.mask_iou <= on.constant_mask_iou + 1e-9
        assert earned.box_iou <= on.constant_box_iou + 1e-3


def test_the_truth_in_another_order_earns_nothing(on):
    """Answers as good as can be, but not to the picture asked about."""
    order = torch.randperm(len(on.samples), generator=torch.Generator().manual_seed(1))
    masks = on.samples.masks[order].clone()
    masks[masks == 255] = 0
    assert marks(masks, shares_of(on.samples)[order], on).points == 0


def test_the_truth_earns_all(on):
    masks = on.samples.masks.clone()
    masks[masks == 255] = 0
    earned = marks(masks, shares_of(on.samples), on)
    assert (earned.mask_points, earned.box_points, earned.points) == (5, 5, earned.worth)


def test_the_best_constant_mask_of_three_pixels_by_hand():
    truth = torch.tensor([[[1, 1, 0]], [[1, 0, 0]], [[1, 0, 0]]], dtype=torch.uint8)
    every = [
        torch.tensor([[[a, b, c]]], dtype=torch.uint8).expand(3, -1, -1)
        for a in (0, 1)
        for b in (0, 1)
        for c in (0, 1)
    ]
    assert best_constant_mask(truth) == pytest.approx(max(mask_iou(each, truth) for each in every))


def test_the_best_constant_box_is_no_worse_than_any_on_a_grid():
    true = torch.rand(30, 4, generator=torch.Generator().manual_seed(2)) / 2 + 0.1
    sides = torch.cartesian_prod(*[torch.linspace(0.05, 0.75, 8)] * 4)
    assert best_constant_box(true) >= float(iou(sides[:, None], true[None]).mean(1).max()) - 1e-3


@pytest.mark.parametrize("kind", ["mask", "box"])
@pytest.mark.parametrize("constant", [0.2, 0.6])
def test_each_step_is_a_point(constant, kind):
    def marks(score):
        return Marks(**{"mask_iou": constant, "box_iou": constant, f"{kind}_iou": score},
                     constant_mask_iou=constant, constant_box_iou=constant, images=1)  # fmt: skip

    for points, step in enumerate(STEPS[kind], 1):
        at = constant + step * (1 - constant)
        assert marks(at + 1e-6).points == getattr(marks(at + 1e-6), f"{kind}_points") == points
        assert marks(at - 1e-6).points == points - 1
        assert marks(at - 1e-6).next_step(kind) == pytest.approx(at)
    assert math.isnan(marks(1.0).next_step(kind))


def test_nobody_practises_on_what_is_graded(on):
    practice, own = practice_and_own()[1:]
    seen = {image.numpy().tobytes() for part in (practice, own) for image in part.images}
    assert len(seen) == len(practice) + len(own)
    assert not seen & {image.numpy().tobytes() for image in on.samples.images}
