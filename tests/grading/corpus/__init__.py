"""A class of honest, cheating, breaking and awkward submissions, each with what a right grader gives it.

Three exercises are asked for. An entry says what each earns, and in which states; everything that is not said
is right. `write_class` puts all of them into one folder, as an LMS or a learner's own folder would look.
"""

from __future__ import annotations

from pathlib import Path

from tests.grading.corpus import breaking, cheating, files, honest
from tests.grading.corpus.entry import ASKED, Entry, Places

ENTRIES: tuple[Entry, ...] = (*honest.ENTRIES, *cheating.ENTRIES, *breaking.ENTRIES, *files.ENTRIES)
GROUPS = ("honest", "cheating", "breaking", "file", "forbidden")


def write_class(folder: Path, places: Places, entries: tuple[Entry, ...] = ENTRIES) -> None:
    """Write submissions into a class's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in entries:
        entry.write(folder, places)


def kinds() -> str:
    """All kinds, one a line, by group."""
    lines = []
    for group in GROUPS:
        some = [one for one in ENTRIES if one.group == group]
        lines += [f"{group} ({len(some)})", *(f"  {one.name}: {one.kind}" for one in some)]
    return "\n".join(lines)


__all__ = ["ASKED", "ENTRIES", "GROUPS", "Entry", "Places", "kinds", "write_class"]
