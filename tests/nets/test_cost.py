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
