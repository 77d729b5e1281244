"""``coursekit grade``: grade a class into a gradebook, go on where it stopped, write tables and pages."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coursekit import __version__
from coursekit.checkout import CannotRun
from coursekit.cli_grading import (
    add_gradebook_option,
    add_policy_options,
    chosen,
    exercises,
    opened,
    standings_of,
)
from coursekit.cli_nbgrader import add_nbgrader_options, collection

if TYPE_CHECKING:
    from coursekit.grading.batch import Progress
    from coursekit.grading.gradebook import Gradebook, Task
    from coursekit.grading.results import SubmissionResult
    from coursekit.grading.scores import Standing
    from coursekit.grading.submissions import Found

FINE, FOUND_WRONG = 0, 1
FORMATS = ("plain", "canvas", "moodle", "json")
MOST_ROWS = 60


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    command.add_argument(
        "paths",
        metavar="PATH",
        nargs="*",
        type=Path,
        help="notebooks, a folder of them, or the zip that Canvas or Moodle gives; "
        "none to only write files from the gradebook",
    )
    add_gradebook_option(command, required=False)
    add_nbgrader_options(command)
    speed = command.add_mutually_exclusive_group()
    speed.add_argument(
        "--jobs", metavar="N", type=_count, default=1, help="sandboxes side by side (default: 1)"
    )
    speed.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler on a network you trust")
    command.add_argument("--export", metavar="FILE", type=Path, help="write everyone's scores to a file")
    command.add_argument(
        "--format", choices=FORMATS, help="of that file (default: json for .json, else plain)"
    )
    command.add_argument(
        "--assignment",
        metavar="NAME",
        default="coursekit",
        help='with --format canvas: the assignment there, best with its number: "Lesson 5 (1234)"',
    )
    command.add_argument("--feedback", metavar="DIR", type=Path, help="write a page for each learner")
    command.add_argument("--summary", metavar="FILE", type=Path, help="write a page for the instructor")
    command.add_argument(
        "--regrade",
        metavar="ID,…",
        action="extend",
        type=lambda text: text.split(","),
        help="grade only these exercises of the PATHs once more; earlier grades stay in the history",
    )
    command.add_argument(
        "--new-seed", action="store_true", help="draw a new secret seed, so that everything is graded anew"
    )
    command.add_argument(
        "--trust-submissions",
        action="store_true",
        help="where there is no sandbox: run the submissions unprotected, as you on this machine",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")
    add_policy_options(command)


def run(arguments: argparse.Namespace) -> int:
    """Grade, print and write what was asked for; 1 where some file could not be read."""
    collected = collection(arguments)
    found = _found(arguments) if collected is None else collected.found
    with opened(arguments.gradebook, create=bool(found)) as book:
        results, before = _graded(found, book, arguments)
        standings = standings_of(book, arguments)
        _write_files(standings, book, arguments)
        written = collected.write(book, arguments) if collected is not None else None
        _warn(results, standings, arguments)
        if arguments.json:
            told = _data(results, standings, bool(found))
            print(json.dumps({**told, **({"nbgrader": written} if written else {})}, indent=2))
        else:
            _tell(results, before, standings, arguments.gradebook)
            if written:
                print("{changed} of {scores} scores in nbgrader's gradebook changed.".format(**written))
    return FOUND_WRONG if any(one.reason for one in results) else FINE


def _found(arguments: argparse.Namespace) -> list[Found]:
    from coursekit.grading.submissions import find_submissions

    if not arguments.paths and not (arguments.export or arguments.feedback or arguments.summary):
        raise CannotRun("expected notebooks, a folder or a zip, got nothing. Try the folder you collected.")
    if arguments.gradebook is None:
        raise CannotRun("expected --gradebook FILE, where the grades are kept. Try --gradebook class.sqlite.")
    found, left_out = find_submissions(arguments.paths)
    if arguments.paths and not found:
        raise CannotRun(
            f"there is no notebook in {arguments.paths[0]}. Expected files named .ipynb or a zip."
        )
    if left_out:
        more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
        print(f"Left out, for they are no notebooks: {', '.join(left_out[:5])}{more}.", file=sys.stderr)
    return found


def _graded(
    found: Sequence[Found], book: Gradebook, arguments: argparse.Namespace
) -> tuple[list[SubmissionResult], int]:
    if not found:
        return [], 0
    from coursekit.grading.batch import run_batch
    from coursekit.grading.grader import grade_submissions

    grade = partial(
        grade_submissions,
        jobs=arguments.jobs,
        scheduler=arguments.scheduler,
        trust=arguments.trust_submissions,
    )
    if arguments.new_seed:
        book.begin_batch()
    counted: Counter[bool] = Counter()
    with _bar(len(found), arguments.json) as bar:

        def on_progress(progress: Progress) -> None:
            counted[progress.before] += 1
            bar.update()

        try:
            task = _task(found, book, arguments)
            results = run_batch(found, book, grade, task, on_progress)
            if task.round:
                book.end_round(task.round)
        except KeyboardInterrupt:
            kept = counted.total()
            raise CannotRun(
                f"stopped. {kept} of {len(found)} submissions are graded and kept; the same command goes on."
            ) from None
    return results, counted[True]


def _task(found: Sequence[Found], book: Gradebook, arguments: argparse.Namespace) -> Task:
    from coursekit.grading.gradebook import Task

    if not arguments.regrade:
        return Task(chosen(arguments.exercises))
    files = [(one.learner, one.file) for one in found]
    task, again = book.begin_round(chosen(arguments.regrade) or (), files)
    if again:
        print(f"Going on with regrade {task.round}, which was stopped.", file=sys.stderr)
    return task


def _bar(total: int, quiet: bool) -> Any:
    from tqdm import tqdm

    hidden = quiet or not sys.stderr.isatty()
    return tqdm(total=total, unit=" submissions", desc="Grading", disable=hidden, dynamic_ncols=True)


def _write_files(standings: Sequence[Standing], book: Gradebook, arguments: argparse.Namespace) -> None:
    try:
        if arguments.export:
            from coursekit.grading.exporting import exported
            from coursekit.grading.feedback import write_whole

            form = arguments.format or ("json" if arguments.export.suffix == ".json" else "plain")
            write_whole(arguments.export, exported(standings, book, form, arguments.assignment))
        if arguments.feedback:
            from coursekit.grading.feedback import write_feedback

            write_feedback(arguments.feedback, standings, exercises())
        if arguments.summary:
            from coursekit.grading.feedback import write_whole
            from coursekit.grading.summary import summary_page

            write_whole(arguments.summary, summary_page(standings, exercises()))
    except OSError as problem:
        raise CannotRun(
            f"{problem.filename} cannot be written: {problem.strerror}. The grades are in "
            f"{arguments.gradebook}; run the command again with a folder of yours."
        ) from problem


def _warn(
    results: Sequence[SubmissionResult], standings: Sequence[Standing], arguments: argparse.Namespace
) -> None:
    """Say loudly what an instructor would not expect of the scores."""
    from coursekit.grading.scores import of_few

    failed = _names(one.file for one in results if one.judge_failed)
    if failed:
        print(
            f"NOT GRADED, through no fault of theirs: {failed}. Run the same command again.", file=sys.stderr
        )
    if arguments.exercises is not None:
        return
    known = exercises()
    counted = {known[id].lesson[:2] for one in standings[:1] for id in one.scores if id in known}
    files: dict[str, list[str]] = {}
    for id, attempts in of_few(attempt for one in standings for attempt in one.attempts).items():
        files.setdefault(known[id].lesson if id in known else id, []).extend(
            one.result.file for one in attempts
        )
    for lesson, handed_in in sorted(files.items()):
        if handed_in:
            every = ",".join(sorted({*counted, lesson[:2]}))
            print(
                f"NOT COUNTED: {lesson}, for only few handed in something of it: {_names(handed_in)}. "
                f"Were all asked for it, then name it: --exercises {every}.",
                file=sys.stderr,
            )


def _names(files: Iterable[str]) -> str:
    names = sorted(set(files))
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _data(results: Sequence[SubmissionResult], standings: Sequence[Standing], graded: bool) -> dict[str, Any]:
    if not graded:
        from coursekit.grading.exporting import as_data

        return as_data(standings)
    return {"coursekit_version": __version__, "submissions": [one.to_dict() for one in results]}


def _tell(
    results: Sequence[SubmissionResult], before: int, standings: Sequence[Standing], gradebook: Path
) -> None:
    from coursekit.listing import as_table

    rows = [
        (one.learner, f"{one.points:g} of {one.worth:g}", f"{100 * one.fraction:.0f} %") for one in standings
    ]
    print(as_table(("learner", "points", "share"), rows[:MOST_ROWS]))
    if len(rows) > MOST_ROWS:
        print(f"… and {len(rows) - MOST_ROWS} more; --export grades.csv has them all.")
    for one in results:
        if one.reason:
            print(f"Could not be read: {one.file}: {one.reason}")
    if results:
        cells = sorted({one.sandbox for one in results if one.sandbox not in ("", "none")})
        print(
            f"\n{len(results)} submissions, {before} of them graded before. "
            f"Sandbox: {', '.join(cells) or 'none'}."
        )
    print(f"Kept in {gradebook}.")


def _count(text: str) -> int:
    if text.isdecimal() and 1 <= int(text) <= 1024:
        return int(text)
    raise argparse.ArgumentTypeError(f"expected a number from 1, got {text!r}; try 2")
