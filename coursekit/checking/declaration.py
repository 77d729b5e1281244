"""An exercise as one declarative object: everything else about it is derived from this."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from coursekit.checking.parameters import Pair, Parameter, Sizes, Tensor
from coursekit.checking.sheets import Draws
from coursekit.checking.sources import renamed_source

Validity = Callable[[Any], bool]
DEFAULT_SIZES = (1, 4)


class ExerciseError(ValueError):
    """An exercise contradicts itself; the message says where, what was expected and what to try."""


@dataclass(frozen=True, eq=False)
class Property:
    """One thing that must hold of the learner's function, with its share of the points.

    Parameters
    ----------
    id : str
        Unique within the exercise.
    says : str
        The property in the learner's words, as a sentence fragment or sentence ("overlapping stamps are
        summed").
    weight : float
        Its share: the exercise's points are split in proportion.
    sizes : mapping of str to (int, int)
        Narrows the ranges of axis symbols, of numbers by name, and of pairs by name, for this property.
    fixed : mapping of str to int or (int, int)
        Gives symbols, numbers or pairs one value.
    cases : sequence of mappings, optional
        Explicit arguments by parameter name, tried before the seeded ones; nested lists become tensors.
    valid : callable, optional
        ``valid(case) -> bool``: leaves out cases that make no sense.
    holds : callable, optional
        ``holds(case, output) -> bool`` judges instead of equality with the reference.
    count : int
        At most so many seeded cases.
    """

    id: str
    says: str
    weight: float = 1
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    cases: Sequence[Mapping[str, Any]] | None = None
    valid: Validity | None = None
    holds: Callable[[Any, Any], bool] | None = None
    count: int = 12


@dataclass(frozen=True, eq=False)
class Misconception:
    """A mistake worth naming: `mutant` makes exactly that mistake and has the reference's signature.

    `says` is one sentence that names it; `advice` says what to try.
    """

    id: str
    says: str
    mutant: Callable[..., Any]
    advice: str = ""


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function for the learner to write, and all that is needed to check, draw, grade and explain it.

    Parameters
    ----------
    id, lesson, title : str
        `id` names it in ``@exercise("id")``; `lesson` is the lesson's number, such as ``"05"``.
    function : str
        The name of the function the learner writes.
    points : float
        What a right answer is worth in the gradebook.
    starter : str
        The ``def`` as the lesson's cell holds it, without the ``@exercise`` line (`cell` adds it).
    reference : callable
        A module-level function that is right.
    parameters : tuple of Tensor, Number, Pair or Numbers
        The function's parameters in order.
    properties : tuple of Property
    misconceptions : tuple of Misconception
        The first declared wins when two explain a failure equally well.
    hints : tuple of str
        From gentle to explicit.
    forbidden : tuple of str
        Dotted names such as ``"torch.nn.functional.conv_transpose2d"``.
    sizes : mapping of str to (int, int)
        The inclusive range of each axis symbol; one not listed ranges over 1 to 4.
    valid : callable, optional
        ``valid(case) -> bool`` for all properties.
    minutes, difficulty, version : int
        For the learner's planning; `version` changes when the checks do.
    example : mapping, optional
        Arguments of the case that ``example(id)`` shows.
    draw : callable, optional
        ``draw(case, output)`` returns extra ``(label, value)`` pairs to draw after the inputs.
    sheet : callable, optional
        ``sheet(case, output)`` returns the `Sheet` of rectangles that an output means, drawn to scale: the
        expected one and the learner's, or a single one where both are alike.
    shows : tuple of str
        The parameters drawn; empty means all.
    fingerprint : mapping, optional
        For a function from a grid (its first parameter) to a grid: all other arguments by name. The check
        then says which method of the course the learner's function equals, and how it differs from the
        reference; nested lists become tensors. {} where there are no others.
    known : tuple of str
        The methods that a learner has met by then, such as ``"nearest"``: only these are named. Empty means
        all.
    """

    id: str
    lesson: str
    title: str
    function: str
    points: float
    starter: str
    reference: Callable[..., Any]
    parameters: tuple[Parameter, ...] = ()
    properties: tuple[Property, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    hints: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    valid: Validity | None = None
    minutes: int = 5
    difficulty: int = 1
    version: int = 1
    example: Mapping[str, Any] | None = None
    draw: Callable[[Any, Any], Sequence[tuple[str, Any]]] | None = None
    sheet: Draws | None = None
    shows: tuple[str, ...] = ()
    fingerprint: Mapping[str, Any] | None = None
    known: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("parameters", "properties", "misconceptions", "hints", "forbidden", "shows", "known"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise ExerciseError(
                    f"{self.id}: expected {name} to be a tuple, got the text {value!r}. Try ({value!r},)."
                )
            object.__setattr__(self, name, tuple(value))
        object.__setattr__(self, "starter", textwrap.dedent(self.starter).strip("\n") + "\n")
        problems = list(_contradictions(self))
        if problems:
            raise ExerciseError(f"{self.id}: " + " ".join(problems))

    @property
    def cell(self) -> str:
        """The lesson's cell: the ``@exercise`` line and the starter."""
        return f'@exercise("{self.id}")\n{self.starter}'

    @cached_property
    def solution(self) -> str:
        """The reference's source text, under the name that the learner writes."""
        return renamed_source(self.reference, self.function)

    @property
    def signature(self) -> str:
        """The head of the function, such as ``transposed_conv(x, kernel, stride)``."""
        return f"{self.function}({', '.join(parameter.name for parameter in self.parameters)})"

    def example_case(self) -> Any:
        """The case that shows what the function does: the declared one, else one not too small."""
        from coursekit.checking.cases import case_from  # cases are made of declarations
        from coursekit.checking.planning import cases_for

        if self.example is not None:
            return case_from(self, self.example)
        cases = cases_for(self, self.properties[0])
        return cases[min(len(cases) // 3, len(cases) - 1)]

    def ranges(self, of: Property | None = None) -> Sizes:
        """The inclusive range of every free quantity, narrowed by a property."""
        narrower = {**(of.sizes if of else {})}
        ranges: Sizes = {}
        for parameter in self.parameters:
            if isinstance(parameter, Tensor):
                for symbol in parameter.symbols:
                    ranges.setdefault(symbol, narrower.get(symbol, self.sizes.get(symbol, DEFAULT_SIZES)))
            else:
                span = narrower.get(parameter.name, (parameter.low, parameter.high))
                names = parameter.members if isinstance(parameter, Pair) else (parameter.name,)
                ranges.update(dict.fromkeys(names, span))  # a Number wins over a symbol of its name
        for name, value in (of.fixed if of else {}).items():
            both = isinstance(value, tuple)
            members = zip((f"{name}[0]", f"{name}[1]"), value, strict=True) if both else ((name, value),)
            ranges.update({member: (number, number) for member, number in members})
        return ranges

    def allows(self, case: Any, of: Property) -> bool:
        """Whether the exercise's and the property's `valid` both accept a case."""
        return all(bool(valid(case)) for valid in (self.valid, of.valid) if valid is not None)

    def validate(self, seeds: Sequence[int] = (0, 1, 2)) -> None:
        """Run every promise the declaration makes; meant for tests, as it runs all mutants.

        Raises
        ------
        ExerciseError
            When the starter, the reference, a misconception or a hint does not do what it should.
        """
        from coursekit.checking.validation import (
            promises_broken,
        )  # validation checks answers, hence needs the judge

        problems = promises_broken(self, seeds)
        if problems:
            raise ExerciseError(f"{self.id}: " + " ".join(problems))


def _contradictions(exercise: Exercise) -> list[str]:
    """What is wrong with a declaration, as far as can be told without running it."""
    found = []
    if not exercise.properties:
        found.append(
            "expected at least one property, got none. Try Property('values', 'every value is right')."
        )
    for name in ("parameters", "properties", "misconceptions"):
        keys = [getattr(item, "id", None) or item.name for item in getattr(exercise, name)]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        if repeated:
            found.append(
                f"expected distinct names among the {name}, got {repeated} more than once. Try renaming."
            )
    for item in exercise.properties:
        if not item.weight > 0:
            found.append(f"expected a weight above 0, got {item.weight} for property {item.id!r}. Try 1.")
        found += _unknown_names(exercise, item)
    found += _unknown_bounds(exercise)
    if not exercise.points > 0:
        found.append(f"expected points above 0, got {exercise.points}. Try 1.")
    if f"def {exercise.function}(" not in exercise.starter:
        found.append(f"expected a starter that defines {exercise.function}. Try 'def {exercise.signature}:'.")
    mutants = [(f"misconception {item.id!r}", item.mutant) for item in exercise.misconceptions]
    for label, function in [("the reference", exercise.reference), *mutants]:
        found += _misfit(exercise, label, function)
    return found


def _unknown_names(exercise: Exercise, item: Property) -> list[str]:
    names = {name.split("[")[0] for name in exercise.ranges()}
    unknown = sorted(({*item.sizes, *item.fixed} | {*exercise.sizes}) - names)
    empty = [name for name, (low, high) in exercise.ranges(item).items() if low > high]
    found = []
    if unknown:
        found.append(
            f"expected sizes and fixed among {sorted(names)}, got {unknown}. Try a symbol of a parameter."
        )
    if empty:
        found.append(
            f"expected low <= high, got an empty range for {empty} in property {item.id!r}. Try swapping."
        )
    return found


def _unknown_bounds(exercise: Exercise) -> list[str]:
    known = sorted(exercise.ranges())
    tensors = [each for each in exercise.parameters if isinstance(each, Tensor)]
    strays = {each.name: [name for name in each.bounds_on if name not in known] for each in tensors}
    return [
        f"expected `high` of {name!r} to be made of {known}, got {unknown}. Try one of them."
        for name, unknown in strays.items()
        if unknown
    ]


def _misfit(exercise: Exercise, label: str, function: Callable[..., Any]) -> list[str]:
    try:
        inspect.signature(function).bind(*exercise.parameters)
    except (TypeError, ValueError) as reason:
        return [f"expected {label} to take {exercise.signature}, got: {reason}. Try the same parameters."]
    return []
