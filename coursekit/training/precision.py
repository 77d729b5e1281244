"""How a step runs on a GPU: in which numbers, and operation by operation or replayed as one CUDA graph.

Small nets keep a GPU waiting for the next launch, and a graph launches a whole step at once; large ones gain
by 16-bit numbers. Which pays is measured for a moment on the machine at hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.training.losses import IGNORE, cross_entropy

WARM, TIMED = 3, 10  # steps of a measurement
WORTH = 0.9  # anything but the plain way must save this much
_OURS = ("torch.nn.", "coursekit.nets.")

LossOf = Callable[[Tensor, Tensor], Tensor]
Step = Callable[[Tensor, Tensor, Tensor | None], Tensor]  # leaves gradients, gives the loss


@dataclass(frozen=True)
class Way:
    """One way to run a step."""

    bf16: bool = False
    graph: bool = False

    def __str__(self) -> str:
        return f"{'bf16' if self.bf16 else 'fp32'}, {'replayed as a CUDA graph' if self.graph else 'eager'}"


PLAIN = Way()


def numbers_of(way: Way) -> Any:
    """The context in which the net runs; the loss always has 32 bits."""
    return torch.autocast("cuda", torch.bfloat16, cache_enabled=False) if way.bf16 else nullcontext()


def all_known(net: nn.Module, loss: object) -> bool:
    """Whether nothing but the course's and torch's own parts runs in a step.

    Only these are known to do the same each time: a graph replays what a function did once.
    """
    modules = list(net.modules())
    hooked = any(each._forward_hooks or each._forward_pre_hooks for each in modules)
    ours = all(f"{type(each).__module__}.".startswith(_OURS) for each in modules)
    return ours and not hooked and loss is cross_entropy


def eager(net: nn.Module, way: Way, images: Tensor, masks: Tensor, weight: Tensor | None) -> Tensor:
    """One step, operation by operation."""
    with numbers_of(way):
        logits = net(images)
    loss = cross_entropy(logits.float(), masks)
    loss = loss if weight is None else loss * weight
    loss.backward()
    return loss.detach()


def captured(net: nn.Module, way: Way, images: Tensor, masks: Tensor, weight: Tensor | None) -> Step:
    """Record one step, and give a function that replays it on other numbers of the same shapes."""
    still = [None if each is None else each.clone() for each in (images, masks, weight)]
    mine = [each for each in net.parameters() if each.requires_grad]
    step = partial(eager, net, way, *still)  # type: ignore[arg-type]
    before = [each.clone() for each in net.buffers()]
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            step()
            net.zero_grad(set_to_none=True)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        loss = step()
    gradients = [each.grad for each in mine]
    for each, old in zip(net.buffers(), before, strict=True):
        each.copy_(old)  # the running averages have seen these images once too often

    def replay(images: Tensor, masks: Tensor, weight: Tensor | None) -> Tensor:
        for kept, new in zip(still, (images, masks, weight), strict=True):
            if kept is not None and new is not None:
                kept.copy_(new)
        graph.replay()
        for each, gradient in zip(mine, gradients, strict=True):
            each.grad = gradient
        return loss

    return replay


def made(net: nn.Module, way: Way, batch: tuple[Tensor, Tensor, Tensor | None]) -> Step:
    """The function that runs a step this way."""
    return captured(net, way, *batch) if way.graph else partial(eager, net, way)


def seconds_of(net: nn.Module, way: Way, batch: tuple[Tensor, Tensor, Tensor | None]) -> float:
    """Seconds a step takes this way, on a copy of the net; endless where it cannot be."""
    try:
        step = made(twin := deepcopy(net), way, batch)
        for number in range(WARM + TIMED):
            if number == WARM:
                torch.cuda.synchronize()
                begin = time.perf_counter()
            step(*batch)
            twin.zero_grad(set_to_none=True)
        torch.cuda.synchronize()
    except RuntimeError:  # out of memory, or something that a graph cannot hold
        return float("inf")
    return (time.perf_counter() - begin) / TIMED


def faithful(net: nn.Module, step: Step, batch: tuple[Tensor, Tensor, Tensor | None]) -> bool:
    """Whether a step leaves the gradients of a plain one: on a batch, on another, and with other masks.

    A graph that replays the wrong thing raises nothing; it would only train badly.
    """
    before = [each.clone() for each in net.buffers()]
    images, masks, weight = batch
    background = masks.where(masks == IGNORE, 0)
    tried = [
        batch,
        (images[:1].expand_as(images), masks[:1].expand_as(masks), weight),
        (images, background, weight),
    ]
    fine = all(
        _close(*(_gradients(net, way, one) for way in (partial(eager, net, PLAIN), step))) for one in tried
    )
    for each, old in zip(net.buffers(), before, strict=True):
        each.copy_(old)
    return fine


def _gradients(net: nn.Module, step: Step, batch: tuple[Tensor, Tensor, Tensor | None]) -> Tensor:
    net.zero_grad(set_to_none=True)
    step(*batch)
    found = torch.cat([each.grad.float().flatten() for each in net.parameters() if each.grad is not None])
    net.zero_grad(set_to_none=True)
    return found


def _close(plain: Tensor, other: Tensor) -> bool:
    """Within what 16-bit numbers lose."""
    return plain.shape == other.shape and bool((plain - other).norm() <= 0.2 * plain.norm())


def fastest(seconds: dict[Way, float]) -> Way:
    """The quickest way, or the plain one where little would be saved."""
    best = min(seconds, key=lambda way: seconds[way])
    return best if seconds[best] < WORTH * seconds[PLAIN] else PLAIN


def chosen(
    net: nn.Module, loss: object, exact: bool, measure: Callable[[Way], float], bf16: bool
) -> tuple[Way, str]:
    """A way to run the steps of a run, and the sentence that says so.

    Parameters
    ----------
    net, loss
        What is trained; see :func:`all_known`.
    exact : bool
        The run counts steps, so it must not depend on a measurement.
    measure : callable
        Gives the seconds of a step run one way.
    bf16 : bool
        Whether this GPU has such numbers.
    """
    if exact:
        return PLAIN, f"Steps ran in {PLAIN}: with steps= nothing depends on a measurement."
    if not all_known(net, loss):
        return PLAIN, f"Steps ran in {PLAIN}: a layer or the loss is your own, so nothing was assumed of it."
    ways = [PLAIN, Way(graph=True)] + [Way(True, graph) for graph in (False, True) if bf16]
    seconds = {way: measure(way) for way in ways}
    best = fastest(seconds)
    lost = [str(way) for way, each in seconds.items() if each == float("inf")]
    lost += [] if bf16 else ["bf16, which this GPU does not have"]
    said = f"Steps ran in {best}: {1000 * seconds[best]:.2f} ms each when tried"
    said += "" if best == PLAIN else f", {PLAIN} {1000 * seconds[PLAIN]:.2f} ms"
    return best, f"{said}; not possible here: {' or '.join(lost)}." if lost else f"{said}."
