"""Switch surgery from Python and in Node: torch's numbers, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch.nn.functional import max_pool2d, max_unpool2d
from traitlets import TraitError

from coursekit.widgets import SwitchSurgery
from coursekit.widgets.switches import flat_index, place_in_block, shuffled, shuffled_anew

SHAPES = [(2, 2), (4, 6), (5, 7), (3, 8), (7, 4), (8, 8), (4, 4)]
TESTED = """poolWithSwitches, unpooled, inPlace, meanDifference, flatIndex, placeInBlock, blockOf,
shuffledPlaces, shuffledAnew, placeAfter"""


def grids() -> Iterator[tuple[torch.Tensor, int]]:
    """Small whole numbers, so that ties come often; negative ones, odd sizes, every block size."""
    generator = torch.Generator().manual_seed(4)
    for shape in SHAPES:
        for size in range(2, min(4, *shape) + 1):
            for low, high in ((-9, 10), (-3, 1), (0, 2)):
                yield torch.randint(low, high, shape, generator=generator).double(), size


def torch_pool(x: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    values, switches = max_pool2d(x[None], size, return_indices=True)
    return values[0], switches[0]


def torch_unpool(values: torch.Tensor, switches: torch.Tensor, x: torch.Tensor, size: int) -> torch.Tensor:
    return max_unpool2d(values[None], switches[None], size, output_size=x.shape)[0]


def test_pooling_and_unpooling_are_torchs() -> None:
    for x, size in grids():
        surgery = SwitchSurgery(x, size)
        values, switches = torch_pool(x, size)
        assert surgery.values == values.tolist()
        assert surgery.switches == switches.tolist()
        back = torch_unpool(values, switches, x, size)
        assert surgery.output == back.tolist()
        assert surgery.difference == pytest.approx(float((back - x).abs().mean()), abs=1e-8)


def test_every_operation_leaves_switches_that_torch_unpools_alike() -> None:
    for seed, (x, size) in enumerate(grids()):
        surgery = SwitchSurgery(x, size)
        rows, columns = len(surgery.switches), len(surgery.switches[0])
        operations = (
            surgery.shuffle,
            lambda one=surgery, last=(rows - 1, columns - 1): one.swap((0, 0), last),
            surgery.drop,
            lambda one=surgery, seed=seed: one.shuffle(seed=seed),
        )
        for operate in operations:
            operate()
            back = torch_unpool(torch_pool(x, size)[0], torch.tensor(surgery.switches), x, size)
            assert surgery.output == back.tolist()
            assert surgery.difference >= surgery.best_difference - 1e-9
        surgery.put_back()
        assert surgery.difference == surgery.best_difference
        assert surgery.maxima_in_place == rows * columns


def test_dropped_switches_are_a_bed_of_nails() -> None:
    from coursekit.upsampling import bed_of_nails

    surgery = SwitchSurgery([[1, 5, 2, 0], [2, 3, 8, 4]])
    surgery.drop()
    assert surgery.output == bed_of_nails(torch.tensor(surgery.values).float()).tolist()


def test_a_shuffle_without_a_seed_changes_something_where_it_can() -> None:
    surgery = SwitchSurgery([[9, 1, 2, 3], [4, 5, 6, 7]])
    for _ in range(6):
        before = surgery.switches
        surgery.shuffle()
        assert surgery.switches != before
    surgery.drop()
    surgery.shuffle()  # all alike: nothing to change
    assert surgery.switches == [[0, 2]]


def test_a_swap_exchanges_places_and_twice_is_nothing() -> None:
    surgery = SwitchSurgery()
    before = surgery.switches
    surgery.swap((0, 0), (1, 1))
    assert [place_in_block(surgery.switches[i][i], 4, 2) for i in (0, 1)] == [0, 2]
    surgery.swap((0, 0), (1, 1))
    assert surgery.switches == before


def test_each_equal_place_of_a_tie_counts_as_its_place() -> None:
    surgery = SwitchSurgery([[7, 1], [2, 7]])
    assert surgery.switches == [[0]]
    surgery.switches = [[3]]
    assert (surgery.maxima_in_place, surgery.difference) == (1, surgery.best_difference)
    surgery.switches = [[1]]
    assert surgery.maxima_in_place == 0


def test_another_grid_or_block_starts_with_its_own_switches() -> None:
    surgery = SwitchSurgery([[1, 2, 3, 4]] * 4)
    surgery.drop()
    surgery.x = [[0.5, 2], [3, 1], [9, 8]]
    assert surgery.switches == [[2]]
    surgery.x = torch.arange(16.0).reshape(4, 4)
    surgery.size = 4
    assert surgery.switches == [[15]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"x": [[1, 2], [3]]}, "rows of numbers"),
        ({"x": [[1, 2, 3]]}, "2 to 64 a side"),
        ({"x": [[1, float("nan")], [0, 0]]}, "finite numbers"),
        ({"x": torch.full((9, 9), 2.0)}, "a picture with values from 0 to 1"),
        ({"x": torch.zeros(65, 65)}, "2 to 64 a side"),
        ({"x": torch.zeros(1, 4, 4)}, "rows of numbers"),
        ({"size": 1}, "size from 2 to 4"),
        ({"size": True}, "size from 2 to 4"),
        ({"x": [[1, 2], [3, 4]], "size": 3}, "3 to 64 a side"),
    ],
)
def test_a_bad_argument_is_told_in_a_sentence(arguments: dict, told: str) -> None:
    with pytest.raises(ValueError, match=r"Expected .*; got .*") as caught:
        SwitchSurgery(**arguments)
    assert told in str(caught.value)


def test_a_switch_outside_its_block_is_refused() -> None:
    surgery = SwitchSurgery()
    for wrong in (
        [[4, 6], [12, 4]],
        [[4, 7]],
        [[4, 7], [12, 10.5]],
        [[-1, 7], [12, 10]],
        [[True, 7], [12, 10]],
    ):
        with pytest.raises(TraitError, match=r"Expected .*; got .*"):
            surgery.switches = wrong
    with pytest.raises(ValueError, match="the cell's row from 0 to 1"):
        surgery.swap((0, 0), (2, 0))


FORGED = [
    {"switches": [[4, 7], [12, 0]]}, {"switches": "4"}, {"switches": None}, {"switches": [[4, 7], [12]]},
    {"switches": [[4, 7], [12, 10**9]]}, {"switches": [[[4], 7], [12, 10]]}, {"switches": {}},
    {"shuffles": -1}, {"shuffles": "1"}, {"shuffles": 10**12}, {"shuffles": None},
    {"cell": [2, 0]}, {"cell": [0]}, {"cell": "00"}, {"cell": [0, 0.5]}, {"cell": 3},
    {"switches": [[0, 2], [8, 10]], "cell": [9, 9]}, {"x": [[0, 0], [0, 0]]}, {"size": 4},
    {"title": "forged"}, {"_esm": "forged"}, "text", None, [1],
]  # fmt: skip


@pytest.mark.parametrize("sent", FORGED, ids=lambda sent: str(sent)[:40])
def test_a_forged_value_changes_nothing(sent: object) -> None:
    surgery = SwitchSurgery()
    names = ("x", "size", "title", "switches", "shuffles", "cell", "_esm")
    before = json.dumps([getattr(surgery, name) for name in names])
    surgery.set_state(sent)
    assert json.dumps([getattr(surgery, name) for name in names]) == before


def test_what_a_browser_may_send_is_taken() -> None:
    surgery = SwitchSurgery()
    surgery.set_state({"switches": [[0, 2], [8, 10]], "shuffles": 2, "cell": [1, 0]})
    assert (surgery.switches, surgery.cell) == ([[0, 2], [8, 10]], [1, 0])
    assert surgery.output[0] == [5, 0, 4, 0]


def test_no_torch_is_imported() -> None:
    code = "import sys, coursekit.widgets as w; w.SwitchSurgery().output; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_readable_without_scripts() -> None:
    bundle = SwitchSurgery(title="Surgery")._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    text = data["text/plain"]
    assert text.splitlines()[0] == "Surgery"
    assert "4 of 4 maxima back in their place" in text
    assert data["text/html"].startswith("<pre>Surgery")
    picture = SwitchSurgery(torch.linspace(0, 1, 240).reshape(12, 20)).as_text()
    assert "@@" in picture
    assert "60 of 60 maxima" in picture


def cases() -> list[dict]:
    found = []
    for seed, (x, size) in enumerate(grids()):
        values, switches = torch_pool(x, size)
        width = x.shape[1]
        rows, columns = values.shape
        places = torch.randint(
            0, size * size, (rows * columns,), generator=torch.Generator().manual_seed(seed)
        )
        moved = [
            [flat_index(r, c, int(places[r * columns + c]), width, size) for c in range(columns)]
            for r in range(rows)
        ]
        back = torch_unpool(values, torch.tensor(moved), x, size)
        in_place = int((x.flatten()[torch.tensor(moved)] == values).sum())
        known = {"x": x, "values": values, "switches": switches, "back": back}
        told = {name: tensor.tolist() for name, tensor in known.items()}
        difference = float((back - x).abs().mean())
        found.append({**told, "size": size, "moved": moved, "inPlace": in_place, "difference": difference})
    return found


def test_the_arithmetic_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    widget, told = tmp_path / "widget.mjs", tmp_path / "cases.json"
    widget.write_text(f"{SwitchSurgery._esm}\nexport {{ {TESTED} }};\n", encoding="utf-8")
    deals = [
        {"places": places, "seed": seed, "dealt": shuffled(places, seed)}
        for seed in (0, 1, 2, 77, 999_999, 1_000_000)
        for places in (list(range(12)), [3, 1, 0, 2], [0])
    ]
    anew = [
        {"places": places, "from": start, "dealt": shuffled_anew(places, start)}
        for start in (0, 1, 5, 1_000_000)
        for places in ([2, 3], [3, 1, 0, 2], [1, 1])
    ]
    told.write_text(json.dumps({"cases": cases(), "deals": deals, "anew": anew}), encoding="utf-8")
    script = Path(__file__).with_name("switch_arithmetic.test.mjs")
    environment = {**os.environ, "CASES": str(told), "WIDGET": widget.as_uri()}
    run = subprocess.run(
        [str(node), "--test", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout


def test_the_widget_asks_for_nothing_outside_itself() -> None:
    for text in (SwitchSurgery._esm, SwitchSurgery._css):
        assert "import " not in text.replace("is imported", "")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
