"""One step of gradient descent, and the numbers it must remember."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw


@dataclass(eq=False)
class AdamW:
    """Adam with decoupled weight decay: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101.

    The arithmetic is torch's own. Its optimizer class is not used because making the first one loads torch's
    compiler, which takes longer than a short run.
    """

    net: nn.Module
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.99
    parameters: list[Tensor] = field(init=False)
    means: list[Tensor] = field(init=False)
    squares: list[Tensor] = field(init=False)
    counts: list[Tensor] = field(init=False)

    def __post_init__(self) -> None:
        self.parameters = [each for each in self.net.parameters() if each.requires_grad]
        self.means = [torch.zeros_like(each) for each in self.parameters]
        self.squares = [torch.zeros_like(each) for each in self.parameters]
        self.counts = [torch.zeros((), device=each.device) for each in self.parameters]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every parameter that has a gradient, and forget the gradients."""
        moments = zip(self.parameters, self.means, self.squares, self.counts, strict=True)
        moving = [each for each in moments if each[0].grad is not None]
        if not moving:
            return
        parameters, means, squares, counts = (list(column) for column in zip(*moving, strict=True))
        gradients = [cast(Tensor, each.grad) for each in parameters]
        adamw(
            parameters, gradients, means, squares, [], counts,
            fused=True, amsgrad=False, maximize=False, lr=rate, beta1=self.beta1, beta2=self.beta2,
            weight_decay=self.weight_decay, eps=1e-8,
        )  # fmt: skip
        for each in parameters:
            each.grad = None

    def state(self) -> dict[str, Tensor]:
        """What an interrupted run needs to go on exactly."""
        named = (("means", self.means), ("squares", self.squares), ("counts", self.counts))
        return {f"{name}.{place}": each for name, whole in named for place, each in enumerate(whole)}

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what :meth:`state` gave."""
        for name, mine in self.state().items():
            mine.copy_(state[name])


class LastFinite:
    """The newest weights whose losses were finite.

    A loss can be finite and its step ruin the weights all the same; only the next losses tell. So a copy is
    good once the losses after it were finite.
    """

    def __init__(self, net: nn.Module) -> None:
        self.net = net
        self._good = self._newest = self._copy()

    def losses_were_finite(self) -> None:
        """Trust the last copy, and make a new one."""
        self._good, self._newest = self._newest, self._copy()

    def restore(self) -> None:
        """Put the trusted weights back into the net."""
        self.net.load_state_dict(self._good)

    def _copy(self) -> dict[str, Tensor]:
        return {name: each.detach().clone() for name, each in self.net.state_dict().items()}
