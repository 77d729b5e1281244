"""``coursekit export nbgrader DIR``: the course for a class that hands in through nbgrader."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

from coursekit.checkout import CannotRun

FINE = 0


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command what it can write."""
    what = command.add_subparsers(dest="what", metavar="WHAT", title="for which program", required=True)
    nbgrader = what.add_parser("nbgrader", help="a course that nbgrader releases, fetches and collects")
    nbgrader.add_argument("folder", metavar="DIR", type=Path, help="where the course goes")
    nbgrader.add_argument(
        "--lessons",
        metavar="NN,…",
        type=lambda text: [part.strip() for part in text.split(",") if part.strip()],
        default=[],
        help="only these lessons, such as 03,04 (default: all with exercises)",
    )
    nbgrader.add_argument(
        "--assignment",
        metavar="NAME",
        type=_assignment,
        help="one assignment of this name with all of them (default: an assignment a lesson)",
    )
    nbgrader.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say what comes next."""
    from coursekit.curriculum import LESSONS
    from coursekit.grading.nbgrader_course import write_course

    known = {name: lesson for lesson in LESSONS for name in (lesson.id, lesson.id[:2])}
    for name in arguments.lessons:
        if name not in known:
            raise CannotRun(f"expected a lesson's number, got {name!r}. Try {LESSONS[0].id[:2]}.")
    chosen = [known[name] for name in arguments.lessons]
    folder = arguments.folder.expanduser()
    files = write_course(folder, chosen, arguments.assignment or "")
    assignments = sorted({one.parent.name for one in files if one.parent.parent.name == "source"})
    if arguments.json:
        found = {"folder": str(folder), "assignments": assignments, "files": [str(one) for one in files]}
        print(json.dumps(found, indent=2))
        return FINE
    print(f"Wrote {len(assignments)} assignments into {folder}. There, for each assignment:")
    for step, why in (
        (f"nbgrader generate_assignment {assignments[0]}", "makes the learners' version"),
        (f"nbgrader release_assignment {assignments[0]}", "learners can fetch it"),
        (f"nbgrader collect {assignments[0]}", "gets what they submitted"),
        ("coursekit grade --nbgrader .", "grades it in the sandbox, into nbgrader's gradebook"),
    ):
        print(f"  {step:<60} {why}")
    return FINE


def _assignment(text: str) -> str:
    if re.fullmatch(r"[\w][\w .-]*", text) and text.strip() == text and text != "header":
        return text
    raise argparse.ArgumentTypeError(f"expected letters, digits, . _ - in a name, got {text!r}; try week-1")
