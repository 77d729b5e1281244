"""Forward and back: the gradients of one step, with fewer images where memory runs out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.training import precision
from coursekit.training.batches import Batches, mixed
from coursekit.training.crew import Alone
from coursekit.training.history import History
from coursekit.training.outlined import mask_logits
from coursekit.upsampling.validation import described, sentence

Loss = Callable[[Tensor, Tensor], Tensor]


class Descent:
    """Finds out which way is down.

    Parameters
    ----------
    net : nn.Module
    batches : Batches
        What a step looks at; its ``batch`` is halved where memory runs out.
    loss : callable
        ``loss(logits, masks)``.
    seed : int
        For dropout in the net.
    crew : Alone
        The other processes, if there are any.
    history : History
        Hears of a batch that was halved, and of what was found fastest on a GPU.
    exact : bool
        The run counts steps, so nothing may depend on a measurement.
    """

    def __init__(
        self,
        net: nn.Module,
        batches: Batches,
        loss: Loss,
        seed: int,
        crew: Alone,
        history: History,
        exact: bool = True,
    ) -> None:
        self.net, self.batches, self.loss, self.seed = net, batches, loss, seed
        self.forward: Callable[[Tensor], Any] = net
        self.crew, self.history, self.exact = crew, history, exact
        self.fast: precision.Step | None = None
        self._chosen = False
        self.parameters = [each for each in net.parameters() if each.requires_grad]

    def gradients_of(self, step: int) -> Tensor:
        """Leave the gradients of a step in the parameters, and give its loss."""
        while True:
            images, masks, weight = self.crew.share(*self.batches.of_step(step))
            torch.manual_seed(mixed(self.seed, 2 + 16 * self.crew.number, step))  # for dropout in the net
            loss = self._backwards(images, masks, weight, step)
            if self.crew.agreed(loss is None)[0]:
                self._halve_the_batch()
            elif loss is not None:
                return self.crew.summed(self.parameters, loss.detach())

    def _backwards(self, images: Tensor, masks: Tensor, weight: Tensor | None, step: int) -> Tensor | None:
        """The loss, or None where memory ran out."""
        try:
            if images.is_cuda and not self._chosen and step > 0:
                self._choose(images, masks, weight)
            if self.fast is not None:
                return self.fast(images, masks, weight)
            loss = self._loss_of(images, masks, step)
            loss = loss if weight is None else loss * weight
            loss.backward()
        except torch.OutOfMemoryError:
            if self.batches.batch < 2 * self.crew.size:
                raise
            return None
        return loss

    def _choose(self, images: Tensor, masks: Tensor, weight: Tensor | None) -> None:
        """Find the fastest way on this GPU; the first process decides for all."""
        batch = (images, masks, weight)
        self._chosen = True

        def found() -> tuple[bool, bool, str]:
            measure = partial(precision.seconds_of, self.net, batch=batch)
            bf16 = torch.cuda.is_bf16_supported()
            way, note = precision.chosen(self.net, self.loss, self.exact, measure, bf16)
            return way.bf16, way.graph, note

        bf16, graph, note = self.crew.told(found)
        self.history.notes.append(note)
        if not (bf16 or graph):
            return
        try:
            step = precision.made(self.net, precision.Way(bf16, graph), batch)
            reason = "" if precision.faithful(self.net, step, batch) else "its gradients are others"
        except RuntimeError as problem:
            reason = str(problem).strip().splitlines()[0]
        if reason:
            self.history.notes.append(f"That failed ({reason}), so steps ran in {precision.PLAIN}.")
        else:
            self.fast = step

    def _loss_of(self, images: Tensor, masks: Tensor, step: int) -> Tensor:
        logits = self.forward(images)
        if step == 0 and masks.ndim == 3:
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
        self.fast = None  # it knows one size of batch
        self.batches.batch //= 2
        self.history.batch = self.batches.batch
        self.history.notes.append(f"Memory ran out, so a batch is now {self.batches.batch} images.")


def _require_logits(logits: Any, masks: Tensor) -> None:
    rows, columns = masks.shape[1:]
    logits = mask_logits(logits)
    fine = isinstance(logits, Tensor) and logits.ndim == 4 and logits.shape[0] == len(masks)
    if not fine or tuple(logits.shape[2:]) != (rows, columns):
        expected = f"a net that gives logits ({len(masks)}, classes, {rows}, {columns})"
        raise ValueError(sentence(expected, described(logits), "SegmentationNet(classes)"))
