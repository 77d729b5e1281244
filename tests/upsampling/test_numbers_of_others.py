"""Worked numbers from well-known texts and documents, restated by hand: none of them is our own output."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from coursekit.upsampling import (
    bed_of_nails,
    bilinear,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)

ONE_TO_FOUR = [[1, 2], [3, 4]]


def grid(rows: list[list[float]]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def rows_of(found: Tensor) -> list[list[float]]:
    return [[round(float(value), 4) for value in row] for row in found]


# Zhang, Lipton, Li, Smola, Dive into Deep Learning, section 14.10 "Transposed Convolution" (d2l.ai).
D2L = [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"stride": 1}, [[0, 0, 1], [0, 4, 6], [4, 12, 9]]),
        ({"stride": 1, "padding": 1}, [[4]]),
        ({"stride": 2}, [[0, 0, 0, 1], [0, 0, 2, 3], [0, 2, 0, 3], [4, 6, 6, 9]]),
    ],
)
def test_dive_into_deep_learning(settings: dict[str, int], expected: list[list[int]]) -> None:
    assert rows_of(transposed_conv(grid(D2L), grid(D2L), **settings)) == expected


def test_onnx_operator_description_of_conv_transpose() -> None:
    # ONNX operator schemas, ConvTranspose, the first example: 0 to 8 under a kernel of ones, stride 1.
    x = torch.arange(9.0).reshape(3, 3)
    assert rows_of(transposed_conv(x, torch.ones(3, 3), stride=1)) == [
        [0, 1, 3, 3, 2],
        [3, 8, 15, 12, 7],
        [9, 21, 36, 27, 15],
        [9, 20, 33, 24, 13],
        [6, 13, 21, 15, 8],
    ]


# Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning" (arXiv 1603.07285),
# chapter 4: the transposes of the convolutions of chapter 2; input, kernel, stride, padding, extra -> output.
@pytest.mark.parametrize(
    ("cells", "kernel", "stride", "padding", "extra", "expected"),
    [
        (2, 3, 1, 0, 0, 4),  # no zero padding, unit strides (figure 4.1)
        (6, 4, 1, 2, 0, 5),  # zero padding, unit strides (4.2)
        (5, 3, 1, 1, 0, 5),  # half (same) padding (4.3)
        (7, 3, 1, 2, 0, 5),  # full padding (4.4)
        (2, 3, 2, 0, 0, 5),  # no zero padding, non-unit strides (4.5)
        (3, 3, 2, 1, 0, 5),  # zero padding, non-unit strides (4.6)
        (3, 3, 2, 1, 1, 6),  # the same, odd: one more row and column (4.7)
    ],
)
def test_guide_to_convolution_arithmetic(
    cells: int, kernel: int, stride: int, padding: int, extra: int, expected: int
) -> None:
    x, weights = torch.ones(cells, cells), torch.ones(kernel, kernel)
    grown = transposed_conv(x, weights, stride=stride, padding=padding, output_padding=extra)
    assert grown.shape == (expected, expected)


# Stanford CS231n, lecture "Detection and Segmentation" (2017), the slides on in-network up-sampling.
def test_lecture_slides_nearest_and_nails() -> None:
    assert rows_of(nearest(grid(ONE_TO_FOUR))) == [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert rows_of(bed_of_nails(grid(ONE_TO_FOUR))) == [
        [1, 0, 2, 0],
        [0, 0, 0, 0],
        [3, 0, 4, 0],
        [0, 0, 0, 0],
    ]


def test_lecture_slides_max_unpooling() -> None:
    values, switches = max_pool(grid([[1, 2, 6, 3], [3, 5, 2, 1], [1, 2, 2, 1], [7, 3, 4, 8]]))
    assert rows_of(values) == [[5, 6], [7, 8]]
    assert rows_of(max_unpool(grid(ONE_TO_FOUR), switches, (4, 4))) == [
        [0, 0, 2, 0],
        [0, 1, 0, 0],
        [0, 0, 0, 0],
        [3, 0, 0, 4],
    ]


def test_lecture_slides_one_dimension() -> None:
    # Input (a, b), filter (x, y, z), stride 2: ax, ay, az + bx, by, bz.
    a, b, x, y, z = 2.0, 3.0, 5.0, 7.0, 11.0
    assert rows_of(transposed_conv(grid([[a, b]]), grid([[x, y, z]]), stride=2)) == [
        [a * x, a * y, a * z + b * x, b * y, b * z]
    ]


# PyTorch's documentation of nn.Upsample and nn.MaxUnpool2d.
@pytest.mark.parametrize(
    ("corners", "expected"),
    [
        (False, [[1, 1.25, 1.75, 2], [1.5, 1.75, 2.25, 2.5], [2.5, 2.75, 3.25, 3.5], [3, 3.25, 3.75, 4]]),
        (
            True,
            [
                [1, 1.3333, 1.6667, 2],
                [1.6667, 2, 2.3333, 2.6667],
                [2.3333, 2.6667, 3, 3.3333],
                [3, 3.3333, 3.6667, 4],
            ],
        ),
    ],
)
def test_torch_documentation_of_upsample(corners: bool, expected: list[list[float]]) -> None:
    assert rows_of(bilinear(grid(ONE_TO_FOUR), align_corners=corners)) == expected


def test_torch_documentation_of_max_unpool() -> None:
    values, switches = max_pool(torch.arange(1.0, 17.0).reshape(4, 4))
    assert switches.tolist() == [[5, 7], [13, 15]]
    assert rows_of(max_unpool(values, switches, (4, 4))) == [
        [0, 0, 0, 0],
        [0, 6, 0, 8],
        [0, 0, 0, 0],
        [0, 14, 0, 16],
    ]
    # The same switches in a plane of five columns: a flat index is not a place.
    assert rows_of(max_unpool(values, switches, (5, 5))) == [
        [0, 0, 0, 0, 0],
        [6, 0, 8, 0, 0],
        [0, 0, 0, 14, 0],
        [16, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_tensorflow_documentation_of_depth_to_space() -> None:
    # One cell of depth 4 becomes a 2x2 block; with one channel out both libraries agree on the order.
    assert rows_of(pixel_shuffle(grid([[1], [2], [3], [4]]).reshape(4, 1, 1))[0]) == [[1, 2], [3, 4]]


def test_odena_and_others_on_checkerboards() -> None:
    # Odena, Dumoulin, Olah 2016, "Deconvolution and Checkerboard Artifacts" (distill.pub): kernel 3 at
    # stride 2 overlaps unevenly, kernel 4 at stride 2 evenly; resize-convolution evenly.
    flat = torch.ones(6, 6)
    uneven = transposed_conv(flat, torch.ones(3, 3), stride=2)[3:-3, 3:-3]
    assert sorted(set(uneven.flatten().tolist())) == [1, 2, 4]
    even = transposed_conv(flat, torch.ones(4, 4), stride=2)[3:-3, 3:-3]
    assert set(even.flatten().tolist()) == {4}
    assert set(resize_conv(flat, torch.ones(3, 3))[1:-1, 1:-1].flatten().tolist()) == {9}
