"""The matrix and the checkerboard meter: the numbers of probe and fingerprint, in Python and in Node."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from coursekit.upsampling import (
    atlas,
    bed_of_nails,
    bilinear,
    fingerprint,
    nearest,
    pixel_shuffle,
    probe,
    resize_conv,
    transposed_conv,
)
from coursekit.widgets import GridExplorer, seats
from coursekit.widgets.learned import table_of
from coursekit.widgets.pictures import State
from tests.widgets.oracle import state

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
FIXED = {"nearest": nearest, "bilinear": bilinear, "bed_of_nails": bed_of_nails}


def trace_of(one: State) -> Any:
    """The torch function behind a state, probed at its values."""
    x, kernel = torch.tensor(one.x, dtype=torch.float64), torch.tensor(one.kernel, dtype=torch.float64)
    stride = one.settings["stride"]
    if one.method == "transposed_conv":
        return probe(transposed_conv, x, kernel, **one.settings)
    if one.method == "resize_conv":
        return probe(resize_conv, x, kernel, factor=stride)
    if one.method == "pixel_shuffle":
        channels = torch.ones(stride**2, *one.base, dtype=torch.float64)
        return probe(pixel_shuffle, channels, factor=stride)
    return probe(FIXED[one.method], x, factor=stride)


def every_setting() -> Iterator[State]:
    for stride, shape in product(atlas.STRIDES, [(2, 2), (3, 1)]):
        for method in (*FIXED, "pixel_shuffle"):
            yield state(method, shape, stride=stride)
        for kernel in [*((k, k) for k in atlas.KERNELS), (2, 5)]:
            yield state("resize_conv", shape, kernel, stride=stride)
    for stride, kernel in product(atlas.STRIDES, [*((k, k) for k in atlas.KERNELS), (3, 4)]):
        for padding, extra in product(atlas.PADDINGS, atlas.OUTPUT_PADDINGS):
            settings = {"stride": stride, "padding": padding, "output_padding": extra}
            one = state("transposed_conv", (2, 3), kernel, **settings)
            if not one.problem:
                yield one


@pytest.fixture(scope="module")
def measured() -> list[tuple[State, Any]]:
    return [(one, fingerprint(trace_of(one))) for one in every_setting()]


def agrees(gains: list, found: Any, stride: int) -> None:
    """The same gains; where no stamp is left that shows its stride, the one number alone."""
    assert seats.unevenness(gains) == pytest.approx(found.checkerboard, abs=1e-6)
    if found.stride == (stride, stride):
        torch.testing.assert_close(torch.tensor(gains, dtype=torch.float64), found.phase_gains)


def test_the_meter_is_the_fingerprints_at_every_setting(measured: list) -> None:
    assert len(measured) > 150
    for one, found in measured:
        agrees(seats.of_state(one), found, one.settings["stride"])


def test_the_lectures_kernels() -> None:
    def checkerboard(kernel: list, **settings: int) -> float:
        return seats.unevenness(seats.of_state(state_of(kernel, **settings)))

    def state_of(kernel: list, **settings: int) -> State:
        whole = {"stride": 2, "padding": 0, "output_padding": 0, **settings}
        return State("transposed_conv", whole, (2, 2), [[1, 2], [3, 4]], kernel, [[0]])

    assert checkerboard([[1] * 3] * 3) == pytest.approx(4 / 3)  # gains 4, 2, 2, 1: (4 - 1) / 2.25
    assert checkerboard([[1] * 4] * 4) == 0
    assert checkerboard([[a * b for a in (0.5, 1, 0.5)] for b in (0.5, 1, 0.5)]) == 0
    assert checkerboard([[0] * 3] * 3) == 0


def test_a_window_of_ones_own_moves_the_seats_with_it() -> None:
    explorer = GridExplorer(kernel=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], padding=1, output_padding=1)
    before = seats.of_state(explorer._state())
    explorer.window = (0, 0)
    after = seats.of_state(explorer._state())
    assert after == [row[::-1] for row in before[::-1]]


def test_switches_share_the_flat_grey_out() -> None:
    one = State("max_unpool", {"stride": 2, "padding": 0, "output_padding": 0}, (2, 2), [[1] * 2] * 2, [[1]],
                [[0, 0], [3, 1]])  # fmt: skip
    assert seats.of_state(one) == [[0.5, 0.25], [0, 0.25]]


def loops(x, kernel, stride):
    out = torch.zeros(
        (x.shape[0] - 1) * stride + kernel.shape[0], (x.shape[1] - 1) * stride + kernel.shape[1]
    )
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            top, left = r * stride, c * stride
            out[top : top + kernel.shape[0], left : left + kernel.shape[1]] += x[r, c] * kernel
    return out


LEARNED = [
    (loops, {"stride": 2}), (loops, {"stride": 3}), (transposed_conv, {"stride": 2, "padding": 1}),
    (lambda x, kernel: resize_conv(x, kernel, 2), {}), (lambda x, kernel: -2 * nearest(x) * kernel.sum(), {}),
]  # fmt: skip


@pytest.mark.parametrize(("function", "settings"), LEARNED)
def test_a_learners_function_has_the_same_meter_at_other_kernel_values(function: Any, settings: dict) -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    explorer = GridExplorer.of(function, x, torch.ones(3, 3), panels=("matrix", "meter"), **settings)
    for kernel in (torch.ones(3, 3), torch.arange(-2.0, 7.0).reshape(3, 3), torch.rand(3, 3)):
        trace = probe(function, x, kernel, **settings)
        found = fingerprint(trace)
        gains = seats.of_table(explorer.learned, kernel.tolist())
        assert gains is not None
        assert seats.unevenness(gains) == pytest.approx(found.checkerboard, abs=1e-5)
        ours, theirs = torch.tensor(gains).float(), found.phase_gains.float()
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


def test_functions_without_a_kernel_affine_and_local_ones() -> None:
    of = {"panels": ("matrix", "meter")}
    assert "checkerboard 0" in GridExplorer.of(lambda x: nearest(x) + 1, torch.ones(2, 2), **of).as_text()
    nails = GridExplorer.of(bed_of_nails, torch.ones(2, 2), **of)
    assert seats.of_table(nails.learned, [[1]]) == [[1, 0], [0, 0]]
    assert "checkerboard 4" in nails.as_text()
    assert "checkerboard" not in GridExplorer.of(lambda x: x**2, torch.ones(2, 2), **of).as_text()


def test_the_matrix_is_the_traces(measured: list) -> None:
    one = GridExplorer(
        kernel=[[1, -2, 3], [0, 5, 6], [7, 8, 9]], padding=1, output_padding=1, panels=("matrix",)
    )
    assert one._matrix() == trace_of(one._state()).matrix.tolist()
    affine = GridExplorer.of(lambda x: 2 * x + 1, torch.ones(1, 2), panels=("matrix",))
    assert affine._matrix() == [[2, 0], [0, 2]]


def test_closed_panels_cost_nothing_and_only_known_ones_open() -> None:
    assert GridExplorer.of(loops, stride=2).learned["seats"] is None
    with pytest.raises(ValueError, match="panels out of"):
        GridExplorer.of(loops, stride=2, panels=("meters",))


def case(one: State, found: Any) -> dict:
    known = {name: getattr(one, name) for name in ("method", "settings", "base", "x", "kernel", "switches")}
    matrix = trace_of(one).matrix.flatten().tolist() if one.method != "pixel_shuffle" else None
    gains = found.phase_gains.flatten().tolist() if found.stride == (one.settings["stride"],) * 2 else None
    return {**known, "window": None, "checkerboard": found.checkerboard, "gains": gains, "matrix": matrix}


def test_the_arithmetic_in_node(tmp_path: Path, measured: list) -> None:
    node = shutil.which("node")
    if not node:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    widget, told = tmp_path / "widget.mjs", tmp_path / "cases.json"
    names = "pictureOf, matrixOf, seatsOf, brightnessOf, unevenness"
    widget.write_text(f"{GridExplorer._esm}\nexport {{ {names} }};\n", encoding="utf-8")
    kernel = torch.arange(-2.0, 7.0).reshape(3, 3)
    trace = probe(loops, torch.ones(2, 2), kernel, stride=2)
    learned = {"table": table_of(trace, "loops", seats=True), "kernel": kernel.tolist(),
               "checkerboard": fingerprint(trace).checkerboard}  # fmt: skip
    # as a page gets it: only the part of the table for one shape of input
    sent = {f"{r},{c}": GridExplorer(x=[[1] * c] * r).atlas for r, c in {one.base for one, _ in measured}}
    cases = [case(one, found) for one, found in measured]
    told.write_text(json.dumps({"atlases": sent, "cases": cases, "learned": learned}), encoding="utf-8")
    script = Path(__file__).with_name("panels.test.mjs")
    environment = {**os.environ, "CASES": str(told), "WIDGET": widget.as_uri()}
    run = subprocess.run(
        [str(node), "--test", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout
