"""How the rooms word their errors: expected, got, try. It needs no torch, so every room can use it."""

from __future__ import annotations

from typing import Any

_KINDS = {"Tensor": "tensor", "ndarray": "NumPy array"}


def sentence(expected: str, got: str, attempt: str) -> str:
    """One error text in the course's form, so that every room says it alike.

    Examples
    --------
    >>> sentence("a float tensor", "an int64 tensor", "x.float()")
    'Expected a float tensor; got an int64 tensor. Try x.float().'
    """
    return f"Expected {expected}; got {got}. Try {attempt}."


def described(value: Any) -> str:
    """A value in a few words: its type, and its shape and dtype where it has them.

    Examples
    --------
    >>> described([1, 2])
    'a list of length 2'
    """
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        kind = type(value).__name__
        dtype = str(value.dtype).removeprefix("torch.")
        return f"a {_KINDS.get(kind, kind)} of shape {tuple(value.shape)} and dtype {dtype}"
    if isinstance(value, list | tuple | dict | set):
        return f"a {type(value).__name__} of length {len(value)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a value of type {type(value).__name__}"
