"""Reading a function's own text: its syntax tree, whether it was attempted, a renamed copy."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import weakref
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

Definition = ast.FunctionDef | ast.AsyncFunctionDef


# Read several times in one check; finding the text again each time would cost milliseconds.
_DEFINITIONS: weakref.WeakKeyDictionary[FunctionType, Definition | None] = weakref.WeakKeyDictionary()


def source_of(function: Callable[..., Any]) -> str | None:
    """The dedented text of a function with its decorators, or None where nobody kept it."""
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(function)))
    except (OSError, TypeError, SyntaxError, IndentationError, ValueError):
        return None


def definition_of(function: Callable[..., Any]) -> Definition | None:
    """The syntax tree of a function's ``def``, or None where its text is unknown."""
    inner = inspect.unwrap(function)
    if not isinstance(inner, FunctionType):
        return None
    if inner not in _DEFINITIONS:
        text = source_of(inner)
        _DEFINITIONS[inner] = first_definition(text) if text is not None else None
    return _DEFINITIONS[inner]


def first_definition(text: str) -> Definition | None:
    """The first ``def`` in a piece of source text."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    found = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return next(found, None)


def body_of(definition: Definition) -> list[ast.stmt]:
    """A function's statements without its docstring."""
    body = definition.body
    first = body[0]
    has_docstring = (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )
    return body[1:] if has_docstring else body


def is_blank(statement: ast.stmt) -> bool:
    """Whether a statement only holds a place: ``...``, ``pass`` or ``raise NotImplementedError``."""
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or is_ellipsis(statement)


def is_ellipsis(statement: ast.AST) -> bool:
    """Whether a statement is a bare ``...``."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value is Ellipsis
    )


def is_untouched(function: Callable[..., Any], starter: str) -> bool:
    """Whether a function is the starter, or nothing but a place held for one.

    Comments, docstrings, annotations, decorators and layout do not count as an attempt.
    """
    definition = definition_of(function)
    return _does_nothing(function) if definition is None else is_untouched_text(definition, starter)


def is_untouched_text(definition: Definition, starter: str) -> bool:
    """`is_untouched` of a function that is only there as a syntax tree."""
    body = body_of(definition)
    if all(is_blank(statement) for statement in body):
        return True
    original = first_definition(starter)
    return original is not None and _dump(body) == _dump(body_of(original))


def has_ellipsis(function: Callable[..., Any]) -> bool:
    """Whether a bare ``...`` statement still stands somewhere in the function."""
    definition = definition_of(function)
    return definition is not None and any(is_ellipsis(node) for node in ast.walk(definition))


def _dump(body: list[ast.stmt]) -> list[str]:
    return [ast.dump(statement) for statement in body]


def _does_nothing(function: Callable[..., Any]) -> bool:
    """Recognise an empty body from its bytecode, for functions whose text was not kept."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    module = compile("def empty(): ...", "<empty>", "exec")
    empty = next(constant for constant in module.co_consts if isinstance(constant, CodeType))
    return code is not None and code.co_code == empty.co_code


def renamed_source(function: Callable[..., Any], name: str) -> str:
    """A function's text without decorators, under another name, its calls of itself renamed too."""
    text = source_of(function)
    definition = first_definition(text) if text is not None else None
    if text is None or definition is None:
        raise ValueError(
            f"Expected a function whose source text can be read, got {function!r}. "
            "Try a module-level `def` in a file."
        )
    text = "\n".join(text.rstrip().split("\n")[definition.lineno - 1 :]) + "\n"
    return re.sub(rf"(?<![\w.]){re.escape(definition.name)}\b(?=\s*\()", name, text)
