"""A lesson's cells as HTML: prose, folded code, what it showed, exercises that point to the notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby
from typing import Any

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from coursekit.curriculum import Lesson
from coursekit.exercises import all_exercises
from coursekit.site.live import Live, Stage
from coursekit.site.shell import Links
from coursekit.site.storing import Output, outputs_of, played
from coursekit.site.waiting import Shown, in_turn

_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_EXERCISE = re.compile(r"""@exercise\(\s*["']([^"']+)["']\)""")
_HEADING = re.compile(r"<h2>(.*?)</h2>")
_NOTEBOOK = re.compile(r"""href=(["'])(\d\d-[\w-]+)\.ipynb\1""")
_NOT_PASSED = "has not passed its check yet"
_NO_PHOTOGRAPHS = "There are no photographs on this machine"
_DRAWN = "In the notebook these are photographs. Here they are drawn scenes."
_OWN_RECORD = ("progress()",)
_QUESTIONS = {"Predict", "Quiz"}
_COLUMNS = re.compile(r"\S {2,}\S.*\n.*\S {2,}\S")  # two lines with gaps: wrapped, they would be no table
_code = HtmlFormatter(nowrap=True)
_COLOURED = "k kn kc ow kd s1 s2 sd sa si se c1 nd"
_SPAN = re.compile(r'<span class="(\w+)">([^<]*)</span>')
_prose = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])


class Reading:
    """The cells of one lesson, put into HTML one after the other.

    Attributes
    ----------
    stage : Stage
        The widgets that the HTML has places for.
    sections : list of (anchor, title)
        Filled as the cells are read.
    styles : list of str
        Style sheets that came with outputs, each once.
    """

    def __init__(self, lesson: Lesson, links: Links) -> None:
        self.stage = Stage()
        self.sections: list[tuple[str, str]] = []
        self.styles: list[str] = []
        self._lesson = lesson
        self._links = links
        self._models = played(lesson)["models"]
        self._exercises = {each.id: each for each in all_exercises()}

    def html(self, cells: list[dict[str, Any]]) -> str:
        """All cells; neighbours that wait for the same guess wait in one place."""
        outputs = [outputs_of(self._lesson, cell) if cell["cell_type"] == "code" else [] for cell in cells]
        guesses = {
            key for key, told in self._models.items() if told["kind"] == "Predict" and told["state"]["static"]
        }
        parts = []
        for waits_for, some in groupby(in_turn(cells, outputs, guesses), lambda each: sorted(each.waits_for)):
            shown = "\n".join(part for each in some for part in self._cell(each))
            parts.append(self._behind(waits_for, shown) if waits_for else shown)
        return "\n".join(parts)

    def _behind(self, guesses: list[str], shown: str) -> str:
        """What shows once the guesses are made, or to whoever insists; closed without scripts too."""
        models = " ".join(str(self.stage.number(key)) for key in guesses)
        your = "your guess" if len(guesses) == 1 else f"your {len(guesses)} guesses"
        return (
            f'<details class="waits" data-models="{models}"><summary><span>The answer shows here once '
            "you have "
            f"committed {your} above.</span> <b>Show it anyway</b></summary>{shown}</details>"
        )

    def _cell(self, shown: Shown) -> Iterator[str]:
        text = shown.text
        if shown.cell["cell_type"] == "markdown":
            yield f'<div class="prose">{self.prose(text)}</div>'
        elif shown.is_exercise:
            yield self._exercise(text)
        elif text.strip().startswith(_OWN_RECORD):
            map_page = escape(self._links.demo.format(name="progress-map"))
            see_one = f'<a href="{map_page}">See one</a>'
            yield f'<p class="prose">Your own map grows in the notebook. {see_one}.</p>'
        elif text.strip().startswith("hint("):
            yield f'<details class="hint"><summary>A hint</summary>{self._outputs(shown)}</details>'
        else:
            if not self._only_asks(shown):
                yield folded(text)
            yield self._outputs(shown)

    def prose(self, text: str) -> str:
        """Markdown as HTML, with an anchor at each section."""

        def anchored(found: re.Match[str]) -> str:
            return f'<h2 id="{self._anchor(found[1])}">{found[1]}</h2>'

        return self._linked(_HEADING.sub(anchored, str(_prose(text))))

    def _anchor(self, title: str) -> str:
        anchor = f"section-{len(self.sections) + 1}"
        self.sections.append((anchor, re.sub(r"<[^>]+>", "", title)))
        return anchor

    def _linked(self, html: str) -> str:
        """Links to other notebooks lead to their pages."""
        return _NOTEBOOK.sub(lambda found: f'href="{escape(self._links.lesson.format(id=found[2]))}"', html)

    def _exercise(self, code: str) -> str:
        asked = _EXERCISE.search(code)
        assert asked is not None
        found = self._exercises[asked[1]]
        points = f"{found.points:g} {'point' if found.points == 1 else 'points'}"
        return (
            f'<section class="exercise" aria-label="Exercise: {escape(found.title)}">'
            f'<p class="kicker">Your turn · {points} · about {found.minutes} minutes</p>'
            f"<h3>{escape(found.title)}</h3>"
            f"<p>This page cannot check what you write. The notebook can: run <code>make lab</code>, open "
            f"<code>lessons/{self._lesson.id}.ipynb</code>, and a wrong answer is met with the "
            "smallest case that "
            f"breaks it.</p>{folded(code, 'What the notebook starts you with')}</section>"
        )

    def _only_asks(self, shown: Shown) -> bool:
        """A question's code and an example's are no use to a reader, and a quiz's has its answers."""
        kinds = [
            self._models[each["model"]]["kind"] if each["as"] == "widget" else ""
            for each in shown.outputs or ()
        ]
        begins = shown.text.lstrip().startswith(("quiz(", "example("))  # also where it has changed since
        return begins or (bool(kinds) and set(kinds) <= _QUESTIONS and not shown.answers)

    def _outputs(self, shown: Shown) -> str:
        if shown.outputs is None:
            return '<p class="missing">Run this cell in the notebook to see what it shows.</p>'
        return "".join(map(self._output, shown.outputs))

    def _output(self, output: Output) -> str:
        kind = output["as"]
        if kind == "text":
            kind = "said table" if _COLUMNS.search(output["text"]) else "said"
            return f'<pre class="{kind}">{escape(output["text"].rstrip())}</pre>'
        if kind == "image":
            section = self.sections[-1][1] if self.sections else escape(self._lesson.title)
            return f'<figure class="drawn"><img src="{output["src"]}" alt="A figure in “{section}”"></figure>'
        if kind == "widget":
            return self._widget(output["model"])
        return self._html(output) if kind == "html" else ""

    def _widget(self, key: str) -> str:
        told = self._models[key]
        if told["kind"] == "SideBySide":
            return f'<div class="abreast">{"".join(map(self._widget, told["children"]))}</div>'
        placed = self.stage.place(Live(**told))
        title = told["state"].get("title", "") if told["kind"] == "Quiz" else ""
        return f'<div id="{self._anchor(escape(title))}">{placed}</div>' if title else placed

    def _html(self, output: Output) -> str:
        plain = output["plain"]
        if _NOT_PASSED in plain:
            return ""  # whoever reads here was not asked to write it
        if plain.startswith(_NO_PHOTOGRAPHS):
            return f'<p class="missing">{_DRAWN}</p>'
        for sheet in _STYLE.findall(output["html"]):
            if sheet not in self.styles:
                self.styles.append(sheet)
        return f'<div class="shown">{self._linked(_STYLE.sub("", output["html"]))}</div>'


def folded(code: str, says: str = "The code") -> str:
    """Code that opens on demand."""
    lines = code.rstrip().count("\n") + 1
    told = f"{says} <span>{lines} {'line' if lines == 1 else 'lines'}</span>"
    coloured = _SPAN.sub(_if_coloured, highlight(code.rstrip(), PythonLexer(), _code).rstrip())
    return f'<details class="code"><summary>{told}</summary><pre><code>{coloured}</code></pre></details>'


def _if_coloured(found: re.Match[str]) -> str:
    """A span only where it has a colour: names and commas would make a page twice as long."""
    return found[0] if found[1] in _COLOURED.split() else found[2]


def code_colours() -> str:
    """Four colours for code, from the page's own."""
    return (
        ".k,.kn,.kc,.ow,.kd { color: var(--link); } .s1,.s2,.sd,.sa,.si,.se { color: var(--string); } "
        ".c1,.cm { color: var(--soft); font-style: italic; } .nd { color: var(--accent); }"
    )
