"""One demo as one page."""

from __future__ import annotations

from html import escape

from coursekit.curriculum import PLAN
from coursekit.site.catalogue import Demo, demos, named
from coursekit.site.exhibits import blocks_of
from coursekit.site.live import Live, Stage
from coursekit.site.shell import Links, page


def demo_page(
    name: str, home: str = "index.html", lesson: str = "{id}.html", demo: str = "{name}.html"
) -> str:
    """A demo as one HTML page that needs no other file, no kernel and no network.

    Parameters
    ----------
    name : str
        As :func:`coursekit.site.demos` gives it.
    home, lesson, demo : str
        The addresses of the index, of a lesson and of another demo, seen from this page; the last two with
        ``{id}`` and ``{name}`` in them.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        No demo has that name.

    Examples
    --------
    >>> demo_page("grid-explorer").startswith("<!doctype html>")
    True
    """
    chosen, links, stage = named(name), Links(home, lesson, demo), Stage()
    parts = [stage.place(block) if isinstance(block, Live) else block for block in blocks_of(name, links)]
    body = f"{_head(chosen, links)}\n{''.join(parts)}\n{_onward(chosen, links)}"
    return page(chosen.title, chosen.teaches, body, stage, links)


def _head(demo: Demo, links: Links) -> str:
    return f'<h1>{escape(demo.title)}</h1><p class="lead">{escape(demo.teaches)}</p>'


def _onward(demo: Demo, links: Links) -> str:
    lesson = next(each for each in PLAN if each.id == demo.lesson)
    every = demos()
    following = every[(every.index(demo) + 1) % len(every)]
    return (
        '<nav class="onward" aria-label="Onward">'
        f'<a href="{escape(links.lesson.format(id=lesson.id))}"><span>The lesson to '
        f"it</span>{escape(lesson.title)}</a>"
        f'<a href="{escape(links.demo.format(name=following.name))}"><span>Next '
        f"demo</span>{escape(following.title)}</a>"
        "</nav>"
    )
