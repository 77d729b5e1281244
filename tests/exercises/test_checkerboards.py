"""The references of lesson 06 against torch's operators."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from coursekit.exercises.checkerboards import count_and_light, even_start, pixel_shuffle, resize_conv


def randint(*shape: int) -> torch.Tensor:
    return torch.randint(-9, 10, shape).float()


def inner_block(x: torch.Tensor, kernel: torch.Tensor, stride: int) -> torch.Tensor:
    """A block in the middle of what torch's transposed convolution gives."""
    canvas = functional.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    start = 6 * stride
    block = canvas[start : start + stride, start : start + stride]
    return functional.pad(block, (0, stride - block.shape[1], 0, stride - block.shape[0]))


@pytest.mark.parametrize("seed", range(40))
def test_seats_are_those_of_torchs_canvas(seed: int) -> None:
    torch.manual_seed(seed)
    height, width = torch.randint(1, 7, (2,)).tolist()
    stride = int(torch.randint(1, 4, ()))
    kernel, flat = randint(height, width), torch.ones(13, 13)
    counts, light = count_and_light(kernel, stride)
    assert torch.equal(counts, inner_block(flat, torch.ones_like(kernel), stride))
    assert torch.equal(light, inner_block(flat, kernel, stride))


@pytest.mark.parametrize("seed", range(40))
def test_resize_convolution_is_torchs(seed: int) -> None:
    torch.manual_seed(seed)
    height, width, down, across = torch.randint(1, 5, (4,)).tolist()
    kh, kw = (2 * torch.randint(0, 3, (2,)) + 1).tolist()
    x, kernel = randint(height, width), randint(kh, kw)
    large = functional.interpolate(x[None, None], scale_factor=(down, across), mode="nearest")
    theirs = functional.conv2d(large, kernel[None, None], padding=(kh // 2, kw // 2))[0, 0]
    assert torch.equal(resize_conv(x, kernel, (down, across)), theirs)


@pytest.mark.parametrize("seed", range(20))
def test_the_shuffle_is_torchs_and_the_even_start_is_even(seed: int) -> None:
    torch.manual_seed(seed)
    factor, channels, height, width = torch.randint(1, 5, (4,)).tolist()
    x = randint(channels * factor**2, height, width)
    assert torch.equal(pixel_shuffle(x, factor), functional.pixel_shuffle(x, factor))
    kernels, picture = randint(channels, 2, 3, 3), randint(1, 2, 5, 6)
    shuffled = functional.pixel_shuffle(functional.conv2d(picture, even_start(kernels, factor)), factor)
    small = functional.conv2d(picture, kernels)
    assert torch.equal(shuffled, functional.interpolate(small, scale_factor=factor, mode="nearest"))
