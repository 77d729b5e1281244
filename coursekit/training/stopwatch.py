"""Time that counts towards a budget, and how far a run has come."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from coursekit.training.box_scoring import BoxScores
    from coursekit.training.scoring import Scores

WARM_UP = 0.25  # the share of a run in which the learning rate climbs
FIRST_RATE = 1 / 25


class Stopwatch:
    """Seconds of training, and apart from them the seconds of evaluation.

    Parameters
    ----------
    already : float
        Seconds of training that an interrupted run had used.
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, already: float = 0.0, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock or time.perf_counter
        self._start = self._clock() - already
        self.apart = 0.0

    @property
    def seconds(self) -> float:
        """Seconds that count."""
        return self._clock() - self._start - self.apart

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What happens inside counts apart."""
        begin = self._clock()
        try:
            yield
        finally:
            self.apart += self._clock() - begin


@dataclass
class Progress:
    """How far a run has come: what ``on_step`` gets after every step, always the same object.

    Attributes
    ----------
    net : nn.Module
        The net in training, for pictures of what it predicts by now.
    budget : float or None
        Seconds of training that it may use; None where it counts steps.
    steps : int or None
        Steps that it will take; None where it counts seconds.
    step : int
        Steps taken.
    seconds : float
        Seconds of training used, evaluation not counted.
    images : int
        Images seen, each as often as it was seen.
    loss : float
        The mean loss of the last few steps.
    scores : Scores or None
        From the newest evaluation.
    """

    net: nn.Module
    budget: float | None
    steps: int | None
    step: int = 0
    seconds: float = 0.0
    images: int = 0
    loss: float = math.nan
    scores: Scores | BoxScores | None = None
    stopped: bool = field(default=False, repr=False)

    @property
    def fraction(self) -> float:
        """From 0 at the start to 1 at the end."""
        if self.steps is not None:
            return min(1.0, self.step / self.steps)
        assert self.budget is not None
        return min(1.0, self.seconds / self.budget)

    @property
    def seconds_left(self) -> float:
        """Seconds of training to come, as far as one can tell."""
        if self.budget is not None:
            return max(0.0, self.budget - self.seconds)
        assert self.steps is not None
        return (self.steps - self.step) * self.seconds / self.step if self.step else math.nan

    def stop(self) -> None:
        """End the run after this step; the weights are kept."""
        self.stopped = True


def one_cycle(fraction: float) -> float:
    """The share of the greatest learning rate at a moment of a run: up from 1/25, and down to nearly 0.

    The shape is torch's ``OneCycleLR`` (Smith and Topin 2017, https://arxiv.org/abs/1708.07120), but of the
    time used, so that a run on a slow machine comes to its end as well.

    Parameters
    ----------
    fraction : float
        From 0 to 1.

    Examples
    --------
    >>> [round(one_cycle(moment), 2) for moment in (0, 0.25, 0.625, 1)]
    [0.04, 1.0, 0.5, 0.0]
    """
    if fraction < WARM_UP:
        return _between(FIRST_RATE, 1.0, fraction / WARM_UP)
    return _between(1.0, FIRST_RATE * 1e-4, (fraction - WARM_UP) / (1 - WARM_UP))


def _between(first: float, last: float, part: float) -> float:
    """Half a cosine wave from ``first`` to ``last``."""
    return last + (first - last) * (1 + math.cos(math.pi * min(1.0, part))) / 2
