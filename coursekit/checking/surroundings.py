"""What a function needs from outside itself that a class grader would not see.

The grader takes imports, function and class definitions and constants out of a notebook, and nothing else; a
tensor made in another cell is there in the learner's session but not there.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from coursekit.checking.binding import globals_read
from coursekit.checking.taking import names_taken

_LITERALS = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))
ROOMS = ("checking", "upsampling", "boxes", "nets", "training", "data")
"""The rooms of the course that the class grader has, beside the names that a lesson takes from its root."""


def unseen_globals(function: Callable[..., Any]) -> list[tuple[str, str]]:
    """The outside names a function reads that are no import, definition or constant, with their types."""
    found: dict[str, str] = {}
    inner = inspect.unwrap(function)
    for reader in _with_helpers(inner):
        # Jupyter keeps the cells' text, and then the question has the grader's own answer.
        taken = names_taken(tuple(cells)) if (cells := _cells_of(reader)) else {}
        captured = reader.__code__.co_freevars
        suspects = [
            (name, value)
            for name, value in _outside_values(reader)
            if not (taken[name] if name in taken and name not in captured else _is_seen(value))
        ]
        if suspects:
            # What a helper captured comes with it, where the call that made it is taken.
            read = {*globals_read(reader.__code__), *(captured if reader is inner or not taken else ())}
            found.update((name, _kind(value)) for name, value in suspects if name in read)
    return sorted(found.items())


def rooms_missing(function: Callable[..., Any]) -> list[tuple[str, str]]:
    """The outside names a function reads that come from a room of the course which the grader lacks."""
    found: dict[str, str] = {}
    for reader in _with_helpers(inspect.unwrap(function)):
        homes = {name: _home(value) for name, value in _outside_values(reader)}
        homes = {} if _home(reader) else homes  # the course's own
        lacking = {name: home for name, home in homes.items() if home and home.split(".")[1] not in ROOMS}
        if lacking:
            read = set(globals_read(reader.__code__))
            found.update((name, home) for name, home in lacking.items() if name in read)
    return sorted(found.items())


def notes_on_surroundings(function: Callable[..., Any]) -> list[str]:
    """A sentence for each name that the class grader would not see."""
    made = [
        f"`{name}` is a {kind} made in another cell; the class grader will not see it: "
        "pass it in or make it inside the function."
        for name, kind in unseen_globals(function)
    ]
    return made + [
        f"`{name}` comes from `{home}`, which the class grader does not have: do without it in the function."
        for name, home in rooms_missing(function)
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


def _is_seen(value: Any) -> bool:
    """Whether a value looks like an import, a definition or a constant, where no text says how it came."""
    if isinstance(value, FunctionType):
        return value.__name__ != "<lambda>"  # an assignment, not a definition
    if isinstance(value, ModuleType | type) or inspect.isroutine(value):
        return True
    return is_literal(value) or type(value).__module__ in ("typing", "types", "_frozen_importlib")


def _home(value: Any) -> str:
    """The room of the course that a module, a function or a class is from, such as ``coursekit.plots``."""
    if not isinstance(value, ModuleType | type | FunctionType):
        return ""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    course, _, inside = str(name).partition(".")
    if course != "coursekit" or value.__name__ in getattr(sys.modules[course], "__all__", ()):
        return ""  # what a lesson takes from the root is there
    return f"{course}.{inside.split('.')[0]}" if inside else ""


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
