"""Naming the mistake: which misconception gives just what the learner's function gave."""

from __future__ import annotations

from collections.abc import Sequence

from coursekit.checking.bench import Bench
from coursekit.checking.comparing import same_result
from coursekit.checking.declaration import Misconception
from coursekit.checking.outcomes import Outcome

ENOUGH = (
    2  # trials that must tell a misconception from a right answer before it is named, where there are so many
)


def diagnose(
    bench: Bench, outcomes: Sequence[Outcome | None], failing: Sequence[int]
) -> Misconception | None:
    """The misconception that explains every failing trial, or None.

    Parameters
    ----------
    bench : Bench
    outcomes : sequence of Outcome or None
        One a trial; None where the trial was not run.
    failing : sequence of int
        The trials that failed.

    Notes
    -----
    A mutant explains a function that gave its results wherever it failed, and right ones elsewhere. Of
    several, the one that agrees on most trials wins, then the first declared. A mutant is left as soon as it
    disagrees once, so the wrong ones cost one call each.
    """
    best, most = None, 0
    for misconception in bench.exercise.misconceptions:
        agreeing = _agreement(bench, misconception, outcomes, failing)
        if agreeing > most:
            best, most = misconception, agreeing
    return best


def _agreement(
    bench: Bench, misconception: Misconception, outcomes: Sequence[Outcome | None], failing: Sequence[int]
) -> int:
    """On how many trials the mutant agrees; 0 when it does not explain the failures."""
    telling = 0
    for index in failing:
        outcome = outcomes[index]
        if outcome is None or not same_result(bench.mutant_on(misconception, index), outcome):
            return 0
        telling += bench.distinguishes(misconception, index)
    failed = set(failing)
    others = [index for index, outcome in enumerate(outcomes) if outcome is not None and index not in failed]
    differing = sum(bench.distinguishes(misconception, index) for index in others)
    if telling < min(ENOUGH, telling + differing) or not telling:
        return 0
    return (
        len(failed) + len(others) - differing if _is_evidence(bench, misconception, outcomes, failing) else 0
    )


def _is_evidence(
    bench: Bench, misconception: Misconception, outcomes: Sequence[Outcome | None], failing: Sequence[int]
) -> bool:
    """Two functions that merely raise the same kind of exception may have little in common: ask for more."""
    raised = [outcomes[index].raised for index in failing]  # type: ignore[union-attr]
    if any(one is None for one in raised):
        return True
    mutants = [bench.mutant_on(misconception, index).raised for index in failing]
    return all(
        one and other and one.message == other.message for one, other in zip(raised, mutants, strict=True)
    )
