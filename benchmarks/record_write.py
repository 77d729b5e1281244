"""What the learner's record adds to a cell: milliseconds a write, against the check that comes before it.

Each figure is the median and the slowest of so many writes, on the disk that the course lies on, to a record
as large as a whole course leaves it. The peers keep the same verdict plainly: a line of JSON appended and
synced to the disk, and a row of SQLite with all its defaults. They take turns with the record, some writes
each, so that another program that uses the disk slows all of them.

    python benchmarks/record_write.py [--writes 200] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coursekit.checking import check
from coursekit.checking.portable import portable_source
from coursekit.checkout import course_root
from coursekit.exercises import all_exercises, find_exercise
from coursekit.record import Record
from coursekit.standing import standing

TARGET_MS = 10.0
VERDICTS_OF_A_COURSE = 1000
TURN = 20  # writes
PEERS = ("JSON line, synced", "plain SQLite")


def milliseconds(work: Callable[[], object], times: int) -> dict[str, float]:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return {"median_ms": round(statistics.median(taken), 2), "slowest_ms": round(max(taken), 2)}


def by_turns(works: dict[str, Callable[[], object]], times: int) -> dict[str, dict[str, float]]:
    """Time a few calls of each, then a few of each again: so all meet the same disk.

    The first call of a turn is not counted: it waits for what the one before left to be written.
    """
    taken: dict[str, list[float]] = {name: [] for name in works}
    while len(min(taken.values(), key=len)) < times:
        for name, work in works.items():
            work()
            for _ in range(TURN):
                begun = time.perf_counter()
                work()
                taken[name].append(1000 * (time.perf_counter() - begun))
    return {
        name: {"median_ms": round(statistics.median(each), 2), "slowest_ms": round(max(each), 2)}
        for name, each in taken.items()
    }


def plain_peers(folder: Path, row: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """A verdict kept without the record: JSON lines with fsync, and SQLite as it comes."""
    lines = (folder / "verdicts.jsonl").open("ab")
    table = sqlite3.connect(folder / "plain.sqlite")
    table.execute(f"CREATE TABLE verdicts ({', '.join(row)})")

    def append_line() -> None:
        lines.write(json.dumps(row).encode() + b"\n")
        lines.flush()
        os.fsync(lines.fileno())

    def insert_row() -> None:
        with table:
            table.execute(f"INSERT INTO verdicts VALUES ({', '.join('?' * len(row))})", tuple(row.values()))

    return {"JSON line, synced": append_line, "plain SQLite": insert_row}


def measure(record: Record, folder: Path, writes: int) -> dict[str, dict[str, float]]:
    """Time each kind of work on a record that holds a course's worth of rows."""
    exercise = find_exercise("transposed-conv")
    kept: dict[str, Any] = {
        "lesson": exercise.lesson,
        "version": 1,
        "state": "right",
        "fraction": 1.0,
        "points": 4.0,
    }
    for _ in range(VERDICTS_OF_A_COURSE // len(all_exercises())):
        for each in all_exercises():
            record.keep_verdict(each.id, **{**kept, "lesson": each.lesson})
    source = portable_source(exercise.reference) or ""
    check(exercise, exercise.reference)  # plans the cases
    verdict: dict[str, Callable[[], object]] = {
        "keep_verdict": lambda: record.keep_verdict(exercise.id, **kept)
    }
    return {
        **by_turns(verdict | plain_peers(folder, {"exercise": exercise.id, **kept}), writes),
        "keep_source": milliseconds(lambda: record.keep_source(exercise.id, 1, source), writes),
        "keep_guess": milliseconds(lambda: record.keep_guess("size", 1, "5 rows"), writes),
        "portable_source": milliseconds(lambda: portable_source(exercise.reference), writes),
        "standing": milliseconds(lambda: standing(record), 10),
        "check": milliseconds(lambda: check(exercise, exercise.reference), 10),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writes", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # Beside the course: a temporary folder may be in memory, where every write is quick.
    with tempfile.TemporaryDirectory(dir=course_root(), prefix=".record-") as folder:
        found = measure(Record(Path(folder)), Path(folder), arguments.writes)
    ratios = {peer: round(found["keep_verdict"]["median_ms"] / found[peer]["median_ms"], 2) for peer in PEERS}
    if arguments.json:
        print(json.dumps({**found, "ratios": ratios}, indent=2))
        return
    for name, row in found.items():
        print(f"{name:18} median {row['median_ms']:7.2f} ms   slowest {row['slowest_ms']:7.2f} ms")
    for peer, ratio in ratios.items():
        print(f"keep_verdict / {peer}: {ratio}")
    worst = max(row["median_ms"] for name, row in found.items() if name.startswith("keep"))
    print(f"a write at the median: {worst} ms (target: at most {TARGET_MS:g})")


if __name__ == "__main__":
    main()
