"""One run: step after step until the time is up, and an orderly end however it comes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.training.bar import TerminalBar
from coursekit.training.batches import Augmentation, Batches, mixed
from coursekit.training.checkpoints import Checkpoint, put_into
from coursekit.training.given import Given
from coursekit.training.history import History, Moment, Scored
from coursekit.training.interruption import Interruption
from coursekit.training.scoring import score
from coursekit.training.settings import Settings
from coursekit.training.stepping import AdamW, LastFinite
from coursekit.training.stopwatch import Progress, Stopwatch, one_cycle
from coursekit.training.threads import Threads
from coursekit.upsampling.validation import described, sentence

clock = time.perf_counter

LOOK_EVERY = 10  # steps; looking at a loss makes a GPU wait
SAVE_EVERY = 5.0  # seconds
OVERTIME = 0.05  # the share of the budget by which the last step may be late
EVALUATIONS = 6
GLANCE = 128  # images scored on the way


class Run:
    """The state of a run in progress; :func:`coursekit.training.fit` explains the parts."""

    def __init__(
        self,
        net: nn.Module,
        train: Given,
        valid: Given | None,
        settings: Settings,
        device: torch.device,
        loss: Callable[[Tensor, Tensor], Tensor],
        augment: Augmentation | None,
        on_step: Callable[[Progress], object] | None,
        interruption: Interruption,
    ) -> None:
        self.net, self.valid, self.settings, self.loss, self.on_step = net, valid, settings, loss, on_step
        self.interruption = interruption
        self.watch = Stopwatch(clock=clock)
        # A count of steps has to give the same weights each time, so it keeps to one number of threads.
        self.threads = Threads() if settings.steps is None and device.type == "cpu" else None
        self.batches = Batches(train, settings.batch, settings.seed, device, augment)
        self.optimizer = AdamW(net)
        self.progress = Progress(net, None if settings.steps else settings.budget, settings.steps)
        self.history = History(str(device), self.batches.batch)
        self.identity = settings.identity(len(train.images))
        self.checkpoint = Checkpoint(settings.checkpoint) if settings.checkpoint is not None else None
        self.saved_at = 0.0
        self.longest_step = 0.0
        self.since_look = torch.zeros((), device=device)
        if settings.resume:
            self._take_up()
        self.looked_at = self.progress.step
        self.evaluated = math.floor(self.progress.fraction * EVALUATIONS)
        self.last_finite = LastFinite(net)

    def to_its_end(self) -> History:
        """Train, and return what happened; an interruption at any moment is one way to end."""
        self.net.train()
        try:
            with TerminalBar() as bar, self.threads or nullcontext():
                while not self._is_over():
                    self._step()
                    bar.show(self.progress)
            self._look()
        except KeyboardInterrupt:
            self.history.interrupted = True
        except Exception:
            if self.progress.step == 0:  # a loss or a net that does not fit: even the norms forget this step
                self.last_finite.restore()
            raise
        self._close()
        return self.history

    def _is_over(self) -> bool:
        if self.history.diverged:
            return True
        if self.progress.stopped or self.interruption.asked:
            self.history.interrupted = True
            return True
        if self.settings.steps is not None:
            return self.progress.step >= self.settings.steps
        used, budget = self.watch.seconds, self.settings.budget
        return used >= budget or used + self.longest_step > budget * (1 + OVERTIME)

    def _step(self) -> None:
        begin = self.watch.seconds
        self._descend()
        if self.threads is not None:
            self.threads.took(self.watch.seconds - begin)
        progress = self.progress
        progress.step += 1
        progress.images += self.batches.batch
        progress.seconds = self.watch.seconds
        self.longest_step = max(0.9 * self.longest_step, progress.seconds - begin)
        if progress.step % LOOK_EVERY == 0 or progress.step == 1:
            self._look()
        if self.on_step is not None:
            self.on_step(progress)
        self._evaluate_now_and_then()

    def _descend(self) -> None:
        """Forward, back, and one move of the weights; with fewer images where memory runs out."""
        while True:
            images, masks = self.batches.of_step(self.progress.step)
            torch.manual_seed(mixed(self.settings.seed, 2, self.progress.step))  # for dropout in the net
            try:
                loss = self._loss_of(images, masks)
                loss.backward()
                break
            except torch.OutOfMemoryError:
                if self.batches.batch == 1:
                    raise
                self._halve_the_batch()
        self.optimizer.step(self.settings.rate * one_cycle(self.progress.fraction))
        self.since_look += loss.detach()

    def _loss_of(self, images: Tensor, masks: Tensor) -> Tensor:
        logits = self.net(images)
        if self.progress.step == 0:
            _require_logits(logits, masks)
        loss = self.loss(logits, masks)
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.requires_grad:
            attempt = "a mean over all pixels, computed from the logits"
            raise TypeError(sentence("a loss that is one number with a gradient", described(loss), attempt))
        return loss.reshape(())

    def _halve_the_batch(self) -> None:
        self.net.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self.batches.batch //= 2
        self.history.batch = self.batches.batch
        self.history.notes.append(f"Memory ran out, so a batch is now {self.batches.batch} images.")

    def _look(self) -> None:
        """Write the mean loss down, and end the run if it is no number."""
        steps = self.progress.step - self.looked_at
        if steps == 0 or self.history.diverged:
            return
        loss = float(self.since_look) / steps
        self.since_look.zero_()
        self.looked_at = self.progress.step
        if not math.isfinite(loss):
            self._give_up()
            return
        self.progress.loss = loss
        self.history.losses.append(Moment(self.progress.step, self.progress.seconds, loss))
        self.last_finite.losses_were_finite()
        if self.checkpoint is not None and self.progress.seconds - self.saved_at > SAVE_EVERY:
            self._save()

    def _give_up(self) -> None:
        self.last_finite.restore()
        self.history.diverged = True
        got = f"NaN or infinity near step {self.progress.step}"
        attempt = f"a smaller rate, such as rate={self.settings.rate / 4:g}"
        kept = "The net has its last weights with finite losses."
        self.history.notes.append(f"{sentence('a loss that is a number', got, attempt)} {kept}")

    def _evaluate_now_and_then(self) -> None:
        due = math.floor(self.progress.fraction * EVALUATIONS)
        if self.valid is None or due <= self.evaluated or due >= EVALUATIONS:
            return
        self.evaluated = due
        self._evaluate(self.valid.first(GLANCE))

    def _evaluate(self, given: Given) -> None:
        with self.watch.paused():
            scores = score(self.net, given)
        self.progress.scores = scores
        self.history.evaluations.append(Scored(self.progress.step, self.progress.seconds, scores))

    def _close(self) -> None:
        """Keep the weights first, then score them; a further Ctrl-C only skips what is left."""
        self.history.steps, self.history.images = self.progress.step, self.progress.images
        self.history.train_seconds = self.progress.seconds
        if self.threads is not None and self.threads.note:
            self.history.notes.append(self.threads.note)
        try:
            if not all(bool(each.isfinite().all()) for each in self.net.parameters()):
                self._give_up()
            if self.checkpoint is not None:
                self._save()
            if self.valid is not None:
                self._evaluate(self.valid)
        except KeyboardInterrupt:
            self.history.interrupted = True
        self.history.evaluation_seconds = self.watch.apart

    def _save(self) -> None:
        """Write the run down. A disk that is full costs the checkpoint, not the run."""
        assert self.checkpoint is not None
        state: dict[str, Any] = {
            **self.identity,
            "step": self.progress.step,
            "seconds": self.progress.seconds,
            "images_seen": self.progress.images,
            "losses": [[each.step, each.seconds, each.loss] for each in self.history.losses],
        }
        self.saved_at = self.progress.seconds
        try:
            self.checkpoint.save(self.net, self.optimizer.state(), state)
        except OSError as problem:
            got = f"{problem.strerror or problem} at {self.checkpoint.weights.name}"
            attempt = "freeing space, or another path; the weights are in the net all the same"
            note = sentence("to write the checkpoint", got, attempt)
            if note not in self.history.notes:
                self.history.notes.append(note)

    def _take_up(self) -> None:
        """Go on where the checkpoint ends, if there is one."""
        assert self.checkpoint is not None
        if not self.checkpoint.weights.exists():
            return
        weights, optimizer, state = self.checkpoint.load()
        differs = [
            f"{name}={state.get(name)}" for name, mine in self.identity.items() if state.get(name) != mine
        ]
        if differs:
            asked = ", ".join(f"{name}={value}" for name, value in self.identity.items())
            attempt = "the settings of that run, or resume=False"
            raise ValueError(sentence(f"a checkpoint of a run with {asked}", ", ".join(differs), attempt))
        put_into(self.net, weights)
        self.optimizer.restore(optimizer)
        self.watch = Stopwatch(already=state["seconds"], clock=clock)
        self.progress.step, self.progress.seconds = state["step"], state["seconds"]
        self.progress.images, self.saved_at = state["images_seen"], state["seconds"]
        self.history.losses = [Moment(*each) for each in state["losses"]]


def _require_logits(logits: Any, masks: Tensor) -> None:
    rows, columns = masks.shape[1:]
    fine = isinstance(logits, Tensor) and logits.ndim == 4 and logits.shape[0] == len(masks)
    if not fine or tuple(logits.shape[2:]) != (rows, columns):
        expected = f"a net that gives logits ({len(masks)}, classes, {rows}, {columns})"
        raise ValueError(sentence(expected, described(logits), "SegmentationNet(classes)"))
