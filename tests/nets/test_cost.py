"""Costs against figures derived by hand."""

import pytest
import torch
from torch import nn

from coursekit.nets import SegmentationNet, cost

# A convolution has kernel rows x kernel columns x ins x outs weights (and biases only in the head, which has
# no norm); a normalisation has two numbers a channel.
BY_HAND = [
    # none: 3x3 from 3 to 4 and 3x3 from 4 to 8, both on 16x16, head 1x1 from 8 to 2
    (
        "none",
        108 + 8 + 288 + 16 + 16 + 2,
        256 * (108 + 288 + 16),
        (5, 5),
    ),
    # transposed: 3x3 on 16x16, 3x3 on 8x8, stamps of 4x4 from 8x8 cells, head 1x1 from 4 to 2.
    # It sees 3, after pooling 4, after the second convolution 4 + 2 x 2 = 8; two cells, 2 apart, make one.
    (
        "transposed",
        108 + 8 + 288 + 16 + 512 + 8 + 8 + 2,
        256 * 108 + 64 * 288 + 64 * 512 + 256 * 8,
        (10, 10),
    ),
    # nearest: a 1x1 convolution from 8 to 4 on 8x8; a pixel copies one cell
    (
        "nearest",
        108 + 8 + 288 + 16 + 32 + 8 + 8 + 2,
        256 * 108 + 64 * 288 + 64 * 32 + 256 * 8,
        (8, 8),
    ),
]


@pytest.mark.parametrize(("upsampling", "parameters", "multiply_adds", "receptive_field"), BY_HAND)
def test_figures_derived_by_hand(upsampling, parameters, multiply_adds, receptive_field):
    price = cost(SegmentationNet(2, upsampling, widths=(4, 8)), 16)
    assert price.parameters == parameters
    assert price.multiply_adds == multiply_adds
    assert price.receptive_field == receptive_field


def test_the_naive_stack_of_lesson_02_by_hand():
    """3x3 convolutions 3 -> 8 -> 16 -> 32 -> 64 and a 1x1 one to 5 classes, all on 64x64 places."""
    weights = 9 * (3 * 8 + 8 * 16 + 16 * 32 + 32 * 64)  # 24,408
    price = cost(SegmentationNet(5, "none"), 64)
    assert price.parameters == weights + 2 * (8 + 16 + 32 + 64) + 64 * 5 + 5
    assert price.multiply_adds == 64 * 64 * (weights + 64 * 5)
    assert price.receptive_field == (9, 9)  # 1 and four times 2


# With pooling, level k (from 0) has max(1, k) convolutions: 3 -> 8 on 64x64, 8 -> 16 on 32x32, 16 -> 32 -> 32
# on 16x16, 32 -> 64 -> 64 -> 64 on 8x8. Each has a norm of two numbers a channel.
DOWN_WEIGHTS = 9 * (3 * 8 + 8 * 16 + 16 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64 * 64)
DOWN_NORMS = 2 * (8 + 16 + 2 * 32 + 3 * 64)
DOWN_WORK = 9 * (
    64 * 64 * 3 * 8 + 32 * 32 * 8 * 16 + 16 * 16 * (16 * 32 + 32 * 32) + 8 * 8 * (32 * 64 + 64 * 64 + 64 * 64)
)
# It sees 3; pooling 4; 4 + 2 * 2 = 8; pooling 8 + 2 = 10; two convolutions 10 + 2 * 2 * 4 = 26; pooling
# 26 + 4 = 30; three convolutions 30 + 3 * 2 * 8 = 78. Deep cells begin 8 pixels apart.
DEEP_FIELD, DEEP_JUMP = 78, 8


def test_the_default_net_by_hand():
    """Stamps of 4x4, stride 2: 64 -> 32 from 8x8 cells, 32 -> 16 from 16x16, 16 -> 8 from 32x32; 1x1 to 5."""
    up_weights = 16 * (64 * 32 + 32 * 16 + 16 * 8)
    price = cost(SegmentationNet(5, "transposed"), 64)
    assert price.parameters == DOWN_WEIGHTS + DOWN_NORMS + up_weights + 2 * (32 + 16 + 8) + 8 * 5 + 5
    up_work = 16 * (8 * 8 * 64 * 32 + 16 * 16 * 32 * 16 + 32 * 32 * 16 * 8)
    assert price.multiply_adds == DOWN_WORK + up_work + 64 * 64 * 8 * 5
    # A pixel gets stamps of 2 cells a side; a side of 2 gets them from 2 or 3 (a stamp ends every second
    # cell), and so does a side of 3: at most 3 deep cells, which lie 8 apart.
    assert price.receptive_field == (DEEP_FIELD + 2 * DEEP_JUMP,) * 2


def test_the_unet_by_hand():
    """A step up: 1x1 to half the channels, norm, twice as large; the level's own beside it; 3x3, norm."""
    pairs = 64 * 32 + 32 * 16 + 16 * 8  # into a step, out of it; the 3x3 takes out + out channels, so as many
    price = cost(SegmentationNet(5, "unet"), 64)
    up_numbers = pairs + 9 * pairs + 2 * 2 * (32 + 16 + 8)
    assert price.parameters == DOWN_WEIGHTS + DOWN_NORMS + up_numbers + 8 * 5 + 5
    before = 8 * 8 * 64 * 32 + 16 * 16 * 32 * 16 + 32 * 32 * 16 * 8
    after = 9 * (16 * 16 * 64 * 32 + 32 * 32 * 32 * 16 + 64 * 64 * 16 * 8)
    assert price.multiply_adds == DOWN_WORK + before + after + 64 * 64 * 8 * 5
    # 3 pixels are copies of 2 cells; with one more on either side 4 cells, copies of 2 or 3; these and one
    # more on either side are 5, copies of 3 deep cells.
    assert price.receptive_field == (DEEP_FIELD + 2 * DEEP_JUMP,) * 2


def test_a_net_that_only_shrinks_sees_as_far_as_its_layers_say():
    """3; pooling 3 + 1 = 4; 4 + 2 * 2 = 8; pooling 8 + 2 = 10; 10 + 2 * 4 = 18."""
    layers = [nn.Conv2d(3, 2, 3, padding=1), nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1), nn.MaxPool2d(2)]
    assert cost(nn.Sequential(*layers, nn.Conv2d(2, 2, 3, padding=1)), 32).receptive_field == (18, 18)


def test_activation_memory_is_what_the_pass_back_needs():
    """Per image: the scaled image, the convolution's output, and what ReLU leaves, 4 bytes a number."""
    price = cost(SegmentationNet(2, "none", widths=(4,)), 16)
    numbers = 256 * (3 + 4 + 4)
    assert (
        4 * numbers <= price.activation_bytes <= 4 * numbers + 200
    )  # the rest: the norm's means and spreads


def test_an_oblong_net_sees_an_oblong_field():
    net = nn.Sequential(
        nn.Conv2d(3, 2, (3, 7), padding=(1, 3)), nn.ReLU(), nn.Conv2d(2, 1, (5, 1), padding=(2, 0))
    )
    assert cost(net, (8, 12)).receptive_field == (7, 7)


def test_counting_changes_nothing():
    net = SegmentationNet(2, widths=(4, 8)).train()
    before = {name: each.clone() for name, each in net.state_dict().items()}
    cost(net, 16)
    assert net.training
    assert all(torch.equal(before[name], each) for name, each in net.state_dict().items())


@pytest.mark.parametrize(("net", "size"), [("net", 64), (SegmentationNet(2, widths=(4,)), 0)])
def test_what_cannot_be_counted_is_a_sentence(net, size):
    with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*Try "):
        cost(net, size)


@pytest.mark.slow
@pytest.mark.parametrize("upsampling", ["none", "max_unpool", "pixel_shuffle", "unet"])
def test_multiply_adds_are_half_of_torchs_count(upsampling):
    from torch.utils.flop_counter import FlopCounterMode  # its first use loads the compiler: many seconds

    net = SegmentationNet(5, upsampling).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, 3, 64, 64))
    assert cost(net, 64).multiply_adds * 2 == counter.get_total_flops()
