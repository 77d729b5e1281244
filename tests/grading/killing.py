"""Grades a class in processes that are killed at random moments, then to the end; prints what was kept.

A program, because it forks: ``python -m tests.grading.killing GRADER CLASS GRADEBOOK KILLS SEED``, where
GRADER is "classroom" (verdicts without a sandbox: fast) or "sandbox" (the real one). It adopts what the
killed ones leave behind, so that nothing can hide.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import select
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from coursekit.grading.batch import Grader, Progress, run_batch
from coursekit.grading.gradebook import Gradebook, Task
from coursekit.grading.grader import grade_submissions
from coursekit.grading.results import SubmissionResult
from coursekit.grading.submission import Submission
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import ASKED, VERSIONS, grade

PR_SET_CHILD_SUBREAPER = 36
GONE_S = 30.0  # in which everything of a killed grader must have ended, on a very busy machine


@dataclass(frozen=True)
class Moments:
    """A grader, and when it is killed: so many results are heard, then a moment passes.

    Without a result it is killed while it starts, or with its first one. The moments are short beside a
    class, so that a fast machine does not grade all of it before the kill.
    """

    grade: Grader
    results: tuple[int, ...]
    moment_s: float
    start_s: float


def in_the_sandbox(
    submissions: Iterable[Submission], *, seed: str, exercises: Sequence[str] | None
) -> Iterator[SubmissionResult]:
    """The real grader, one job."""
    return grade_submissions(submissions, seed=seed, exercises=exercises)


GRADERS = {
    "classroom": Moments(grade, (0, 1, 2), moment_s=0.02, start_s=0.02),
    "sandbox": Moments(in_the_sandbox, (0, 1, 1, 2, 2, 3, 4), moment_s=0.05, start_s=3.0),
}


def grade_all(grader: str, folder: Path, book: Path, told: int | None = None) -> None:
    """Grade what the gradebook does not hold yet, and say each name when it is kept."""
    kept = Gradebook(book, VERSIONS)

    def tell(progress: Progress) -> None:
        if told is not None and not progress.before:
            os.write(told, f"{progress.result.learner}\n".encode())

    run_batch(find_submissions([folder])[0], kept, GRADERS[grader].grade, Task(ASKED), on_progress=tell)
    kept.close()


def killed_once(grader: str, folder: Path, book: Path, chance: random.Random) -> list[str]:
    """Who was acknowledged before the kill."""
    when = GRADERS[grader]
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(reading)
            os.setsid()
            grade_all(grader, folder, book, writing)
        finally:
            os._exit(0)
    os.close(writing)
    heard = b""
    results = chance.choice(when.results)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        if not results:
            select.select([pipe], [], [], chance.uniform(0, when.start_s))
        while heard.count(b"\n") < results and (piece := pipe.read(1)):
            heard += piece
        time.sleep(chance.uniform(0, when.moment_s) if results else 0)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        heard += pipe.read() or b""
    return heard.decode().split("\n")[:-1]


def left_running() -> list[str]:
    """Processes of a killed grader that do not end by themselves."""
    end = time.monotonic() + GONE_S
    while left := [one for one in psutil.Process().children(recursive=True) if _runs(one)]:
        if time.monotonic() > end:
            return [" ".join(one.cmdline())[:200] for one in left]
        time.sleep(0.1)
    return []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def main(grader: str, folder: Path, book: Path, kills: int, seed: int) -> None:
    """Kill, grade to the end, and print what was kept and what was left."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    chance = random.Random(seed)
    acknowledged: list[str] = []
    lost: list[str] = []
    running: list[str] = []
    seeds = set()
    cut_short = 0
    total = len(find_submissions([folder])[0])
    for _ in range(kills):
        acknowledged += killed_once(grader, folder, book, chance)
        running += left_running()
        if not book.exists():
            continue
        opened = Gradebook(book, VERSIONS)
        there = {attempt.result.learner for attempt in opened.attempts()}
        seeds.add(opened.seed)
        opened.close()
        cut_short += len(there) < total
        print(f"{len(there)} of {total} kept", file=sys.stderr, flush=True)
        lost += sorted(set(acknowledged) - there)
    grade_all(grader, folder, book)
    told = {"acknowledged": acknowledged, "lost": lost, "left": running}
    print(json.dumps({**told, "seeds": len(seeds), "cut_short": cut_short}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
