"""``coursekit check NOTEBOOK…``: the learner's own check of a notebook, outside Jupyter."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from coursekit import __version__
from coursekit.checkout import CannotRun

if TYPE_CHECKING:
    from coursekit.grading.results import ExerciseResult, SubmissionResult
    from coursekit.grading.submission import Submission

FINE, FOUND_WRONG = 0, 1
SEED = "the learner's own check"
_UNFINISHED = ("right", "not_attempted", "missing")
_MARKS = {"right": "✓", "not_attempted": "·", "missing": "·", "partial": "~"}


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its notebooks."""
    command.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="an .ipynb file, saved")
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Check the notebooks, print what was found, and return the exit code: 1 where something is wrong."""
    from coursekit.grading.grader import grade_submissions

    handed_in = [_read(path) for path in arguments.notebooks]
    results = []
    # One's own code on one's own machine: a sandbox is used where there is one, and not asked for.
    for result in grade_submissions(handed_in, seed=SEED, trust=True):
        results.append(result)
        if not arguments.json:
            print(_told(result))
    if arguments.json:
        found = {"coursekit_version": __version__, "submissions": [one.to_dict() for one in results]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    return FOUND_WRONG if any(map(_is_wrong, results)) else FINE


def _read(path: Path) -> Submission:
    from coursekit.grading.submission import Submission

    try:
        return Submission(path.stem, str(path), path.read_bytes())
    except OSError as problem:
        why = "there is no such file" if isinstance(problem, FileNotFoundError) else str(problem)
        raise CannotRun(
            f"expected a notebook at {path}; {why}. Try the path of a saved .ipynb file."
        ) from None


def _is_wrong(result: SubmissionResult) -> bool:
    return bool(result.reason) or any(one.state not in _UNFINISHED for one in result.exercises)


def _told(result: SubmissionResult) -> str:
    lines = [f"{result.file}: {result.points:g} of {result.worth:g} points", *map(_line, result.exercises)]
    return "\n".join([*lines, *[f"  {result.reason}"] * bool(result.reason)])


def _line(one: ExerciseResult) -> str:
    mark = _MARKS.get(one.state, "✗")
    said = "" if one.state == "right" else f"  {one.state.replace('_', ' ')}: {one.reason}"
    return f"  {mark} {one.id:<22} {one.points:g} of {one.worth:g}{said}"
