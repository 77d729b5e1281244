"""Drawing cases and verdicts: inline SVG for a notebook, aligned text for a terminal. No plotting library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch

from coursekit.checking.cases import Case
from coursekit.checking.declaration import Exercise
from coursekit.checking.drawing.card import verdict_html, verdict_text
from coursekit.checking.drawing.panels import Panel, example_panels, panels_of
from coursekit.checking.drawing.style import STYLE
from coursekit.checking.drawing.svg import panels_html
from coursekit.checking.drawing.text import panels_text
from coursekit.checking.plain import plain
from coursekit.checking.values import compare_values
from coursekit.checking.verdict import Counterexample, Verdict

__all__ = ["Picture", "draw_case", "draw_counterexample", "draw_example", "verdict_html", "verdict_text"]

_NOTHING = object()


@dataclass(frozen=True)
class Picture:
    """Labelled grids that show themselves in a notebook and in a terminal."""

    title: str
    panels: tuple[Panel, ...]

    def _repr_html_(self) -> str:
        return (
            f'<div class="ck-card" role="group" aria-label="{escape(self.title)}"><style>{STYLE}</style>'
            f'<div class="ck-head"><span class="ck-title">{escape(self.title)}</span></div>'
            f"{panels_html(self.panels)}</div>"
        )

    def __repr__(self) -> str:
        return f"{self.title}\n\n{panels_text(self.panels)}"


def draw_case(
    exercise: Exercise,
    case: Case,
    expected: Any,
    got: Any = _NOTHING,
    guilty: torch.Tensor | None = None,
    title: str = "",
) -> Picture:
    """Draw one case: its inputs, the expected result and, if given, another with its differing cells marked.

    Parameters
    ----------
    exercise : Exercise
    case : Case
    expected : Any
        A plain value: a tensor, a number, None, or a tuple of these.
    got : Any, optional
        The result to set beside it; left out, only the example is drawn.
    guilty : tensor of bool, optional
        The cells to mark; found by comparison when left out.
    title : str, optional
        The picture's heading; the exercise's title when left out.

    Returns
    -------
    Picture
        It has ``_repr_html_`` and a text form.
    """
    heading = title or exercise.title
    if got is _NOTHING:
        return Picture(heading, tuple(example_panels(exercise, case, expected)))
    came: Any = plain(got)
    mask = guilty if guilty is not None else compare_values(expected, came).guilty
    return Picture(heading, tuple(panels_of(exercise, Counterexample(case, expected, came, mask))))


def draw_example(exercise: Exercise) -> Picture:
    """Draw the case that shows what an exercise's function does, with its right result."""
    case = exercise.example_case()
    expected = plain(exercise.reference(*case.arguments()))
    return draw_case(exercise, case, expected, title=f"{exercise.signature} should give")


def draw_counterexample(verdict: Verdict) -> Picture | None:
    """The picture of a verdict's counterexample, if it has one."""
    if verdict.counterexample is None:
        return None
    panels: Sequence[Panel] = panels_of(verdict.exercise, verdict.counterexample)
    return Picture(verdict.exercise.title, tuple(panels))
