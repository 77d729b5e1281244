"""The names that a statement gives a value, changes in place, or reads; nothing is run."""

from __future__ import annotations

import ast
import dis
from collections.abc import Iterator
from types import CodeType

FILLS = frozenset(["add", "append", "extend", "insert", "setdefault", "update"])
"""Methods that change a value in place, beside torch's, whose names end in an underscore."""

_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_FLAGS = annotations.compiler_flag | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a cell gives a value (``*`` for a star import)."""
    return {name for node in _run_with(statement) for name in _bound(node)}


def filled_by(statement: ast.stmt) -> set[str]:
    """The names whose value a statement changes in place.

    Examples
    --------
    >>> sorted(filled_by(ast.parse("for i in range(3):\\n    table[i] = 1\\n    rows.append(i)").body[0]))
    ['rows', 'table']
    """
    return {name for node in _run_with(statement) for name in _filled(node)}


def read_by(statement: ast.stmt) -> set[str]:
    """The outside names that a statement reads, or that a function defined by it reads when it is called."""
    try:
        code = compile(ast.Module([statement], []), "<cell>", "exec", flags=_FLAGS, dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return mentioned(statement)
    return set(globals_read(code))


def globals_read(code: CodeType) -> Iterator[str]:
    """The names read as globals: `co_names` holds those of attributes too."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from globals_read(constant)


def mentioned(node: ast.AST) -> set[str]:
    """Every name that is read somewhere in a piece of code."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _run_with(statement: ast.stmt) -> Iterator[ast.AST]:
    """The nodes of what runs when a statement does: not of what a function or a class holds."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.comprehension):  # its variables stay inside
            waiting += [node.iter, *node.ifs]
        elif not isinstance(node, _DEFINITIONS | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, _DEFINITIONS):
        yield node.name
    elif isinstance(node, ast.Import):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id


def _filled(node: ast.AST) -> Iterator[str]:
    changed = isinstance(node, ast.Subscript | ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
    for one in [node] if changed else filled_by_call(node):
        while isinstance(one, ast.Subscript | ast.Attribute):
            one = one.value
        if isinstance(one, ast.Name):
            yield one.id


def filled_by_call(node: ast.AST) -> list[ast.AST]:
    """What ``rows.append(2)``, ``k.mul_(2)`` or ``nn.init.ones_(k)`` may change."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name.endswith("_") and name[0] != "_":
            return [owner, *node.args[:1]]
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=owner, attr=name))) if name in FILLS:
            return [owner]
    return []
