"""A function's text alone runs in another session, with what it needs from outside."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from coursekit.checking.portable import function_in, portable_source
from coursekit.upsampling import nearest

FACTOR = 3
SIZES = {"small": (2, 3)}
ELSEWHERE = torch.ones(2)


def decorated(function):
    raise AssertionError("a decorator would check and show again")


def doubled(x):
    return F.relu(x) * 2


def with_helper(x: torch.Tensor, factor=FACTOR):
    return nearest(doubled(x), SIZES["small"][0]) + math.sqrt(factor + 1)


def recursive(n):
    return 1 if n == 0 else n * recursive(n - 1)


def test_it_runs_where_nothing_else_is(tmp_path: Path) -> None:
    source = portable_source(doubled)
    script = tmp_path / "alone.py"
    script.write_text(source + "\nimport torch\nprint(doubled(torch.tensor([-1., 4.])).tolist())\n")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert run.stdout == "[0.0, 8.0]\n"


def test_helpers_imports_and_constants_come_along() -> None:
    again = function_in(
        portable_source(with_helper).replace("factor=FACTOR", "factor=3"), "with_helper", "<a>"
    )
    x = torch.tensor([[1.0, -2.0, 5.0]])
    assert torch.equal(again(x), with_helper(x))


def test_a_function_that_calls_itself() -> None:
    assert function_in(portable_source(recursive), "recursive", "<b>")(5) == 120


def test_decorators_stay_behind() -> None:
    text = "@decorated\ndef f(x):\n    return x + 1\n"
    namespace = {"decorated": lambda function: function}
    import linecache

    linecache.cache["<cell>"] = (len(text), None, text.splitlines(keepends=True), "<cell>")
    exec(compile(text, "<cell>", "exec"), namespace)
    assert portable_source(namespace["f"]) == "def f(x):\n    return x + 1\n"


def test_a_tensor_of_another_cell_stays_behind_and_the_function_does_not_run() -> None:
    def needs(x):
        return x + ELSEWHERE

    assert "ELSEWHERE =" not in portable_source(needs)
    again = function_in(portable_source(needs), "needs", "<c>")
    with pytest.raises(NameError):
        again(torch.ones(2))


def test_its_text_can_be_read_back() -> None:
    source = portable_source(recursive)
    assert portable_source(function_in(source, "recursive", "<d>")) == source


@pytest.mark.parametrize("builtin", [len, print, torch.relu])
def test_what_has_no_text_has_no_source(builtin) -> None:
    assert portable_source(builtin) is None


@pytest.mark.parametrize(
    "text", ["def f(:", "raise SystemError", "import no_such_module", "f = 3", "", "def g(): ..."]
)
def test_a_text_that_gives_no_function_gives_none(text: str) -> None:
    assert function_in(text, "f", "<e>") is None
