"""What the lessons say, from the lecture's 2x2 grid onwards, held as numbers."""

import pytest
import torch
from torch.nn import functional

from coursekit.upsampling import bilinear, fingerprint, nearest, probe, resize_conv, transposed_conv
from tests.upsampling.definitions import distinct, integers

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
ONES = torch.ones(3, 3)
EVEN = torch.tensor([0.5, 1.0, 0.5])


def tensorflow_same(x, kernel):
    """Its window on the canvas: for kernel 3 and stride 2 the upper left one."""
    return transposed_conv(x, kernel, stride=2)[..., : 2 * x.shape[-2], : 2 * x.shape[-1]]


def test_the_canvas_is_five_by_five_and_each_framework_cuts_its_window():
    canvas = transposed_conv(X, ONES, stride=2)
    assert canvas.tolist() == [
        [1, 1, 3, 2, 2],
        [1, 1, 3, 2, 2],
        [4, 4, 10, 6, 6],
        [3, 3, 7, 4, 4],
        [3, 3, 7, 4, 4],
    ]
    torchs = transposed_conv(X, ONES, stride=2, padding=1, output_padding=1)
    assert torchs.tolist() == [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]]
    assert tensorflow_same(X, ONES).tolist() == [[1, 1, 3, 2], [1, 1, 3, 2], [4, 4, 10, 6], [3, 3, 7, 4]]
    assert torch.equal(torchs, canvas[1:, 1:])


def test_kernel_three_stride_two_of_ones_is_uneven_and_the_even_one_is_not():
    uneven = fingerprint(probe(transposed_conv, X, ONES, stride=2))
    assert uneven.phase_gains.flatten().sort().values.tolist() == [1, 2, 2, 4]
    assert uneven.checkerboard == pytest.approx(3 / 2.25)
    even = fingerprint(probe(transposed_conv, X, torch.outer(EVEN, EVEN), stride=2))
    assert even.phase_gains.tolist() == [[1, 1], [1, 1]]
    assert even.checkerboard == 0


def test_kernel_four_stride_two_of_ones_is_even():
    found = fingerprint(probe(transposed_conv, X, torch.ones(4, 4), stride=2, padding=1))
    assert (found.checkerboard, found.phase_gains.tolist()) == (0, [[4, 4], [4, 4]])


def test_kernel_three_shifts_half_a_pixel_either_way_and_kernel_four_does_not():
    kernel = torch.outer(EVEN, EVEN)
    torchs = fingerprint(probe(transposed_conv, X, kernel, stride=2, padding=1, output_padding=1))
    tensorflows = fingerprint(probe(tensorflow_same, X, kernel))
    four = fingerprint(probe(transposed_conv, X, torch.ones(4, 4), stride=2, padding=1))
    assert (torchs.shift, tensorflows.shift, four.shift) == ((-0.5, -0.5), (0.5, 0.5), (0, 0))


@pytest.mark.parametrize("seed", range(5))
def test_nearest_then_a_convolution_is_a_transposed_one_with_a_tied_kernel(seed):
    x, kernel = integers(4, 5, seed=seed), integers(3, 3, seed=seed + 50)
    tied = functional.conv2d(torch.ones(1, 1, 2, 2), kernel[None, None], padding=2)[0, 0]
    assert tied.shape == (4, 4)
    assert torch.equal(resize_conv(x, kernel), transposed_conv(x, tied, stride=2, padding=1))


def test_one_by_one_convolutions_commute_with_nearest():
    x, weights = integers(2, 3, 4, 5), integers(6, 3, 1, 1, seed=1)
    before, after = functional.conv2d(nearest(x), weights), nearest(functional.conv2d(x, weights))
    assert torch.equal(before, after)


def test_nearest_is_a_transposed_convolution_of_ones():
    x = distinct(3, 4)
    assert torch.equal(nearest(x), transposed_conv(x, torch.ones(2, 2), stride=2))


def test_bilinear_is_a_transposed_convolution_but_for_the_edges():
    x, side = distinct(4, 5), torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    stamped = transposed_conv(x, torch.outer(side, side), stride=2, padding=1)
    assert torch.equal(bilinear(x)[1:-1, 1:-1], stamped[1:-1, 1:-1])
    assert not torch.equal(bilinear(x), stamped)


def test_a_convolution_and_its_transpose_do_not_always_come_back_to_the_size():
    def round_trip(side):
        shrunk = functional.conv2d(torch.ones(1, 1, side, side), ONES[None, None], stride=2, padding=1)
        return transposed_conv(shrunk, ONES[None, None], stride=2, padding=1).shape[-1]

    assert [round_trip(side) for side in (7, 8, 9, 10)] == [7, 7, 9, 9]


def test_the_transpose_is_not_the_inverse():
    shrunk = functional.conv2d(distinct(1, 1, 5, 5), ONES[None, None], stride=2)
    assert not torch.equal(transposed_conv(shrunk, ONES, stride=2), distinct(1, 1, 5, 5))


def test_padding_removes_border():
    sizes = [transposed_conv(X, ONES, stride=2, padding=padding).shape[0] for padding in range(3)]
    assert sizes == [5, 3, 1]
