"""The explorer from Python: its output, what it accepts, and what it refuses from a browser."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from traitlets import TraitError

from coursekit.upsampling import probe, transposed_conv
from coursekit.widgets import GridExplorer

TORCH = [[1, 3, 2, 2], [4, 10, 6, 6], [3, 7, 4, 4], [3, 7, 4, 4]]
TENSORFLOW = [[1, 1, 3, 2], [1, 1, 3, 2], [4, 4, 10, 6], [3, 3, 7, 4]]
EDITABLE = ("method", "x", "kernel", "switches", "settings", "window", "step", "cell")


@pytest.fixture
def explorer() -> GridExplorer:
    return GridExplorer(padding=1, output_padding=1)


def values(explorer: GridExplorer) -> dict:
    return json.loads(json.dumps({name: getattr(explorer, name) for name in EDITABLE}))


def test_the_crops_of_torch_and_of_tensorflow(explorer: GridExplorer) -> None:
    assert explorer.output == TORCH
    explorer.window = (0, 0)
    assert explorer.output == TENSORFLOW


def test_the_whole_canvas_without_padding() -> None:
    assert GridExplorer().output == [
        [1, 1, 3, 2, 2], [1, 1, 3, 2, 2], [4, 4, 10, 6, 6], [3, 3, 7, 4, 4], [3, 3, 7, 4, 4],
    ]  # fmt: skip


def test_no_torch_is_imported_for_stored_methods() -> None:
    code = "import sys, coursekit.widgets as w; w.GridExplorer().output; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_an_impossible_setting_is_kept_with_its_reason(explorer: GridExplorer) -> None:
    explorer.settings = {"stride": 2, "padding": 1, "output_padding": 2}
    assert "output_padding must be smaller than the stride (2)" in explorer.problem
    with pytest.raises(ValueError, match="smaller than the stride"):
        _ = explorer.output
    assert "smaller than the stride" in explorer.as_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"method": "magic"}, "a method out of"),
        ({"method": ["nearest"]}, "a method out of"),
        ({"stride": 0}, "stride from 1 to 3"),
        ({"stride": True}, "stride from 1 to 3"),
        ({"output_padding": 2}, "smaller than the stride"),
        ({"padding": 4}, "nothing is left"),
        ({"x": [[1, 2], [3]]}, "rows of numbers"),
        ({"x": []}, "rows of numbers"),
        ({"x": [[float("nan")]]}, "finite numbers"),
        ({"x": torch.ones(5, 5)}, "1 to 4 a side"),
        ({"x": "1 2"}, "got '1 2'"),
        ({"kernel": torch.ones(6, 6)}, "1 to 5 a side"),
        ({"panels": ("cinema",)}, "panels out of"),
        ({"methods": ("nearest", "magic")}, "a method out of"),
    ],
)
def test_a_bad_argument_is_told_in_a_sentence(arguments: dict, told: str) -> None:
    with pytest.raises(ValueError, match=r"Expected .*; got .*") as caught:
        GridExplorer(**arguments)
    assert told in str(caught.value)


FORGED = [
    {"x": "text"}, {"x": None}, {"x": 5}, {"x": {}}, {"x": [[1, 2]]}, {"x": [[1, 2], [3, float("nan")]]},
    {"x": [[1, 2], [3, float("inf")]]}, {"x": [[1, 2], [3, 10**400]]}, {"x": [[1, 2], [3, True]]},
    {"x": [[1, 2], [3, "4"]]}, {"x": [[0] * 100_000] * 2}, {"x": [[1, 2], [3, [4]]]}, {"x": [1, 2]},
    {"kernel": [[1] * 6] * 6}, {"kernel": [[]]}, {"kernel": []}, {"kernel": [[1, 2], [3]]},
    {"kernel": [[1e9]]},
    {"settings": {}}, {"settings": {"stride": 2}}, {"settings": [2, 0, 0]}, {"settings": None},
    {"settings": {"stride": 9, "padding": 0, "output_padding": 0}},
    {"settings": {"stride": 2.5, "padding": 0, "output_padding": 0}},
    {"settings": {"stride": "2", "padding": 0, "output_padding": 0}},
    {"settings": {"stride": 2, "padding": 0, "output_padding": 0, "more": 1}},
    {"method": "__class__"}, {"method": None}, {"method": {}}, {"method": "pixel_shuffle"},
    {"switches": [[0, 1], [2, 4]]}, {"switches": [[0, 1], [2, -1]]}, {"switches": [[0, 1], [2, 0.5]]},
    {"switches": 1},
    {"window": [9, 9]}, {"window": [-1, 0]}, {"window": [0]}, {"window": "00"}, {"window": [0, float("nan")]},
    {"step": -1}, {"step": 5}, {"step": "all"}, {"step": 0.5}, {"step": [1]},
    {"cell": ["output", 0]}, {"cell": ["secret", 0, 0]}, {"cell": ["output", -1, 0]},
    {"cell": ["output", 0, 99]},
    {"cell": [["output"], 0, 0]}, {"cell": 7},
    {"x": [[5, 5], [5, 5]], "step": -3}, {"settings": {"stride": 9}, "window": [0, 0], "x": "?"},
]  # fmt: skip


@pytest.mark.parametrize("sent", FORGED, ids=lambda sent: str(sent)[:40])
def test_a_forged_value_changes_nothing(explorer: GridExplorer, sent: dict) -> None:
    before = values(explorer)
    explorer.set_state(sent)
    assert values(explorer) == before
    assert explorer.output == TORCH


def test_only_what_may_be_edited_can_be_sent(explorer: GridExplorer) -> None:
    kept = {
        name: getattr(explorer, name)
        for name in ("atlas", "learned", "base", "methods", "panels", "title", "_esm")
    }
    explorer.set_state(dict.fromkeys(kept, "forged"))
    assert {name: getattr(explorer, name) for name in kept} == kept


def test_what_a_browser_sends_together_is_taken_together(explorer: GridExplorer) -> None:
    explorer.set_state({"window": [0, 0], "step": 2, "cell": ["output", 1, 1]})
    assert explorer.output == TENSORFLOW
    x = [[1, 2, 5, 6], [3, 4, 7, 8], [9, 10, 13, 14], [11, 12, 15, 16]]
    explorer.set_state({"method": "pixel_shuffle", "x": x, "window": None, "step": None})
    assert explorer.output[0] == [1, 5, 2, 6]


def test_python_may_change_method_and_factor(explorer: GridExplorer) -> None:
    explorer.method = "pixel_shuffle"
    explorer.settings = {"stride": 3, "padding": 0, "output_padding": 0}
    assert len(explorer.output) == 6
    explorer.method = "nearest"
    assert explorer.x == [[1, 2], [3, 4]]
    with pytest.raises(TraitError, match=r"Expected .*; got .*"):
        explorer.kernel = [[1, 2], [3]]


def test_max_unpooling_follows_its_switches() -> None:
    explorer = GridExplorer("max_unpool", x=[[5, 7]])
    explorer.switches = [[3, 0]]
    assert explorer.output == [[0, 0, 7, 0], [0, 5, 0, 0]]


def learner(x, kernel, stride):
    out = torch.zeros(
        (x.shape[0] - 1) * stride + kernel.shape[0], (x.shape[1] - 1) * stride + kernel.shape[1]
    )
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            top, left = r * stride, c * stride
            out[top : top + kernel.shape[0], left : left + kernel.shape[1]] += x[r, c] * kernel
    return out


def test_a_learners_function_with_its_arguments_filled_in() -> None:
    explorer = GridExplorer.of(learner)
    assert explorer.output == GridExplorer().output
    explorer.x, explorer.kernel = [[0, 1], [0, 0]], [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert explorer.output[0] == [0, 0, 1, 2, 3]
    assert "learner" in repr(explorer)


def test_a_trace_keeps_its_values() -> None:
    trace = probe(transposed_conv, torch.tensor([[2.0]]), torch.tensor([[1.0, 3.0]]), stride=2)
    assert GridExplorer.of(trace, name="mine").output == [[2, 6]]


def test_an_affine_function_can_be_edited_and_a_local_one_cannot() -> None:
    affine = GridExplorer.of(lambda x: 2 * x + 1, torch.tensor([[1.0, 2.0]]))
    affine.set_state({"x": [[10, 20]]})
    assert affine.output == [[21, 41]]
    local = GridExplorer.of(lambda x: x**2, torch.tensor([[3.0, 2.0]]))
    assert "Neither linear nor affine" in local.learned["note"]
    assert local.output == [[9, 4]]
    local.set_state({"x": [[1, 1]]})
    assert local.x == [[3, 2]]
    local.set_state({"cell": ["output", 0, 1]})
    assert local.cell == ["output", 0, 1]


@pytest.mark.parametrize("argument", [5, "nearest", None])
def test_what_cannot_be_called_is_refused(argument: object) -> None:
    with pytest.raises(TypeError, match="Expected a function or a Trace; got"):
        GridExplorer.of(argument)


def test_only_one_plane_can_be_explored() -> None:
    with pytest.raises(ValueError, match=r"one plane .*; got shape \(1, 2, 2\)"):
        GridExplorer.of(lambda x: x, torch.ones(1, 2, 2))


def test_readable_without_scripts(explorer: GridExplorer) -> None:
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert list(data)[-1] != "text/plain" or "application/vnd.jupyter.widget-view+json" in data
    assert data["text/plain"].split("output\n")[1].splitlines()[1].split() == ["4", "10", "6", "6"]
    assert data["text/html"].startswith("<pre>transposed_conv, stride=2, padding=1")
