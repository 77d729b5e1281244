"""Which cases an answer is tried on: shapes fixed by the exercise, values by the seed, smallest first.

The shapes come from a small covering design: every quantity is seen small and large, every pair of quantities
in many combinations, heights above and below widths. Where that would miss a misconception, a case that tells
it from a right answer is sought and added.
"""

from __future__ import annotations

import itertools
import math
import random
import weakref
from collections.abc import Iterator
from typing import Any

from coursekit.checking.cases import Case, Trial, case_from, cost, fill, sketch
from coursekit.checking.comparing import judge_case
from coursekit.checking.declaration import Exercise, ExerciseError, Misconception, Property
from coursekit.checking.parameters import Setting
from coursekit.checking.running import observe

ENUMERATED = 1500  # settings looked at when planning one property
CONSIDERED = 80  # valid ones among which its cases are chosen
FEWEST = 4  # cases of a property whose ranges leave fewer settings, which are then drawn again
REDRAWS = 20  # how often values are drawn anew when `valid` refuses them
TELLING = 2  # cases that tell each misconception from a right answer, where there are so many


def make_cases(exercise: Exercise, seed: int = 0) -> tuple[Trial, ...]:
    """Every trial of a check, property by property, each property's smallest first.

    The shapes and whole-number parameters do not depend on `seed`, only the tensors' values do.
    """
    return tuple(
        Trial(item, case) for item in exercise.properties for case in cases_for(exercise, item, seed)
    )


def cases_for(exercise: Exercise, item: Property, seed: int = 0) -> list[Case]:
    """The cases of one property: its explicit ones, then the seeded ones."""
    cases = [case_from(exercise, values) for values in item.cases or ()]
    for index, setting in enumerate(_repeated(plan(exercise)[item], item)):
        rng = random.Random(f"{seed}/{exercise.id}/{item.id}/{index}")
        for _ in range(REDRAWS):
            case = fill(exercise, setting, rng, regime=index)
            if exercise.allows(case, item):
                cases.append(case)
                break
    if not cases:
        raise ExerciseError(
            f"{exercise.id}: expected property {item.id!r} to have cases, got none. "
            "Try wider sizes or a milder `valid`."
        )
    return cases


def _repeated(settings: list[Setting], item: Property) -> list[Setting]:
    """The settings, over again where there are only a few."""
    if item.count <= 0 or not settings:
        return []
    wanted = max(len(settings), min(FEWEST, item.count))
    return [settings[index % len(settings)] for index in range(wanted)]


Plan = dict[Property, list[Setting]]
_PLANS: weakref.WeakKeyDictionary[Exercise, Plan] = weakref.WeakKeyDictionary()


def plan(exercise: Exercise) -> Plan:
    """The settings that each property is tried on, smallest first, the same for every seed."""
    if exercise not in _PLANS:
        candidates = {item: _candidates(exercise, item) for item in exercise.properties if item.count > 0}
        chosen = {item: _cover(candidates.get(item, []), item.count) for item in exercise.properties}
        for misconception in exercise.misconceptions:
            _make_telling(exercise, misconception, chosen, candidates)
        for settings in chosen.values():
            settings.sort(key=lambda setting: cost(exercise, setting))
        _PLANS[exercise] = chosen
    return _PLANS[exercise]


def _make_telling(exercise: Exercise, misconception: Misconception, chosen: Plan, candidates: Plan) -> None:
    """Add settings that tell a misconception from a right answer, if fewer than `TELLING` chosen ones do."""
    found = 0
    for item, settings in chosen.items():
        for setting in settings:
            found += _tells(exercise, item, misconception, setting)
            if found >= TELLING:
                return
    for item, settings in candidates.items():
        for setting in settings:
            if setting not in chosen[item] and _tells(exercise, item, misconception, setting):
                chosen[item].append(setting)
                found += 1
                if found >= TELLING:
                    return


def _tells(exercise: Exercise, item: Property, misconception: Misconception, setting: Setting) -> bool:
    case = sketch(exercise, setting)
    expected, got = observe(exercise.reference, case), observe(misconception.mutant, case)
    return not judge_case(item, case, expected, got).holds


def _candidates(exercise: Exercise, item: Property) -> list[Setting]:
    """Settings within the property's ranges that its `valid` accepts: all, or a sample when many."""
    ranges = exercise.ranges(item)
    rng = random.Random(f"plan/{exercise.id}/{item.id}")
    free = exercise.valid is None and item.valid is None
    found: list[Setting] = []
    for combination in _combinations(list(ranges.values()), rng):
        setting = dict(zip(ranges, combination, strict=True))
        if free or exercise.allows(sketch(exercise, setting), item):
            found.append(setting)
        if len(found) >= CONSIDERED:
            break
    return found


def _combinations(spans: list[tuple[int, int]], rng: random.Random) -> Iterator[tuple[int, ...]]:
    """All combinations of values in a drawn order; of many, the smallest, the largest, and drawn ones."""
    lowest, highest = tuple(low for low, _ in spans), tuple(high for _, high in spans)
    yield from dict.fromkeys((lowest, highest))
    if math.prod(high - low + 1 for low, high in spans) <= ENUMERATED:
        every = list(itertools.product(*(range(low, high + 1) for low, high in spans)))[1:-1]
        yield from rng.sample(every, len(every))
        return
    seen = set()
    for number in range(ENUMERATED):
        # Every other one is drawn from the lower half, as small cases are the ones that get drawn and read.
        drawn = tuple(low + int(rng.random() * (high - low + 1) / (1 + number % 2)) for low, high in spans)
        if drawn not in seen:
            seen.add(drawn)
            yield drawn


def _cover(candidates: list[Setting], count: int) -> list[Setting]:
    """Choose settings greedily so that as many pairs of values as possible are met, the smallest first."""
    remaining = sorted(candidates, key=lambda setting: sum(setting.values()))
    if len(remaining) <= count:
        return remaining
    features = {index: _features(setting) for index, setting in enumerate(remaining)}
    met = set(features.pop(0))
    chosen = [remaining[0]]
    while len(chosen) < count:
        best = max(features, key=lambda index: len(features[index] - met))  # ties go to the smaller setting
        met |= features.pop(best)
        chosen.append(remaining[best])
    return chosen


def _features(setting: Setting) -> frozenset[tuple[Any, ...]]:
    pairs = itertools.combinations(setting.items(), 2)
    met = {(*one, *other) for one, other in pairs}
    orders = {
        (one, other, (a > b) - (a < b)) for (one, a), (other, b) in itertools.combinations(setting.items(), 2)
    }
    return frozenset(met | orders | set(setting.items()))
