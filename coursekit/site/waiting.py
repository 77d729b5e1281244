"""Which cells wait for a guess: those that answer it, and those that would give the answer away before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from coursekit.site.storing import Output, text_of_cell

_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass
class Shown:
    """One cell of a lesson with what it showed.

    Attributes
    ----------
    cell : dict
        As the notebook's file has it.
    outputs : list of dict or None
        None where the cell has changed since it was recorded.
    asks, answers : list of str
        The guesses, by their models' keys, that it asks for and that it answers.
    waits_for : list of str
        The guesses that have to be made before it is seen.
    """

    cell: dict[str, Any]
    outputs: list[Output] | None
    asks: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The cell's text."""
        return text_of_cell(self.cell)

    @property
    def is_code(self) -> bool:
        """Whether it is code that a learner only runs."""
        return self.cell["cell_type"] == "code" and not self.is_exercise

    @property
    def is_exercise(self) -> bool:
        """Whether a learner writes it."""
        return self.cell["cell_type"] == "code" and "@exercise(" in self.text

    @property
    def turns_elsewhere(self) -> bool:
        """Whether a question that stands before it is not what it is about."""
        is_section = self.cell["cell_type"] == "markdown" and _SECTION.search(self.text)
        return bool(is_section or self.is_exercise or self.asks or self.answers)


def in_turn(
    cells: Sequence[dict[str, Any]], outputs: Sequence[list[Output] | None], guesses: set[str]
) -> list[Shown]:
    """Every cell, with the guesses that it asks for, answers and waits for.

    Parameters
    ----------
    cells : sequence of dict
    outputs : sequence of list or None
        What each showed.
    guesses : set of str
        The keys of the models that are questions whose answer is known.
    """
    asked: dict[str, int] = {}
    shown = [Shown(cell, kept) for cell, kept in zip(cells, outputs, strict=True)]
    for at, each in enumerate(shown):
        keys = [
            one["model"] for one in each.outputs or () if one["as"] == "widget" and one["model"] in guesses
        ]
        each.answers = [key for key in keys if key in asked]
        each.asks = [key for key in keys if key not in asked]
        asked |= dict.fromkeys(each.asks, at)
    for at, each in enumerate(shown):
        each.waits_for += each.answers
        for key in each.answers:
            for before in reversed(shown[asked[key] + 1 : at]):
                if before.turns_elsewhere:
                    break
                if before.is_code:  # it trains or prints what the answer is read from
                    before.waits_for.append(key)
    return shown
