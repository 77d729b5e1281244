"""Whether a plain value is the expected one; if not, in what way, which cells, and a sentence for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from coursekit.checking.plain import Strange, described

RELATIVE, ABSOLUTE = 1e-4, 1e-5


@dataclass(frozen=True, eq=False)
class Comparison:
    """The result of a comparison.

    `kind` is the way of failing, such as ``value``, ``shape`` or ``raised IndexError``; empty when it holds.
    `guilty` marks the cells that differ. `words` is the sentence, or what makes it.
    """

    holds: bool
    kind: str = ""
    words: str | Callable[[], str] = ""
    guilty: torch.Tensor | None = None
    notes: frozenset[str] = frozenset()

    @property
    def sentence(self) -> str:
        """What differs, in words; worked out only when asked, as one of dozens of comparisons is shown."""
        return self.words if isinstance(self.words, str) else self.words()


FINE = Comparison(True)


def compare_values(expected: Any, got: Any) -> Comparison:
    """Compare two plain values."""
    if isinstance(got, Strange):
        return _type_mistake(expected, got, got.advice)
    if isinstance(expected, torch.Tensor):
        return _compare_tensors(expected, got)
    if isinstance(expected, tuple | list):
        return _compare_sequences(expected, got)
    return _compare_scalars(expected, got)


def _type_mistake(expected: Any, got: Any, advice: str) -> Comparison:
    sentence = f"Expected {described(expected)}; your function returned {described(got)}. Try to {advice}."
    kind = got.what if isinstance(got, Strange) else type(got).__name__
    return Comparison(False, f"type {kind}", sentence)


def _compare_tensors(expected: torch.Tensor, got: Any) -> Comparison:
    if isinstance(got, bool | int | float) and expected.ndim == 0:
        got = torch.tensor(got, dtype=expected.dtype)
    if not isinstance(got, torch.Tensor):
        return _type_mistake(expected, got, _advice_for_non_tensor(got))
    if got.is_complex() and not expected.is_complex():
        return Comparison(False, "type complex", _dtype_sentence(expected, got))
    if got.shape != expected.shape:
        sentence = f"Expected shape {tuple(expected.shape)}; yours is {tuple(got.shape)}."
        sentence = f"{sentence} {_shape_advice(expected, got)}"
        return Comparison(False, "shape", sentence)
    guilty = _differing(expected, got)
    if guilty is not None:
        return Comparison(False, "value", partial(_value_sentence, expected, got, guilty), guilty)
    if got.dtype == expected.dtype:
        return FINE
    if got.is_floating_point() and expected.is_floating_point():
        note = f"Your function returned {_dtype(got)} where {_dtype(expected)} came in. It was accepted."
        return Comparison(True, notes=frozenset({note}))
    return Comparison(False, "dtype", f"The values are right. {_dtype_sentence(expected, got)}")


def _advice_for_non_tensor(got: Any) -> str:
    if got is None:
        return "end the function with `return` and the result, as in `return out`"
    if isinstance(got, list):
        return "turn the list into a tensor with `torch.tensor(...)`"
    if isinstance(got, tuple):
        return "return the one tensor, without a comma after it"
    return "return a torch tensor"


def _dtype_sentence(expected: torch.Tensor, got: torch.Tensor) -> str:
    wanted = _dtype(expected)
    return (
        f"Expected dtype {wanted}; yours is {_dtype(got)}. "
        f"Try making the result with `dtype=torch.{wanted}`, or end with `.to(torch.{wanted})`."
    )


def _dtype(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _shape_advice(expected: torch.Tensor, got: torch.Tensor) -> str:
    wanted, came = list(expected.shape), list(got.shape)
    if 0 in came and 0 not in wanted:
        return "Yours is empty. Try printing the sizes you compute."
    if wanted == came[::-1] and len(wanted) > 1:
        return "The axes are in reverse order: try swapping height and width."
    if [size for size in wanted if size != 1] == [size for size in came if size != 1]:
        return "An axis of length 1 is too many or missing: try `unsqueeze` or `squeeze`."
    return "Try printing `out.shape` and working the size out by hand for this input."


def _differing(expected: torch.Tensor, got: torch.Tensor) -> torch.Tensor | None:
    """A mask of the cells that differ, or None where all agree."""
    if got.dtype == expected.dtype and torch.equal(expected, got):
        return None
    one, other = expected, got
    if one.dtype != other.dtype or not one.is_floating_point():
        one, other = one.to(torch.float64), other.to(torch.float64)
    guilty = ~torch.isclose(other, one, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    return guilty if bool(guilty.any()) else None


def _value_sentence(expected: torch.Tensor, got: torch.Tensor, guilty: torch.Tensor) -> str:
    if expected.ndim == 0:
        return f"Expected {number(expected.item())}; yours is {number(got.item(), expected.item())}."
    cell = tuple(int(index) for index in guilty.nonzero()[0])
    wanted, came = expected[cell].item(), got[cell].item()
    first = f"Cell {list(cell)} should be {number(wanted, came)}; yours is {number(came, wanted)}."
    missing = int((got.isnan() & ~expected.isnan()).sum()) if got.is_floating_point() else 0
    if missing:
        cells = f"{missing} cell is" if missing == 1 else f"{missing} cells are"
        first += f" {cells} NaN (not a number): look for 0/0, or for `torch.empty` that was never filled."
    wrong = int(guilty.sum())
    if wrong == 1:
        return first
    return f"{first} {'All' if wrong == guilty.numel() else wrong} of {guilty.numel()} cells differ."


def number(value: float | int | bool, beside: float | int | bool | None = None) -> str:
    """A number for reading; with more digits where it would look the same as the one beside it."""
    if isinstance(value, bool | complex) or value is None:
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    short = _rounded(value, 4)
    alike = beside is not None and beside != value and not isinstance(beside, bool)
    return _rounded(value, 9) if alike and short == _rounded(beside, 4) else short  # type: ignore[arg-type]


def _rounded(value: float | int, digits: int) -> str:
    if math.isfinite(value) and value == int(value):
        return str(int(value)) if abs(value) < 1e7 else f"{value:.{digits}g}"
    return f"{value:.{digits}g}"


def _compare_sequences(expected: tuple[Any, ...] | list[Any], got: Any) -> Comparison:
    if (
        isinstance(got, torch.Tensor)
        and got.ndim == 1
        and all(isinstance(item, int | float) for item in expected)
    ):
        got = got.tolist()
    if not isinstance(got, tuple | list):
        return _type_mistake(expected, got, f"return {len(expected)} values, as in `return first, second`")
    if len(got) != len(expected):
        sentence = (
            f"Expected {len(expected)} values; your function returned {len(got)}. Try `return first, second`."
        )
        return Comparison(False, "length", sentence)
    notes: set[str] = set()
    for index, (one, other) in enumerate(zip(expected, got, strict=True)):
        inner = compare_values(one, other)
        if not inner.holds:
            return Comparison(False, f"{index} {inner.kind}", f"Result {index}: {inner.sentence}")
        notes |= inner.notes
    return Comparison(True, notes=frozenset(notes))


def _compare_scalars(expected: Any, got: Any) -> Comparison:
    if isinstance(got, torch.Tensor) and got.numel() == 1 and isinstance(expected, bool | int | float):
        got = got.reshape(()).item()
    if isinstance(expected, bool | str | type(None)) or isinstance(got, bool | str | type(None)):
        if type(expected) is type(got) and expected == got:
            return FINE
        return _scalar_mistake(expected, got)
    if not isinstance(got, int | float):
        return _type_mistake(expected, got, "return a plain number")
    if expected == got or math.isclose(expected, got, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
        return FINE
    if math.isnan(expected) and math.isnan(got):
        return FINE
    return _scalar_mistake(expected, got)


def _scalar_mistake(expected: Any, got: Any) -> Comparison:
    if got is None:
        return Comparison(
            False, "type NoneType", f"Expected {_shown(expected)}; your function returned None. Try `return`."
        )
    alike = type(expected) is type(got) or {type(expected), type(got)} <= {int, float}
    kind = "value" if alike else f"type {type(got).__name__}"
    beside = got if alike and not isinstance(got, str) else None
    return Comparison(
        False, kind, f"Expected {_shown(expected, beside)}; your function returned {_shown(got)}."
    )


def _shown(value: Any, beside: Any = None) -> str:
    if isinstance(value, bool | int | float):
        return number(value, beside)
    return described(value) if not isinstance(value, str) else repr(value[:80])
