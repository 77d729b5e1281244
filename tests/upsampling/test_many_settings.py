"""500 random settings of every method, whole numbers, exactly what torch's own operators give."""

from __future__ import annotations

import random

import torch
from torch import Tensor
from torch.nn import functional

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
from tests.upsampling.definitions import integers, transposed_settings

SETTINGS = 500


def drawn(seed: int) -> tuple[random.Random, Tensor, tuple[int, int]]:
    """A grid with up to two leading axes, and a factor for each of its sides."""
    draw = random.Random(seed)
    lead = [draw.randint(1, 3) for _ in range(draw.randint(0, 2))]
    grid = integers(*lead, draw.randint(1, 6), draw.randint(1, 6), seed=seed)
    return draw, grid, (draw.randint(1, 4), draw.randint(1, 4))


def planes(x: Tensor) -> Tensor:
    return x.reshape(-1, 1, *x.shape[-2:])


def same(ours: Tensor, theirs: Tensor) -> None:
    assert torch.equal(planes(ours), planes(theirs))


def test_transposed_conv() -> None:
    for seed, settings in enumerate(transposed_settings(SETTINGS, seed=41)):
        kernel = integers(*settings["kernel"], seed=seed + 1)
        x = integers(seed % 3 + 1, *settings["grid"], seed=seed)
        rest = {name: settings[name] for name in ("stride", "padding", "output_padding")}
        ours = transposed_conv(x, kernel, **rest)
        same(ours, functional.conv_transpose2d(planes(x), kernel[None, None], **rest))


def test_transposed_conv_with_channels() -> None:
    for seed, settings in enumerate(transposed_settings(SETTINGS, seed=42)):
        ins, outs = seed % 3 + 1, seed % 4 + 1
        kernel = integers(ins, outs, *settings["kernel"], seed=seed + 1)
        x = integers(2, ins, *settings["grid"], seed=seed)
        rest = {name: settings[name] for name in ("stride", "padding", "output_padding")}
        assert torch.equal(transposed_conv(x, kernel, **rest), functional.conv_transpose2d(x, kernel, **rest))


def test_nearest_and_bed_of_nails() -> None:
    for seed in range(SETTINGS):
        _, x, factor = drawn(seed)
        same(nearest(x, factor), functional.interpolate(planes(x), scale_factor=factor, mode="nearest"))
        nail = torch.zeros(1, 1, *factor)
        nail[..., 0, 0] = 1
        same(bed_of_nails(x, factor), functional.conv_transpose2d(planes(x), nail, stride=factor))


def test_bilinear() -> None:
    for seed in range(SETTINGS):
        draw, x, factor = drawn(seed)
        corners = draw.random() < 0.5
        theirs = functional.interpolate(
            planes(x), scale_factor=factor, mode="bilinear", align_corners=corners
        )
        ours = bilinear(x, factor, align_corners=corners)
        if (
            corners or 3 in factor
        ):  # thirds have no exact number, so the order of sums shows in the last digit
            torch.testing.assert_close(planes(ours), theirs, rtol=0, atol=1e-5)
        else:
            same(ours, theirs)


def test_resize_conv() -> None:
    for seed in range(SETTINGS):
        draw, x, factor = drawn(seed)
        kernel = integers(draw.choice((1, 3, 5)), draw.choice((1, 3, 5)), seed=seed + 1)
        padding = (kernel.shape[0] // 2, kernel.shape[1] // 2)
        large = functional.interpolate(planes(x), scale_factor=factor, mode="nearest")
        same(resize_conv(x, kernel, factor), functional.conv2d(large, kernel[None, None], padding=padding))


def test_pixel_shuffle() -> None:
    for seed in range(SETTINGS):
        draw, _, _ = drawn(seed)
        factor, channels = draw.randint(1, 3), draw.randint(1, 3)
        x = integers(2, channels * factor**2, draw.randint(1, 4), draw.randint(1, 4), seed=seed)
        assert torch.equal(pixel_shuffle(x, factor), functional.pixel_shuffle(x, factor))


def test_max_pool_and_max_unpool() -> None:
    for seed in range(SETTINGS):
        _, x, size = drawn(seed)
        if x.shape[-2] < size[0] or x.shape[-1] < size[1]:
            continue
        values, switches = max_pool(x, size)
        theirs, places = functional.max_pool2d(planes(x), size, return_indices=True)
        same(values, theirs)
        same(switches, places)
        given = integers(*values.shape, seed=seed + 1)
        back = functional.max_unpool2d(planes(given), places, size, output_size=x.shape[-2:])
        same(max_unpool(given, switches, tuple(x.shape[-2:])), back)
