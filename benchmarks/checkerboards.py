"""Checkerboards in trained nets: how far apart the seats of a block are in what each decoder says.

For every method and seed a net is trained for the same number of steps on scenes. On scenes that no training
has seen, the mean logit of each seat of a 2x2 block (a decoder's last step) and of an 8x8 block (all three)
is taken, away from the border; largest less smallest, over the standard deviation of the logits, mean over
the classes (`coursekit.training.phase_spread`). The same is measured before training. One thread.

    python benchmarks/checkerboards.py [--steps 250] [--seeds 5] [--methods transposed_k3 resize_conv …]
        [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys

import torch
from torch import Tensor, nn

from coursekit.data import Samples, load_scenes
from coursekit.exercises.checkerboards import even_start
from coursekit.nets import SegmentationNet
from coursekit.nets.decoders import Factory
from coursekit.training import evaluate, fit, phase_spread

TRAIN, TEST = 2000, 400
STRIDES = (2, 8)
BORDER = 8


def transposed_k3(inputs: int, outputs: int) -> nn.Module:
    """Kernel 3, stride 2: one, two or four stamps on a cell."""
    return nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1, bias=False)


def even_pixel_shuffle(inputs: int, outputs: int) -> nn.Module:
    """A pixel shuffle whose seats begin alike."""
    convolution = nn.Conv2d(inputs, 4 * outputs, 3, padding=1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(even_start(convolution.weight[:outputs], 2))
    return nn.Sequential(convolution, nn.PixelShuffle(2))


METHODS: dict[str, str | Factory] = {
    "transposed_k3": transposed_k3,
    "transposed_k4": "transposed",
    "resize_conv": "resize_conv",
    "pixel_shuffle": "pixel_shuffle",
    "pixel_shuffle_even": even_pixel_shuffle,
}


def answers(net: nn.Module, samples: Samples) -> Tensor:
    """The logits ``(N, classes, H, W)``, without gradients and as in use."""
    net.eval()
    with torch.no_grad():
        return torch.cat([net(images) for images in samples.images.split(64)])


def spreads(net: nn.Module, samples: Samples, when: str) -> dict[str, float]:
    """The spread at every stride, under a name that says when it was measured."""
    logits = answers(net, samples)
    return {f"{when}_{stride}": phase_spread(logits, stride, BORDER) for stride in STRIDES}


def run(method: str, seed: int, steps: int, train: Samples, test: Samples) -> dict[str, float]:
    """One net, measured before and after training."""
    net = SegmentationNet(len(train.classes), METHODS[method], seed=seed)
    before = spreads(net, test, "untrained")
    fit(net, train, steps=steps, seed=seed, device="cpu")
    return {**before, **spreads(net, test, "trained"), "miou": evaluate(net, test).miou}


def summary(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Median, least and greatest of every figure over the seeds."""
    found = {}
    for name in runs[0]:
        values = [figures[name] for figures in runs]
        found[name] = {"median": statistics.median(values), "least": min(values), "greatest": max(values)}
    return found


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """A row a method: medians, and in brackets the range over the seeds."""
    names = list(next(iter(results.values())))
    lines = ["".join([f"{'':20}", *(f"{name:>22}" for name in names)])]
    for method, figures in results.items():
        cells = [
            f"{each['median']:.3f} ({each['least']:.3f}-{each['greatest']:.3f})" for each in figures.values()
        ]
        lines.append("".join([f"{method:20}", *(f"{cell:>22}" for cell in cells)]))
    return "\n".join(lines)


def resize_is_evener(results: dict[str, dict[str, dict[str, float]]]) -> bool | None:
    """Whether even the worst resize-convolution beats the best kernel of 3; None if either is missing."""
    if not {"transposed_k3", "resize_conv"} <= set(results):
        return None
    worst = results["resize_conv"]["trained_2"]["greatest"]
    return worst < results["transposed_k3"]["trained_2"]["least"]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Checkerboards in the logits of trained nets.")
    options.add_argument("--steps", type=int, default=250, help="training steps a net (default 250)")
    options.add_argument("--seeds", type=int, default=5, help="nets of each method (default 5)")
    options.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    torch.set_num_threads(1)
    train, test = load_scenes(TRAIN, seed=0), load_scenes(TEST, seed=1)
    results = {}
    for method in given.methods:
        runs = [run(method, seed, given.steps, train, test) for seed in range(given.seeds)]
        results[method] = summary(runs)
        print(f"{method}: {results[method]['trained_2']['median']:.3f}", file=sys.stderr)
    evener = resize_is_evener(results)
    if given.json:
        figures = {"steps": given.steps, "seeds": given.seeds, "resize_conv_evener": evener}
        print(json.dumps({**figures, "results": results}))
        return
    print(table(results))
    if evener is not None:
        print(f"resize-convolution evener than kernel 3 on every seed, after training: {evener}")


if __name__ == "__main__":
    main()
