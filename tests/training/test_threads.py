"""Threads: found by trying, put back at the end."""

from __future__ import annotations

import random

import pytest
import torch

from coursekit.training.threads import Threads


def driven(seconds_with: dict[int, float], steps: int = 400, noise: float = 0.02, **options: float) -> tuple:
    """A machine on which a step takes as long as this dictionary says."""
    numbers: list[int] = []
    rng = random.Random(0)
    threads = Threads(most=max(seconds_with), put=numbers.append, **options)
    total = 0.0
    with threads:
        for _ in range(steps):
            took = seconds_with[threads.now] * rng.uniform(1 - noise, 1 + noise)
            total += took
            threads.took(took)
    return threads, numbers, total


@pytest.mark.parametrize("most", [1, 2, 4, 16])
@pytest.mark.parametrize("best", [1, 2, 4, 8, 16])
def test_the_fastest_number_is_found_and_kept(most: int, best: int) -> None:
    best = min(best, most)
    sizes = [n for n in (1, 2, 4, 8, 16) if n <= most]
    seconds = {n: 0.03 * (1 + abs(sizes.index(n) - sizes.index(best))) for n in sizes}
    threads, numbers, total = driven(seconds)
    assert threads.usual == best
    assert total < 400 * seconds[best] * 1.2
    assert not numbers or numbers[-1] == most  # put back
    assert (f"{best} of {most} threads" in threads.note) == (best < most)


def test_equal_numbers_do_not_swing() -> None:
    threads, _, _ = driven({1: 0.03, 2: 0.03})
    assert threads.usual == 2
    assert threads.note == ""


def test_a_trial_that_is_far_too_slow_ends_at_once() -> None:
    threads, _, total = driven({1: 0.3, 2: 0.03}, steps=1000)
    assert threads.steps_with[1] <= 2 * (1 + 1000 * 0.03 / threads.every)
    assert threads.usual == 2
    assert total < 1.2 * 1000 * 0.03


def test_a_machine_that_becomes_busy_is_noticed_and_one_that_becomes_free_too() -> None:
    numbers: list[int] = []
    threads = Threads(most=2, put=numbers.append)
    seen = []
    for seconds in ({1: 0.04, 2: 0.025}, {1: 0.04, 2: 0.2}, {1: 0.04, 2: 0.025}):
        for _ in range(600):
            threads.took(seconds[threads.now])
        seen.append(threads.now)
    assert seen == [2, 1, 2]


def test_torch_gets_its_own_number_back_even_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), Threads(most=before):  # noqa: PT012
        torch.set_num_threads(1)
        raise ZeroDivisionError
    assert torch.get_num_threads() == before
