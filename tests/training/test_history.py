"""What a run shows of itself, the schedule it follows, and the command that starts one."""

import io
import json
import re
import sys
from xml.etree import ElementTree

import pytest
import torch

from coursekit.cli import main
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import History, fit, recipes
from coursekit.training.stopwatch import Progress, Stopwatch, one_cycle

KEYS = [
    "miou", "baseline_miou", "pixel_accuracy", "boundary_iou", "boundary_f1",
    "images_per_second", "train_seconds", "device",
]  # fmt: skip


@pytest.fixture(scope="module")
def history():
    scenes = load_scenes(8, size=16)
    return fit(SegmentationNet(5, widths=(2, 4)), scenes, scenes, steps=40)


def test_the_text_says_what_happened(history):
    text = repr(history)
    assert "finished after 40 steps of 8 images" in text
    assert f"{history.scores.miou:.3f}" in text
    assert f"baseline {history.scores.baseline_miou:.3f}" in text


def test_the_picture_is_whole_and_fetches_nothing(history):
    page = history._repr_html_()
    drawing = ElementTree.fromstring(re.search(r"<svg.*</svg>", page)[0])
    assert "mean IoU to" in drawing.get("aria-label")
    assert len(drawing.findall(".//polyline")) == 2
    assert len(drawing.findall(".//circle")) == len(history.evaluations)
    assert "http" not in page
    assert "nan" not in page


def test_a_run_of_nothing_shows_itself_too():
    empty = History("cpu", 8)
    assert "none yet" in repr(empty)
    assert "<svg" not in empty._repr_html_()
    assert empty.scores is None
    assert empty.images_per_second == 0


def test_notes_are_escaped():
    noted = History("cpu", 8, notes=["<script>"])
    assert "<script>" not in noted._repr_html_()


def test_the_cycle_climbs_for_a_quarter_and_falls_to_nearly_nothing():
    rates = [one_cycle(part / 100) for part in range(101)]
    assert rates[0] == pytest.approx(1 / 25)
    assert rates[25] == 1 == max(rates)
    assert rates[100] < 1e-5
    assert rates[:26] == sorted(rates[:26])
    assert rates[25:] == sorted(rates[25:], reverse=True)


@pytest.mark.slow
def test_the_cycle_is_torchs():
    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=1.0)
    steps = 201
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=steps, pct_start=0.25, cycle_momentum=False
    )
    # torch puts the top at step 0.25 * 201 - 1 and the end at step 200
    top = 0.25 * steps - 1
    for step in range(steps):
        part = step / top * 0.25 if step <= top else 0.25 + 0.75 * (step - top) / (steps - 1 - top)
        assert one_cycle(part) == pytest.approx(theirs.get_last_lr()[0], abs=1e-6)
        optimizer.step()
        if step < steps - 1:
            theirs.step()


def test_a_stopwatch_counts_pauses_apart():
    times = iter([0.0, 1.0, 4.0, 6.0])
    watch = Stopwatch(already=10, clock=lambda: next(times))
    with watch.paused():
        pass
    assert watch.apart == 3.0
    assert watch.seconds == 10 + 6 - 3


def test_seconds_left_by_budget_and_by_steps():
    assert Progress(None, 10.0, None, seconds=4).seconds_left == 6
    assert Progress(None, None, 40, step=10, seconds=5).seconds_left == 15


@pytest.fixture
def tiny_recipe(monkeypatch):
    scenes = load_scenes(8, size=16)
    monkeypatch.setattr(recipes, "recipe", lambda data: recipes.Recipe(scenes, scenes, None))


def test_the_command_prints_the_keys_that_other_programs_read(tiny_recipe, capsys):
    assert main(["train", "segmentation", "--upsampling", "nearest", "--budget", "0.2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == KEYS
    assert 0 <= report["miou"] <= 1
    assert report["device"] in ("cpu", "cuda")


def test_the_command_prints_a_table(tiny_recipe, capsys):
    assert main(["train", "segmentation", "--budget", "0.2", "--device", "cpu"]) == 0
    assert "mean IoU" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_the_command_without_its_gpu_could_not_run(tiny_recipe, capsys):
    assert main(["train", "segmentation", "--device", "cuda"]) == 2
    assert "got no GPU" in capsys.readouterr().err


def test_the_command_without_photographs_says_how_to_get_them(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path))
    assert main(["train", "segmentation", "--data", "pets"]) == 2
    assert "coursekit data download pets" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--budget", "0"], ["--budget", "soon"], ["--seed", "-1"], ["--upsampling", "x"]]
)
def test_options_that_cannot_be_end_with_2(arguments):
    with pytest.raises(SystemExit) as ended:
        main(["train", "segmentation", *arguments])
    assert ended.value.code == 2


def test_training_that_comes_to_no_number_found_something_wrong(tiny_recipe, monkeypatch):
    from coursekit.training import descending

    monkeypatch.setattr(
        descending.Descent, "_loss_of", lambda self, *_: torch.full((), torch.nan, requires_grad=True) * 1
    )
    assert main(["train", "segmentation", "--budget", "0.2"]) == 1


def test_a_terminal_gets_a_bar_and_a_file_does_not(monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return self.person

    scenes = load_scenes(4, size=16)
    for person in (True, False):
        screen = Screen()
        screen.person = person
        monkeypatch.setattr(sys, "stderr", screen)
        fit(SegmentationNet(5, widths=(2, 4)), scenes, steps=3)
        assert ("training" in screen.getvalue()) == person
        assert ("s left" in screen.getvalue()) == person
