"""The box lab from Python and in Node: torch's own gradients, another library's IoU, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou, generalized_box_iou
from traitlets import TraitError

from coursekit.data import load_scenes
from coursekit.widgets import BoxLab
from coursekit.widgets.box_inputs import MOST_SHOWN, as_box
from coursekit.widgets.box_numbers import BETA, areas, judged
from coursekit.widgets.box_tasks import RULES, TASKS

TESTED = """judgeBox, steppedBox, arrowsBetween, layOf, sidesMeet, tasksMet, movedBox, resizedBox, spannedBox,
roundedDown, signed, scoreWritten, arrowPath"""
Box = tuple[float, float, float, float]


def picture(height: int = 100, width: int = 100) -> Tensor:
    return (torch.arange(3 * height * width) % 251).byte().reshape(3, height, width)


def small_lab(**more: Any) -> BoxLab:
    return BoxLab(picture(), truth=(40, 40, 20, 20), **{"box": (50, 40, 20, 20), **more})


# ---- what it is for


def test_the_same_l2_and_another_iou() -> None:
    moved, grown = small_lab(box=(50, 50, 20, 20)), small_lab(box=(40, 40, 30, 30))
    assert moved.scores["l2"] == pytest.approx(grown.scores["l2"])
    assert grown.scores["iou"] - moved.scores["iou"] > RULES["apart"]


def test_numbers_that_one_can_work_out() -> None:
    scores = small_lab().scores
    assert scores["l2"] == pytest.approx(0.1**2 / 4)
    assert scores["smooth_l1"] == pytest.approx((0.1 - BETA / 2) / 4)
    assert scores["iou"] == pytest.approx(200 / 600)
    assert scores["giou"] == pytest.approx(200 / 600)  # nothing around both is in neither
    apart = small_lab(box=(0, 40, 20, 20)).scores
    assert (apart["iou"], apart["giou"]) == (0, pytest.approx(-400 / 1200))


def test_another_librarys_iou_on_random_boxes() -> None:
    generator = torch.Generator().manual_seed(1)
    corners = torch.rand(400, 2, 2, 2, generator=generator, dtype=torch.float64).sort(dim=2).values * 98
    corners[:, :, 1] += 1
    ours, theirs = corners.flatten(2).unbind(1)
    want_iou, want_giou = box_iou(ours, theirs).diagonal(), generalized_box_iou(ours, theirs).diagonal()
    for one, other, iou, giou in zip(ours, theirs, want_iou, want_giou, strict=True):
        boxes = [(x, y, far - x, low - y) for x, y, far, low in (one.tolist(), other.tolist())]
        found = judged(boxes[0], boxes[1], (100, 100))
        assert found["iou"] == pytest.approx(float(iou))
        assert found["giou"] == pytest.approx(float(giou))


def test_shares_are_of_the_width_and_of_the_height() -> None:
    lab = BoxLab(picture(50, 200), truth=(20, 10, 40, 10), box=(40, 15, 40, 10), tasks=False)
    assert lab.scores["l2"] == pytest.approx((0.1**2 + 0.1**2) / 4)


# ---- what it takes


def test_nothing_samples_and_either_order_of_the_axes() -> None:
    assert BoxLab().size == [128, 128]
    scenes = load_scenes(3, seed=2, objects=1)
    lab = BoxLab(scenes, index=1)
    assert torch.equal(lab.truth, scenes.boxes[1])
    same = BoxLab(scenes.images[1].permute(1, 2, 0).numpy(), truth=scenes.boxes[1])
    assert same.picture == lab.picture
    assert same.now == lab.now
    own = BoxLab(scenes, truth=[1, 2, 3, 4])
    assert own.truth.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("truth", [(0, 0, 100, 100), (0, 0, 1, 1), (99, 0, 1, 100), (30, 98, 60, 2)])
def test_the_box_to_begin_with_lies_in_the_picture(truth: Any) -> None:
    lab = BoxLab(picture(), truth=truth)
    assert as_box(lab.now, "box", (100, 100)) == tuple(lab.now)


def test_it_begins_with_some_overlap_and_no_task_done() -> None:
    for seed in range(20):
        lab = BoxLab(load_scenes(1, seed=seed, objects=1))
        assert 0 < lab.scores["iou"] < 0.5
        assert lab.reached == []


def test_a_large_picture_is_sent_smaller_and_keeps_its_pixels() -> None:
    lab = BoxLab(picture(900, 1200), truth=(600, 300, 500, 400))
    assert lab.size == [900, 1200]
    assert lab.truth.tolist() == [600, 300, 500, 400]
    assert tuple(lab._given.image.shape) == (3, 384, MOST_SHOWN)


IMAGE = picture()


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"image": IMAGE.float(), "truth": (1, 1, 5, 5)}, TypeError, "(image * 255).byte()"),
        ({"image": IMAGE[None], "truth": (1, 1, 5, 5)}, ValueError, "images[0] of a batch"),
        ({"image": IMAGE[:, :9], "truth": (1, 1, 5, 5)}, ValueError, "16 to 4096 pixels"),
        ({"image": "cat.png", "truth": (1, 1, 5, 5)}, TypeError, "an image (3, H, W)"),
        ({"image": IMAGE}, TypeError, "truth as four numbers (x, y, w, h) in pixels; got None"),
        ({"image": IMAGE, "truth": (1, 2, 3)}, TypeError, "four numbers"),
        ({"image": IMAGE, "truth": "1234"}, TypeError, "four numbers"),
        ({"image": IMAGE, "truth": (1, 2, 3, True)}, TypeError, "four numbers"),
        ({"image": IMAGE, "truth": (1, 2, 3, float("nan"))}, ValueError, "finite"),
        ({"image": IMAGE, "truth": (1, 2, 3, float("inf"))}, ValueError, "finite"),
        ({"image": IMAGE, "truth": (1, 2, -3, 3)}, ValueError, "1 pixel wide and high; got -3 x 3"),
        ({"image": IMAGE, "truth": (40, 40, 80, 80)}, ValueError, "were these two corners?"),
        ({"image": IMAGE, "truth": (-5, 40, 8, 8)}, ValueError, "within the picture, 100 wide and 100 high"),
        ({"image": IMAGE, "truth": torch.ones(2, 4)}, TypeError, "four numbers"),
        ({"image": IMAGE, "truth": (1, 1, 5, 5), "box": (1, 1, 0.5, 5)}, ValueError, "a box at least"),
        ({"tasks": ["nonsense"]}, ValueError, "same-l2, order, apart, nested"),
        ({"tasks": "apart"}, TypeError, "tasks=['apart']"),
        ({"tasks": [3]}, ValueError, "got 3"),
        ({"arrows": "l3"}, ValueError, "l2, smooth_l1, iou, giou"),
        ({"image": load_scenes(2), "index": 2}, ValueError, "index as a whole number from 0 to 1"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_told_in_a_sentence(arguments: dict[str, Any], kind: type, told: str) -> None:
    with pytest.raises(kind, match=r"Expected .*; got .*\. Try ") as caught:
        BoxLab(**arguments)
    assert told in str(caught.value)


def test_the_tasks_that_are_asked_for() -> None:
    assert [task["name"] for task in BoxLab().tasks] == list(TASKS)
    assert [task["name"] for task in BoxLab(tasks=["nested", "apart"]).tasks] == ["apart", "nested"]
    assert BoxLab(tasks=False).tasks == []


# ---- what comes back


FORGED: list[Any] = [
    {"now": None}, {"now": 3}, {"now": "1234"}, {"now": []}, {"now": [1, 2, 3]}, {"now": [1, 2, 3, 4, 5]},
    {"now": [1, 2, 3, float("nan")]}, {"now": [1, 2, float("inf"), 4]}, {"now": [1, 2, 3, "4"]},
    {"now": [1, 2, 3, True]}, {"now": [1, 2, 3, None]}, {"now": [1, 2, 3, [4]]}, {"now": {"x": 1}},
    {"now": [-1, 2, 3, 4]}, {"now": [1, 2, 3, 1000]}, {"now": [1, 2, 0, 4]}, {"now": [10**400, 2, 3, 4]},
    {"now": [1e308, 2, 3, 4]}, {"now": [1] * 1_000_000}, {"held": [1, 2, 3]}, {"held": "none"}, {"held": 0},
    {"held": [1, 2, 3, float("nan")]}, {"arrows": "alert"}, {"arrows": 1}, {"arrows": None}, {"arrows": []},
    {"reached": "apart"}, {"reached": ["nonsense"]}, {"reached": [[]]}, {"reached": None},
    {"reached": ["apart"] * 50}, {"now": [1, 2, 3, 4], "reached": ["nonsense"]},
    {"answer": [1, 2, 3, 4]}, {"size": [1, 1]}, {"rules": {}}, {"tasks": []}, {"start": [1, 2, 3, 4]},
    {"picture": "javascript:alert(1)"}, {"_esm": "alert(1)"}, {"title": "forged"}, "text", None, [1],
]  # fmt: skip


def test_a_forged_value_changes_nothing() -> None:
    lab = small_lab(title="one")
    names = [name for name in lab.keys if name not in ("layout", "comm")]
    before = json.dumps([getattr(lab, name) for name in names], default=str)
    for sent in FORGED:
        lab.set_state(sent)
        after = json.dumps([getattr(lab, name) for name in names], default=str)
        assert after == before, str(sent)[:60]


def test_what_is_refused_is_answered_with_the_last_good_state(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = small_lab()
    told: list[Any] = []
    monkeypatch.setattr(lab, "send_state", lambda key=None: told.append(key))
    lab.set_state({"now": [0, 0, float("nan"), 1]})
    assert told == [["now", "held", "arrows", "reached"]]


def test_what_a_browser_may_send_is_taken() -> None:
    lab = small_lab()
    sent = {"now": [1, 2.25, 3, 4], "held": [5, 5, 5, 5], "arrows": "giou", "reached": ["nested", "apart"]}
    lab.set_state(sent)
    assert lab.box.tolist() == [1, 2.25, 3, 4]
    assert lab.kept is not None
    assert lab.kept.tolist() == [5, 5, 5, 5]
    assert (lab.arrows, lab.reached) == ("giou", ["apart", "nested"])
    lab.set_state({"held": None})
    assert lab.kept is None


def test_a_box_set_from_python_is_checked_too() -> None:
    lab = small_lab()
    for wrong in ((1, 2, 3), (1, 2, 3, -4), (90, 90, 20, 20)):
        with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*"):
            lab.box = wrong
    with pytest.raises(TraitError, match=r"Expected .*; got .*"):
        lab.now = [1, 2, 3]
    lab.box = torch.tensor([1.0, 2, 3, 4])
    assert lab.now == [1, 2, 3, 4]


# ---- without scripts


def test_readable_without_scripts() -> None:
    lab = small_lab(title="<b>Drag</b>")
    bundle = lab._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    lines = data["text/plain"].splitlines()
    assert lines[:4] == [
        "<b>Drag</b>", "100 x 100 pixels",
        "true box  x 40, y 40, w 20, h 20", "your box  x 50, y 40, w 20, h 20",
    ]  # fmt: skip
    assert "IoU       0.3333" in lines
    assert f"to try: {TASKS['apart'][0]}" in lines
    assert "<b>" not in data["text/html"]
    assert data["text/html"].count("<rect") == 4
    assert repr(lab) == "BoxLab(truth x 40, y 40, w 20, h 20, box x 50, y 40, w 20, h 20)"


# ---- the arithmetic of the browser, against torch's autograd


def by_torch(box: Box, truth: Box, size: tuple[int, int]) -> dict[str, Any]:
    """The four losses by torch, and their gradients by the box in shares of the picture."""
    units = torch.tensor([size[1], size[0]] * 2, dtype=torch.float64)
    found: dict[str, Any] = {}
    for name in ("l2", "smooth_l1", "iou", "giou"):
        mine = torch.tensor(box, dtype=torch.float64, requires_grad=True)
        true = torch.tensor(truth, dtype=torch.float64)
        if name == "l2":
            loss = functional.mse_loss(mine / units, true / units)
        elif name == "smooth_l1":
            loss = functional.smooth_l1_loss(mine / units, true / units, beta=BETA)
        else:
            loss = 1 - overlap(mine, true, generalized=name == "giou")
        (slope,) = torch.autograd.grad(loss, mine)
        told = loss.item()
        value = told if name in ("l2", "smooth_l1") else 1 - told
        found[name] = {"value": value, "gradient": (slope * units).tolist()}
    return found


def overlap(mine: Tensor, true: Tensor, generalized: bool) -> Tensor:
    """IoU or GIoU of two boxes (x, y, w, h), as one writes it in torch."""
    (start, side), (its_start, its_side) = mine.split(2), true.split(2)
    end, its_end = start + side, its_start + its_side
    shared = torch.minimum(end, its_end) - torch.maximum(start, its_start)
    # at 0 clamp's gradient has been 1 in one version of torch and 0 in another
    shared = torch.where(shared > 0, shared, 0).prod()
    union = side.prod() + its_side.prod() - shared
    around = (torch.maximum(end, its_end) - torch.minimum(start, its_start)).prod()
    return shared / union - (around - union) / around if generalized else shared / union


def pairs() -> Iterator[tuple[Box, Box, tuple[int, int]]]:
    """Boxes on a coarse grid, where sides often meet, and anywhere."""
    generator = torch.Generator().manual_seed(5)
    for number in range(2400):
        size = ((100, 100), (60, 150), (333, 500))[number % 3]
        cells = 8 if number % 2 else 4096
        found = []
        for _ in range(2):
            ends = torch.randint(0, cells + 1, (2, 2), generator=generator).sort(dim=1).values
            ends[:, 1] += ends[:, 0] == ends[:, 1]
            ends = ends - (ends[:, 1:] > cells).long()
            (x, far), (y, low) = (ends.double() / cells * 32).tolist()
            found.append((x, y, far - x, low - y))
        yield found[0], found[1], size
    truth = (8.0, 8.0, 16.0, 16.0)
    for box in (
        truth,
        (8, 8, 16, 8),
        (24, 8, 8, 16),
        (24, 24, 4, 4),
        (10, 10, 8, 8),
        (4, 4, 24, 24),
        (4, 10, 24, 4),
    ):
        yield tuple(map(float, box)), truth, (32, 32)  # type: ignore[misc]


def place_cases() -> list[dict[str, Any]]:
    truth = [8, 8, 16, 16]
    known = [
        ([8, 8, 16, 16], "same", True), ([0, 0, 4, 4], "apart", False), ([0, 8, 8, 4], "touching", True),
        ([0, 0, 8, 8], "touching", False), ([10, 10, 4, 4], "overlapping", False),
        ([0, 9, 7.75, 4], "apart", False), ([10, 10, 14, 4], "overlapping", True),
    ]  # fmt: skip
    return [{"box": box, "truth": truth, "lay": lay, "meets": meets} for box, lay, meets in known]


def task_cases() -> list[dict[str, Any]]:
    truth, size = [40, 40, 20, 20], [100, 100]
    known: list[tuple[list[float], list[float] | None, list[str]]] = [
        ([40, 40, 20, 20], None, []),
        ([10, 10, 20, 20], None, ["apart"]),
        ([20, 20, 20, 20], None, ["apart"]),  # a common corner: no overlap however one moves
        ([20, 40, 20, 20], None, ["apart"]),  # side by side
        ([45, 45, 5, 5], None, ["nested"]),
        ([40, 45, 5, 5], None, []),  # inside, but on the side's line
        ([30, 30, 60, 60], None, ["nested"]),
        ([30, 45, 60, 5], None, ["nested"]),  # a bar across
        ([30, 50, 60, 30], None, []),  # a bar that reaches below
        ([40, 45, 20, 5], None, []),  # as wide as the truth: a zero that is only the mean of two pushes
        ([50, 50, 20, 20], [40, 40, 30, 30], ["same-l2"]),
        ([40, 40, 30, 30], [50, 50, 20, 20], ["same-l2"]),
        ([50, 40, 20, 20], [50, 50, 20, 20], []),
        ([50, 50, 20, 20], [40, 40, 34, 34], ["order"]),
        ([40, 40, 34, 34], [50, 50, 20, 20], ["order"]),
        ([10, 10, 20, 20], [10, 10, 20, 20], ["apart"]),
        ([40, 40, 20, 20], [40, 40, 20, 20], []),
    ]
    return [
        {"box": box, "kept": kept, "truth": truth, "size": size, "rules": {"beta": BETA, **RULES}, "met": met}
        for box, kept, met in known
    ]


def step_cases() -> list[dict[str, Any]]:
    found = []
    for box, truth, size in list(pairs())[:40]:
        units = (size[1], size[0], size[1], size[0])
        slopes = by_torch(box, truth, size)["l2"]["gradient"]
        want = [value - 0.7 * slope * unit for value, slope, unit in zip(box, slopes, units, strict=True)]
        given = {"box": box, "truth": truth, "size": size, "beta": BETA, "rate": 0.7}
        found.append({**given, "want": want})
    return found


def test_the_arithmetic_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    widget, told = tmp_path / "widget.mjs", tmp_path / "cases.json"
    widget.write_text(f"{BoxLab._esm}\nexport {{ {TESTED} }};\n", encoding="utf-8")
    cases = {
        "judged": [
            {"box": box, "truth": truth, "size": size, "beta": BETA, "want": by_torch(box, truth, size)}
            for box, truth, size in pairs()
        ],
        "steps": step_cases(),
        "places": place_cases(),
        "tasks": task_cases(),
    }
    told.write_text(json.dumps(cases), encoding="utf-8")
    script = Path(__file__).with_name("box_arithmetic.test.mjs")
    environment = {**os.environ, "CASES": str(told), "WIDGET": widget.as_uri()}
    run = subprocess.run(
        [str(node), "--test", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout


def test_python_has_the_same_numbers_as_torch() -> None:
    for box, truth, size in list(pairs())[::7]:
        want, found = by_torch(box, truth, size), judged(box, truth, size)
        for name, value in found.items():
            assert value == pytest.approx(want[name]["value"], abs=1e-12), name


def test_the_pairs_hold_what_is_hard() -> None:
    """Else a case could go missing and the comparison would still pass."""
    known = list(pairs())
    shared = [areas(box, truth)[0] for box, truth, _ in known]
    assert sum(one == 0 for one in shared) > 300
    assert sum(one > 0 for one in shared) > 500
    meets = [box[0] == truth[0] or box[0] + box[2] == truth[0] + truth[2] for box, truth, _ in known]
    assert sum(meets) > 100
    inside = [
        one == box[2] * box[3] and one < truth[2] * truth[3]
        for one, (box, truth, _) in zip(shared, known, strict=True)
    ]
    assert sum(inside) > 50


def test_iou_inside_is_moved_by_size_and_not_by_place() -> None:
    """What the task says, by torch: inside, IoU is the one area over the other."""
    found = by_torch((45, 45, 5, 4), (40, 40, 20, 20), (100, 100))["iou"]["gradient"]
    assert found[:2] == [0, 0]
    assert found[2:] == pytest.approx([-4 / 400 * 100, -5 / 400 * 100])
    around = by_torch((30, 30, 60, 50), (40, 40, 20, 20), (100, 100))
    assert around["iou"]["gradient"][:2] == around["giou"]["gradient"][:2] == [0, 0]
    assert min(around["iou"]["gradient"][2:]) > 0


def test_the_widget_asks_for_nothing_outside_itself() -> None:
    for text in (BoxLab._esm, BoxLab._css):
        assert "import " not in text.replace("is imported", "")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
