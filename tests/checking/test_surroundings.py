# ruff: noqa: E501 - the learner's cells are written on one line each
"""The session stays as it was; what the class grader would not see is named; prints are kept."""

from __future__ import annotations

import io
import math
import random
import sys

import numpy as np
import pytest
import torch
from checking_demo import RIGHT, STAMPS, checked, written

from coursekit.checking import check


def with_use_of(expression, prefix=""):
    return prefix + RIGHT.replace("    h, w = x.shape", f"    _ = {expression}\n    h, w = x.shape")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (torch.ones(2), "Tensor"),
        (np.ones(2), "ndarray"),
        (torch.nn.Linear(1, 1), "Linear"),
        (lambda: 1, "lambda"),
        ([torch.ones(1)], "list"),
        ({"a": object()}, "dict"),
        (torch.device("cpu"), "device"),
    ],
)
def test_what_another_cell_made_is_named(value, kind):
    verdict = check(STAMPS, written(with_use_of("K"), K=value))
    assert verdict.state == "right"
    (note,) = verdict.notes
    assert note.startswith(f"`K` is a {kind} made in another cell")
    assert "class grader" in note


@pytest.mark.parametrize(
    "value", [1, 2.5, "text", None, True, (1, 2), [1, [2]], {"a": 1}, math, math.pi, max, torch.nn.Linear]
)
def test_imports_definitions_and_constants_are_fine(value):
    assert check(STAMPS, written(with_use_of("K"), K=value)).notes == ()


def test_a_global_used_by_a_helper_or_a_nested_function_is_named_too():
    helper = "def helper():\n    return K\n"
    assert "`K`" in check(STAMPS, written(helper + with_use_of("helper()"), K=torch.ones(1))).notes[0]
    nested = with_use_of("[K for _ in range(2)]")
    assert "`K`" in check(STAMPS, written(nested, K=torch.ones(1))).notes[0]


def test_a_captured_variable_is_named():
    source = (
        "def make(K):\n"
        + "\n".join("    " + line for line in with_use_of("K").split("\n"))
        + "\n    return stamps\n"
    )
    function = written(source, "make")(torch.ones(1))
    assert "`K`" in check(STAMPS, function).notes[0]


def test_an_attribute_of_the_same_name_is_no_global():
    assert check(STAMPS, written(with_use_of("x.T"), T=torch.ones(1))).notes == ()


def test_random_states_and_settings_are_as_before():
    source = RIGHT.replace(
        "    return out",
        "    torch.rand(3); random.random(); np.random.rand(); torch.manual_seed(5)\n"
        "    torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); sys.setrecursionlimit(5000)\n"
        "    return out",
    )
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    depth = sys.getrecursionlimit()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    verdict = check(STAMPS, written(source, random=random, np=np, sys=sys))
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    assert verdict.state == "right"
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert sys.getrecursionlimit() == depth


def test_chance_inside_the_answer_gives_the_same_verdict_twice():
    source = "def stamps(x, kernel, stride):\n    return torch.rand(2, 2)\n"
    one, two = checked(source), checked(source)
    assert torch.equal(one.counterexample.got, two.counterexample.got)


def test_prints_are_kept_and_do_not_reach_the_console(monkeypatch):
    console = io.StringIO()
    monkeypatch.setattr(sys, "stdout", console)
    verdict = checked(RIGHT.replace("    return out", "    print('size', h, w)\n    return out"))
    assert console.getvalue() == ""
    assert sys.stdout is console
    assert verdict.output.startswith("size 1 1\n")


def test_prints_of_a_failing_case_are_the_ones_shown():
    verdict = checked(
        RIGHT.replace("+=", "=").replace("    return out", "    print(f'{h}x{w}')\n    return out")
    )
    h, w = verdict.counterexample.case["x"].shape
    assert verdict.counterexample.output == f"{h}x{w}\n"


def test_a_flood_of_prints_is_capped_and_counted():
    verdict = checked(RIGHT.replace("    return out", "    print('#' * 100_000)\n    return out"))
    assert verdict.state == "right"
    assert len(verdict.output) < 11_000
    assert "more characters" in verdict.output


def test_grad_never_gets_in_the_way():
    source = RIGHT.replace(
        "    return out", "    assert not x.requires_grad\n    return torch.nn.Parameter(out) * 1"
    )
    assert checked(source).state == "right"


@pytest.mark.parametrize(
    ("cell", "noted"),
    [
        ("K = torch.tensor([1.0, 2.0])", False),
        ("K = lambda: 1", False),
        ("K = [1, 2]", False),
        ("K = len(train())", True),
        ("K = 1\nfor K in range(3): pass", False),
        ("K = 1\nfor K in train(): pass", True),
        ("K = torch.zeros(2)\nK[1] = 1.0\nK.fill_(2)", False),
        ("K = torch.zeros(2)\nK[1] = len(train())", True),
        ("K = []\nfor i in range(3):\n    K.append(i)", False),
        ("K = []\nfor i in train():\n    K.append(i)", True),
        ("K = [i * i for i in range(3)]", False),
        ("K = 3\n[K for K in train()]", False),
        ("def make(k):\n    return lambda: k\nK = make(torch.ones(1))", False),
        (
            "def make(k):\n    def made():\n        return k\n    return made\nK = [make(i) for i in train()]",
            True,
        ),
        ("def make(k):\n    def made():\n        return k\n    return made\nK = make(train())", True),
        ("scale = train()\ndef make(k):\n    return [k, scale]\nK = make(2)", True),
        ("K = torch.vmap(torch.sum)", False),
        ("from collections import namedtuple\nK = namedtuple('K', 'a b')", False),
        ("K = type('K', (), {})", True),
        ("K = torch.arange(4.0).reshape(2, 2)", False),
        ("K = torch.tensor(train()).reshape(-1)", True),
        ("%time K = 3", False),
    ],
)
def test_in_jupyter_the_note_is_what_the_class_grader_takes(cell, noted):
    scope = {"torch": torch, "train": list, "In": ["", cell]}
    exec(cell.removeprefix("%time "), scope)
    function = written(with_use_of("K"), **{name: scope[name] for name in ("K", "In", "torch")})
    assert bool(check(STAMPS, function).notes) == noted


@pytest.mark.parametrize(
    "cell",
    [
        "get_ipython().run_cell_magic('time', '', 'K = torch.ones(2)')",
        "get_ipython().run_line_magic('time', 'K = torch.ones(2)')",
    ],
)
def test_what_a_magic_runs_is_known_too(cell):
    function = written(with_use_of("K"), K=torch.ones(2), torch=torch, In=["", cell])
    assert check(STAMPS, function).notes == ()


def test_what_comes_from_a_room_that_the_class_grader_lacks_is_named():
    from coursekit import boxes, mine, plots
    from coursekit.exercises import find_exercise
    from coursekit.training import cross_entropy
    from coursekit.widgets import MaskLab

    there = {"mine": mine, "cross_entropy": cross_entropy, "iou": boxes.iou, "boxes": boxes}
    assert check(STAMPS, written(with_use_of(f"({', '.join(there)})"), **there)).notes == ()
    lacking = {"MaskLab": MaskLab, "find_exercise": find_exercise, "p": plots}
    notes = check(STAMPS, written(with_use_of("(MaskLab, find_exercise, p)"), **lacking)).notes
    assert len(notes) == 3
    assert "`p` comes from `coursekit.plots`" in notes[2]
