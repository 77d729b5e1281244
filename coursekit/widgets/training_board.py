"""Watch a net learn, and stop it: `TrainingBoard`."""

from __future__ import annotations

import math
import sys
import threading
import time
import weakref
from html import escape
from typing import TYPE_CHECKING, Any

import torch
import traitlets
from torch import Tensor, nn

from coursekit.boxes import denormalize, iou
from coursekit.plots.masks import Tag, classes_in, colour_of, image_uri, mask_uri, mean_iou, name_tags
from coursekit.training import History, Progress, fit
from coursekit.training.given import Given, device_of, judging
from coursekit.training.outlined import mask_logits
from coursekit.upsampling.validation import described, is_int, sentence
from coursekit.widgets._board_run import BoardRun, short
from coursekit.widgets._card import Card
from coursekit.widgets._framed import framed
from coursekit.widgets.assets import joined
from coursekit.widgets.overhearing import Ear

if TYPE_CHECKING:
    from coursekit.training import BoxScores, Scores

UPDATE_EVERY = 0.25  # seconds
SHARE = 0.01  # of the time, for news and as much for pictures
MOST_PICTURES = 8


class TrainingBoard(Card):
    """A live view of a run of :func:`coursekit.training.fit`: loss, mean IoU, seconds left, Stop, pictures.

    Show the board, then hand it to ``fit`` as ``on_step``. Stop ends the run after the step it is in, though
    the kernel is busy; the net keeps what it learned. What the board costs counts towards the budget; where
    pictures are slow to make, it makes them less often.

    Parameters
    ----------
    valid : Samples, or a pair of tensors, optional
        The first few are shown with what the net says about them by now.
    gallery : int
        How many of them, 0 to 8.
    every : float
        Seconds between two looks at the pictures.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> from coursekit.nets import SegmentationNet
    >>> from coursekit.training import fit
    >>> board = TrainingBoard(load_scenes(2, seed=1))  # in a notebook: display(board)
    >>> history = fit(SegmentationNet(5), load_scenes(8), steps=2, on_step=board)
    >>> board.now["state"]
    'finished'
    """

    _esm = joined("_card.js", "_hearing.js", "training_board.js")
    _css = joined("_card.css", "training_board.css")

    now = traitlets.Dict(help="where the run stands").tag(sync=True)
    curves = traitlets.Dict(help="losses and mious as [place, value], and the end of the way").tag(sync=True)
    pictures = traitlets.List(traitlets.Dict(), help="images with their truth").tag(sync=True)
    predictions = traitlets.List(traitlets.Dict(), help="what the net says about each").tag(sync=True)
    legend = traitlets.List(traitlets.Dict(), help="class names and their colours").tag(sync=True)

    _clock = staticmethod(time.perf_counter)

    def __init__(self, valid: Any = None, *, gallery: int = 4, every: float = 2.0) -> None:
        self._most = _whole_pictures(gallery)
        self._every = _some_seconds(every)
        self._run: BoardRun | None = None
        self._number = 0
        self._stop_asked = 0
        self._thread = 0
        self._update_due = self._paint_due = 0.0
        self._shown: Given | None = None
        self._boxes: Tensor | None = None
        self._ear = Ear(self._hear)
        super().__init__(now={"run": 0, "state": "waiting", "words": "Training has not begun."})
        self.on_msg(lambda _widget, content, _buffers: self._hear(content))
        if valid is not None:
            self._take_pictures(valid)

    def __call__(self, progress: Progress) -> None:
        """Take one step of a run into view; ``fit`` calls this."""
        if self._run is None or self._run.progress() is not progress:
            self._begin(progress)
        assert self._run is not None
        self._ear.poll()
        if self._stop_asked == self._number and not progress.stopped:
            progress.stop()
            self._tell("stopping")
            return
        begin = self._clock()
        if begin >= self._paint_due:
            self._paint(progress.net)
            self._paint_due = self._next(begin, self._every)
            begin = self._clock()
        if begin >= self._update_due:
            self._tell("training")
            self._update_due = self._next(begin, UPDATE_EVERY)

    def train(self, net: nn.Module, train: Any, valid: Any = None, **settings: Any) -> History:
        """Run :func:`coursekit.training.fit` with this board, which was displayed before.

        Parameters
        ----------
        net, train, valid, **settings
            As ``fit`` takes them, without ``on_step``. Where the board has no pictures yet, it takes them
            from ``valid``.

        Returns
        -------
        History
        """
        if "on_step" in settings:
            attempt = "fit(…, on_step=…) with a function that calls board(progress) too"
            raise TypeError(sentence("no on_step, since it is this board", "one", attempt))
        if valid is not None and self._shown is None:
            self._take_pictures(valid)
        history = None
        try:
            history = fit(net, train, valid, on_step=self, **settings)
        finally:
            if history is None:
                self._close("failed")
        self.finished(history)
        return history

    def stop(self) -> None:
        """End the run after its step, as the button does; the net keeps what it learned."""
        self._stop_asked = self._number

    def finished(self, history: History) -> None:
        """Show how a run ended. Without this call the board notices by itself that ``fit`` returned."""
        state = "failed" if history.diverged else "stopped" if history.interrupted else "finished"
        self._close(state)
        if self.now["run"] and self.now["state"] != state:
            words = _ending(state, history.train_seconds, history.scores)
            self.now = {**self.now, "state": state, "words": words}

    def _begin(self, progress: Progress) -> None:
        self._close("failed")
        self._number += 1
        self._run = BoardRun.of(progress, self._number)
        self._thread = threading.get_ident()
        self._update_due = self._paint_due = 0.0
        # The progress belongs to the run alone: when it goes, fit has returned.
        weakref.finalize(progress, self._vanished, self._number).atexit = False
        self._watch_cell(True)
        if self.comm is not None:
            self._ear.open(self.comm.comm_id)

    def _hear(self, content: Any) -> None:
        """A message of the browser's button; it may come from another thread, late, or forged."""
        asked = content.get("stop") if isinstance(content, dict) else None
        if self._run is not None and is_int(asked) and asked == self._number:
            self._stop_asked = self._number

    def _next(self, begin: float, wish: float) -> float:
        """When to do again what began at ``begin``: not before it is a small share of the time."""
        moment = self._clock()
        return moment + max(wish, (moment - begin) / SHARE)

    def _tell(self, state: str) -> None:
        """Send where the run stands, all in one message."""
        run = self._run
        assert run is not None
        run.note()
        with self.hold_sync():
            self.now = self._standing(run, state)
            self.curves = {
                "losses": run.losses[:],
                "mious": run.mious[:],
                "end": run.end,
                "unit": "s" if run.facts["steps"] is None else "steps",
            }

    def _standing(self, run: BoardRun, state: str) -> dict[str, Any]:
        facts, scores = run.facts, run.facts["scores"]
        left = (run.end - run.place) * facts["seconds"] / run.place if run.place else 0.0
        return {
            "run": run.number,
            "state": state,
            "seconds": short(facts["seconds"]),
            "left": short(max(0.0, left)),
            "part": short(min(1.0, run.place / run.end)),
            "step": facts["step"],
            "pace": short(facts["images"] / facts["seconds"]) if facts["seconds"] else None,
            "loss": short(facts["loss"]),
            "miou": short(scores.miou) if scores else None,
            "baseline": short(scores.baseline_miou) if scores else None,
            "against": scores.against if scores else "",
            "hears": self._ear.works,
            "words": _ending(state, facts["seconds"], scores),
        }

    def _vanished(self, number: int) -> None:
        """``fit`` has returned, however it ended."""
        if self._run is not None and self._run.number == number:
            stopped = self._run.facts["stopped"] or not self._run.is_through
            self._close("stopped" if stopped else "finished")

    def _after_cell(self) -> None:
        """The cell is over. If its run is still open, an error ended it: the error's traceback keeps it."""
        if threading.get_ident() == self._thread:
            self._close("failed")

    def _close(self, state: str) -> None:
        """The last news of a run, the pictures as the net sees them now; then forget it."""
        run = self._run
        if run is None:
            return
        self._ear.close()
        self._watch_cell(False)
        if state != "failed":
            self._paint(run.facts["net"])
        self._tell(state)
        self._run = None

    def _watch_cell(self, on: bool) -> None:
        """Hear of the end of the cell, or of the button's callback, in a notebook."""
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        if shell is None:
            return
        if on:
            shell.events.register("post_execute", self._after_cell)
        elif self._after_cell in shell.events.callbacks["post_execute"]:
            shell.events.unregister("post_execute", self._after_cell)

    def _take_pictures(self, valid: Any) -> None:
        """Draw images and truths once, before any training: the loop shall not wait for them."""
        given = Given.of(valid, "valid")
        boxes = getattr(valid, "boxes", None)
        self._boxes = boxes[: self._most] if isinstance(boxes, Tensor) else None
        shown = given.first(self._most)
        if not len(shown.images):
            return
        known = int(given.masks[given.masks != 255].max()) + 1 if bool((given.masks != 255).any()) else 1
        classes = given.classes or tuple(f"class {index}" for index in range(known))
        self._shown = Given(shown.images.cpu(), shown.masks.cpu(), classes)
        entries = list(enumerate(classes))
        if bool((shown.masks == 255).any()):
            entries.append((255, "ignored"))
        pairs = zip(self._shown.images, self._shown.masks, strict=True)
        with self.hold_sync():
            self.legend = [{"name": name, "colour": colour_of(index)} for index, name in entries]
            self.pictures = [{"image": image_uri(image), **self._pictured(mask)} for image, mask in pairs]

    def _pictured(self, mask: Tensor) -> dict[str, Any]:
        assert self._shown is not None
        classes = self._shown.classes
        return {
            "mask": mask_uri(mask),
            "tags": [_placed(tag) for tag in name_tags(mask, classes)],
            "holds": ", ".join(classes_in(mask, classes)) or "only ground",
            "width": mask.shape[-1],
            "height": mask.shape[-2],
        }

    def _paint(self, net: nn.Module) -> None:
        """What the net says by now; its mode and torch's random numbers are as before."""
        if self._shown is None:
            return
        device = device_of(net)
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            masks, ious = self._said_by(net, self._shown)
        self.predictions = [
            {**self._pictured(mask), "iou": each} for mask, each in zip(masks, ious, strict=True)
        ]

    def _said_by(self, net: nn.Module, shown: Given) -> tuple[Tensor, list[float | None]]:
        """What to draw of the net's answers, and how well each fits: masks, or frames of boxes."""
        with judging(net), torch.inference_mode():
            answer = mask_logits(net(shown.images.to(device_of(net))))
        if isinstance(answer, Tensor):
            masks = answer.argmax(1).to(torch.uint8).cpu()
            return masks, [mean_iou(truth, mask) for mask, truth in zip(masks, shown.masks, strict=True)]
        rows, columns = shown.images.shape[2:]
        labels, boxes = answer[0].argmax(1).cpu(), denormalize(answer[1].float().cpu(), (rows, columns))
        fits = [math.nan] * len(boxes) if self._boxes is None else iou(boxes, self._boxes.cpu()).tolist()
        known = [None if each != each else each for each in fits]  # no box, no score
        return framed(labels, boxes, (rows, columns), len(shown.classes)), known

    def _accept(self, offered: dict[str, Any]) -> dict[str, Any]:
        return {}  # a browser may ask to stop, and nothing else

    def as_text(self) -> str:
        """Where the run stands, in a few lines."""
        now = self.now
        lines = [f"Training board: {now['words']}"]
        if now["run"]:
            said = [f"step {now['step']:,}", f"{now['seconds']:.1f} s"]
            said += [f"loss {now['loss']:.3f}"] if now["loss"] is not None else []
            said += [f"mean IoU {now['miou']:.3f}"] if now["miou"] is not None else []
            lines.append("  " + " · ".join(said))
        return "\n".join(lines)

    def as_html(self) -> str:
        """The same with no script, the pictures included."""
        first, *more = (escape(line.strip()) for line in self.as_text().split("\n"))
        pictures = [picture[kind] for kind in ("image", "mask") for picture in self.pictures]
        pictures += [picture["mask"] for picture in self.predictions]
        drawn = [f'<img src="{uri}" alt="" width="64">' for uri in pictures]
        rows = [
            drawn[start : start + len(self.pictures)]
            for start in range(0, len(drawn), len(self.pictures) or 1)
        ]
        names = ("Images", "Truth", "Prediction")
        shown = "".join(f"<p>{name}<br>{' '.join(row)}</p>" for name, row in zip(names, rows, strict=False))
        return f"<p><strong>{first}</strong></p>{''.join(f'<p>{line}</p>' for line in more)}{shown}"


def _ending(state: str, seconds: float, scores: Scores | BoxScores | None) -> str:
    words = {
        "training": "Training.",
        "stopping": "Stopping: the net is scored as it is now.",
        "finished": f"Finished after {seconds:.1f} s.",
        "stopped": f"Stopped after {seconds:.1f} s. The net keeps what it learned.",
        "failed": f"The run broke off after {seconds:.1f} s. The message with it says why.",
    }[state]
    if scores is None or state in ("training", "stopping"):
        return words
    return f"{words} Mean IoU {scores.miou:.2f}; {scores.against} would have {scores.baseline_miou:.2f}."


def _placed(tag: Tag) -> dict[str, Any]:
    return {"name": tag.name, "x": tag.x, "y": tag.y}


def _whole_pictures(gallery: Any) -> int:
    expected = f"gallery as a whole number from 0 to {MOST_PICTURES}"
    if not is_int(gallery):
        raise TypeError(sentence(expected, described(gallery), "gallery=4"))
    if not 0 <= gallery <= MOST_PICTURES:
        raise ValueError(sentence(expected, str(gallery), "gallery=4"))
    return int(gallery)


def _some_seconds(every: Any) -> float:
    expected = "every as a number of seconds, 0.1 or more"
    if isinstance(every, bool) or not isinstance(every, int | float):
        raise TypeError(sentence(expected, described(every), "every=2.0"))
    if not every >= 0.1:
        raise ValueError(sentence(expected, str(every), "every=2.0"))
    return float(every)
