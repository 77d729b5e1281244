"""What a function needs from outside itself that a class grader would not see.

The grader takes imports, function and class definitions and constants out of a notebook, and nothing else; a
tensor made in another cell is there in the learner's session but not there.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from coursekit.checking.taking import names_taken

_LITERALS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))


def unseen_globals(function: Callable[..., Any]) -> list[tuple[str, str]]:
    """The outside names a function reads that are no import, definition or constant, with their types."""
    found: dict[str, str] = {}
    for reader in _with_helpers(inspect.unwrap(function)):
        suspects = [
            (name, value) for name, value in _outside_values(reader) if not _is_seen(name, value, reader)
        ]
        if suspects:
            read = {*_globals_read(reader.__code__), *reader.__code__.co_freevars}
            found.update((name, _kind(value)) for name, value in suspects if name in read)
    return sorted(found.items())


def notes_on_surroundings(function: Callable[..., Any]) -> list[str]:
    """A sentence for each name that the class grader would not see."""
    return [
        f"`{name}` is a {kind} made in another cell; the class grader will not see it: "
        "pass it in or make it inside the function."
        for name, kind in unseen_globals(function)
    ]


def needed_by(function: Callable[..., Any]) -> Iterator[tuple[str, Any]]:
    """The outside names that a function and its helpers mention, with their values; each name once."""
    inner = inspect.unwrap(function)
    named = {name: value for reader in _with_helpers(inner) for name, value in _outside_values(reader)}
    return ((name, value) for name, value in named.items() if value is not inner)


def _with_helpers(function: Any) -> Iterator[FunctionType]:
    """The function, and the learner's own functions that it names, each once."""
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
    """Globals whose name the function mentions, and captured variables of an enclosing one."""
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not bound yet
            continue


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _globals_read(code: CodeType) -> Iterator[str]:
    """The names read as globals: `co_names` holds those of attributes too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_read(constant)


def _is_seen(name: str, value: Any, reader: FunctionType) -> bool:
    if isinstance(value, FunctionType) and value.__name__ != "<lambda>":
        return True
    if isinstance(value, ModuleType | type) or (inspect.isroutine(value) and type(value) is not FunctionType):
        return True
    # Jupyter keeps the cells' text, and then the question has the grader's own answer.
    taken = names_taken(tuple(cells)) if (cells := _cells_of(reader)) else {}
    if name in taken:
        return taken[name]
    if isinstance(value, FunctionType):
        return False  # an assignment, not a definition
    return is_literal(value) or type(value).__module__ in ("typing", "types", "_frozen_importlib")


def _cells_of(reader: FunctionType) -> list[str]:
    cells = reader.__globals__.get("In")
    return [cell for cell in cells if isinstance(cell, str)] if isinstance(cells, list) else []


def is_literal(value: Any, depth: int = 0) -> bool:
    """Whether a value can be written out: a number, a text, or a collection of such."""
    if type(value) in _LITERALS:
        return True
    if depth > 3 or type(value) not in (tuple, list, set, frozenset, dict):
        return False
    items = [*value.keys(), *value.values()] if type(value) is dict else value
    return all(is_literal(item, depth + 1) for item in items)


def _kind(value: Any) -> str:
    return "lambda" if isinstance(value, FunctionType) else type(value).__name__
