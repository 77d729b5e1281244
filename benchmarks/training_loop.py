"""How many images a CPU-second a training loop gets through: ours, against the loop of every tutorial.

Same net, data, batch, loss, optimizer and mirroring, on one thread of the CPU. The peer is as torch's tutorials
write it: a Dataset that returns one image as floats, a DataLoader, torch.optim.AdamW with OneCycleLR.
The two take turns and CPU time is counted, so that a busy machine does not hit one of them only.

    python benchmarks/training_loop.py [--steps 120] [--rounds 5] [--upsampling transposed] [--json]
"""

from __future__ import annotations

import argparse
import json
import statistics
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
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)
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


def images_per_second(
    loop: Callable[[nn.Module, Samples, int], None], upsampling: str, samples: Samples, steps: int
) -> float:
    """Images for each second of CPU time, the making of the net not counted."""
    net = SegmentationNet(len(samples.classes), upsampling)
    begin = time.process_time()
    loop(net, samples, steps)
    return steps * BATCH / (time.process_time() - begin)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Images a CPU-second of two training loops.")
    options.add_argument("--steps", type=int, default=120, help="steps a round (default 120)")
    options.add_argument("--rounds", type=int, default=5, help="turns of each loop (default 5)")
    options.add_argument("--upsampling", default="transposed", help="the decoder (default transposed)")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    torch.set_num_threads(1)
    samples = load_scenes(1000)
    loops = {"tutorial": tutorial_loop, "coursekit": our_loop}
    for loop in loops.values():  # what is loaded or compiled at the first use
        images_per_second(loop, given.upsampling, samples, 3)
    rates: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(given.rounds):
        for name, loop in loops.items():
            rates[name].append(images_per_second(loop, given.upsampling, samples, given.steps))
    medians = {name: round(statistics.median(values), 1) for name, values in rates.items()}
    ratio = medians["coursekit"] / medians["tutorial"]
    met = ratio >= TARGET_RATIO
    if given.json:
        figures = {"images_per_cpu_second": medians, "ratio": round(ratio, 2), "target_met": met}
        print(json.dumps(figures))
        return
    for name, value in medians.items():
        print(f"{name:12}{value:8.0f} images a CPU-second")
    print(f"ratio {ratio:.2f}, target >= {TARGET_RATIO}: {'met' if met else 'NOT met'}")


if __name__ == "__main__":
    main()
