"""What a class grader takes out of a notebook without running it: imports, definitions and constants.

The grader runs these and nothing else of a cell, so that no training starts; the check in the notebook asks
the same question to say beforehand what the grader would not see.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import lru_cache

MODULES = ("math", "torch", "np", "numpy", "F", "nn")
CALLS = frozenset(
    [
        "abs",
        "bool",
        "dict",
        "divmod",
        "float",
        "frozenset",
        "int",
        "len",
        "list",
        "max",
        "min",
        "pow",
        "range",
        "reversed",
        "round",
        "set",
        "slice",
        "sorted",
        "str",
        "sum",
        "tuple",
        "arange",
        "device",
        "eye",
        "full",
        "linspace",
        "ones",
        "partial",
        "sqrt",
        "tensor",
        "zeros",
        "mine",
    ]
)
"""Calls that only make a constant: the same each time, cheap, and without a trace elsewhere."""

_PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp),
    *(ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Starred, ast.JoinedStr),
    *(ast.FormattedValue, ast.Lambda, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


def is_taken(statement: ast.stmt) -> bool:
    """Whether a statement at the top of a cell is an import, a definition or a constant.

    Examples
    --------
    >>> [is_taken(one) for one in ast.parse("import torch; k = [1, 2]; net = train(k)").body]
    [True, True, False]
    """
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Assign(targets=targets, value=value):
            return all(_is_plain_target(target) for target in targets) and is_constant(value)
        case ast.AnnAssign(target=target, value=value):
            return _is_plain_target(target) and (value is None or is_constant(value))
        case ast.If(test=test):
            return is_constant(test) and _all_taken(statement)
        case ast.Try() | ast.Pass():
            return _all_taken(statement)
        case ast.Expr(value=ast.Constant()):
            return True
    return False


def is_constant(value: ast.expr) -> bool:
    """Whether an expression makes a constant: literals, names, and a few calls that only make values."""
    waiting: list[ast.AST] = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Lambda):  # made, not run
            continue
        if isinstance(node, ast.Call):
            if _called(node) not in CALLS:
                return False
            waiting += [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, _PLAIN):
            waiting += ast.iter_child_nodes(node)
        else:
            return False
    return True


def bound_by(statement: ast.stmt) -> set[str]:
    """The names that a statement at the top of a cell gives a value (``*`` for a star import)."""
    return set(_bound(statement))


@lru_cache(maxsize=4)
def names_taken(cells: tuple[str, ...]) -> dict[str, bool]:
    """Each name that cells give a value, and whether the grader takes the last one.

    Examples
    --------
    >>> names_taken(("a = [1, 2]", "b = train(a)"))
    {'a': True, 'b': False}
    """
    found: dict[str, bool] = {}
    for cell in cells:
        try:
            statements = ast.parse(cell).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # with magics, for one: nothing is known of its names
        for statement in statements:
            found.update(dict.fromkeys(bound_by(statement), is_taken(statement)))
    return found


def mentioned(node: ast.AST) -> set[str]:
    """Every name that is read somewhere in a piece of code."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def exercise_named(call: ast.expr, called: Collection[str] = ("exercise",)) -> str | None:
    """The id in ``exercise("id")``, ``ck.exercise("id")`` or ``exercise(id="id")``; None for anything else.

    `called` holds the names under which the notebook imports it.
    """
    if not isinstance(call, ast.Call):
        return None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name not in called:
        return None
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "id")]
    match values:
        case [ast.Constant(value=str(id))]:
            return id
    return None


def _called(call: ast.Call) -> str:
    """The last part of a called name: of a builtin, or of a usual module's attribute."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        return call.func.attr if call.func.value.id in MODULES else ""
    return ""


def _is_plain_target(target: ast.expr) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(_is_plain_target(item) for item in target.elts)
    return isinstance(target, ast.Name)


def _all_taken(statement: ast.stmt) -> bool:
    return all(is_taken(inner) for inner in _inside(statement))


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        yield from handler.body


def _bound(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Import):
        yield from (alias.asname or alias.name.split(".")[0] for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in statement.names)
    else:
        for inner in _inside(statement):
            yield from _bound(inner)
        for node in _own_expressions(statement):
            yield from _stored(node)


def _own_expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """The expressions of a statement itself, without those of the statements inside it."""
    inner = set(_inside(statement))
    return (child for child in ast.iter_child_nodes(statement) if child not in inner)


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ExceptHandler):
        return
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store | ast.Del):
            yield one.id
