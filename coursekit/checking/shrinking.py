"""Making a failure small and readable: sizes in ascending order first, then plain values.

A candidate counts only while it fails *in the same way*: with the same kind of failure, or, where the mistake
has a name, still giving what that mistake gives.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from coursekit.checking.answering import Answer, Call
from coursekit.checking.bench import Bench
from coursekit.checking.cases import Case, Trial, cost, setting_of
from coursekit.checking.comparing import judge_case, same_result
from coursekit.checking.declaration import Misconception
from coursekit.checking.outcomes import Outcome
from coursekit.checking.parameters import BoundedTensor, Numbers, Setting, Tensor
from coursekit.checking.running import observe
from coursekit.checking.values import Comparison

MOST_CALLS = 240  # calls of the learner's function in one shrinking
MOST_SECONDS = 1.0
MOST_SETTINGS = 60  # sizes tried in ascending order; beyond that they are lowered one at a time


@dataclass(frozen=True, eq=False)
class Failure:
    """One failing call: the case, what was expected, what came, and how they differ."""

    case: Case
    expected: Outcome
    got: Outcome
    comparison: Comparison


def shrink(
    bench: Bench,
    trial: Trial,
    failure: Failure,
    answer: Answer,
    misconception: Misconception | None = None,
) -> Failure:
    """The smallest failure found that is like the given one; the given one where none is smaller.

    Deterministic for a deterministic function. Bounded in calls and seconds.
    """
    if trial.property.count == 0:  # cases chosen by hand are shown as chosen
        return failure
    with answer.within(MOST_SECONDS) as call:
        search = _Search(bench, trial, failure, call, misconception)
        search.smallest_sizes()
        search.plainest_values()
    return search.best


class _Search:
    def __init__(
        self,
        bench: Bench,
        trial: Trial,
        failure: Failure,
        call: Call,
        misconception: Misconception | None,
    ) -> None:
        self.bench, self.trial, self.call = bench, trial, call
        self.exercise, self.misconception = bench.exercise, misconception
        self.best = failure
        self.kind = failure.comparison.kind
        self.calls = 0
        self.slowest = failure.got.seconds
        self.ends = time.perf_counter() + MOST_SECONDS

    def tried(self, case: Case) -> bool:
        """Whether a case fails in the same way; it then becomes the best."""
        # A call that might run out of time teaches nothing, so stop while two slow ones still fit.
        if self.calls >= MOST_CALLS or time.perf_counter() + 2 * self.slowest > self.ends:
            return False
        if not self.exercise.allows(case, self.trial.property):
            return False
        self.calls += 1
        got = self.call(case)
        self.slowest = max(self.slowest, got.seconds)
        expected = self.bench.reference_on(case)
        comparison = judge_case(self.trial.property, case, expected, got)
        if comparison.holds or got.timed_out or not self._alike(case, expected, got, comparison):
            return False
        self.best = Failure(case, expected, got, comparison)
        return True

    def _alike(self, case: Case, expected: Outcome, got: Outcome, comparison: Comparison) -> bool:
        if self.misconception is None:
            return comparison.kind == self.kind
        named = observe(self.misconception.mutant, case)
        return same_result(named, got) and not judge_case(self.trial.property, case, expected, named).holds

    def smallest_sizes(self) -> None:
        """Try every smaller setting in ascending order; of many, lower one quantity at a time."""
        ranges = self.exercise.ranges(self.trial.property)
        now = setting_of(self.exercise, self.best.case)
        if set(now) != set(ranges):
            return
        spans = [range(low, high + 1) for low, high in ranges.values()]
        if math.prod(len(span) for span in spans) <= 600:
            settings = [dict(zip(ranges, values, strict=True)) for values in itertools.product(*spans)]
            smaller = [setting for setting in settings if self._cost(setting) < self._cost(now)]
            smaller.sort(key=self._cost)
            if any(self._fails_at(setting) for setting in smaller[:MOST_SETTINGS]):
                return
        while self._lower_one(ranges):
            continue

    def _lower_one(self, ranges: dict[str, tuple[int, int]]) -> bool:
        now = setting_of(self.exercise, self.best.case)
        for name, (low, _) in ranges.items():
            for value in range(low, now[name]):
                if self._fails_at({**now, name: value}):
                    return True
        return False

    def _cost(self, setting: Setting) -> tuple[int, int, tuple[int, ...]]:
        return cost(self.exercise, setting)

    def _fails_at(self, setting: Setting) -> bool:
        parameters, case = self.exercise.parameters, self.best.case
        return any(
            self.tried(_with_setting(parameters, case, setting, filling))
            for filling in (_counted, _first_part, _last_part)
        )

    def plainest_values(self) -> None:
        """Count 1, 2, 3 … in all tensors, or in one, or else lower one cell at a time; always so in lists."""
        setting = setting_of(self.exercise, self.best.case)
        tensors = [each.within(setting) for each in self.exercise.parameters if isinstance(each, Tensor)]
        lists = [parameter for parameter in tensors if isinstance(parameter, Numbers)]
        self._plainest_grids([parameter for parameter in tensors if parameter not in lists], setting)
        for parameter in lists:
            self._lower_cells(parameter)

    def _plainest_grids(self, tensors: list[BoundedTensor], setting: Setting) -> None:
        if not tensors or self._is_counted(tensors) or self._fails_at(setting):
            return
        for parameter in tensors:
            now = self._values(parameter)
            if not self._tried_with(parameter, _counted(parameter, now, tuple(now.shape))):
                self._lower_cells(parameter)

    def _is_counted(self, tensors: list[BoundedTensor]) -> bool:
        values = {parameter: self._values(parameter) for parameter in tensors}
        return all(
            torch.equal(now, _counted(parameter, now, tuple(now.shape))) for parameter, now in values.items()
        )

    def _lower_cells(self, parameter: BoundedTensor) -> None:
        for cell in range(self._values(parameter).numel()):
            for value in _plainer(parameter, self._values(parameter).flatten().tolist(), cell):
                now = self._values(parameter)
                now.view(-1)[cell] = value
                if self._tried_with(parameter, now):
                    break

    def _values(self, parameter: Tensor) -> torch.Tensor:
        return torch.as_tensor(self.best.case[parameter.name])

    def _tried_with(self, parameter: Tensor, values: torch.Tensor) -> bool:
        return self.tried(self.best.case.with_values(**{parameter.name: parameter.held(values)}))


Filling = Callable[[BoundedTensor, torch.Tensor, tuple[int, ...]], torch.Tensor]


def _with_setting(parameters: tuple[Any, ...], case: Case, setting: Setting, filling: Filling) -> Case:
    values: dict[str, Any] = {}
    for parameter in parameters:
        if isinstance(parameter, Tensor):
            now, shape = torch.as_tensor(case[parameter.name]), parameter.shape(setting)
            keeping = (
                isinstance(parameter, Numbers) and filling is _counted
            )  # counting makes lists no plainer
            values[parameter.name] = parameter.held(
                (_first_part if keeping else filling)(parameter.within(setting), now, shape)
            )
        elif parameter.name in setting:
            values[parameter.name] = setting[parameter.name]
        else:
            values[parameter.name] = tuple(setting[member] for member in parameter.members)
    return Case(values)


def _counted(parameter: BoundedTensor, now: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """1, 2, 3 … in reading order; a single cell is 2, as multiplying by 1 would hide a mistake."""
    count = math.prod(shape)
    start = 2 if count == 1 else 1
    values = list(range(start, start + count))
    if parameter.low is not None or parameter.high is not None:
        low = parameter.low if parameter.low is not None else min(1, parameter.high or 0)
        width = (parameter.high - low + 1) if parameter.high is not None else count + 1
        values = [low + value % width for value in values]
    return torch.tensor(values, dtype=now.dtype).reshape(shape)


def _first_part(parameter: BoundedTensor, now: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The upper left part of what is there; counted where there is not enough."""
    if len(shape) != now.ndim or any(wanted > size for wanted, size in zip(shape, now.shape, strict=True)):
        return _counted(parameter, now, shape)
    return now[tuple(slice(0, wanted) for wanted in shape)]


def _last_part(parameter: BoundedTensor, now: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The lower right part of what is there."""
    axes = tuple(range(now.ndim))
    return _first_part(parameter, now.flip(axes), shape).flip(tuple(range(len(shape))))


def _plainer(parameter: BoundedTensor, values: list[float], cell: int) -> Iterator[float]:
    """Smaller values for a cell that keep it different from its neighbours."""
    value = values[cell]
    low = parameter.low if parameter.low is not None else -math.inf
    for magnitude in range(1, min(int(abs(value)), 10) + 1):
        for candidate in (magnitude, -magnitude):
            simpler = (abs(candidate), candidate < 0) < (abs(value), value < 0)
            fresh = candidate not in values or isinstance(parameter, Numbers)  # a list may repeat itself
            if simpler and fresh and candidate >= low:
                yield candidate
