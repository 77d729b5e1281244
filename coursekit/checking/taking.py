"""What a class grader takes out of a notebook without running it: imports, definitions and constants.

The grader runs these and nothing else of a cell, so that no training starts; the check in the notebook asks
the same question to say beforehand what the grader would not see.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from coursekit.checking.binding import bound_by, filled_by, filled_by_call, read_by

MODULES = ("math", "torch", "np", "numpy", "F", "nn", "functools", "collections")
CALLS = frozenset(
    [
        *("abs", "bool", "dict", "divmod", "enumerate", "float", "frozenset", "int", "len", "list", "max"),
        *("min", "pow", "range", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip"),
        *("arange", "array", "device", "eye", "full", "linspace", "ones", "sqrt", "tensor", "zeros"),
        *("namedtuple", "partial", "vmap", "mine"),
    ]
)
"""Calls that only make a constant: the same each time, cheap, and without a trace elsewhere."""

METHODS = frozenset(
    [
        *("abs", "astype", "cat", "clone", "copy", "count", "double", "exp", "expand", "flatten"),
        *("flip", "float", "floor", "full_like", "index", "int", "item", "items", "join", "keys"),
        *("log", "long", "max", "mean", "min", "ones_like", "outer", "permute", "repeat"),
        *("repeat_interleave", "reshape", "split", "squeeze", "stack", "sum", "t", "tolist"),
        *("transpose", "unsqueeze", "values", "view", "zeros_like"),
    ]
)
"""Methods of constants that only make another one."""

MOST_NAMES = 500
"""So many are followed through the functions that one statement calls: some files are made to take long."""

_IMPORTS = ast.Import | ast.ImportFrom
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_PLAIN = (
    *(ast.Constant, ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp),
    *(ast.BoolOp, ast.Compare, ast.IfExp, ast.Subscript, ast.Slice, ast.Starred, ast.JoinedStr),
    *(ast.FormattedValue, ast.Lambda, ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)
_LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension)


def is_taken(statement: ast.stmt, made: Collection[str] | None = None) -> bool:
    """Whether a statement at the top of a cell is an import, a definition or a constant.

    Parameters
    ----------
    statement : ast.stmt
    made : collection of str, optional
        The notebook's own functions and classes. With them, loops over constants, `METHODS` of constants and
        calls of these with constants make constants too: they may take a while.

    Examples
    --------
    >>> [is_taken(one) for one in ast.parse("import torch; k = [1, 2]; k.append(3); net = train(k)").body]
    [True, True, True, False]
    """
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return True
        case ast.Assign(targets=targets, value=value):
            return all(_is_plain_target(one, made) for one in targets) and is_constant(value, made)
        case ast.AnnAssign(target=target, value=value):
            return _is_plain_target(target, made) and (value is None or is_constant(value, made))
        case ast.AugAssign(target=target, value=value):
            return _is_plain_target(target, made) and is_constant(value, made)
        case ast.For(target=target, iter=over, orelse=[]) if made is not None:
            return _is_plain_target(target, made) and is_constant(over, made) and _all_taken(statement, made)
        case ast.If(test=test):
            return is_constant(test, made) and _all_taken(statement, made)
        case ast.Try() | ast.Pass() | ast.Break() | ast.Continue():
            return _all_taken(statement, made)
        case ast.Expr(value=ast.Call() as call) if _fills(call):
            return all(is_constant(one, made) for one in _parts(call))
        case ast.Expr(value=ast.Constant()):
            return True
    return False


def is_constant(value: ast.expr, made: Collection[str] | None = None) -> bool:
    """Whether an expression makes a constant: literals, names, and a few calls that only make values."""
    waiting: list[ast.AST] = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Lambda):  # made, not run
            continue
        if isinstance(node, ast.Call):
            if made is not None and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
                waiting.append(node.func.value)
            elif _called(node) not in CALLS and not _is_made(node, made or ()):
                return False
            waiting += [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, _PLAIN) or (made is not None and isinstance(node, _LOOPS)):
            waiting += ast.iter_child_nodes(node)
        else:
            return False
    return True


class Taking:
    """Goes through a notebook's statements in their order, and says of each whether the grader takes it.

    Attributes
    ----------
    names : dict of str to bool
        Each name that was given a value, and whether the grader has its last one.
    """

    def __init__(self, statements: Sequence[ast.stmt]) -> None:
        self.names: dict[str, bool] = {}
        self._definitions = {one.name: one for one in statements if isinstance(one, _DEFINITIONS)}
        self._reads: dict[str, set[str]] = {}  # what each of them reads
        self._made = {*self._definitions}
        self._fixed: set[str] = set()  # imported or defined: changed in place it is still there
        self._lost: set[str] = set()

    def takes(self, statement: ast.stmt) -> bool:
        """Whether it is one of `is_taken`, and needs no value that the grader does not have."""
        bound = bound_by(statement)
        if isinstance(statement, _IMPORTS | _DEFINITIONS):
            self._fixed |= bound
            self._note(bound, True)
            return True
        taken = is_taken(statement, self._made) and not self._lacks(statement)
        self._fixed -= bound
        if isinstance(statement, ast.Assign) and taken:
            self._made |= bound
        self._note(bound, taken)
        if not taken:
            self._note((filled_by(statement) & self.names.keys()) - self._fixed, False)
        return taken

    def _note(self, names: set[str], taken: bool) -> None:
        self.names.update(dict.fromkeys(names, taken))
        if taken:
            self._lost -= names
        else:
            self._lost |= names

    def _lacks(self, statement: ast.stmt) -> bool:
        if not self._lost or isinstance(statement, ast.If | ast.Try):
            return False
        seen: set[str] = set()
        waiting = read_by(statement)
        while waiting and len(seen) < MOST_NAMES:
            if not self._lost.isdisjoint(waiting):
                return True
            seen |= waiting
            waiting = {name for one in waiting for name in self._read_by_own(one)} - seen
        return False

    def _read_by_own(self, name: str) -> set[str]:
        if name not in self._reads:
            own = self._definitions.get(name)
            self._reads[name] = set() if own is None else read_by(own)
        return self._reads[name]


@lru_cache(maxsize=4)
def names_taken(cells: tuple[str, ...]) -> dict[str, bool]:
    """Each name that cells give a value, and whether the grader takes the last one.

    Examples
    --------
    >>> names_taken(("a = [1, 2]", "b = train(a)"))
    {'a': True, 'b': False}
    """
    statements: list[ast.stmt] = []
    for cell in cells:
        try:
            statements += _statements(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # nothing is known of its names
    taking = Taking(statements)
    for statement in statements:
        taking.takes(statement)
    return taking.names


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


def _is_made(call: ast.Call, made: Collection[str]) -> bool:
    """Whether the notebook's own function is called, or a function handed to its check."""
    named = isinstance(call.func, ast.Name) and call.func.id in made
    return named or exercise_named(call.func) is not None


def _is_plain_target(target: ast.expr, made: Collection[str] | None) -> bool:
    if isinstance(target, ast.Tuple | ast.List):
        return all(_is_plain_target(item, made) for item in target.elts)
    return isinstance(target, ast.Name | ast.Subscript | ast.Attribute) and is_constant(target, made)


def _all_taken(statement: ast.stmt, made: Collection[str] | None) -> bool:
    return all(is_taken(inner, made) for inner in _inside(statement))


def _inside(statement: ast.stmt) -> Iterator[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        yield from handler.body


def _fills(call: ast.Call) -> bool:
    return bool(filled_by_call(call) or filled_by_call(ast.Expr(call)))


def _parts(call: ast.Call) -> list[ast.expr]:
    assert isinstance(call.func, ast.Attribute)
    return [call.func.value, *call.args, *(keyword.value for keyword in call.keywords)]


def _statements(cell: str) -> Iterator[ast.stmt]:
    """Those of a cell as IPython keeps it: its magics are calls with the rest of their text."""
    for statement in ast.parse(cell).body:
        match statement:
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(attr="run_cell_magic" | "run_line_magic"),
                    args=[ast.Constant(value="time" | "capture"), *_, ast.Constant(value=str(text))],
                )
            ):
                yield from _statements(text)
            case _:
                yield statement
