"""A counterexample is as small as an exhaustive search and Hypothesis make it, readable, deterministic."""

from __future__ import annotations

import itertools

import pytest
import torch
from checking_demo import CONV, STAMPS, checked, overwrites, written
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from coursekit.checking import check
from coursekit.checking.cases import setting_of

MUTANTS = {item.id: item for item in STAMPS.misconceptions}


def cells(case):
    return case.size


def without_shortcuts(exercise):
    from dataclasses import replace

    return replace(exercise, forbidden=())


FREE = without_shortcuts(STAMPS)


@pytest.mark.parametrize("name", MUTANTS)
def test_no_smaller_shape_of_the_property_fails(name):
    """Try every smaller setting with many values: none may fail where the engine's does not."""
    verdict = check(FREE, MUTANTS[name].mutant)
    case = verdict.counterexample.case
    broken = next(item for item in verdict.properties if not item.passed)
    item = next(one for one in FREE.properties if one.id == broken.id)
    ranges = FREE.ranges(item)
    for values in itertools.product(*(range(low, high + 1) for low, high in ranges.values())):
        s = dict(zip(ranges, values, strict=True))
        if s["H"] * s["W"] + s["kh"] * s["kw"] >= cells(case):
            continue
        generator = torch.Generator().manual_seed(1)
        x = torch.randint(2, 9, (s["H"], s["W"]), generator=generator).float()
        kernel = torch.randint(-9, 9, (s["kh"], s["kw"]), generator=generator).float()
        right, came = FREE.reference(x, kernel, s["stride"]), MUTANTS[name].mutant(x, kernel, s["stride"])
        assert right.shape == came.shape
        assert torch.equal(right, came)


def test_hypothesis_finds_nothing_smaller():
    item = FREE.properties[2]
    ranges = FREE.ranges(item)

    @st.composite
    def arguments(draw):
        size = {name: draw(st.integers(low, high)) for name, (low, high) in ranges.items()}
        grid = st.integers(-9, 9)
        x = draw(st.lists(grid, min_size=size["H"] * size["W"], max_size=size["H"] * size["W"]))
        k = draw(st.lists(grid, min_size=size["kh"] * size["kw"], max_size=size["kh"] * size["kw"]))
        return (
            torch.tensor(x).float().reshape(size["H"], size["W"]),
            torch.tensor(k).float().reshape(size["kh"], size["kw"]),
            size["stride"],
        )

    smallest = find(
        arguments(),
        lambda a: not torch.equal(FREE.reference(*a), overwrites(*a)),
        settings=settings(
            max_examples=300,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    ours = check(FREE, overwrites).counterexample.case
    assert cells(ours) <= smallest[0].numel() + smallest[1].numel()


@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("seed", [0, 7])
def test_values_are_distinct_small_and_never_all_alike(name, seed):
    case = check(FREE, MUTANTS[name].mutant, seed=seed).counterexample.case
    for tensor in (case["x"], case["kernel"]):
        values = tensor.flatten().tolist()
        assert len(set(values)) == len(values)
        assert max(map(abs, values)) <= max(2, len(values))
        assert any(values)


def test_the_failure_is_one_of_the_property_that_broke():
    verdict = check(FREE, overwrites)
    setting = setting_of(FREE, verdict.counterexample.case)
    for name, (low, high) in FREE.ranges(FREE.properties[2]).items():
        assert low <= setting[name] <= high


def test_the_counterexample_replays():
    verdict = check(FREE, overwrites)
    shown = verdict.counterexample
    assert torch.equal(FREE.reference(*shown.case.arguments()), shown.expected)
    assert torch.equal(overwrites(*shown.case.arguments()), shown.got)
    assert torch.equal(shown.guilty, shown.expected != shown.got)


def test_values_that_matter_are_kept():
    """A mistake that only negative values show must be shown with one, and with no more than one."""
    verdict = checked(
        """
        def conv(x, kernel, stride):
            return F.conv2d(x.clamp(min=0)[None, None], kernel[None, None], stride=stride)[0, 0]
        """,
        CONV,
    )
    x = verdict.counterexample.case["x"]
    assert int((x < 0).sum()) == 1
    assert x.numel() == 1


@pytest.mark.parametrize("name", MUTANTS)
def test_two_checks_agree(name):
    one, two = (check(FREE, MUTANTS[name].mutant, seed=3) for _ in range(2))
    assert one.counterexample.case == two.counterexample.case
    assert {**one.to_dict(), "seconds": 0} == {**two.to_dict(), "seconds": 0}


def test_a_slow_function_ends_the_search_early():
    calls = []

    def slow(x, kernel, stride):
        calls.append(1)
        if len(calls) > 40:
            import time

            time.sleep(0.4)
        return overwrites(x, kernel, stride)

    verdict = check(FREE, slow)
    assert verdict.diagnosis.id == "overwrite"
    assert len(calls) < 60


def test_prints_of_the_search_are_not_kept():
    verdict = checked("def conv(x, kernel, stride):\n    print(tuple(x.shape))\n    return x\n", CONV)
    assert verdict.output.count("\n") <= len(CONV.properties) * 12 + 1
    assert written
