"""`fingerprint` over every method and 30 random settings each: every name that is true, and no other.

The truth is found without `probe` and without `fingerprint`: a method's matrix column by column, on the grid
that was traced and on a larger one, compared with the matrix of every fixed method there is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

import coursekit.upsampling as room
from coursekit.upsampling import fingerprint, max_pool, max_unpool, probe
from tests.upsampling.definitions import distinct, transposed_settings
from tests.upsampling.test_fingerprint import assert_names_hold, matrix_of

COUNT = 30
WIDE = (9, 9)  # no stamp of these settings is cut off everywhere

Method = Callable[[Tensor], Tensor]
Setting = tuple[str, dict[str, Any], tuple[int, int]]


def fixed(name: str, seed: int) -> Iterator[Setting]:
    draw = random.Random(seed)
    for _ in range(COUNT):
        factor = (draw.randint(1, 4), draw.randint(1, 4))
        corners = {"align_corners": draw.random() < 0.5} if name == "bilinear" else {}
        yield name, {"factor": factor, **corners}, (draw.randint(1, 4), draw.randint(1, 4))


def kernels(name: str, seed: int) -> Iterator[Setting]:
    draw = random.Random(seed)
    if name == "resize_conv":
        for _ in range(COUNT):
            kernel = distinct(draw.choice((1, 3, 5)), draw.choice((1, 3, 5)), seed=draw.randrange(99))
            settings = {
                "kernel": kernel,
                "factor": draw.randint(2, 3),
                "mode": draw.choice(("nearest", "bilinear")),
            }
            yield name, settings, (draw.randint(1, 3), draw.randint(1, 3))
        return
    for settings in transposed_settings(COUNT, seed=seed):
        kind = draw.choice(("distinct", "ones", "a nail"))
        kernel = distinct(*settings["kernel"], seed=draw.randrange(99))
        if kind != "distinct":
            kernel = torch.ones_like(kernel) if kind == "ones" else (kernel == 1).float()
        rest = {key: settings[key] for key in ("stride", "padding", "output_padding")}
        yield name, {"kernel": kernel, **rest}, settings["grid"]


SETTINGS = [
    *(
        each
        for seed, name in enumerate(("nearest", "bed_of_nails", "bilinear"))
        for each in fixed(name, seed)
    ),
    *(each for seed, name in enumerate(("transposed_conv", "resize_conv")) for each in kernels(name, seed)),
]


def candidates(stride: tuple[int, int]) -> Iterator[tuple[str, Method]]:
    """Every method without numbers of its own, as a fingerprint writes it."""
    factor = stride[0] if stride[0] == stride[1] else stride
    for name in ("nearest", "bed_of_nails"):
        yield f"{name}(factor={factor})", lambda x, name=name: getattr(room, name)(x, factor)
    for corners in (False, True):
        text = f"bilinear(factor={factor}, align_corners={corners})"
        yield text, lambda x, corners=corners: room.bilinear(x, factor, align_corners=corners)


def equal(one: Method, two: Method) -> bool:
    """Whether two callables have the same matrix on a small grid, an oblong one and a large one."""
    for shape in ((2, 3), (3, 2), WIDE):
        ours, theirs = matrix_of(one, shape), matrix_of(two, shape)
        if ours.shape != theirs.shape or not torch.allclose(ours, theirs, atol=1e-6):
            return False
    return True


def named(setting: Setting) -> str:
    name, settings, grid = setting
    said = {
        key: tuple(value.shape) if isinstance(value, Tensor) else value for key, value in settings.items()
    }
    return f"{name}-{grid}-{said}"


@pytest.mark.parametrize("setting", SETTINGS, ids=named)
def test_every_true_name_and_no_other(setting: Setting) -> None:
    name, settings, grid = setting
    settings = {
        key: value.double() if isinstance(value, Tensor) else value for key, value in settings.items()
    }

    def method(x: Tensor) -> Tensor:
        return getattr(room, name)(x, **settings)

    found = fingerprint(probe(method, torch.ones(grid, dtype=torch.float64)))
    assert_names_hold(found, method, WIDE, 1e-4, traced=grid)
    try:
        true = {text for text, other in candidates(found.stride) if equal(method, other)}
    except (
        ValueError
    ):  # padding that leaves nothing of a small grid: then no method without padding equals it
        true = set()
    fixed_names = {text for text in found.looks_like if text.startswith(("nearest", "bed", "bilinear"))}
    assert fixed_names == true
    assert found.looks_like, "a method of the course has a name"
    if true:
        assert found.looks_like[0] in true  # a name without numbers of its own says most
    else:
        assert found.looks_like[0].startswith(("transposed_conv", "resize_conv"))


@pytest.mark.parametrize("seed", range(COUNT))
def test_max_unpooling_with_its_switches(seed: int) -> None:
    draw = random.Random(seed)
    size = (draw.randint(1, 3), draw.randint(1, 3))
    grid = (draw.randint(size[0], 6), draw.randint(size[1], 6))
    values, switches = max_pool(distinct(*grid, seed=seed), size)
    found = fingerprint(probe(max_unpool, values, switches, grid))
    expected = f"max_unpool(switches={switches.tolist()}, output_size={grid})"
    assert expected in found.looks_like
    assert_names_hold(found, lambda x: max_unpool(x, switches, grid), values.shape, traced=values.shape)


@pytest.mark.parametrize("seed", range(COUNT))
def test_pixel_shuffle(seed: int) -> None:
    draw = random.Random(seed)
    factor, channels = draw.choice((2, 3)), draw.randint(1, 2)
    shape = (channels * factor**2, draw.randint(1, 3), draw.randint(1, 3))
    found = fingerprint(probe(lambda x: room.pixel_shuffle(x, factor), torch.ones(shape)))
    assert found.looks_like[0] == f"pixel_shuffle(factor={factor})"
