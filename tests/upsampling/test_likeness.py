"""`likeness`: one simple difference, said; anything else left unsaid."""

from __future__ import annotations

import pytest
import torch

from coursekit.upsampling import bed_of_nails, bilinear, likeness, nearest, probe, transposed_conv

X = torch.ones(5, 5)
KERNEL = torch.tensor([[1.0, 2.0, -1.0], [0.0, 3.0, 0.0], [4.0, 0.0, 2.0]])


FURTHER = "The stamps lie 3 down and 3 to the right of each other, not 2 down and 2 to the right."
UNEVEN = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]])


def rolled(x):
    return transposed_conv(x, KERNEL).roll((2, -1), (0, 1))


def stamped(kernel=KERNEL, stride=2, **settings):
    return probe(lambda x: transposed_conv(x, kernel, stride=stride, **settings), X)


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (stamped(), ""),
        (stamped(KERNEL.flip(0, 1)), "The kernel is flipped: upside down and left to right."),
        (stamped(KERNEL.flip(0)), "The kernel is upside down."),
        (stamped(KERNEL.flip(1)), "The kernel is flipped left to right."),
        (stamped(KERNEL.T), "The kernel has its rows and columns swapped."),
        (stamped(KERNEL / 4), "Every number is 0.25 times what it should be."),
        (stamped(-KERNEL), "Every number is -1 times what it should be."),
        (stamped(stride=3), FURTHER),
        (stamped(padding=1), "It lies one cell too high and one cell too far to the left."),
        (stamped(torch.tensor([[1.0, 9.0], [2.0, 5.0]])), ""),
        (probe(rolled, X), "It lies two cells too low and one cell too far to the left."),
    ],
)
def test_one_simple_difference(mine, expected):
    assert likeness(mine, stamped()) == expected


def test_half_a_cell():
    wanted = probe(bilinear, X)
    assert likeness(probe(lambda x: nearest(x), X), wanted) == ""  # other stamps, in the same place
    shifted = probe(lambda x: transposed_conv(x, UNEVEN, padding=1, output_padding=1), X)
    assert likeness(shifted, wanted) == "It lies half a cell too high and half a cell too far to the left."


def test_a_bias_is_no_difference_of_the_map():
    assert likeness(probe(lambda x: bed_of_nails(x) + 3, X), probe(bed_of_nails, X)) == ""


@pytest.mark.parametrize(
    ("mine", "wanted", "kind"),
    [
        (1, probe(nearest, X), TypeError),
        (probe(lambda x: nearest(x) ** 2, X), probe(nearest, X), ValueError),
        (probe(nearest, torch.ones(2, 2)), probe(nearest, X), ValueError),
    ],
)
def test_bad_input(mine, wanted, kind):
    with pytest.raises(kind, match=r"(?s)Expected .* Try "):
        likeness(mine, wanted)
