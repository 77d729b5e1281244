"""``coursekit capstone PATH…``: grade capstones on images that were held out."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from coursekit import __version__
from coursekit.checkout import CannotRun

FINE, FOUND_WRONG = 0, 1
STATEMENT = {
    "photographs": "Graded on photographs of the data set's test split. Their masks are public: a good score "
    "shows what a net can do, and not what it was trained on.",
    "scenes": "There are no photographs on this machine, so this was graded on drawn scenes, which anybody "
    "can draw again: `coursekit data download pets` brings photographs.",
}


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its paths."""
    command.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="a notebook or .py file with `class Capstone` and, beside it, capstone.safetensors; or a folder",
    )
    command.add_argument(
        "--trust-submissions", action="store_true", help="run the code unprotected where there is no sandbox"
    )
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Grade, print the points, and return the exit code: 1 where something could not be graded."""
    from coursekit.grading.capstone import grade_capstones, points_line
    from coursekit.training.capstone import held_out

    for path in arguments.paths:
        if not os.path.lexists(path):
            raise CannotRun(
                f"expected a capstone at {path}; there is no such file. Try the path of the notebook."
            )
    task = held_out()
    results = []
    for result in grade_capstones(arguments.paths, trust=arguments.trust_submissions, on=task):
        results.append(result)
        if not arguments.json:
            print(points_line(result))
    if arguments.json:
        found = {
            "coursekit_version": __version__,
            "data": task.name,
            "images": len(task.samples),
            "labels": STATEMENT[task.name],
            "submissions": [one.to_dict() for one in results],
        }
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print(STATEMENT[task.name])
    return FINE if all(one.state == "graded" for one in results) else FOUND_WRONG
