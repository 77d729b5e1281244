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
from coursekit.training.batches import Augmentation, Batches
from coursekit.training.checkpoints import Checkpoint, put_into, require_same_run
from coursekit.training.crew import Alone
from coursekit.training.descending import Descent
from coursekit.training.given import Given
from coursekit.training.history import History, Moment, Scored
from coursekit.training.interruption import Interruption
from coursekit.training.scoring import score
from coursekit.training.settings import Settings
from coursekit.training.stepping import AdamW, LastFinite
from coursekit.training.stopwatch import Progress, Stopwatch, one_cycle
from coursekit.training.telling import as_plain, from_plain
from coursekit.training.threads import Threads
from coursekit.upsampling.validation import sentence

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
        crew: Alone,
    ) -> None:
        self.net, self.valid, self.settings, self.on_step = net, valid, settings, on_step
        self.interruption, self.crew = interruption, crew
        self.watch = Stopwatch(already=train.seconds, clock=clock)
        # A count of steps has to give the same weights each time, so it keeps to one number of threads.
        self.threads = Threads() if settings.steps is None and device.type == "cpu" else None
        self.batches = Batches(train, settings.batch, settings.seed, device, augment)
        self.optimizer = AdamW(net)
        self.progress = Progress(net, None if settings.steps else settings.budget, settings.steps)
        self.history = History(str(device), self.batches.batch)
        self.descent = Descent(
            net, self.batches, loss, settings.seed, crew, self.history, settings.steps is not None
        )
        self.descent.forward = train.forward_of(net)
        self.identity = settings.identity(train.count)
        self.history.feature_seconds = train.seconds
        self.history.notes += train.notes
        self.checkpoint = Checkpoint(settings.checkpoint) if settings.checkpoint is not None else None
        self.saved_at = 0.0
        self.longest_step = 0.0
        self.since_look = torch.zeros((), device=device)
        self._begin_together()
        self.looked_at = self.progress.step
        self.evaluated = math.floor(self.progress.fraction * EVALUATIONS)
        self.last_finite = LastFinite(net)

    def _begin_together(self) -> None:
        """All processes start with the first one's weights, or with what it kept."""
        self.crew.require_alike(
            {**self.identity, "numbers": sum(each.numel() for each in self.optimizer.parameters)}
        )
        if self.settings.resume:
            self._take_up()
        self.crew.align([*self.net.state_dict().values(), *self.optimizer.state().values()])
        if note := self.crew.note(self.net, self.batches.batch):
            self.history.notes.append(note)

    def to_its_end(self) -> History:
        """Train, and return what happened; an interruption at any moment is one way to end."""
        self.net.train()
        try:
            with TerminalBar(self.crew.is_first) as bar, self.threads or nullcontext():
                while not self._is_over():
                    self._step()
                    bar.show(self.progress)
            self._look()
        except KeyboardInterrupt:
            self.crew.leave()
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
        asked = self.progress.stopped or self.interruption.asked
        asked, late = self.crew.agreed(asked, self.settings.steps is None and self._is_late())
        self.history.interrupted = asked
        return (
            asked or late or (self.settings.steps is not None and self.progress.step >= self.settings.steps)
        )

    def _is_late(self) -> bool:
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
        progress.seconds = self.crew.firsts(self.watch.seconds)
        self.longest_step = max(0.9 * self.longest_step, progress.seconds - begin)
        if progress.step % LOOK_EVERY == 0 or progress.step == 1:
            self._look()
        if self.on_step is not None:
            self.on_step(progress)
        self._evaluate_now_and_then()

    def _descend(self) -> None:
        """Forward, back, and one move of the weights."""
        loss = self.descent.gradients_of(self.progress.step)
        self.optimizer.step(self.settings.rate * one_cycle(self.progress.fraction))
        self.since_look += loss

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
            scores = self.crew.told(lambda: score(self.net, given), as_plain, from_plain)
        if scores is None:  # the others are gone, and only the first one scores
            return
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
            self.crew.align(self.net.buffers())
            if self.checkpoint is not None:
                self._save()
            if self.valid is not None:
                self._evaluate(self.valid)
        except KeyboardInterrupt:
            self.crew.leave()
            self.history.interrupted = True
        self.history.evaluation_seconds = self.watch.apart
        shared = ("device", "notes", "evaluation_seconds", "interrupted")
        vars(self.history).update(
            self.crew.told(lambda: {name: vars(self.history)[name] for name in shared}) or {}
        )

    def _save(self) -> None:
        """Write the run down. A disk that is full costs the checkpoint, not the run."""
        assert self.checkpoint is not None
        self.saved_at = self.progress.seconds
        if not self.crew.is_first:
            return
        state: dict[str, Any] = {
            **self.identity,
            "step": self.progress.step,
            "seconds": self.progress.seconds,
            "images_seen": self.progress.images,
            "losses": [[each.step, each.seconds, each.loss] for each in self.history.losses],
        }
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
        state = self.crew.told(self._read)
        if state is None:
            return
        self.watch = Stopwatch(already=state["seconds"], clock=clock)
        self.progress.step, self.progress.seconds = state["step"], state["seconds"]
        self.progress.images, self.saved_at = state["images_seen"], state["seconds"]
        self.history.losses = [Moment(*each) for each in state["losses"]]

    def _read(self) -> dict[str, Any] | None:
        """Put the checkpoint's numbers back, and give the state of its run."""
        assert self.checkpoint is not None
        if not self.checkpoint.weights.exists():
            return None
        weights, optimizer, state = self.checkpoint.load()
        require_same_run(state, self.identity)
        put_into(self.net, weights)
        self.optimizer.restore(optimizer)
        return state
