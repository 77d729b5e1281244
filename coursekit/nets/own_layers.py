"""A learner's function on planes, made into a layer that trains: traced once, then run as the trace says.

A loop over a plane in Python is far too slow to train with. But a fixed up-sampling is linear in its input
and in its kernel, so small grids show all that it does: what a cell inside does, every cell inside does, and
cells near an edge may have rules of their own. The layer replays these rules with fast operators. A function
that overwrites where it should add is trained as one that overwrites.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from coursekit.nets.decoders import Factory
from coursekit.nets.stamp_rules import STRIDE, Rules, doubled, place, rules_of
from coursekit.upsampling import Trace, probe
from coursekit.upsampling.validation import described, is_int, sentence

MOST_KERNEL = 8


def own_layer(function: Callable[..., Any], kernel: int | None = 4) -> Factory:
    """Make a decoder's layer of a function on planes, such as ``mine("transposed-conv")``.

    Parameters
    ----------
    function : callable
        ``function(x, kernel, stride)`` on a plane ``(H, W)`` and a kernel ``(k, k)``; with ``kernel=None``
        ``function(x, factor)``. Loops are fine: small grids are traced and training never calls it.
    kernel : int or None
        Rows and columns of the kernel, whose numbers are learned.

    Returns
    -------
    callable
        ``(in_channels, out_channels) -> nn.Module``, for ``SegmentationNet(upsampling=…)``. An output channel
        is the sum, over the input channels, of what the function gives with a kernel for each pair. The
        canvas is cut, or filled with zeros, to twice the rows and columns; half of the excess goes above
        and to the left, as in torch.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try: the function fails, is not linear, does not grow
        by two cells for each cell, or does not treat all cells inside alike.

    Examples
    --------
    >>> from coursekit.nets import SegmentationNet
    >>> from coursekit.upsampling import transposed_conv
    >>> net = SegmentationNet(2, own_layer(transposed_conv))
    """
    traced = TracedFunction(function, _require_kernel(kernel))
    traced.rehearse()

    def layer(in_channels: int, out_channels: int) -> nn.Module:
        return TracedUpsampling(traced, in_channels, out_channels)

    layer.__name__ = traced.name
    return layer


class TracedUpsampling(nn.Module):
    """Doubles rows and columns exactly as a function on planes does, with kernels that learn."""

    def __init__(self, traced: TracedFunction, inputs: int, outputs: int) -> None:
        super().__init__()
        self.traced = traced
        # As He et al. 2015, https://arxiv.org/abs/1502.01852, for as many terms as an output cell sums.
        terms = max(1.0, inputs * traced.weights / STRIDE**2)
        self.weight = nn.Parameter(torch.randn(inputs, outputs, traced.weights) * (2 / terms) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, inputs, H, W)`` to ``(N, outputs, 2 H, 2 W)``."""
        height, width = x.shape[-2:]
        rules = self.traced.rules_for(height, width).like(self.weight)
        canvas = self._stamps(x, rules.base, rules)
        for row, column, table in rules.corrections:
            rows, columns = place(row, rules.grid[0], height), place(column, rules.grid[1], width)
            stamps = self._stamps(x[..., rows, columns], table, rules)
            top, left = STRIDE * rows.start, STRIDE * columns.start
            canvas[..., top : top + stamps.shape[-2], left : left + stamps.shape[-1]] += stamps
        return doubled(canvas, rules, (height, width), rules.corner)

    def _stamps(self, x: Tensor, table: Tensor, rules: Rules) -> Tensor:
        """A stamp for each cell, two cells apart, overlaps added."""
        kernel = (self.weight @ table.T).reshape(*self.weight.shape[:2], *rules.stamp)
        return functional.conv_transpose2d(x, kernel, stride=STRIDE)

    def extra_repr(self) -> str:
        """What torch prints of it."""
        return f"{self.traced.name}, in={self.weight.shape[0]}, out={self.weight.shape[1]}"


class TracedFunction:
    """A function on planes and the rules that its traces showed, found when first needed."""

    def __init__(self, function: Callable[..., Any], kernel: int | None) -> None:
        if not callable(function):
            raise TypeError(
                sentence("a function of (x, kernel, stride)", described(function), "its bare name")
            )
        self.function, self.kernel = function, kernel
        self.name = getattr(function, "__name__", type(function).__name__)
        self.weights = kernel**2 if kernel else 1
        # The middle row of a grid this high is touched by no stamp of its first or last row.
        self.least = 2 * max(2, (kernel or 1) // STRIDE) + 1
        self._found: dict[tuple[int, int], Rules] = {}

    def rules_for(self, height: int, width: int) -> Rules:
        """The rules of a grid. From ``least`` rows on they do not depend on how many there are."""
        grid = min(height, self.least), min(width, self.least)
        if grid not in self._found:
            self._found[grid] = rules_of(self._trace(grid), self.weights)
        return self._found[grid]

    def rehearse(self) -> None:
        """Refuse a function whose rules do not give what it gives, on grids that were not traced."""
        layer, generator = TracedUpsampling(self, 1, 1), torch.Generator().manual_seed(0)
        for height, width in ((self.least + 1, self.least + 3), (self.least + 2, 2)):
            x = _whole_numbers((height, width), generator)
            kernel = (
                _whole_numbers((self.kernel, self.kernel), generator) if self.kernel else torch.ones(1, 1)
            )
            theirs = self._answer(x, kernel)
            rules = self.rules_for(height, width)
            self._require_growth(rules, x, theirs)
            layer.weight.data = kernel.reshape(1, 1, -1)
            with torch.no_grad():
                ours = layer(x[None, None])[0, 0]
            if not torch.allclose(ours, doubled(theirs, rules, (height, width), (0, 0)), atol=1e-3):
                got = f"something else on a grid of {height}x{width} than on smaller ones"
                attempt = "the same stamp for every cell, two cells further for each cell further"
                raise ValueError(sentence(f"{self.name} to treat all cells inside alike", got, attempt))

    def _trace(self, grid: tuple[int, int]) -> Trace:
        x, kernel = torch.ones(grid), torch.ones(self.kernel or 1, self.kernel or 1)
        self._answer(x, kernel)  # its own errors first, in a sentence
        trace = probe(self.function, *([x, kernel] if self.kernel else [x]), STRIDE)
        in_both = trace.linear and (self.kernel is None or trace.kernel is not None)
        if not in_both:
            attempt = "sums of x * kernel, and no maximum, no bias and no comparison of values"
            got = "a function that is not, so no rule describes it"
            raise ValueError(sentence(f"{self.name} to be linear in x and in the kernel", got, attempt))
        if len(trace.gains) == 0:
            raise ValueError(sentence(f"{self.name} to use x", "zeros for every x", "writing on the canvas"))
        return trace

    def _answer(self, x: Tensor, kernel: Tensor) -> Tensor:
        call = f"{self.name} to enlarge a grid of {x.shape[0]}x{x.shape[1]}"
        try:
            with torch.no_grad():
                answer = self.function(*([x.clone(), kernel.clone()] if self.kernel else [x.clone()]), STRIDE)
        except Exception as problem:
            got = f"{type(problem).__name__}: {problem}"
            raise ValueError(sentence(call, got, "the function alone, on torch.ones(5, 5)")) from problem
        if not isinstance(answer, Tensor) or answer.ndim != 2:
            raise TypeError(sentence(f"{call} and return a grid (H, W)", described(answer), "return canvas"))
        return answer.float()

    def _require_growth(self, rules: Rules, x: Tensor, theirs: Tensor) -> None:
        wanted = tuple(STRIDE * side + more for side, more in zip(x.shape, rules.growth, strict=True))
        if tuple(theirs.shape) != wanted:
            got = f"a canvas {tuple(theirs.shape)} for a grid {tuple(x.shape)}, not {wanted}"
            attempt = "a canvas of (H - 1) * stride + k rows, W likewise"
            raise ValueError(sentence(f"{self.name} to grow by two cells for each cell", got, attempt))


def _whole_numbers(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    return torch.randint(-4, 5, shape, generator=generator).float()


def _require_kernel(kernel: Any) -> int | None:
    if kernel is None or (is_int(kernel) and 1 <= kernel <= MOST_KERNEL):
        return kernel
    expected = f"kernel as a whole number from 1 to {MOST_KERNEL}, or None"
    raise ValueError(sentence(expected, described(kernel), "kernel=4"))
