"""What the pages for learners and instructors share: one file each, no script, nothing fetched, printable.

The pages hold what learners wrote. All of it is escaped, and should that ever fail, the page's own policy
lets no script run and nothing be fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from coursekit.checking.drawing.card import LOOKS, marked
from coursekit.checking.drawing.style import STYLE
from coursekit.grading.naming import printable

SIGNS = {
    **LOOKS,
    "error": ("!", "Error in the code", "bad"),
    "crashed": ("⚡", "Ended its process", "bad"),
    "missing": ("–", "Not handed in", "calm"),
    "unreadable": ("–", "Could not be read", "bad"),
}
"""A sign, a word and a tone for each state."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"

_LOOK = (Path(__file__).parent / "pages.css").read_text(encoding="utf-8")


def page(title: str, head: str, body: str, foot: str = "") -> str:
    """A whole page.

    Parameters
    ----------
    title : str
        Plain text.
    head, body, foot : str
        HTML of the page's three parts.
    """
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{text(title)}</title><style>{STYLE}</style><style>{_LOOK}</style></head>"
        f'<body><header class="top">{head}</header><main>{body}</main><footer>{foot}</footer></body></html>\n'
    )


def text(value: object) -> str:
    """Escaped text. Half characters, which a learner may print, are written out, as no file can hold them."""
    return escape(str(value).encode("utf-8", "backslashreplace").decode())


def name(value: str) -> str:
    """An escaped name, with nothing in it that would turn or hide text."""
    return text(printable(value))


def prose(value: str) -> str:
    """Escaped text with what stands between backticks set as code."""
    return marked(value.encode("utf-8", "backslashreplace").decode())


def table(
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    numeric: Iterable[int] = (),
    kind: str = "",
) -> str:
    """A table of HTML cells; the columns in `numeric` go to the right, the first names its row."""
    right = set(numeric)

    def cell(tag: str, column: int, inner: str, scope: str = "") -> str:
        side = ' class="n"' if column in right else ""
        return f"<{tag}{scope}{side}>{inner}</{tag}>"

    heads = "".join(
        cell("th", i, text(one), ' scope="col"') if one else "<td></td>" for i, one in enumerate(head)
    )
    body = "".join(
        "<tr>"
        + "".join(cell("td" if i else "th", i, one, "" if i else ' scope="row"') for i, one in enumerate(row))
        + "</tr>"
        for row in rows
    )
    label = text(caption)
    return (
        f'<div class="scroll {kind}" role="region" aria-label="{label}" tabindex="0"><table>'
        f"<caption>{label}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def state(of: str) -> str:
    """A state as sign and word."""
    sign, word, tone = SIGNS.get(of, ("?", of, "calm"))
    return f'<span class="state {tone}"><span aria-hidden="true">{sign}</span> {text(word)}</span>'


def bar(share: float) -> str:
    """A share of 1 as a bar; the number stands beside it, so the bar is only seen."""
    width = round(100 * min(1.0, max(0.0, share)), 1)
    return f'<span class="bar" aria-hidden="true"><i style="width:{width}%"></i></span>'


def count(some: int, of: int) -> str:
    """So many of so many, as a number and as a bar."""
    return f'<span class="count">{some} of {of}</span>{bar(some / of if of else 0)}'


def points(value: float, worth: float) -> str:
    """Points in words."""
    unit = "point" if f"{worth:g}" == "1" else "points"
    return f"{round(value, 2):g} of {worth:g} {unit}"


def anchor(id: str) -> str:
    """A place in a page, by an exercise's id."""
    return "e-" + re.sub(r"[^A-Za-z0-9-]", "-", id)
