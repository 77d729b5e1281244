"""A function's text with all that it needs from outside, so that it runs again in another session."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from coursekit.checking.sources import definition_of, source_of
from coursekit.checking.surroundings import is_literal, needed_by


def portable_source(function: Callable[..., Any]) -> str | None:
    """The text of a function, of its helpers, and of the imports and constants that they read.

    What the class grader would not see (a tensor made in another cell) is left out here too.

    Returns
    -------
    str or None
        Python that defines the function under its own name; None where nobody kept its text.

    Examples
    --------
    >>> from coursekit.upsampling import nearest
    >>> "def nearest(" in portable_source(nearest)
    True
    """
    inner = inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return None
    helpers, lines = [], dict.fromkeys(_first_lines(inner))
    for name, value in needed_by(inner):
        if _is_beside(value, inner):
            helpers.append(_text_of(value))
        else:
            lines.setdefault(_line_for(name, value), None)
    own = _text_of(inner)
    if own is None:
        return None
    parts = [line for line in lines if line], [text for text in helpers if text], [own]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def function_in(source: str, name: str, label: str) -> Callable[..., Any] | None:
    """Run a portable source in a namespace of its own, and take the function of that name from it.

    Parameters
    ----------
    source, name : str
    label : str
        Stands for a file name, so that error messages and `inspect` find the text.

    Returns
    -------
    callable or None
        None where the text does not run, or defines no such function.
    """
    linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    namespace: dict[str, Any] = {"__name__": "__recalled__"}
    try:
        # Annotations may name what nobody imports here: they are not evaluated.
        flags = annotations.compiler_flag
        exec(compile(source, label, "exec", flags=flags, dont_inherit=True), namespace)
    except Exception:
        return None
    found = namespace.get(name)
    return found if isinstance(found, FunctionType) else None


def _first_lines(function: FunctionType) -> Iterator[str]:
    """What nearly every answer imports: default values and inner imports may name it unseen."""
    for name, module in (("torch", "torch"), ("math", "math")):
        if isinstance(function.__globals__.get(name), ModuleType):
            yield f"import {module}"


def _is_beside(value: Any, function: FunctionType) -> bool:
    return isinstance(value, FunctionType) and value.__globals__ is function.__globals__


def _line_for(name: str, value: Any) -> str:
    """The import or the constant that gives a name its value; empty where there is none."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__}" if value.__name__ == name else f"import {value.__name__} as {name}"
    home, own = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if home and own and own.isidentifier() and home != "__main__" and callable(value):
        return f"from {home} import {own}" if own == name else f"from {home} import {own} as {name}"
    if callable(value) or not is_literal(value):
        return ""
    return f"{name} = {value!r}"


def _text_of(function: FunctionType) -> str | None:
    """A function's text without its decorators: run again, they would check and show."""
    text, definition = source_of(function), definition_of(function)
    if text is None or definition is None:
        return None
    return "\n".join(text.rstrip().split("\n")[definition.lineno - 1 :])
