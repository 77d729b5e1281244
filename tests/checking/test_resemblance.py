"""The check says what was built, by the course's names, and how a wrong answer differs."""

from __future__ import annotations

import time

import pytest
import torch
from torch.nn import functional

from coursekit.checking import check
from coursekit.exercises import find_exercise

EXERCISE = find_exercise("transposed-conv")
RIGHT = EXERCISE.reference


def said(function):
    return " ".join(check(EXERCISE, function).notes)


def test_a_right_answer_is_named():
    kernel = "[[1, 2, 1], [0, 1, 0], [1, 0, 2]]"
    assert f"What you built is `transposed_conv(kernel={kernel}, stride=2)`." in said(RIGHT)


def test_another_method_is_named_with_all_its_names():
    def transposed_conv(x, kernel, stride):
        return functional.interpolate(x[None, None], scale_factor=stride)[0, 0]

    both = "`nearest(factor=2)`, and also `transposed_conv(kernel=[[1, 1], [1, 1]], stride=2)`"
    assert both in said(transposed_conv)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x, kernel, stride: RIGHT(x, kernel.flip(0), stride), "The kernel is upside down."),
        (lambda x, kernel, stride: RIGHT(x, kernel, stride).roll(1, 1), "one cell too far to the right"),
        (lambda x, kernel, stride: RIGHT(x, kernel, stride) * 3, "3 times what it should be"),
    ],
)
def test_a_wrong_answer_is_told_what_differs(function, sentence):
    assert sentence in said(function)


def test_a_named_mistake_is_not_explained_twice():
    verdict = check(EXERCISE, lambda x, kernel, stride: RIGHT(x, kernel.flip(0, 1), stride))
    assert verdict.diagnosis.id == "flipped-kernel"
    assert "flipped" not in " ".join(verdict.notes)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, kernel, stride: RIGHT(x, kernel, stride) ** 2,  # no linear map
        lambda x, kernel, stride: None,
        lambda x, kernel, stride: x.nonexistent,
        lambda x, kernel, stride: RIGHT(x, kernel, stride) if x.shape != (5, 5) else 1 / 0,
        lambda x, kernel, stride: torch.zeros(0, 0),
    ],
)
def test_nothing_is_said_of_what_has_no_name(function):
    assert "What you built" not in said(function)


def test_a_slow_function_costs_no_more_than_half_a_second(capsys):
    def transposed_conv(x, kernel, stride):
        print("slow")
        if x.shape == (5, 5):
            time.sleep(60)
        return RIGHT(x, kernel, stride)

    verdict = check(EXERCISE, transposed_conv)
    assert verdict.state == "right"
    assert verdict.seconds < 30
    assert capsys.readouterr().out == ""
