"""The references of lesson 04 against torch's own pooling and unpooling."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from coursekit.exercises.max_unpooling import comes_back, max_unpool, pool_with_switches, two_levels_up

seeds = pytest.mark.parametrize("seed", range(30))


def drawn(seed: int, least: int, most: int) -> torch.Tensor:
    """A grid of few different whole numbers, so that ties are common."""
    torch.manual_seed(seed)
    height, width = torch.randint(least, most + 1, (2,)).tolist()
    return torch.randint(-3, 4, (height, width)).float()


@seeds
def test_pooling_finds_the_cells_that_torch_finds(seed: int) -> None:
    x = drawn(seed, 4, 12)
    for size in (2, 3, 4):
        values, switches = pool_with_switches(x, size)
        theirs, places = functional.max_pool2d(x[None], size, return_indices=True)
        assert torch.equal(values, theirs[0])
        assert torch.equal(switches, places[0])


@seeds
def test_unpooling_is_that_of_torch(seed: int) -> None:
    x = drawn(seed, 2, 9)
    _, switches = functional.max_pool2d(x[None], 2, return_indices=True)
    values = torch.randn(switches.shape)
    theirs = functional.max_unpool2d(values, switches, 2, output_size=x.shape)
    assert torch.equal(max_unpool(values[0], switches[0], tuple(x.shape)), theirs[0])


@seeds
def test_two_levels_are_two_unpoolings_of_torch(seed: int) -> None:
    x = drawn(seed, 4, 15)
    middle, shallow = functional.max_pool2d(x[None], 2, return_indices=True)
    small, deep = functional.max_pool2d(middle, 2, return_indices=True)
    values = torch.randn(small.shape)
    half_way = functional.max_unpool2d(values, deep, 2, output_size=middle.shape[-2:])
    theirs = functional.max_unpool2d(half_way, shallow, 2, output_size=x.shape)
    assert torch.equal(two_levels_up(values[0], deep[0], shallow[0], tuple(x.shape)), theirs[0])


@seeds
def test_the_round_trip_is_that_of_torch(seed: int) -> None:
    x = drawn(seed, 2, 9)
    rows, columns = x.shape[0] // 2, x.shape[1] // 2
    values = torch.randint(-3, 4, (1, rows, columns)).float()
    scattered = torch.randperm(x.numel())[: values.numel()].reshape(values.shape)
    for switches in (functional.max_pool2d(x[None], 2, return_indices=True)[1], scattered):
        above = functional.max_unpool2d(values, switches, 2, output_size=x.shape)
        again = functional.max_pool2d(above, 2)
        assert torch.equal(comes_back(values[0], switches[0], tuple(x.shape)), (again == values)[0])


@seeds
def test_with_switches_into_their_own_blocks_only_negative_values_are_lost(seed: int) -> None:
    x = drawn(seed, 2, 9)
    _, switches = pool_with_switches(x, 2)
    values = torch.randint(-3, 4, switches.shape).float()
    assert torch.equal(comes_back(values, switches, tuple(x.shape)), values >= 0)
