"""A lesson's notebook as a page: its text at once, its code folded, a place for what each cell shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import nbformat
from jinja2 import Environment, FileSystemLoader, select_autoescape
from markupsafe import Markup
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from coursekit.app.recorded import Recording, recording
from coursekit.app.tasks import Task, tasks
from coursekit.curriculum import LESSONS, Lesson

HERE = Path(__file__).parent

_GOAL = re.compile(r"\*\*Goal: (.+?)\*\*", re.DOTALL)
_EXERCISE = re.compile(r"""@exercise\(\s*["']([^"']+)["']\)""")
_NUMBER = re.compile(r"^\d\d\s+·\s+")
_HEADING = re.compile(r"^#\s+(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """One cell as a page shows it."""

    place: int
    text: Markup | None = None
    code: Markup | None = None
    exercise: Task | None = None
    recording: Recording = field(default_factory=Recording)


@dataclass(frozen=True)
class LessonText:
    """What of a lesson is the same for every visitor."""

    path: Path
    title: str
    goal: str

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, rendered when somebody first asks: a server starts before that."""
        cells = nbformat.read(self.path, as_version=4).cells
        return tuple(_cell(self.path.stem, at, cell) for at, cell in enumerate(cells) if cell.source.strip())

    @cached_property
    def recorded(self) -> dict[str, dict[str, Any]]:
        """The states of boards that trained when the lesson was recorded."""
        return {name: state for cell in self.cells for name, state in cell.recording.states.items()}


def environment() -> Environment:
    """The templates of the app."""
    return Environment(
        loader=FileSystemLoader(HERE / "template"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def read_lesson(path: Path) -> LessonText:
    """Read what a notebook is about."""
    notebook = nbformat.read(path, as_version=4)
    first = next((cell.source for cell in notebook.cells if cell.cell_type == "markdown"), "")
    title, goal = _HEADING.search(first), _GOAL.search(first)
    return LessonText(
        path=path,
        title=_NUMBER.sub("", title[1].strip()) if title else path.stem,
        goal=_sentence(goal[1]) if goal else "",
    )


def _sentence(text: str) -> str:
    joined = " ".join(text.split())
    return joined[:1].upper() + joined[1:]


def _cell(lesson: str, place: int, cell: Any) -> Cell:
    if cell.cell_type == "markdown":
        source = cell.source
        if place == 0:  # the page's head has them
            source = _GOAL.sub("", _HEADING.sub("", source, count=1), count=1)
        renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
        return Cell(place, text=Markup(MarkdownWithMath(renderer=renderer).render(source)))
    coloured = Markup(Highlight2HTML(pygments_lexer="python")(cell.source))
    exercise = _EXERCISE.search(cell.source)
    if exercise:
        return Cell(place, code=coloured, exercise=tasks().get(exercise[1]))
    return Cell(place, code=coloured, recording=recording(lesson, cell))


def neighbours(name: str) -> tuple[Lesson | None, Lesson | None]:
    """The lessons before and after one."""
    names = [lesson.id for lesson in LESSONS]
    if name not in names:
        return None, None
    place = names.index(name)
    before = LESSONS[place - 1] if place else None
    return before, LESSONS[place + 1] if place + 1 < len(LESSONS) else None


def embedded(value: Any) -> Markup:
    """JSON that may stand within a script element of any content."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))
