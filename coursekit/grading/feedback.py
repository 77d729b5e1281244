"""One page for each learner: every verdict, the drawn counterexample, the diagnosis, the hints."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from coursekit import __version__
from coursekit.checking import Exercise
from coursekit.grading.pages import (
    SIGNS,
    anchor,
    bar,
    name,
    page,
    points,
    prose,
    state,
    text,
)
from coursekit.grading.scores import Score, Standing

MOST_PRINTED = 4_000
"""Characters of a learner's prints that are shown."""


def write_feedback(
    folder: Path, standings: Sequence[Standing], exercises: Mapping[str, Exercise]
) -> dict[str, Path]:
    """Write every learner's page.

    Parameters
    ----------
    folder : Path
        Made where there is none. A learner's name cannot lead out of it.
    standings : sequence of Standing
    exercises : mapping of str to Exercise
        By id, for titles and hints.

    Returns
    -------
    dict
        Learner -> the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = file_names([one.learner for one in standings])
    for one in standings:
        write_whole(folder / files[one.learner], feedback_page(one, exercises))
    return {learner: folder / file for learner, file in files.items()}


def feedback_page(standing: Standing, exercises: Mapping[str, Exercise]) -> str:
    """One learner's page as HTML that needs no other file."""
    body = _notices(standing) + _overview(standing, exercises)
    body += "".join(
        _answer(score, exercises.get(id)) for id, score in standing.scores.items() if _says_something(score)
    )
    head = (
        f'<p class="kicker">Feedback</p><h1>{name(standing.learner)}</h1>'
        f'<p class="total"><strong>{round(standing.points, 2):g}</strong>'
        f'<span class="soft">of {points(0, standing.worth).partition(" of ")[2]}</span></p>'
        f"{bar(standing.fraction)}"
    )
    foot = (
        "Each function was called on many inputs. Where one fails, the smallest that shows it is drawn. "
        f"Graded by version {text(__version__)} of the course."
    )
    return page(f"Feedback for {standing.learner}", head, body, foot)


def file_names(learners: Sequence[str]) -> dict[str, str]:
    """A safe file name for each learner; people whose names would collide get a few characters of a digest.

    Examples
    --------
    >>> file_names(["Ada Lovelace", "grace"])
    {'Ada Lovelace': 'Ada-Lovelace.html', 'grace': 'grace.html'}
    """
    slugs = {learner: re.sub(r"[^\w]+", "-", learner).strip("-_")[:60] for learner in learners}
    taken = [slug.lower() for slug in slugs.values()]
    return {
        learner: f"{slug}.html"
        if slug and taken.count(slug.lower()) == 1 and slug.lower() not in _RESERVED
        else f"{slug or 'learner'}-{hashlib.sha256(learner.encode()).hexdigest()[:8]}.html"
        for learner, slug in slugs.items()
    }


_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    "index",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}


def write_whole(file: Path, content: str, mode: int = 0o600) -> None:
    """Write a file so that it is there whole or not at all, even where a link lies under its name.

    Only its owner may read it, as it tells of learners, unless `mode` says otherwise.
    """
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as new:
            new.write(content)
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _notices(standing: Standing) -> str:
    parts = [
        f'<div class="notice bad"><strong>{text(bad.result.file)}</strong> could not be read. '
        f"{prose(bad.result.reason)}</div>"
        for bad in standing.unreadable
    ]
    late = max((score.days_late for score in standing.scores.values()), default=0)
    if late:
        days = "1 day" if late == 1 else f"{late} days"
        parts.append(
            f'<div class="notice">Handed in up to {days} late. What that cost is in the table.</div>'
        )
    return "".join(parts)


def _overview(standing: Standing, exercises: Mapping[str, Exercise]) -> str:
    rows = []
    for id, score in standing.scores.items():
        title = text(_title(id, exercises.get(id)))
        linked = f'<a href="#{anchor(id)}">{title}</a>' if _says_something(score) else title
        remark = _remark(score)
        rows.append(
            f'<li><span class="what">{linked}'
            + (f'<br><span class="soft small">{remark}</span>' if remark else "")
            + f'</span>{state(score.result.state)}<span class="n">{round(score.points, 2):g} of '
            f"{score.result.worth:g}</span></li>"
        )
    return f'<ul class="list" aria-label="Your exercises">{"".join(rows)}</ul>' if rows else ""


def _remark(score: Score) -> str:
    if score.override is not None:
        return f"Scored by your instructor: {prose(score.override.note)}"
    if score.days_late and score.points != score.result.points:
        days = "1 day" if score.days_late == 1 else f"{score.days_late} days"
        return f"{days} late: {round(score.result.points, 2):g} became {round(score.points, 2):g}"
    return ""


def _says_something(score: Score) -> bool:
    return score.result.state not in ("missing", "unreadable")


def _answer(score: Score, exercise: Exercise | None) -> str:
    result = score.result
    verdict: Mapping[str, Any] = result.verdict or {}
    sign, word, tone = SIGNS.get(result.state, ("?", result.state, "calm"))
    title = _title(result.id, exercise)
    return (
        f'<section class="answer" id="{anchor(result.id)}"><h2>{text(title)}'
        f'<span class="n">{points(score.points, result.worth)}</span></h2>'
        f'<div class="ck-card ck-{tone}"><div class="ck-head">'
        f'<span class="ck-sign" aria-hidden="true">{sign}</span>'
        f'<span class="ck-word">{text(word)}</span></div>'
        f"{_message(result.reason, verdict)}{_picture(verdict)}{_properties(verdict)}{_prints(verdict)}"
        f"{_notes(verdict)}{_hints(result.state, exercise)}</div></section>"
    )


def _title(id: str, exercise: Exercise | None) -> str:
    return exercise.title if exercise else id


def _message(reason: str, verdict: Mapping[str, Any]) -> str:
    found = verdict.get("diagnosis")
    if found and found.get("advice"):
        return f'<p class="ck-message"><strong>{prose(found["says"])}</strong> {prose(found["advice"])}</p>'
    return f'<p class="ck-message">{prose(verdict.get("message") or reason)}</p>'


def _picture(verdict: Mapping[str, Any]) -> str:
    drawn = verdict.get("picture")
    if not drawn:
        return ""
    shown: Mapping[str, Any] = verdict.get("counterexample") or {}
    sentence = shown.get("sentence") or ""
    extra = sentence if sentence not in (verdict.get("message") or "") else ""
    return str(drawn) + (f'<p class="ck-caption">{prose(extra)}</p>' if extra else "")


def _properties(verdict: Mapping[str, Any]) -> str:
    listed = verdict.get("properties") or []
    if len(listed) < 2 or not any(item["ran"] for item in listed):
        return ""
    rows = "".join(
        f'<li class="ck-{"held" if item["passed"] else "broken"}">'
        f'<span class="ck-tick" role="img" aria-label="{label}">{tick}</span>'
        f"<span>{prose(item['says'])}</span></li>"
        for item in listed
        for tick, label in [_tick(item)]
    )
    return f'<ul class="ck-properties" aria-label="Properties">{rows}</ul>'


def _tick(item: Mapping[str, Any]) -> tuple[str, str]:
    if item["passed"]:
        return "✓", "holds"
    return ("✗", "does not hold") if item["ran"] else ("–", "not tried")


def _prints(verdict: Mapping[str, Any]) -> str:
    shown: Mapping[str, Any] = verdict.get("counterexample") or {}
    printed = str(shown.get("output") or verdict.get("output") or "").rstrip()
    if not printed:
        return ""
    cut = printed[:MOST_PRINTED] + ("\n…" if len(printed) > MOST_PRINTED else "")
    return (
        '<div class="ck-output"><div class="ck-small">Your function printed</div>'
        f'<pre tabindex="0" role="group" aria-label="What your function printed">{text(cut)}</pre></div>'
    )


def _notes(verdict: Mapping[str, Any]) -> str:
    rows = "".join(f"<li>{prose(str(note))}</li>" for note in verdict.get("notes") or [])
    return f'<ul class="ck-notes" aria-label="Notes">{rows}</ul>' if rows else ""


def _hints(of: str, exercise: Exercise | None) -> str:
    if exercise is None or of == "right" or not exercise.hints:
        return ""
    rows = "".join(f"<li>{prose(hint)}</li>" for hint in exercise.hints)
    count = "One hint" if len(exercise.hints) == 1 else f"{len(exercise.hints)} hints, from gentle to plain"
    return f'<details class="hints"><summary>{count}</summary><ol>{rows}</ol></details>'
