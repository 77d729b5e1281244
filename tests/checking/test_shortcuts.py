# ruff: noqa: E501 - the learner's cells are written on one line each
"""Forbidden operations are found in many disguises; honest answers are not suspected."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from checking_demo import RIGHT, STAMPS, checked, written

from coursekit.checking import check
from coursekit.checking.shortcuts import ShortcutWatch, resolved

HEAD = "def stamps(x, kernel, stride):\n"
CALL = "(x[None, None], kernel[None, None], stride=stride)[0, 0]"
DISGUISES = {
    "full name": f"{HEAD}    return torch.nn.functional.conv_transpose2d{CALL}\n",
    "alias": f"{HEAD}    return F.conv_transpose2d{CALL}\n",
    "the same under torch": f"{HEAD}    return torch.conv_transpose2d{CALL}\n",
    "imported as": f"from torch.nn.functional import conv_transpose2d as ct\n{HEAD}    return ct{CALL}\n",
    "imported inside": f"{HEAD}    from torch.nn import functional as G\n    return G.conv_transpose2d{CALL}\n",
    "getattr": f"{HEAD}    return getattr(F, 'conv_transpose2d'){CALL}\n",
    "name put together": f"{HEAD}    return getattr(F, 'conv_' + 'transpose2d'){CALL}\n",
    "variable": f"{HEAD}    op = F.conv_transpose2d\n    return op{CALL}\n",
    "helper": f"def helper(x, kernel, stride):\n    return F.conv_transpose2d{CALL}\n\n{HEAD}    return helper(x, kernel, stride)\n",
    "lambda": f"op = lambda *a, **k: F.conv_transpose2d(*a, **k)\n{HEAD}    return op{CALL}\n",
    "eval": f"{HEAD}    return eval('torch.conv_' 'transpose2d'){CALL}\n",
    "operator": (
        f"{HEAD}    return torch.ops.aten.convolution(x[None, None], kernel[None, None], None, [stride] * 2, [0, 0],"
        " [1, 1], True, [0, 0], 1)[0, 0]\n"
    ),
    "module": (
        f"{HEAD}    net = torch.nn.ConvTranspose2d(1, 1, tuple(kernel.shape), stride=stride, bias=False)\n"
        "    net.weight.data = kernel[None, None]\n    return net(x[None, None])[0, 0]\n"
    ),
    "gradient of a convolution": (
        f"{HEAD}    h, w = [(s - 1) * stride + k for s, k in zip(x.shape, kernel.shape)]\n"
        "    return torch.nn.grad.conv2d_input((1, 1, h, w), kernel[None, None], x[None, None], stride=stride)[0, 0]\n"
    ),
    "fold": (
        f"{HEAD}    h, w = [(s - 1) * stride + k for s, k in zip(x.shape, kernel.shape)]\n"
        "    cols = (kernel.reshape(-1, 1) * x.reshape(1, -1))[None]\n"
        "    return F.fold(cols, (h, w), tuple(kernel.shape), stride=stride)[0, 0]\n"
    ),
    "in one branch only": RIGHT.replace("    h, w = x.shape", f"    if x.numel() > 3:\n        return getattr(F, 'conv_' + 'transpose2d'){CALL}\n    h, w = x.shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", [name for name in DISGUISES if name != "in one branch only"])
def test_a_disguise_is_seen_through(name):
    verdict = checked(DISGUISES[name])
    assert verdict.state == "forbidden"
    assert verdict.fraction == 0
    assert "torch.nn.functional." in verdict.message or "torch.nn.ConvTranspose2d" in verdict.message
    assert "step by step" in verdict.message


def test_the_line_is_told_where_the_text_gives_it_away():
    assert "on line 2" in checked(DISGUISES["alias"]).message


def test_the_text_is_read_before_anything_runs():
    calls = []
    source = f"{HEAD}    calls.append(1)\n    return F.conv_transpose2d{CALL}\n"
    assert check(STAMPS, written(source, calls=calls)).state == "forbidden"
    assert calls == []


@pytest.mark.parametrize(
    "source",
    [
        RIGHT,
        RIGHT.replace("    return out", "    conv_transpose2d = out\n    return conv_transpose2d"),
        RIGHT.replace(
            "    return out", "    return out + 0 * F.conv2d(out[None, None], out[:1, :1][None, None])[0, 0]"
        ),
        f'{HEAD}    "Like F.conv_transpose2d, but mine."\n' + RIGHT.split("\n", 2)[2],
    ],
)
def test_an_honest_answer_is_not_suspected(source):
    assert checked(source).state == "right"


def test_watching_does_not_change_what_runs():
    x = torch.randn(1, 1, 3, 3)
    with ShortcutWatch(("torch.nn.functional.conv_transpose2d",)) as watch:
        inside = torch.conv2d(x, x)
    assert torch.equal(inside, torch.conv2d(x, x))
    assert watch.found is None


@pytest.mark.slow
def test_watching_does_not_import_torchs_compiler():
    """Torch's default for such a mode imports torch._dynamo on first use, which takes seconds."""
    program = (
        "import sys, torch\nfrom coursekit.checking.shortcuts import ShortcutWatch\n"
        "with ShortcutWatch(('torch.nn.functional.fold',)): torch.ones(2) + 1\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_name_that_does_not_exist_is_refused():
    assert resolved("torch.nn.functional.fold") is torch.nn.functional.fold
    with pytest.raises(ValueError, match="exists"):
        resolved("torch.nn.no_such_thing")
