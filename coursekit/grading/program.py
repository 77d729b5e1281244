"""What has to run so that one answer can be called: its own definition and what that needs, nothing more.

The state is the one that the notebook's own check saw: everything above the answer, in order. What only comes
below it fills in names that nothing above defines, since cells may have been moved.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from coursekit.grading.reading import Answer, Notebook, Statement

_SEES_EVERYTHING = {"globals", "locals", "vars", "eval", "exec"}
_VALUES = ast.Assign | ast.AnnAssign | ast.AugAssign | ast.For | ast.Expr


@lru_cache(maxsize=16)  # asked for several times while an answer is graded
def needed_by(notebook: Notebook, answer: Answer) -> Sequence[Statement]:
    """The statements to run before an answer can be called, in order, the answer's own among them."""
    above, below = _split(notebook.statements, answer.statement)
    defined = set().union(*(one.bound for one in above)) if above else set()
    usable = [one for one in above if one in notebook.taken] + [
        one for one in below if one in notebook.taken and not one.touched & defined
    ]
    usable = _without_overwritten(usable, notebook.taken, above)
    touching: dict[str, list[Statement]] = {}
    for one in usable:
        for name in one.touched:
            touching.setdefault(name, []).append(one)
    # What may take a while is run only for a name that is surely read, not for a local of its name.
    plain = [one for one in usable if not one.costly]
    chosen = {answer.statement}
    names: set[str] = set()
    waiting = [answer.statement]
    while waiting:
        current = waiting.pop()
        new = {*current.mentioned, "*"} - names
        names |= new
        found = plain if new & _SEES_EVERYTHING else _touching(touching, new, costly=False)
        fresh = {*found, *_touching(touching, current.read, costly=True)} - chosen
        chosen |= fresh
        waiting += fresh
    position = {one: number for number, one in enumerate(notebook.statements)}
    late = {one for one in below if one in chosen}
    return sorted(chosen, key=lambda one: (one is answer.statement and bool(late), position[one]))


def program_for(notebook: Notebook, answer: Answer) -> dict[str, Any]:
    """Plain data from which another process makes the function (see `coursekit.grading.inside.worker`)."""
    needed = needed_by(notebook, answer)
    cells = dict.fromkeys(one.cell for one in needed)
    return {
        "sources": {str(cell): notebook.sources[cell] for cell in cells},
        "run": [[one.cell, one.index] for one in needed],
        "answer": [answer.statement.cell, answer.statement.index],
        "expression": answer.expression,
        "called": sorted(notebook.called),
    }


def trees_for(notebook: Notebook, answer: Answer) -> list[ast.stmt]:
    """The same statements as syntax trees, the answer's own definition last."""
    others = [one.tree for one in needed_by(notebook, answer) if one is not answer.statement]
    return [*others, answer.definition or answer.statement.tree]


def program_of(text: str, expression: str) -> dict[str, Any]:
    """A program of the course's own text."""
    source = f"import torch\n{text}"
    run = [[1, index] for index in range(len(ast.parse(source).body))]
    return {"sources": {"1": source}, "run": run, "answer": run[-1], "expression": expression, "called": []}


def others_wanted(trees: Iterable[ast.stmt]) -> list[str]:
    """The ids in ``mine("id")``."""
    found: dict[str, None] = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _last_name(node.func) == "mine":
                for value in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        found[value.value] = None
    return list(found)


def tree_digest(trees: Sequence[ast.stmt]) -> str:
    """SHA-256 of the definitions with names, docstrings and layout taken out, to find likely copies."""
    try:
        text = "\n".join(_shape(tree) for tree in trees if not isinstance(tree, ast.Import | ast.ImportFrom))
    except RecursionError:
        return ""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _split(statements: Sequence[Statement], own: Statement) -> tuple[list[Statement], list[Statement]]:
    """What the answer's check saw, and what came after."""
    here = next(number for number, one in enumerate(statements) if one is own)
    return list(statements[: here + 1]), list(statements[here + 1 :])


def _touching(by_name: dict[str, list[Statement]], names: Iterable[str], costly: bool) -> list[Statement]:
    return [one for name in names for one in by_name.get(name, ()) if one.costly == costly]


def _without_overwritten(
    usable: list[Statement], taken: Collection[Statement], above: list[Statement]
) -> list[Statement]:
    """Leave out constants whose name a statement that is not taken gives another value later on."""
    overwritten: set[str] = set()
    stale: set[Statement] = set()
    for one in reversed(above):
        if one not in taken:
            overwritten |= one.touched
        elif isinstance(one.tree, _VALUES) and one.touched & overwritten:
            stale.add(one)
        else:
            overwritten -= one.bound
    return [one for one in usable if one not in stale]


def _last_name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _shape(tree: ast.AST) -> str:
    """A syntax tree as text in which the learner's own names are numbered in order of appearance."""
    nodes = list(ast.walk(tree))
    own = {one.arg for one in nodes if isinstance(one, ast.arg)}
    own |= {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
    own |= {one.name for one in nodes if isinstance(one, ast.FunctionDef)}
    numbers: dict[str, str] = {}
    return " ".join(_words(tree, own, numbers))


def _words(node: Any, own: set[str], numbers: dict[str, str]) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield type(node).__name__
        for name, value in ast.iter_fields(node):
            if name in ("decorator_list", "returns", "annotation", "type_comment", "ctx", "kind"):
                continue
            if name == "body" and isinstance(value, list):
                value = [one for one in value if not _is_text(one)]
            yield from _words(value, own, numbers)
    elif isinstance(node, list):
        for item in node:
            yield from _words(item, own, numbers)
        yield ";"
    elif isinstance(node, str) and node in own:
        yield numbers.setdefault(node, f"n{len(numbers)}")
    else:
        yield repr(node)[:200]


def _is_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
