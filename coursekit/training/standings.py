"""What came out of a bake-off: all runs of each method, ranked, and ties called ties.

A difference counts only where every run of one method beats every run of the other. Otherwise the runs
overlap, and the two are called a tie. With n runs each, two equal methods would still come out apart in
2 of C(2n, n) cases: 1 in 10 for three runs, which is the least number of runs that gives a verdict at all.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from coursekit.training.scoring import Scores
from coursekit.upsampling.validation import sentence

FIGURES = {"miou": "mean IoU", "boundary_f1": "boundary F1", "boundary_iou": "boundary IoU"}
FEWEST = 3  # runs of each method, without which no difference is called one


@dataclass(frozen=True)
class Run:
    """One net of a bake-off, trained and scored on samples that it never learned from."""

    method: str
    seed: int
    miou: float
    boundary_f1: float
    boundary_iou: float
    steps: int
    images_per_second: float
    scores: Scores | None = field(default=None, repr=False, compare=False)  # not kept in the file

    def __str__(self) -> str:
        figures = f"mean IoU {self.miou:.3f}, boundary F1 {self.boundary_f1:.3f}"
        return f"{self.method}, seed {self.seed}: {figures} after {self.steps:,} steps"


@dataclass(frozen=True)
class Row:
    """All runs of one method."""

    method: str
    parameters: int
    runs: tuple[Run, ...]

    def values(self, by: str = "miou") -> list[float]:
        """One figure of every run, from the least to the greatest."""
        return sorted(getattr(run, _figure(by)) for run in self.runs)

    def median(self, by: str = "miou") -> float:
        """The middle one of :meth:`values`."""
        return statistics.median(self.values(by))

    @property
    def images_per_second(self) -> float:
        """Images seen for each second of training, the median of the runs."""
        return statistics.median(run.images_per_second for run in self.runs)


@dataclass(frozen=True)
class Standing:
    """Where a method stands.

    Attributes
    ----------
    place : int
        1 more than there are methods that clearly beat it.
    row : Row
        The method's runs.
    ties : tuple of str
        Methods of which it is neither clearly better nor clearly worse.
    """

    place: int
    row: Row
    ties: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class BakeOff:
    """Methods with all their runs; a notebook draws the table. Made by :func:`bake_off`.

    Attributes
    ----------
    rows : tuple of Row
        In the order in which the methods were given.
    terms : str
        What was equal for all, in words.
    baseline : float
        The mean IoU of answering the most frequent class everywhere.
    facts : dict of str to str
        The machine in words, the version of torch, the samples.
    """

    rows: tuple[Row, ...]
    terms: str
    baseline: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)

    def row(self, method: str) -> Row:
        """The runs of a method."""
        found = {row.method: row for row in self.rows}
        if method not in found:
            raise KeyError(sentence(f"one of {', '.join(found)}", repr(method), repr(next(iter(found), ""))))
        return found[method]

    @property
    def runs_each(self) -> int:
        """Runs of the method that has fewest."""
        return min((len(row.runs) for row in self.rows), default=0)

    @property
    def luck(self) -> float:
        """How often two methods that are equally good would be called different, from 0 to 1."""
        return 0.0 if self.runs_each < FEWEST else 2 / math.comb(2 * self.runs_each, self.runs_each)

    def beats(self, one: str, other: str, by: str = "miou") -> bool:
        """Whether each run of ``one`` is better than each of ``other``, with three runs or more each."""
        ours, theirs = self.row(one).values(by), self.row(other).values(by)
        return min(len(ours), len(theirs)) >= FEWEST and ours[0] > theirs[-1]

    def ranking(self, by: str = "miou") -> tuple[Standing, ...]:
        """All methods, the best first.

        Parameters
        ----------
        by : str
            "miou", "boundary_f1" or "boundary_iou".
        """
        names = [row.method for row in self.rows]
        standings = []
        for row in self.rows:
            above = [name for name in names if self.beats(name, row.method, by)]
            ties = [
                name
                for name in names
                if name != row.method and name not in above and not self.beats(row.method, name, by)
            ]
            standings.append(Standing(1 + len(above), row, tuple(ties)))
        return tuple(sorted(standings, key=lambda each: (each.place, -each.row.median(by))))

    def best(self, by: str = "miou") -> list[str]:
        """The methods that no other clearly beats."""
        return [each.row.method for each in self.ranking(by) if each.place == 1]

    def verdict(self) -> str:
        """How to read the table, in a sentence or two."""
        if self.runs_each < FEWEST:
            runs = "one run" if self.runs_each == 1 else f"{self.runs_each} runs"
            told = f"With {runs} each no difference can be told from luck, so all tie."
            return f"{told} It takes {FEWEST} or more."
        return (
            f"Clearly better: each of its {self.runs_each} runs beats each of the other's; else a tie. "
            f"Two equal methods would look different in 1 of {1 / self.luck:.0f} such comparisons."
        )

    def __repr__(self) -> str:
        lines = [f"{self.terms}; {self.verdict()}"]
        lines.append(f"{'':<18}{'mean IoU':>9}{'place':>6}{'edge F1':>9}{'place':>6}{'images/s':>10}")
        edges = {each.row.method: each.place for each in self.ranking("boundary_f1")}
        lines += [
            f"{each.row.method:<18}{each.row.median():>9.3f}{each.place:>6}"
            f"{each.row.median('boundary_f1'):>9.3f}{edges[each.row.method]:>6}"
            f"{each.row.images_per_second:>10.0f}"
            for each in self.ranking()
        ]
        return "\n".join([*lines, f"{'one class only':<18}{self.baseline:>9.3f}"])

    def _repr_html_(self) -> str:
        from coursekit.training.bakeoff_table import as_html

        return as_html(self)

    @classmethod
    def load(cls, name: str, path: Any = None) -> BakeOff:
        """A table measured before, by its name in ``data/bakeoff.json``."""
        from coursekit.training.bakeoff_file import read

        return read(name, path)


def _figure(by: str) -> str:
    if by not in FIGURES:
        raise ValueError(sentence(f"by as one of {', '.join(FIGURES)}", repr(by), 'by="miou"'))
    return by
