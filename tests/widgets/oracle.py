"""Random pictures, and what torch says their output is."""

from __future__ import annotations

import torch

from coursekit.upsampling import (
    bed_of_nails,
    bilinear,
    max_unpool,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)
from coursekit.widgets.pictures import State


def state(method: str, shape=(2, 3), kernel=(1, 1), **settings: int) -> State:
    generator = torch.Generator().manual_seed(sum(shape) + 7 * sum(kernel))
    whole = {"stride": 2, "padding": 0, "output_padding": 0, **settings}
    tiles = whole["stride"] if method == "pixel_shuffle" else 1
    sides = (shape[0] * tiles, shape[1] * tiles)
    x, k = (torch.randint(-9, 10, s, generator=generator).tolist() for s in (sides, kernel))
    switches = torch.randint(0, whole["stride"] ** 2, shape, generator=generator).tolist()
    return State(method, whole, shape, x, k, switches)


def torch_output(one: State) -> torch.Tensor:
    x, kernel = torch.tensor(one.x, dtype=torch.float64), torch.tensor(one.kernel, dtype=torch.float64)
    (rows, columns), stride = one.base, one.settings["stride"]
    if one.method == "transposed_conv":
        return transposed_conv(x, kernel, **one.settings)
    if one.method == "resize_conv":
        return resize_conv(x, kernel, stride)
    if one.method == "max_unpool":
        place = torch.tensor(one.switches)
        r = torch.arange(rows)[:, None] * stride + place // stride
        c = torch.arange(columns) * stride + place % stride
        return max_unpool(x, r * columns * stride + c, (rows * stride, columns * stride))
    if one.method == "pixel_shuffle":
        tiles = x.reshape(stride, rows, stride, columns).transpose(1, 2)
        return pixel_shuffle(tiles.reshape(stride**2, rows, columns), stride)[0]
    return {"nearest": nearest, "bilinear": bilinear, "bed_of_nails": bed_of_nails}[one.method](x, stride)
