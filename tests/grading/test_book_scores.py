"""Policies read scores from the history; whatever they are, the history stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.grading.gradebook import Attempt, Override
from coursekit.grading.results import JUDGE_FAILED
from coursekit.grading.scores import DAY_S, Policy, of_few, standings
from coursekit.grading.submission import Submission
from tests.grading.classroom import ASKED, EXERCISES, graded, handed_in

ANSWERS = {id: ["right", "starter", *(m.id for m in EXERCISES[id].misconceptions[:2])] for id in ASKED}


def attempt(
    number: int,
    learner: str = "ada",
    file: str = "a.ipynb",
    at: float | None = 0.0,
    late: bool = False,
    **answers: str,
) -> Attempt:
    content = handed_in(**answers)
    result = graded(Submission(learner, file, content, handed_in=at))
    return Attempt(number, result, at, late, 0, "0", "2026-11-23T00:00:00+00:00")


answer_sets = st.fixed_dictionaries(
    {}, optional={id: st.sampled_from(found) for id, found in ANSWERS.items()}
)


@st.composite
def histories(draw: st.DrawFn) -> list[Attempt]:
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["ada", "bob"]),
                st.sampled_from(["a.ipynb", "a-1.ipynb", "b.ipynb"]),
                st.none() | st.floats(0, 9 * DAY_S),
                st.booleans(),
                answer_sets,
            ),
            min_size=1,
            max_size=6,
        )
    )
    return [
        attempt(number, learner, file, at, late, **{id.replace("-", "_"): a for id, a in answers.items()})
        for number, (learner, file, at, late, answers) in enumerate(drawn, 1)
    ]


policies = st.builds(
    Policy,
    due=st.none() | st.floats(0, 5 * DAY_S),
    per_day=st.floats(0, 1),
    cutoff=st.none() | st.floats(0, 5),
    best_of=st.booleans(),
)


def points(
    history: Sequence[Attempt], policy: Policy, overrides: Sequence[Override] = ()
) -> dict[str, dict[str, float]]:
    found = standings(history, overrides, policy, list(EXERCISES))
    return {one.learner: {id: score.points for id, score in one.scores.items()} for one in found}


@given(histories(), policies)
def test_scores_are_sane_under_any_policy(history: list[Attempt], policy: Policy) -> None:
    for one in standings(history, (), policy, list(EXERCISES)):
        assert list(one.scores) == list(ASKED)
        assert 0 <= one.points <= one.worth
        assert 0 <= one.fraction <= 1
        for score in one.scores.values():
            assert 0 <= score.points <= score.result.points
            assert score.days_late >= 0


@given(histories(), policies)
def test_the_best_is_never_worse_than_the_latest(history: list[Attempt], policy: Policy) -> None:
    best, latest = (points(history, replace(policy, best_of=kind)) for kind in (True, False))
    assert all(best[who][id] >= latest[who][id] for who in best for id in best[who])


@given(histories(), policies, policies)
def test_a_milder_policy_never_costs_points(history: list[Attempt], one: Policy, other: Policy) -> None:
    mild = replace(
        one,
        per_day=min(one.per_day, other.per_day),
        cutoff=None if None in (one.cutoff, other.cutoff) else max(one.cutoff or 0, other.cutoff or 0),
    )
    milder, harder = points(history, mild), points(history, one)
    assert all(milder[who][id] >= harder[who][id] for who in harder for id in harder[who])


@given(histories(), st.booleans())
def test_without_a_policy_nothing_is_taken_off(history: list[Attempt], best_of: bool) -> None:
    for one in standings(history, (), Policy(best_of=best_of)):
        assert all(score.points == score.result.points for score in one.scores.values())


@given(histories(), policies, st.sampled_from(ASKED), st.floats(0, 5))
def test_what_a_person_gave_wins_over_everything(
    history: list[Attempt], policy: Policy, id: str, given_points: float
) -> None:
    learner = history[0].result.learner
    by_hand = Override(learner, id, given_points, "note", "now")
    found = points(history, policy, [Override(learner, id, 0.0, "first", "before"), by_hand])
    assert found[learner][id] == given_points
    others = points(history, policy)
    assert {**found[learner], id: 0} == {**others[learner], id: 0}


@given(histories(), policies)
def test_an_answer_is_never_lost_to_a_file_without_it(history: list[Attempt], policy: Policy) -> None:
    for one in standings(history, (), policy):
        answered = {e.id for a in one.attempts for e in a.result.exercises if e.state != "missing"}
        assert {id for id, score in one.scores.items() if score.result.state != "missing"} == answered


def test_the_latest_counts_by_time_then_by_the_number_behind_the_name() -> None:
    first = attempt(1, at=50.0, class_share="right")
    later = attempt(2, file="b.ipynb", at=60.0, class_share="count")
    assert points([first, later], Policy())["ada"]["class-share"] == pytest.approx(1 / 3)
    assert points([later, first], Policy())["ada"]["class-share"] == pytest.approx(1 / 3)
    assert points([first, later], Policy(best_of=True))["ada"]["class-share"] == 1
    again = attempt(3, file="a-1.ipynb", at=None, class_share="right")
    once = attempt(4, file="a.ipynb", at=None, class_share="count")
    assert points([again, once], Policy())["ada"]["class-share"] == 1


def test_lessons_handed_in_apart_add_up() -> None:
    history = [attempt(1, class_share="right", at=1.0), attempt(2, file="b.ipynb", stamp="right", at=2.0)]
    assert points(history, Policy())["ada"] == {"class-share": 1, "max-pool": 0, "stamp": 2}


@pytest.mark.parametrize(
    ("at", "late", "days"), [(0.0, False, 0), (100.0, False, 0), (100.5, False, 1), (100 + DAY_S, False, 1),
                             (101 + DAY_S, False, 2), (None, True, 1), (None, False, 0), (0.0, True, 1),
                             (101 + DAY_S, True, 2)],
)  # fmt: skip
def test_days_late(at: float | None, late: bool, days: int) -> None:
    assert Policy(due=100.0).days_late(attempt(1, at=at, late=late)) == days


def test_days_cost_their_share_until_nothing_is_left() -> None:
    policy = Policy(due=0.0, per_day=0.25, cutoff=3)
    assert [policy.kept(days) for days in range(5)] == [1, 0.75, 0.5, 0.25, 0]
    assert Policy(due=0.0, per_day=0.3).kept(9) == 0


def test_everyone_is_measured_by_the_same_exercises() -> None:
    bob = attempt(1, "bob", stamp="right")
    unreadable = graded(Submission("eve", "e.ipynb", None, "It is a link."), ())
    eve = Attempt(2, unreadable, None, False, 0, "0", "2026-11-23T00:00:00+00:00")
    found = {one.learner: one for one in standings([bob, eve])}
    assert found["eve"].worth == found["bob"].worth
    assert {score.result.state for score in found["eve"].scores.values()} == {"unreadable"}
    assert {score.result.reason for score in found["eve"].scores.values()} == {"It is a link."}
    assert len(found["eve"].unreadable) == 1


def asked(learner: str, **answers: str) -> Attempt:
    """One file that is asked for these exercises and no others; "untouched" ones were left alone."""
    given = {id.replace("_", "-"): answer for id, answer in answers.items()}
    content = handed_in(**{id: answer for id, answer in given.items() if answer != "untouched"})
    return Attempt(
        1, graded(Submission(learner, f"{learner}.ipynb", content), tuple(given)), 0.0, False, 0, "0", ""
    )


CLASS = [asked(name, max_pool="right") for name in ("ada", "bob", "eve")]


@pytest.mark.parametrize(
    "odd",
    [
        asked("zoe", stamp="right"),  # another lesson's file
        asked("zoe", max_pool="untouched", stamp="right"),  # or one function of another lesson
        asked("zoe", max_pool="right", stamp="starter"),  # or no more than its starter
        asked("bob", stamp="right"),  # in a second file
    ],
)
def test_one_learner_does_not_change_what_others_are_measured_by(odd: Attempt) -> None:
    found = {one.learner: one for one in standings([*CLASS, odd])}
    assert {name: found[name].fraction for name in ("ada", "bob", "eve")} == dict.fromkeys(
        ("ada", "bob", "eve"), 1
    )
    assert list(found["ada"].scores) == ["max-pool"]
    assert of_few([*CLASS, odd]) == {"stamp": (odd,)}
    named = {one.learner: one for one in standings([*CLASS, odd], only=["max-pool", "stamp"])}
    assert named["ada"].worth == EXERCISES["max-pool"].points + EXERCISES["stamp"].points


def test_a_lesson_that_some_did_not_hand_in_still_counts_for_them() -> None:
    second = [asked(name, stamp="right") for name in ("ada", "bob")]
    found = {one.learner: one for one in standings([*CLASS, *second])}
    assert (found["ada"].fraction, found["eve"].fraction) == (1, 0.5)
    assert not of_few([*CLASS, *second])


def test_a_few_of_many_do_not_change_what_others_are_measured_by() -> None:
    many = [asked(f"l{number}", max_pool="right") for number in range(9)]
    few = [asked(name, stamp="right") for name in ("ada", "bob")]
    assert list(of_few([*many, *few])) == ["stamp"]
    assert list(of_few([*many[:5], *few])) == []


def test_files_that_nobody_touched_measure_nobody_but_each_other() -> None:
    folders = [asked(name, stamp="untouched") for name in ("ada", "bob", "eve")]
    assert of_few([*CLASS, *folders]) == {"stamp": ()}
    (alone,) = standings(folders[:1])
    assert (alone.worth, alone.fraction) == (EXERCISES["stamp"].points, 0)


def test_lessons_that_as_many_handed_in_all_count() -> None:
    two = [asked("ada", max_pool="right"), asked("bob", stamp="right")]
    assert [one.fraction for one in standings(two)] == [0.5, 0.5]


def test_a_judge_that_failed_takes_no_grade_back() -> None:
    fine = attempt(1, stamp="right")
    failed = replace(
        fine.result.exercises[2],
        state="error",
        fraction=0.0,
        points=0.0,
        reports=(f"{JUDGE_FAILED}OSError: full",),
    )
    after = replace(fine, id=2, result=replace(fine.result, exercises=(failed,)))
    assert (
        points([fine, after], Policy())["ada"]["stamp"]
        == points([after, fine], Policy())["ada"]["stamp"]
        == 2
    )
    assert points([after], Policy())["ada"]["stamp"] == 0


def test_a_file_that_was_mended_is_no_longer_unreadable() -> None:
    broken = graded(Submission("ada", "a.ipynb", b"{"))
    history = [Attempt(1, broken, 1.0, False, 0, "0", ""), attempt(2, at=2.0, stamp="right")]
    (one,) = standings(history)
    assert not one.unreadable
    assert one.scores["stamp"].points == 2
    assert one.scores["max-pool"].result.state == "missing"


def test_only_some_exercises() -> None:
    (one,) = standings([attempt(1, class_share="right", stamp="right")], only=["stamp"])
    assert list(one.scores) == ["stamp"]
    assert one.worth == 2


def test_the_digest_of_the_class_is_that_of_the_bytes() -> None:
    content = handed_in(stamp="right")
    assert graded(Submission("a", "a", content)).digest == hashlib.sha256(content).hexdigest()
