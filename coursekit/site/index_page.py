"""The first page: the question, the demos, the lessons."""

from __future__ import annotations

from html import escape

from coursekit.curriculum import LESSONS, Lesson
from coursekit.site.catalogue import Demo, demos
from coursekit.site.lesson_pages import goal_of
from coursekit.site.shell import COURSE, FOLDER, Links, page, text_of

_QUESTION = (
    "How can a network that shrinks its picture still answer a question about every pixel of it, "
    "and say where an object is? Take it apart here, in your browser."
)


def index_page(links: Links | None = None) -> str:
    """The index as one HTML page that needs no other file.

    Examples
    --------
    >>> index_page().count('class="card"') == len(demos())
    True
    """
    links = links or Links()
    body = f"{_hero(links)}{_demos(links)}{_lessons(links)}{_notebooks()}"
    return page(COURSE, _QUESTION, body, links=links, more=text_of("index.css"))


def picture(name: str, alt: str = "") -> str:
    """A picture of this room inside the page; its numbers of id's stay its own."""
    drawn = (FOLDER / "pictures" / name).read_text(encoding="utf-8").strip()
    says = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
    return drawn.replace("<svg ", f"<svg {says} ", 1)


def _hero(links: Links) -> str:
    first, start = demos()[0], LESSONS[0]
    says = "A drawn scene; its classes in 8 by 8 cells; its classes in every pixel"
    return (
        '<section class="hero"><h1>Every pixel gets a class</h1>'
        f'<p class="lead">{_QUESTION}</p>'
        f'<p class="doors"><a class="button" href="{escape(links.demo.format(name=first.name))}">Try '
        "the first demo</a>"
        f'<a href="{escape(links.lesson.format(id=start.id))}">Read the first lesson</a></p>'
        f"<figure>{picture('opening.svg', says)}<figcaption><span>What the network is given</span>"
        "<span>What 8×8 cells can say</span><span>What it should "
        "answer</span></figcaption></figure></section>"
    )


def _demos(links: Links) -> str:
    cards = "".join(_card(demo, links) for demo in demos())
    return (
        '<section aria-labelledby="demos"><h2 id="demos">Play</h2>'
        '<p class="aside">Each demo runs in your browser at once, and works with the keyboard alone.</p>'
        f'<ul class="cards">{cards}</ul></section>'
    )


def _card(demo: Demo, links: Links) -> str:
    return (
        f'<li class="card"><a href="{escape(links.demo.format(name=demo.name))}">{picture(demo.picture)}'
        f"<h3>{escape(demo.title)}</h3></a><p>{escape(demo.teaches)}</p></li>"
    )


def _lessons(links: Links) -> str:
    rows = "".join(_row(lesson, links) for lesson in LESSONS)
    return (
        '<section aria-labelledby="lessons"><h2 id="lessons">Read</h2>'
        '<p class="aside">The lessons of the course, with their demos live in them.</p>'
        f'<ol class="lessons">{rows}</ol></section>'
    )


def _row(lesson: Lesson, links: Links) -> str:
    address = escape(links.lesson.format(id=lesson.id))
    return (
        f'<li><span class="number" aria-hidden="true">{lesson.id[:2]}</span><div><h3><a '
        f'href="{address}">{escape(lesson.title)}</a></h3>'
        f"<p>{escape(goal_of(lesson))}</p></div></li>"
    )


def _notebooks() -> str:
    return (
        '<section class="notebooks"><h2>Write</h2><p>Pages can show how it works. To build it, take '
        "the notebooks: you "
        "write the key functions, each is checked as you run it, and your own layers train in a "
        "network on your "
        "machine. From a checkout of the course one command prepares everything and opens them:</p>"
        "<pre><code>make lab</code></pre></section>"
    )
