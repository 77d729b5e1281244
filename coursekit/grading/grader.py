"""Submissions in, results out: one process after the other, several at once, or a Dask cluster."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any

from coursekit.checking import Exercise
from coursekit.checkout import CannotRun
from coursekit.exercises import all_exercises, find_exercise
from coursekit.grading.deciding import Graded, grade_exercise
from coursekit.grading.reading import Notebook, Unreadable, read_notebook
from coursekit.grading.results import ExerciseResult, SubmissionResult
from coursekit.grading.sandbox import Sandbox
from coursekit.grading.submission import Submission

AHEAD = 2  # submissions a process has waiting, so that none of them is idle

OnResult = Callable[[SubmissionResult], None]


def grade_submissions(
    submissions: Iterable[Submission],
    *,
    seed: str | bytes,
    jobs: int = 1,
    scheduler: str | None = None,
    exercises: Sequence[str] | None = None,
    trust: bool = False,
    on_result: OnResult | None = None,
) -> Iterator[SubmissionResult]:
    """Grade submissions; each result comes as soon as it is there, so that it can be kept.

    One job gives them in the order of the submissions, several in any.

    Parameters
    ----------
    submissions : iterable of Submission
    seed : str or bytes
        The batch's secret, from which every exercise's inputs are derived; the same seed gives the same
        grades.
    jobs : int
        Processes on this machine, each with a sandbox of its own.
    scheduler : str, optional
        The address of a Dask scheduler, such as ``"tcp://10.0.0.1:8786"``; then `jobs` does not count.
    exercises : sequence of str, optional
        Ids. Left out, each notebook is graded on all exercises of its lesson and on what it answers of
        others (`exercises_in`).
    trust : bool
        Run the code unprotected where there is no sandbox.
    on_result : callable, optional
        Called with each result before it is yielded.

    Raises
    ------
    CannotRun
        Where there is no sandbox, or no cluster.

    Examples
    --------
    >>> list(grade_submissions([Submission("ada", "a.ipynb", b"")], seed="x", exercises=["stamp"]))[0].reason
    'The file is empty. Try saving the notebook and handing it in again.'
    """
    secret = seed.encode() if isinstance(seed, str) else seed
    ids = None if exercises is None else tuple(find_exercise(id).id for id in exercises)
    if jobs <= 1 and scheduler is None:
        results = _one_by_one(submissions, secret, ids, trust)
    else:
        results = _through_executor(submissions, secret, ids, trust, jobs, scheduler)
    for result in results:
        if on_result is not None:
            on_result(result)
        yield result


def exercises_in(content: bytes) -> tuple[str, ...]:
    """The ids of the exercises that a notebook is graded on; none where it cannot be read."""
    try:
        return tuple(one.id for one in _asked_for(read_notebook(content)))
    except Unreadable:
        return ()


def grade_one(
    submission: Submission, secret: bytes, ids: Sequence[str] | None, sandbox: Sandbox
) -> SubmissionResult:
    """Grade one submission; there is always a result."""
    digest = hashlib.sha256(submission.content).hexdigest() if submission.content is not None else ""
    try:
        if submission.content is None:
            raise Unreadable(submission.reason or "The file cannot be read.")
        notebook = read_notebook(submission.content)
    except Unreadable as problem:
        return _unreadable(submission, digest, str(problem), ids or ())
    except Exception as problem:  # a file that nobody foresaw must not stop the others
        return _unreadable(
            submission, digest, f"The file cannot be read ({type(problem).__name__}).", ids or ()
        )
    asked = _asked_for(notebook) if ids is None else [find_exercise(id) for id in ids]
    results, trees = [], {}
    done: dict[str, Graded] = {}
    for exercise in asked:
        result, tree = grade_exercise(notebook, exercise, sandbox, secret, done)
        results.append(result)
        if tree:
            trees[exercise.id] = tree
    ran = any(one.state not in ("missing", "not_attempted") for one in results)
    reason = "" if asked else "The notebook holds no exercise of this course."
    name = sandbox.name if ran else "none"
    return SubmissionResult(submission.learner, submission.file, digest, name, tuple(results), reason, trees)


def _asked_for(notebook: Notebook) -> list[Exercise]:
    """All exercises of the notebook's own lesson, and what it answers of others.

    A notebook that names no lesson is of each lesson that it answers something of.
    """
    found = {*notebook.answers, *notebook.broken}
    own = {one.lesson for one in all_exercises() if one.lesson == notebook.lesson}
    own = own or {one.lesson for one in all_exercises() if one.id in found}
    return [one for one in all_exercises() if one.lesson in own or one.id in found]


def _unreadable(submission: Submission, digest: str, reason: str, ids: Sequence[str]) -> SubmissionResult:
    asked = [find_exercise(id) for id in ids]
    results = tuple(
        ExerciseResult(one.id, one.version, "unreadable", 0.0, 0.0, one.points, reason) for one in asked
    )
    return SubmissionResult(submission.learner, submission.file, digest, "none", results, reason)


def _one_by_one(
    submissions: Iterable[Submission], secret: bytes, ids: Sequence[str] | None, trust: bool
) -> Iterator[SubmissionResult]:
    with Sandbox(trust) as sandbox:
        for submission in submissions:
            yield grade_one(submission, secret, ids, sandbox)


def _through_executor(
    submissions: Iterable[Submission],
    secret: bytes,
    ids: Sequence[str] | None,
    trust: bool,
    jobs: int,
    scheduler: str | None,
) -> Iterator[SubmissionResult]:
    """As they are ready, a bounded number on their way: a class of large files need not fit into memory."""
    if scheduler is None:
        Sandbox(trust)  # say that there is none here, not in each process
    with _executor(jobs, scheduler) as (executor, width):
        waiting = iter(submissions)
        running: set[Future[dict[str, Any]]] = set()
        while True:
            for one in islice(waiting, max(0, width * AHEAD - len(running))):
                running.add(executor.submit(_in_worker, one, secret, ids, trust))
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from map(_result_of, done)


def _result_of(done: Future[dict[str, Any]]) -> SubmissionResult:
    try:
        return SubmissionResult.from_record(done.result())
    except BrokenExecutor as problem:
        raise CannotRun(
            "a process of the grader's was ended from outside, perhaps for want of memory. What was graded "
            "is kept, and the same command goes on; try it with fewer --jobs."
        ) from problem


@contextmanager
def _executor(jobs: int, scheduler: str | None) -> Iterator[tuple[Executor, int]]:
    if scheduler is None:
        # Not forked: torch's threads and the judge's sockets would be copied half.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=context) as executor:
            yield executor, jobs
        return
    try:
        from distributed import Client
    except ImportError:
        raise CannotRun(
            "expected Dask for --scheduler; it is not installed. Try `pip install distributed`."
        ) from None
    with Client(scheduler) as client, client.get_executor(pure=False) as executor:
        yield executor, max(1, sum(client.nthreads().values()))


_sandboxes: dict[bool, Sandbox] = {}
_one_at_a_time = threading.Lock()


def _in_worker(
    submission: Submission, secret: bytes, ids: Sequence[str] | None, trust: bool
) -> dict[str, Any]:
    """In another process: grade with the sandbox that this process keeps, and hand back plain data."""
    with _one_at_a_time:  # a Dask worker may have threads
        if trust not in _sandboxes:
            _sandboxes[trust] = Sandbox(trust)
        return grade_one(submission, secret, ids, _sandboxes[trust]).to_record()
