"""Who trains together with this process: mostly nobody, and then nobody is asked."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.upsampling.validation import sentence


def processes() -> int:
    """How many processes train together: ``torchrun`` says so in ``WORLD_SIZE``."""
    said = os.environ.get("WORLD_SIZE", "1")
    return int(said) if said.isdecimal() else 1


def is_first() -> bool:
    """Whether this process is the one that prints: the only one, or number 0."""
    return processes() <= 1 or os.environ.get("RANK", "0") == "0"


def own_gpu(device: torch.device) -> torch.device:
    """A GPU for each process of this machine, where none was named by its number."""
    if processes() <= 1 or device.type != "cuda" or device.index is not None:
        return device
    number = int(os.environ.get("LOCAL_RANK", "0"))
    if number >= torch.cuda.device_count():
        got = f"{torch.cuda.device_count()} GPU(s) for process {number + 1}"
        attempt = f'--nproc-per-node {torch.cuda.device_count()}, or device="cpu"'
        raise ValueError(sentence("a GPU for each process", got, attempt))
    return torch.device("cuda", number)


def crew_for(device: torch.device) -> Alone:
    """Those who train together with this process; nobody, unless ``torchrun`` says otherwise."""
    if processes() <= 1:
        return Alone()
    from coursekit.training.several import Several

    return Several(device)


Packing = Callable[[Any], Any]


def as_it_is(found: Any) -> Any:
    """Nothing to pack."""
    return found


class Alone:
    """One process: it has the whole batch, and what it says goes."""

    size, number = 1, 0

    def __enter__(self) -> Alone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def is_first(self) -> bool:
        """Whether this process keeps the checkpoint, scores, and draws the bar."""
        return self.number == 0

    def note(self, net: nn.Module, batch: int) -> str:
        """A sentence for the history; nothing where one process is alone."""
        return ""

    def share(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """This process's part of a batch, and what its loss weighs; None is all."""
        return images, masks, None

    def summed(self, parameters: Sequence[Tensor], loss: Tensor) -> Tensor:
        """Sum the gradients over all processes where they are, and give the sum of the losses."""
        return loss

    def agreed(self, asked: bool, late: bool = False) -> tuple[bool, bool]:
        """Whether anyone asked, and whether the first process's clock says that it is late."""
        return asked, late

    def firsts(self, number: float) -> float:
        """The first process's number."""
        return number

    def told(self, work: Callable[[], Any], pack: Packing = as_it_is, unpack: Packing = as_it_is) -> Any:
        """What the first process finds by ``work``; nobody else works. Packed, JSON can say it."""
        return work()

    def require_alike(self, mine: dict[str, Any]) -> None:
        """Refuse processes that were not all asked for the same."""

    def align(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the first one's numbers."""

    def leave(self) -> None:
        """Go on without the others, who hear of it."""
