"""The mask lab from Python and in Node: the course's own scores, and what is refused."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torchmetrics.functional.segmentation import mean_iou as other_mean_iou
from traitlets import TraitError

from coursekit.data import load_scenes
from coursekit.data.gallery import colour_of
from coursekit.training.boundaries import BAND, TOLERANCE, BoundaryCounts
from coursekit.training.confusion import accuracy, class_ious, confusion, mean_of_present
from coursekit.widgets import MaskLab
from coursekit.widgets.mask_inputs import Pictured, encoded
from coursekit.widgets.mask_starts import complete, grown, in_blocks, moved, shrunk
from coursekit.widgets.mask_tasks import SCORES, _met, _task

IGNORE = 255
TESTED = """truthFacts, scoresOf, errorsOf, grownMask, shrunkMask, movedMask, withoutGaps, bytesOf, textOf,
brushPixels, line, flood, isReached, CLASS_COLOURS"""


def small_object() -> Any:
    return load_scenes(1, objects=1, radius=(0.06, 0.07))


def square(side: int = 16, classes: int = 2) -> tuple[Tensor, Tensor]:
    mask = torch.zeros(side, side, dtype=torch.uint8)
    mask[4:10, 4:10] = classes - 1
    return torch.zeros(3, side, side, dtype=torch.uint8), mask


# ---- what it is for


def test_an_empty_mask_has_nearly_every_pixel_right_and_half_the_mean() -> None:
    lab = MaskLab(small_object())
    scores = lab.scores
    assert scores.pixel_accuracy > 0.98
    assert scores.class_iou[int(lab.truth.max())] == 0
    assert scores.miou == pytest.approx(scores.pixel_accuracy / 2)


def test_a_fat_mask_keeps_its_iou_and_loses_its_boundary() -> None:
    lab = MaskLab(load_scenes(1, objects=1, radius=(0.3, 0.35)), start="grown")
    assert lab.scores.miou > 0.8
    assert lab.scores.boundary_f1 < 0.4


def test_a_perfect_outline_is_forgiven_one_pixel_and_not_two() -> None:
    lab = MaskLab(load_scenes(1, objects=1))
    found = []
    for pixels in range(4):
        lab.mask = moved(lab.truth, pixels, pixels)
        found.append(lab.scores.boundary_f1)
    assert found[:2] == [1, 1]
    assert found[2] < 0.8
    assert found[3] < found[2]


def test_the_scores_are_those_of_evaluate() -> None:
    scene = load_scenes(1, seed=7)
    lab = MaskLab(scene, start="blocks")
    mask, truth = lab.mask[None], scene.masks
    matrix, boundaries = confusion(mask, truth, 5), BoundaryCounts(5)
    boundaries.add(mask, truth)
    assert lab.scores.miou == mean_of_present(class_ious(matrix))
    assert lab.scores.pixel_accuracy == accuracy(matrix)
    assert (lab.scores.boundary_f1, lab.scores.boundary_iou) == (boundaries.f1, boundaries.iou)
    assert lab.scores.classes == scene.classes


# ---- what it takes


def test_an_image_of_either_order_and_samples_are_the_same() -> None:
    scenes = load_scenes(3, seed=2)
    image, mask = scenes.images[1], scenes.masks[1]
    labs = [
        MaskLab(scenes, index=1),
        MaskLab(image, mask, classes=scenes.classes),
        MaskLab(image.permute(1, 2, 0).numpy(), mask.numpy().astype(np.int64), classes=list(scenes.classes)),
    ]
    states = [json.dumps({name: getattr(lab, name) for name in ("picture", "answer")}) for lab in labs]
    assert len(set(states)) == 1
    raw = base64.b64decode(labs[0].picture)
    assert list(raw[:3]) == image[:, 0, 0].tolist()


def test_a_large_picture_is_made_smaller_and_its_mask_keeps_whole_classes() -> None:
    mask = torch.zeros(320, 480, dtype=torch.int64)
    mask[:, 240:] = 4
    mask[:3] = IGNORE
    lab = MaskLab(torch.full((3, 320, 480), 90, dtype=torch.uint8), mask)
    assert lab.shape == [107, 160]
    assert lab.original == [320, 480]
    assert set(lab.truth.unique().tolist()) == {0, 4, IGNORE}
    assert lab.truth[50].tolist() == [0] * 80 + [4] * 80
    assert set(base64.b64decode(lab.picture)) == {90}


def test_the_caller_may_go_on_with_its_tensors() -> None:
    image, mask = square()
    lab = MaskLab(image, mask)
    mask[:] = 1
    image[:] = 7
    lab.truth[:] = 1
    assert lab.truth.sum() == 36
    assert set(base64.b64decode(lab.picture)) == {0}


def test_every_start_and_a_mask_of_ones_own() -> None:
    image, mask = square(classes=3)
    mask[0, :3] = IGNORE
    guess = torch.ones_like(mask)
    truth = complete(mask)
    assert truth[0, :3].tolist() == [0, 0, 0]
    wanted = {
        "empty": torch.zeros_like(mask), "truth": truth, "grown": grown(truth, 2), "guess": guess,
        "shifted": moved(truth, 0, 3), "blocks": in_blocks(truth, 8),
    }  # fmt: skip
    for name, want in wanted.items():
        lab = MaskLab(image, mask, guess=guess, start=name)
        assert torch.equal(lab.mask, want)
        lab.start_from("empty")
        lab.start_from(name)
        assert torch.equal(lab.mask, want)
    assert torch.equal(MaskLab(image, mask, start=wanted["grown"]).mask, wanted["grown"])
    assert [start["name"] for start in MaskLab(image, mask).starts] == [
        "empty", "truth", "grown", "shifted", "blocks",
    ]  # fmt: skip


def test_a_truth_with_no_label_at_all_is_scored_like_the_courses() -> None:
    image, mask = square()
    lab = MaskLab(image, torch.full_like(mask, IGNORE))
    assert (lab.scores.pixel_accuracy, lab.scores.miou, lab.scores.boundary_f1) == (0, 0, 1)
    assert lab.mask.sum() == 0


IMAGE, MASK = square()


@pytest.mark.parametrize(
    ("arguments", "kind", "told"),
    [
        ({"image": IMAGE.float(), "mask": MASK}, TypeError, "(image * 255).byte()"),
        ({"image": IMAGE[None], "mask": MASK}, ValueError, "images[0] of a batch"),
        ({"image": IMAGE[:, :15], "mask": MASK[:15]}, ValueError, "16 pixels a side or more"),
        ({"image": IMAGE, "mask": MASK[:15]}, ValueError, "16 x 16; got 15 x 16"),
        ({"image": IMAGE}, TypeError, "a mask (H, W) of class numbers; got None"),
        ({"image": IMAGE, "mask": MASK.float()}, TypeError, "mask.long()"),
        ({"image": IMAGE, "mask": MASK[None]}, ValueError, "mask[0]"),
        ({"image": IMAGE, "mask": MASK.long() - 1}, ValueError, "values from -1 to 0"),
        ({"image": IMAGE, "mask": MASK * 3, "classes": ["a", "b"]}, ValueError, "the value 3"),
        ({"image": IMAGE, "mask": MASK, "classes": "ab"}, TypeError, "classes as a row of names"),
        ({"image": IMAGE, "mask": MASK, "classes": ["a"]}, ValueError, "2 to 21 classes; got 1"),
        ({"image": IMAGE, "mask": MASK * 30}, ValueError, "2 to 21 classes; got 31"),
        ({"image": IMAGE, "mask": MASK, "guess": MASK + 255}, ValueError, "one for every pixel"),
        ({"image": IMAGE, "mask": MASK, "guess": MASK[:9]}, ValueError, "a guess as high and wide"),
        ({"image": IMAGE, "mask": MASK, "start": "guess"}, ValueError, "guess=a predicted mask"),
        ({"image": IMAGE, "mask": MASK, "start": "grwon"}, ValueError, "empty, truth, grown"),
        ({"image": IMAGE, "mask": MASK, "start": MASK[:9]}, ValueError, "a mask of 16 x 16; got 9 x 16"),
        ({"image": IMAGE, "mask": MASK, "tasks": ["iou > 1"]}, ValueError, "pixel_accuracy, miou"),
        ({"image": IMAGE, "mask": MASK, "tasks": ["by hand"]}, ValueError, "a task made of"),
        ({"image": IMAGE, "mask": MASK, "tasks": [3]}, ValueError, "got 3"),
        ({"image": IMAGE, "mask": MASK, "tasks": "miou > 1"}, TypeError, "a list of at most"),
        ({"image": torch.zeros(3, 16, 2000, dtype=torch.uint8), "mask": torch.zeros(16, 2000).byte()},
         ValueError, "10 times as long"),
        ({"image": load_scenes(2), "index": 2}, ValueError, "index as a whole number from 0 to 1"),
        ({"image": load_scenes(2), "mask": MASK}, TypeError, "MaskLab(samples, index=0)"),
        ({"image": "cat.png", "mask": MASK}, TypeError, "an image (3, H, W)"),
    ],
)  # fmt: skip
def test_a_bad_argument_is_told_in_a_sentence(arguments: dict, kind: type, told: str) -> None:
    with pytest.raises(kind, match=r"Expected .*; got .*\. Try ") as caught:
        MaskLab(**arguments)
    assert told in str(caught.value)


# ---- tasks


def test_the_tasks_are_those_that_a_picture_allows() -> None:
    named = {task["name"] for task in MaskLab(small_object()).tasks}
    assert "pixel_accuracy > 0.95, miou < 0.6" in named
    image, _ = square(32)
    half = torch.zeros(32, 32, dtype=torch.uint8)
    half[16:] = 1
    named = {task["name"] for task in MaskLab(image, half).tasks}
    assert "pixel_accuracy > 0.95, miou < 0.6" not in named  # two classes, half of the pixels each
    assert "boundary_f1 > 0.95, miou < 0.5" in named  # inside out
    assert MaskLab(image, half, tasks=False).tasks == []


def test_a_task_of_ones_own() -> None:
    image, mask = square()
    lab = MaskLab(image, mask, tasks=["by hand, miou > .95", "boundary_iou<0.5,pixel_accuracy > 0.9"])
    assert [task["text"] for task in lab.tasks] == [
        "Start from empty and paint a mask with mean IoU above 0.95.",
        "Find a mask with boundary IoU below 0.5 and pixel accuracy above 0.9.",
    ]
    assert [task["byHand"] for task in lab.tasks] == [True, False]


# ---- what comes back


def forged(lab: MaskLab) -> list[Any]:
    """What a visitor might send; every one wrong."""
    count = lab.shape[0] * lab.shape[1]
    good = lab.painted
    return [
        {"painted": None}, {"painted": 3}, {"painted": [0] * count}, {"painted": {}}, {"painted": ""},
        {"painted": good[:-4]}, {"painted": good + "AAAA"}, {"painted": "A" * 10_000_000},
        {"painted": "!" * len(good)}, {"painted": "\u00e9" * len(good)}, {"painted": "=" * len(good)},
        {"painted": encoded(torch.full((count,), 5, dtype=torch.uint8))},
        {"painted": encoded(torch.full((count,), IGNORE, dtype=torch.uint8))},
        {"painted": encoded(torch.zeros(count + 1, dtype=torch.uint8))},
        {"reached": "miou"}, {"reached": ["nonsense"]}, {"reached": [[]]}, {"reached": None},
        {"reached": [lab.tasks[0]["name"]] * 50},
        {"painted": encoded(torch.ones(count, dtype=torch.uint8)), "reached": ["nonsense"]},
        {"answer": good}, {"shape": [1, 1]}, {"classes": []}, {"tasks": []}, {"rules": {}}, {"starts": []},
        {"_esm": "alert(1)"}, {"title": "forged"}, "text", None, [1],
    ]  # fmt: skip


def test_a_forged_value_changes_nothing() -> None:
    lab = MaskLab(load_scenes(1), start="truth", title="one")
    names = ("painted", "reached", "answer", "shape", "classes", "tasks", "rules", "starts", "title", "_esm")
    before = json.dumps([getattr(lab, name) for name in names])
    for sent in forged(lab):
        lab.set_state(sent)
        assert json.dumps([getattr(lab, name) for name in names]) == before, str(sent)[:60]
    assert lab.scores.miou == 1


def test_a_refused_mask_is_answered_with_the_last_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = MaskLab(load_scenes(1))
    told: list[Any] = []
    monkeypatch.setattr(lab, "send_state", lambda key=None: told.append(key))
    lab.set_state({"painted": "forged"})
    assert told == [["painted", "reached"]]


def test_what_a_browser_may_send_is_taken() -> None:
    lab = MaskLab(load_scenes(1))
    mask = torch.randint(0, 5, (64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    lab.set_state({"painted": encoded(mask), "reached": [lab.tasks[1]["name"], lab.tasks[0]["name"]]})
    assert torch.equal(lab.mask, mask)
    assert lab.reached == [task["name"] for task in lab.tasks[:2]]
    assert lab.scores.pixel_accuracy == pytest.approx(float((mask == lab.truth).float().mean()))


def test_a_mask_set_from_python_is_checked_too() -> None:
    lab = MaskLab(load_scenes(1))
    for wrong in (torch.full((64, 64), 5), torch.zeros(64, 63).byte(), torch.zeros(64, 64)):
        with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*"):
            lab.mask = wrong
    with pytest.raises(TraitError, match=r"Expected .*; got .*"):
        lab.painted = "forged"
    lab.mask = (lab.truth > 0).int()
    assert lab.mask.max() == 1


# ---- without scripts


def test_readable_without_scripts() -> None:
    lab = MaskLab(small_object(), title="<b>Paint</b>")
    bundle = lab._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    lines = data["text/plain"].splitlines()
    assert lines[:2] == ["<b>Paint</b>", f"{'true mask':<32}  painted mask"]
    assert lines[2] == "." * 32 + "  " + "." * 32
    assert f"pixel accuracy {lab.scores.pixel_accuracy:.3f}" in lines
    assert "to try: Find a mask with pixel accuracy above 0.95 and mean IoU below 0.6." in lines
    assert "<b>" not in data["text/html"]
    assert data["text/html"].count("<img") == 3


# ---- the arithmetic of the browser


def pairs() -> Iterator[tuple[Tensor, Tensor, int]]:
    """Truths and painted masks: rough, blocky, empty, equal, moved; ignored pixels; absent classes."""
    generator = torch.Generator().manual_seed(3)

    def blocky(shape: tuple[int, int], classes: int, side: int) -> Tensor:
        coarse = torch.randint(0, classes, tuple(-(-one // side) for one in shape), generator=generator)
        return coarse.repeat_interleave(side, 0).repeat_interleave(side, 1)[: shape[0], : shape[1]].byte()

    for shape in ((16, 16), (17, 29), (40, 16), (64, 64)):
        for classes in (2, 3, 5, 9):
            for number in range(14):
                truth = blocky(shape, max(2, classes - number % 3), (1, 3, 7, 11)[number % 4])
                painted = [
                    torch.zeros_like(truth), truth.clone(), moved(truth, number % 4, -2), grown(truth, 1),
                    blocky(shape, classes, 5), blocky(shape, classes, 2), shrunk(truth, 1),
                ][number % 7]  # fmt: skip
                share = (0.0, 0.05, 0.4, 0.995)[number % 4] if number else 1.0  # once all of them
                truth[torch.rand(shape, generator=generator) < share] = IGNORE
                yield truth, painted, classes


def pair_case(truth: Tensor, painted: Tensor, classes: int) -> dict[str, Any]:
    matrix, boundaries = confusion(painted, truth, classes), BoundaryCounts(classes)
    boundaries.add(painted[None], truth[None])
    both = matrix.diagonal()
    want = {
        "pixel_accuracy": accuracy(matrix), "miou": mean_of_present(class_ious(matrix)),
        "boundary_f1": boundaries.f1, "boundary_iou": boundaries.iou,
        "torchmetrics": by_torchmetrics(painted, truth, classes),
        "right": int(both.sum()), "counted": int(matrix.sum()), "shared": both.tolist(),
        "either": (matrix.sum(0) + matrix.sum(1) - both).tolist(),
        "both": boundaries.both.tolist(), "edgeEither": boundaries.either.tolist(),
        "matched": boundaries.matched.tolist(), "drawn": boundaries.drawn.tolist(),
        "tolerance": TOLERANCE, "band": BAND,
    }  # fmt: skip
    shape = list(truth.shape)
    told = {"truth": truth.tolist(), "painted": painted.tolist()}
    return {"shape": shape, "classes": classes, "want": want, **told}


def by_torchmetrics(painted: Tensor, truth: Tensor, classes: int) -> float:
    """The same mean IoU by another library; it knows of no ignored pixels, so it is given none."""
    counted = truth != IGNORE
    if not counted.any():
        return 0.0
    given = [one[counted].long()[None, None] for one in (painted, truth)]
    ious = other_mean_iou(*given, num_classes=classes, per_class=True, input_format="index")[0].double()
    return float(ious[ious >= 0].mean()) if (ious >= 0).any() else 0.0  # it marks an absent class with -1


def mask_case(truth: Tensor, painted: Tensor) -> dict[str, Any]:
    ways = [way for way in ((0, 1), (-1, 0), (3, -2), (-40, 5)) if abs(way[0]) < painted.shape[0]]
    return {
        "shape": list(painted.shape), "mask": painted.tolist(), "grown": grown(painted, 2).tolist(),
        "shrunk": shrunk(painted, 1).tolist(),
        "moved": [[list(way), moved(painted, *way).tolist()] for way in ways],
        "gaps": truth.tolist(),
        "filled": complete(truth).tolist() if (truth != IGNORE).any() else truth.tolist(),
    }  # fmt: skip


def task_cases() -> list[dict[str, Any]]:
    rules = ["miou > 0.8, boundary_f1 < 0.6", "pixel_accuracy > 0.95", "boundary_iou < .5, miou < 0.5"]
    found = []
    for rule in rules:
        task = _task(rule, "")
        for step in range(12):
            scores = {name: (step * (3 + at) % 12) / 11 for at, name in enumerate(SCORES)}
            found.append({"task": task, "scores": scores, "met": _met(task, scores)})
    assert {one["met"] for one in found} == {True, False}
    return found


def test_the_arithmetic_in_node(tmp_path: Path) -> None:
    node = shutil.which("node")
    if not node:
        reason = "Node is needed to run the widget's arithmetic outside a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    widget, told = tmp_path / "widget.mjs", tmp_path / "cases.json"
    widget.write_text(f"{MaskLab._esm}\nexport {{ {TESTED} }};\n", encoding="utf-8")
    known = list(pairs())
    values = [torch.arange(count, dtype=torch.uint8) % 21 for count in (1, 2, 3, 256, 20_000)]
    cases = {
        "pairs": [pair_case(*one) for one in known],
        "masks": [mask_case(truth, painted) for truth, painted, _ in known[::3]],
        "texts": [{"text": encoded(one), "values": one.tolist()} for one in values],
        "tasks": task_cases(),
        "colours": [colour_of(index) for index in range(8)],
    }
    told.write_text(json.dumps(cases), encoding="utf-8")
    script = Path(__file__).with_name("mask_arithmetic.test.mjs")
    environment = {**os.environ, "CASES": str(told), "WIDGET": widget.as_uri()}
    run = subprocess.run(
        [str(node), "--test", str(script)], env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert "# fail 0" in run.stdout


def test_the_pairs_hold_what_is_hard() -> None:
    """Else a case could go missing and the comparison would still pass."""
    known = list(pairs())
    assert len(known) >= 200
    assert any((truth == IGNORE).all() for truth, _, _ in known)
    assert any((painted == 0).all() for _, painted, _ in known)
    assert any(len(truth.unique()) < classes for truth, _, classes in known)
    assert len({tuple(truth.shape) for truth, _, _ in known}) == 4
    scores = [pair_case(*one)["want"] for one in known]
    assert len({round(one["boundary_f1"], 3) for one in scores}) > 40


def test_the_widget_asks_for_nothing_outside_itself() -> None:
    for text in (MaskLab._esm, MaskLab._css):
        assert "import " not in text.replace("is imported", "")
        assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


def test_a_pictured_mask_is_made_smaller_by_whole_pixels() -> None:
    """Nearest: each new pixel has the class of the old one under its middle."""
    mask = torch.arange(320)[None].expand(320, 320) % 2
    given = Pictured.of(torch.zeros(3, 320, 320).byte(), mask, None, None, 0)
    assert given.truth.unique().tolist() == [1]  # the middle of two is the second
