"""How many images a CPU-second a training loop gets through: ours, against the loops that others write.

Same net, data, batch, loss, optimizer and mirroring, on one thread of the CPU. The peers: the loop of torch's
tutorials (a Dataset that gives one image as floats, a DataLoader, torch.optim.AdamW, OneCycleLR), the same
with two workers, one in the style of torchvision's reference training (v2 transforms of tv_tensors, a
schedule moved each step, a running mean of the loss), and Lightning, if it is there: it is no part of the
course, so add it by hand (`pip install lightning`). Each turn is a process of its own, because ours changes
how the C library keeps memory. The loops take turns and CPU time is counted, that of workers with it, so
that a busy machine does not hit one of them only.

Two kinds of data. Scenes lie in memory as tensors for everyone, so that only the loops differ. Photographs
lie on the disk: the peers' Dataset opens a picture whenever it is asked for one, as tutorials do; ours reads
all of them first, and that counts as its time.

    python benchmarks/training_loop.py [--data scenes photographs] [--steps 1000] [--rounds 3]
        [--upsampling transposed] [--json]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.datasets import OxfordIIITPet

from coursekit.data import Samples, load_pets, load_scenes
from coursekit.data.places import GET_PETS, PETS, data_root
from coursekit.nets import SegmentationNet
from coursekit.training import fit

TARGETS = {"tutorial": 1.7, "lightning": 1.5}
BATCH, RATE, SIZE = 8, 2e-2, 64


class InMemory:
    """Scenes: one image ``(3, H, W)`` and its mask ``(H, W)``, bytes, cut from tensors."""

    classes = 5

    def __init__(self) -> None:
        self.samples = load_scenes(1000)

    def __len__(self) -> int:
        return len(self.samples.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        return self.samples.images[index], self.samples.masks[index]

    def resident(self) -> Samples:
        """All of them, for ours."""
        return self.samples


class OnDisk:
    """Photographs: the same, opened and made small whenever one is asked for."""

    classes = 2

    def __init__(self) -> None:
        self.files = OxfordIIITPet(data_root(), "trainval", target_types="segmentation")
        self.class_of = torch.full((256,), 255, dtype=torch.uint8)
        self.class_of[1], self.class_of[2] = 1, 0

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        photograph, trimap = self.files[index]
        small = np.array(photograph.resize((SIZE, SIZE), resample=2))
        mask = np.array(trimap.resize((SIZE, SIZE), resample=0))
        return torch.from_numpy(small).permute(2, 0, 1), self.class_of[torch.from_numpy(mask).long()]

    def resident(self) -> Samples:
        """All of them, read now: no cache of an earlier run serves."""
        with tempfile.TemporaryDirectory() as empty:
            os.environ["COURSEKIT_HOME"] = empty
            return load_pets(split="trainval", size=SIZE)


Pairs = InMemory | OnDisk
DATA: dict[str, type[InMemory] | type[OnDisk]] = {"scenes": InMemory, "photographs": OnDisk}


class OneByOne(Dataset[tuple[Tensor, Tensor]]):
    """As in a tutorial: one image and its mask, converted and perhaps mirrored."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = self.pairs[index]
        image, mask = image.float() / 255, mask.long()
        if torch.rand(1) < 0.5:
            image, mask = image.flip(2), mask.flip(1)
        return image, mask


def tutorial_loop(net: nn.Module, pairs: Pairs, steps: int, workers: int = 0) -> None:
    """Train as the tutorials do."""
    loader = DataLoader(OneByOne(pairs), batch_size=BATCH, shuffle=True, drop_last=True, num_workers=workers)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
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


def with_workers(net: nn.Module, pairs: Pairs, steps: int) -> None:
    """The tutorials' loop with two processes that prepare batches."""
    tutorial_loop(net, pairs, steps, workers=2)


class Transformed(Dataset[tuple[Tensor, Tensor]]):
    """As torchvision's references prepare a segmentation set: each pair through joint v2 transforms."""

    def __init__(self, pairs: Pairs) -> None:
        from torchvision import tv_tensors
        from torchvision.transforms import v2

        self.pairs, self.kinds = pairs, tv_tensors
        kinds = {tv_tensors.Image: torch.float32, tv_tensors.Mask: torch.int64, "others": None}
        self.transforms = v2.Compose(
            [v2.RandomHorizontalFlip(0.5), v2.ToDtype(kinds, scale=True), v2.ToPureTensor()]
        )

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image, mask = self.pairs[index]
        found: tuple[Tensor, Tensor] = self.transforms(self.kinds.Image(image), self.kinds.Mask(mask))
        return found


def reference_loop(net: nn.Module, pairs: Pairs, steps: int) -> None:
    """Train in the style of torchvision's references, which keep each loss and show a mean now and then."""
    loader = DataLoader(Transformed(pairs), batch_size=BATCH, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    recent: deque[float] = deque(maxlen=20)
    net.train()
    done = 0
    while done < steps:
        for images, masks in loader:
            loss = nn.functional.cross_entropy(net(images), masks, ignore_index=255)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            recent.append(loss.item())
            done += 1
            if done % 10 == 0:
                print(f"{done} loss {sum(recent) / len(recent):.4f}", file=sys.stderr)
            if done == steps:
                break


def lightning_loop(net: nn.Module, pairs: Pairs, steps: int) -> None:
    """Train by a LightningModule and a Trainer that only trains: no bar, no logger, no checkpoints."""
    import lightning

    class Module(lightning.LightningModule):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.net, self.criterion = net, nn.CrossEntropyLoss(ignore_index=255)

        def training_step(self, batch: Any, number: int) -> Tensor:
            images, masks = batch
            loss: Tensor = self.criterion(self.net(images), masks)
            return loss

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.AdamW(self.parameters(), lr=RATE)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")  # it would have more workers
    trainer = lightning.Trainer(
        max_steps=steps, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Module(), DataLoader(OneByOne(pairs), batch_size=BATCH, shuffle=True, drop_last=True))


def our_loop(net: nn.Module, pairs: Pairs, steps: int) -> None:
    """Train as the course does."""
    fit(net, pairs.resident(), steps=steps, batch=BATCH, device="cpu")


LOOPS: dict[str, Callable[[nn.Module, Pairs, int], None]] = {
    "tutorial": tutorial_loop,
    "2 workers": with_workers,
    "references": reference_loop,
    "lightning": lightning_loop,
    "coursekit": our_loop,
}


def cpu_seconds() -> float:
    """Of this process, and of its workers that have ended."""
    return sum(os.times()[:4])


def images_per_second(name: str, data: str, upsampling: str, steps: int) -> float:
    """Images for each second of CPU time; what is loaded at the first use is not counted."""
    torch.set_num_threads(1)
    pairs = DATA[data]()
    LOOPS[name](SegmentationNet(pairs.classes, upsampling), pairs, 3)
    net = SegmentationNet(pairs.classes, upsampling)
    begin = cpu_seconds()
    LOOPS[name](net, pairs, steps)
    return steps * BATCH / (cpu_seconds() - begin)


def in_a_process_of_its_own(name: str, data: str, upsampling: str, steps: int) -> float:
    """One turn of one loop."""
    command = [sys.executable, __file__, "--turn", name, "--data", data]
    command += ["--upsampling", upsampling, "--steps", str(steps)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"the loop {name!r} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Images a CPU-second of several training loops.")
    options.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    options.add_argument("--steps", type=int, default=1000, help="steps a turn (default 1000)")
    options.add_argument("--rounds", type=int, default=3, help="turns of each loop (default 3)")
    options.add_argument("--upsampling", default="transposed", help="the decoder (default transposed)")
    options.add_argument("--turn", choices=LOOPS, help="measure one loop once, in this process")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    if given.turn:
        print(images_per_second(given.turn, given.data[0], given.upsampling, given.steps))
        return
    names = list(LOOPS)
    if importlib.util.find_spec("lightning") is None:
        names.remove("lightning")
        print("without Lightning, which is not installed here: pip install lightning", file=sys.stderr)
    kinds = list(given.data)
    if "photographs" in kinds and not (data_root() / PETS).is_dir():
        kinds.remove("photographs")
        print(f"without photographs, which are not here: {GET_PETS}", file=sys.stderr)
    found = {}
    for data in kinds:
        rates: dict[str, list[float]] = {name: [] for name in names}
        for _ in range(given.rounds):
            for name in names:
                rates[name].append(in_a_process_of_its_own(name, data, given.upsampling, given.steps))
        found[data] = figures({name: round(median(values), 1) for name, values in rates.items()})
        if not given.json:
            show(data, found[data])
    if given.json:
        print(json.dumps(found))


def figures(rates: dict[str, float]) -> dict[str, Any]:
    """Rates, ratios to each peer, and whether the targets are met."""
    ratios = {name: round(rates["coursekit"] / rates[name], 2) for name in rates if name != "coursekit"}
    met = {name: ratios[name] >= target for name, target in TARGETS.items() if name in ratios}
    return {"images_per_cpu_second": rates, "ratios": ratios, "targets_met": met}


def show(data: str, found: dict[str, Any]) -> None:
    """The same for people."""
    print(f"{data}:")
    for name, value in found["images_per_cpu_second"].items():
        print(f"  {name:12}{value:8.0f} images a CPU-second")
    for name, ratio in found["ratios"].items():
        met = found["targets_met"].get(name)
        goal = "" if met is None else f", target >= {TARGETS[name]}: {'met' if met else 'NOT met'}"
        print(f"  coursekit / {name}: {ratio:.2f}{goal}")


if __name__ == "__main__":
    main()
