"""What runs in the kernel of a lesson that is recorded: a clock, and what the lesson leaves behind."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ipywidgets.widgets.widget import _instances

from coursekit.site.live import Live
from coursekit.widgets import Predict, SideBySide


def count_own_seconds() -> None:
    """Let nets train by this process's own seconds: a busy machine then records as good a net."""
    from coursekit.training import running
    from coursekit.widgets import TrainingBoard

    running.clock = time.process_time
    TrainingBoard._clock = staticmethod(time.process_time)


def leave_widgets(path: str) -> None:
    """Write them to a file: kind, state and fallback, by key."""
    found = {key: _told(widget) for key, widget in dict(_instances).items() if _is_ours(widget)}
    Path(path).write_text(json.dumps(found), encoding="utf-8")


def _is_ours(widget: Any) -> bool:
    return type(widget).__module__.startswith("coursekit.")


def _told(widget: Any) -> dict[str, Any]:
    if isinstance(widget, SideBySide):
        return {"kind": "SideBySide", "children": [child.model_id for child in widget.children]}
    live = Live.of(widget).as_plain()
    if isinstance(widget, Predict):
        live["state"] |= _with_its_answer(widget)
    return live


def _with_its_answer(guess: Predict) -> dict[str, Any]:
    """A page has no next cell to run: the answer that a later cell found travels with the question."""
    fresh = {"choice": -1, "committed": False, "revealed": False, "awaited": False}
    if guess._answer is None:
        return fresh
    return {**fresh, "static": True, "solution": guess._solution()}
