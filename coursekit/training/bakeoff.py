"""A bake-off: every way up in the same net, the same data, the same time; ranked, and ties called ties.

A difference counts only where every run of one method beats every run of the other. Otherwise the runs
overlap, and the two are called a tie. With n runs each, two equal methods would still come out apart in
2 of C(2n, n) cases: 1 in 10 for three runs, which is the least number of runs that gives a verdict at all.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from coursekit.nets import SegmentationNet
from coursekit.training.fitting import allowed, fit
from coursekit.training.given import Given
from coursekit.training.history import History
from coursekit.training.scoring import Scores
from coursekit.upsampling.validation import described, is_int, sentence

FIGURES = {"miou": "mean IoU", "boundary_f1": "boundary F1", "boundary_iou": "boundary IoU"}
FEWEST = 3  # runs of each method, without which no difference is called one

Method = str | Callable[[int, int], Any] | Mapping[str, Any]


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


def bake_off(
    methods: Sequence[str] | Mapping[str, Method],
    train: Any,
    test: Any,
    *,
    budget: float = 60,
    steps: int | None = None,
    seeds: int | Iterable[int] = 3,
    refine: bool = False,
    on_result: Callable[[Run], object] | None = None,
    **settings: Any,
) -> BakeOff:
    """Train the same net with each method in turn, on equal terms, and score all of them.

    Parameters
    ----------
    methods : sequence of str, or mapping
        Names for :class:`coursekit.nets.SegmentationNet`; or under any name such a name, a callable
        ``(in_channels, out_channels) -> nn.Module``, or a dict of the net's settings.
    train, test : Samples, or a pair of tensors
        What the nets learn from, and what they are scored on.
    budget : float
        Seconds of training for each net.
    steps : int, optional
        Steps instead of seconds.
    seeds : int or iterable of int
        How many nets of each method, or their seeds, which decide first weights and the images' order.
    refine : bool
        Put the same 3x3 convolution after each method.
    on_result : callable, optional
        Called with the :class:`Run` after each net; ``print`` will do.
    **settings
        Passed to :func:`coursekit.training.fit`, such as ``augment`` or ``on_step``.

    Returns
    -------
    BakeOff
        When somebody stops a net (Ctrl-C), that one is left out and no further one begins.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> scenes = load_scenes(16)
    >>> bake_off(["nearest", "unet"], scenes[:12], scenes[12:], steps=2, seeds=1).best()
    ['nearest', 'unet']
    """
    chosen, numbers = _chosen(methods), _seeds(seeds)
    given, held_out = Given.of(train, "train"), Given.of(test, "test")
    named = given.classes or held_out.classes
    classes = len(named) or 1 + max(int(m[m != 255].max()) for m in (given.masks, held_out.masks))
    runs: dict[str, list[Run]] = {name: [] for name in chosen}
    sizes: dict[str, int] = {}
    history: History | None = None
    # Seed by seed, so that a machine that slows down slows down everyone.
    for seed, name in ((seed, name) for seed in numbers for name in chosen):
        net = SegmentationNet(classes, refine=refine, seed=seed, **chosen[name])
        history = fit(net, train, test, budget=budget, steps=steps, seed=seed, **settings)
        if history.interrupted or history.scores is None:
            break
        sizes[name] = sum(weight.numel() for weight in net.parameters())
        runs[name].append(_run(name, seed, history))
        if on_result is not None:
            on_result(runs[name][-1])
    baseline = history.scores.baseline_miou if history is not None and history.scores else 0.0
    rows = tuple(Row(name, sizes[name], tuple(found)) for name, found in runs.items() if found)
    terms = f"{steps:,} steps each" if steps is not None else f"{allowed(budget):g} s of training each"
    terms += ", the same 3x3 convolution after each" if refine else ""
    return BakeOff(rows, terms, baseline, _facts(len(given.images), len(held_out.images)))


def _run(method: str, seed: int, history: History) -> Run:
    scores = history.scores
    assert scores is not None
    edges = scores.boundary_f1, scores.boundary_iou
    return Run(method, seed, scores.miou, *edges, history.steps, history.images_per_second, scores)


def _facts(train: int, test: int) -> dict[str, str]:
    """Where it was measured, in words that name no machine."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    threads = torch.get_num_threads()
    machine = f"{os.cpu_count()} CPU cores ({platform.machine()}), threads: {threads}{gpu}"
    return {
        "machine": machine,
        "torch": torch.__version__.split("+")[0],
        "samples": f"{train:,} to learn from, {test:,} to score",
    }


def _chosen(methods: Any) -> dict[str, dict[str, Any]]:
    expected = "methods as names, or a mapping of names to what SegmentationNet takes"
    if isinstance(methods, str) or not isinstance(methods, Mapping | Sequence) or not methods:
        raise TypeError(sentence(expected, described(methods), '["nearest", "unet"]'))
    named = methods if isinstance(methods, Mapping) else {name: name for name in methods}
    return {
        str(name): dict(method) if isinstance(method, Mapping) else {"upsampling": method}
        for name, method in named.items()
    }


def _seeds(seeds: Any) -> list[int]:
    numbers = list(range(seeds)) if is_int(seeds) else list(seeds) if isinstance(seeds, Iterable) else []
    if not numbers or not all(is_int(number) for number in numbers):
        raise ValueError(
            sentence("seeds as how many, 1 or more, or as whole numbers", repr(seeds), "seeds=3")
        )
    return [int(number) for number in numbers]


def _figure(by: str) -> str:
    if by not in FIGURES:
        raise ValueError(sentence(f"by as one of {', '.join(FIGURES)}", repr(by), 'by="miou"'))
    return by
