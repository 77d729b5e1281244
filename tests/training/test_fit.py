"""`fit` ends on time, ends alike, and ends well however it ends."""

import os
import signal
import threading

import pytest
import torch
from torch import nn

from coursekit.data import Samples, load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import checkpoints, evaluate, fit, load_weights, running
from coursekit.training.losses import cross_entropy


@pytest.fixture(scope="module")
def scenes():
    return load_scenes(24, seed=3, size=32)


def small_net(**settings):
    return SegmentationNet(5, widths=(4, 8), **settings)


def numbers(net):
    return torch.cat([each.detach().flatten().float() for each in net.state_dict().values()])


class FakeClock:
    """Time passes only when someone says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    fake = FakeClock()
    monkeypatch.setattr(running, "clock", fake)
    return fake


# --- the same every time ---------------------------------------------------------------------------


def test_steps_and_a_seed_give_the_same_weights_bit_for_bit(scenes):
    first, second, other = small_net(), small_net(), small_net()
    fit(first, scenes, steps=12, seed=4)
    torch.rand(7)  # what the rest of the program draws makes no difference
    fit(second, scenes, scenes[:4], steps=12, seed=4)  # nor does evaluation
    fit(other, scenes, steps=12, seed=5)
    assert torch.equal(numbers(first), numbers(second))
    assert not torch.equal(numbers(first), numbers(other))


def test_dropout_draws_from_the_seed_too(scenes):
    nets = [nn.Sequential(small_net(), nn.Dropout(0.5)) for _ in range(2)]
    for net in nets:
        fit(net, scenes, steps=5)
    assert torch.equal(numbers(nets[0]), numbers(nets[1]))


def test_random_numbers_and_threads_of_the_program_are_left_alone(scenes):
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    threads = torch.get_num_threads()
    fit(small_net(), scenes, steps=2)
    assert torch.equal(torch.rand(4), expected)
    assert torch.get_num_threads() == threads
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_net_comes_back_ready_to_predict(scenes):
    net = small_net()
    fit(net, scenes, steps=2)
    assert not net.training
    assert all(each.grad is None for each in net.parameters())


# --- it learns -------------------------------------------------------------------------------------


def test_one_scene_is_learned_by_heart(scenes):
    one = scenes[:1]
    net = SegmentationNet(5, "unet", widths=(8, 16))
    history = fit(net, one, one, steps=150, augment=None)
    assert history.scores.miou > 0.9 > 2 * history.scores.baseline_miou
    assert history.losses[-1].loss < 0.1 * history.losses[0].loss


def test_a_loss_of_ones_own_is_used(scenes):
    seen = []

    def mine(logits, masks):
        seen.append((tuple(logits.shape), tuple(masks.shape)))
        return cross_entropy(logits, masks)

    fit(small_net(), scenes, steps=2, batch=6, loss=mine)
    assert seen == [((6, 5, 32, 32), (6, 32, 32))] * 2


def test_ignored_pixels_teach_nothing(scenes):
    spoilt = scenes.masks.clone()
    ignored = torch.zeros_like(spoilt, dtype=torch.bool)
    ignored[:, :16] = True
    spoilt[ignored] = 255
    nets = []
    for hidden in (0, 4):  # whatever the truth below the ignored pixels was
        net = small_net()
        under = torch.where(ignored, torch.full_like(spoilt, hidden), scenes.masks)
        fit(net, (scenes.images, torch.where(ignored, 255, under).to(torch.uint8)), steps=3)
        nets.append(net)
    assert torch.equal(numbers(nets[0]), numbers(nets[1]))
    assert float(cross_entropy(torch.randn(1, 3, 2, 2), torch.full((1, 2, 2), 255))) == 0


# --- the budget ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "step"), [(5, 0.05), (5, 1.7), (20, 0.3), (60, 0.5), (60, 1.7)])
def test_a_budget_is_kept_whatever_a_step_costs(scenes, clock, budget, step):
    def passes(progress):
        clock.now += step

    tiny = SegmentationNet(5, "none", widths=(1,))
    history = fit(tiny, scenes[:2], budget=budget, on_step=passes, batch=1)
    assert budget - 2 * step <= history.train_seconds <= 1.05 * budget


def test_evaluation_is_counted_apart(scenes, clock, monkeypatch):
    real = running.score

    def slow(net, given):
        clock.now += 1000
        return real(net, given)

    monkeypatch.setattr(running, "score", slow)

    def passes(progress):
        clock.now += 1

    history = fit(small_net(), scenes[:4], scenes[4:6], budget=20, on_step=passes, batch=2)
    assert 19 <= history.train_seconds <= 21
    assert history.evaluation_seconds == 1000 * len(history.evaluations) > 5000
    assert "counted apart" in repr(history)


def test_the_rate_follows_the_time_used(scenes, clock, monkeypatch):
    rates = []
    real = running.AdamW.step
    monkeypatch.setattr(running.AdamW, "step", lambda self, rate: (rates.append(rate), real(self, rate))[1])

    def passes(progress):
        clock.now += 1

    fit(small_net(), scenes[:4], budget=40, on_step=passes, batch=2, rate=0.5)
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.5)
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] < 0.006
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)


def test_fast_mode_shortens_a_budget(scenes, clock, monkeypatch):
    monkeypatch.setenv("COURSEKIT_FAST", "1")

    def passes(progress):
        clock.now += 0.1

    assert fit(small_net(), scenes[:4], budget=60, on_step=passes).train_seconds <= 1.05


# --- interrupted -----------------------------------------------------------------------------------


def test_ctrl_c_ends_after_the_step_it_comes_in(scenes):
    def press(progress):
        if progress.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    net, untouched = small_net(), small_net()
    history = fit(net, scenes, scenes[:4], steps=50, on_step=press)
    assert history.interrupted
    assert history.steps == 3
    assert history.scores is not None
    assert not torch.equal(numbers(net), numbers(untouched))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_in_the_middle_of_a_step_leaves_that_step_whole(scenes):
    calls = []

    def loss(logits, masks):
        calls.append(1)
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGINT)
        return cross_entropy(logits, masks)

    interrupted, three = small_net(), small_net()
    assert fit(interrupted, scenes, steps=6, loss=loss).steps == 3
    stop_at_3 = lambda progress: progress.stop() if progress.step == 3 else None  # noqa: E731
    fit(three, scenes, steps=6, on_step=stop_at_3)
    assert torch.equal(numbers(interrupted), numbers(three))


@pytest.mark.parametrize("place", ["loss", "on_step", "augment"])
def test_an_interrupt_raised_anywhere_keeps_the_net(scenes, place):
    def raises(*arguments):
        raise KeyboardInterrupt

    net = small_net()
    history = fit(net, scenes, steps=5, **{place: raises})
    assert history.interrupted
    assert numbers(net).isfinite().all()
    assert not net.training


def test_a_second_ctrl_c_does_not_wait(scenes):
    def press_twice(progress):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    assert fit(small_net(), scenes, steps=5, on_step=press_twice).interrupted


def test_a_run_in_another_thread_leaves_ctrl_c_alone(scenes):
    histories = []
    thread = threading.Thread(target=lambda: histories.append(fit(small_net(), scenes, steps=2)))
    thread.start()
    thread.join()
    assert histories[0].steps == 2


# --- numbers that are none -------------------------------------------------------------------------


def test_a_loss_that_becomes_nan_ends_the_run_with_finite_weights(scenes):
    calls = []

    def loss(logits, masks):
        calls.append(1)
        return cross_entropy(logits, masks) * (float("nan") if len(calls) > 15 else 1)

    net = small_net()
    history = fit(net, scenes, scenes[:4], steps=100, loss=loss)
    assert history.diverged
    assert history.steps < 40
    assert numbers(net).isfinite().all()
    assert not torch.equal(numbers(net), numbers(small_net()))  # what was learned before is kept
    assert "Expected a loss that is a number" in history.notes[0]
    assert "rate=0.005" in history.notes[0]


@pytest.mark.parametrize("when", [2, 10, 11, 19, 20])
def test_a_gradient_that_is_infinite_does_no_harm_either(scenes, when):
    """The loss of that step is finite; its weights are not, and the run may end before any loss tells."""
    calls = []

    def loss(logits, masks):
        calls.append(1)
        spoilt = (logits * 0).square().sum().sqrt() if len(calls) == when else 0  # 0 with a gradient of NaN
        return cross_entropy(logits, masks) + spoilt

    net = small_net()
    history = fit(net, scenes, steps=20, loss=loss)
    assert history.diverged
    assert numbers(net).isfinite().all()


# --- checkpoints -----------------------------------------------------------------------------------


def test_a_run_taken_up_again_ends_as_if_nothing_had_happened(scenes, tmp_path):
    whole, parts = nn.Sequential(small_net(), nn.Dropout(0.2)), nn.Sequential(small_net(), nn.Dropout(0.2))
    fit(whole, scenes, steps=30)
    path = tmp_path / "deep" / "run"

    def stop(progress):
        if progress.step in (7, 13):
            progress.stop()

    for ends_at in (7, 13, 30):
        again = nn.Sequential(small_net(seed=9), nn.Dropout(0.2)) if ends_at > 7 else parts
        history = fit(again, scenes, steps=30, checkpoint=path, resume=True, on_step=stop)
        assert history.steps == ends_at
    assert torch.equal(numbers(whole), numbers(again))
    assert path.with_suffix(".safetensors").exists()
    assert path.with_suffix(".json").exists()


def test_weights_come_back_from_a_checkpoint(scenes, tmp_path):
    net, other = small_net(), small_net(seed=8)
    fit(net, scenes, steps=3, checkpoint=tmp_path / "run")
    load_weights(other, tmp_path / "run")
    assert torch.equal(numbers(net), numbers(other))
    before = numbers(wrong := SegmentationNet(5, "unet", widths=(4, 8)))
    with pytest.raises(ValueError, match=r"Expected .*; got .*Try "):
        load_weights(wrong, tmp_path / "run")
    assert torch.equal(before, numbers(wrong))


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(scenes, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    fit(small_net(), scenes, steps=2, checkpoint=tmp_path / "run")
    kept = (tmp_path / "run.safetensors").read_bytes()
    monkeypatch.setattr(checkpoints.os, "fsync", full)
    monkeypatch.setattr(running, "SAVE_EVERY", -1.0)
    net = small_net()
    history = fit(net, scenes, steps=25, checkpoint=tmp_path / "run")
    assert history.steps == 25
    assert not history.interrupted
    assert len(history.notes) == 1
    assert "No space left on device" in history.notes[0]
    assert (tmp_path / "run.safetensors").read_bytes() == kept
    assert sorted(each.name for each in tmp_path.glob("run*")) == ["run.json", "run.safetensors"]
    assert not list(tmp_path.glob(".run*"))
    assert evaluate(net, scenes[:2]).images == 2


def test_what_a_killed_process_left_is_swept_away_and_what_another_writes_now_is_not(scenes, tmp_path):
    old, fresh = tmp_path / ".run.safetensors.1", tmp_path / ".run.safetensors.2"
    for each in (old, fresh):
        each.write_text("half")
    os.utime(old, (1, 1))
    fit(small_net(), scenes, steps=1, checkpoint=tmp_path / "run")
    assert not old.exists()
    assert fresh.exists()


def test_a_folder_that_cannot_be_is_a_note(scenes, tmp_path):
    (tmp_path / "file").write_text("in the way")
    history = fit(small_net(), scenes, steps=2, checkpoint=tmp_path / "file" / "run")
    assert history.steps == 2
    assert "Expected to write the checkpoint" in history.notes[0]


def test_another_runs_checkpoint_is_refused_and_a_broken_one_too(scenes, tmp_path):
    fit(small_net(), scenes, steps=2, checkpoint=tmp_path / "run")
    with pytest.raises(ValueError, match=r"Expected .*steps=3.*; got steps=2.*Try "):
        fit(small_net(), scenes, steps=3, checkpoint=tmp_path / "run", resume=True)
    file = tmp_path / "run.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"Expected a checkpoint that fit wrote; got .*Try "):
        fit(small_net(), scenes, steps=2, checkpoint=tmp_path / "run", resume=True)


def test_out_of_memory_halves_the_batch_and_says_so(scenes):
    def loss(logits, masks):
        if len(logits) > 2:
            raise torch.OutOfMemoryError("too much")
        return cross_entropy(logits, masks)

    history = fit(small_net(), scenes, steps=3, batch=8, loss=loss)
    assert history.steps == 3
    assert history.batch == 2
    assert history.images == 6
    assert any("4 images" in note for note in history.notes)


# --- what cannot be --------------------------------------------------------------------------------


def broken_samples(scenes):
    images = scenes.images.float() / 255
    images[2, 0, 1, 1] = float("nan")
    return images, scenes.masks


BAD = {
    "no data": lambda s: ((small_net(), s[:0]), {}),
    "NaN pixels": lambda s: ((small_net(), broken_samples(s)), {}),
    "other classes": lambda s: ((SegmentationNet(3, widths=(4,)), s), {}),
    "other classes in valid": lambda s: ((SegmentationNet(5, widths=(4,)), s, (s.images, s.masks + 7)), {}),
    "masks of another size": lambda s: ((small_net(), (s.images, s.masks[:, :5])), {}),
    "masks of floats": lambda s: ((small_net(), (s.images, s.masks.float())), {}),
    "no samples": lambda s: ((small_net(), 3), {}),
    "no net": lambda s: (("net", s), {}),
    "a class for a net": lambda s: ((SegmentationNet, s), {}),
    "no budget": lambda s: ((small_net(), s), {"budget": 0}),
    "endless": lambda s: ((small_net(), s), {"budget": float("inf")}),
    "no steps": lambda s: ((small_net(), s), {"steps": 0}),
    "half a step": lambda s: ((small_net(), s), {"steps": 1.5}),
    "no batch": lambda s: ((small_net(), s), {"batch": 0}),
    "no seed": lambda s: ((small_net(), s), {"seed": None}),
    "no rate": lambda s: ((small_net(), s), {"rate": -1}),
    "a device of fancy": lambda s: ((small_net(), s), {"device": "gpu"}),
    "a loss that is none": lambda s: ((small_net(), s), {"loss": "cross_entropy"}),
    "a loss of many numbers": lambda s: (
        (small_net(), s),
        {"loss": lambda logits, masks: logits, "steps": 1},
    ),
    "a loss without gradient": lambda s: (
        (small_net(), s),
        {"loss": lambda *_: torch.tensor(1.0), "steps": 1},
    ),
    "a net of other shapes": lambda s: ((nn.Conv2d(3, 5, 3), (s.images / 255, s.masks)), {"steps": 1}),
    "nothing to resume": lambda s: ((small_net(), s), {"resume": True}),
    "a checkpoint of fancy": lambda s: ((small_net(), s), {"checkpoint": 3}),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_is_a_sentence_and_the_net_stays(scenes, case):
    arguments, settings = BAD[case](scenes)
    net = arguments[0]
    before = numbers(net).clone() if isinstance(net, nn.Module) else None
    with pytest.raises((TypeError, ValueError), match=r"(?s)^Expected .*; got .*Try "):
        fit(*arguments, **settings)
    if before is not None:
        assert torch.equal(before, numbers(net))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_a_sentence_and_no_fallback(scenes):
    with pytest.raises(
        ValueError, match=r"Expected a GPU for device='cuda'; got no GPU .* Try device=\"cpu\""
    ):
        fit(small_net(), scenes, steps=1, device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU that torch can use")
def test_on_a_gpu_a_net_learns_and_comes_home(scenes):
    net = SegmentationNet(5, "unet", widths=(8, 16))
    history = fit(net, scenes[:4], scenes[:4], steps=150, device="cuda")
    assert history.device.startswith("cuda")
    assert history.losses[-1].loss < 0.5 * history.losses[0].loss
    assert next(net.parameters()).device.type == "cpu"


# --- odd ones --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(7, 5), (33, 20)])
def test_odd_sizes_one_image_and_one_class_are_trained_on(size):
    images = torch.randint(0, 256, (1, 3, *size), dtype=torch.uint8)
    given = Samples(
        images,
        torch.zeros(1, *size, dtype=torch.uint8),
        torch.zeros(1, 4),
        torch.zeros(1, dtype=torch.int64),
        ("all",),
    )
    history = fit(SegmentationNet(1, "max_unpool", widths=(4, 4, 4, 4)), given, given, steps=2)
    assert history.scores.miou == 1.0
    assert history.batch == 1


def test_floats_are_images_too(scenes):
    fit(small_net(), (scenes.images.float() / 255, scenes.masks.long()), steps=2)


def test_progress_tells_how_far_a_run_is(scenes):
    seen = []

    def note(progress):
        seen.append((progress.step, progress.images, progress.fraction, progress.loss, progress.scores))

    fit(small_net(), scenes, scenes[:2], steps=20, batch=3, on_step=note)
    steps, images, fractions, losses, scores = zip(*seen, strict=True)
    assert list(steps) == list(range(1, 21))
    assert images == tuple(3 * step for step in steps)
    assert fractions == tuple(step / 20 for step in steps)
    assert all(loss > 0 for loss in losses)  # a loss from the first step on
    assert scores[0] is None
    assert scores[-1] is not None
