"""Where the course lies on this machine, and how a command says that it cannot run."""

from __future__ import annotations

import os
from pathlib import Path


class CannotRun(Exception):
    """A command cannot do its work here; the message is a sentence for the person at the keyboard."""


def course_root() -> Path:
    """Return the course folder: the one that holds ``lessons/``, ``data/`` and this package.

    Raises
    ------
    CannotRun
        When the package lies somewhere without its lessons, as after an install that is not editable.
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / "lessons").is_dir():
        raise CannotRun(
            f"expected the folder lessons/ beside the package, found none in {root}. "
            "The course runs from its checkout: clone the repository and run `make lab` there."
        )
    return root


def lessons_folder() -> Path:
    """Return the folder of the notebooks."""
    return course_root() / "lessons"


def home_folder() -> Path:
    """Return the folder of the learner's record and caches, which need not exist yet.

    ``COURSEKIT_HOME`` names it; without that it is ``.coursekit/`` in the course folder.
    """
    named = os.environ.get("COURSEKIT_HOME")
    return Path(named).expanduser() if named else course_root() / ".coursekit"
