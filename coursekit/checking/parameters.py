"""What an exercise's function takes: tensors whose axes are named, whole numbers, pairs and lists of them.

A *setting* gives every free quantity of a call a whole number: each axis symbol, each `Number`, and both
members of each `Pair` (written ``wanted[0]`` and ``wanted[1]``). Settings are planned, shrunk and compared;
values are filled in afterwards, so the shapes of a check never depend on its seed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

Sizes = dict[str, tuple[int, int]]
Setting = dict[str, int]

_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True)
class Tensor:
    """A tensor parameter, its axes named by symbol.

    Parameters
    ----------
    name : str
        The parameter's name in the function's signature.
    axes : str
        One word an axis: a symbol (``"H W"``), a whole number (``"3 H W"``), or arithmetic of both without
        spaces (``"C*r**2 H W"``). The same symbol in two parameters is the same size.
    dtype : str
        The name of a torch dtype.
    low, high : int, optional
        Inclusive bounds of the values. Without them values are small distinct whole numbers. `high` may be
        arithmetic of sizes and numbers, as an axis is: ``"C-1"`` for a mask of C classes.

    Examples
    --------
    >>> Tensor("x", "C*2 W").shape({"C": 3, "W": 5})
    (6, 5)
    >>> Tensor("mask", "H W", low=0, high="C-1").within({"C": 3}).high
    2
    """

    name: str
    axes: str
    dtype: str = "float32"
    low: int | None = None
    high: int | str | None = None

    @property
    def dims(self) -> tuple[str, ...]:
        """One expression an axis."""
        return tuple(self.axes.split())

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names that the axes mention, in order of appearance."""
        return tuple(dict.fromkeys(name for dim in self.dims for name in _names(dim)))

    def shape(self, setting: Mapping[str, int]) -> tuple[int, ...]:
        """The shape that a setting gives this tensor."""
        return tuple(_value(_expression(dim).body, setting) for dim in self.dims)

    def held(self, values: torch.Tensor) -> Any:
        """The argument that a case holds for these values."""
        return values

    @property
    def bounds_on(self) -> tuple[str, ...]:
        """The names that `high` mentions."""
        return _names(self.high) if isinstance(self.high, str) else ()

    def within(self, setting: Mapping[str, int]) -> BoundedTensor:
        """This tensor with the bounds that a setting gives its values."""
        high = _value(_expression(self.high).body, setting) if isinstance(self.high, str) else self.high
        return BoundedTensor(self.name, self.axes, self.dtype, self.low, high)


@dataclass(frozen=True)
class BoundedTensor(Tensor):
    """A tensor whose bounds are whole numbers."""

    high: int | None = None


@dataclass(frozen=True)
class Numbers(BoundedTensor):
    """A parameter that is a list of whole numbers, such as the kernel sizes of a stack of layers.

    Parameters
    ----------
    name : str
        The parameter's name in the function's signature.
    axes : str
        The symbol of its length; two lists of one symbol are equally long.
    low, high : int
        Inclusive bounds of each number.

    Examples
    --------
    >>> Numbers("strides", "L", low=1, high=3).held(torch.tensor([2, 1]))
    [2, 1]
    """

    dtype: str = "int64"

    def __post_init__(self) -> None:
        if len(self.dims) != 1 or self.low is None or self.high is None or self.low > self.high:
            raise ValueError(
                f"Expected one axis and both bounds for the list {self.name!r}, got {self.axes!r} from "
                f"{self.low} to {self.high}. Try Numbers({self.name!r}, 'L', low=1, high=5)."
            )

    def held(self, values: torch.Tensor) -> list[int]:
        """Plain numbers: what a learner does to one of them cannot change the list."""
        return [int(value) for value in values]

    def within(self, setting: Mapping[str, int]) -> BoundedTensor:
        """Itself: its bounds depend on nothing."""
        return self


@dataclass(frozen=True)
class Number:
    """A whole-number parameter between `low` and `high`, both included."""

    name: str
    low: int
    high: int


@dataclass(frozen=True)
class Pair:
    """A parameter that is a tuple of two whole numbers, each between `low` and `high`, both included."""

    name: str
    low: int
    high: int

    @property
    def members(self) -> tuple[str, str]:
        """The names of its two numbers in a setting."""
        return f"{self.name}[0]", f"{self.name}[1]"


Parameter = Tensor | Number | Pair


@cache
def _expression(dim: str) -> ast.Expression:
    try:
        return ast.parse(dim, mode="eval")
    except SyntaxError:
        raise ValueError(
            f"Expected an axis such as 'H', '3' or 'C*r**2' (no spaces), got {dim!r}. Try one word an axis."
        ) from None


def _names(dim: str) -> tuple[str, ...]:
    return tuple(node.id for node in ast.walk(_expression(dim)) if isinstance(node, ast.Name))


def _value(node: ast.expr, setting: Mapping[str, int]) -> int:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return setting[node.id]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left, setting), _value(node.right, setting))
    raise ValueError(
        f"Expected an axis made of symbols, whole numbers and + - * // **, got {ast.unparse(node)!r}. "
        "Try naming the size by a symbol of its own."
    )
