"""What the methods accept, and the sentences that say so: expected, got, try."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def sentence(expected: str, got: str, attempt: str) -> str:
    """One error text in the course's form, so that every room says it alike."""
    return f"Expected {expected}; got {got}. Try {attempt}."


def described(value: Any) -> str:
    """A value in a few words: its type, and its shape and dtype where it has them."""
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {str(value.dtype).removeprefix('torch.')}"
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return f"a NumPy array of shape {tuple(value.shape)} and dtype {value.dtype}"
    if isinstance(value, list | tuple | dict | set):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def require_grid(x: Any, name: str = "x", least_rank: int = 2) -> Tensor:
    """``x`` itself when it is a floating tensor ``(..., H, W)`` with cells and without NaN.

    Raises
    ------
    TypeError
        Not a tensor, or not of a floating dtype.
    ValueError
        Too few axes, an axis of length 0, or a NaN.
    """
    axes = "(..., H, W)" if least_rank == 2 else "(..., C, H, W)"
    if not isinstance(x, Tensor):
        raise TypeError(sentence(f"{name} as a float tensor {axes}", described(x), "torch.tensor(…).float()"))
    if not x.is_floating_point():
        raise TypeError(sentence(f"{name} as a float tensor", described(x), f"{name}.float()"))
    if x.ndim < least_rank:
        fix = f"{name}[None, :] for a single row" if x.ndim == 1 else f"{name}.reshape(…)"
        raise ValueError(sentence(f"{name} with at least {least_rank} axes {axes}", described(x), fix))
    if x.numel() == 0:
        raise ValueError(sentence(f"{name} with at least one cell", described(x), "a grid of 1x1 or more"))
    if torch.isnan(x).any():
        cell = tuple(torch.isnan(x).nonzero()[0].tolist())
        raise ValueError(sentence(f"numbers in {name}", f"NaN at cell {cell}", f"{name}.nan_to_num()"))
    return x


def require_same_dtype(x: Tensor, kernel: Tensor) -> None:
    """Refuse a grid and a kernel of two dtypes, which torch would report far from their cause."""
    if x.dtype != kernel.dtype:
        got = f"x {str(x.dtype).removeprefix('torch.')} and kernel {str(kernel.dtype).removeprefix('torch.')}"
        raise TypeError(sentence("x and kernel of one dtype", got, "kernel.to(x.dtype)"))


def require_pair(value: Any, name: str, least: int) -> tuple[int, int]:
    """``(rows, columns)`` from an int or from a pair of ints, none below ``least``."""
    pair = (value, value) if _is_int(value) else value
    if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(_is_int(side) for side in pair)):
        raise TypeError(
            sentence(
                f"{name} as an int or a pair (rows, columns) of ints",
                described(value),
                f"{name}={max(least, 2)}",
            )
        )
    rows, columns = pair
    if min(rows, columns) < least:
        raise ValueError(sentence(f"{name} of {least} or more", f"{name}={value}", f"{name}={max(least, 2)}"))
    return int(rows), int(columns)


def require_cells(height: int, width: int, attempt: str) -> None:
    """Refuse settings that leave no output cell."""
    if height < 1 or width < 1:
        raise ValueError(
            sentence("settings that leave at least one output cell", f"{height} x {width} cells", attempt)
        )


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
