"""Lists of whole numbers as arguments: planned, drawn, handed out, shrunk and shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coursekit.checking import (
    Exercise,
    Misconception,
    Numbers,
    Property,
    case_from,
    check,
    draw_example,
    make_cases,
)


def weighed(values, weights):
    return sum(value * weight for value, weight in zip(values, weights, strict=True))


WEIGHED = Exercise(
    id="weighed",
    lesson="02",
    title="Weigh and add",
    function="weighed",
    points=1,
    starter="def weighed(values, weights):\n    ...\n",
    reference=weighed,
    parameters=(Numbers("values", "L", low=2, high=9), Numbers("weights", "L", low=1, high=3)),
    sizes={"L": (1, 4)},
    properties=(Property("sum", "The sum is right"),),
    misconceptions=(
        Misconception("unweighed", "The weights are left out.", lambda values, weights: sum(values)),
        Misconception(
            "last", "The last is left out.", lambda values, weights: weighed(values[:-1], weights[:-1])
        ),
    ),
    hints=("Multiply.", "Add."),
)


def test_cases_hold_lists_of_plain_numbers_within_bounds():
    for seed in range(5):
        for trial in make_cases(WEIGHED, seed):
            values, weights = trial.case["values"], trial.case["weights"]
            assert [type(item) for item in values + weights] == [int] * (2 * len(values))
            assert len(values) == len(weights) <= 4
            assert set(values) <= set(range(2, 10))
            assert set(weights) <= {1, 2, 3}


def test_a_case_does_not_change_with_what_was_read_from_it():
    case = case_from(WEIGHED, {"values": [4, 5], "weights": [1, 2]})
    case["values"].append(6)
    assert case["values"] == [4, 5]
    assert case == case_from(WEIGHED, {"values": [4, 5], "weights": [1, 2]})
    assert case.size == 4


def test_the_declaration_keeps_its_promises():
    WEIGHED.validate(range(5))


def test_a_function_that_changes_its_list_is_told():
    def empties(values, weights):
        total = 0
        while values:
            total += values.pop(0) * weights.pop(0)
        return total

    verdict = check(WEIGHED, empties)
    assert not verdict.passed
    assert "Expected `values` to stay as it was" in verdict.message


def test_objects_with_an_equality_of_their_own_are_not_asked():
    class Sly(int):
        def __eq__(self, other):
            raise AssertionError("asked")

        __hash__ = int.__hash__

    def swaps(values, weights):
        total = weighed(values, weights)
        values[0] = Sly(values[0])
        return total

    verdict = check(WEIGHED, swaps)
    assert verdict.state == "wrong"
    assert "asked" not in verdict.message


def test_a_failure_shrinks_to_short_lists_of_small_numbers():
    shown = check(WEIGHED, lambda values, weights: sum(values)).counterexample
    assert shown.case["values"] == [2]
    assert shown.case["weights"] == [2]


def test_lists_are_drawn_as_cells():
    case = {"values": [7, 8], "weights": [1, 3]}
    page = draw_example(replace(WEIGHED, example=case))._repr_html_()
    assert page.count("<svg") == 2
    assert ">7<" in page


@pytest.mark.parametrize(
    "given",
    [{"axes": "L M", "low": 1, "high": 2}, {"axes": "L", "high": 2}, {"axes": "L", "low": 3, "high": 2}],
)
def test_a_list_needs_one_axis_and_bounds(given):
    with pytest.raises(ValueError, match=r"Expected .*, got .*Try Numbers"):
        Numbers("values", **given)
