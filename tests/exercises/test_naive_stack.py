"""The references of lesson 02 against torch: its flop counter, and where a change of the input arrives."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.exercises import find_exercise
from coursekit.exercises.naive_stack import multiply_adds, reached, receptive_field, stack_multiply_adds
from coursekit.nets import cost

seeds = pytest.mark.parametrize("seed", range(12))


def drawn(seed: int, *ranges: tuple[int, int]) -> list[int]:
    chance = torch.Generator().manual_seed(seed)
    return [int(torch.randint(low, high + 1, (), generator=chance)) for low, high in ranges]


@seeds
def test_one_convolution_is_counted_as_torch_counts_it(seed: int) -> None:
    outs, half, stride, rows, columns = drawn(seed, (1, 5), (0, 2), (1, 3), (1, 9), (1, 9))
    kernel = 2 * half + 1
    layer = nn.Conv2d(3, outs, kernel, stride=stride, padding=half)
    assert multiply_adds(3, outs, kernel, stride, (rows, columns)) == counted(layer, rows, columns)


@seeds
def test_a_stack_is_counted_as_torch_counts_it(seed: int) -> None:
    first, second, pool, rows, columns = drawn(seed, (1, 5), (1, 5), (1, 3), (9, 20), (9, 20))
    layers = []
    for ins, outs in ((3, first), (first, second), (second, 4)):
        layers += [nn.Conv2d(ins, outs, 3, padding=1), nn.MaxPool2d(pool)]
    stack = nn.Sequential(*layers[:-1])
    assert stack_multiply_adds([3, first, second, 4], (rows, columns), pool) == counted(stack, rows, columns)


def counted(net: nn.Module, rows: int, columns: int) -> int:
    """Half of what torch's flop counter says."""
    from coursekit.nets.costing import _multiply_adds

    return _multiply_adds(net, torch.zeros(1, 3, rows, columns))


@seeds
def test_the_receptive_field_is_how_far_a_change_reaches(seed: int) -> None:
    """Ones everywhere: the gradient of one output number is above 0 just where a pixel matters."""
    numbers = drawn(seed, *[(1, 5), (1, 3)] * 3)
    kernels = numbers[::2]
    strides = [min(stride, kernel) for stride, kernel in zip(numbers[1::2], kernels, strict=True)]
    layers = [
        nn.Conv1d(1, 1, kernel, stride=stride, bias=False)
        for kernel, stride in zip(kernels, strides, strict=True)
    ]
    for layer in layers:
        nn.init.ones_(layer.weight)
    pixels = torch.zeros(1, 1, 200, requires_grad=True)
    nn.Sequential(*layers)(pixels)[0, 0, 0].backward()
    matters = pixels.grad[0, 0] > 0
    assert int(matters.sum()) == receptive_field(kernels, strides)
    board = reached(kernels, strides)
    assert board[-1].sum() == receptive_field(kernels, strides) == board.shape[1]
    assert board[0].tolist() == [1] + [0] * (board.shape[1] - 1)


def test_the_stacks_of_the_lesson() -> None:
    """What its cells print; see tests/nets/test_cost.py for the derivation."""
    weights = 9 * (3 * 8 + 8 * 16 + 16 * 32 + 32 * 64)
    assert stack_multiply_adds([3, 8, 16, 32, 64], (64, 64), 1) == 64 * 64 * weights
    layers = [3, 2, 3, 2, 3, 2, 3], [1, 2, 1, 2, 1, 2, 1]
    stack = [nn.Conv2d(3, 2, 3, padding=1)]
    for _ in range(3):
        stack += [nn.MaxPool2d(2), nn.Conv2d(2, 2, 3, padding=1)]
    assert receptive_field(*layers) == cost(nn.Sequential(*stack), 64).receptive_field[0]


def test_the_prose_of_the_lesson_fits_the_examples() -> None:
    one, field = (find_exercise(id) for id in ("conv-multiply-adds", "receptive-field"))
    assert one.reference(*one.example_case().arguments()) == 3 * 3 * 3 * 2 * (2 * 3)
    assert field.reference(*field.example_case().arguments()) == 3 + 1 + 2 * 2
