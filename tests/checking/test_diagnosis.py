"""A mistake is named when, and only when, it is the one that was made."""

from __future__ import annotations

from dataclasses import replace

import pytest
from checking_demo import CONV, RIGHT, STAMPS, checked, written

from coursekit.checking import Misconception, check, judge, make_cases, observe

FREE = replace(STAMPS, forbidden=())
SEEDS = range(20)


@pytest.mark.parametrize("exercise", [FREE, CONV], ids=["stamps", "conv"])
def test_every_mutant_is_rejected_and_named_with_every_seed(exercise):
    for seed in SEEDS:
        for misconception in exercise.misconceptions:
            outcomes = [observe(misconception.mutant, trial.case) for trial in make_cases(exercise, seed)]
            verdict = judge(exercise, outcomes, seed)
            assert not verdict.passed
            assert verdict.diagnosis is misconception


@pytest.mark.parametrize("exercise", [FREE, CONV], ids=["stamps", "conv"])
def test_a_checked_mutant_is_named_in_the_message(exercise):
    for seed in (0, 1):
        for misconception in exercise.misconceptions:
            verdict = check(exercise, misconception.mutant, seed=seed)
            assert not verdict.passed
            assert verdict.diagnosis is misconception
            assert misconception.says in verdict.message
            assert misconception.advice in verdict.message


@pytest.mark.parametrize("exercise", [STAMPS, CONV], ids=["stamps", "conv"])
def test_the_reference_is_accepted_with_every_seed(exercise):
    for seed in SEEDS:
        verdict = check(exercise, exercise.reference, seed=seed)
        assert verdict.state == "right"
        assert verdict.diagnosis is None


OTHERS = {
    "off by one": RIGHT.replace("return out", "return out + 1"),
    "constant": "def stamps(x, kernel, stride):\n    return torch.zeros(3, 3)\n",
    "input": "def stamps(x, kernel, stride):\n    return x\n",
    "doubled": RIGHT.replace("return out", "return 2 * out"),
    "rounded": RIGHT.replace("x[i, j] * kernel", "(x[i, j] * kernel).clamp(max=9)"),
    "nothing": RIGHT.replace("return out", "return None"),
    "raises": "def stamps(x, kernel, stride):\n    return x[99]\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_mistake_gets_no_name(name):
    for seed in range(5):
        verdict = checked(OTHERS[name], seed=seed)
        assert not verdict.passed
        assert verdict.diagnosis is None


def test_a_mistake_made_only_in_one_branch_is_named_too():
    verdict = checked(RIGHT.replace("    return out", "    return out.T if stride == 1 and w > h else out"))
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.id == "swap"


def test_the_first_declared_of_two_equal_explanations_wins():
    twin = Misconception("twin", "The same again.", FREE.misconceptions[0].mutant)
    first = replace(FREE, misconceptions=(twin, *FREE.misconceptions))
    last = replace(FREE, misconceptions=(*FREE.misconceptions, twin))
    mutant = FREE.misconceptions[0].mutant
    assert check(first, mutant).diagnosis.id == "twin"
    assert check(last, mutant).diagnosis.id == "overwrite"


def test_one_shared_wrong_value_is_not_enough_for_a_name():
    source = RIGHT.replace(
        "    return out",
        "    return out.T if tuple(x.shape) == (1, 2) and kh == 2 and stride == 2 and kw == 1 else out",
    )
    for seed in range(5):
        verdict = checked(source, seed=seed)
        failing = [item for item in verdict.properties if not item.passed]
        assert not failing or verdict.diagnosis is None or len(failing) > 1


def test_a_judge_in_another_place_reaches_the_same_verdict_from_outcomes_alone():
    for misconception in FREE.misconceptions:
        outcomes = [observe(misconception.mutant, trial.case) for trial in make_cases(FREE, 11)]
        away, here = judge(FREE, outcomes, 11), check(FREE, misconception.mutant, seed=11)
        assert (away.state, away.fraction, away.diagnosis) == (here.state, here.fraction, here.diagnosis)


def test_a_case_is_planned_for_a_misconception_that_the_shapes_alone_would_miss():
    def only_at_three(x, kernel, stride):
        out = FREE.reference(x, kernel, stride)
        return out + 1 if tuple(x.shape) == (3, 2) and tuple(kernel.shape) == (3, 3) and stride == 2 else out

    rare = Misconception("rare", "Wrong for one shape only.", only_at_three)
    exercise = replace(FREE, misconceptions=(*FREE.misconceptions, rare))
    assert not check(exercise, only_at_three).passed
    assert check(exercise, only_at_three).diagnosis is rare


def test_validate_reports_every_broken_promise():
    STAMPS.validate()
    harmless = Misconception("harmless", "Does nothing wrong.", FREE.reference)
    broken = replace(
        STAMPS, misconceptions=(harmless,), hints=("",), example={"x": 1}, forbidden=("torch.no_such",)
    )
    with pytest.raises(ValueError, match="harmless") as caught:
        broken.validate(seeds=(0,))
    for part in ("torch.no_such", "hint", "case with"):
        assert part in str(caught.value)
    assert written
