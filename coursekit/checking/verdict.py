"""What a check found, as one object that shows itself in a notebook, in a terminal and as JSON."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

from coursekit.checking.cases import Case
from coursekit.checking.declaration import Exercise, Misconception
from coursekit.checking.plain import Strange

if TYPE_CHECKING:
    from coursekit.checking.drawing import Picture

STATES = ("right", "partial", "wrong", "not_attempted", "error", "forbidden", "timeout")


@dataclass(frozen=True)
class PropertyResult:
    """Whether a property held. `ran` is false when the check ended before it could be tried."""

    id: str
    says: str
    weight: float
    passed: bool
    ran: bool = True


@dataclass(frozen=True, eq=False)
class Counterexample:
    """The smallest failing case found.

    Attributes
    ----------
    case : Case
        The arguments; ``case.arguments()`` gives fresh clones in order.
    expected, got
        Plain values; `got` is None when the function did not return.
    guilty : tensor of bool, or None
        The cells of `got` that differ, where the shapes agree.
    returned : bool
        Whether the function returned at all.
    output : str
        What it printed on this case.
    sentence : str
        What differs, in words.
    label : str
        What `expected` is, where it is not the expected result but an argument that should have stayed.
    """

    case: Case
    expected: Any
    got: Any
    guilty: torch.Tensor | None = None
    returned: bool = True
    output: str = ""
    sentence: str = ""
    label: str = ""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The result of a check.

    Attributes
    ----------
    exercise : Exercise
    state : str
        One of `STATES`.
    fraction, points : float
        The share of the properties' weight that held, and the points that it is worth.
    properties : tuple of PropertyResult
    counterexample : Counterexample or None
    diagnosis : Misconception or None
        The named mistake.
    message : str
        One or a few sentences; code stands between backticks.
    notes : tuple of str
        What else is worth knowing, such as a global that the class grader would not see.
    output : str
        What the function printed.
    seconds : float
        How long the check took.
    """

    exercise: Exercise
    state: str
    fraction: float
    properties: tuple[PropertyResult, ...] = ()
    counterexample: Counterexample | None = None
    diagnosis: Misconception | None = None
    message: str = ""
    notes: tuple[str, ...] = ()
    output: str = ""
    seconds: float = field(default=0.0)

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.state == "right"

    @property
    def points(self) -> float:
        """The fraction of the exercise's points."""
        return round(self.fraction * self.exercise.points, 6)

    @property
    def picture(self) -> Picture | None:
        """The counterexample, drawn."""
        from coursekit.checking.drawing import draw_counterexample  # drawing needs this module's types

        return draw_counterexample(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; tensors become nested lists, NaN and infinities become text."""
        shown = self.counterexample
        return {
            "exercise": self.exercise.id,
            "version": self.exercise.version,
            "state": self.state,
            "fraction": self.fraction,
            "points": self.points,
            "properties": [vars(item) for item in self.properties],
            "counterexample": None if shown is None else _counterexample_data(shown),
            "diagnosis": None
            if self.diagnosis is None
            else {"id": self.diagnosis.id, "says": self.diagnosis.says, "advice": self.diagnosis.advice},
            "message": self.message,
            "notes": list(self.notes),
            "output": self.output,
            "seconds": round(self.seconds, 4),
        }

    def _repr_html_(self) -> str:
        from coursekit.checking.drawing import verdict_html

        return verdict_html(self)

    def __repr__(self) -> str:
        from coursekit.checking.drawing import verdict_text

        return verdict_text(self)


def _counterexample_data(shown: Counterexample) -> dict[str, Any]:
    return {
        "case": {name: _data(value) for name, value in shown.case.items()},
        "expected": _data(shown.expected),
        "got": _data(shown.got),
        "returned": shown.returned,
        "guilty": None if shown.guilty is None else shown.guilty.tolist(),
        "sentence": shown.sentence,
        "output": shown.output,
    }


def _data(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return {"dtype": str(value.dtype).removeprefix("torch."), "values": _data(value.tolist())}
    if isinstance(value, tuple | list):
        return [_data(item) for item in value]
    if isinstance(value, Strange):
        return value.what
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value
