"""``coursekit gradebook`` shows and overrides scores; ``coursekit lesson-plan`` says what to teach next."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit.checkout import CannotRun
from coursekit.cli_grading import (
    add_gradebook_option,
    add_policy_options,
    chosen,
    exercises,
    one_of,
    opened,
    standings_of,
)

if TYPE_CHECKING:
    from coursekit.grading.gradebook import Gradebook
    from coursekit.grading.scores import Standing

FINE = 0


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command what it can do."""
    what = command.add_subparsers(dest="what", metavar="WHAT", title="what to do", required=True)
    show = what.add_parser("show", help="everyone's scores, or all that is kept of one learner")
    show.add_argument("learner", metavar="LEARNER", nargs="?", help="show this learner's history too")
    add_gradebook_option(show)
    show.add_argument("--json", action="store_true", help="print JSON, for other programs")
    add_policy_options(show)
    override = what.add_parser("override", help="give a score by hand; the graded one stays in the history")
    override.add_argument("learner", metavar="LEARNER")
    override.add_argument("exercise", metavar="EXERCISE")
    override.add_argument(
        "points",
        metavar="POINTS",
        type=_points,
        help='the points, or "graded" to go back to the graded score',
    )
    override.add_argument("--note", required=True, help="why; the learner reads it in the feedback")
    add_gradebook_option(override)


def add_plan_options(command: argparse.ArgumentParser) -> None:
    """Give ``coursekit lesson-plan`` its options."""
    add_gradebook_option(command)
    command.add_argument(
        "--minutes", metavar="N", type=_minutes, default=20, help="the time there is (default: %(default)s)"
    )
    command.add_argument("--html", metavar="FILE", type=Path, help="write a page with covered answers")
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")
    add_policy_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Show or override."""
    with opened(arguments.gradebook) as book:
        return _override(book, arguments) if arguments.what == "override" else _show(book, arguments)


def run_plan(arguments: argparse.Namespace) -> int:
    """Print the plan as Markdown or JSON, or write it as a page."""
    from coursekit.grading.lesson_plan import as_markdown, as_page, lesson_plan

    with opened(arguments.gradebook) as book:
        standings = standings_of(book, arguments)
    steps = lesson_plan(standings, exercises(), arguments.minutes)
    if arguments.html:
        from coursekit.grading.feedback import write_whole

        try:
            write_whole(arguments.html, as_page(steps, len(standings)))
        except OSError as problem:
            raise CannotRun(f"{arguments.html} cannot be written: {problem.strerror}.") from problem
    if arguments.json:
        plan = {"learners": len(standings), "minutes": sum(one.minutes for one in steps)}
        print(json.dumps({**plan, "steps": [one.to_dict() for one in steps]}, indent=2))
    elif not arguments.html:
        print(as_markdown(steps, len(standings)), end="")
    return FINE


def _show(book: Gradebook, arguments: argparse.Namespace) -> int:
    standings = standings_of(book, arguments)
    if arguments.learner is not None:
        learner = one_of(arguments.learner, book.learners(), "a learner")
        standings = [one for one in standings if one.learner == learner]
    if arguments.json:
        from coursekit.grading.exporting import as_data

        print(json.dumps(as_data(standings), indent=2))
    elif arguments.learner is None:
        _print_all(standings)
    else:
        _print_one(standings[0], book)
    return FINE


def _print_all(standings: Sequence[Standing]) -> None:
    from coursekit.listing import as_table

    rows = [
        (one.learner, f"{one.points:g} of {one.worth:g}", f"{100 * one.fraction:.0f} %") for one in standings
    ]
    print(as_table(("learner", "points", "share"), rows))


def _print_one(standing: Standing, book: Gradebook) -> None:
    from coursekit.listing import as_table

    rows = [
        (id, score.result.state, f"{score.result.points:g}", f"{score.points:g}", f"{score.result.worth:g}")
        for id, score in standing.scores.items()
    ]
    print(f"{standing.learner}: {standing.points:g} of {standing.worth:g}\n")
    print(as_table(("exercise", "state", "graded", "counts", "of"), rows))
    print("\nHistory")
    for one in standing.attempts:
        what = one.result.reason or f"{one.result.points:g} of {one.result.worth:g} points"
        again = f", regrade {one.round}" if one.round else ""
        print(f"  {one.at}  {one.result.file}{again}: {what}. Sandbox: {one.result.sandbox}.")
    for given in book.overrides():
        if given.learner == standing.learner:
            points = (
                "back to the graded score" if given.points is None else f"{given.points:g} points by hand"
            )
            print(f"  {given.at}  {given.exercise}: {points}: {given.note}")


def _override(book: Gradebook, arguments: argparse.Namespace) -> int:
    learner = one_of(arguments.learner, book.learners(), "a learner")
    (exercise,) = chosen([arguments.exercise]) or ("",)
    worth = exercises()[exercise].points
    if arguments.points is not None and arguments.points > worth:
        print(
            f"Note: {arguments.points:g} is more than the {worth:g} that {exercise} is worth.",
            file=sys.stderr,
        )
    book.override(learner, exercise, arguments.points, arguments.note)
    now = "the graded score" if arguments.points is None else f"{arguments.points:g} points"
    print(f"{learner} has {now} in {exercise} now. What was graded stays in the history.")
    return FINE


def _points(text: str) -> float | None:
    if text == "graded":
        return None
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if 0 <= points < math.inf:
        return points
    raise argparse.ArgumentTypeError(f"expected points from 0, or graded, got {text!r}; try 2.5")


def _minutes(text: str) -> int:
    if text.isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"expected minutes, got {text!r}; try 20")
