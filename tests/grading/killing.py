"""Grades a class in processes that are killed at random moments, then to the end; prints what was kept.

A program, because it forks: ``python -m tests.grading.killing CLASS GRADEBOOK KILLS SEED``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from coursekit.grading.batch import Progress, run_batch
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import VERSIONS, grade


def grade_all(folder: Path, book: Path, told: int | None = None) -> None:
    kept = Gradebook(book, VERSIONS)

    def tell(progress: Progress) -> None:
        if told is not None and not progress.before:
            os.write(told, f"{progress.result.learner}\n".encode())

    run_batch(find_submissions([folder])[0], kept, grade, on_progress=tell)
    kept.close()


def killed_once(folder: Path, book: Path, chance: random.Random) -> list[str]:
    """Who was acknowledged before the kill, which comes after so many results and a moment more."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            grade_all(folder, book, writing)
        finally:
            os._exit(0)
    os.close(writing)
    heard = b""
    results = chance.randint(0, 2)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while heard.count(b"\n") < results and (piece := pipe.read(1)):
            heard += piece
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        heard += pipe.read() or b""
    return heard.decode().split("\n")[:-1]


def main(folder: Path, book: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: list[str] = []
    lost: list[str] = []
    seeds = set()
    cut_short = 0
    total = len(find_submissions([folder])[0])
    for _ in range(kills):
        acknowledged += killed_once(folder, book, chance)
        if not book.exists():
            continue
        opened = Gradebook(book, VERSIONS)
        there = {attempt.result.learner for attempt in opened.attempts()}
        cut_short += len(there) < total
        lost += sorted(set(acknowledged) - there)
        seeds.add(opened.seed)
        opened.close()
    grade_all(folder, book)
    told = {"acknowledged": acknowledged, "lost": lost, "seeds": len(seeds), "cut_short": cut_short}
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
