"""The cases an answer is tried on: shapes fixed by the exercise, values by the seed, smallest first.

The shapes come from a small covering design: every quantity is seen small and large, every pair of quantities
in many combinations, heights above and below widths. Values are small distinct whole numbers, so that no flip,
transpose or mixed-up index goes unseen; later cases hold negative ones too.
"""

from __future__ import annotations

import itertools
import math
import random
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from coursekit.checking.declaration import Exercise, ExerciseError, Property
from coursekit.checking.parameters import Number, Pair, Parameter, Setting, Tensor

ENUMERATED = 240  # settings considered when planning one property
REDRAWS = 20  # how often values are drawn anew when `valid` refuses them


class Case(Mapping[str, Any]):
    """The arguments of one call by parameter name; reading one gives a fresh clone, so a case never changes.

    Examples
    --------
    >>> case = Case({"x": torch.ones(2, 3), "stride": 2})
    >>> case["x"].zero_().sum().item(), case["x"].sum().item(), case["stride"]
    (0.0, 6.0, 2)
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name: _private(value) for name, value in values.items()}

    def __getitem__(self, name: str) -> Any:
        return _private(self._values[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Case) or list(self) != list(other):
            return False
        return all(same_argument(value, other._values[name]) for name, value in self._values.items())

    def __hash__(self) -> int:
        return hash(tuple(self._values))

    def __repr__(self) -> str:
        parts = (f"{name}={_literal(value)}" for name, value in self._values.items())
        return f"Case({', '.join(parts)})"

    def arguments(self) -> list[Any]:
        """Fresh clones of the arguments, in the order of the parameters."""
        return [_private(value) for value in self._values.values()]

    def changed_in(self, arguments: Sequence[Any]) -> str | None:
        """The first parameter whose argument is no longer what `arguments` once cloned."""
        for (name, value), now in zip(self._values.items(), arguments, strict=True):
            if isinstance(value, torch.Tensor) and not same_argument(value, now):
                return name
        return None

    def with_values(self, **values: Any) -> Case:
        """A copy with some arguments replaced."""
        return Case({**self._values, **values})

    @property
    def size(self) -> int:
        """The number of cells in all tensors, the measure by which cases are ordered."""
        return sum(value.numel() for value in self._values.values() if isinstance(value, torch.Tensor))


@dataclass(frozen=True)
class Trial:
    """A case tried for a property."""

    property: Property
    case: Case


def make_cases(exercise: Exercise, seed: int = 0) -> tuple[Trial, ...]:
    """Every trial of a check, property by property, each property's smallest first.

    The shapes and whole-number parameters do not depend on `seed`, only the tensors' values do.
    """
    return tuple(Trial(item, case) for item in exercise.properties for case in cases_for(exercise, item, seed))


def cases_for(exercise: Exercise, item: Property, seed: int = 0) -> list[Case]:
    """The cases of one property: its explicit ones, then the seeded ones."""
    cases = [case_from(exercise, values) for values in item.cases or ()]
    for index, setting in enumerate(plan(exercise, item) if item.count > 0 else ()):
        rng = random.Random(f"{seed}/{exercise.id}/{item.id}/{index}")
        for _ in range(REDRAWS):
            case = fill(exercise, setting, rng, regime=index)
            if exercise.allows(case, item):
                cases.append(case)
                break
    if not cases:
        raise ExerciseError(
            f"{exercise.id}: expected property {item.id!r} to have cases, got none. Try wider sizes or a milder `valid`."
        )
    return cases


def case_from(exercise: Exercise, values: Mapping[str, Any]) -> Case:
    """A case from arguments written out by hand: nested lists become tensors, lists of two become pairs."""
    wanted = [parameter.name for parameter in exercise.parameters]
    if sorted(values) != sorted(wanted):
        raise ExerciseError(
            f"{exercise.id}: expected a case with {wanted}, got {sorted(values)}. Try one value a parameter."
        )
    return Case({parameter.name: _argument(parameter, values[parameter.name]) for parameter in exercise.parameters})


_PLANS: weakref.WeakKeyDictionary[Property, list[Setting]] = weakref.WeakKeyDictionary()


def plan(exercise: Exercise, item: Property) -> list[Setting]:
    """The settings a property is tried on, smallest first, the same for every seed."""
    if item not in _PLANS:
        candidates = _candidates(exercise, item)
        chosen = _cover(candidates, item.count)
        _PLANS[item] = sorted(chosen, key=lambda setting: cost(exercise, setting))
    return _PLANS[item]


def cost(exercise: Exercise, setting: Setting) -> tuple[int, int, tuple[int, ...]]:
    """How much there is to look at: cells first, then the numbers."""
    shapes = [parameter.shape(setting) for parameter in exercise.parameters if isinstance(parameter, Tensor)]
    return sum(math.prod(shape) for shape in shapes), sum(setting.values()), tuple(setting.values())


def fill(exercise: Exercise, setting: Setting, rng: random.Random, regime: int = 0) -> Case:
    """A case with the shapes of a setting and drawn values; `regime` counts towards the negative ones."""
    return Case({parameter.name: _drawn(parameter, setting, rng, regime) for parameter in exercise.parameters})


def setting_of(exercise: Exercise, case: Case) -> Setting:
    """The setting that a case has, read from its shapes and numbers."""
    setting: Setting = {}
    for parameter in exercise.parameters:
        value = case[parameter.name]
        if isinstance(parameter, Tensor):
            named = zip(parameter.dims, value.shape, strict=False)
            setting.update({dim: size for dim, size in named if dim.isidentifier() and dim not in setting})
        elif isinstance(parameter, Pair):
            setting.update(zip(parameter.members, value, strict=True))
        else:
            setting[parameter.name] = value
    return setting


def same_argument(one: Any, other: Any) -> bool:
    """Whether two arguments are equal, tensors by dtype, shape and every value (NaN equals NaN)."""
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return type(one) is type(other) and bool(one == other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(one, other) or bool(((one == other) | (one.isnan() & other.isnan())).all())


def _private(value: Any) -> Any:
    return value.clone() if isinstance(value, torch.Tensor) else value


def _literal(value: Any) -> str:
    return repr(value.tolist()) if isinstance(value, torch.Tensor) else repr(value)


def _argument(parameter: Parameter, value: Any) -> Any:
    if isinstance(parameter, Tensor):
        return torch.as_tensor(value).to(getattr(torch, parameter.dtype))
    return (int(value[0]), int(value[1])) if isinstance(parameter, Pair) else int(value)


def _candidates(exercise: Exercise, item: Property) -> list[Setting]:
    """Settings within the property's ranges that its `valid` accepts: all, or an even sample when many."""
    ranges = exercise.ranges(item)
    spans = [range(low, high + 1) for low, high in ranges.values()]
    rng = random.Random(f"plan/{exercise.id}/{item.id}")
    if math.prod(len(span) for span in spans) <= ENUMERATED:
        combinations = list(itertools.product(*spans))
    else:
        ends = [tuple(span[0] for span in spans), tuple(span[-1] for span in spans)]
        drawn = [tuple(rng.choice(span) for span in spans) for _ in range(ENUMERATED)]
        combinations = list(dict.fromkeys(ends + drawn))
    settings = [dict(zip(ranges, combination, strict=True)) for combination in combinations]
    if exercise.valid is None and item.valid is None:
        return settings
    return [setting for setting in settings if exercise.allows(fill(exercise, setting, rng), item)]


def _cover(candidates: list[Setting], count: int) -> list[Setting]:
    """Choose settings greedily so that as many pairs of values as possible are met; the smallest comes first."""
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
    orders = {(one, other, (a > b) - (a < b)) for (one, a), (other, b) in itertools.combinations(setting.items(), 2)}
    return frozenset(met | orders | set(setting.items()))


def _drawn(parameter: Parameter, setting: Setting, rng: random.Random, regime: int) -> Any:
    if isinstance(parameter, Number):
        return setting[parameter.name]
    if isinstance(parameter, Pair):
        return tuple(setting[member] for member in parameter.members)
    shape = parameter.shape(setting)
    values = _distinct(parameter, math.prod(shape), rng, regime)
    return torch.tensor(values, dtype=getattr(torch, parameter.dtype)).reshape(shape)


def _distinct(parameter: Tensor, count: int, rng: random.Random, regime: int) -> list[int]:
    """Whole numbers, distinct where the range allows: positive, later mixed, now and then all negative."""
    if parameter.low is not None or parameter.high is not None:
        low = parameter.low if parameter.low is not None else (parameter.high or 0) - 2 * count - 9
        high = parameter.high if parameter.high is not None else low + 2 * count + 9
        pool = range(low, high + 1)
        return rng.sample(pool, count) if count <= len(pool) else _varied(pool, count, rng)
    values = rng.sample(range(1, max(9, count + count // 2) + 1), count)
    if regime % 6 == 5:
        return [-value for value in values]
    if regime % 3 == 2:
        signs = [rng.choice((1, -1)) for _ in values]
        return [sign * value for sign, value in zip(signs, values, strict=True)]
    return values


def _varied(pool: range, count: int, rng: random.Random) -> list[int]:
    """More values than the range has: each of the range's values at least once, in a drawn order."""
    values = [pool[index % len(pool)] for index in range(count)]
    rng.shuffle(values)
    return values
