"""The references of lesson 07 against torch's operators and the course's own loss, and inside a net."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.data import load_scenes
from coursekit.exercises.segmentation_net import labelled_loss, practice_batch, scores_in_use, skip_step
from coursekit.nets import SegmentationNet
from coursekit.training import cross_entropy, fit, flipped_sideways


@pytest.mark.parametrize("seed", range(20))
def test_the_loss_is_the_courses(seed: int) -> None:
    torch.manual_seed(seed)
    scores, mask = torch.randn(4, 5, 6), torch.randint(0, 4, (5, 6))
    mask[torch.rand(5, 6) < 0.3] = 255
    theirs = cross_entropy(scores[None], mask[None])
    assert torch.allclose(labelled_loss(scores, mask, 255), theirs)
    assert labelled_loss(scores, torch.full_like(mask, 255), 255) == 0


@pytest.mark.parametrize("seed", range(20))
def test_scores_are_those_of_torchs_layers_in_use(seed: int) -> None:
    torch.manual_seed(seed)
    norm, mix = nn.BatchNorm2d(3, affine=False), nn.Conv2d(3, 4, 1, bias=False)
    norm(3 * torch.randn(8, 3, 4, 5) + 1)  # something to remember
    features = torch.randn(2, 3, 4, 5)
    theirs = mix(norm.eval()(features))
    ours = scores_in_use(features, norm.running_mean, norm.running_var, mix.weight)
    assert torch.allclose(ours, theirs, atol=1e-4)


@pytest.mark.parametrize("seed", range(10))
def test_mirroring_is_the_courses(seed: int) -> None:
    scenes, generator = load_scenes(9), torch.Generator()
    theirs = flipped_sideways(scenes.images, scenes.masks, generator.manual_seed(seed))
    coins = (torch.rand(9, generator=generator.manual_seed(seed)) < 0.5).long()
    ours = practice_batch(scenes.images, scenes.masks, coins, 0)
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    assert len(practice_batch(scenes.images, scenes.masks, coins, 4)[0]) == 5


@pytest.mark.parametrize("seed", range(10))
def test_the_step_is_a_convolution_over_both(seed: int) -> None:
    torch.manual_seed(seed)
    large, level, small = torch.randn(2, 3, 4, 6), torch.randn(2, 3, 4, 6), torch.randn(2, 5, 2, 3)
    weight = torch.randn(7, 6, 1, 1)
    halves = nn.functional.conv2d(large, weight[:, :3]) + nn.functional.conv2d(level, weight[:, 3:])
    assert torch.allclose(skip_step(large, level, small, weight), halves, atol=1e-5)
    assert torch.allclose(skip_step(large, small, level, weight), halves, atol=1e-5)


def test_the_step_learns_inside_a_net() -> None:
    scenes = load_scenes(8)
    net = SegmentationNet(5, "transposed", skip=skip_step)
    before = [step.weight.detach().clone() for step in net.decoder]
    fit(net, scenes, steps=3)
    assert all(not torch.equal(step.weight, old) for step, old in zip(net.decoder, before, strict=True))
    assert net(torch.zeros(1, 3, 45, 61, dtype=torch.uint8)).shape == (1, 5, 45, 61)


def test_without_its_skip_half_the_net_says_something_else() -> None:
    scenes = load_scenes(2)
    net = SegmentationNet(5, "nearest", skip=skip_step).eval()
    with torch.no_grad():
        whole = net(scenes.images)
        for step in net.decoder:
            step.weight[:, step.weight.shape[1] // 2 :] = 0
        assert not torch.allclose(net(scenes.images), whole)


@pytest.mark.parametrize("upsampling", ["none", "max_unpool", "unet"])
def test_a_way_up_without_room_for_a_skip_says_so(upsampling: str) -> None:
    with pytest.raises(ValueError, match="room for a skip"):
        SegmentationNet(5, upsampling, skip=skip_step)


def test_a_skip_that_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="skip-step"):
        SegmentationNet(5, "nearest", skip=True)
