"""A lesson as a page to read, with its demos live in it."""

from __future__ import annotations

import json
import re
from html import escape

from coursekit.curriculum import LESSONS, Lesson
from coursekit.site.reading import Reading, code_colours
from coursekit.site.shell import Links, page, text_of

_GOAL = re.compile(r"\*\*Goal:\s*(.+?)\*\*", re.DOTALL)


def lesson_page(
    number: int, home: str = "index.html", lesson: str = "{id}.html", demo: str = "{name}.html"
) -> str:
    """A lesson as one HTML page: its prose, its demos live, its code folded.

    Exercises point to the notebook, which alone can check them. What cells draw was recorded when the
    notebook was run (``coursekit site DIR --record``); a cell that has changed since says so. Answers wait
    for a guess.

    Parameters
    ----------
    number : int
        0 to 10.
    home, lesson, demo : str
        The addresses of the index, of another lesson and of a demo, seen from this page; the last two with
        ``{id}`` and ``{name}`` in them.

    Returns
    -------
    str
        HTML that needs no other file, no kernel and no network.

    Raises
    ------
    ValueError
        No lesson has that number.

    Examples
    --------
    >>> "Learnable up-sampling" in lesson_page(5)
    True
    """
    at = _place(number)
    found, links = LESSONS[at], Links(home, lesson, demo)
    cells = json.loads(found.path.read_text(encoding="utf-8"))["cells"]
    reading = Reading(found, links)
    opening = reading.prose(_after_the_goal("".join(cells[0]["source"])))  # first, as sections are numbered
    body = reading.html(cells[1:])
    head = _head(found, goal_of(found), opening, reading)
    styles = "\n".join([text_of("lesson.css"), code_colours(), *reading.styles])
    whole = f'<article class="lesson">{head}<div class="read">{body}</div></article>{_onward(at, links)}'
    return page(f"{found.id[:2]} · {found.title}", goal_of(found), whole, reading.stage, links, styles)


def goal_of(lesson: Lesson) -> str:
    """The lesson's goal in one sentence, as its notebook has it."""
    first = "".join(json.loads(lesson.path.read_text(encoding="utf-8"))["cells"][0]["source"])
    found = _GOAL.search(first)
    goal = " ".join(found[1].split()) if found else lesson.title
    return goal[0].upper() + goal[1:]


def _place(number: int) -> int:
    for at, lesson in enumerate(LESSONS):
        if lesson.id[:2] == f"{number:02d}":
            return at
    known = ", ".join(str(int(lesson.id[:2])) for lesson in LESSONS)
    raise ValueError(f"expected the number of a lesson, got {number!r}. Try one of {known}.")


def _after_the_goal(first_cell: str) -> str:
    return _GOAL.sub("", first_cell.partition("\n")[2])


def _head(lesson: Lesson, goal: str, opening: str, reading: Reading) -> str:
    sections = "".join(f'<li><a href="#{anchor}">{title}</a></li>' for anchor, title in reading.sections)
    return (
        f'<header><p class="kicker">Lesson {lesson.id[:2]} · about {lesson.minutes} minutes in the '
        "notebook</p>"
        f'<h1>{escape(lesson.title)}</h1><p class="lead">{escape(goal)}</p>'
        '<p class="honest"><strong>To read and to play.</strong> This is the notebook as a page. Its '
        "demos are live; "
        "its pictures and figures were recorded when it was run, with drawn scenes. Writing code, "
        "training and "
        f'checks need the notebook itself.</p><div class="prose">{opening}</div></header>'
        f'<nav class="sections" aria-label="In this lesson"><ol>{sections}</ol></nav>'
    )


def _onward(at: int, links: Links) -> str:
    def link(step: int, says: str) -> str:
        if not 0 <= at + step < len(LESSONS):
            return ""
        other = LESSONS[at + step]
        address = escape(links.lesson.format(id=other.id))
        return f'<a href="{address}"><span>{says}</span>{other.id[:2]} · {escape(other.title)}</a>'

    return f'<nav class="onward" aria-label="Onward">{link(-1, "Before")}{link(1, "Next lesson")}</nav>'
