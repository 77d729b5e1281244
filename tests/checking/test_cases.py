# ruff: noqa: E501 - the learner's cells are written on one line each
"""Cases: planned by shape, drawn by seed, smallest first, asymmetric, immutable."""

from __future__ import annotations

import math

import pytest
import torch
from checking_demo import CONV, STAMPS, convolution

from coursekit.checking import (
    Case,
    Exercise,
    ExerciseError,
    Misconception,
    Number,
    Pair,
    Property,
    Tensor,
    case_from,
    check,
    make_cases,
)
from coursekit.checking.cases import setting_of


def by_property(exercise, seed=0):
    groups: dict[str, list[Case]] = {}
    for trial in make_cases(exercise, seed):
        groups.setdefault(trial.property.id, []).append(trial.case)
    return groups


@pytest.mark.parametrize("exercise", [STAMPS, CONV], ids=["stamps", "conv"])
def test_shapes_do_not_depend_on_the_seed_but_values_do(exercise):
    one, two = make_cases(exercise, 1), make_cases(exercise, 2)
    assert [setting_of(exercise, t.case) for t in one] == [setting_of(exercise, t.case) for t in two]
    assert [t.case for t in one] != [t.case for t in two]
    assert [t.case for t in one] == [t.case for t in make_cases(exercise, 1)]


@pytest.mark.parametrize("exercise", [STAMPS, CONV], ids=["stamps", "conv"])
def test_each_property_goes_from_small_to_large_within_its_ranges(exercise):
    for item in exercise.properties:
        cases = by_property(exercise)[item.id]
        sizes = [case.size for case in cases]
        assert sizes == sorted(sizes)
        assert 4 <= len(cases) <= item.count + 4
        for case in cases:
            for name, value in setting_of(exercise, case).items():
                low, high = exercise.ranges(item)[name]
                assert low <= value <= high


def test_values_are_distinct_whole_numbers_never_symmetric():
    for seed in range(5):
        for trial in make_cases(STAMPS, seed):
            for grid in (trial.case["x"], trial.case["kernel"]):
                assert torch.equal(grid, grid.round())
                assert grid.abs().min() >= 1
                assert len(grid.unique()) == grid.numel()
                if grid.numel() > 1:
                    assert not torch.equal(grid, grid.flip(0, 1))
                    assert grid.shape != grid.T.shape or not torch.equal(grid, grid.T)


def test_later_cases_bring_negative_values_and_tall_and_wide_shapes():
    for cases in by_property(STAMPS).values():
        assert not (cases[0]["x"] < 0).any()
    last = by_property(STAMPS)["overlap"]
    assert any((case["x"] < 0).any() for case in last)
    assert any((case["x"] < 0).all() for case in last)
    shapes = [tuple(case["x"].shape) for case in last]
    assert any(h < w for h, w in shapes)
    assert any(h > w for h, w in shapes)
    kernels = [tuple(case["kernel"].shape) for case in last]
    assert any(h != w for h, w in kernels)


def test_a_symbol_shared_by_two_parameters_is_one_size():
    exercise = _exercise((Tensor("a", "N C"), Tensor("b", "C*2 N")), lambda a, b: a, "a, b")
    for trial in make_cases(exercise):
        (n, c), (double, m) = trial.case["a"].shape, trial.case["b"].shape
        assert n == m
        assert double == 2 * c


def test_bounded_values_keep_their_bounds_and_type():
    exercise = _exercise(
        (Tensor("labels", "H W", dtype="int64", low=0, high=2),), lambda labels: labels, "labels"
    )
    for trial in make_cases(exercise):
        labels = trial.case["labels"]
        assert labels.dtype == torch.int64
        assert labels.min() >= 0
        assert labels.max() <= 2


def test_pairs_and_numbers_arrive_as_plain_python():
    exercise = _exercise(
        (Pair("wanted", 2, 5), Number("n", 0, 3)), lambda wanted, n: n, "wanted, n", fixed={"n": 2}
    )
    for trial in make_cases(exercise):
        assert type(trial.case["wanted"]) is tuple
        assert all(2 <= value <= 5 for value in trial.case["wanted"])
        assert trial.case["n"] == 2


def _exercise(parameters, reference, names, **more):
    return Exercise(
        id=f"demo-{names}", lesson="x", title="Demo", function="demo", points=1, starter=f"def demo({names}):\n    ...\n",
        reference=reference, parameters=parameters, properties=(Property("all", "all is right", **more),),
    )  # fmt: skip


def test_a_case_cannot_be_changed_through_what_it_hands_out():
    source = torch.ones(2, 2)
    case = Case({"x": source, "stride": 2})
    source.zero_()
    case["x"].zero_()
    case.arguments()[0].zero_()
    assert torch.equal(case["x"], torch.ones(2, 2))
    with pytest.raises(TypeError):
        case["x"] = torch.zeros(1)
    assert dict(case).keys() == {"x", "stride"}


def test_explicit_cases_come_first_and_may_be_nested_lists():
    item = Property(
        "given", "by hand", cases=[{"x": [[1, 2]], "kernel": [[3]], "stride": 1}], fixed={"stride": 1}
    )
    exercise = convolution(properties=(item,))
    first = make_cases(exercise)[0].case
    assert first == case_from(exercise, {"x": torch.tensor([[1.0, 2.0]]), "kernel": [[3.0]], "stride": 1})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"properties": ()}, "at least one property"),
        ({"properties": (Property("a", "x"), Property("a", "y"))}, "more than once"),
        ({"properties": (Property("a", "x", weight=0),)}, "weight above 0"),
        ({"properties": (Property("a", "x", sizes={"Z": (1, 2)}),)}, "Z"),
        ({"properties": (Property("a", "x", sizes={"H": (3, 2)}),)}, "empty range"),
        ({"points": 0}, "points above 0"),
        ({"starter": "x = 1"}, "def conv"),
        ({"reference": lambda x: x}, "reference"),
        ({"hints": "one"}, "tuple"),
        ({"parameters": (Tensor("x", "H W"), Tensor("kernel", "kh kw"), Tensor("stride", "a b-"))}, "axis"),
        (
            {
                "parameters": (
                    Tensor("x", "H W"),
                    Tensor("kernel", "kh kw", high="K-1"),
                    Tensor("stride", "H"),
                )
            },
            "got ['K']",
        ),
    ],
)
def test_a_contradictory_declaration_is_refused_with_expected_got_try(changes, told):
    with pytest.raises(ValueError, match=r"[Ee]xpected") as caught:
        convolution(**changes)
    assert told in str(caught.value)
    assert "Try" in str(caught.value)


def test_a_property_without_any_valid_case_is_refused():
    exercise = convolution(
        properties=(Property("none", "never", valid=lambda case: False),), misconceptions=()
    )
    with pytest.raises(ExerciseError, match="cases, got none"):
        make_cases(exercise)


def test_cell_and_solution_are_ready_to_paste():
    assert STAMPS.cell == '@exercise("stamps")\ndef stamps(x, kernel, stride):\n    ...\n'
    assert STAMPS.solution.startswith("def stamps(x, kernel, stride):\n")
    assert math.isclose(STAMPS.points, 4)
    assert STAMPS.example_case().size > 2


def test_a_symbol_that_stands_only_inside_arithmetic_is_read_back() -> None:
    halved = Exercise(
        id="halved",
        lesson="00",
        title="Every other cell",
        function="halve",
        points=1,
        starter="def halve(x):\n    ...\n",
        reference=lambda x: x[::2, ::2],
        parameters=(Tensor("x", "2*h 2*w"),),
        properties=(Property("all", "every other row and column"),),
    )
    verdict = check(halved, lambda x: x[::2, ::2] + 1)
    assert verdict.state == "wrong"
    assert verdict.counterexample.case["x"].shape == (2, 2)


def test_a_bound_may_depend_on_sizes_and_numbers() -> None:
    """A mask's labels stay below the number of classes: when cases are planned, drawn and shrunk."""

    def count(mask: torch.Tensor, classes: int) -> torch.Tensor:
        assert int(mask.max()) < classes
        return torch.bincount(mask.flatten(), minlength=classes)

    counting = Exercise(
        id="counting",
        lesson="00",
        title="How often is each class there?",
        function="count",
        points=1,
        starter="def count(mask, classes):\n    ...\n",
        reference=count,
        parameters=(Tensor("mask", "H W", dtype="int64", low=0, high="classes-1"), Number("classes", 2, 5)),
        valid=lambda case: int(case["mask"].max()) < case["classes"],
        properties=(Property("all", "every cell counts"),),
        misconceptions=(
            Misconception("first-row", "only the first row", lambda mask, classes: count(mask[:1], classes)),
        ),
    )
    for seed in range(5):
        cases = [trial.case for trial in make_cases(counting, seed)]
        assert all(
            0 <= int(case["mask"].min()) <= int(case["mask"].max()) < case["classes"] for case in cases
        )
        assert {int(case["mask"].max()) for case in cases} >= {1, 2, 3}
    verdict = check(counting, lambda mask, classes: count(mask[:1], classes))
    assert verdict.diagnosis is not None
    assert verdict.counterexample.case["mask"].shape == (2, 1)
    assert verdict.counterexample.case["classes"] == 2
