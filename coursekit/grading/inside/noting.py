"""Notes each forbidden operation that torch runs in this process: by any name, in any thread, from the start.

A note is put before torch's own kernels, which still do the work. Best effort, as all of it shares its
process with the learner's code; what is computed without torch is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import torch

from coursekit.checking.shortcuts import all_kernels, is_transposed, kernels_below

_kept: list[Any] = []  # a library that is thrown away takes its kernels with it


def note_operations(forbidden: Sequence[str], tell: Callable[[str], None]) -> bool:
    """Call `tell` with a forbidden name the first time that torch does what it stands for.

    Returns
    -------
    bool
        Whether this torch can do it, for every name outside the course.
    """
    try:
        library = torch.library.Library("aten", "IMPL")
        _kept.append(library)
        told: set[str] = set()
        for operation, meanings in _by_operation(forbidden).items():
            note = partial(_noted, _kernel(operation), meanings, told, tell)
            library.impl(operation, note, "CPU", with_keyset=True, allow_override=True)
    except (AttributeError, TypeError, RuntimeError):  # an older torch
        return False
    return all(kernels_below(name) for name in forbidden if not name.startswith("coursekit."))


def prepare() -> None:
    """Look everything up once, before any fork."""
    operations = {one for start in all_kernels() for one in _operations(start)}
    for operation in operations:
        _kernel(operation)


def _by_operation(forbidden: Sequence[str]) -> dict[str, list[tuple[str, bool | None]]]:
    found: dict[str, list[tuple[str, bool | None]]] = {}
    for name in forbidden:
        for start, transposed in kernels_below(name):
            for operation in _operations(start):
                found.setdefault(operation, []).append((name, transposed))
    return found


def _noted(
    kernel: Any,
    meanings: Sequence[tuple[str, bool | None]],
    told: set[str],
    tell: Callable[[str], None],
    keys: Any,
    *arguments: Any,
    **named: Any,
) -> Any:
    for name, transposed in meanings:
        if name not in told and (transposed is None or is_transposed(arguments) == transposed):
            told.add(name)
            tell(name)
            break
    return kernel.call_boxed(keys, *arguments, **named)


@cache
def _operations(start: str) -> tuple[str, ...]:
    """Those on the processor whose names begin so."""
    names = torch._C._dispatch_get_all_op_names()
    mine = {name.removeprefix("aten::") for name in names if name.startswith(f"aten::{start}")}
    return tuple(
        sorted(one for one in mine if "." not in one and "backward" not in one and _kernel(one) is not None)
    )


@cache
def _kernel(operation: str) -> Any:
    try:
        return torch.library.get_kernel(f"aten::{operation}", "CPU")
    except (AttributeError, RuntimeError, ValueError):
        return None
