"""What a function needs from outside itself that a class grader would not see.

The grader takes imports, function and class definitions and constants out of a notebook, and nothing else; a tensor
made in another cell is there in the learner's session but not there.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

_LITERALS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))


def unseen_globals(function: Callable[..., Any]) -> list[tuple[str, str]]:
    """The outside names a function reads that are no import, definition or constant, each with its type's name."""
    own = inspect.unwrap(function)
    found: dict[str, str] = {}
    for reader in _with_helpers(own):
        for name, value in _outside_values(reader):
            if not _is_seen(value):
                found.setdefault(name, type(value).__name__)
    return sorted(found.items())


def notes_on_surroundings(function: Callable[..., Any]) -> list[str]:
    """A sentence for each name that the class grader would not see."""
    return [
        f"`{name}` is a {kind} made in another cell; the class grader will not see it: "
        "pass it in or make it inside the function."
        if kind != "function"
        else f"`{name}` is a lambda; the class grader sees only functions made with `def`."
        for name, kind in unseen_globals(function)
    ]


def _with_helpers(function: Any) -> Iterator[FunctionType]:
    waiting, seen = [function], set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, FunctionType) or current in seen:
            continue
        seen.add(current)
        yield current
        values = (value for _, value in _outside_values(current))
        waiting += [value for value in values if getattr(value, "__globals__", None) is current.__globals__]


def _outside_values(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Globals that exist and captured variables of an enclosing function, by name."""
    for name in _global_names(function.__code__):
        if name in function.__globals__ and not hasattr(builtins, name):
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _global_names(code: CodeType) -> Iterator[str]:
    import dis  # costs a few milliseconds that only a finished answer needs to spend

    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and isinstance(instruction.argval, str):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _global_names(constant)


def _is_seen(value: Any, depth: int = 0) -> bool:
    if isinstance(value, FunctionType):
        return value.__name__ != "<lambda>"
    if isinstance(value, ModuleType | BuiltinFunctionType | type) or callable(value) and hasattr(value, "__module__"):
        return not _is_instance_with_state(value)
    if type(value) in _LITERALS:
        return True
    if depth < 4 and type(value) in (tuple, list, set, frozenset):
        return all(_is_seen_literal(item, depth + 1) for item in value)
    if depth < 4 and type(value) is dict:
        return all(_is_seen_literal(item, depth + 1) for pair in value.items() for item in pair)
    return type(value).__module__ in ("typing", "types")


def _is_seen_literal(value: Any, depth: int) -> bool:
    return type(value) in (*_LITERALS, tuple, list, set, frozenset, dict) and _is_seen(value, depth)


def _is_instance_with_state(value: Any) -> bool:
    """A callable object such as a torch module, which some other cell made."""
    return not isinstance(value, type | ModuleType | BuiltinFunctionType) and bool(getattr(value, "__dict__", None))
