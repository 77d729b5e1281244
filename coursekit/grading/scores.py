"""Scores, read from the history: which attempt counts, what lateness costs, what a person gave."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursekit.grading.gradebook import Attempt, Override
from coursekit.grading.naming import resubmission
from coursekit.grading.results import ExerciseResult

DAY_S = 86_400.0
ABSENT = ("missing", "unreadable")
"""States that say nothing about what a learner can do: any other attempt counts before them."""
UNTRIED = (*ABSENT, "not_attempted")
FEW = 0.25
"""What fewer than this share of a class, or only one of several, handed in is not asked of the others."""


@dataclass(frozen=True)
class Policy:
    """How scores are read; nothing of it is kept.

    Parameters
    ----------
    due : float or None
        POSIX time. What the LMS marked as late is late by at least one day, whatever its file's time says.
    per_day : float
        The share of the points that each day begun costs: 0.1 is a tenth a day.
    cutoff : float or None
        After so many days nothing is earned.
    best_of : bool
        Of several submissions, count each exercise's best, its lateness taken off, instead of the latest.

    Examples
    --------
    >>> Policy(due=0, per_day=0.1).kept(days=2), Policy(due=0, per_day=0.1, cutoff=1).kept(days=2)
    (0.8, 0.0)
    """

    due: float | None = None
    per_day: float = 0.0
    cutoff: float | None = None
    best_of: bool = False

    def days_late(self, attempt: Attempt) -> int:
        """Days begun after the due time; at least one for what the LMS marked as late."""
        late = 0
        if self.due is not None and attempt.handed_in is not None:
            late = math.ceil((attempt.handed_in - self.due) / DAY_S)
        return max(late, int(attempt.marked_late))

    def kept(self, days: int) -> float:
        """The share of the points that is left after so many days."""
        if self.cutoff is not None and days > self.cutoff:
            return 0.0
        return max(0.0, round(1.0 - self.per_day * days, 9))


@dataclass(frozen=True)
class Score:
    """What counts for one exercise of one learner.

    Attributes
    ----------
    result : ExerciseResult
        As it was graded.
    attempt : Attempt
        Where it is from.
    points : float
        After lateness, or as a person gave it.
    days_late : int
    override : Override or None
    """

    result: ExerciseResult
    attempt: Attempt
    points: float
    days_late: int = 0
    override: Override | None = None


@dataclass(frozen=True)
class Standing:
    """All of one learner's scores: exercise id -> `Score`, in the order of the course."""

    learner: str
    scores: Mapping[str, Score]
    attempts: tuple[Attempt, ...]

    @property
    def points(self) -> float:
        """The sum."""
        return round(math.fsum(one.points for one in self.scores.values()), 6)

    @property
    def worth(self) -> float:
        """What a flawless submission earns."""
        return math.fsum(one.result.worth for one in self.scores.values())

    @property
    def fraction(self) -> float:
        """Points over what a flawless submission earns."""
        return round(self.points / self.worth, 6) if self.worth else 0.0

    @property
    def unreadable(self) -> tuple[Attempt, ...]:
        """Of each file that could not be read, and still cannot, the last attempt."""
        return _still_unreadable(self.attempts)


def standings(
    attempts: Iterable[Attempt],
    overrides: Iterable[Override] = (),
    policy: Policy | None = None,
    order: Sequence[str] = (),
    only: Iterable[str] | None = None,
) -> list[Standing]:
    """Every learner's scores, by name.

    Everyone is measured by the same exercises, those that the class was graded on (see `of_few`): who handed
    in no function for one has a score of 0 there, with the state "missing".

    Parameters
    ----------
    attempts, overrides
        As the gradebook gives them.
    policy : Policy, optional
    order : sequence of str, optional
        The exercises' ids in the order of the course.
    only : iterable of str, optional
        Count these exercises and no others, however few handed them in.
    """
    policy = policy or Policy()
    by_learner: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_learner.setdefault(attempt.result.learner, []).append(attempt)
    given = {(one.learner, one.exercise): one for one in overrides}  # the last one stays
    everything = [one for several in by_learner.values() for one in several]
    asked = _asked(everything, order, set(only) if only is not None else None)
    found = []
    for learner, own in sorted(by_learner.items()):
        graded = _graded(own, policy)
        scores = {
            id: _overridden(graded.get(id) or _absent(blank, own), given.get((learner, id)))
            for id, blank in asked.items()
        }
        found.append(Standing(learner, scores, tuple(own)))
    return found


def of_few(attempts: Iterable[Attempt]) -> dict[str, tuple[Attempt, ...]]:
    """The exercises that do not count, as too few handed them in: id -> the attempts of these few.

    One learner with another lesson's file, or with a function of another lesson, must not change what all the
    others are measured by. A file in which nothing was tried was not handed in: many people hand in a whole
    folder.

    Examples
    --------
    >>> of_few([])
    {}
    """
    holding: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        tried = any(one.state not in UNTRIED for one in attempt.result.exercises)
        for one in attempt.result.exercises:
            some = holding.setdefault(one.id, [])
            if tried:
                some.append(attempt)
    learners = {id: {one.result.learner for one in some} for id, some in holding.items()}
    most = max(map(len, learners.values()), default=0)
    enough = min(most, max(2, FEW * len(set().union(*learners.values()))))
    return {id: tuple(holding[id]) for id, some in learners.items() if len(some) < enough}


def _asked(
    attempts: Sequence[Attempt], order: Sequence[str], only: set[str] | None
) -> dict[str, ExerciseResult]:
    """Each exercise that counts, with its newest result, for its version and worth."""
    newest = {one.id: one for attempt in attempts for one in attempt.result.exercises}
    place = {id: number for number, id in enumerate(order)}
    counted = set(newest) - set(of_few(attempts)) if only is None else only & set(newest)
    return {id: newest[id] for id in sorted(counted, key=lambda id: (place.get(id, len(place)), id))}


def _graded(own: Sequence[Attempt], policy: Policy) -> dict[str, Score]:
    """The score that counts for each exercise one learner was graded on."""
    newest: dict[tuple[str, str, str], tuple[Attempt, ExerciseResult]] = {}
    for attempt in own:  # of one file's several gradings the last counts: the checks may have been mended
        for one in attempt.result.exercises:
            key = (attempt.result.file, attempt.result.digest, one.id)
            if key not in newest or not one.judge_failed:
                newest[key] = (attempt, one)
    rivals: dict[str, list[Score]] = {}
    for attempt, one in newest.values():
        days = policy.days_late(attempt)
        points = round(one.points * policy.kept(days), 6)
        rivals.setdefault(one.id, []).append(Score(one, attempt, points, days))
    return {id: max(several, key=_merit(policy)) for id, several in rivals.items()}


def _merit(policy: Policy) -> Callable[[Score], tuple[Any, ...]]:
    """What makes one of several scores count: that there is an answer at all, then the best or the latest."""

    def merit(score: Score) -> tuple[Any, ...]:
        there = score.result.state not in ABSENT
        attempt = score.attempt
        when = (attempt.handed_in or 0.0, resubmission(attempt.result.file), attempt.result.file, attempt.id)
        return (there, score.points, when) if policy.best_of else (there, when)

    return merit


def _absent(blank: ExerciseResult, own: Sequence[Attempt]) -> Score:
    attempt = next(iter(_still_unreadable(own)), own[-1])
    state = "unreadable" if attempt.result.reason else "missing"
    reason = attempt.result.reason or "No submission holds this function."
    result = ExerciseResult(blank.id, blank.version, state, 0.0, 0.0, blank.worth, reason)
    return Score(result, attempt, 0.0)


def _still_unreadable(attempts: Iterable[Attempt]) -> tuple[Attempt, ...]:
    last = {one.result.file: one for one in attempts}
    return tuple(one for one in last.values() if one.result.reason)


def _overridden(score: Score, override: Override | None) -> Score:
    if override is None or override.points is None:
        return score
    return Score(score.result, score.attempt, override.points, score.days_late, override)
