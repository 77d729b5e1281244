"""Run a lesson once, as a learner who writes nothing yet, and record what its cells showed."""

from __future__ import annotations

import json
import os
import re
import socket
import tempfile
from pathlib import Path
from typing import Any

from coursekit.curriculum import Lesson
from coursekit.site.storing import Output, Played, digest, file_of, packed, played

CELL_TIMEOUT_S = 900
_LEFT_BEHIND = "shown.json"
_FIRST_CELL = (
    "from coursekit.site.leaving import count_own_seconds\ncount_own_seconds()\ndel count_own_seconds"
)
_LAST_CELL = "from coursekit.site.leaving import leave_widgets\nleave_widgets({path!r})"
_SHORT = 5  # letters: a host of so short a name could be a word of a lesson


def record(lesson: Lesson, quick: bool = False) -> Path:
    """Play a lesson and put what it showed into the store.

    Parameters
    ----------
    lesson : Lesson
    quick : bool
        Train for a moment only, for tests.

    Returns
    -------
    Path
        The file in the store.

    Raises
    ------
    ValueError
        Some output names this machine or a folder of it; nothing was stored.
    """
    text = packed(play(lesson.path, quick))
    found = private_in(text)
    if found:
        raise ValueError(
            f"expected outputs that say nothing of this machine, got {found[0]!r} in lesson {lesson.id}. "
            "Try to change the cell that prints it."
        )
    file = file_of(lesson)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    played.cache_clear()
    return file


def private_in(text: str) -> list[str]:
    """Folders and the name of this machine, where a text has them outside its pictures."""
    text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    paths = re.findall(r"(?<![\w.:/])/(?:tmp|home|root|work|Users|var|opt|usr)/[\w.-]+", text)
    places = [str(Path.home()), str(Path.cwd()), tempfile.gettempdir(), str(Path(__file__).parents[2])]
    names = [socket.gethostname()] if len(socket.gethostname()) > _SHORT else []
    return paths + [
        each
        for each in (*places, *names)
        if len(each) > 1 and re.search(rf"(?<![\w.]){re.escape(each)}(?!\w)", text)
    ]


def play(notebook: Path, quick: bool = False) -> Played:
    """Run a notebook in a kernel of its own and return what it showed, as :func:`storing.played` does.

    What takes no training shows the same at each run. Trained nets and seconds are measured, and differ a
    little: training is timed by the seconds of its own process and has one thread, so that it matters little
    what else the machine does.
    """
    import nbformat
    from nbclient import NotebookClient

    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / _LEFT_BEHIND
        book = nbformat.read(notebook, as_version=4)
        book.cells.insert(0, nbformat.v4.new_code_cell(_FIRST_CELL))
        book.cells.append(nbformat.v4.new_code_cell(_LAST_CELL.format(path=str(path))))
        place = {"metadata": {"path": str(notebook.parent)}}
        client = NotebookClient(book, timeout=CELL_TIMEOUT_S, kernel_name="python3", resources=place)
        client.execute(env=_surroundings(Path(temporary), quick))
        models = json.loads(path.read_text(encoding="utf-8"))
    shown = [cell for cell in book.cells[1:-1] if cell.cell_type == "code"]
    cells = {
        cell.id: {"code": digest(cell.source), "outputs": [_kept(each) for each in cell.outputs]}
        for cell in shown
    }
    return renumbered(cells, models)


def renumbered(cells: dict[str, Any], models: dict[str, Any]) -> Played:
    """The widgets that are shown, in that order: w1, w2 … instead of the kernel's random ids."""
    order: list[str] = []

    def meet(key: str) -> None:
        if key not in order:
            order.append(key)
        for child in models[key].get("children", ()):
            meet(child)

    for cell in cells.values():
        for output in cell["outputs"]:
            if output["as"] == "widget":
                meet(output["model"])
    text = json.dumps({"cells": cells, "models": {key: models[key] for key in order}})
    for number, key in enumerate(order, start=1):
        text = text.replace(key, f"w{number}")
    told: Played = json.loads(text)
    return told


def _surroundings(temporary: Path, quick: bool) -> dict[str, str]:
    """No photographs, which may not be shown; a record of nobody; nothing of the caller's settings."""
    around = {
        name: value for name, value in os.environ.items() if name not in ("SERVER_SOFTWARE", "COURSEKIT_FAST")
    }
    own = {
        "COURSEKIT_HOME": str(temporary / "home"),
        "COURSEKIT_DATA": str(temporary / "no-photographs"),
        "IPYTHONDIR": str(temporary / "ipython"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OMP_NUM_THREADS": "1",
    }
    return {**around, **own, **({"COURSEKIT_FAST": "1"} if quick else {})}


def _kept(output: Any) -> Output:
    """One output in the richest form that a page can show."""
    if output.output_type == "stream":
        return {"as": "text" if output.name == "stdout" else "nothing", "text": output.text}
    if output.output_type == "error":
        return {"as": "text", "text": f"{output.ename}: {output.evalue}"}
    data = output.data
    view = data.get("application/vnd.jupyter.widget-view+json")
    if view:
        return {"as": "widget", "model": view["model_id"]}
    if "text/html" in data:
        return {"as": "html", "html": data["text/html"], "plain": data.get("text/plain", "")}
    if "image/png" in data:
        return {"as": "image", "src": f"data:image/png;base64,{''.join(data['image/png'].split())}"}
    return {"as": "text", "text": data.get("text/plain", "") + "\n"}
