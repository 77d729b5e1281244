"""Lesson 03's references against other libraries, and its mistakes as people type them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from coursekit.checking import check, function_from
from coursekit.exercises import find_exercise
from coursekit.exercises.pooling_and_unpooling import bed_of_nails, bilinear, max_pool, nearest

seeds = pytest.mark.parametrize("seed", range(40))


def grid(seed: int) -> tuple[torch.Tensor, int]:
    """Whole numbers, mostly not square, a third of the time all negative; and a size or factor."""
    generator = torch.Generator().manual_seed(seed)
    height, width, size = torch.randint(1, 8, (3,), generator=generator).tolist()
    x = torch.randint(-9, 10, (height, width), generator=generator).float()
    return x.abs().neg() - 1 if seed % 3 == 0 else x, 2 + size % 3


@seeds
def test_max_pool_agrees_with_torch(seed: int) -> None:
    x, size = grid(seed)
    if min(x.shape) >= size:
        assert torch.equal(max_pool(x, size), functional.max_pool2d(x[None], size)[0])


@seeds
def test_nearest_agrees_with_torch_and_numpy(seed: int) -> None:
    x, factor = grid(seed)
    theirs = functional.interpolate(x[None, None], scale_factor=factor, mode="nearest")[0, 0]
    assert torch.equal(nearest(x, factor), theirs)
    assert np.array_equal(nearest(x, factor).numpy(), np.kron(x.numpy(), np.ones((factor, factor))))


@seeds
def test_bed_of_nails_agrees_with_torch_and_numpy(seed: int) -> None:
    x, factor = grid(seed)
    one = torch.ones(1, 1, 1, 1)
    theirs = functional.conv_transpose2d(x[None, None], one, stride=factor, output_padding=factor - 1)[0, 0]
    assert torch.equal(bed_of_nails(x, factor), theirs)
    nail = np.zeros((factor, factor))
    nail[0, 0] = 1
    assert np.array_equal(bed_of_nails(x, factor).numpy(), np.kron(x.numpy(), nail))


@seeds
def test_bilinear_agrees_with_torch(seed: int) -> None:
    x, _ = grid(seed)
    theirs = functional.interpolate(x[None, None], scale_factor=2, mode="bilinear", align_corners=False)[0, 0]
    assert torch.equal(bilinear(x), theirs)  # sixteenths of small whole numbers are exact


@seeds
def test_pooling_undoes_nearest_but_not_the_other_way_round(seed: int) -> None:
    x, factor = grid(seed)
    assert torch.equal(max_pool(nearest(x, factor), factor), x)
    assert torch.equal(bed_of_nails(x, factor).sum(), x.sum())


TYPED = {
    ("max-pool", "starts-at-zero"): """
def max_pool(x, size):
    out = torch.zeros(len(x) // size, len(x[0]) // size)
    for i in range(len(out)):
        for j in range(len(out[0])):
            best = 0
            for a in range(size):
                for b in range(size):
                    if x[i * size + a, j * size + b] > best:
                        best = x[i * size + a, j * size + b]
            out[i, j] = best
    return out
""",
    ("max-pool", "runs-as-blocks"): """
def max_pool(x, size):
    H, W = x.shape
    return x.reshape(H // size, W // size, size * size).max(-1).values
""",
    ("max-pool", "sliding"): """
def max_pool(x, size):
    H, W = x.shape
    out = torch.zeros(H - size + 1, W - size + 1)
    for i in range(len(out)):
        for j in range(len(out[0])):
            out[i, j] = x[i : i + size, j : j + size].max()
    return out
""",
    ("max-pool", "mean"): """
def max_pool(x, size):
    return torch.nn.functional.avg_pool2d(x[None, None], size)[0, 0]
""",
    ("nearest", "tiled"): """
def nearest(x, factor):
    return torch.tile(x, (factor, factor))
""",
    ("nearest", "rows-only"): """
def nearest(x, factor):
    return torch.stack([x[i // factor] for i in range(len(x) * factor)])
""",
    ("nearest", "rounded"): """
def nearest(x, factor):
    H, W = x.shape
    out = torch.zeros(H * factor, W * factor)
    for i in range(H * factor):
        for j in range(W * factor):
            out[i, j] = x[min(round(i / factor), H - 1), min(round(j / factor), W - 1)]
    return out
""",
    ("bed-of-nails", "bottom-right"): """
def bed_of_nails(x, factor):
    board = torch.zeros(len(x) * factor, len(x[0]) * factor)
    board[factor - 1 :: factor, factor - 1 :: factor] = x
    return board
""",
    ("bed-of-nails", "in-the-corner"): """
def bed_of_nails(x, factor):
    board = torch.zeros(len(x) * factor, len(x[0]) * factor)
    board[: len(x), : len(x[0])] = x
    return board
""",
    ("bilinear", "corners-meet"): """
def bilinear(x):
    H, W = x.shape
    out = torch.zeros(2 * H, 2 * W)
    for i in range(2 * H):
        for j in range(2 * W):
            r, c = i * (H - 1) / (2 * H - 1), j * (W - 1) / (2 * W - 1)
            top, left = int(r), int(c)
            bottom, right = min(top + 1, H - 1), min(left + 1, W - 1)
            upper = (1 - c + left) * x[top, left] + (c - left) * x[top, right]
            lower = (1 - c + left) * x[bottom, left] + (c - left) * x[bottom, right]
            out[i, j] = (1 - r + top) * upper + (r - top) * lower
    return out
""",
    ("bilinear", "wraps-around"): """
def bilinear(x):
    for _ in range(2):
        tall = torch.zeros(2 * len(x), len(x[0]))
        for i in range(len(x)):
            tall[2 * i] = 0.75 * x[i] + 0.25 * x[i - 1]
            tall[2 * i + 1] = 0.75 * x[i] + 0.25 * x[(i + 1) % len(x)]
        x = tall.T
    return x
""",
    ("bilinear", "columns-copied"): """
def bilinear(x):
    H, W = x.shape
    out = torch.zeros(2 * H, 2 * W)
    for i in range(H):
        for j in range(2 * W):
            out[2 * i, j] = 0.75 * x[i, j // 2] + 0.25 * x[max(i - 1, 0), j // 2]
            out[2 * i + 1, j] = 0.75 * x[i, j // 2] + 0.25 * x[min(i + 1, H - 1), j // 2]
    return out
""",
}


@pytest.mark.parametrize(("names", "source"), TYPED.items(), ids=[":".join(names) for names in TYPED])
def test_a_mistake_as_people_type_it_is_named(names: tuple[str, str], source: str) -> None:
    exercise = find_exercise(names[0])
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.fraction < 1
    assert verdict.diagnosis is not None, verdict
    assert verdict.diagnosis.id == names[1], verdict


RIGHT_IN_OTHER_WORDS = {
    "max-pool": """
def max_pool(x, size):
    H, W = x.shape[0] // size * size, x.shape[1] // size * size
    return x[:H, :W].reshape(H // size, size, W // size, size).amax((1, 3))
""",
    "nearest": """
def nearest(x, factor):
    return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)
""",
    "bed-of-nails": """
def bed_of_nails(x, factor):
    board = torch.zeros(len(x) * factor, len(x[0]) * factor)
    for i in range(len(x)):
        for j in range(len(x[0])):
            board[i * factor, j * factor] = x[i, j]
    return board
""",
    "bilinear": """
def bilinear(x):
    H, W = x.shape
    out = torch.zeros(2 * H, 2 * W)
    for i in range(2 * H):
        for j in range(2 * W):
            r = min(max((i + 0.5) / 2 - 0.5, 0), H - 1)
            c = min(max((j + 0.5) / 2 - 0.5, 0), W - 1)
            top, left = int(r), int(c)
            bottom, right = min(top + 1, H - 1), min(left + 1, W - 1)
            upper = (1 - c + left) * x[top, left] + (c - left) * x[top, right]
            lower = (1 - c + left) * x[bottom, left] + (c - left) * x[bottom, right]
            out[i, j] = (1 - r + top) * upper + (r - top) * lower
    return out
""",
}


@pytest.mark.parametrize(("id", "source"), RIGHT_IN_OTHER_WORDS.items(), ids=list(RIGHT_IN_OTHER_WORDS))
def test_a_right_answer_in_other_words_passes(id: str, source: str) -> None:
    exercise = find_exercise(id)
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.state == "right", verdict
