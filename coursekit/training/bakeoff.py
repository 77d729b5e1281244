"""A bake-off: every way up in the same net, with the same data and for the same time."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch

from coursekit.nets import SegmentationNet
from coursekit.training.fitting import allowed, fit
from coursekit.training.given import Given
from coursekit.training.history import History
from coursekit.training.scoring import Scores
from coursekit.training.standings import BakeOff, Row, Run
from coursekit.upsampling.validation import described, is_int, sentence

Method = str | Callable[[int, int], Any] | Mapping[str, Any]


def bake_off(
    methods: Sequence[str] | Mapping[str, Method],
    train: Any,
    test: Any,
    *,
    budget: float = 60,
    steps: int | None = None,
    seeds: int | Iterable[int] = 3,
    refine: bool = False,
    on_result: Callable[[Run], object] | None = None,
    trained: Callable[..., History] = fit,
    **settings: Any,
) -> BakeOff:
    """Train the same net with each method in turn, on equal terms, and score all of them.

    Parameters
    ----------
    methods : sequence of str, or mapping
        Names for :class:`coursekit.nets.SegmentationNet`; or under any name such a name, a callable
        ``(in_channels, out_channels) -> nn.Module``, or a dict of the net's settings.
    train, test : Samples, or a pair of tensors
        What the nets learn from, and what they are scored on.
    budget : float
        Seconds of training for each net.
    steps : int, optional
        Steps instead of seconds.
    seeds : int or iterable of int
        How many nets of each method, or their seeds, which decide first weights and the images' order.
    refine : bool
        Put the same 3x3 convolution after each method.
    on_result : callable, optional
        Called with the :class:`Run` after each net; ``print`` will do.
    trained : callable
        What trains a net, called as :func:`coursekit.training.fit` is, which it is when left out.
    **settings
        Passed to it, such as ``augment`` or ``on_step``.

    Returns
    -------
    BakeOff
        When somebody stops a net (Ctrl-C), that one is left out and no further one begins.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> scenes = load_scenes(16)
    >>> bake_off(["nearest", "unet"], scenes[:12], scenes[12:], steps=2, seeds=1).best()
    ['nearest', 'unet']
    """
    chosen, numbers = _chosen(methods), _seeds(seeds)
    given, held_out = Given.of(train, "train"), Given.of(test, "test")
    named = given.classes or held_out.classes
    classes = len(named) or 1 + max(int(m[m != 255].max()) for m in (given.masks, held_out.masks))
    runs: dict[str, list[Run]] = {name: [] for name in chosen}
    sizes: dict[str, int] = {}
    history: History | None = None
    # Seed by seed, so that a machine that slows down slows down everyone.
    for seed, name in ((seed, name) for seed in numbers for name in chosen):
        net = SegmentationNet(classes, refine=refine, seed=seed, **chosen[name])
        history = trained(net, train, test, budget=budget, steps=steps, seed=seed, **settings)
        if history.interrupted or history.scores is None:
            break
        sizes[name] = sum(weight.numel() for weight in net.parameters())
        runs[name].append(_run(name, seed, history))
        if on_result is not None:
            on_result(runs[name][-1])
    baseline = history.scores.baseline_miou if history is not None and history.scores else 0.0
    rows = tuple(Row(name, sizes[name], tuple(found)) for name, found in runs.items() if found)
    terms = f"{steps:,} steps each" if steps is not None else f"{allowed(budget):g} s of training each"
    terms += ", the same 3x3 convolution after each" if refine else ""
    return BakeOff(rows, terms, baseline, _facts(len(given.images), len(held_out.images)))


def _run(method: str, seed: int, history: History) -> Run:
    scores = history.scores
    assert isinstance(scores, Scores)
    edges = scores.boundary_f1, scores.boundary_iou
    return Run(method, seed, scores.miou, *edges, history.steps, history.images_per_second, scores)


def _facts(train: int, test: int) -> dict[str, str]:
    """Where it was measured, in words that name no machine."""
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    threads = torch.get_num_threads()
    machine = f"{os.cpu_count()} CPU cores ({platform.machine()}), threads: {threads}{gpu}"
    return {
        "machine": machine,
        "torch": torch.__version__.split("+")[0],
        "samples": f"{train:,} to learn from, {test:,} to score",
    }


def _chosen(methods: Any) -> dict[str, dict[str, Any]]:
    expected = "methods as names, or a mapping of names to what SegmentationNet takes"
    if isinstance(methods, str) or not isinstance(methods, Mapping | Sequence) or not methods:
        raise TypeError(sentence(expected, described(methods), '["nearest", "unet"]'))
    named = methods if isinstance(methods, Mapping) else {name: name for name in methods}
    return {
        str(name): dict(method) if isinstance(method, Mapping) else {"upsampling": method}
        for name, method in named.items()
    }


def _seeds(seeds: Any) -> list[int]:
    numbers = list(range(seeds)) if is_int(seeds) else list(seeds) if isinstance(seeds, Iterable) else []
    if not numbers or not all(is_int(number) for number in numbers):
        raise ValueError(
            sentence("seeds as how many, 1 or more, or as whole numbers", repr(seeds), "seeds=3")
        )
    return [int(number) for number in numbers]
