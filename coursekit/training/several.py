"""Several processes that train one net together, as ``torchrun`` starts them."""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn

from coursekit.training.crew import Alone, Packing, as_it_is, processes
from coursekit.training.losses import IGNORE
from coursekit.upsampling.validation import sentence

if TYPE_CHECKING:
    from torch.distributed import ProcessGroup

PATIENCE = timedelta(minutes=10)  # longer than the first process takes to score the validation images
_NEEDED = ("RANK", "MASTER_ADDR", "MASTER_PORT")


class Refused(ValueError):
    """What all processes refuse alike, at the same moment; they can go on together."""


class Several(Alone):
    """One of several processes, each with the same net, data and settings, and its own part of each batch.

    All small talk goes by gloo on the CPU, so that a GPU need not wait for it; gradients go by nccl on GPUs.

    Parameters
    ----------
    device : torch.device
        Where this process trains.

    Raises
    ------
    ValueError
        The environment says that there are others, and not where.
    ConnectionError
        They do not answer.
    """

    _left = False  # of all runs: after a run that broke, the processes cannot find each other again

    def __init__(self, device: torch.device) -> None:
        import torch.distributed as dist

        self._dist = dist
        missing = [name for name in _NEEDED if name not in os.environ]
        if missing:
            expected = f"RANK, MASTER_ADDR and MASTER_PORT beside WORLD_SIZE={processes()}, as torchrun sets"
            attempt = "torchrun --nproc-per-node 2 …, or without WORLD_SIZE in the environment"
            raise ValueError(sentence(f"{expected} them", f"no {missing[0]}", attempt))
        self.size, self.number = processes(), int(os.environ["RANK"])
        with self._patiently():
            if Several._left:
                raise RuntimeError("an earlier run of this process ended with an error")
            if not dist.is_initialized():
                dist.init_process_group(
                    "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE
                )
                atexit.register(_go)
            self._talk = cast("ProcessGroup", dist.new_group(backend="gloo", timeout=PATIENCE))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and kind is not Refused:
            self.leave()

    def note(self, net: nn.Module, batch: int) -> str:
        """How the processes share the work."""
        said = f"{self.size} processes share each batch of {batch} images."
        if any(isinstance(each, nn.modules.batchnorm._BatchNorm) for each in net.modules()):
            said += " Each normalises its own part; the running averages kept are the first process's."
        return said

    def share(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """A slice, weighed by its part of the labelled pixels: so the sum of means is the mean of all."""
        edges = [len(images) * number // self.size for number in (self.number, self.number + 1)]
        if len(images) < self.size:
            got = f"{len(images)} images for {self.size} processes"
            raise Refused(sentence("an image of each batch for each process", got, "a larger batch="))
        mine = masks[edges[0] : edges[1]]
        weight = (mine != IGNORE).sum() / (masks != IGNORE).sum().clamp_min(1)
        return images[edges[0] : edges[1]], mine, weight

    def summed(self, parameters: Sequence[Tensor], loss: Tensor) -> Tensor:
        """One message: all gradients, which of them there are, and the loss."""
        there = [float(each.grad is not None) for each in parameters]
        flat = [(torch.zeros_like(each) if each.grad is None else each.grad).flatten() for each in parameters]
        counts = torch.tensor(there, device=loss.device)
        sizes = [len(each) for each in flat]
        whole = torch.cat([*flat, counts, loss.detach().reshape(1)])
        with self._patiently():
            self._dist.all_reduce(whole, group=None if loss.is_cuda else self._talk)
        *sums, counts, loss = whole.split([*sizes, len(sizes), 1])
        anywhere = [True] * len(sizes) if all(there) else (counts > 0).tolist()
        for each, total, some in zip(parameters, sums, anywhere, strict=True):
            # In the parameter's own order of memory: the optimizer reads both side by side.
            each.grad = torch.empty_like(each).copy_(total.view_as(each)) if some else None
        return loss[0]

    def agreed(self, asked: bool, late: bool = False) -> tuple[bool, bool]:
        """One message a question."""
        if self._left:
            return asked, late
        said = torch.tensor([asked, late and self.is_first], dtype=torch.uint8)
        with self._patiently():
            self._dist.all_reduce(said, self._dist.ReduceOp.MAX, group=self._talk)
        return bool(said[0]), bool(said[1])

    def firsts(self, number: float) -> float:
        """The first process's number."""
        said = torch.tensor(number, dtype=torch.float64)
        self._send(said)
        return float(said)

    def told(self, work: Callable[[], Any], pack: Packing = as_it_is, unpack: Packing = as_it_is) -> Any:
        """The first one works and tells; a ValueError is told as well. None from one that is gone."""
        if not self.is_first:
            answer = {} if self._left else json.loads(self._text(""))
            if "refused" in answer:
                raise Refused(answer["refused"])
            found = answer.get("found")
            return None if found is None else unpack(found)
        try:
            found = work()
        except ValueError as problem:
            self._text(json.dumps({"refused": str(problem)}))
            raise Refused(*problem.args) from problem
        self._text(json.dumps({"found": None if found is None else pack(found)}))
        return found

    def require_alike(self, mine: dict[str, Any]) -> None:
        """Whoever differs from the first process says in what."""
        firsts = self.told(lambda: mine)
        differs = [f"{name}={mine[name]}" for name in mine if mine[name] != firsts[name]]
        if self.agreed(bool(differs))[0]:
            got = f"{', '.join(differs)} in process {self.number}" if differs else "others in another process"
            raise Refused(
                sentence("the same net, data and settings in all processes", got, "the same call in each")
            )

    def align(self, tensors: Iterable[Tensor]) -> None:
        """One message a tensor; for the beginning and the end."""
        for each in tensors:
            plain = each.detach().cpu().contiguous()
            self._send(plain)
            with torch.no_grad():
                each.copy_(plain)

    def leave(self) -> None:
        """Close the lines, which the others notice at once."""
        Several._left = True
        _go()

    def _text(self, text: str) -> str:
        content = torch.tensor(list(text.encode()), dtype=torch.uint8)
        size = torch.tensor(len(content))
        self._send(size)
        content = content if self.is_first else torch.empty(int(size), dtype=torch.uint8)
        self._send(content)
        return bytes(content.tolist()).decode()

    def _send(self, tensor: Tensor) -> None:
        if self._left:
            return
        with self._patiently():
            self._dist.broadcast(tensor, 0, group=self._talk)

    @contextmanager
    def _patiently(self) -> Iterator[None]:
        """Turn an answer that does not come into a sentence."""
        try:
            yield
        except RuntimeError as problem:
            reason = str(problem).strip().splitlines()[0][:120]
            expected = f"an answer from all {self.size} processes within {PATIENCE.total_seconds():.0f} s"
            attempt = (
                "their own messages, then all of them again (with checkpoint= and resume=True it goes on)"
            )
            raise ConnectionError(sentence(expected, f"none: {reason}", attempt)) from problem


def _go() -> None:
    import torch.distributed as dist

    if dist.is_initialized():
        dist.destroy_process_group()
