"""What the lessons' cells showed when they were recorded: one text file a lesson in ``played/``.

Committed, since to run all lessons takes a quarter of an hour of training and to read this takes no time.
Text, not compressed, each cell, widget and picture on a line of its own and pictures once: Git packs that
as small as a compressed file, and of a new recording it adds only what has changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from coursekit.curriculum import LESSONS, Lesson

STORE = Path(__file__).parent / "played"
ANEW = "coursekit site DIR --record"
_INLINE = re.compile(r"data:image/(?:png|webp);base64,[A-Za-z0-9+/=]+")
_REFERENCE = re.compile(r"picture:([0-9a-f]{12})")

Output = dict[str, Any]
Played = dict[str, dict[str, Any]]


@cache
def played(lesson: Lesson) -> Played:
    """What a lesson's cells showed when it was recorded; empty where it never was.

    Returns
    -------
    dict
        ``cells``: for each cell's id its ``code``, a digest, and its ``outputs``. ``models``: each widget's
        kind, state and fallback by its key.
    """
    file = file_of(lesson)
    if not file.is_file():
        return {"cells": {}, "models": {}}
    return unpacked(file.read_text(encoding="utf-8"))


def file_of(lesson: Lesson) -> Path:
    """Where a lesson's recording lies."""
    return STORE / f"{lesson.id}.json"


def outputs_of(lesson: Lesson, cell: Any) -> list[Output] | None:
    """What a cell showed, or None if its code has changed since or it never ran."""
    kept = played(lesson)["cells"].get(cell["id"])
    return kept["outputs"] if kept and kept["code"] == digest(text_of_cell(cell)) else None


def text_of_cell(cell: Any) -> str:
    """A cell's text, which a notebook's file holds as one string or as lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def digest(code: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def misfits(lesson: Lesson) -> list[str]:
    """Where a recording no longer fits: cells with other code, widgets with other traits. One line each."""
    cells = json.loads(lesson.path.read_text(encoding="utf-8"))["cells"]
    changed = [
        f"cell {cell['id']} has other code"
        for cell in cells
        if cell["cell_type"] == "code" and outputs_of(lesson, cell) is None
    ]
    return changed + sorted(set(_other_traits(lesson)))


def unfit() -> list[Lesson]:
    """The lessons that have to be recorded anew."""
    return [lesson for lesson in LESSONS if misfits(lesson)]


def _other_traits(lesson: Lesson) -> Iterator[str]:
    import coursekit.widgets as widgets
    from coursekit.site.live import traits_of

    for model in played(lesson)["models"].values():
        if "state" in model and set(model["state"]) != traits_of(getattr(widgets, model["kind"])):
            yield f"{model['kind']} has other traits"


def packed(told: Played) -> str:
    """A recording as text: the same recording gives the same text."""
    pictures: dict[str, str] = {}

    def refer(found: re.Match[str]) -> str:
        uri = _smaller(found[0])
        pictures.setdefault(digest(uri)[:12], uri)
        return f"picture:{digest(uri)[:12]}"

    shown = {room: _each(entries, lambda text: _INLINE.sub(refer, text)) for room, entries in told.items()}
    rooms = [
        f'"{room}":{{\n{_lines(entries)}\n}}' for room, entries in {**shown, "pictures": pictures}.items()
    ]
    return "{" + ",\n".join(rooms) + "}\n"


def unpacked(text: str) -> Played:
    """The recording that :func:`packed` wrote."""
    told: Played = json.loads(text)
    pictures = told.pop("pictures")
    return {
        room: _each(entries, lambda text: _REFERENCE.sub(lambda found: pictures[found[1]], text))
        for room, entries in told.items()
    }


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The same with every text in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(inner, change) for name, inner in value.items()}
    return [_each(inner, change) for inner in value] if isinstance(value, list) else value


def _lines(entries: dict[str, Any]) -> str:
    return ",\n".join(
        f"{json.dumps(name)}:{json.dumps(entry, ensure_ascii=False, separators=(',', ':'))}"
        for name, entry in entries.items()
    )


@cache
def _smaller(uri: str) -> str:
    """An inline picture as WebP where that is smaller; it loses nothing."""
    import base64
    import io

    from PIL import Image

    kind, _, data = uri.partition(";base64,")
    if kind.endswith("webp"):
        return uri
    picture, file = Image.open(io.BytesIO(base64.b64decode(data))), io.BytesIO()
    picture.save(file, "WEBP", lossless=True, method=6)
    other = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
    return min(other, uri, key=len)
