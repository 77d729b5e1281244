"""A bake-off trains all alike, ranks what is clearly better, and calls the rest a tie."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from coursekit.data import load_scenes
from coursekit.training import BakeOff, bake_off, evaluate, fit, running
from coursekit.training.bakeoff_file import read, stored_tables, write
from coursekit.training.standings import Row, Run


def table(**mious: tuple[float, ...]) -> BakeOff:
    """A bake-off with these numbers; by edges everybody is alike."""
    rows = tuple(
        Row(name, 10, tuple(Run(name, seed, miou, 0.5, 0.5, 7, 100.0) for seed, miou in enumerate(values)))
        for name, values in mious.items()
    )
    return BakeOff(rows, "7 steps each", 0.1, {"torch": "9.9"})


@pytest.fixture(scope="module")
def scenes():
    return load_scenes(24)


# --- what is better, and what is a tie -------------------------------------------------------------


def test_only_runs_that_do_not_overlap_are_clearly_better():
    bake = table(good=(0.8, 0.9, 0.85), close=(0.7, 0.81, 0.6), bad=(0.1, 0.2, 0.3))
    assert bake.beats("good", "bad")
    assert not bake.beats("bad", "good")
    assert not bake.beats("good", "close")
    assert [(each.row.method, each.place, each.ties) for each in bake.ranking()] == [
        ("good", 1, ("close",)),
        ("close", 1, ("good",)),
        ("bad", 3, ()),
    ]
    assert bake.best() == ["good", "close"]


def test_equal_numbers_are_a_tie():
    bake = table(one=(0.5, 0.6, 0.7), other=(0.7, 0.8, 0.9))
    assert not bake.beats("other", "one")  # 0.7 is not better than 0.7
    assert bake.best("boundary_f1") == ["one", "other"]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_few_runs_call_nothing_better(runs):
    bake = table(high=(0.9,) * runs, low=(0.1,) * runs)
    assert [each.place for each in bake.ranking()] == [1, 1]
    assert "luck" in bake.verdict()


def test_one_method_with_too_few_runs_ties_with_all():
    bake = table(whole=(0.9, 0.9, 0.9), cut=(0.1, 0.1))
    assert bake.best() == ["whole", "cut"]
    assert bake.runs_each == 2


def test_luck_is_the_share_of_orders_in_which_equal_methods_come_apart():
    bake = table(one=(0.1, 0.2, 0.3), other=(0.4, 0.5, 0.6))
    torch.manual_seed(0)
    draws = torch.rand(20_000, 2, 3).sort(-1).values
    apart = (draws[:, 0, 0] > draws[:, 1, 2]) | (draws[:, 1, 0] > draws[:, 0, 2])
    assert bake.luck == pytest.approx(float(apart.float().mean()), abs=0.01)


def test_ranking_asks_for_a_figure_that_there_is():
    with pytest.raises(ValueError, match="boundary_f1"):
        table(one=(0.1,)).ranking("beauty")
    with pytest.raises(KeyError, match="one"):
        table(one=(0.1,)).row("two")


# --- training --------------------------------------------------------------------------------------


def test_each_run_is_what_fit_gives_alone(scenes):
    from coursekit.nets import SegmentationNet

    bake = bake_off(["nearest", "unet"], scenes[:16], scenes[16:], steps=3, seeds=[2, 5])
    net = SegmentationNet(5, "unet", seed=5)
    fit(net, scenes[:16], steps=3, seed=5)
    alone = evaluate(net, scenes[16:])
    run = bake.row("unet").runs[1]
    assert (run.seed, run.miou, run.boundary_f1) == (5, alone.miou, alone.boundary_f1)
    assert bake.baseline == alone.baseline_miou


def test_a_layer_of_ones_own_and_the_nets_settings_are_methods_too(scenes):
    def layer(inputs, outputs):
        return nn.ConvTranspose2d(inputs, outputs, 2, stride=2)

    told = []
    bake = bake_off(
        {"own": layer, "narrow": {"upsampling": "nearest", "widths": (4, 8)}},
        (scenes.images, scenes.masks),
        (scenes.images, scenes.masks),
        steps=1,
        seeds=1,
        refine=True,
        on_result=told.append,
    )
    assert [run.method for run in told] == ["own", "narrow"]
    assert bake.row("narrow").parameters < bake.row("own").parameters
    assert "3x3" in bake.terms


def test_all_get_the_same_seconds(scenes, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(running, "clock", lambda: now[0])

    def a_step_passes(progress):
        now[0] += 0.5

    bake = bake_off(["nearest", "bilinear"], scenes, scenes[:4], budget=4, seeds=1, on_step=a_step_passes)
    assert [row.runs[0].steps for row in bake.rows] == [8, 8]
    assert bake.terms.startswith("4 s")


def test_stopping_keeps_what_was_finished(scenes):
    seen = set()

    def stop_the_third(progress):
        seen.add(id(progress.net))
        if len(nets) == 2:
            progress.stop()

    nets = []
    bake = bake_off(
        ["nearest", "bilinear"], scenes, scenes[:4], steps=2, on_step=stop_the_third, on_result=nets.append
    )
    assert [len(row.runs) for row in bake.rows] == [1, 1]


@pytest.mark.parametrize(
    ("methods", "seeds", "error"), [("unet", 1, TypeError), ([], 1, TypeError), (["unet"], 0, ValueError)]
)
def test_what_makes_no_bake_off_is_refused(scenes, methods, seeds, error):
    with pytest.raises(error, match="Try"):
        bake_off(methods, scenes, scenes, steps=1, seeds=seeds)


# --- the table and the file ------------------------------------------------------------------------


def test_a_table_comes_back_from_its_file(tmp_path):
    file = tmp_path / "bakeoff.json"
    write({"a": table(one=(0.1, 0.2, 0.3)), "b": table(two=(0.4,))}, file)
    write({"b": table(three=(0.5,))}, file)  # "a" stays
    assert read("a", file).row("one").values() == [0.1, 0.2, 0.3]
    again = BakeOff.load("b", file)
    assert (again.best(), again.terms, again.facts) == (["three"], "7 steps each", {"torch": "9.9"})
    with pytest.raises(KeyError, match="a, b"):
        read("c", file)


def test_a_file_that_is_missing_or_broken_says_what_to_do(tmp_path):
    file = tmp_path / "bakeoff.json"
    with pytest.raises(FileNotFoundError, match="segmentation_quality"):
        read("a", file)
    for text in ("{", json.dumps({"version": 99})):
        file.write_text(text)
        with pytest.raises(ValueError, match="Try"):
            read("a", file)


def test_the_measured_tables_hold_what_the_lesson_asks_for():
    text = stored_tables().read_text()
    seconds, steps = BakeOff.load("scenes-seconds"), BakeOff.load("scenes-steps")
    assert {"none", "nearest", "mine", "mine with skips", "unet"} <= {row.method for row in seconds.rows}
    assert {"transposed k3", "nearest"} <= {row.method for row in steps.rows}
    for bake in (seconds, steps):
        assert bake.runs_each >= 3
        assert {"machine", "torch", "samples"} <= set(bake.facts)
        assert all(0 <= value <= 1 for row in bake.rows for value in row.values())
    assert "/" not in seconds.facts["machine"]
    assert "NaN" not in text


def test_a_run_far_below_the_others_does_not_squeeze_them():
    near = {f"near {number}": (0.80 + number / 50, 0.81, 0.82) for number in range(5)}
    bake = table(far=(0.1, 0.1, 0.1), **near)
    page = bake._repr_html_()
    assert page.count('class="off"') == 3  # by mean IoU; by edges all are alike
    assert page.count("<circle") == 2 * 18 - 3


def test_the_table_shows_every_run_and_escapes_names():
    page = table(**{"<b>one": (0.1, 0.2, 0.4), "two": (0.5, 0.6, 0.7)})._repr_html_()
    assert page.count("<circle") == 2 * 6
    assert "<b>one" not in page
    assert "&lt;b&gt;one" in page
    assert "0.200" in page
    assert "No net" in BakeOff((), "1 s each")._repr_html_()
    assert "two" in repr(table(two=(0.5,)))
