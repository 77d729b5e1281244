"""The browser's arithmetic, run in Node against numbers that torch made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from coursekit.upsampling import atlas as settings_of
from coursekit.widgets import GridExplorer
from coursekit.widgets.learned import probed, table_of
from coursekit.widgets.pictures import State, atlas
from tests.widgets.oracle import state, torch_output

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
TESTED = """pictureOf, evaluate, outputValues, outputShape, termsOf, canvasCell, outputCell, sameSizeCrops,
arithmeticOf, written, parsedNumber, cellAfter, kernelPreset, resizedKernel, fittedInput"""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if not found:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    return str(found)


def case(one: State) -> dict:
    known = {name: getattr(one, name) for name in ("method", "settings", "base", "x", "kernel", "switches")}
    answer = {"why": one.problem} if one.problem else {"want": torch_output(one).tolist()}
    return {**known, **answer, "window": None}


def every_setting() -> list[dict]:
    found = []
    for method, shape, stride in product(atlas()["methods"], [(2, 2), (3, 1)], settings_of.STRIDES):
        kernels = [(k, k) for k in settings_of.KERNELS] + [(2, 5)] if "conv" in method else [(1, 1)]
        crops = (
            product(settings_of.PADDINGS, settings_of.OUTPUT_PADDINGS)
            if method == "transposed_conv"
            else [(0, 0)]
        )
        for kernel, (padding, extra) in product(kernels, crops):
            found.append(
                case(state(method, shape, kernel, stride=stride, padding=padding, output_padding=extra))
            )
    return found


def every_kind_of_function() -> list[dict]:
    functions = [lambda x: 3 * x, lambda x: x.flip(0) + 2, lambda x: x**2, lambda x, kernel: x * kernel.sum()]
    found = []
    for function in functions:
        trace = probed(function, (), {})
        kernel = [[1.0]] if trace.kernel is None else trace.kernel.tolist()
        table = json.loads(json.dumps(table_of(trace, "f")))
        found.append({"table": table, "x": trace.x.tolist(), "kernel": kernel, "want": trace.output.tolist()})
    return found


def run_in_node(node: str, script: str, tmp_path: Path, exported: str, told: dict) -> None:
    """Run a script's tests on functions of the widget's own file."""
    widget, cases = tmp_path / "widget.mjs", tmp_path / "cases.json"
    widget.write_text(f"{GridExplorer._esm}\nexport {{ {exported} }};\n", encoding="utf-8")
    cases.write_text(json.dumps(told), encoding="utf-8")
    environment = {**os.environ, "CASES": str(cases), "WIDGET": widget.as_uri()}
    command = [node, "--test", str(Path(__file__).with_name(script))]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout


def test_the_arithmetic_in_node(node: str, tmp_path: Path) -> None:
    told = {"atlas": atlas(), "cases": every_setting(), "learned": every_kind_of_function()}
    run_in_node(node, "grid_arithmetic.test.mjs", tmp_path, TESTED, told)


def test_an_echo_of_an_older_key_does_not_undo_the_newer_ones(node: str, tmp_path: Path) -> None:
    run_in_node(node, "outbox.test.mjs", tmp_path, "Outbox", {})


def test_the_widget_asks_for_nothing_outside_itself() -> None:
    """One script and one sheet: no import, no address, only four methods of the model."""
    for text in (GridExplorer._esm, GridExplorer._css):
        assert "import " not in text.replace("is imported", "")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    used = {name.split("(")[0] for name in GridExplorer._esm.replace("?.", "(").split("model.")[1:]}
    assert {name.strip() for name in used if name.strip().isidentifier()} <= {
        "get",
        "set",
        "save_changes",
        "on",
        "off",
    }
