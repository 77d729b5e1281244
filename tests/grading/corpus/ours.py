"""Grades the corpus with the course's grader and says what was not as it should be, as JSON.

A program, because it adopts processes: ``python -m tests.grading.corpus.ours FOLDER [GROUP|NAME …]``.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.grading.corpus import ASKED, ENTRIES, Entry
from tests.grading.corpus.rig import Rig, grader_command

AT_MOST = 900.0  # seconds, on a machine that does much else


def differences(
    entries: Sequence[Entry], submissions: Sequence[Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Where a result is not what a right grader gives."""
    by_file: dict[str, list[Mapping[str, Any]]] = {}
    for one in submissions:
        by_file.setdefault(one["file"], []).append(one)
    for entry in entries:
        for file in entry.files:
            results = by_file.get(file, [])
            if len(results) != 1:
                yield {"name": entry.name, "file": file, "kind": "no result" if not results else "several"}
                continue
            for id in ASKED:
                wanted, got = entry.earns(id), results[0]["exercises"].get(id, {})
                share = got.get("fraction", -1.0)
                if abs(share - wanted.fraction) > 1e-5 or got["state"] not in wanted.states:
                    kind = _kind(share, wanted.fraction)
                    yield {
                        "name": entry.name,
                        "exercise": id,
                        "kind": kind,
                        "wanted": str(wanted),
                        "got": got,
                    }


def _kind(got: float, wanted: float) -> str:
    if got < 0:
        return "no result"
    return "over" if got > wanted + 1e-5 else "under" if got < wanted - 1e-5 else "state"


def kept_in(book: Path) -> list[list[Any]]:
    """What the gradebook holds, as `--json` says it."""
    rows = sqlite3.connect(book).execute(
        "SELECT file, exercise, state, fraction FROM marks JOIN attempts ON attempts.id = marks.attempt"
    )
    return sorted(map(list, rows))


def main(folder: Path, wanted: Sequence[str]) -> None:
    entries = [one for one in ENTRIES if not wanted or one.name in wanted or one.group in wanted]
    with Rig(folder, entries) as rig:
        started = time.monotonic()
        status, out, said = rig.run(grader_command(rig, "--jobs", "2"), AT_MOST)
        seconds = round(time.monotonic() - started, 1)
        effects = rig.side_effects()
        kept = kept_in(rig.book) if rig.book.exists() else []
    submissions = json.loads(out)["submissions"] if status is not None else []
    files = {file for one in entries for file in one.files}
    results = [
        [one["file"], id, each["state"], each["fraction"]]
        for one in submissions
        for id, each in one["exercises"].items()
    ]
    told = {
        "status": status,
        "seconds": seconds,
        "said": said[-2000:],
        "differences": list(differences(entries, submissions)),
        "side_effects": effects,
        "unexpected_files": sorted({one["file"] for one in submissions} - files),
        "results": sorted(results),
        "kept": kept,
    }
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
