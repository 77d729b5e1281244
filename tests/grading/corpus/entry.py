"""What an entry of the corpus is, and how it becomes a file."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coursekit.exercises import find_exercise

ASKED = ("nearest", "max-pool", "transposed-conv")
HEAD = "import torch\nfrom coursekit import exercise"
REFUSED = ("wrong", "error")
GONE = ("crashed",)
ANYHOW = ("wrong", "error", "crashed", "timeout", "forbidden")


@dataclass(frozen=True)
class Places:
    """What a hostile answer may aim at outside the sandbox; its text has ``@CANARY@`` and the like for it."""

    canary: str  # a folder that the grader's user may write
    book: str  # the gradebook that is being written
    work: str  # the folder of everybody's submissions
    port: int  # where somebody listens on this machine

    def filled(self, text: str) -> str:
        """The text with the places in it."""
        for name, value in (("CANARY", self.canary), ("BOOK", self.book), ("WORK", self.work)):
            text = text.replace(f"@{name}@", value)
        return text.replace("@PORT@", str(self.port))


@dataclass(frozen=True)
class Earned:
    """A share of an exercise's points, and the states that say so."""

    fraction: float
    states: tuple[str, ...]


RIGHT = Earned(1.0, ("right",))
UNREADABLE = dict.fromkeys(ASKED, Earned(0.0, ("unreadable",)))
MISSING = dict.fromkeys(ASKED, Earned(0.0, ("missing",)))

Write = Callable[[Path], Mapping[str, bytes | None]]


@dataclass(frozen=True, eq=False)
class Entry:
    """One submission.

    Attributes
    ----------
    name : str
        The learner's.
    kind : str
        What it is or tries, in words.
    group : str
        honest, cheating, breaking, file or forbidden.
    cells : tuple of str
        The text of its code cells.
    earned : mapping
        What a right grader gives, by exercise; what is not in it is right.
    order : tuple of int
        The order in which the learner ran the cells, where it is not the notebook's.
    shape : callable
        Gives the notebook's data another form before it is written.
    write_as : callable, optional
        Writes the file itself, for what is no plain notebook in the class's folder.
    content : callable, optional
        The bytes of a file named ``NAME.ipynb``, for what is no notebook of cells.
    expected_files : tuple of str
        The names under which it is graded; ``NAME.ipynb`` where left out.
    """

    name: str
    kind: str
    group: str
    cells: tuple[str, ...] = ()
    earned: Mapping[str, Earned] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    shape: Callable[[dict[str, Any]], None] = lambda data: None
    write_as: Callable[[Path], None] | None = None
    content: Callable[[], bytes] | None = None
    expected_files: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The names under which results must be there."""
        return self.expected_files or (f"{self.name}.ipynb",)

    def earns(self, id: str) -> Earned:
        """What a right grader gives an exercise."""
        return self.earned.get(id, RIGHT)

    @property
    def points(self) -> float:
        """What a right grader gives it all."""
        return sum(self.earns(id).fraction * find_exercise(id).points for id in ASKED)

    def notebook(self, places: Places) -> bytes:
        """The notebook's bytes."""
        if self.content is not None:
            return self.content()
        data = notebook_of([places.filled(one) for one in self.cells])
        self.shape(data)
        return json.dumps(data).encode()

    def write(self, folder: Path, places: Places) -> None:
        """Put it into a class's folder."""
        if self.write_as is not None:
            self.write_as(folder)
        else:
            (folder / f"{self.name}.ipynb").write_bytes(self.notebook(places))


def code(source: Any, number: int) -> dict[str, Any]:
    """A code cell."""
    return {
        "cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": None, "outputs": [],
        "source": source,
    }  # fmt: skip


def notebook_of(cells: list[str], **metadata: Any) -> dict[str, Any]:
    """A notebook's data."""
    made = [code(one, number) for number, one in enumerate(cells)]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {**kernel, **metadata}, "cells": made}


def solved(id: str) -> str:
    """A cell with the right answer."""
    return f'@exercise("{id}")\n{find_exercise(id).solution}'


def function(id: str, body: str, above: str = "") -> str:
    """A cell with another body, and what stands above it."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").split("\n"))
    return f'{above}\n@exercise("{id}")\ndef {find_exercise(id).signature}:\n{lines}\n'.lstrip("\n")


def holding(id: str, *properties: str, states: tuple[str, ...] = ("partial",)) -> Earned:
    """What an answer earns of which only these properties hold."""
    weights = {one.id: one.weight for one in find_exercise(id).properties}
    return Earned(round(sum(weights[one] for one in properties) / sum(weights.values()), 6), states)


def nothing(*states: str) -> Earned:
    """No points, in one of these states."""
    return Earned(0.0, states)
