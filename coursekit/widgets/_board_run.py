"""What one run has shown so far: the curves of a board, kept short."""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass, field
from typing import Any

from coursekit.training import Progress

MOST_POINTS = 240
"""More than a curve of some hundred pixels can show."""

Points = list[list[float]]


@dataclass(eq=False)
class BoardRun:
    """One run as its board sees it.

    The progress itself is held weakly, since its end tells that ``fit`` has returned; what it says stays
    readable in ``facts``.

    Attributes
    ----------
    number : int
        Runs of this board are counted from 1, so that a late Stop cannot end the wrong one.
    facts : dict
        The progress's own attributes, live.
    losses, mious : list of [float, float]
        Where on the way (seconds, or steps where the run counts steps), and the value.
    """

    number: int
    facts: dict[str, Any]
    progress: weakref.ref[Progress]
    losses: Points = field(default_factory=list)
    mious: Points = field(default_factory=list)
    scored: object = None

    @classmethod
    def of(cls, progress: Progress, number: int) -> BoardRun:
        """Begin to watch a run."""
        return cls(number, vars(progress), weakref.ref(progress))

    @property
    def end(self) -> float:
        """How far the whole way is, in seconds or steps."""
        facts = self.facts
        return float(facts["budget"] if facts["steps"] is None else facts["steps"])

    @property
    def place(self) -> float:
        """How far the run has come, in the same unit."""
        return float(self.facts["seconds"] if self.facts["steps"] is None else self.facts["step"])

    @property
    def is_through(self) -> bool:
        """Whether it went its whole way; the last step may end a little before the time is up."""
        a_step = 0.0 if self.facts["steps"] is not None else self.place / max(1, self.facts["step"])
        return self.place + 2 * a_step >= self.end * 0.98

    def note(self) -> None:
        """Take down where the curves are now."""
        place, loss, scores = short(self.place), short(self.facts["loss"]), self.facts["scores"]
        if place is None:
            return
        if loss is not None and (not self.losses or self.losses[-1][1] != loss):
            self.losses.append([place, loss])
        if scores is not None and scores is not self.scored:
            self.scored = scores
            self.mious.append([place, short(scores.miou) or 0.0])
        if len(self.losses) > MOST_POINTS:
            self.losses = halved(self.losses)


def short(value: float) -> float | None:
    """A number as a browser needs it: four figures, and None where there is none.

    Examples
    --------
    >>> short(0.123456), short(float("nan"))
    (0.1235, None)
    """
    return float(f"{value:.4g}") if math.isfinite(value) else None


def halved(points: Points) -> Points:
    """Half as many points, each the mean of two neighbours at the later one's place.

    Examples
    --------
    >>> halved([[1, 4.0], [2, 2.0], [3, 1.0]])
    [[2, 3.0], [3, 1.0]]
    """
    pairs = [points[start : start + 2] for start in range(0, len(points), 2)]
    return [[pair[-1][0], sum(value for _, value in pair) / len(pair)] for pair in pairs]
