"""The instructor's page: how the class did, what was hardest, what looks odd."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence

from coursekit import __version__
from coursekit.checking import Exercise
from coursekit.grading.insights import alike, broken_properties, histogram, mistakes
from coursekit.grading.pages import SIGNS, bar, count, name, page, prose, state, table, text
from coursekit.grading.scores import Standing

MOST_ROWS = 12


def summary_page(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> str:
    """The page as HTML that needs no other file. It names learners: it is not for them.

    Parameters
    ----------
    standings : sequence of Standing
    exercises : mapping of str to Exercise
        By id.
    """
    parts = [
        _sandboxes(standings),
        _unreadable(standings),
        _spread(standings),
        _by_exercise(standings, exercises),
        _hardest(standings, exercises),
        _mistakes(standings, exercises),
        _alike(standings, exercises),
        _reports(standings),
        _by_hand(standings),
        _everyone(standings),
    ]
    foot = f"For the instructor: this page names learners. Version {text(__version__)} of the course."
    return page("Summary of a class", _head(standings), "".join(parts), foot)


def _head(standings: Sequence[Standing]) -> str:
    shares = sorted(100 * one.fraction for one in standings)
    people = "1 learner" if len(shares) == 1 else f"{len(shares)} learners"
    middle = (
        f'<p class="total"><strong>{statistics.median(shares):.0f} %</strong>'
        f'<span class="soft">of the points in the middle of the class (median); the mean is '
        f"{statistics.fmean(shares):.0f} %, from {shares[0]:.0f} % to {shares[-1]:.0f} %</span></p>"
        if shares
        else '<p class="soft">Nothing is graded yet.</p>'
    )
    return f'<p class="kicker">Summary for the instructor</p><h1>{people}</h1>{middle}'


def _sandboxes(standings: Sequence[Standing]) -> str:
    ran = Counter(
        attempt.result.sandbox
        for one in standings
        for attempt in one.attempts
        if attempt.result.sandbox not in ("", "none")
    )
    unprotected = any("trusted" in sandbox.lower() for sandbox in ran)
    told = ", ".join(f"{text(sandbox)} ({many} submissions)" for sandbox, many in ran.most_common())
    tone = "bad" if unprotected else "fine"
    warning = " Some code ran unprotected: it could read and change what you can." if unprotected else ""
    return (
        f'<div class="notice {tone}"><strong>Sandbox:</strong> {told or "nothing ran"}.{warning}</div>'
        if standings
        else ""
    )


def _unreadable(standings: Sequence[Standing]) -> str:
    rows = [
        [name(one.learner), text(bad.result.file), prose(bad.result.reason)]
        for one in standings
        for bad in one.unreadable
    ]
    heads = ("Learner", "File", "Reason")
    return (
        _section(
            "Files that could not be read", table("Files that could not be read", heads, rows, kind="wide")
        )
        if rows
        else ""
    )


def _spread(standings: Sequence[Standing]) -> str:
    counts = histogram(standings)
    most = max(counts, default=0) or 1
    rows = [
        [f"{10 * number} to {10 * number + 10} %", f"{count}", bar(count / most)]
        for number, count in reversed(list(enumerate(counts)))
    ]
    heads = ("Share of the points", "Learners", "")
    found = table("How the scores are spread", heads, rows, numeric=(1,), kind="spread")
    return _section("How the scores are spread", found) if standings else ""


def _by_exercise(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> str:
    rows = []
    for id in standings[0].scores if standings else ():
        states = Counter(one.scores[id].result.state for one in standings)
        worth = standings[0].scores[id].result.worth
        mean = statistics.fmean(one.scores[id].points for one in standings)
        others = ", ".join(
            f"{many} {text(SIGNS.get(state, ('', state))[1].lower())}"
            for state, many in states.most_common()
            if state != "right"
        )
        title = text(exercises[id].title if id in exercises else id)
        rows.append(
            [
                f'{title}<br><span class="soft small">{text(id)}</span>',
                f"{mean:.2f} of {worth:g}",
                count(states["right"], len(standings)),
                others or "–",
            ]
        )
    heads = ("Exercise", "Mean points", "Right", "Others")
    return (
        _section("By exercise", table("By exercise", heads, rows, numeric=(1,), kind="wide")) if rows else ""
    )


def _hardest(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> str:
    rows = [
        [prose(one.says), text(one.exercise.id), count(len(one.learners), one.tried)]
        for one in broken_properties(standings, exercises)[:MOST_ROWS]
    ]
    heads = ("Property", "Exercise", "Failed by")
    lead = '<p class="soft">Of those who handed in an answer.</p>'
    return (
        _section("Hardest properties", lead + table("Hardest properties", heads, rows, kind="wide"))
        if rows
        else ""
    )


def _mistakes(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> str:
    rows = [
        [
            prose(one.misconception.says),
            text(one.exercise.id),
            count(len(one.learners), one.tried),
        ]
        for one in mistakes(standings, exercises)[:MOST_ROWS]
    ]
    heads = ("What they were told", "Exercise", "Learners")
    lead = '<p class="soft"><code>coursekit lesson-plan</code> makes board questions of these.</p>'
    return (
        _section("Commonest mistakes", lead + table("Commonest mistakes", heads, rows, kind="wide"))
        if rows
        else ""
    )


def _alike(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> str:
    if not any(attempt.result.tree for one in standings for attempt in one.attempts):
        return ""
    rows = [
        [
            ", ".join(map(name, one.learners)),
            ", ".join(map(text, one.exercises)),
            "none" if not one.wrong else f"{one.wrong} of {len(one.exercises)}",
        ]
        for one in alike(standings, exercises)
    ]
    lead = (
        '<p class="soft">The same syntax tree but for names, comments and layout, in answers long enough '
        "to differ. Learners who were let to work together look the same: it is a reason to ask, and no "
        "proof.</p>"
    )
    heads = ("Learners", "Exercises", "Wrong in the same way")
    found = table("Answers of the same form", heads, rows) if rows else "<p>None.</p>"
    return _section("Answers of the same form", lead + found)


def _reports(standings: Sequence[Standing]) -> str:
    rows = [
        [
            name(one.learner),
            text(id),
            state(score.result.state),
            "<br>".join(map(prose, score.result.reports)),
        ]
        for one in standings
        for id, score in one.scores.items()
        if score.result.reports
    ]
    lead = (
        '<p class="soft">Found in the code or while it ran. The search for forbidden operations is a best '
        "effort: code can hide them, so an empty list proves nothing.</p>"
    )
    heads = ("Learner", "Exercise", "Verdict", "What was seen")
    found = table("Worth a look", heads, rows, kind="wide") if rows else "<p>None.</p>"
    return _section("Worth a look", lead + found) if standings else ""


def _by_hand(standings: Sequence[Standing]) -> str:
    rows = [
        [
            name(one.learner),
            text(id),
            f"{score.result.points:g}",
            f"{score.points:g}",
            prose(score.override.note),
        ]
        for one in standings
        for id, score in one.scores.items()
        if score.override
    ]
    heads = ("Learner", "Exercise", "Graded", "Given", "Note")
    return (
        _section(
            "Scores given by hand", table("Scores given by hand", heads, rows, numeric=(2, 3), kind="wide")
        )
        if rows
        else ""
    )


def _everyone(standings: Sequence[Standing]) -> str:
    late = any(score.days_late for one in standings for score in one.scores.values())
    rows = [
        [
            name(one.learner),
            f"{round(one.points, 2):g} of {one.worth:g}",
            f"{100 * one.fraction:.0f} %",
            *([str(max((score.days_late for score in one.scores.values()), default=0))] if late else []),
        ]
        for one in standings
    ]
    heads = ("Learner", "Points", "Share", *(("Days late",) if late else ()))
    return _section("Everyone", table("Everyone", heads, rows, numeric=(1, 2, 3))) if rows else ""


def _section(title: str, inner: str) -> str:
    return f"<section><h2>{text(title)}</h2>{inner}</section>"
