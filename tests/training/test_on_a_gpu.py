"""What a GPU gets: the fastest way that is right, said in the history. The rules are tested without one."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import cross_entropy, fit, precision
from coursekit.training.batches import Batches
from coursekit.training.crew import Alone
from coursekit.training.descending import Descent
from coursekit.training.given import Given
from coursekit.training.history import History
from coursekit.training.precision import PLAIN, Way, all_known, chosen, eager, fastest

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
GRAPH, BF16, BOTH = Way(graph=True), Way(bf16=True), Way(True, True)
CPU = torch.device("cpu")


def small_net(**settings) -> SegmentationNet:
    return SegmentationNet(5, widths=(4, 8), **settings)


class OwnLayer(nn.Module):
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({PLAIN: 1.0, GRAPH: 0.5, BF16: 0.8, BOTH: 0.4}, BOTH),
        ({PLAIN: 1.0, GRAPH: 0.95, BF16: 1.2, BOTH: 0.97}, PLAIN),
        ({PLAIN: 1.0, GRAPH: math.inf, BF16: 0.7, BOTH: math.inf}, BF16),
        ({PLAIN: 1.0, GRAPH: math.inf}, PLAIN),
    ],
)
def test_the_fastest_way_is_taken_where_it_saves_enough(seconds, best):
    assert fastest(seconds) == best


def test_what_was_chosen_is_said_with_what_it_saves():
    seconds = {PLAIN: 4e-3, GRAPH: 1e-3, BF16: 5e-3, BOTH: math.inf}
    way, note = chosen(small_net(), cross_entropy, False, seconds.__getitem__, True)
    assert way == GRAPH
    assert "fp32, replayed as a CUDA graph: 1.00 ms" in note
    assert "fp32, eager 4.00 ms" in note
    assert "not possible here: bf16, replayed as a CUDA graph" in note


def test_a_gpu_without_bf16_is_not_asked_for_it_and_that_is_said():
    tried = []
    _, note = chosen(small_net(), cross_entropy, False, lambda way: tried.append(way) or 1.0, False)
    assert tried == [PLAIN, GRAPH]
    assert "not possible here: bf16, which this GPU does not have." in note


def test_steps_and_parts_of_ones_own_are_never_measured():
    def never(way):
        raise AssertionError(way)

    way, note = chosen(small_net(), cross_entropy, True, never, True)
    assert way == PLAIN
    assert "steps=" in note
    way, note = chosen(nn.Sequential(small_net(), OwnLayer()), cross_entropy, False, never, True)
    assert way == PLAIN
    assert "your own" in note


def test_only_known_parts_are_replayed():
    assert all_known(small_net(), cross_entropy)
    assert all_known(nn.Sequential(SegmentationNet(5, "unet", widths=(4, 8)), nn.Dropout(0.2)), cross_entropy)
    assert not all_known(small_net(), lambda logits, masks: cross_entropy(logits, masks))
    hooked = small_net()
    hooked.head.register_forward_hook(lambda *_: None)
    assert not all_known(hooked, cross_entropy)


def descent(history: History) -> Descent:
    scenes = load_scenes(8, size=16)
    batches = Batches(Given(scenes.images, scenes.masks, ()), 4, 0, CPU, None)
    return Descent(small_net(), batches, cross_entropy, 0, Alone(), history, exact=False)


def test_the_plain_way_is_the_step_of_the_cpu():
    usual, plain = descent(History("cpu", 4)), descent(History("cpu", 4))
    loss = usual.gradients_of(3)
    images, masks = plain.batches.of_step(3)
    assert torch.equal(loss, eager(plain.net, PLAIN, images, masks, None))
    pairs = zip(usual.parameters, plain.parameters, strict=True)
    assert all(torch.equal(mine.grad, theirs.grad) for mine, theirs in pairs)


def test_a_graph_that_cannot_be_recorded_is_said_and_the_run_goes_on(monkeypatch):
    seconds = {PLAIN: 2.0, GRAPH: 1.0, BF16: 2.0, BOTH: 2.0}
    monkeypatch.setattr(precision, "seconds_of", lambda net, way, batch: seconds[way])
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)

    def fails(*arguments):
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    monkeypatch.setattr(precision, "captured", fails)
    history = History("cuda", 4)
    mine = descent(history)
    mine._choose(*mine.batches.of_step(1), None)
    assert mine.fast is None
    assert "replayed as a CUDA graph" in history.notes[0]
    assert "That failed (operation not permitted when stream is capturing)" in history.notes[1]


def frozen(net, way, images, masks, weight):
    """A graph gone wrong: it replays the images that it was recorded with, whatever it is given."""
    return lambda *others: eager(net, PLAIN, images, masks, weight)


def test_a_graph_that_replays_the_wrong_thing_is_not_used(monkeypatch):
    seconds = {PLAIN: 2.0, GRAPH: 1.0, BF16: 2.0, BOTH: 2.0}
    monkeypatch.setattr(precision, "seconds_of", lambda net, way, batch: seconds[way])
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(precision, "captured", frozen)
    history = History("cuda", 4)
    mine = descent(history)
    before = {name: each.clone() for name, each in mine.net.state_dict().items()}
    mine._choose(*mine.batches.of_step(1), None)
    assert mine.fast is None
    assert "its gradients are others" in history.notes[1]
    assert all(torch.equal(each, before[name]) for name, each in mine.net.state_dict().items())
    assert all(each.grad is None for each in mine.net.parameters())


def test_a_right_graph_is_used(monkeypatch):
    seconds = {PLAIN: 2.0, GRAPH: 1.0, BF16: 2.0, BOTH: 2.0}
    monkeypatch.setattr(precision, "seconds_of", lambda net, way, batch: seconds[way])
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    right = lambda net, way, *batch: lambda *others: eager(net, PLAIN, *others)  # noqa: E731
    monkeypatch.setattr(precision, "captured", right)
    history = History("cuda", 4)
    mine = descent(history)
    mine._choose(*mine.batches.of_step(1), None)
    assert mine.fast is not None
    assert len(history.notes) == 1


# --- with a GPU -------------------------------------------------------------------------------------


@cuda
@pytest.mark.parametrize("way", [PLAIN, GRAPH, BF16, BOTH], ids=str)
@pytest.mark.parametrize("upsampling", ["transposed", "max_unpool", "unet"])
def test_every_way_gives_the_gradients_of_the_plain_one(way, upsampling):
    scenes = load_scenes(16, size=32)
    first, second = ((scenes.images[n : n + 8].cuda(), scenes.masks[n : n + 8].cuda(), None) for n in (0, 8))
    mine, theirs = (SegmentationNet(5, upsampling, widths=(4, 8), norm="group").cuda() for _ in range(2))
    step = precision.made(mine, way, first)
    for batch in (first, second, first):
        loss, wanted = step(*batch), eager(theirs, PLAIN, *batch)
        assert float(loss) == pytest.approx(float(wanted), rel=0.02)
        for one, other in zip(mine.parameters(), theirs.parameters(), strict=True):
            error = (one.grad - other.grad).norm() / (other.grad.norm() + 1e-6)
            assert error < (0.2 if way.bf16 else 1e-3)
            one.grad = other.grad = None


@cuda
def test_recording_a_graph_moves_no_running_average():
    net = small_net().cuda()
    before = {name: each.clone() for name, each in net.named_buffers()}
    scenes = load_scenes(8, size=32)
    precision.captured(net, GRAPH, scenes.images.cuda(), scenes.masks.cuda(), None)
    assert all(torch.equal(each, before[name]) for name, each in net.named_buffers())


@cuda
def test_a_budget_on_a_gpu_says_which_way_it_took_and_learns():
    scenes = load_scenes(64, size=32)
    history = fit(small_net(), scenes, scenes, budget=5, device="cuda")
    assert any(note.startswith("Steps ran in") for note in history.notes)
    assert history.losses[-1].loss < 0.7 * history.losses[0].loss
    assert history.scores.miou > history.scores.baseline_miou


@cuda
def test_steps_on_a_gpu_run_plainly_and_say_so():
    history = fit(small_net(), load_scenes(8, size=16), steps=3, device="cuda")
    assert any("with steps= nothing depends on a measurement" in note for note in history.notes)
