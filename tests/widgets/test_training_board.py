"""The board in Python: what it shows of a run, how it ends, what it costs, whom it believes."""

from __future__ import annotations

import gc
import json
import threading
import types
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from coursekit.data import Samples, load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import Progress, evaluate, fit
from coursekit.widgets import TrainingBoard
from coursekit.widgets._board_run import MOST_POINTS

WAITING = {"run": 0, "state": "waiting", "words": "Training has not begun."}


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class OneClass(nn.Module):
    """Says class 1 everywhere; counts how often it is asked, and may take its time."""

    def __init__(self, clock: Clock | None = None, takes: float = 0.0) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor([0.0, 1, 0, 0, 0]))
        self.drop = nn.Dropout(0.5)
        self.asked, self.modes = 0, set[bool]()
        self._clock, self._takes = clock, takes

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.asked += 1
        self.modes.add(self.training)
        if self._clock is not None:
            self._clock.seconds += self._takes
        return self.drop(
            self.bias[None, :, None, None].expand(len(images), 5, *images.shape[2:]) + torch.rand(1)
        )


@pytest.fixture(scope="module")
def scenes() -> Samples:
    return load_scenes(6, seed=3)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def watched(board: TrainingBoard, clock: Clock) -> list[dict[str, Any]]:
    """Put the board on a clock, and record the messages that go to the browser."""
    messages: list[dict[str, Any]] = []
    board._clock = clock  # type: ignore[method-assign, assignment]
    board._send = lambda message, buffers=None: messages.append(message["state"])  # type: ignore[method-assign]
    return messages


def steps(board: TrainingBoard, progress: Progress, clock: Clock, count: int, seconds: float = 0.02) -> None:
    """So many steps of a run; its time runs on the same clock, as in ``fit``."""
    for _ in range(count):
        clock.seconds += seconds
        progress.step += 1
        progress.images += 8
        progress.seconds = clock.seconds
        progress.loss = 2 / progress.step
        board(progress)


def test_it_follows_a_run_to_its_end(scenes):
    board = TrainingBoard(scenes)
    assert board.now == WAITING
    net = SegmentationNet(5)
    history = fit(net, scenes, scenes, steps=30, on_step=board)
    assert board.now["state"] == "finished"
    assert board.now["step"] == 30
    assert board.now["part"] == 1
    assert board.now["miou"] == pytest.approx(history.scores.miou, rel=1e-3)
    assert board.now["loss"] == pytest.approx(history.loss, rel=1e-3)
    assert board.curves["end"] == 30
    assert board.curves["unit"] == "steps"
    assert board.curves["mious"][-1] == [30, pytest.approx(history.scores.miou, rel=1e-3)]


def test_the_last_pictures_are_those_of_the_finished_net(scenes):
    from coursekit.plots.masks import mask_uri
    from coursekit.training import predict_masks

    board, net = TrainingBoard(scenes, gallery=3), SegmentationNet(5)
    fit(net, scenes, steps=30, on_step=board)
    shown = [each["mask"] for each in board.predictions]
    assert shown == [mask_uri(mask) for mask in predict_masks(net, scenes[:3])]


def test_weights_are_the_same_with_a_board_and_without(scenes):
    weights = []
    for board in (None, TrainingBoard(scenes, every=0.1)):
        torch.manual_seed(7)
        net = SegmentationNet(5)
        fit(net, scenes, scenes, steps=12, seed=3, on_step=board)
        weights.append(net.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_pictures_leave_mode_and_random_numbers_alone(scenes, clock):
    board = TrainingBoard(scenes)
    watched(board, clock)
    net = OneClass().train()
    net.drop.eval()
    progress = Progress(net, 20.0, None)
    before = torch.get_rng_state()
    steps(board, progress, clock, 1)
    assert net.asked == 1
    assert net.modes == {False}
    assert net.training
    assert not net.drop.training
    assert torch.equal(torch.get_rng_state(), before)


def test_news_come_four_times_a_second_and_pictures_every_two(scenes, clock):
    board, net = TrainingBoard(scenes), OneClass()
    messages = watched(board, clock)
    progress = Progress(net, 20.0, None)
    steps(board, progress, clock, 500)  # ten seconds
    news = [message for message in messages if "now" in message]
    assert 36 <= len(news) <= 41
    assert 5 <= net.asked <= 6
    assert all("curves" in message for message in news[1:])


def test_slow_pictures_come_less_often(scenes, clock):
    board, net = TrainingBoard(scenes), OneClass(clock, takes=0.1)
    watched(board, clock)
    progress = Progress(net, 60.0, None)
    steps(board, progress, clock, 3000)
    assert clock.seconds >= 60
    assert net.asked * 0.1 <= 0.015 * clock.seconds


def test_curves_stay_short_and_keep_their_ends(clock):
    board = TrainingBoard()
    watched(board, clock)
    progress = Progress(OneClass(), 3600.0, None)
    steps(board, progress, clock, 3000, seconds=0.5)
    losses = board.curves["losses"]
    assert len(losses) <= MOST_POINTS
    assert losses[-1][0] == pytest.approx(1500, rel=0.01)
    places = [place for place, _ in losses]
    assert places == sorted(places)
    assert losses[0][1] > losses[-1][1]


def test_every_message_is_json_that_a_browser_reads(scenes, clock):
    board = TrainingBoard(scenes)
    messages = watched(board, clock)
    progress = Progress(OneClass(), 20.0, None)
    board(progress)  # no loss yet, no score, no second
    steps(board, progress, clock, 100)
    board._close("stopped")
    json.dumps(messages, allow_nan=False)
    assert board.now["miou"] is None


def test_stop_ends_the_run_after_its_step(scenes):
    board = TrainingBoard(scenes)
    taken: list[int] = []

    def on_step(progress: Progress) -> None:
        taken.append(progress.step)
        if progress.step == 3:
            board._hear({"stop": 1})
        board(progress)

    history = fit(SegmentationNet(5), scenes, scenes, steps=1000, on_step=on_step)
    assert taken == [1, 2, 3]
    assert history.interrupted
    assert board.now["state"] == "stopped"
    assert "keeps what it learned" in board.now["words"]


@pytest.mark.parametrize(
    "content",
    [
        {"stop": 0},
        {"stop": 2},
        {"stop": True},
        {"stop": "1"},
        {"stop": 1.0},
        {"stop": None},
        {},
        [],
        "stop",
        None,
        1,
    ],
)
def test_a_late_or_forged_request_stops_nothing(content, clock):
    board = TrainingBoard()
    watched(board, clock)
    progress = Progress(OneClass(), 20.0, None)
    steps(board, progress, clock, 2)
    board._hear(content)
    steps(board, progress, clock, 2)
    assert not progress.stopped
    board._hear({"stop": 1})
    steps(board, progress, clock, 1)
    assert progress.stopped


def test_a_stop_before_or_after_a_run_does_not_touch_the_next(scenes):
    board = TrainingBoard()
    board.stop()
    board._hear({"stop": 1})
    assert not fit(SegmentationNet(5), scenes, steps=2, on_step=board).interrupted
    board._hear({"stop": 1})
    board._hear({"stop": 2})
    board.stop()
    assert not fit(SegmentationNet(5), scenes, steps=2, on_step=board).interrupted
    assert board.now["run"] == 2


def test_a_second_run_begins_with_empty_curves(scenes):
    board = TrainingBoard(scenes)
    fit(SegmentationNet(5), scenes, scenes, steps=25, on_step=board)
    before = board.curves
    fit(SegmentationNet(5), scenes, steps=1, on_step=board)
    assert len(before["losses"]) > 1
    assert len(board.curves["losses"]) == 1
    assert board.curves["mious"] == []
    assert board.now["miou"] is None


def test_ctrl_c_is_shown_as_stopped(scenes):
    board = TrainingBoard()

    def on_step(progress: Progress) -> None:
        board(progress)
        if progress.step == 2:
            raise KeyboardInterrupt

    assert fit(SegmentationNet(5), scenes, steps=50, on_step=on_step).interrupted
    assert board.now["state"] == "stopped"


def test_an_error_in_the_loop_is_shown_once_the_cell_is_over(scenes, monkeypatch):
    """The error's traceback keeps the run alive, so only the end of the cell tells."""
    callbacks: dict[str, list[Any]] = {"post_execute": []}
    events = types.SimpleNamespace(
        callbacks=callbacks,
        register=lambda name, function: callbacks[name].append(function),
        unregister=lambda name, function: callbacks[name].remove(function),
    )
    shell = types.SimpleNamespace(events=events)
    board = TrainingBoard()
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)

    def on_step(progress: Progress) -> None:
        board(progress)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as kept:
        fit(SegmentationNet(5), scenes, steps=50, on_step=on_step)
    assert kept.tb is not None
    assert board.now["state"] == "training"
    (over,) = callbacks["post_execute"]
    elsewhere = threading.Thread(target=over)  # a subshell's message is not the end of our cell
    elsewhere.start()
    elsewhere.join()
    assert board.now["state"] == "training"
    over()
    assert board.now["state"] == "failed"
    assert callbacks["post_execute"] == []


def test_train_is_fit_with_the_board(scenes):
    board = TrainingBoard()
    history = board.train(SegmentationNet(5), scenes, scenes, steps=4)
    assert history.steps == board.now["step"] == 4
    assert board.now["state"] == "finished"
    assert len(board.pictures) == len(board.predictions) == 4


def test_train_says_what_broke_off(scenes):
    board = TrainingBoard()

    def loss(logits: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        if board.now["step"] if board.now["run"] else 0:
            raise ZeroDivisionError
        return logits.mean()

    with pytest.raises(ZeroDivisionError):
        board.train(SegmentationNet(5), scenes, steps=5, loss=loss)
    assert board.now["state"] == "failed"
    with pytest.raises(TypeError, match=r"Expected .*; got .*\. Try "):
        board.train(SegmentationNet(5), scenes, on_step=print)


def test_a_loss_that_is_no_number_is_shown_as_broken_off(scenes):
    board = TrainingBoard(scenes)
    history = board.train(
        SegmentationNet(5), scenes, steps=30, loss=lambda logits, masks: logits.mean() * float("nan")
    )
    assert history.diverged
    assert board.now["state"] == "failed"
    json.dumps(board.get_state(["now", "curves"]), allow_nan=False)


def test_the_board_lets_go_of_the_net(scenes):
    board, net = TrainingBoard(scenes), SegmentationNet(5)
    fit(net, scenes, steps=2, on_step=board)
    gc.collect()
    holders = [each for each in gc.get_referrers(net) if isinstance(each, dict) and "budget" in each]
    assert holders == []
    assert board._run is None


def test_pictures_are_the_first_with_their_truth_and_names(scenes):
    from coursekit.plots.masks import image_uri, mask_uri

    board = TrainingBoard(scenes, gallery=2)
    assert [each["image"] for each in board.pictures] == [image_uri(image) for image in scenes.images[:2]]
    assert [each["mask"] for each in board.pictures] == [mask_uri(mask) for mask in scenes.masks[:2]]
    assert [each["name"] for each in board.legend] == list(scenes.classes)
    assert len({each["colour"] for each in board.legend}) == 5
    assert TrainingBoard(scenes, gallery=0).pictures == []


def test_plain_tensors_and_ignored_pixels_are_pictured_too():
    images, masks = torch.rand(2, 3, 8, 8), torch.zeros(2, 8, 8, dtype=torch.long)
    masks[:, 2:6, 2:6] = 1
    masks[:, 0] = 255
    board = TrainingBoard((images, masks))
    assert [each["name"] for each in board.legend] == ["class 0", "class 1", "ignored"]
    assert board.pictures[0]["holds"] == "class 1"


@pytest.mark.parametrize(
    ("arguments", "settings", "error"),
    [
        ((3,), {}, TypeError),
        ((), {"gallery": 9}, ValueError),
        ((), {"gallery": -1}, ValueError),
        ((), {"gallery": 2.0}, TypeError),
        ((), {"gallery": True}, TypeError),
        ((), {"every": 0}, ValueError),
        ((), {"every": float("nan")}, ValueError),
        ((), {"every": "2"}, TypeError),
    ],
)
def test_what_cannot_be_is_a_sentence(arguments, settings, error):
    with pytest.raises(error, match=r"Expected .*; got .*\. Try "):
        TrainingBoard(*arguments, **settings)


@given(
    st.dictionaries(
        st.sampled_from(["now", "curves", "pictures", "predictions", "legend", "_esm", "layout", "other"]),
        st.one_of(
            st.none(),
            st.integers(),
            st.text(),
            st.lists(st.integers()),
            st.dictionaries(st.text(), st.text()),
        ),
    )
)
def test_a_browser_can_change_nothing(forged):
    board = BOARD
    before = board.get_state()
    board.set_state(forged)
    assert board.get_state() == before


BOARD = TrainingBoard()


def test_it_reads_without_a_script(scenes):
    board = TrainingBoard(scenes, gallery=2)
    assert repr(board) == "Training board: Training has not begun."
    fit(SegmentationNet(5), scenes, scenes, steps=12, on_step=board)
    text = repr(board)
    assert "Finished after" in text
    assert "step 12" in text
    assert f"mean IoU {board.now['miou']:.3f}" in text
    page = board.as_html()
    assert page.count("<img") == 6
    assert "Prediction" in page
    data, _ = board._repr_mimebundle_()
    assert data["text/html"] == page
    assert data["text/plain"] == text


def test_the_end_is_told_from_a_run_in_seconds_too(scenes):
    board = TrainingBoard()
    history = fit(SegmentationNet(5), scenes, budget=0.5, on_step=board)
    assert not history.interrupted
    assert board.now["state"] == "finished"
    assert board.curves["unit"] == "s"
    assert board.now["left"] <= 0.5


def test_a_score_is_shown_at_the_place_where_it_was_made(scenes, clock):
    board, net = TrainingBoard(), OneClass()
    watched(board, clock)
    progress = Progress(net, 20.0, None)
    steps(board, progress, clock, 50)
    progress.scores = evaluate(net, scenes)
    steps(board, progress, clock, 50)
    (score,) = board.curves["mious"]
    assert 1.0 <= score[0] <= 1.3
    assert board.now["baseline"] == pytest.approx(progress.scores.baseline_miou, rel=1e-3)
