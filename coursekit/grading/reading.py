"""A notebook's bytes become the answers in it, by exercise id, through the syntax tree. Nothing is run.

Whatever the order of the cells and whatever their ids; a cell with a syntax error costs only itself.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from coursekit.checking.binding import bound_by, filled_by, mentioned, read_by
from coursekit.checking.taking import Taking, exercise_named, is_taken

READER = 2
"""One more whenever other code is found, taken or refused: then what was graded before is graded again."""
MOST_BYTES = 200 << 20
MOST_CODE = 400_000  # characters in all code cells
MOST_CELL = 200_000
MOST_STATEMENTS = 2_000  # at the top of all code cells
MOST_REREAD = 400_000  # characters: IPython reads a cell anew for each of its magics
_CELL_MAGICS_WITH_PYTHON = ("%%time", "%%timeit", "%%capture", "%%prun")
_MAGIC = re.compile(r"^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_TIMED = re.compile(r"(?m)^([ \t]*)%time[ \t]+(?=[^\s])")  # the rest of the line is run as it stands
_PARSE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Unreadable(ValueError):
    """The file is no notebook that can be graded; the message says why, and what to try."""


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement at the top of a cell, with what the reader knows of it."""

    cell: int
    index: int
    tree: ast.stmt

    @cached_property
    def costly(self) -> bool:
        """Whether it may take a while, if it is taken at all: it has a loop, or calls the notebook's own."""
        return not is_taken(self.tree)

    @cached_property
    def bound(self) -> set[str]:
        """The names it gives a value."""
        return bound_by(self.tree)

    @cached_property
    def touched(self) -> set[str]:
        """The names it gives a value or whose value it changes in place."""
        return self.bound | filled_by(self.tree)

    @cached_property
    def read(self) -> set[str]:
        """The outside names it reads, itself or in a function that it defines."""
        return read_by(self.tree)

    @cached_property
    def mentioned(self) -> set[str]:
        """The names it reads somewhere inside."""
        return mentioned(self.tree)


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to one exercise: the statement that defines it, and the expression that is the function."""

    id: str
    statement: Statement
    expression: str
    definition: ast.FunctionDef | ast.AsyncFunctionDef | None


@dataclass(frozen=True, eq=False)
class Notebook:
    """What was read.

    Attributes
    ----------
    sources : mapping of int to str
        The text of each code cell that Python understands, by its number among the code cells, from 1.
    statements : tuple of Statement
        Those of all cells, in the notebook's order.
    answers : mapping of str to Answer
        By exercise id; the last in the notebook's order wins.
    broken : mapping of str to str
        Exercise ids found in cells that Python does not understand, and why.
    lesson : str
        As the notebook's metadata says; empty where they do not.
    called : set of str
        The names under which the notebook imports ``exercise``.
    """

    sources: Mapping[int, str]
    statements: tuple[Statement, ...]
    answers: Mapping[str, Answer]
    broken: Mapping[str, str] = field(default_factory=dict)
    lesson: str = ""
    called: frozenset[str] = frozenset({"exercise"})

    @cached_property
    def taken(self) -> frozenset[Statement]:
        """The imports, definitions and constants."""
        taking = Taking([one.tree for one in self.statements])
        return frozenset([one for one in self.statements if taking.takes(one.tree)])


def read_notebook(content: bytes) -> Notebook:
    """Read a notebook file.

    Parameters
    ----------
    content : bytes
        The file's.

    Raises
    ------
    Unreadable
        With a sentence for the learner.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": "@exercise('nearest')\\ndef nearest(x, factor): ..."}
    >>> list(read_notebook(json.dumps({"nbformat": 4, "cells": [cell]}).encode()).answers)
    ['nearest']
    """
    data = _json_of(content)
    _refuse_other_languages(data)
    sources, statements, broken = {}, [], {}
    cells = _code_cells(data)
    by_ipython = sum(len(source) * len(_MAGIC.findall(source)) for source in cells) <= MOST_REREAD
    for number, source in enumerate(cells, 1):
        tree, problem = _parsed(source, by_ipython)
        if tree is None:
            broken.update(dict.fromkeys(_ids_in(source), f"Code cell {number} cannot be read: {problem}"))
            continue
        sources[number] = tree[1]
        statements += [Statement(number, index, one) for index, one in enumerate(tree[0].body)]
    if len(statements) > MOST_STATEMENTS:
        raise Unreadable(
            f"The notebook has more than {MOST_STATEMENTS:,} statements outside of functions. "
            "Try the lesson's own file."
        )
    called = _names_of_exercise(statements)
    answers = {answer.id: answer for one in statements for answer in _answers_in(one, one.tree, called)}
    return Notebook(sources, tuple(statements), answers, broken, _lesson_of(data), called)


def _json_of(content: bytes) -> dict[str, Any]:
    if len(content) > MOST_BYTES:
        raise Unreadable(
            f"Expected a notebook of at most {MOST_BYTES >> 20} MB; this one has {len(content) >> 20}. "
            "Try clearing its outputs."
        )
    if not content.strip():
        raise Unreadable("The file is empty. Try saving the notebook and handing it in again.")
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable(
            "The file is no UTF-8 text, so it is no notebook. Try saving it in Jupyter again."
        ) from None
    except RecursionError:
        raise Unreadable(
            "The file is nested deeper than any notebook. Try saving it in Jupyter again."
        ) from None
    except ValueError as problem:
        raise Unreadable(
            f"The file is no JSON, so it is no notebook, or only a part of one ({str(problem)[:100]}). "
            "Try saving it in Jupyter and handing it in again."
        ) from None
    if not isinstance(data, dict) or not ({"cells", "worksheets", "nbformat"} & set(data)):
        raise Unreadable("The file is JSON but no notebook. Try handing in the .ipynb file.")
    return data


def _refuse_other_languages(data: dict[str, Any]) -> None:
    version = data.get("nbformat", 4)
    if "worksheets" in data or (isinstance(version, int) and version < 4):
        raise Unreadable(
            f"The notebook has format {version}, older than 4. Try opening it in Jupyter and saving it."
        )
    if not isinstance(data.get("cells"), list) or not data["cells"]:
        raise Unreadable("The notebook has no cells. Try saving it in Jupyter and handing it in again.")
    metadata = _dict(data.get("metadata"))
    kernel, info = _dict(metadata.get("kernelspec")), _dict(metadata.get("language_info"))
    for language in (info.get("name"), kernel.get("language")):
        if isinstance(language, str) and language.strip() and "python" not in language.lower():
            raise Unreadable(
                f"The notebook is written for {language[:40]!r}; expected Python. "
                "Try choosing the Python kernel and saving."
            )


def _code_cells(data: dict[str, Any]) -> list[str]:
    """The text of each code cell; counted before any is parsed."""
    found = list(_code(data["cells"]))
    if sum(map(len, found)) > MOST_CODE:
        raise Unreadable(
            f"The notebook has more than {MOST_CODE:,} characters of code. Try the lesson's own file."
        )
    return found


def _code(cells: list[Any]) -> Iterator[str]:
    for cell in cells:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        if isinstance(source, str):
            yield source


def _parsed(source: str, by_ipython: bool) -> tuple[tuple[ast.Module, str] | None, str]:
    """A cell's tree with the text it was read from, or None and why not."""
    if len(source) > MOST_CELL:
        return None, f"it has more than {MOST_CELL:,} characters"
    source, python = _without_cell_magics(source)
    if not python:
        return (ast.Module([], []), ""), ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's and IPython's, about the learner's text
        try:
            return (_tree(source), source), ""
        except Exception as problem:
            plain = _without_magics(source, by_ipython)
            try:
                return (_tree(plain), plain), ""
            except Exception:
                return None, _said(problem)


def _without_cell_magics(source: str) -> tuple[str, bool]:
    """The cell with its first lines such as ``%%time`` empty, and whether the rest is Python."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.startswith("%%"):
            break
        if line.strip() and not line.startswith(_CELL_MAGICS_WITH_PYTHON):
            return "", False
        lines[number] = ""
    return _TIMED.sub(r"\1", "\n".join(lines)), True


def _tree(source: str) -> ast.Module:
    tree = compile(source, "<cell>", "exec", _PARSE, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _without_magics(source: str, by_ipython: bool) -> str:
    """The cell as IPython hands it to Python: its magics, ``!`` and ``?`` lines become calls."""
    if by_ipython:
        with suppress(Exception):  # whatever IPython thinks of a broken cell
            from IPython.core.inputtransformer2 import TransformerManager

            return str(TransformerManager().transform_cell(source))
    return re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source)


def _said(problem: Exception) -> str:
    if isinstance(problem, SyntaxError):
        return f"line {problem.lineno}: {str(problem.msg)[:200]}"
    return {RecursionError: "it is nested too deeply", MemoryError: "it is nested too deeply"}.get(
        type(problem), str(problem)[:200]
    )


def _ids_in(source: str) -> list[str]:
    return re.findall(r"exercise\(\s*(?:id\s*=\s*)?['\"]([\w-]{1,80})['\"]", source[:MOST_CELL])


def _names_of_exercise(statements: list[Statement]) -> frozenset[str]:
    """``exercise``, and what ``from coursekit import exercise as …`` calls it."""
    imports = [one.tree for one in statements if isinstance(one.tree, ast.ImportFrom)]
    names = [one for tree in imports if (tree.module or "").startswith("coursekit") for one in tree.names]
    return frozenset({"exercise", *(one.asname for one in names if one.name == "exercise" and one.asname)})


def _answers_in(statement: Statement, tree: ast.AST, called: frozenset[str]) -> Iterator[Answer]:
    """Decorated functions, also inside ``if``, ``try`` and ``with``, and ``exercise("id")(function)``."""
    if isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        ids = [(call, exercise_named(call, called)) for call in tree.decorator_list]
        tree.decorator_list = [call for call, id in ids if id is None]
        yield from (Answer(id, statement, tree.name, tree) for _, id in reversed(ids) if id is not None)
    elif isinstance(tree, ast.If | ast.Try | ast.With):
        for name in ("body", "handlers", "orelse", "finalbody"):
            for inner in getattr(tree, name, []):
                yield from _answers_in(statement, inner, called)
    elif isinstance(tree, ast.ExceptHandler):
        for inner in tree.body:
            yield from _answers_in(statement, inner, called)
    elif isinstance(tree, ast.Expr | ast.Assign) and isinstance(tree.value, ast.Call):
        yield from _answer_called(statement, tree.value, called)


def _answer_called(statement: Statement, call: ast.Call, called: frozenset[str]) -> Iterator[Answer]:
    id = exercise_named(call.func, called)
    if id is not None and len(call.args) == 1:
        yield Answer(id, statement, ast.unparse(call.args[0])[:MOST_CELL], None)


def _lesson_of(data: dict[str, Any]) -> str:
    lesson = _dict(_dict(data.get("metadata")).get("coursekit")).get("lesson")
    return lesson if isinstance(lesson, str) else ""


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
