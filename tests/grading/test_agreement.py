# ruff: noqa: E501 - a learner's cells are written on one line each
"""The class's verdict is the notebook's: for the reference, the starter and every known mistake."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import textwrap

import pytest
from hand_in import grade

from coursekit.checking import check
from coursekit.exercises import all_exercises

EXERCISES = {one.id: one for one in all_exercises()}


def mutants(exercise):
    """The text of each misconception's function, read from the exercise's module."""
    tree = ast.parse(inspect.getsource(sys.modules[exercise.reference.__module__]))
    declared = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and any(k.arg == "id" and k.value.value == exercise.id for k in node.keywords)
    ]
    calls = [
        n for n in ast.walk(declared[0]) if isinstance(n, ast.Call) and ast.unparse(n.func) == "Misconception"
    ]
    return {call.args[0].value: ast.unparse(call.args[2]) for call in calls}


def both(sandbox, exercise, text):
    """The verdicts on a function, written as an expression that may use the exercise's module."""
    module = sys.modules[exercise.reference.__module__]
    names = ", ".join(parameter.name for parameter in exercise.parameters)
    cell = f'@exercise("{exercise.id}")\ndef answer_here({names}):\n    return ({text})({names})\n'
    got = grade(sandbox, inspect.getsource(module), cell, ids=[exercise.id])[exercise.id]
    label = f"<{exercise.id} {text[:40]}>"
    linecache.cache[label] = (len(cell), None, cell.splitlines(keepends=True), label)
    scope = {"exercise": lambda id: lambda function: function}
    exec(compile(cell, label, "exec"), vars(module), scope)
    return check(exercise, scope["answer_here"], named=False), got


def assert_same(verdict, got):
    named = (got.verdict["diagnosis"] or {}).get("id")
    diagnosis = verdict.diagnosis.id if verdict.diagnosis else None
    assert (got.state, got.fraction, named) == (verdict.state, round(verdict.fraction, 6), diagnosis), got


@pytest.mark.parametrize("id", EXERCISES)
def test_the_reference_and_the_starter(sandbox, id):
    exercise = EXERCISES[id]
    got = grade(sandbox, f'@exercise("{id}")\n{exercise.solution}', ids=[id])[id]
    assert (got.state, got.fraction, got.points) == ("right", 1.0, exercise.points), got
    untouched = grade(sandbox, exercise.cell, ids=[id])[id]
    assert (untouched.state, untouched.points) == ("not_attempted", 0)


@pytest.mark.parametrize("id", ["transposed-conv", "mean-iou"])
def test_some_known_mistakes(sandbox, id):
    for text in list(mutants(EXERCISES[id]).values())[:3]:
        assert_same(*both(sandbox, EXERCISES[id], text))


@pytest.mark.slow
@pytest.mark.parametrize("id", EXERCISES)
def test_every_known_mistake(sandbox, id):
    texts = mutants(EXERCISES[id])
    assert len(texts) == len(EXERCISES[id].misconceptions)
    for text in texts.values():
        assert_same(*both(sandbox, EXERCISES[id], text))


HONEST = {
    "no return": "out = x",
    "wrong head": None,
    "raises": "raise ValueError('no')",
    "not implemented": "raise NotImplementedError",
    "an ellipsis left": "...\nout = 1",
    "changes its input": "x *= 2\nreturn x.repeat_interleave(factor, 0).repeat_interleave(factor, 1) / 2",
    "a list": "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1).tolist()",
    "an array": "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1).numpy()",
    "float64": "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1).double()",
    "integers": "return x.repeat_interleave(factor, 0).repeat_interleave(factor, 1).int()",
    "a gradient": "x = x.clone().requires_grad_()\nreturn x.repeat_interleave(factor, 0).repeat_interleave(factor, 1)",
    "forbidden": "return torch.nn.functional.interpolate(x[None, None], scale_factor=factor)[0, 0]",
    "forbidden by an alias": "up = torch.nn.functional.interpolate\nreturn up(x[None, None], scale_factor=factor)[0, 0]",
    "a generator": "yield x",
    "only rows": "return x.repeat_interleave(factor, 0)",
    "chance": "return torch.rand(len(x) * factor, x.shape[1] * factor)",
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_slips(sandbox, name):
    exercise = EXERCISES["nearest"]
    body = HONEST[name]
    head = "def nearest(x):" if body is None else "def nearest(x, factor):"
    text = f"{head}\n{textwrap.indent(body or 'return x', '    ')}\n"
    got = grade(sandbox, f'@exercise("nearest")\n{text}', ids=["nearest"])["nearest"]
    scope = {"torch": sys.modules["torch"]}
    linecache.cache[f"<{name}>"] = (len(text), None, text.splitlines(keepends=True), f"<{name}>")
    exec(compile(text, f"<{name}>", "exec"), scope)
    verdict = check(exercise, scope["nearest"], named=False)
    assert (got.state, got.fraction) == (verdict.state, round(verdict.fraction, 6)), got
    if verdict.state != "timeout":
        assert got.reason == verdict.message or got.verdict["diagnosis"] or name == "chance"
