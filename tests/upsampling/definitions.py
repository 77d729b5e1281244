"""The methods once more, as plain loops written from their formulas: slow, obvious, not torch."""

import random
from itertools import product

import torch
from torch import Tensor


def integers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    """Small whole numbers, so that sums are exact and any difference is a mistake."""
    return torch.randint(-5, 6, shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


def distinct(*shape: int, seed: int = 0) -> Tensor:
    """Every value another, in no order, none of them 0."""
    count = torch.Size(shape).numel()
    return (torch.randperm(count, generator=torch.Generator().manual_seed(seed)) + 1).float().reshape(shape)


def transposed_settings(count: int, seed: int = 0) -> list[dict[str, tuple[int, int]]]:
    """Grids, kernels, strides, paddings and output paddings, rows and columns apart, that leave a cell."""
    draw, found = random.Random(seed), []
    while len(found) < count:
        axes = [_axis(draw) for _ in range(2)]
        if all(axis is not None for axis in axes):
            names = ("grid", "kernel", "stride", "padding", "output_padding")
            found.append({name: (axes[0][i], axes[1][i]) for i, name in enumerate(names)})
    return found


def _axis(draw: random.Random) -> tuple[int, ...] | None:
    cells, kernel, stride = draw.randint(1, 5), draw.randint(1, 5), draw.randint(1, 4)
    padding, output_padding = draw.randint(0, 3), draw.randint(0, stride - 1)
    size = (cells - 1) * stride + kernel - 2 * padding + output_padding
    return (cells, kernel, stride, padding, output_padding) if size >= 1 else None


def transposed_loop(
    x: Tensor,
    kernel: Tensor,
    stride: tuple[int, int],
    padding: tuple[int, int],
    output_padding: tuple[int, int],
) -> Tensor:
    """One plane: stamps summed on a canvas as large as anything needs, then cut."""
    (height, width), (kh, kw) = x.shape, kernel.shape
    rows = (height - 1) * stride[0] + kh + output_padding[0]
    columns = (width - 1) * stride[1] + kw + output_padding[1]
    canvas = torch.zeros(rows, columns, dtype=x.dtype)
    for i, j, a, b in product(range(height), range(width), range(kh), range(kw)):
        canvas[i * stride[0] + a, j * stride[1] + b] += x[i, j] * kernel[a, b]
    return canvas[padding[0] : rows - padding[0], padding[1] : columns - padding[1]]


def convolution_loop(x: Tensor, kernel: Tensor) -> Tensor:
    """One plane, same size, zeros around it; an even kernel reaches further down and to the right."""
    (height, width), (kh, kw) = x.shape, kernel.shape
    result = torch.zeros(height, width, dtype=x.dtype)
    for r, c, a, b in product(range(height), range(width), range(kh), range(kw)):
        row, column = r + a - (kh - 1) // 2, c + b - (kw - 1) // 2
        if 0 <= row < height and 0 <= column < width:
            result[r, c] += x[row, column] * kernel[a, b]
    return result


def nearest_loop(x: Tensor, rows: int, columns: int) -> Tensor:
    height, width = x.shape
    result = torch.zeros(height * rows, width * columns, dtype=x.dtype)
    for r, c in product(range(height * rows), range(width * columns)):
        result[r, c] = x[r // rows, c // columns]
    return result


def nails_loop(x: Tensor, rows: int, columns: int) -> Tensor:
    height, width = x.shape
    result = torch.zeros(height * rows, width * columns, dtype=x.dtype)
    for i, j in product(range(height), range(width)):
        result[i * rows, j * columns] = x[i, j]
    return result


def bilinear_loop(x: Tensor, rows: int, columns: int, corners: bool) -> Tensor:
    height, width = x.shape
    result = torch.zeros(height * rows, width * columns, dtype=x.dtype)
    for r, c in product(range(height * rows), range(width * columns)):
        for i, down in _two_neighbours(r, height, rows, corners):
            for j, across in _two_neighbours(c, width, columns, corners):
                result[r, c] += x[i, j] * down * across
    return result


def _two_neighbours(place: int, cells: int, factor: int, corners: bool) -> list[tuple[int, float]]:
    if corners:
        outputs = cells * factor
        where = place * (cells - 1) / (outputs - 1) if outputs > 1 else 0.0
    else:
        where = min(max((place + 0.5) / factor - 0.5, 0), cells - 1)
    first = min(int(where), cells - 1)
    part = where - first
    return [(first, 1 - part), (min(first + 1, cells - 1), part)]


def max_pool_loop(x: Tensor, rows: int, columns: int) -> tuple[Tensor, Tensor]:
    height, width = x.shape[0] // rows, x.shape[1] // columns
    values, switches = (
        torch.zeros(height, width, dtype=x.dtype),
        torch.zeros(height, width, dtype=torch.int64),
    )
    for i, j in product(range(height), range(width)):
        best = (i * rows, j * columns)
        for r, c in product(range(i * rows, (i + 1) * rows), range(j * columns, (j + 1) * columns)):
            if x[r, c] > x[best]:  # strictly: the first of equals stays
                best = (r, c)
        values[i, j], switches[i, j] = x[best], best[0] * x.shape[1] + best[1]
    return values, switches


def assert_near(ours: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> None:
    """Equal but for rounding. (torch.testing.assert_close takes seconds to import what it needs.)"""
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
    error = (ours - theirs).abs() - tolerance * (1 + theirs.abs())
    assert bool((error <= 0).all()), f"{ours} is not near {theirs}"
