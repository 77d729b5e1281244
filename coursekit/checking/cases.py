"""A case is the arguments of one call. Its values are small distinct whole numbers, drawn from a seed.

Distinct, so that no flip, transpose or mixed-up index goes unseen; later cases hold negative values too.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import torch

from coursekit.checking.declaration import Exercise, ExerciseError, Property
from coursekit.checking.parameters import BoundedTensor, Number, Pair, Parameter, Setting, Tensor


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
            if isinstance(value, torch.Tensor | list) and not same_argument(value, now):
                return name
        return None

    def with_values(self, **values: Any) -> Case:
        """A copy with some arguments replaced."""
        return Case({**self._values, **values})

    @property
    def size(self) -> int:
        """The number of cells in all tensors and lists, the measure by which cases are ordered."""
        many = (value for value in self._values.values() if isinstance(value, torch.Tensor | list))
        return sum(torch.as_tensor(value).numel() for value in many)


@dataclass(frozen=True)
class Trial:
    """A case tried for a property."""

    property: Property
    case: Case


def case_from(exercise: Exercise, values: Mapping[str, Any]) -> Case:
    """A case from arguments written out by hand: what is a tensor or a pair may be written as a list."""
    wanted = [parameter.name for parameter in exercise.parameters]
    if sorted(values) != sorted(wanted):
        raise ExerciseError(
            f"{exercise.id}: expected a case with {wanted}, got {sorted(values)}. Try one value a parameter."
        )
    return Case(
        {parameter.name: _argument(parameter, values[parameter.name]) for parameter in exercise.parameters}
    )


def fill(exercise: Exercise, setting: Setting, rng: random.Random, regime: int = 0) -> Case:
    """A case with the shapes of a setting and drawn values; `regime` counts towards the negative ones."""
    return Case(
        {parameter.name: _drawn(parameter, setting, rng, regime) for parameter in exercise.parameters}
    )


def cost(exercise: Exercise, setting: Setting) -> tuple[int, int, tuple[int, ...]]:
    """How much there is to look at: cells first, then the numbers."""
    shapes = [parameter.shape(setting) for parameter in exercise.parameters if isinstance(parameter, Tensor)]
    return sum(math.prod(shape) for shape in shapes), sum(setting.values()), tuple(setting.values())


def setting_of(exercise: Exercise, case: Case) -> Setting:
    """The setting that a case has, read from its shapes and numbers."""
    setting: Setting = {}
    for parameter in exercise.parameters:
        value = case[parameter.name]
        if isinstance(parameter, Tensor):
            named = zip(parameter.dims, torch.as_tensor(value).shape, strict=False)
            setting.update({dim: size for dim, size in named if dim.isidentifier() and dim not in setting})
        elif isinstance(parameter, Pair):
            setting.update(zip(parameter.members, value, strict=True))
        else:
            setting[parameter.name] = value
    return setting | _solved(exercise, case, setting)


def _solved(exercise: Exercise, case: Case, known: Setting) -> Setting:
    """Symbols only found inside arithmetic, such as h in ``"2*h"``: the first sizes that fit the shapes."""
    ranges = {name: span for name, span in exercise.ranges().items() if name not in known}
    tensors = [parameter for parameter in exercise.parameters if isinstance(parameter, Tensor)]
    for sizes in product(*(range(low, high + 1) for low, high in ranges.values())):
        found = dict(zip(ranges, sizes, strict=True))
        if all(
            tensor.shape(known | found) == tuple(torch.as_tensor(case[tensor.name]).shape)
            for tensor in tensors
        ):
            return found
    return {name: low for name, (low, _) in ranges.items()}


def same_argument(one: Any, other: Any) -> bool:
    """Whether two arguments are equal, tensors by dtype, shape and every value (NaN equals NaN)."""
    if isinstance(one, list) and isinstance(other, list):
        # Types first: a learner may have put an object with an `==` of its own into a list of numbers.
        return [type(item) for item in one] == [type(item) for item in other] and one == other
    if not isinstance(one, torch.Tensor) or not isinstance(other, torch.Tensor):
        return type(one) is type(other) and bool(one == other)
    if one.shape != other.shape or one.dtype != other.dtype:
        return False
    return torch.equal(one, other) or bool(((one == other) | (one.isnan() & other.isnan())).all())


def _private(value: Any) -> Any:
    if isinstance(value, list):
        return value.copy()
    return value.clone() if isinstance(value, torch.Tensor) else value


def _literal(value: Any) -> str:
    return repr(value.tolist()) if isinstance(value, torch.Tensor) else repr(value)


def _argument(parameter: Parameter, value: Any) -> Any:
    if isinstance(parameter, Tensor):
        return parameter.held(torch.as_tensor(value).to(getattr(torch, parameter.dtype)))
    return (int(value[0]), int(value[1])) if isinstance(parameter, Pair) else int(value)


def sketch(exercise: Exercise, setting: Setting) -> Case:
    """A case of a setting's shapes with any values: planning asks `valid` about hundreds of them."""
    tensors = {
        p.name: p.held(_counted_up(p.within(setting), p.shape(setting)))
        for p in exercise.parameters
        if isinstance(p, Tensor)
    }
    numbers = {p.name: _numbers(p, setting) for p in exercise.parameters if not isinstance(p, Tensor)}
    return Case({parameter.name: {**tensors, **numbers}[parameter.name] for parameter in exercise.parameters})


@lru_cache(maxsize=512)
def _counted_up(parameter: BoundedTensor, shape: tuple[int, ...]) -> torch.Tensor:
    """1, 2, 3 … in reading order, and over again from `low` where `high` is reached."""
    values = torch.arange(1, math.prod(shape) + 1, dtype=getattr(torch, parameter.dtype))
    if parameter.low is not None and parameter.high is not None:
        values = parameter.low + (values - parameter.low) % (parameter.high - parameter.low + 1)
    return values.reshape(shape)


def _drawn(parameter: Parameter, setting: Setting, rng: random.Random, regime: int) -> Any:
    if not isinstance(parameter, Tensor):
        return _numbers(parameter, setting)
    shape = parameter.shape(setting)
    values = _distinct(parameter.within(setting), math.prod(shape), rng, regime)
    return parameter.held(torch.tensor(values, dtype=getattr(torch, parameter.dtype)).reshape(shape))


def _numbers(parameter: Number | Pair, setting: Setting) -> Any:
    if isinstance(parameter, Number):
        return setting[parameter.name]
    return tuple(setting[member] for member in parameter.members)


def _distinct(parameter: BoundedTensor, count: int, rng: random.Random, regime: int) -> list[int]:
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
