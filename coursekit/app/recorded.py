"""What training cells gave when the lessons were recorded, for visitors who would rather not wait.

Nothing trains on a page before its button is pressed. Until then such a cell has nothing to show, so the page
offers what one run gave. It stays folded: in most lessons a guess comes first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import Any

from coursekit.curriculum import LESSONS
from coursekit.site.live import source
from coursekit.site.storing import outputs_of, played, text_of_cell

_BOARD = "TrainingBoard"
_WAITS = re.compile(r"\b(results|offered)\(|press Train|Train above", re.IGNORECASE)
_NOTICES = ("has not passed its check yet", "There are no photographs on this machine")


@dataclass(frozen=True)
class Recording:
    """What one cell gave.

    Attributes
    ----------
    html : str
        Boards have ``data-recorded``, the name of their state.
    states : dict
        The boards' states, by name.
    """

    html: str = ""
    states: dict[str, dict[str, Any]] = field(default_factory=dict)


def recording(lesson: str, cell: Any) -> Recording:
    """The recording of a cell that trains or shows what came of it; an empty one for all other cells.

    Parameters
    ----------
    lesson : str
        The stem of the notebook.
    cell : dict
        As nbformat has it.
    """
    found = next((each for each in LESSONS if each.id == lesson), None)
    outputs = outputs_of(found, cell) if found else None
    if found is None or not outputs:
        return Recording()
    models = played(found)["models"]
    parts: list[str] = []
    states: dict[str, dict[str, Any]] = {}
    for output in outputs:
        if output["as"] == "widget":
            model = models[output["model"]]
            if model["kind"] == _BOARD:
                name = f"recorded-{output['model']}"
                states[name] = _state(model)
                parts.append(f'<div class="view" data-recorded="{name}">{model["fallback"]}</div>')
        else:
            parts.append(_html(output))
    waits = states or _WAITS.search(text_of_cell(cell))
    return Recording("".join(parts), states) if waits else Recording()


def _state(model: dict[str, Any]) -> dict[str, Any]:
    code = source(model["kind"])
    return {**model["state"], "_model_name": "AnyModel", "_esm": code["script"], "_css": code["style"]}


def _html(output: dict[str, Any]) -> str:
    if output["as"] == "text":
        return f'<pre class="printed">{escape(output["text"].rstrip())}</pre>'
    if output["as"] == "image":
        return f'<img class="shown" alt="A figure, drawn by the cell above" src="{output["src"]}">'
    if output["as"] == "html" and not any(notice in output["plain"] for notice in _NOTICES):
        return f'<div class="shown">{output["html"]}</div>'
    return ""
