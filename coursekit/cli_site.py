"""``coursekit site``: the demos and the lessons as static pages."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from coursekit.checkout import CannotRun

FINE = 0


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its options."""
    command.add_argument(
        "folder", metavar="DIR", type=Path, help="where to write: a new or empty folder, or an earlier site"
    )
    command.add_argument(
        "--record",
        metavar="NN",
        nargs="*",
        help="first run lessons and record anew what their cells show, a minute or two each: those with "
        "these numbers, or with none given those that have changed since they were recorded",
    )
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Write the pages and say where they are.

    Raises
    ------
    CannotRun
        The folder holds something else or cannot be written, or a lesson cannot be recorded.
    """
    from coursekit.site import build
    from coursekit.site.storing import unfit

    if arguments.record is not None:
        _record(arguments.record)
    pages = build(arguments.folder)
    index = pages[0].resolve()
    size = sum(page.stat().st_size for page in pages)
    changed = [lesson.id for lesson in unfit()]
    if arguments.json:
        names = [page.name for page in pages]
        print(json.dumps({"index": str(index), "pages": names, "bytes": size, "changed": changed}))
        return FINE
    print(f"Wrote {len(pages)} pages, {size / 1e6:.1f} MB. Each needs no other file and no network. Open\n")
    print(f"    {index.as_uri()}\n")
    print(f"or copy {index.parent} to any web server.")
    if changed:
        print(f"\nChanged since they were recorded, so some outputs are missing: {', '.join(changed)}.")
        print(f"To record them anew, a minute or two each: coursekit site {arguments.folder} --record")
    return FINE


def _record(numbers: list[str]) -> None:
    """Record the lessons with these numbers, or those that have changed."""
    from coursekit.curriculum import LESSONS
    from coursekit.site.playing import record
    from coursekit.site.storing import unfit

    known = {lesson.id[:2]: lesson for lesson in LESSONS}
    wanted = [f"{number:0>2}" for number in numbers]
    if not set(wanted) <= set(known):
        raise CannotRun(
            f"expected numbers of lessons, got {' '.join(numbers)}. Try some of {' '.join(known)}, or none."
        )
    for lesson in [known[number] for number in wanted] if numbers else unfit():
        begin = time.monotonic()
        print(f"Running lesson {lesson.id} …", file=sys.stderr, flush=True)
        try:
            file = record(lesson)
        except Exception as problem:  # whatever a lesson's cell or its kernel met
            raise CannotRun(f"lesson {lesson.id} was not recorded: {problem}") from problem
        took = time.monotonic() - begin
        print(f"  recorded in {took:.0f} s, {file.stat().st_size / 1000:.0f} kB", file=sys.stderr, flush=True)
