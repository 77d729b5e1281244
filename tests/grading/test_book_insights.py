"""What a class's scores say: mistakes counted rightly, board questions with right answers, likely copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coursekit.checking import Case, Exercise
from coursekit.checking.plain import plain
from coursekit.checking.values import compare_values
from coursekit.exercises import all_exercises
from coursekit.grading.batch import run_batch
from coursekit.grading.gradebook import Attempt, Gradebook
from coursekit.grading.insights import alike, broken_properties, histogram, mistakes
from coursekit.grading.lesson_plan import _of_mistake, _of_property, as_markdown, lesson_plan
from coursekit.grading.results import SubmissionResult
from coursekit.grading.scores import Standing, standings
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import EXERCISES, VERSIONS, grade, handed_in, result_on, write_class

NONE_SUCH = "def class_share(mask, label):\n    return mask.sum() * 0 + 0.123\n"


@pytest.fixture
def found(tmp_path: Path) -> list[Standing]:
    answers = {
        "ada": handed_in(class_share="count", max_pool="mean"),
        "bob": handed_in(class_share="count", max_pool="right"),
        "cyd": handed_in(class_share="others", max_pool="right"),
        "dan": handed_in(class_share=NONE_SUCH, max_pool="starter"),
        "eve": b"{",
    }
    write_class(tmp_path / "class", answers)
    book = Gradebook(tmp_path / "class.sqlite", VERSIONS)
    run_batch(find_submissions([tmp_path / "class"])[0], book, grade)
    return standings(book.attempts(), order=list(EXERCISES))


def test_mistakes_are_counted_among_those_who_tried(found: list[Standing]) -> None:
    told = [
        (one.exercise.id, one.misconception.id, one.learners, one.tried) for one in mistakes(found, EXERCISES)
    ]
    assert told == [
        ("class-share", "count", ("ada", "bob"), 4),
        ("max-pool", "mean", ("ada",), 3),
        ("class-share", "others", ("cyd",), 4),
    ]


def test_properties_that_failed(found: list[Standing]) -> None:
    told = {(one.exercise.id, one.id): one for one in broken_properties(found, EXERCISES)}
    counts = told["class-share", "counts"]
    assert counts.learners == ("ada", "bob", "cyd", "dan")
    assert counts.unnamed == ("dan",)
    assert counts.share == 1


def test_a_property_that_was_not_tried_did_not_fail() -> None:
    hangs = "def max_pool(x, size):\n    raise NameError\n"
    room = [standing("ada", {"max-pool": hangs}, {}), standing("bob", {"max-pool": "right"}, {})]
    tried = {
        item["id"]: item["ran"] for item in (room[0].scores["max-pool"].result.verdict or {})["properties"]
    }
    assert {one.id for one in broken_properties(room, EXERCISES)} == {id for id, ran in tried.items() if ran}


def test_the_histogram_counts_everyone_once(found: list[Standing]) -> None:
    assert sum(histogram(found)) == len(found)
    assert histogram([])[0] == 0


def test_the_plan_puts_first_what_concerns_most(found: list[Standing]) -> None:
    steps = lesson_plan(found, EXERCISES, minutes=60)
    assert steps[0].learners == max(step.learners for step in steps)
    assert [step.learners for step in steps] == sorted((step.learners for step in steps), reverse=True)
    assert ("class-share", 2) in [(step.exercise.id, step.learners) for step in steps]
    assert "stamp" not in [step.exercise.id for step in steps]  # nobody tried it: it was hardly set
    text = as_markdown(steps, len(found))
    assert all(step.why in text for step in steps)


@pytest.mark.parametrize("minutes", [1, 5, 10, 20])
def test_the_plan_fits_the_time_but_for_its_first_question(found: list[Standing], minutes: int) -> None:
    steps = lesson_plan(found, EXERCISES, minutes)
    assert len(steps) == 1 or sum(step.minutes for step in steps) <= minutes


def test_a_class_without_mistakes_has_an_empty_plan(tmp_path: Path) -> None:
    assert lesson_plan([], EXERCISES) == []
    assert "Nobody" in as_markdown([], 0)


@pytest.mark.parametrize(
    "exercise",
    [
        pytest.param(one, id=one.id, marks=() if one.id in ("class-share", "max-pool") else pytest.mark.slow)
        for one in all_exercises()
    ],
)
def test_every_board_question_has_the_right_answer(exercise: Exercise) -> None:
    """For every mistake and property of the course: the answer is the reference's, the mistake's is not."""
    for mistake in exercise.misconceptions:
        step = _of_mistake(exercise, mistake, 1, 2)
        assert step is not None
        assert step.given
        assert any(panel.label.startswith("answer") or step.shown.label for panel in step.answers)
        if not step.shown.label:  # else the mistake is to change an argument
            assert holds(exercise, step.shown.case, step.shown.expected)
            assert not step.shown.returned or not holds(exercise, step.shown.case, step.shown.got)
    for item in exercise.properties:
        step = _of_property(exercise, item.id, item.says, 1, 2)
        assert step is not None
        assert holds(exercise, step.shown.case, step.shown.expected)


def holds(exercise: Exercise, case: Case, expected: Any) -> bool:
    """Whether this is what the reference gives."""
    return compare_values(expected, plain(exercise.reference(*case.arguments()))).holds


def standing(learner: str, answers: dict[str, str], trees: dict[str, str]) -> Standing:
    results = tuple(result_on(id, answer) for id, answer in answers.items())
    result = SubmissionResult(learner, f"{learner}.ipynb", learner, "none", results, "", trees)
    (one,) = standings([Attempt(1, result, 0.0, False, 0, "0", "")], order=list(EXERCISES))
    return one


def test_answers_of_the_same_form() -> None:
    long, short = "transposed-conv", "class-share"
    mistake = EXERCISES[long].misconceptions[0].id
    answers = {long: mistake, short: "count"}
    room = [
        standing("ada", answers, {long: "x", short: "s"}),
        standing("bob", answers, {long: "x", short: "s"}),
        *(standing(f"other-{n}", answers, {long: f"y{n}", short: "s"}) for n in range(4)),
        *(standing(f"usual-{n}", {**answers, long: "right"}, {long: "usual", short: "s"}) for n in range(4)),
        *(standing(f"idle-{n}", {**answers, long: "starter"}, {long: "starter"}) for n in range(2)),
    ]
    (group,) = alike(room, EXERCISES)
    assert (group.learners, group.exercises, group.wrong) == (("ada", "bob"), (long,), 1)
