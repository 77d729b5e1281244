"""Who handed a file in, by its name: as Canvas, Moodle and people name what they collect."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

from coursekit.curriculum import PLAN

LONGEST_NAME = 120

_CANVAS = re.compile(r"(?P<name>.+?)_(?P<late>LATE_)?(?P<number>\d+)_\d+_(?P<file>.+)")
_CANVAS_NAMELESS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_[A-Za-z0-9]+)_\d+_(?P<file>.+)")
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_[a-z]+(?:_(?P<file>.*))?")
_RETURNED = re.compile(r"(?:-(?P<canvas>\d{1,3})| ?\((?P<browser>\d{1,3})\))$")
_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF}
_LESSONS = tuple(lesson.id for lesson in PLAN)


@dataclass(frozen=True)
class Named:
    """What a name says.

    Attributes
    ----------
    learner : str
    lms : str
        "canvas", "moodle", or empty for a plain name.
    number : str
        The learner's number there: Canvas's user id, Moodle's participant; empty where there is none.
    late : bool
        Whether Canvas marked it as late.
    """

    learner: str
    lms: str = ""
    number: str = ""
    late: bool = False


def named(name: str) -> Named | None:
    """What an LMS's name of a file or folder says; None for a plain one.

    Examples
    --------
    >>> named("lovelaceada_LATE_12345_67890_work-2.ipynb")
    Named(learner='lovelaceada', lms='canvas', number='12345', late=True)
    >>> named("Ada Lovelace_12345_assignsubmission_file_")
    Named(learner='Ada Lovelace', lms='moodle', number='12345', late=False)
    >>> named("ada.ipynb") is None
    True
    """
    found = _MOODLE.fullmatch(name)
    if found:
        return Named(printable(found["name"]), "moodle", found["number"])
    found = _CANVAS_NAMELESS.fullmatch(name) or _CANVAS.fullmatch(name)
    if found:
        number = found.groupdict().get("number") or ""
        return Named(printable(found["name"]), "canvas", number, bool(found["late"]))
    return None


def stem_of(name: str) -> str:
    """A notebook's name without its ending, also where a browser added one: ``ada.ipynb.txt`` is ada's."""
    return re.split(r"\.ipynb(?:\.(?:txt|json))?$", name, flags=re.IGNORECASE)[0] or name


def is_notebook(name: str) -> bool:
    """Whether a name ends as a notebook's does."""
    return stem_of(name) != name


def is_a_lessons_name(name: str) -> bool:
    """Whether a file is named as a lesson of this course, so that its name says nothing about a person."""
    stem = _RETURNED.sub("", stem_of(name))
    return any(stem == lesson or stem.startswith(f"{lesson}-") for lesson in _LESSONS)


def resubmission(file: str) -> int:
    """How often a file was handed in again, by the number that Canvas or a browser put behind its name.

    Examples
    --------
    >>> resubmission("ada_1_2_work-2.ipynb"), resubmission("work (3).ipynb"), resubmission("work.ipynb")
    (2, 3, 0)
    """
    found = _RETURNED.search(stem_of(file))
    return int(found["canvas"] or found["browser"]) if found else 0


def printable(text: str) -> str:
    """A name as it can be kept, shown and compared: what would hide or turn text is written out.

    Examples
    --------
    >>> printable("ada\\u202egpj"), printable("two\\nlines")
    ('ada\\\\u202egpj', 'two\\\\x0alines')
    """
    whole = text.encode("utf-8", "backslashreplace").decode()
    seen = "".join(map(_written_out, unicodedata.normalize("NFC", whole))).strip()
    if len(seen) <= LONGEST_NAME:
        return seen or "(no name)"
    return f"{seen[: LONGEST_NAME - 10]}…{hashlib.sha256(seen.encode()).hexdigest()[:8]}"


def _written_out(char: str) -> str:
    if unicodedata.category(char) == "Cc":
        return f"\\x{ord(char):02x}"
    return f"\\u{ord(char):04x}" if ord(char) in _TURNING else char
