"""The tug from Python and in Node: the plane's picture against the gradients in all their dimensions."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional
from traitlets import TraitError

from coursekit.widgets import Tug
from coursekit.widgets.pulls import NEARLY_RIGHT, Pulls, told

TESTED = "pullsAt, fitted, kindOf, effectOf, balancedWeight, decadesFor, lengthWritten, percent, roundLength"
ONE = torch.tensor([3.0, 0.0, 0.0, 4.0])
NAN, INF = float("nan"), float("inf")


# ---- what it measures


def test_lengths_and_angle_are_those_of_the_whole_gradients() -> None:
    generator = torch.Generator().manual_seed(1)
    for size in (1, 2, 3, 1000):
        one, other = torch.randn(2, size, generator=generator, dtype=torch.float64)
        tug = Tug(one, other)
        cosine = float(functional.cosine_similarity(one, other, dim=0))
        assert tug.lengths == pytest.approx([float(one.norm()), float(other.norm())])
        assert tug.angle == pytest.approx(math.degrees(math.acos(max(-1.0, min(1.0, cosine)))), abs=1e-4)


def test_two_heads_on_one_feature_extractor() -> None:
    """As a lesson makes them: gradients of two losses by the same weights."""
    torch.manual_seed(0)
    body, classes, boxes = torch.nn.Linear(6, 5), torch.nn.Linear(5, 3), torch.nn.Linear(5, 4)
    features = body(torch.randn(8, 6)).relu()
    losses = functional.cross_entropy(classes(features), torch.arange(8) % 3), boxes(features).square().mean()
    gradients = [
        torch.cat(
            [one.flatten() for one in torch.autograd.grad(loss, [*body.parameters()], retain_graph=True)]
        )
        for loss in losses
    ]
    tug = Tug(*gradients, weight=2.5)
    whole = gradients[0] + 2.5 * gradients[1]
    along = [float(one @ whole / whole.norm() ** 2) for one in (gradients[0], 2.5 * gradients[1])]
    assert tug.shares == pytest.approx(along, abs=1e-5)
    assert sum(tug.shares) == pytest.approx(1)


def test_tiny_gradients_of_half_precision_and_large_ones_are_measured() -> None:
    assert Tug(torch.full((4,), 1e-30), torch.full((4,), 1e-30)).angle == pytest.approx(0, abs=1e-4)
    assert Tug(torch.full((4,), 1e30), torch.full((4,), -1e30)).angle == pytest.approx(180, abs=1e-4)
    assert Tug(torch.ones(3, dtype=torch.float16) * 6e4, torch.ones(3).int()).cosine == pytest.approx(1)


def test_zero_pulls_nowhere_and_that_is_said() -> None:
    zero = ONE * 0
    tug = Tug(ONE, zero)
    assert (tug.angle, tug.shares) == (None, (1.0, 0.0))
    assert "no angle: the box loss pulls nowhere" in tug.as_text()
    assert Tug(zero, ONE).shares == (0.0, 1.0)
    assert "no angle: neither pulls" in Tug(zero, zero).as_text()
    assert Tug(zero, zero).shares == (0.0, 0.0)


def test_words() -> None:
    for angle, words in (
        (10, "same way"),
        (79, "same way"),
        (81, "right angles"),
        (99, "right angles"),
        (101, "apart"),
    ):
        assert words in told(Pulls((1.0, 1.0), math.cos(math.radians(angle)))), angle


# ---- what it takes


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ((ONE, ONE[:3]), ValueError, "4 and 3 numbers"),
        ((ONE[None], ONE[None]), ValueError, "class_gradient as a tensor (N,)"),
        ((ONE, ONE[:0]), ValueError, "box_gradient as a tensor (N,)"),
        ((ONE, "gradient"), TypeError, "box_gradient as a tensor (N,)"),
        ((ONE, None), TypeError, "torch.autograd.grad(loss, features)"),
        ((ONE > 0, ONE), TypeError, "class_gradient"),
        ((ONE * NAN, ONE), ValueError, "4 of 4 that are NaN or infinite"),
        ((ONE, torch.tensor([1.0, INF, 1, 1])), ValueError, "1 of 4 that are NaN or infinite"),
        ((torch.full((4,), 1e200, dtype=torch.float64), ONE), ValueError, "gradients of finite length"),
        ((ONE, ONE, 0), ValueError, "weight as a number from 0.0001 to 10000; got 0"),
        ((ONE, ONE, -1.0), ValueError, "weight"),
        ((ONE, ONE, NAN), ValueError, "weight"),
        ((ONE, ONE, INF), ValueError, "weight"),
        ((ONE, ONE, "1"), TypeError, "weight"),
        ((ONE, ONE, True), TypeError, "weight"),
        ((ONE, ONE, 1, []), TypeError, "1 to 2000 of them; got 0 of them"),
        ((ONE, ONE, 1, "90"), TypeError, "a list of (step, degrees)"),
        ((ONE, ONE, 1, [90.0]), ValueError, "got 90.0"),
        ((ONE, ONE, 1, [(0, NAN)]), ValueError, "got (0, nan)"),
        ((ONE, ONE, 1, [(0.5, 90)]), ValueError, "got (0.5, 90)"),
        ((ONE, ONE, 1, [(-1, 90)]), ValueError, "got (-1, 90)"),
        ((ONE, ONE, 1, [(0, 181)]), ValueError, "got 181 degrees"),
        ((ONE, ONE, 1, [(5, 90), (5, 91)]), ValueError, "step 5 after step 5"),
        ((ONE, ONE, 1, [(step, 90) for step in range(2001)]), TypeError, "got 2001 of them"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_told_in_a_sentence(arguments: Any, kind: type, told: str) -> None:
    with pytest.raises(kind, match=r"Expected .*; got .*\. Try ") as caught:
        Tug(*arguments)
    assert told in str(caught.value)


def test_plain_lists_arrays_and_tensors_of_numbers_are_taken() -> None:
    tug = Tug([3, 4], np.array([4.0, -3.0]), torch.tensor(2.0), torch.tensor([[0, 90.0], [5, 45.0]]))
    assert (tug.angle, tug.weight) == (pytest.approx(90), 2.0)
    assert tug.looks == [[0, 90.0], [5, 45.0]]
    assert Tug(ONE, ONE, angles=[(np.int64(1), np.float32(30)), (2, None)]).looks == [[1, 30.0], [2, None]]


def test_the_widget_keeps_nothing_of_the_gradients() -> None:
    one = ONE.clone().requires_grad_()
    tug = Tug(one, torch.ones(4))
    state = tug.get_state()
    assert len(json.dumps({name: state[name] for name in ("lengths", "cosine", "looks", "limits")})) < 200


# ---- what comes back

FORGED: list[Any] = [
    {"weight": None}, {"weight": "2"}, {"weight": NAN}, {"weight": INF}, {"weight": -INF}, {"weight": 0},
    {"weight": -1}, {"weight": 1e-5}, {"weight": 10**400}, {"weight": True}, {"weight": [1]}, {"weight": {}},
    {"lengths": [1, 1]}, {"cosine": 0}, {"looks": [[0, 0]]}, {"limits": {}}, {"_esm": "alert(1)"},
    {"title": "forged"}, {"weight": 1e5, "title": "forged"}, "text", None, [1],
]  # fmt: skip


def test_a_forged_value_changes_nothing() -> None:
    tug = Tug(ONE, ONE.flip(0), 2.0, [(0, 90)], title="one")
    names = [name for name in tug.keys if name not in ("layout", "comm")]
    before = json.dumps([getattr(tug, name) for name in names], default=str)
    for sent in FORGED:
        tug.set_state(sent)
        assert json.dumps([getattr(tug, name) for name in names], default=str) == before, str(sent)[:60]


def test_a_weight_is_taken_and_a_refused_one_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    tug = Tug(ONE, ONE)
    tug.set_state({"weight": 5, "title": "forged"})
    assert (tug.weight, tug.title) == (5.0, "")
    said: list[Any] = []
    monkeypatch.setattr(tug, "send_state", lambda key=None: said.append(key))
    tug.set_state({"weight": NAN})
    assert (said, tug.weight) == ([["weight"]], 5.0)
    with pytest.raises(TraitError, match=r"Expected .*; got .*"):
        tug.weight = -1


# ---- without scripts


def test_readable_without_scripts() -> None:
    looks = [(step, 60.0 + step / 10) for step in range(0, 600, 10)]
    tug = Tug(ONE, ONE.flip(0), 2, looks, title="<b>Tug</b>")
    bundle = tug._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    lines = data["text/plain"].splitlines()
    assert lines[0] == "<b>Tug</b>"
    assert "class loss: length 5" in lines
    assert "they pull the same way" in data["text/plain"]
    assert lines[-12:][0].split() == ["0:", "60.0"]
    assert lines[-1].split() == ["590:", "119.0"]
    assert "<b>" not in data["text/html"]
    assert data["text/html"].count("<path") == 3


# ---- the arithmetic of the browser


def pull_case(one: Tensor, other: Tensor, weight: float) -> dict[str, Any]:
    pulls = Pulls.of(one, other)
    whole = one + weight * other
    size = float(whole.norm())
    along = [float(each @ whole) / size if size > 1e-9 else 0.0 for each in (one, weight * other)]
    want = {
        "sum": size, "along": along, "box": weight * float(other.norm()),
        "between": float((one - weight * other).norm()),
    }  # fmt: skip
    return {"lengths": list(pulls.lengths), "cosine": pulls.cosine, "weight": weight, "want": want}


def pull_cases() -> list[dict[str, Any]]:
    generator = torch.Generator().manual_seed(2)
    found = []
    for number in range(120):
        one, other = torch.randn(2, (2, 3, 500)[number % 3], generator=generator, dtype=torch.float64)
        mixed = other + (number % 7 - 3) * one  # from nearly opposite to nearly the same
        found.append(pull_case(one, mixed, 10.0 ** ((number % 9 - 4) / 2)))
    one = torch.tensor([3.0, 4.0], dtype=torch.float64)
    pairs = [(one, 0 * one), (0 * one, one), (one, 2 * one), (one, torch.tensor([-4.0, 3.0]).double())]
    return found + [pull_case(*pair, weight) for pair in pairs for weight in (0.5, 3.0)]


def test_the_arithmetic_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    widget, cases = tmp_path / "widget.mjs", tmp_path / "cases.json"
    widget.write_text(f"{Tug._esm}\nexport {{ {TESTED} }};\n", encoding="utf-8")
    angles = (
        (0, "same"),
        (79, "same"),
        (81, "right"),
        (90, "right"),
        (99, "right"),
        (101, "apart"),
        (180, "apart"),
    )
    kinds = [
        {"cosine": math.cos(math.radians(angle)), "right": NEARLY_RIGHT, "kind": kind}
        for angle, kind in angles
    ]
    kinds.append({"cosine": None, "right": NEARLY_RIGHT, "kind": "none"})
    cases.write_text(json.dumps({"pulls": pull_cases(), "kinds": kinds}), encoding="utf-8")
    script = Path(__file__).with_name("tug_arithmetic.test.mjs")
    environment = {**os.environ, "CASES": str(cases), "WIDGET": widget.as_uri()}
    run = subprocess.run(
        [str(node), "--test", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout


def test_the_pulls_hold_what_is_hard() -> None:
    angles = [Pulls((1.0, 1.0), one["cosine"]).angle for one in pull_cases()]
    known = [angle for angle in angles if angle is not None]
    assert min(known) < 15
    assert max(known) > 165
    assert angles.count(None) == 4


def test_the_widget_asks_for_nothing_outside_itself() -> None:
    for text in (Tug._esm, Tug._css):
        assert "import " not in text.replace("is imported", "")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
