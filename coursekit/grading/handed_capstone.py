"""A capstone as it was handed in: the file with ``class Capstone``, and its weights. Nothing is run here."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.grading.entries import LINK, TOO_LARGE, entry_of_file
from coursekit.grading.entries import MOST_BYTES as MOST_NOTEBOOK
from coursekit.grading.program import program_for
from coursekit.grading.reading import Answer, Notebook, Unreadable, read_notebook
from coursekit.training.capstone import MOST_BYTES, MOST_NUMBERS

CLASS = "Capstone"
WEIGHTS = "capstone.safetensors"
_MOST_HEADER = 1 << 20


@dataclass(frozen=True)
class HandedIn:
    """What is needed to run a capstone.

    Attributes
    ----------
    file : str
        The name of the file with the class.
    program : dict
        From which another process makes the class.
    weights : bytes
        A safetensors file's.
    numbers : int
        How many numbers the weights hold.
    digest : str
        SHA-256 of both files.
    """

    file: str
    program: dict[str, Any]
    weights: bytes
    numbers: int
    digest: str


def read_capstone(path: Path) -> HandedIn:
    """Read a notebook or a Python file with its weights beside it, or a folder that holds both.

    As in a class, links are not followed: they may lead to another's work.

    Raises
    ------
    Unreadable
        With a sentence for the learner.
    """
    try:
        return _read(path)
    except RecursionError:
        raise Unreadable("The file is nested too deeply to be read. Try shorter steps.") from None
    except OSError as problem:
        raise Unreadable(
            f"{path.name} cannot be read ({problem.strerror}). Try handing it in again."
        ) from None


def _read(path: Path) -> HandedIn:
    if path.is_symlink():
        raise Unreadable(LINK)
    source = _source_in(path) if path.is_dir() else path
    content = _content(source, MOST_NOTEBOOK, "a notebook")
    notebook = read_notebook(content if source.suffix == ".ipynb" else _as_notebook(content))
    answer = _class_in(notebook)
    if answer is None:
        broken = f" Code cells that Python cannot read: {len(notebook.broken)}." if notebook.broken else ""
        raise Unreadable(
            f"Expected `class {CLASS}(nn.Module)` at the top of a cell of {source.name}; found none.{broken} "
            "Try the file in which you wrote it."
        )
    weights = _content(_weights_beside(source), MOST_BYTES, "weights")
    digest = hashlib.sha256(content + weights).hexdigest()
    return HandedIn(source.name, program_for(notebook, answer), weights, count_numbers(weights), digest)


def count_numbers(weights: bytes) -> int:
    """How many numbers a safetensors file holds, from its header alone.

    Raises
    ------
    Unreadable
        If it is none, or holds too many.
    """
    if weights[:1] == b"\x80" or weights[:4] == b"PK\x03\x04":
        raise Unreadable(
            "The weights are a pickle, as torch.save writes it, which can run code; expected safetensors. "
            f'Try save_capstone(net, "{WEIGHTS}").'
        )
    length = int.from_bytes(weights[:8], "little")
    try:
        if len(weights) < 8 or not 2 <= length <= min(_MOST_HEADER, len(weights) - 8):
            raise ValueError("its header has no end")
        header = json.loads(weights[8 : 8 + length])
        shapes = [one["shape"] for name, one in header.items() if name != "__metadata__"]
        numbers = sum(math.prod(int(size) for size in shape) for shape in shapes)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise Unreadable(
            f"The weights are no safetensors file, or only a part of one ({str(problem)[:80]}). "
            f'Try save_capstone(net, "{WEIGHTS}").'
        ) from None
    if numbers > MOST_NUMBERS:
        raise Unreadable(
            f"Expected at most {MOST_NUMBERS:,} numbers in the weights; got {numbers:,}. Try fewer channels."
        )
    return numbers


def _content(path: Path, most: int, what: str) -> bytes:
    if not os.path.lexists(path):
        raise Unreadable(f"Expected {what} at {path.name}; there is no such file. Try handing in both files.")
    content, reason = entry_of_file(path, (path.name,)).read()
    if reason == TOO_LARGE or len(content or b"") > most:
        advice = "fewer channels" if what == "weights" else "clearing the outputs"
        raise Unreadable(f"Expected {what} of at most {most >> 20} MB; {path.name} is larger. Try {advice}.")
    if content is None:
        raise Unreadable(f"{path.name}: {reason}")
    return content


def _source_in(folder: Path) -> Path:
    """The one file of a folder that has the class; with no such file, the one that may be asked for it."""
    files = sorted(one for one in folder.iterdir() if one.suffix in (".ipynb", ".py") and one.name[0] != ".")
    if not files:
        raise Unreadable(
            f"Expected a notebook or a Python file in {folder.name}/; there is none. "
            "Try handing in both files."
        )
    having = [one for one in files if _has_class(one)]
    if len(having) > 1:
        names = ", ".join(one.name for one in having)
        raise Unreadable(f"Expected one file with `class {CLASS}`; got {names}. Try handing in one of them.")
    return (having or files)[0]


def _has_class(path: Path) -> bool:
    try:
        content = _content(path, MOST_NOTEBOOK, "a notebook")
        return (
            _class_in(read_notebook(content if path.suffix == ".ipynb" else _as_notebook(content)))
            is not None
        )
    except (Unreadable, RecursionError):
        return False


def _class_in(notebook: Notebook) -> Answer | None:
    """The last class of that name."""
    found = [
        one for one in notebook.statements if isinstance(one.tree, ast.ClassDef) and one.tree.name == CLASS
    ]
    return Answer("capstone", found[-1], CLASS, None) if found else None


def _as_notebook(content: bytes) -> bytes:
    """A Python file as a notebook of one cell."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("The file is no UTF-8 text. Try saving it again.") from None
    return json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": text}]}).encode()


def _weights_beside(source: Path) -> Path:
    """``capstone.safetensors``, or the file named as the notebook is, or the only one there is."""
    named = [source.with_name(WEIGHTS), source.with_suffix(".safetensors")]
    there = [one for one in named if os.path.lexists(one)]
    others = sorted(source.parent.glob("*.safetensors"))
    if there or len(others) == 1:
        return (there or others)[0]
    if list(source.parent.glob("*.pt*")):
        raise Unreadable(
            f"Expected weights in {WEIGHTS} beside {source.name}; found only a .pt file, a pickle, "
            f'which can run code. Try save_capstone(net, "{WEIGHTS}").'
        )
    raise Unreadable(
        f"Expected weights in {WEIGHTS} beside {source.name}; found none. Try handing in both files."
    )
