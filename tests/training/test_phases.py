"""The checkerboard of a net's answers: known patterns give known figures, and nothing else counts."""

from __future__ import annotations

import pytest
import torch

from coursekit.training import phase_spread
from coursekit.upsampling import bed_of_nails, nearest, transposed_conv


def pattern(seats: torch.Tensor, images: int = 2, channels: int = 1, side: int = 24) -> torch.Tensor:
    rows, columns = seats.shape
    return seats.repeat(images, channels, side // rows, side // columns)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_a_bare_pattern_is_its_range_over_its_deviation():
    seats = torch.tensor([[1.0, 2.0], [2.0, 4.0]])  # mean 9/4, mean of squares 25/4
    assert phase_spread(pattern(seats)) == pytest.approx(3 / (25 / 4 - 81 / 16) ** 0.5)


def test_what_is_equal_in_every_block_counts_as_zero():
    assert phase_spread(nearest(noise(3, 2, 12, 12))) == pytest.approx(0, abs=1e-6)
    assert phase_spread(torch.full((1, 3, 20, 20), 0.1)) == 0


def test_a_pattern_on_noise_is_found_again():
    seats = torch.tensor([[0.0, 0.0], [0.0, 0.5]])
    mixed = noise(50, 1, 64, 64) + pattern(seats, 50, side=64)
    # Deviation: noise of variance 1, and a quarter of the cells raised by 1/2.
    assert phase_spread(mixed) == pytest.approx(0.5 / (1 + 0.25 * 0.75 * 0.25) ** 0.5, rel=0.05)
    assert phase_spread(noise(50, 1, 64, 64)) < 0.03


def test_scale_offset_and_channels_order_make_no_difference():
    logits = noise(4, 3, 26, 30) + pattern(torch.tensor([[0.0, 1.0], [2.0, 0.0]]), 4, 3, 60)[..., :26, :30]
    offsets = torch.tensor([5.0, -3.0, 0.0]).reshape(3, 1, 1)
    expected = phase_spread(logits)
    assert phase_spread(logits * -7) == pytest.approx(expected, rel=1e-5)
    assert phase_spread(logits + offsets) == pytest.approx(expected, rel=1e-4)
    assert phase_spread(logits.flip(1)) == pytest.approx(expected, rel=1e-5)


def test_the_border_does_not_count():
    logits = noise(2, 1, 40, 44)
    spoiled = logits.clone()
    spoiled[..., :8, :] = spoiled[..., -8:, :] = 1e3
    spoiled[..., :8] = spoiled[..., -8:] = -1e3
    assert phase_spread(spoiled) == phase_spread(logits)
    assert phase_spread(spoiled, border=0) != phase_spread(logits, border=0)


def test_where_the_pattern_begins_makes_no_difference():
    seats = torch.tensor([[1.0, 2.0, 0.0], [5.0, 4.0, 1.0], [0.0, 0.0, 7.0]])
    base = pattern(seats, side=36)
    for shift in range(3):
        assert phase_spread(base.roll(shift, -1), 3) == pytest.approx(phase_spread(base, 3))


def test_a_stride_of_two_numbers():
    stripes = pattern(torch.tensor([[-1.0], [1.0]]))
    assert phase_spread(stripes, (2, 1)) == phase_spread(stripes, 2) == 2
    assert phase_spread(stripes, (1, 2)) == 0


def test_layers_on_flat_grey_agree_with_their_seats():
    flat = torch.ones(1, 1, 20, 20)
    kernel = torch.ones(3, 3)
    uneven = transposed_conv(flat, kernel)  # seats 1, 2, 2, 4
    assert phase_spread(uneven, 2) == pytest.approx(3 / (25 / 4 - 81 / 16) ** 0.5)
    assert phase_spread(bed_of_nails(flat), 2) == pytest.approx(1 / (1 / 4 - 1 / 16) ** 0.5)


@pytest.mark.parametrize(
    ("arguments", "error", "attempt"),
    [
        (([[1.0]],), TypeError, "net"),
        ((torch.ones(1, 1, 20, 20, dtype=torch.int64),), TypeError, "net"),
        ((torch.ones(3, 20, 20),), ValueError, r"logits\[None\]"),
        ((torch.ones(0, 3, 20, 20),), ValueError, "net"),
        ((torch.full((1, 1, 20, 20), float("inf")),), ValueError, "rate"),
        ((torch.ones(1, 1, 16, 20),), ValueError, "border=0"),
        ((torch.ones(1, 1, 20, 20), 0), ValueError, "stride=1"),
        ((torch.ones(1, 1, 20, 20), 2, -1), ValueError, "border=0"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, error, attempt):
    with pytest.raises(error, match=f"Expected .*; got .*Try .*{attempt}"):
        phase_spread(*arguments)
