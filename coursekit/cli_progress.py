"""``coursekit progress``: show the learner's record, write it to a file, or forget it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from coursekit.checkout import CannotRun
from coursekit.record import Record

FINE, FOUND_WRONG = 0, 1


def add_options(command: argparse.ArgumentParser) -> None:
    """Give the command its options; one of showing, exporting and resetting at a time."""
    what = command.add_mutually_exclusive_group()
    what.add_argument("--export", metavar="FILE", type=Path, help="write all of the record to a JSON file")
    what.add_argument("--reset", action="store_true", help="forget everything, after asking")
    command.add_argument("--yes", action="store_true", help="with --reset: do not ask")
    command.add_argument("--json", action="store_true", help="print JSON, for other programs")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; 1 where the record could not be used or the learner said no."""
    record = Record.of_this_learner()
    if arguments.reset:
        code = _reset(record, sure=arguments.yes)
    elif arguments.export:
        code = _export(record, arguments.export)
    else:
        code = _show(record, as_json=arguments.json)
    notices = record.take_notices()
    for sentence in notices:
        print(sentence, file=sys.stderr)
    return FOUND_WRONG if notices else code


def _show(record: Record, as_json: bool) -> int:
    from coursekit.standing import standing  # the exercises bring torch along, which takes seconds

    told = standing(record)
    if as_json:
        kept = {"path": str(record.path), "on_disk": record.on_disk}
        print(json.dumps({**told, "record": kept}, indent=2, ensure_ascii=False))
        return FINE
    from coursekit.widgets.progress_map import ProgressMap

    where = f"Kept in {record.path}, and sent nowhere."
    print(repr(ProgressMap(told, remarks=[where])))
    return FINE


def _export(record: Record, file: Path) -> int:
    text = json.dumps(record.everything(), indent=2, ensure_ascii=False) + "\n"
    try:
        with file.expanduser().open("x", encoding="utf-8") as new:
            new.write(text)
    except FileExistsError:
        raise CannotRun(
            f"expected a new file, got {file}, which is there already. Try another name."
        ) from None
    except OSError as problem:
        raise CannotRun(f"{file} cannot be written: {problem.strerror}. Try a folder of yours.") from problem
    print(f"Wrote the record to {file}: your functions, points, guesses and answers.")
    return FINE


def _reset(record: Record, sure: bool) -> int:
    kept = sum(len(rows) for rows in record.everything().values() if isinstance(rows, list))
    if not record.on_disk:
        return FOUND_WRONG  # the notice says why
    if not kept:
        print("There is nothing to forget.")
        return FINE
    if not sure and not _agreed(kept, record.path):
        print("Nothing was forgotten.")
        return FOUND_WRONG
    record.clear()
    if record.on_disk:
        print("Forgotten. Notebooks that are open remember until their kernel restarts.")
    return FINE


def _agreed(kept: int, path: Path | None) -> bool:
    entries = "1 entry" if kept == 1 else f"{kept} entries"
    print(f"This forgets {entries} in {path}: points, functions that passed, guesses and answers.")
    try:
        return input("Forget them? Type yes: ").strip().lower() in ("yes", "y")
    except EOFError:
        raise CannotRun("nobody answered. Try `coursekit progress --reset --yes`.") from None
