"""How many images a CPU-second a training loop gets through: ours, against the loop of every tutorial.

Same net, data, batch, loss, optimizer and mirroring, on one thread of the CPU. The peer is as torch's
tutorials write it: a Dataset that gives one image as floats, a DataLoader, torch.optim.AdamW, OneCycleLR.
Each turn is a process of its own, because ours changes how the C library keeps memory. The two take turns and
CPU time is counted, so that a busy machine does not hit one of them only.

    python benchmarks/training_loop.py [--steps 120] [--rounds 5] [--upsampling transposed] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from coursekit.data import Samples, load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import fit

TARGET_RATIO = 1.7
BATCH = 8


class OneByOne(Dataset[tuple[Tensor, Tensor]]):
    """As in a tutorial: one image and its mask, converted and perhaps mirrored."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = self.samples.images[index].float() / 255, self.samples.masks[index].long()
        if torch.rand(1) < 0.5:
            image, mask = image.flip(2), mask.flip(1)
        return image, mask


def tutorial_loop(net: nn.Module, samples: Samples, steps: int) -> None:
    """Train as the tutorials do."""
    loader = DataLoader(OneByOne(samples), batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-2, total_steps=steps)
    criterion = nn.CrossEntropyLoss(ignore_index=255)
    net.train()
    done = 0
    while done < steps:
        for images, masks in loader:
            optimizer.zero_grad()
            loss = criterion(net(images), masks)
            loss.backward()
            optimizer.step()
            schedule.step()
            done += 1
            if done == steps:
                break


def our_loop(net: nn.Module, samples: Samples, steps: int) -> None:
    """Train as the course does."""
    fit(net, samples, steps=steps, batch=BATCH, device="cpu")


LOOPS: dict[str, Callable[[nn.Module, Samples, int], None]] = {
    "tutorial": tutorial_loop,
    "coursekit": our_loop,
}


def images_per_second(name: str, upsampling: str, steps: int) -> float:
    """Images for each second of CPU time; what is loaded at the first use is not counted."""
    torch.set_num_threads(1)
    samples = load_scenes(1000)
    LOOPS[name](SegmentationNet(len(samples.classes), upsampling), samples, 3)
    net = SegmentationNet(len(samples.classes), upsampling)
    begin = time.process_time()
    LOOPS[name](net, samples, steps)
    return steps * BATCH / (time.process_time() - begin)


def in_a_process_of_its_own(name: str, upsampling: str, steps: int) -> float:
    """One turn of one loop."""
    command = [sys.executable, __file__, "--turn", name, "--upsampling", upsampling, "--steps", str(steps)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Images a CPU-second of two training loops.")
    options.add_argument("--steps", type=int, default=200, help="steps a turn (default 200)")
    options.add_argument("--rounds", type=int, default=5, help="turns of each loop (default 5)")
    options.add_argument("--upsampling", default="transposed", help="the decoder (default transposed)")
    options.add_argument("--turn", choices=LOOPS, help="measure one loop once, in this process")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    if given.turn:
        print(images_per_second(given.turn, given.upsampling, given.steps))
        return
    rates: dict[str, list[float]] = {name: [] for name in LOOPS}
    for _ in range(given.rounds):
        for name in LOOPS:
            rates[name].append(in_a_process_of_its_own(name, given.upsampling, given.steps))
    best = {name: round(max(values), 1) for name, values in rates.items()}
    ratio = best["coursekit"] / best["tutorial"]
    met = ratio >= TARGET_RATIO
    if given.json:
        figures = {"images_per_cpu_second": best, "ratio": round(ratio, 2), "target_met": met}
        print(json.dumps(figures))
        return
    for name, value in best.items():
        print(f"{name:12}{value:8.0f} images a CPU-second")
    print(f"ratio {ratio:.2f}, target >= {TARGET_RATIO}: {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    main()
