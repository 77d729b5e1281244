"""`probe`: what any callable does with every input number, found with unit impulses.

A fixed up-sampling is linear in its input and in its kernel. So feeding a single 1 in the input and a
single 1 in the kernel shows one contribution at a time, whatever the code inside looks like.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coursekit.upsampling.contributions import Contribution, Kind, Trace, weights_at
from coursekit.upsampling.validation import as_tensor, described, sentence, shape_text, tensor_advice

__all__ = ["Contribution", "Trace", "probe"]

MOST_CALLS = 20_000
_REPEATS = 4  # dropout on a single cell gives one answer five times in a row once in 16 times
_Pattern = tuple[Tensor, Tensor]  # cells reached, and with what gain


def probe(method: Callable[..., Any], /, *inputs: Any, **settings: Any) -> Trace:
    """Find every contribution of a callable by feeding it unit impulses.

    Parameters
    ----------
    method : callable
        A library function, a torch module, a learner's loop, NumPy code: ``method(*inputs, **settings)``.
        If it returns a tuple, the first entry is taken. It is called many times, always with fresh
        copies, so that writing into its inputs does no harm.
    *inputs
        First the grid, a floating tensor or NumPy array of any shape. If the second is floating too it
        is the kernel, and its cells are told apart. All others (switches, sizes) are held as they are.
    **settings
        Passed through and held.

    Returns
    -------
    Trace

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try: no floating grid, an empty grid or output, a
        NaN, more than 20,000 impulses, an output whose shape depends on the values, a random output.
        What the callable itself raises at the given inputs comes through as it is.

    Notes
    -----
    After the impulses the sum of the contributions is compared with the callable at the given inputs and
    at three points with negative numbers: small, fractional, and large (a few thousand), so that a limit
    far out or a rounding is noticed. If they differ, the kernel is held; if they still differ, the
    callable is neither linear nor affine and its slopes at the given inputs are returned ("local").
    The caller's random generators and a module's running averages are left as they were.

    Examples
    --------
    >>> from coursekit.upsampling import transposed_conv
    >>> trace = probe(transposed_conv, torch.ones(1, 2), torch.ones(1, 3), stride=2)
    >>> [part.input for part in trace.into((0, 2))]   # the middle cell gets two stamps
    [(0, 0), (0, 1)]
    """
    call = _Call(method, inputs, settings)
    with _left_as_it_was(method), one_thread():
        output = call.given()
        call.refuse_random(output)
        for kernel_too in (True, False) if call.kernel is not None else (False,):
            trace = call.impulses(output, kernel_too)
            if trace is not None and call.agrees(trace):
                return trace
        return call.slopes(output)


class _Call:
    """The callable with its held arguments, called afresh with copies each time."""

    def __init__(self, method: Any, inputs: tuple[Any, ...], settings: dict[str, Any]) -> None:
        if not callable(method):
            attempt = "a function, without its brackets"
            raise TypeError(sentence("something to call", described(method), attempt))
        if not inputs or not _is_floating(inputs[0]):
            got, attempt = (described(inputs[0]), _float_advice(inputs[0])) if inputs else _NO_INPUT
            expected = "a floating tensor or NumPy array as the first input"
            raise TypeError(sentence(expected, got, attempt))
        self.method, self.name = method, _name(method)
        # Copies: whoever writes into the originals later must not change what the trace shows.
        self.inputs = tuple(_copied(value) for value in inputs)
        self.settings = {key: _copied(value) for key, value in settings.items()}
        self.x = _finite(as_tensor(self.inputs[0]), "the grid")
        has_kernel = len(inputs) > 1 and _is_floating(inputs[1])
        self.kernel = _finite(as_tensor(self.inputs[1]), "the kernel") if has_kernel else None
        self.held = self.inputs[2 if has_kernel else 1 :]

    def given(self) -> Tensor:
        """The output at the given inputs, which must be usable."""
        return _finite(self._run(self.x, self.kernel), f"the output of {self.name}")

    def refuse_random(self, output: Tensor) -> None:
        """A random callable has no contributions: each call would show others."""
        slack = 8 * self._precision(output) * (float(output.abs().max()) + 1)
        for _ in range(_REPEATS):
            again = self._again(self.x, self.kernel, output.shape)
            if not bool((again - output).abs().max() <= slack):
                got = f"two different outputs from {self.name}"
                attempt = "module.eval() if it drops cells at random, or a fixed seed inside it"
                raise ValueError(sentence("the same output for the same input", got, attempt))

    def impulses(self, output: Tensor, kernel_too: bool) -> Trace | None:
        """The trace if the callable is linear; None where it already shows that it is not."""
        kernel = self.kernel if kernel_too else None
        weights = range(kernel.numel()) if kernel is not None else (-1,)
        self._refuse_if_many(self.x.numel() * len(weights))
        held = torch.zeros_like(kernel) if kernel is not None else self.kernel
        offset = self._tried(torch.zeros_like(self.x), held, output.shape)
        if offset is None:
            return None
        cells, patterns = list(product(range(self.x.numel()), weights)), []
        for i, w in cells:
            weighing = _impulse(kernel, w) if kernel is not None else self.kernel
            response = self._tried(_impulse(self.x, i), weighing, output.shape)
            if response is None:
                return None
            patterns.append(_pattern(response - offset))
        return self._trace(output, offset, cells, patterns, "affine" if bool(offset.any()) else "linear")

    def slopes(self, output: Tensor) -> Trace:
        """What one more at each input cell adds, near the given inputs."""
        step, cells, patterns = _step(self.x), [(i, -1) for i in range(self.x.numel())], []
        explained = torch.zeros_like(output)
        for i, _ in cells:
            nudged = self._again(self.x + _impulse(self.x, i) * step, self.kernel, output.shape)
            slope = (_finite(nudged, f"the output of {self.name} nearby") - output) / step
            explained += slope * self.x.flatten()[i]
            patterns.append(_pattern(slope))
        return self._trace(output, output - explained, cells, patterns, "local")

    def agrees(self, trace: Trace) -> bool:
        """The superposition test."""
        generator = torch.Generator().manual_seed(0)
        far = 2.0**10 if torch.finfo(self.x.dtype).eps < 1e-6 else 2.0**4
        points = [(self.x, self.kernel)]
        for x_scale, kernel_scale in ((1.0, 1.0), (0.375, 0.375), (far, 1.0)):
            x = _integers(self.x, generator) * x_scale
            kernel = self.kernel
            if kernel is not None and trace.kernel is not None:
                kernel = _integers(kernel, generator) * kernel_scale
            points.append((x, kernel))
        return all(self._replays(trace, x, kernel) for x, kernel in points)

    def _replays(self, trace: Trace, x: Tensor, kernel: Tensor | None) -> bool:
        """Whether the contributions predict the output at another point, but for rounding."""
        found = self._tried(x, kernel, trace.output.shape)
        if found is None:
            return False
        actual = found.double().flatten()
        offset = trace.offset.double().flatten()
        values = x.double().flatten()[trace.input_index]
        weights = weights_at(kernel if trace.kernel is not None else None, trace.weight_index, torch.float64)

        def summed(terms: Tensor) -> Tensor:
            return torch.zeros_like(actual).index_add_(0, trace.output_index, terms)

        terms = values * weights * trace.gains.double()
        size, count = summed(terms.abs()), summed(torch.ones_like(terms))
        # n terms round n times; a gain read beside an offset is no finer than the offset.
        slack = (count + 2) * size + 8 * size.max() + offset.abs() * (1 + summed((values * weights).abs()))
        error = (offset + summed(terms) - actual).abs()
        return bool((error <= self._precision(trace.output) * slack).all())

    def _precision(self, output: Tensor) -> float:
        """The coarsest of the dtypes in play: float64 sums of float32 products are no finer."""
        parts = [self.x, output, *([self.kernel] if self.kernel is not None else [])]
        return max(torch.finfo(part.dtype).eps for part in parts)

    def _run(self, x: Tensor, kernel: Tensor | None) -> Tensor:
        arguments = [_like(x, self.inputs[0])]
        if kernel is not None:
            arguments.append(_like(kernel, self.inputs[1]))
        held = [_copied(value) for value in self.held]
        settings = {key: _copied(value) for key, value in self.settings.items()}
        return self._numbers(self.method(*arguments, *held, **settings))

    def _numbers(self, result: Any) -> Tensor:
        """What the callable returned as a floating tensor of its own."""
        first = result[0] if isinstance(result, tuple) and result else result
        first = np.asarray(first) if isinstance(first, np.generic) else first
        if not isinstance(first, Tensor | np.ndarray):
            attempt = f"a return at the end of {self.name}" if result is None else "torch.tensor(…) around it"
            got = f"{described(result)} from {self.name}"
            raise TypeError(sentence("a tensor or NumPy array back", got, attempt))
        kind = first.dtype.kind if isinstance(first, np.ndarray) else "c" if first.is_complex() else "f"
        if kind not in "fiub":
            attempt = "its real part" if kind == "c" else "an array of floats"
            raise TypeError(sentence("real numbers back", f"{described(first)} from {self.name}", attempt))
        if isinstance(first, np.ndarray) and not _is_floating(first):
            # Torch has no long double and no foreign byte order.
            first = first.astype(np.float64 if kind == "f" else np.int64)
        output = as_tensor(first).clone()
        return output if output.is_floating_point() else output.to(self.x.dtype)

    def _tried(self, x: Tensor, kernel: Tensor | None, shape: torch.Size) -> Tensor | None:
        """The output at inputs that the caller never asked for: what fails there is no linear map."""
        try:
            output = self._run(x, kernel)
        except Exception:  # a division by the kernel's sum, an assert that something is positive …
            return None
        return self._of_shape(output, shape) if bool(torch.isfinite(output).all()) else None

    def _again(self, x: Tensor, kernel: Tensor | None, shape: torch.Size) -> Tensor:
        return self._of_shape(self._run(x, kernel), shape)

    def _of_shape(self, output: Tensor, shape: torch.Size) -> Tensor:
        if output.shape != shape:
            got = f"{shape_text(shape)} and {shape_text(output.shape)} from {self.name}"
            expected, attempt = (
                "one output shape for every input of one shape",
                "a size from the shapes alone",
            )
            raise ValueError(sentence(expected, got, attempt))
        return output

    def _trace(
        self, output: Tensor, offset: Tensor, cells: list[tuple[int, int]], found: list[_Pattern], kind: Kind
    ) -> Trace:
        pairs = torch.tensor(cells).repeat_interleave(torch.tensor([len(gains) for _, gains in found]), dim=0)
        return Trace(
            name=self.name, inputs=self.inputs, output=output, offset=offset, kind=kind,
            settings=self.settings, input_index=pairs[:, 0], weight_index=pairs[:, 1],
            output_index=torch.cat([reached for reached, _ in found]),
            gains=torch.cat([gains for _, gains in found]), method=self.method,
        )  # fmt: skip

    def _refuse_if_many(self, calls: int) -> None:
        if calls > MOST_CALLS:
            expected = f"at most {MOST_CALLS:,} impulses (input cells x kernel cells)"
            raise ValueError(sentence(expected, f"{calls:,}", "a smaller grid"))


_NO_INPUT = ("no input", "probe(method, torch.ones(2, 2))")


@contextmanager
def one_thread() -> Iterator[None]:
    """On grids this small, threads that wait for each other cost far more than they save."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _left_as_it_was(method: Any) -> Iterator[None]:
    """Put random generators and a module's buffers back: a look must not change what it looks at."""
    buffers = list(method.buffers()) if isinstance(method, torch.nn.Module) else []
    saved = [buffer.detach().clone() for buffer in buffers]
    numpys, pythons = np.random.get_state(), random.getstate()
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    try:
        with torch.random.fork_rng(devices):
            yield
    finally:
        np.random.set_state(numpys)
        random.setstate(pythons)
        with torch.no_grad():
            for buffer, before in zip(buffers, saved, strict=True):
                buffer.copy_(before)


def _step(x: Tensor) -> float:
    """A power of two that x can still tell apart: exact beside small integers, so slopes are exact too."""
    digits = -math.log2(torch.finfo(x.dtype).eps)
    exponent = max(-10, -int(digits // 2 - 2))
    return float(2.0 ** (exponent + math.ceil(math.log2(max(1.0, float(x.abs().max()) / 8)))))


def _pattern(response: Tensor) -> _Pattern:
    flat = response.flatten()
    reached = flat.nonzero().flatten()
    return reached, flat[reached]


def _integers(like: Tensor, generator: torch.Generator) -> Tensor:
    values = torch.randint(-5, 6, like.shape, generator=generator)
    return torch.where(values == 0, 6, values).to(like.dtype)


def _impulse(like: Tensor, cell: int) -> Tensor:
    grid = torch.zeros_like(like)
    grid.view(-1)[cell] = 1
    return grid


def _like(values: Tensor, original: Any) -> Any:
    return values.numpy().copy() if isinstance(original, np.ndarray) else values.clone().to(original.device)


def _copied(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def _is_floating(value: Any) -> bool:
    if isinstance(value, Tensor):
        return value.is_floating_point()
    # Floats that torch has too: no long double, no foreign byte order.
    return isinstance(value, np.ndarray) and value.dtype in (np.float16, np.float32, np.float64)


def _float_advice(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return "x.astype(np.float32)"
    return "x.float()" if isinstance(value, Tensor) else tensor_advice(value)


def _finite(values: Tensor, what: str) -> Tensor:
    if values.numel() == 0:
        expected, got = f"{what} with at least one cell", f"shape {shape_text(values.shape)}"
        raise ValueError(sentence(expected, got, "a grid of 1x1 or more"))
    if not bool(torch.isfinite(values).all()):
        attempt = "a grid of small whole numbers"
        raise ValueError(sentence(f"finite numbers in {what}", "NaN or infinity", attempt))
    return values


def _name(method: Any) -> str:
    while isinstance(method, functools.partial):
        method = method.func
    return getattr(method, "__name__", None) or type(method).__name__
