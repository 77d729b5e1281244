"""What the methods accept, and the sentences that say so: expected, got, try."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.wording import described, sentence


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
        attempt = tensor_advice(x, name)
        raise TypeError(sentence(f"{name} as a float tensor {axes}", described(x), attempt))
    if not x.is_floating_point():
        raise TypeError(sentence(f"{name} as a float tensor {axes}", described(x), f"{name}.float()"))
    if x.ndim < least_rank:
        expected = f"{name} with at least {least_rank} axes {axes}"
        raise ValueError(sentence(expected, described(x), _rank_advice(x, name, least_rank)))
    if x.numel() == 0:
        raise ValueError(sentence(f"{name} with at least one cell", described(x), "a grid of 1x1 or more"))
    if torch.isnan(x).any():
        cell = tuple(torch.isnan(x).nonzero()[0].tolist())
        raise ValueError(sentence(f"numbers in {name}", f"NaN at cell {cell}", f"{name}.nan_to_num()"))
    return x


def tensor_advice(value: Any, name: str = "x") -> str:
    """How to make a float tensor of what came."""
    if isinstance(value, np.ndarray):
        floating = np.issubdtype(value.dtype, np.floating)
        return f"torch.from_numpy({name})" if floating else f"torch.from_numpy({name}).float()"
    if isinstance(value, list | tuple):
        return f"torch.tensor({name}).float()"
    if isinstance(value, int | float):
        return f"torch.tensor([[{name}]]).float()"
    return f"a tensor, such as {name} = torch.ones(2, 2)"


def _rank_advice(x: Tensor, name: str, least_rank: int) -> str:
    if x.ndim == 0:
        return f"{name}.reshape({', '.join('1' * least_rank)})"
    if least_rank == 2:
        return f"{name}[None, :] for a single row"
    return "torch.stack([…]) of as many grids (H, W) as there are cells in a block"


def require_alike(x: Tensor, kernel: Tensor) -> None:
    """Refuse a grid and a kernel of two dtypes or devices, which torch reports far from their cause."""
    for trait in ("dtype", "device"):
        ours, theirs = getattr(x, trait), getattr(kernel, trait)
        if ours != theirs:
            got = f"x of {trait} {ours} and kernel of {trait} {theirs}".replace("torch.", "")
            raise TypeError(sentence(f"x and kernel of one {trait}", got, f"kernel.to(x.{trait})"))


def require_pair(value: Any, name: str, least: int, attempt: str | None = None) -> tuple[int, int]:
    """``(rows, columns)`` from an int or from a pair of ints, none below ``least``."""
    attempt = attempt or f"{name}={_nearest_int(value, least)}"
    pair = (value, value) if is_int(value) else value
    if not (isinstance(pair, tuple | list) and len(pair) == 2 and all(is_int(side) for side in pair)):
        expected = f"{name} as an int or a pair (rows, columns) of ints"
        got = repr(value) if isinstance(value, tuple | list) and len(repr(value)) <= 40 else described(value)
        raise TypeError(sentence(expected, got, attempt))
    rows, columns = pair
    if min(rows, columns) < least:
        raise ValueError(sentence(f"{name} of {least} or more", f"{name}={value}", attempt))
    return int(rows), int(columns)


def _nearest_int(value: Any, least: int) -> int:
    """The whole number that the caller may have meant; else one that is always allowed."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return max(int(value), least) if is_number and abs(value) < 100 else least


def require_cells(height: int, width: int, attempt: str) -> None:
    """Refuse settings that leave no output cell."""
    if height < 1 or width < 1:
        expected = "settings that leave at least one output cell"
        raise ValueError(sentence(expected, f"{height} x {width} cells", attempt))


def is_int(value: Any) -> bool:
    """A whole number of Python's or NumPy's, but not True or False."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_tensor(value: Tensor | np.ndarray[Any, Any]) -> Tensor:
    """A tensor's or a NumPy array's numbers on the CPU, without history; it may share memory."""
    # A copy of the array: torch takes no negative steps and warns about read-only memory.
    tensor = torch.from_numpy(np.array(value, order="C")) if isinstance(value, np.ndarray) else value
    return tensor.detach().cpu().contiguous()


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is spoken: ``2x3``."""
    return "x".join(str(side) for side in shape) or "a single number"
