"""What the commands on a gradebook share: opening it, how scores are read, which exercises are meant."""

from __future__ import annotations

import argparse
import difflib
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.checkout import CannotRun

if TYPE_CHECKING:
    from coursekit.checking import Exercise
    from coursekit.grading.gradebook import Gradebook
    from coursekit.grading.scores import Policy, Standing


def add_gradebook_option(command: argparse.ArgumentParser, required: bool = True) -> None:
    """``--gradebook FILE``."""
    command.add_argument(
        "--gradebook", metavar="FILE", type=Path, required=required, help="the gradebook, an SQLite file"
    )


def add_policy_options(command: argparse.ArgumentParser) -> None:
    """How scores are read from the history. Nothing of this is kept."""
    how = command.add_argument_group("how scores are read (nothing of this is kept in the gradebook)")
    how.add_argument(
        "--due",
        metavar="TIME",
        type=_time,
        help="when it was due, such as 2026-11-20T23:59 (this machine's time)",
    )
    how.add_argument(
        "--late",
        metavar="SHARE",
        type=_share,
        default=0.0,
        help="the share of the points that each day begun after that costs, such as 0.1 (default: 0)",
    )
    how.add_argument(
        "--cutoff",
        metavar="DAYS",
        type=_days,
        help="after so many days late nothing is earned (default: never)",
    )
    how.add_argument(
        "--best-of",
        action="store_true",
        help="of several submissions count each exercise's best (default: the latest that holds it)",
    )
    how.add_argument(
        "--exercises",
        metavar="ID,…",
        type=_names,
        action="extend",
        help="only these exercises, or those of a lesson such as 05",
    )


def policy_of(arguments: argparse.Namespace) -> Policy:
    """The policy that the options ask for."""
    from coursekit.grading.scores import Policy

    return Policy(arguments.due, arguments.late, arguments.cutoff, arguments.best_of)


@contextmanager
def opened(file: Path, create: bool = False) -> Iterator[Gradebook]:
    """The gradebook in a file, closed afterwards."""
    from coursekit.grading.gradebook import Gradebook

    known = exercises()
    versions = {id: one.version for id, one in known.items()}
    book = Gradebook(file.expanduser(), versions, create, {id: one.lesson for id, one in known.items()})
    try:
        yield book
    finally:
        book.close()


def standings_of(book: Gradebook, arguments: argparse.Namespace) -> list[Standing]:
    """Everyone's scores, under the options."""
    from coursekit.grading.scores import standings

    only = chosen(arguments.exercises)
    return standings(book.attempts(), book.overrides(), policy_of(arguments), list(exercises()), only)


def exercises() -> dict[str, Exercise]:
    """Every exercise by id, in the order of the course."""
    from coursekit.exercises import all_exercises  # they bring torch along, which takes seconds

    return {one.id: one for one in all_exercises()}


def chosen(names: Iterable[str] | None) -> tuple[str, ...] | None:
    """The exercises that ids and lessons' numbers name; None for none named.

    Raises
    ------
    CannotRun
        With the nearest name, where one names nothing.
    """
    if names is None:
        return None
    known = exercises()
    found: list[str] = []
    for name in names:
        of_lesson = [id for id, one in known.items() if name in (one.lesson, one.lesson.partition("-")[0])]
        if name not in known and not of_lesson:
            near = difflib.get_close_matches(name, known, 1) or ["05"]
            raise CannotRun(f"expected an exercise or a lesson's number, got {name!r}. Try {near[0]}.")
        found += of_lesson or [name]
    return tuple(id for id in known if id in found)


def one_of(name: str, there: Iterable[str], what: str) -> str:
    """A name, if it is there.

    Raises
    ------
    CannotRun
        With the nearest one.
    """
    names = list(there)
    if name in names:
        return name
    near = difflib.get_close_matches(name, names, 1) or names[:1]
    advice = f" Try {near[0]!r}." if near else " There is none yet."
    raise CannotRun(f"expected {what} of this gradebook, got {name!r}.{advice}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _time(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise argparse.ArgumentTypeError(f"expected a time, got {text!r}; try 2026-11-20T23:59") from None


def _share(text: str) -> float:
    value = _finite(text)
    if 0 <= value <= 1:
        return value
    raise argparse.ArgumentTypeError(f"expected a share from 0 to 1, got {text!r}; try 0.1")


def _days(text: str) -> float:
    value = _finite(text)
    if value >= 0:
        return value
    raise argparse.ArgumentTypeError(f"expected days from 0, got {text!r}; try 7")


def _finite(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
