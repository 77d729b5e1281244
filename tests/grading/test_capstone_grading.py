"""A capstone earns what its net sees, the same each time; whatever is refused is refused with a reason."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from hand_in import needs_sandbox
from safetensors.torch import save

from coursekit.checkout import CannotRun
from coursekit.cli import main
from coursekit.data import Samples
from coursekit.grading import capstone
from coursekit.grading.capstone import INSIDE, _order, grade_capstone
from coursekit.grading.handed_capstone import WEIGHTS
from coursekit.grading.sandbox import Sandbox
from coursekit.training.capstone import MOST_NUMBERS, task

HEAD = "import torch\nfrom torch import nn\n"
# It looks: what is dark is the object, and the box is the one around it.
LOOKS = (
    HEAD
    + """
class Capstone(nn.Module):
    def __init__(self):
        super().__init__()
        self.bar = nn.Parameter(torch.tensor(0.5))

    def forward(self, images):
        seen = images[:, 0].float() / 255 - self.bar
        marked = seen > 0
        lines = [marked.any(1), marked.any(2)]
        first = [line.long().argmax(1) for line in lines]
        last = [64 - line.flip(1).long().argmax(1) for line in lines]
        x, y, w, h = first[0], first[1], last[0] - first[0], last[1] - first[1]
        return torch.stack([-seen, seen], 1), torch.stack([x, y, w, h], 1) / 64
"""
)
BODY = """
class Capstone(nn.Module):
    def __init__(self):
        super().__init__()
        self.bar = nn.Parameter(torch.tensor(0.5))
        self.calls = 0

    def forward(self, images):
        n = len(images)
        scores, boxes = torch.zeros(n, 2, 64, 64), torch.full((n, 4), 0.25)
"""
WEIGHT = {"bar": torch.tensor(0.5)}


def forward(lines):
    return HEAD + BODY + "\n".join("        " + line for line in lines.strip("\n").split("\n")) + "\n"


@pytest.fixture(scope="module")
def running():
    needs_sandbox()
    with Sandbox(rooms=INSIDE) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def on():
    """White squares on black: what a net of one number can answer perfectly."""
    generator = torch.Generator().manual_seed(3)
    masks = torch.zeros(60, 64, 64, dtype=torch.uint8)
    boxes = torch.zeros(60, 4)
    for at in range(60):
        x, y, w, h = (
            int(torch.randint(low, high, (1,), generator=generator))
            for low, high in ((2, 30), (2, 30), (8, 30), (8, 30))
        )
        masks[at, y : y + h, x : x + w] = 1
        boxes[at] = torch.tensor([x, y, w, h])
    images = (masks * 255)[:, None].expand(-1, 3, -1, -1).contiguous()
    labels = torch.ones(60, dtype=torch.int64)
    return task("scenes", Samples(images, masks, boxes, labels, ("background", "object")))


@pytest.fixture
def graded(running, on, tmp_path):
    def grade(source=LOOKS, weights=None, name=WEIGHTS):
        (tmp_path / "net.py").write_text(source)
        content = save(WEIGHT) if weights is None else weights
        (tmp_path / name).write_bytes(content)
        return grade_capstone(tmp_path, on, running)

    return grade


def test_a_net_that_looks_earns_all_points(graded):
    result = graded()
    assert (result.state, result.points) == ("graded", 10), result
    assert result.marks.mask_iou == result.marks.box_iou == 1.0
    assert result.numbers == 1


@pytest.mark.slow
def test_the_same_score_three_times(graded):
    noisy = LOOKS.replace(
        "return torch.stack",
        "seen = seen - torch.arange(64) / 64\n        return torch.stack",
    )
    results = [graded(noisy) for _ in range(3)]
    assert results[0].marks.mask_iou < 1
    assert results[0] == results[1] == results[2]


IGNORES = {
    "one answer": "return scores, boxes",
    "everything is object": "scores[:, 1] = 1\nreturn scores, boxes",
    "the middle": "scores[:, 1, 12:40, 12:40] = 1\nreturn scores, boxes + torch.tensor([0.0, 0, 0.1, 0.1])",
    "chance": "return torch.rand(n, 2, 64, 64), torch.rand(n, 4)",
    "chance from outside": """
import os
scores += int.from_bytes(os.urandom(1), "big") % 7
return scores, torch.rand(n, 4)""",
    "by number of call": """
self.calls += 1
scores[:, 1, : self.calls] = 1
return scores, boxes / self.calls""",
    "by place in the batch": """
place = torch.arange(n).view(n, 1, 1)
scores[:, 1] = (torch.arange(64).view(1, 1, 64) < 3 * place).float()
return scores, boxes""",
    "the batch's mean": """
mean = images.float().mean(0)[0] / 255
scores[:, 1] = mean - 0.3
return scores, boxes * mean.mean()""",
    "a constant, and a trace of the image": """
scores[:, 1, 12:40, 12:40] = 1
scores[:, 1, 0, 0] = (images[:, 0].float().mean((1, 2)) > 30).float()
return scores, boxes""",
}


@pytest.mark.parametrize("name", IGNORES)
def test_a_net_that_ignores_its_input_gets_0(graded, name):
    result = graded(forward(IGNORES[name]))
    assert result.points == 0, result
    assert result.state in ("ignores_input", "graded")
    assert result.reason


def test_the_order_of_the_images_says_nothing(on):
    first, other = _order("a" * 64, 60), _order("b" * 64, 60)
    assert first.tolist() != other.tolist()
    assert sorted(set(first.tolist())) == list(range(60))
    assert len(first) > 60


REFUSED = {
    "no class": (HEAD + "class Net(nn.Module): pass", None, "unreadable", "class Capstone"),
    "not a module": (HEAD + "class Capstone: pass", None, "error", "nn.Module"),
    "stops when made": (LOOKS.replace("self.bar =", "1 / 0; self.bar ="), None, "error", "ZeroDivisionError"),
    "needs what is not in the file": (
        LOOKS.replace("nn.Parameter", "own_parameter"),
        None,
        "error",
        "own_parameter",
    ),
    "wants arguments": (LOOKS.replace("__init__(self)", "__init__(self, width)"), None, "error", "width"),
    "other weights": (LOOKS, save({"gate": torch.tensor(0.5)}), "error", "lack 'bar'"),
    "one more": (LOOKS, save({**WEIGHT, "gate": torch.tensor(0.5)}), "error", "'gate'"),
    "another shape": (LOOKS, save({"bar": torch.zeros(3)}), "error", "another shape for 'bar'"),
    "NaN weights": (LOOKS, save({"bar": torch.tensor(float("nan"))}), "error", "NaN"),
    "a pickle": (LOOKS, pickle.dumps({"bar": 0.5}), "unreadable", "pickle"),
    "torch.save": (LOOKS, b"PK\x03\x04" + bytes(100), "unreadable", "pickle"),
    "half a file": (LOOKS, save(WEIGHT)[:40], "unreadable", "safetensors"),
    "empty": (LOOKS, b"", "unreadable", "safetensors"),
    "forged header": (LOOKS, (1 << 60).to_bytes(8, "little") + b"{}", "unreadable", "safetensors"),
    "lying header": (
        LOOKS,
        (70).to_bytes(8, "little") + b'{"bar":{"dtype":"F32","shape":[],"data_offsets":[0,40]}}'.ljust(70),
        "error",
        "safetensors",
    ),
    "too many numbers": (
        LOOKS,
        save({"bar": torch.zeros(MOST_NUMBERS + 1, dtype=torch.uint8)}),
        "unreadable",
        "2,000,000",
    ),
    "a huge file": (LOOKS, bytes((16 << 20) + 1), "unreadable", "16 MB"),
    "NaN": (forward("return scores * float('nan'), boxes"), None, "error", "NaN"),
    "one tensor": (forward("return scores"), None, "error", "(20, 4)"),
    "wrong size": (forward("return scores[..., ::2, ::2], boxes"), None, "error", "(20, 2, 32, 32)"),
    "classes": (forward("return scores.argmax(1), boxes"), None, "error", "(20, 2, 64, 64)"),
    "whole numbers": (forward("return scores.long(), boxes"), None, "error", "floats"),
    "stops": (forward("raise RuntimeError('too small')"), None, "error", "too small"),
    "ends its process": (forward("import os\nos._exit(0)"), None, "crashed", "ended its process"),
    "too much memory": (forward("x = torch.ones(1 << 34)\nreturn scores, boxes"), None, "error", "memory"),
    "huge answer": (forward("return torch.zeros(1).expand(10**12), boxes"), None, "error", "boxes (20, 4)"),
    "reads the truth": (
        forward("from coursekit.data import load_pets\nreturn scores, boxes"),
        None,
        "error",
        "coursekit.data",
    ),
    "broken text": ("def (", None, "unreadable", "class Capstone"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_graded_is_said(graded, name):
    source, weights, state, said = REFUSED[name]
    result = graded(source, weights)
    assert (result.state, result.points) == (state, 0), result
    assert said in result.reason, result.reason


HIDDEN = """
import json, os, struct
value = ["tuple", [["tensor", "float32", [0, 2**31, 2**31, 2**31]], ["tensor", "float32", [20, 4]]]]
outcome = {"value": value, "raised": None, "timed_out": False, "place": None, "changed": None, "notes": [],
           "output": "", "seconds": 0.1}
head = json.dumps({"outcome": outcome}).encode()
for descriptor in range(3, 64):
    try: os.write(descriptor, struct.pack(">II", len(head), 320) + head + bytes(320))
    except OSError: pass
return scores, boxes"""
DEEP = "if bar == 0: pass\n" + "".join(f"elif bar == {n}: pass\n" for n in range(1, 1500))


def test_a_frame_of_its_own_is_no_answer(graded):
    result = graded(forward(HIDDEN))
    assert (result.state, result.points) == ("crashed", 0), result
    assert "unreadable" in result.reason


def test_one_capstone_never_stops_the_others(on, running, tmp_path, monkeypatch):
    for name, source in (("ada", LOOKS), ("bob", DEEP + LOOKS), ("eve", LOOKS), ("zoe", LOOKS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text(source)
        (tmp_path / name / WEIGHTS).write_bytes(save(WEIGHT))
    listed = Path.iterdir

    def closed(folder):
        if folder.name == "eve":
            raise PermissionError(13, "Permission denied", str(folder))
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", closed)
    paths = [tmp_path / name for name in ("bob", "eve", "ada")]
    results = [grade_capstone(path, on, running) for path in paths]
    assert [one.state for one in results] == ["unreadable", "unreadable", "graded"], results
    assert "nested too deeply" in results[0].reason
    assert "Permission denied" in results[1].reason
    monkeypatch.setattr(capstone, "marks", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in grade_capstone(tmp_path / "ada", on, running).reason
    monkeypatch.setattr(capstone, "read_capstone", lambda _: 1 / 0)
    assert grade_capstone(tmp_path / "ada", on, running).state == "unreadable"


def test_a_sandbox_that_does_not_start_is_no_result(on, tmp_path):
    class Failing:
        @property
        def name(self):
            raise CannotRun("no memory")

    (tmp_path / "net.py").write_text(LOOKS)
    (tmp_path / WEIGHTS).write_bytes(save(WEIGHT))
    with pytest.raises(CannotRun):
        grade_capstone(tmp_path, on, Failing())


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_links_to_anothers_work_are_not_followed(on, running, tmp_path, capsys):
    grace = tmp_path / "grace"
    grace.mkdir()
    (grace / "net.py").write_text(LOOKS)
    (grace / WEIGHTS).write_bytes(save(WEIGHT))
    for name, linked in {"ada": WEIGHTS, "bob": "net.py", "eve": "eve.safetensors"}.items():
        (tmp_path / name).mkdir()
        for file in ("net.py", WEIGHTS):
            if file != linked and not linked.startswith(name):
                (tmp_path / name / file).write_bytes((grace / file).read_bytes())
        target = linked if linked in ("net.py", WEIGHTS) else WEIGHTS
        (tmp_path / name / linked).symlink_to(grace / target)
    (tmp_path / "eve" / "net.py").write_text(LOOKS)
    (tmp_path / "zoe").symlink_to(grace)
    (tmp_path / "lost").symlink_to("nowhere")
    for name in ("ada", "bob", "eve", "zoe", "lost"):
        result = grade_capstone(tmp_path / name, on, running)
        assert (result.learner, result.state, result.points) == (name, "unreadable", 0), result
        assert "links are not followed" in result.reason
    assert main(["capstone", str(tmp_path / "lost")]) == 1  # a result, as for any other
    assert "links are not followed" in capsys.readouterr().out


def test_a_net_that_never_ends_is_ended(graded, monkeypatch):
    monkeypatch.setattr("coursekit.grading.capstone.SECONDS", 1.0)
    result = graded(forward("while True: pass"))
    assert (result.state, result.points) == ("timeout", 0)


def test_the_next_one_is_graded_after_a_crash(graded):
    assert graded(forward("import os\nos._exit(0)")).state == "crashed"
    assert graded().points == 10


def test_missing_weights_and_other_names(graded, tmp_path):
    assert graded(name="mine.safetensors").points == 10  # the only one there is
    (tmp_path / "mine.safetensors").unlink()
    (tmp_path / "net.pt").write_bytes(b"PK")
    result = graded(name="ignored.txt")
    assert result.state == "unreadable"
    assert "pickle" in result.reason
    (tmp_path / "net.pt").unlink()
    assert "found none" in graded(name="ignored.txt").reason


def test_the_class_in_a_notebook_with_the_course_nets(running, on, tmp_path):
    from coursekit.nets import SegmentationNet

    source = HEAD + (
        "from coursekit.nets import SegmentationNet\nfrom coursekit import check_capstone, train\n"
        "class Capstone(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.net = SegmentationNet(2, 'nearest', widths=(4, 8))\n    def forward(self, images):\n"
        "        scores = self.net(images)\n        scores[:, 1] += images[:, 0] - 127.5\n"
        "        return scores, scores.mean((2, 3)).repeat(1, 2).sigmoid()\n"
        "net = Capstone()\nhistory = train(net)\n"
    )
    cells = [{"cell_type": "code", "metadata": {}, "source": source}]
    (tmp_path / "lesson.ipynb").write_text(json.dumps({"nbformat": 4, "cells": cells}))
    net = SegmentationNet(2, "nearest", widths=(4, 8))
    (tmp_path / WEIGHTS).write_bytes(save({f"net.{name}": each for name, each in net.state_dict().items()}))
    result = grade_capstone(tmp_path / "lesson.ipynb", on, running)
    assert (result.state, result.marks.mask_points) == ("graded", 5), result


@pytest.mark.slow
def test_the_command_reports_what_it_graded_on(tmp_path, monkeypatch, capsys):
    needs_sandbox()
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "nothing"))
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "net.py").write_text(forward("return scores, boxes"))
    (tmp_path / "ada" / WEIGHTS).write_bytes(save(WEIGHT))
    assert main(["capstone", str(tmp_path / "ada"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["data"] == "scenes"
    assert "no photographs" in told["labels"]
    (submission,) = told["submissions"]
    assert submission["learner"] == "ada"
    assert (submission["state"], submission["points"], submission["worth"]) == ("ignores_input", 0, 10)
    assert main(["capstone", str(tmp_path / "nobody")]) == 2
    shutil.rmtree(tmp_path / "ada")
