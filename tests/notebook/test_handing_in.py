"""The capstone in a notebook: what check and save say, and that the grader agrees with the check."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from coursekit import check_capstone, lecture_map, save_capstone
from coursekit.curriculum import LESSONS, PLAN
from coursekit.data import Samples
from coursekit.handing_in import capstone_photographs
from coursekit.notes import Mistake


class Capstone(nn.Module):
    """Gives what it is told to give, mixed with the image."""

    def __init__(self, change=lambda scores, boxes: (scores, boxes)):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self.change = change

    def forward(self, images):
        grey = self.gain * (images[:, 0].float() - 127.5)
        boxes = grey.abs().mean((1, 2))[:, None].expand(-1, 4) / 256
        return self.change(torch.stack([-grey, grey], 1), boxes)


@pytest.fixture
def own():
    images = torch.randint(
        0, 256, (30, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )
    masks = (images[:, 0] > 127).to(torch.uint8)
    boxes = torch.tensor([[0.0, 0.0, 16.0, 16.0]]).repeat(30, 1)
    return Samples(images, masks, boxes, torch.ones(30, dtype=torch.int64), ("background", "object"))


def test_a_check_counts_points_and_names_the_next(own: Samples) -> None:
    net = Capstone().train()
    told = check_capstone(net, own)
    assert told.marks.mask_points == 5
    assert told.marks.mask_iou == 1.0
    assert net.training
    assert "5 points;" in repr(told)
    assert "○" in told._repr_html_()
    assert told.numbers == 1


BROKEN = {
    "one tensor": (lambda scores, boxes: scores, "boxes (20, 4)"),
    "corners only": (lambda scores, boxes: (scores, boxes[:, :2]), "(20, 4)"),
    "NaN": (lambda scores, boxes: (scores / 0, boxes), "NaN"),
    "argmax": (lambda scores, boxes: (scores.argmax(1), boxes), "(20, 2, 16, 16)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_could_not_be_graded_is_said_before_it_is_handed_in(name: str, own: Samples) -> None:
    change, said = BROKEN[name]
    with pytest.raises(Mistake, match=said.replace("(", r"\(").replace(")", r"\)")):
        check_capstone(Capstone(change), own)


def test_a_net_that_does_not_look_is_told_so(own: Samples, capsys: pytest.CaptureFixture[str]) -> None:
    told = check_capstone(Capstone(lambda scores, boxes: (scores * 0, boxes * 0)), own)
    assert told.marks.points == 0
    assert "does not look" in capsys.readouterr().out


def test_saved_weights_are_safetensors_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "nothing"))
    net = Capstone()
    note = save_capstone(net, tmp_path / "capstone.safetensors")
    assert "coursekit capstone" in repr(note)
    assert load_file(tmp_path / "capstone.safetensors").keys() == {"gain"}
    with pytest.raises(Mistake, match="class Capstone"):
        save_capstone(nn.Linear(1, 1), tmp_path / "other.safetensors")
    with pytest.raises(Mistake, match="NaN"):
        save_capstone(Capstone(lambda scores, boxes: (scores / 0, boxes)), tmp_path / "other.safetensors")
    assert not (tmp_path / "other.safetensors").exists()


def test_without_photographs_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "nothing"))
    practice, own = capstone_photographs()
    told = capsys.readouterr().out
    assert "no photographs" in told
    assert "download" in told
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    capstone_photographs()
    told = capsys.readouterr().out
    assert "drawn scenes" in told
    assert "download" not in told, "a visitor has no terminal"
    assert practice.classes == own.classes == ("background", "object")
    assert int(practice.masks.max()) == 1


def test_the_map_shows_every_way_and_links_its_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(LESSONS[0].path.parent)
    shown = lecture_map()
    lessons = {planned.id[:2] for planned in PLAN}
    assert {way.lesson for way in shown.ways} <= lessons
    learned = {name: numbers for name, (numbers, _, _) in shown.facts.items()}
    assert learned["none"] == 0 < learned["nearest"] == learned["bilinear"] < learned["transposed"]
    assert shown.facts["none"][1] > max(work for name, (_, work, _) in shown.facts.items() if name != "none")
    page = shown._repr_html_()
    assert f'href="{LESSONS[5].id}.ipynb"' in page
    grids = {way.title: way.grid for way in shown.ways}
    assert grids["Nearest neighbour"][0] == [1, 1, 2, 2]
    assert sum(map(sum, grids["Max unpooling"])) == 10
    assert grids["Pixel shuffle"][0] == [1, 2, 1, 2]
