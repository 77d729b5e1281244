"""Turning whatever a learner's function returns into plain data, without running the learner's code.

Only exact, known types pass: tensors, NumPy arrays and numbers, int, float, bool, str, None, and tuples or
lists of these. Anything else becomes a `Strange`, which equals nothing but says what it was; an object with a
clever ``__eq__`` is therefore never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import GeneratorType
from typing import Any

import numpy as np
import torch

DEEPEST = 6
MOST_ITEMS = 10_000


@dataclass(frozen=True)
class Strange:
    """A returned object that no exercise asks for: what it is, and what to try instead."""

    what: str
    advice: str = "return a tensor"


def plain(value: Any, notes: set[str] | None = None, depth: int = 0) -> Any:
    """Plain data equal to `value`, or `Strange`; what had to be converted is added to `notes`."""
    notes = set() if notes is None else notes
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if isinstance(value, torch.Tensor):
        return _plain_tensor(value)
    if isinstance(value, np.ndarray | np.generic):
        return _plain_array(value, notes)
    if kind is torch.Size:
        return tuple(int(size) for size in value)
    if kind in (tuple, list):
        return _plain_sequence(value, notes, depth)
    return Strange(*_described(value))


def _plain_tensor(value: torch.Tensor) -> Any:
    """Detach a tensor (or a subclass) from its graph, device, layout and class."""
    try:
        with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
            bare = value if type(value) is torch.Tensor else torch.Tensor.as_subclass(value, torch.Tensor)
            bare = bare.detach()
            if bare.layout is not torch.strided:
                bare = bare.to_dense()
            return bare.cpu().resolve_conj().resolve_neg().clone()
    except (RuntimeError, NotImplementedError, TypeError):  # meta or quantized tensors hold no plain values
        return Strange("a tensor without readable values", "return an ordinary torch tensor")


def _plain_array(value: np.ndarray[Any, Any] | np.generic, notes: set[str]) -> Any:
    if isinstance(value, np.generic):
        item = value.item()
        return item if type(item) in (bool, int, float) else Strange("a NumPy value that is no number")
    try:
        tensor = torch.from_numpy(np.array(value, copy=True, subok=False))
    except TypeError:
        return Strange(f"a NumPy array of {value.dtype}", "return a torch tensor of float32")
    notes.add("Your function returned a NumPy array. It was accepted; the course works with torch tensors.")
    return tensor


def _plain_sequence(value: tuple[Any, ...] | list[Any], notes: set[str], depth: int) -> Any:
    if depth >= DEEPEST or len(value) > MOST_ITEMS:
        return Strange(f"a very large or deeply nested {type(value).__name__}")
    return type(value)(plain(item, notes, depth + 1) for item in value)


def _described(value: Any) -> tuple[str, str]:
    if isinstance(value, GeneratorType):
        return "a generator (the function contains `yield`)", "use `return` instead of `yield`"
    if isinstance(value, type):
        return f"the class `{type.__getattribute__(value, '__name__')}` itself", "return a value"
    name = type(value).__name__
    if callable(value):
        return f"a {name}, not its result", "call it with parentheses and return what it gives"
    if name == "coroutine":
        return "a coroutine", "use a plain `def` without `async`"
    if isinstance(value, torch.nn.Module):
        return "a module, not its output", "call the module and return what it gives"
    return f"an object of type {name}", "return a tensor"


def described(value: Any) -> str:
    """A plain value in a few words, as messages say it."""
    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, Strange):
        return value.what
    if value is None:
        return "None (nothing)"
    if isinstance(value, tuple | list):
        inside = ", ".join(described(item) for item in value) if len(value) <= 3 else f"{len(value)} items"
        return f"a {type(value).__name__} of {inside}" if value else f"an empty {type(value).__name__}"
    if isinstance(value, str):
        return f"the text {value[:40]!r}"
    return f"{value!r} ({type(value).__name__})"
