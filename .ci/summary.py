"""Count what CI ran, from pytest's own JUnit files, and close with one line that says so."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree


def outcomes(report: Path) -> tuple[Counter[str], set[str]]:
    """Return how many tests passed, failed or were skipped, and the notebooks that nbval ran."""
    counts: Counter[str] = Counter()
    notebooks = set()
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            counts["failed"] += 1
        elif "skipped" in kinds:
            counts["skipped"] += 1
        else:
            counts["passed"] += 1
        where = case.get("classname", "")
        if where.startswith("lessons."):
            notebooks.add(where)
    return counts, notebooks


def main(paths: list[str]) -> int:
    """Print the two lines; return 1 when something failed or nothing ran."""
    total: Counter[str] = Counter()
    lessons: set[str] = set()
    for path in paths:
        counts, notebooks = outcomes(Path(path))
        total += counts
        lessons |= notebooks
    ran = total["passed"] + total["failed"]
    print(f"CI ran {ran} tests and {len(lessons)} lessons ({', '.join(sorted(lessons)) or 'none'}).")
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not ran else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
