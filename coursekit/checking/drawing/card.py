"""The card around a verdict: state, points, message, picture, properties, prints and notes."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING

from coursekit.checking.drawing.panels import panels_of
from coursekit.checking.drawing.style import STYLE
from coursekit.checking.drawing.svg import panels_html
from coursekit.checking.drawing.text import panels_text

if TYPE_CHECKING:
    from coursekit.checking.verdict import PropertyResult, Verdict

# A sign, a word and a tone for each state: sign and word carry the meaning, the colour only repeats it.
LOOKS = {
    "right": ("✓", "Right", "good"),
    "partial": ("◐", "Partly right", "half"),
    "wrong": ("✗", "Not yet", "bad"),
    "not_attempted": ("○", "Not attempted", "calm"),
    "error": ("!", "Error in your code", "bad"),
    "forbidden": ("⊘", "Shortcut", "bad"),
    "timeout": ("◷", "Out of time", "bad"),
}
MOST_LINES = 12  # of print shown in a terminal; a notebook scrolls
FALLBACK = ("?", "Checked", "calm")


def verdict_html(verdict: Verdict) -> str:
    """A verdict as one self-contained piece of HTML; every text in it is escaped."""
    sign, word, tone = LOOKS.get(verdict.state, FALLBACK)
    title = verdict.exercise.title
    parts = [
        f'<div class="ck-card ck-{tone}" role="group" aria-label="{escape(word)}: {escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<div class="ck-head"><span class="ck-sign" aria-hidden="true">{sign}</span>'
        f'<span class="ck-word">{escape(word)}</span><span class="ck-title">{escape(title)}</span>'
        f'<span class="ck-points">{escape(_points(verdict))}</span></div>',
        _message_html(verdict),
        _figure_html(verdict),
        _properties_html(verdict),
        _output_html(verdict),
        _notes_html(verdict),
        "</div>",
    ]
    return "".join(parts)


def verdict_text(verdict: Verdict) -> str:
    """A verdict for a terminal."""
    sign, word, _ = LOOKS.get(verdict.state, FALLBACK)
    blocks = [f"{sign} {word} · {verdict.exercise.title} · {_points(verdict)}", verdict.message]
    shown = verdict.counterexample
    if shown is not None:
        blocks.append(panels_text(panels_of(verdict.exercise, shown)))
        if shown.sentence and shown.sentence not in verdict.message:
            blocks.append(shown.sentence)
    if _lists_properties(verdict):
        blocks.append("\n".join(f"  {_tick(item)[0]} {item.says}" for item in verdict.properties))
    if verdict.output:
        blocks.append("Your function printed:\n" + _first_lines(_prints(verdict)))
    if verdict.notes:
        blocks.append("\n".join(f"Note: {note}" for note in verdict.notes))
    return "\n\n".join(block for block in blocks if block)


def _points(verdict: Verdict) -> str:
    worth = f"{verdict.exercise.points:g}"
    return f"{round(verdict.points, 2):g} of {worth} {'point' if worth == '1' else 'points'}"


def _lists_properties(verdict: Verdict) -> bool:
    return len(verdict.properties) > 1 and verdict.state not in ("not_attempted", "forbidden")


def _message_html(verdict: Verdict) -> str:
    found = verdict.diagnosis
    if found is None or not found.advice:
        return f'<p class="ck-message">{marked(verdict.message)}</p>'
    return f'<p class="ck-message"><strong>{marked(found.says)}</strong> {marked(found.advice)}</p>'


def _figure_html(verdict: Verdict) -> str:
    shown = verdict.counterexample
    if shown is None:
        return ""
    extra = shown.sentence if shown.sentence and shown.sentence not in verdict.message else ""
    caption = f'<p class="ck-caption">{marked(extra)}</p>' if extra else ""
    return panels_html(panels_of(verdict.exercise, shown)) + caption


def _tick(item: PropertyResult) -> tuple[str, str]:
    if item.passed:
        return "✓", "holds"
    return ("✗", "does not hold") if item.ran else ("–", "not tried")


def _properties_html(verdict: Verdict) -> str:
    if not _lists_properties(verdict):
        return ""
    rows = "".join(
        f'<li class="ck-{"held" if item.passed else "broken"}"><span class="ck-tick" role="img" '
        f'aria-label="{_tick(item)[1]}">{_tick(item)[0]}</span><span>{marked(item.says)}</span></li>'
        for item in verdict.properties
    )
    return f'<ul class="ck-properties" aria-label="Properties">{rows}</ul>'


def _prints(verdict: Verdict) -> str:
    """What was printed on the case in the picture; failing that, on all cases."""
    shown = verdict.counterexample
    return (shown.output if shown is not None and shown.output else verdict.output).rstrip()


def _output_html(verdict: Verdict) -> str:
    if not verdict.output:
        return ""
    shown = _prints(verdict)
    where = (
        " on this input" if verdict.counterexample is not None and shown != verdict.output.rstrip() else ""
    )
    html = f'<div class="ck-output"><div class="ck-small">Your function printed{where}</div>'
    html += f"<pre>{escape(shown)}</pre>"
    if where:
        html += (
            '<details><summary class="ck-small">Everything it printed</summary>'
            f"<pre>{escape(verdict.output.rstrip())}</pre></details>"
        )
    return html + "</div>"


def _notes_html(verdict: Verdict) -> str:
    rows = "".join(f"<li>{marked(note)}</li>" for note in verdict.notes)
    return f'<ul class="ck-notes" aria-label="Notes">{rows}</ul>' if rows else ""


def _first_lines(text: str) -> str:
    lines = text.split("\n")
    more = [f"… {len(lines) - MOST_LINES} more lines in `.output`"] if len(lines) > MOST_LINES else []
    return "\n".join(f"  {line}" for line in lines[:MOST_LINES] + more)


def marked(text: str) -> str:
    """Escaped text with what stands between backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
