"""A learner's answer as the judge sees it: something to call, here or in another process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from coursekit.checking.bench import bench_of
from coursekit.checking.cases import Case
from coursekit.checking.declaration import Exercise
from coursekit.checking.outcomes import Outcome
from coursekit.checking.running import observe
from coursekit.checking.shortcuts import Shortcut, ShortcutWatch
from coursekit.checking.sources import has_ellipsis
from coursekit.checking.surroundings import notes_on_surroundings
from coursekit.checking.timing import TimeLimit

Call = Callable[[Case], Outcome]


class Answer(Protocol):
    """What the judge asks of an answer."""

    def outcomes(self) -> list[Outcome | None]:
        """One a trial; None for those after the time ran out. The first is there."""

    def has_ellipsis(self) -> bool:
        """Whether a bare ``...`` still stands in its text."""

    def shortcut(self) -> Shortcut | None:
        """The forbidden operation that was seen when it ran."""

    def notes(self) -> list[str]:
        """What else the learner should know."""

    def within(self, seconds: float) -> AbstractContextManager[Call]:
        """A way to call it on more cases, all of them together within a budget."""


class OwnFunction:
    """A function in this process."""

    def __init__(
        self, exercise: Exercise, function: Callable[..., Any], seed: int = 0, seconds: float = 5.0
    ) -> None:
        self.exercise, self.function, self.seed, self.seconds = exercise, function, seed, seconds

    def outcomes(self) -> list[Outcome | None]:
        """As the protocol says."""
        return observe_all(self.exercise, self.function, self.seed, self.seconds)

    def has_ellipsis(self) -> bool:
        """As the protocol says."""
        return has_ellipsis(self.function)

    def shortcut(self) -> Shortcut | None:
        """As the protocol says."""
        cases = [
            bench_of(self.exercise, self.seed).trials[i].case for i in first_trials(self.exercise, self.seed)
        ]
        return watched(self.function, self.exercise.forbidden, cases)

    def notes(self) -> list[str]:
        """As the protocol says."""
        wanted, got = self.exercise.function, self.function.__name__
        renamed = f"Later lessons look for `{wanted}`; yours is called `{got}`: rename it."
        return [*[renamed] * (got != wanted), *notes_on_surroundings(self.function)]

    @contextmanager
    def within(self, seconds: float) -> Iterator[Call]:
        """As the protocol says."""
        with TimeLimit(seconds) as limit:
            yield lambda case: observe(self.function, case, limit)


def observe_all(
    exercise: Exercise, function: Callable[..., Any], seed: int, seconds: float
) -> list[Outcome | None]:
    """Run a function on every trial within a budget; trials after the time ran out are None."""
    cases = [trial.case for trial in bench_of(exercise, seed).trials]
    with TimeLimit(seconds) as limit:
        ran: list[Outcome | None] = list(observe_each(function, cases, limit))
    return ran + [None] * (len(cases) - len(ran))


def observe_each(function: Callable[..., Any], cases: Sequence[Case], limit: TimeLimit) -> Iterator[Outcome]:
    """What came of each case in turn, until one runs out of time or says that nothing is written yet."""
    for case in cases:
        outcome = observe(function, case, limit)
        yield outcome
        if outcome.timed_out or gave_up(outcome):
            return


def gave_up(outcome: Outcome) -> bool:
    """Whether the function says of itself that it is not written yet."""
    return outcome.raised is not None and outcome.raised.kind == "NotImplementedError"


def first_trials(exercise: Exercise, seed: int) -> list[int]:
    """The first trial of each property, as each may take another branch of the function."""
    first: dict[Any, int] = {}
    for index, trial in enumerate(bench_of(exercise, seed).trials):
        first.setdefault(trial.property, index)
    return sorted(first.values(), reverse=True)


def watched(
    function: Callable[..., Any], forbidden: tuple[str, ...], cases: Sequence[Case]
) -> Shortcut | None:
    """The first forbidden operation that is seen while a function runs on some cases."""
    with ShortcutWatch(forbidden) as watch, TimeLimit(1.0) as limit:
        for case in cases:
            observe(function, case, limit)
    return watch.found
