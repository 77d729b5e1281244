"""The lessons as a way to walk, with what was done on it: `ProgressMap`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from coursekit.widgets.assets import joined

_SIGNS = {"right": "✓", "open": "○", "partial": "◐"}
_WORDS = {
    "right": "solved",
    "open": "open",
    "partial": "partly right",
    "wrong": "not right yet",
    "error": "stopped with an error",
    "forbidden": "used what is not allowed",
    "timeout": "took too long",
}
_NODES = {"done": ("✓", "done"), "begun": ("◐", "begun"), "ahead": ("○", "not begun")}

Entry = Mapping[str, Any]


class ProgressMap:
    """A picture of where a learner stands. Plain HTML that folds; it needs no script.

    Parameters
    ----------
    standing : mapping
        As :func:`coursekit.standing.standing` gives it.
    links : mapping of str to str, optional
        The address of a lesson's notebook, by the lesson's id.
    remarks : sequence of str, optional
        Sentences shown below, such as where the record lies.

    Examples
    --------
    >>> ProgressMap(standing(record))  # doctest: +SKIP
    """

    def __init__(
        self, standing: Entry, *, links: Mapping[str, str] | None = None, remarks: Sequence[str] = ()
    ) -> None:
        self.standing = standing
        self._links = links or {}
        self._remarks = tuple(remarks)

    def __repr__(self) -> str:
        told = self.standing
        blocks = [f"Your progress: {', '.join(_headline(told))}"]
        blocks += [_lesson_text(lesson) for lesson in told["lessons"]]
        if told["missed"]:
            ideas = "\n".join(f"  ↻ {each['lesson'][:2]}  {each['idea']}" for each in told["missed"])
            blocks.append(f"Missed at the first try; later lessons ask again:\n{ideas}")
        blocks.append(f"Next: {told['next']['says']}")
        return "\n\n".join([*blocks, *self._remarks])

    def _repr_html_(self) -> str:
        told = self.standing
        lessons = "".join(self._lesson(lesson) for lesson in told["lessons"])
        remarks = "".join(f'<p class="pm-remark">{_marked(each)}</p>' for each in self._remarks)
        return (
            f'<section class="pm-map" aria-label="Your progress"><style>{joined("progress_map.css")}</style>'
            f"{_totals(told)}{self._next()}"
            f'<ol class="pm-way">{lessons}</ol>{_missed(told["missed"])}{remarks}</section>'
        )

    def _next(self) -> str:
        coming = self.standing["next"]
        link = self._links.get(coming["lesson"] or "")
        says = _marked(coming["says"])
        where = f' <a href="{escape(link)}">Open the lesson</a>' if link else ""
        return f'<p class="pm-next"><strong>Next</strong> <span>{says}{where}</span></p>'

    def _lesson(self, lesson: Entry) -> str:
        stage = _stage(lesson)
        sign, word = _NODES[stage]
        link = self._links.get(lesson["id"])
        foot = [
            *_guesses(lesson["predictions"]),
            *([f'<a href="{escape(link)}">Open the lesson</a>'] if link else []),
        ]
        is_open = " open" if lesson["id"] == self.standing["next"]["lesson"] else ""
        rows = "".join(_exercise(each) for each in lesson["exercises"])
        return (
            f'<li class="pm-lesson pm-{stage}"><details{is_open}><summary>'
            f'<span class="pm-node" role="img" aria-label="{word}">{sign}</span>'
            f'<span class="pm-title"><span class="pm-number">{lesson["id"][:2]}</span> '
            f"{escape(lesson['title'])}</span>"
            f'{_dots(lesson["exercises"])}<span class="pm-points">{_share(lesson)}</span></summary>'
            f'<ul class="pm-exercises">{rows}</ul><p class="pm-foot">{" · ".join(foot)}</p></details></li>'
        )


def _share(of: Entry) -> str:
    if not of["of"]:
        return "no exercises"
    return f"{round(of['points'], 2):g} of {of['of']:g} {'point' if of['of'] == 1 else 'points'}"


def _guessed(predictions: Entry) -> str:
    return f"{predictions['right']} of {predictions['revealed']} guesses right"


def _headline(told: Entry) -> list[str]:
    parts = [_share(told), f"{told['solved']} of {told['exercises']} exercises"]
    return [*parts, _guessed(told["predictions"])] if told["predictions"]["revealed"] else parts


def _stage(lesson: Entry) -> str:
    states = {each["state"] for each in lesson["exercises"]}
    guesses = lesson["predictions"]
    all_guessed = not states and 0 < guesses["asked"] == guesses["made"]
    if states == {"right"} or all_guessed:
        return "done"
    return "begun" if states - {"open"} or lesson["predictions"]["made"] else "ahead"


def _sign(state: str) -> str:
    return _SIGNS.get(state, "✗")


def _totals(told: Entry) -> str:
    predictions = told["predictions"]
    share = told["points"] / told["of"] if told["of"] else 0
    figures = [
        (f"{round(told['points'], 2):g}", f"of {told['of']:g}", "points"),
        (told["solved"], f"of {told['exercises']}", "exercises solved"),
        (predictions["made"], f"of {predictions['asked']}", "guesses made"),
        (predictions["right"], f"of {predictions['revealed']}", "guesses right"),
    ]
    cells = "".join(
        f'<li><span class="pm-figure">{first}</span> <span class="pm-of">{rest}</span> '
        f'<span class="pm-what">{what}</span></li>'
        for first, rest, what in figures
    )
    return (
        f'<ul class="pm-totals">{cells}</ul>'
        f'<div class="pm-bar" aria-hidden="true"><span style="width:{100 * share:.1f}%"></span></div>'
    )


def _dots(exercises: Sequence[Entry]) -> str:
    """One sign an exercise, for the eye; a screen reader hears the points beside them."""
    dots = "".join(
        f'<span class="pm-{_tone(each["state"])}">{_sign(each["state"])}</span>' for each in exercises
    )
    return f'<span class="pm-dots" aria-hidden="true">{dots}</span>'


def _tone(state: str) -> str:
    return {"right": "good", "open": "calm", "partial": "half"}.get(state, "bad")


def _exercise(row: Entry) -> str:
    state = _WORDS.get(row["state"], row["state"])
    tries = f" · {row['tries']} {'try' if row['tries'] == 1 else 'tries'}" if row["tries"] else ""
    hints = f" · {row['hints']} {'hint' if row['hints'] == 1 else 'hints'}" if row["hints"] else ""
    return (
        f'<li><span class="pm-sign pm-{_tone(row["state"])}" aria-hidden="true">{_sign(row["state"])}</span>'
        f'<span class="pm-name">{escape(row["title"])} '
        f'<span class="pm-state">{state}{tries}{hints}</span></span>'
        f'<span class="pm-points">{_share(row)}</span></li>'
    )


def _guesses(predictions: Entry) -> list[str]:
    made = [f"{predictions['made']} of {predictions['asked']} guesses made"] if predictions["asked"] else []
    return [*made, _guessed(predictions)] if predictions["revealed"] else made


def _missed(missed: Sequence[Entry]) -> str:
    if not missed:
        return ""
    rows = "".join(
        f'<li><span class="pm-number">{escape(each["lesson"][:2])}</span> {_marked(each["idea"])}</li>'
        for each in missed
    )
    return (
        '<div class="pm-missed"><h4>↻ To come back to</h4><p>Missed at the first try. '
        f"Later lessons ask these again.</p><ul>{rows}</ul></div>"
    )


def _lesson_text(lesson: Entry) -> str:
    sign = _NODES[_stage(lesson)][0]
    predictions = lesson["predictions"]
    guesses = f", {_guessed(predictions)}" if predictions["revealed"] else ""
    head = f"{sign} {lesson['id'][:2]} {lesson['title']} ({_share(lesson)}{guesses})"
    rows = [
        f"    {_sign(each['state'])} {each['id']}: {_WORDS.get(each['state'], each['state'])}, {_share(each)}"
        for each in lesson["exercises"]
    ]
    return "\n".join([head, *rows])


def _marked(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
