"""What a step of training takes, by properties: no clock, and torch's own profiler as the judge of memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.nets import SegmentationNet, cost, measure_step


@pytest.fixture(scope="module")
def naive():
    return measure_step(SegmentationNet(5, "none"), 32, batch=4)


def test_the_peak_lies_a_little_above_what_must_be_kept(naive):
    assert naive.computed_bytes == 4 * cost(SegmentationNet(5, "none"), 32).activation_bytes
    assert naive.computed_bytes < naive.peak_bytes < 2 * naive.computed_bytes
    assert naive.seconds > 0


@pytest.mark.parametrize("upsampling", ["none", "transposed", "unet"])
def test_twice_the_batch_is_about_twice_the_memory(upsampling):
    net = SegmentationNet(5, upsampling)
    once, twice = (measure_step(net, 32, batch=batch) for batch in (8, 16))
    assert twice.computed_bytes == pytest.approx(2 * once.computed_bytes, rel=0.01)
    # What does not grow with the batch, such as the gradients of the weights, is a part of the first.
    assert 1.4 < twice.peak_bytes / once.peak_bytes <= 2


def test_four_times_the_pixels_are_about_four_times_the_memory(naive):
    larger = measure_step(SegmentationNet(5, "none"), 64, batch=4)
    assert larger.peak_bytes / naive.peak_bytes == pytest.approx(4, rel=0.1)


def test_pooling_saves_most_of_the_memory(naive):
    pooled = measure_step(SegmentationNet(5, "transposed"), 32, batch=4)
    assert pooled.peak_bytes < naive.peak_bytes / 2


def test_measuring_leaves_the_net_as_it_was():
    net = SegmentationNet(2, widths=(4, 8)).eval()
    before = {name: each.clone() for name, each in net.state_dict().items()}
    measure_step(net, 16, batch=2)
    assert not net.training
    assert all(each.grad is None for each in net.parameters())
    assert all(torch.equal(before[name], each) for name, each in net.state_dict().items())


def test_scores_may_be_fewer_than_pixels():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 2, 1))
    assert measure_step(net, (16, 12), batch=2).size == (16, 12)


def test_computed_and_measured_stand_one_below_the_other(naive):
    lines = repr(naive).splitlines()
    assert "4 images of 32x32 (cpu)" in lines[0]
    assert "computed" in lines[1]
    assert f"{naive.computed_bytes / 2**20:.1f} MiB" in lines[1]
    assert "measured" in lines[2]
    assert f"{naive.peak_bytes / 2**20:.1f} MiB" in lines[2]


@pytest.mark.parametrize(
    ("net", "size", "batch"),
    [("net", 64, 8), (SegmentationNet(2, widths=(4,)), 0, 8), (SegmentationNet(2, widths=(4,)), 16, 0)],
)
def test_what_cannot_be_measured_is_a_sentence(net, size, batch):
    with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*Try "):
        measure_step(net, size, batch)


@pytest.mark.slow
@pytest.mark.parametrize("upsampling", ["none", "transposed", "unet", "max_unpool"])
def test_the_peak_is_that_of_torchs_allocator(upsampling):
    """The profiler hears of every block that torch's CPU allocator gives out or takes back."""
    net, images = SegmentationNet(5, upsampling).train(), torch.rand(8, 3, 64, 64)
    net, images = (each.to(memory_format=torch.channels_last) for each in (net, images))
    optimizer, truth = torch.optim.AdamW(net.parameters()), torch.zeros(8, 64, 64, dtype=torch.long)

    def step() -> None:
        nn.functional.cross_entropy(net(images), truth).backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True
    ) as profile:
        step()
    held = peak = 0
    events = [each for each in profile.profiler.kineto_results.events() if each.name() == "[memory]"]
    for event in sorted(events, key=lambda each: each.start_ns()):
        held += event.nbytes()
        peak = max(peak, held)
    assert measure_step(net, 64, batch=8).peak_bytes == pytest.approx(peak + images.nbytes, rel=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_is_asked_for_its_own_peak(naive):
    found = measure_step(SegmentationNet(5, "none"), 32, batch=4, device="cuda")
    assert found.device == "cuda"
    assert found.computed_bytes < found.peak_bytes < 4 * found.computed_bytes
