"""From a batch's secret to the inputs of an exercise: nobody can foresee the values, and credit stays fair.

Shapes and edge cases never depend on the seed, but by luck of the values a wrong function can hold a property
on one seed and miss it on another. So of the seeds that a secret leads to, the first is taken on which every
known mistake earns what it earns in the notebook.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from functools import lru_cache

from coursekit.checking import Exercise, bench_of, judge
from coursekit.exercises import find_exercise

IN_NOTEBOOK = 0
MOST = 60  # seeds looked at

Earned = tuple[str, tuple[bool, ...], str | None]


@lru_cache(maxsize=256)
def seed_for(secret: bytes, id: str) -> int:
    """The seed of an exercise's inputs in a batch; always the same for the same secret.

    Parameters
    ----------
    secret : bytes
        The batch's.
    id : str
        The exercise's.

    Examples
    --------
    >>> seed_for(b"spring", "stamp") == seed_for(b"spring", "stamp") != seed_for(b"autumn", "stamp")
    True
    """
    exercise = find_exercise(id)
    wanted = tuple(earned_by_mistakes(exercise, IN_NOTEBOOK))
    best, fewest = 0, len(wanted) + 1
    for number in range(MOST):
        seed = _derived(secret, id, number)
        differing = 0
        for one, other in zip(earned_by_mistakes(exercise, seed), wanted, strict=True):
            differing += one != other
            if differing >= fewest:  # no better than what there is
                break
        else:
            best, fewest = seed, differing
        if not fewest:
            break
    return best


def earned_by_mistakes(exercise: Exercise, seed: int) -> Iterator[Earned]:
    """What each known mistake earns on a seed: its state, which properties hold, and its name."""
    bench = bench_of(exercise, seed)
    for misconception in exercise.misconceptions:
        outcomes = [bench.mutant_on(misconception, index) for index in range(len(bench.trials))]
        verdict = judge(exercise, outcomes, seed)
        passed = tuple(item.passed for item in verdict.properties)
        yield verdict.state, passed, verdict.diagnosis.id if verdict.diagnosis else None


def _derived(secret: bytes, id: str, number: int) -> int:
    message = f"{id}/{number}".encode()
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big")
