"""What a step of training really takes: seconds, and the peak of its memory beside what was computed."""

from __future__ import annotations

import time
import weakref
from copy import deepcopy
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from coursekit.data.wording import require_whole
from coursekit.nets.costing import activation_bytes
from coursekit.upsampling.validation import described, require_pair, sentence

STEPS = 3


@dataclass(frozen=True)
class Measured:
    """One step of training: computed beside measured.

    Attributes
    ----------
    size : tuple
        Rows and columns of each image.
    batch : int
        Images a step.
    device : str
        Where it ran.
    computed_bytes : int
        What must be kept of the batch between the pass forward and the pass back; see :func:`cost`.
    peak_bytes : int
        The most that the step held at one moment, its images among it, on top of the net and the optimizer.
    seconds : float
        Of one step.
    """

    size: tuple[int, int]
    batch: int
    device: str
    computed_bytes: int
    peak_bytes: int
    seconds: float

    def __repr__(self) -> str:
        return (
            f"One step of training on {self.batch} images of {self.size[0]}x{self.size[1]} ({self.device})\n"
            f"  memory, computed  {self.computed_bytes / 2**20:>10.1f} MiB kept for the pass back\n"
            f"  memory, measured  {self.peak_bytes / 2**20:>10.1f} MiB at its peak\n"
            f"  time, measured    {1000 * self.seconds:>10.1f} ms"
        )


def measure_step(
    net: nn.Module, size: int | tuple[int, int] = 64, batch: int = 8, device: str = "cpu"
) -> Measured:
    """Run a few steps of training on a copy of a net, and see what they take.

    Parameters
    ----------
    net : nn.Module
        Takes images ``(N, 3, H, W)``, gives scores ``(N, C, h, w)``. It is left as it was.
    size : int or pair of int
        Rows and columns of the images, which hold noise.
    batch : int
        Images a step.
    device : str
        Such as ``"cpu"`` or ``"cuda"``.

    Returns
    -------
    Measured

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Notes
    -----
    A step is a pass forward, cross-entropy, a pass back, and AdamW; memory lies channels last, as in ``fit``.
    The net and the optimizer's own numbers are there before the step and not counted; the images, the step's
    activations, gradients and passing results are. On a GPU the peak is that of torch's allocator. On a CPU
    it is that of all tensors that torch's operations hand out, each storage once, as long as it lives;
    scratch space that an operation uses inside is not seen. The seconds are the median of three steps that
    nothing watches.

    The measured peak lies above the computed memory, because the gradients of the last layers are made while
    nearly all that is kept is still needed.

    Examples
    --------
    >>> from coursekit.nets import SegmentationNet, measure_step
    >>> found = measure_step(SegmentationNet(5, "none", widths=(4,)), 16, batch=2)
    >>> found.peak_bytes > found.computed_bytes
    True
    """
    if not isinstance(net, nn.Module):
        raise TypeError(sentence("a net (nn.Module)", described(net), "measure_step(SegmentationNet(2))"))
    rows, columns = require_pair(size, "size", least=1)
    batch = require_whole(batch, "batch", 1, 4096, "batch=8")
    step = _Step(net, (batch, 3, rows, columns), torch.device(device))
    step.run()  # the first makes the optimizer's numbers, and is slower
    seconds = median(step.timed() for _ in range(STEPS))
    computed = batch * activation_bytes(deepcopy(net).cpu().float(), torch.zeros(1, 3, rows, columns))
    return Measured((rows, columns), batch, str(device), computed, step.peak(), seconds)


class _Step:
    """A copy of a net with an optimizer and a batch of noise."""

    def __init__(self, net: nn.Module, shape: tuple[int, int, int, int], device: torch.device) -> None:
        self.device = device
        self.net = deepcopy(net).float().train().to(device).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.net.parameters())
        noise = torch.Generator().manual_seed(0)
        self.images = torch.rand(shape, generator=noise).to(device, memory_format=torch.channels_last)

    def run(self) -> None:
        scores = self.net(self.images)
        truth = torch.zeros(scores.shape[:1] + scores.shape[2:], dtype=torch.long, device=self.device)
        nn.functional.cross_entropy(scores, truth).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def timed(self) -> float:
        self._finish()
        started = time.perf_counter()
        self.run()
        self._finish()
        return time.perf_counter() - started

    def peak(self) -> int:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            before = torch.cuda.memory_allocated(self.device)
            self.run()
            self._finish()
            made = torch.cuda.max_memory_allocated(self.device) - before
        else:
            with _Living() as living:
                self.run()
            made = living.peak
        return int(made + self.images.nbytes)

    def _finish(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


class _Living(TorchDispatchMode):
    """Adds up the storages that operations make, from when they are made until nobody holds them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._sizes: dict[int, int] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {t.untyped_storage()._cdata for t in tree_iter((args, kwargs)) if isinstance(t, Tensor)}
        out = func(*args, **(kwargs or {}))
        for tensor in tree_iter(out):
            if isinstance(tensor, Tensor) and tensor.untyped_storage()._cdata not in given:
                self._born(tensor.untyped_storage())
        return out

    def _born(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._sizes:
            return
        self._sizes[key] = storage.nbytes()
        weakref.finalize(storage, self._gone, key)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)

    def _gone(self, key: int) -> None:
        self.now -= self._sizes.pop(key)
