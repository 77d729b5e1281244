"""Running a lesson from top to bottom, as it is and with every exercise solved, by the clock."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from coursekit.checkout import CannotRun, home_folder
from coursekit.exercises import find_exercise

_OPENING = re.compile(r'@exercise\("([^"]+)"\)')
CELL_TIMEOUT_S = 300


def seconds_to_run(notebook: Path, *, solved: bool) -> float:
    """Run a lesson in a kernel of its own, with trainings cut short and a record that is thrown away.

    Parameters
    ----------
    notebook : Path
    solved : bool
        Put the course's own function into every exercise cell first.

    Returns
    -------
    float
        Seconds, the start of the kernel included.

    Raises
    ------
    CannotRun
        If a cell stops with an error.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError

    book = nbformat.read(notebook, as_version=4)
    for cell in book.cells if solved else []:
        opening = _OPENING.match(cell.source)
        if opening:
            cell.source = f"{opening[0]}\n{find_exercise(opening[1]).solution}"
    folder = {"metadata": {"path": str(notebook.parent)}}
    started = time.perf_counter()
    try:
        with _short_and_forgotten():
            NotebookClient(book, timeout=CELL_TIMEOUT_S, resources=folder).execute()
    except (CellExecutionError, CellTimeoutError) as problem:
        raise CannotRun(f"{notebook.name} stopped: {str(problem).strip().splitlines()[-1]}") from problem
    return round(time.perf_counter() - started, 1)


@contextmanager
def _short_and_forgotten() -> Iterator[None]:
    """The kernel inherits these: no rehearsal may write to a learner's record. Data made earlier is used."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        with suppress(OSError, CannotRun):  # without it the data is made once more
            Path(home, "cache").symlink_to((home_folder() / "cache").resolve(strict=True))
        os.environ.update(COURSEKIT_FAST="1", COURSEKIT_HOME=home)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
