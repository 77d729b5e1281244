"""A batch: every submission has its result, in order, however it is spread; the command for learners."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hand_in import HEAD, function, needs_sandbox, notebook, solved

from coursekit.checking import bench_of
from coursekit.checkout import CannotRun
from coursekit.cli import main
from coursekit.exercises import all_exercises, find_exercise
from coursekit.grading import bubblewrap, grader
from coursekit.grading.grader import grade_one, grade_submissions
from coursekit.grading.results import SubmissionResult
from coursekit.grading.sandbox import TRUSTED, Sandbox, SandboxDied
from coursekit.grading.seeding import earned_by, seed_for
from coursekit.grading.submission import Submission

IDS = ["class-share", "nearest"]
WRONG = function("nearest", "return x")


def batch():
    cells = {"ada": [solved("class-share"), solved("nearest")], "bob": [WRONG], "eve": ["1"]}
    made = [Submission(name, f"{name}.ipynb", notebook(HEAD, *some)) for name, some in cells.items()]
    return [
        *made,
        Submission("kim", "kim.ipynb", b"{"),
        Submission("lee", "lee.ipynb", None, "a symbolic link"),
    ]


def timeless(result):
    """A result without what differs from run to run."""
    verdicts = [{**one.verdict, "seconds": 0} if one.verdict else None for one in result.exercises]
    pairs = zip(result.exercises, verdicts, strict=True)
    return replace(
        result, exercises=tuple(replace(one, seconds=0, verdict=verdict) for one, verdict in pairs)
    )


def test_every_submission_has_a_result(sandbox):
    results = [grade_one(one, b"s", IDS, sandbox) for one in batch()]
    states = {one.learner: [each.state for each in one.exercises] for one in results}
    assert states == {
        "ada": ["right", "right"],
        "bob": ["missing", "wrong"],
        "eve": ["missing", "missing"],
        "kim": ["unreadable", "unreadable"],
        "lee": ["unreadable", "unreadable"],
    }
    assert [one.fraction for one in results] == [1, 0, 0, 0, 0]
    assert [one.sandbox.split()[0] for one in results] == ["bubblewrap", "bubblewrap", "none", "none", "none"]
    for one in results:
        record = json.loads(json.dumps(one.to_record()))
        assert SubmissionResult.from_record(record) == one


def test_a_picture_and_a_diagnosis_are_in_the_record(sandbox):
    (result,) = [grade_one(one, b"s", ["nearest"], sandbox) for one in batch()[1:2]]
    verdict = result.exercises[0].verdict
    assert "<svg" in verdict["picture"]
    assert verdict["counterexample"]["sentence"]


def by_name(results):
    return sorted(map(timeless, results), key=lambda one: one.learner)


@pytest.mark.slow
def test_two_jobs_give_the_same():
    needs_sandbox()
    seen = []
    several = list(grade_submissions(batch(), seed="s", jobs=2, exercises=IDS, on_result=seen.append))
    alone = list(grade_submissions(batch(), seed="s", exercises=IDS))
    assert seen == several
    assert by_name(several) == [timeless(one) for one in alone]


def test_what_is_ready_does_not_wait_for_what_is_slow(monkeypatch):
    others_are_there = threading.Event()

    @contextmanager
    def two_threads(*_):
        with ThreadPoolExecutor(2) as executor:
            yield executor, 2

    def in_worker(submission, *_):
        if submission.learner == "ada":
            others_are_there.wait(60)
        return SubmissionResult(submission.learner, submission.file, "", "none", ()).to_record()

    monkeypatch.setattr(grader, "_executor", two_threads)
    monkeypatch.setattr(grader, "_in_worker", in_worker)
    came = []
    for one in grade_submissions(batch(), seed="s", jobs=2, trust=True):
        came.append(one.learner)
        if len(came) == 4:
            others_are_there.set()
    assert came[-1] == "ada"
    assert sorted(came) == ["ada", "bob", "eve", "kim", "lee"]


class Failing:
    """A sandbox that cannot be used."""

    name = "failing"

    def __init__(self, problem):
        self.problem, self.stopped = problem, 0

    def open(self):
        raise self.problem

    def stop(self):
        self.stopped += 1


def test_a_sandbox_that_does_not_start_is_no_grade():
    with pytest.raises(CannotRun, match="no memory"):
        grade_one(batch()[0], b"s", IDS, Failing(CannotRun("no memory")))


@pytest.mark.parametrize("problem", [SandboxDied(), OSError("too many open files")])
def test_a_failure_of_the_judge_is_marked_as_one(problem):
    result = grade_one(batch()[0], b"s", IDS, Failing(problem))
    assert [one.judge_failed for one in result.exercises] == [True, True]
    assert SubmissionResult.from_record(json.loads(json.dumps(result.to_record()))).judge_failed
    assert not grade_one(batch()[2], b"s", IDS, Failing(problem)).judge_failed  # it has no answers


def test_what_rests_on_a_failure_of_the_judge_is_marked_too():
    using = function("bed-of-nails", 'return mine("nearest")(x, factor)')
    submission = Submission("ada", "ada.ipynb", notebook(HEAD, solved("nearest"), using))
    (result,) = grade_one(submission, b"s", ["bed-of-nails"], Failing(SandboxDied())).exercises
    assert result.judge_failed
    assert "no grade for nearest" in result.reports[-1]


def test_a_process_that_is_gone_is_a_sentence(monkeypatch):
    @contextmanager
    def broken(*_):
        with ThreadPoolExecutor(1) as executor:
            yield executor, 1

    def in_worker(*_):
        raise BrokenExecutor

    monkeypatch.setattr(grader, "_executor", broken)
    monkeypatch.setattr(grader, "_in_worker", in_worker)
    with pytest.raises(CannotRun, match="same command goes on"):
        list(grade_submissions(batch(), seed="s", jobs=2, trust=True))


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same():
    needs_sandbox()
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        spread = list(
            grade_submissions(batch(), seed="s", scheduler=cluster.scheduler_address, exercises=IDS)
        )
    alone = list(grade_submissions(batch(), seed="s", exercises=IDS))
    assert by_name(spread) == [timeless(one) for one in alone]


def test_without_a_sandbox_it_refuses(monkeypatch):
    monkeypatch.setattr(bubblewrap, "bubblewrap", lambda: None)
    with pytest.raises(CannotRun, match="--trust-submissions"):
        list(grade_submissions(batch(), seed="s", exercises=IDS))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the plain preloader forks")
def test_trusted_code_runs_plainly_and_the_results_say_so():
    with Sandbox(trust=True, plain=True) as plain:
        results = [grade_one(one, b"s", IDS, plain) for one in batch()[:2]]
    assert [each.state for each in results[0].exercises] == ["right", "right"]
    assert [each.state for each in results[1].exercises] == ["missing", "wrong"]
    assert results[0].sandbox == TRUSTED


@pytest.mark.parametrize("id", ["round-trip", "max-unpool"])
def test_no_seed_is_luckier_than_another(id):
    exercise, seed = find_exercise(id), seed_for(b"a batch", id)
    for one in exercise.misconceptions:
        assert earned_by(exercise, one, seed) == earned_by(exercise, one, 0)


def test_a_batch_has_inputs_of_its_own():
    exercise = find_exercise("transposed-conv")
    secret = [trial.case for trial in bench_of(exercise, seed_for(b"a batch", exercise.id)).trials]
    known = [trial.case for trial in bench_of(exercise, 0).trials]
    assert sum(one == other for one, other in zip(secret, known, strict=True)) < len(known) / 4


def test_most_credit_needs_inputs_that_nobody_knows():
    """Properties of hand-chosen cases alone could be learnt by heart."""
    for exercise in all_exercises():
        drawn = sum(one.weight for one in exercise.properties if one.count)
        assert drawn >= 0.4 * sum(one.weight for one in exercise.properties), exercise.id


def check(capsys, *paths):
    code = main(["check", *map(str, paths), "--json"])
    return code, json.loads(capsys.readouterr().out or "null")


def test_the_command_checks_a_notebook(tmp_path, capsys):
    path = tmp_path / "ada.ipynb"
    path.write_bytes(notebook(HEAD, solved("class-share")))
    code, found = check(capsys, path)
    assert code == 0
    (one,) = found["submissions"]
    assert (one["learner"], one["fraction"], one["reason"]) == ("ada", 1, "")
    share = one["exercises"]["class-share"]
    assert share.pop("reason")
    assert share == {"fraction": 1, "state": "right", "version": find_exercise("class-share").version}


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    code, found = check(capsys, broken)
    assert code == 1
    assert found["submissions"][0]["reason"]
    assert main(["check", str(tmp_path / "nothing.ipynb")]) == 2
    assert "there is no such file" in capsys.readouterr().err
