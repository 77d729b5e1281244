"""What a run leaves behind: its losses, its scores, its seconds, and how it ended."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from coursekit.training.box_scoring import BoxScores
from coursekit.training.scoring import Scores

_BARS = "▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT = 420, 150


@dataclass(frozen=True)
class Moment:
    """A loss at a moment: the mean over the steps since the moment before."""

    step: int
    seconds: float
    loss: float


@dataclass(frozen=True)
class Scored:
    """Scores at a moment."""

    step: int
    seconds: float
    scores: Scores | BoxScores


@dataclass(eq=False)
class History:
    """The record of one run of :func:`coursekit.training.fit`; a notebook draws it.

    Attributes
    ----------
    device : str
        Where it ran.
    batch : int
        Images a step at the end.
    losses : list of Moment
        In order of time.
    evaluations : list of Scored
        In order of time; the last is of the finished net.
    steps, images : int
        Steps taken and images seen.
    train_seconds, evaluation_seconds : float
        Apart from each other. Only the first counts towards a budget.
    feature_seconds : float
        Of ``train_seconds``, those in which a frozen net's features were computed, once for all steps.
    interrupted : bool
        Someone stopped the run. The net has the weights of that moment.
    notes : list of str
        Sentences about what did not go as asked, such as a loss that was no number or a full disk.
    """

    device: str
    batch: int
    losses: list[Moment] = field(default_factory=list)
    evaluations: list[Scored] = field(default_factory=list)
    steps: int = 0
    images: int = 0
    train_seconds: float = 0.0
    evaluation_seconds: float = 0.0
    feature_seconds: float = 0.0
    interrupted: bool = False
    diverged: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def scores(self) -> Scores | BoxScores | None:
        """The newest scores; None without validation samples."""
        return self.evaluations[-1].scores if self.evaluations else None

    @property
    def loss(self) -> float:
        """The newest loss; NaN before the first."""
        return self.losses[-1].loss if self.losses else math.nan

    @property
    def images_per_second(self) -> float:
        """Images seen for each second of training."""
        return self.images / self.train_seconds if self.train_seconds else 0.0

    def rows(self) -> list[tuple[str, str]]:
        """``(name, value)`` of what there is to say, for a table."""
        ending = "not a number" if self.diverged else "interrupted" if self.interrupted else "finished"
        rows = [
            ("run", f"{ending} after {self.steps:,} steps of {self.batch} images"),
            (
                "training",
                f"{self.train_seconds:.1f} s on {self.device}, {self.images_per_second:,.0f} images/s",
            ),
            ("evaluation", f"{self.evaluation_seconds:.1f} s, counted apart"),
            ("loss", _course([each.loss for each in self.losses])),
        ]
        if self.scores is not None:
            rows.append(("mean IoU", _course([each.scores.miou for each in self.evaluations])))
            rows += [
                (name, f"{score:.3f}" + ("" if base is None else f"  (baseline {base:.3f})"))
                for name, score, base in self.scores.rows()[:4]
            ]
        return rows + [("note", note) for note in self.notes]

    def __repr__(self) -> str:
        return "\n".join(f"{name:<15} {value}" for name, value in self.rows())

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td style='text-align:left'>{html.escape(value)}</td></tr>"
            for name, value in self.rows()
        )
        return f"<div>{self._curves()}<table>{cells}</table></div>"

    def _curves(self) -> str:
        """Loss as a line and mean IoU as a line with dots, both over seconds, so that no colour is needed."""
        losses = [(each.seconds, each.loss) for each in self.losses if math.isfinite(each.loss)]
        if len(losses) < 2:
            return ""
        end = max(self.train_seconds, losses[-1][0])
        most = max(loss for _, loss in losses)
        line = _points([(seconds / end, loss / most) for seconds, loss in _thinned(losses)])
        scores = [(min(1.0, each.seconds / end), each.scores.miou) for each in self.evaluations]
        dots = "".join(f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5'/>" for x, y in map(_point, scores))
        text = "fill='currentColor' stroke='none' font-size='11' font-family='sans-serif'"
        said = f"Loss from {losses[0][1]:.2f} to {losses[-1][1]:.2f}" + (
            f", mean IoU to {scores[-1][1]:.3f}" if scores else ""
        )
        ious = "mean IoU (dots, 0 to 1)" if scores else ""
        return (
            f"<svg viewBox='0 0 {_WIDTH + 20} {_HEIGHT + 46}' width='{_WIDTH + 20}' role='img' "
            f"aria-label='{said} in {end:.0f} seconds' "
            "style='max-width:100%;color:var(--jp-ui-font-color1,#555)'>"
            f"<g transform='translate(10 24)' fill='none' stroke='currentColor'>"
            f"<path d='M0 0V{_HEIGHT}H{_WIDTH}' stroke-width='1' opacity='.5'/>"
            f"<polyline points='{line}' stroke='#0072b2' stroke-width='2'/>"
            f"<polyline points='{_points(scores)}' stroke='#d55e00' stroke-width='1.5' "
            "stroke-dasharray='5 3'/>"
            f"<g fill='#d55e00' stroke='none'>{dots}</g>"
            f"<text x='0' y='-8' {text}>loss (line, 0 to {most:.2f})</text>"
            f"<text x='{_WIDTH}' y='-8' text-anchor='end' {text}>{ious}</text>"
            f"<text x='{_WIDTH}' y='{_HEIGHT + 16}' text-anchor='end' {text}>{end:.0f} s of training</text>"
            "</g></svg>"
        )


def _point(place: tuple[float, float]) -> tuple[float, float]:
    return place[0] * _WIDTH, (1 - place[1]) * _HEIGHT


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_point, places))


def _thinned(values: list[tuple[float, float]], most: int = 120) -> list[tuple[float, float]]:
    """At most ``most`` points, each the mean of its neighbours, so that a curve is read at a glance."""
    size = math.ceil(len(values) / most)
    groups = [values[start : start + size] for start in range(0, len(values), size)]
    return [(group[-1][0], sum(loss for _, loss in group) / len(group)) for group in groups]


def _course(values: list[float]) -> str:
    """First and last value with small bars between."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return "none yet"
    kept = [loss for _, loss in _thinned([(0.0, value) for value in finite], 24)]
    low, high = min(kept), max(kept)
    bars = "".join(_BARS[round((value - low) / (high - low or 1) * (len(_BARS) - 1))] for value in kept)
    return f"{finite[0]:.3f} {bars} {finite[-1]:.3f}"
