"""Images a second of a training step on a GPU: eager, channels_last, bf16, compiled, as a CUDA graph.

Each beside what the machine can do, measured in the same run: the rate of a big matrix product and of a big
copy give the least time in which such a step could be done (the greater of its arithmetic at the one rate and
its traffic at the other), and the share of that roofline is this time over the one taken. Traffic is counted
from below: what training keeps is written once and read once, and so is its gradient. On a machine without a
GPU it says so and ends with 2.

    python benchmarks/gpu.py [--batch 64] [--size 64] [--upsampling transposed] [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn

from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet, cost
from coursekit.training import precision
from coursekit.training.precision import Way
from coursekit.training.stepping import AdamW

WARM, TIMED = 5, 30


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds a call, the GPU's own work waited for."""
    for _ in range(WARM):
        work()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(TIMED):
        work()
    torch.cuda.synchronize()
    return (time.perf_counter() - begin) / TIMED


def roofline() -> dict[str, float]:
    """Operations a second of a matrix product in each kind of number, and bytes a second of a copy."""
    side = 8192
    found: dict[str, float] = {}
    for name, kind in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        one, other = (torch.randn(side, side, device="cuda", dtype=kind) for _ in range(2))
        found[name] = 2 * side**3 / seconds_of(lambda one=one, other=other: one @ other)  # type: ignore[misc]
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    found["bytes"] = 2 * 2**30 / seconds_of(lambda: target.copy_(source))
    return found


def step_of(name: str, upsampling: str, images: Tensor, masks: Tensor) -> Callable[[], object]:
    """A whole step, the optimizer's move with it, the way that ``name`` says."""
    net = SegmentationNet(5, upsampling).cuda()
    if name != "eager fp32":
        net.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    way = Way(bf16="bf16" in name, graph="graph" in name)
    optimizer = AdamW(net)
    trained = cast(nn.Module, torch.compile(net)) if "compiled" in name else net
    run = precision.made(trained, way, (images, masks, None))

    def step() -> None:
        run(images, masks, None)
        optimizer.step(1e-4)

    return step


WAYS = (
    "eager fp32", "channels_last fp32", "channels_last bf16", "compiled bf16", "graph fp32", "graph bf16",
)  # fmt: skip


def measured(batch: int, size: int, upsampling: str) -> dict[str, Any]:
    """Images a second of every way, and its share of the roofline."""
    scenes = load_scenes(batch, size=size)
    images, masks = scenes.images.cuda(), scenes.masks.cuda()
    machine = roofline()
    price = cost(SegmentationNet(5, upsampling), size)
    rows: dict[str, Any] = {}
    for name in WAYS:
        try:
            step = step_of(name, upsampling, images, masks)
            seconds = seconds_of(step)
        except Exception as problem:  # torch.compile needs a C compiler, which a machine may lack
            rows[name] = {"failed": f"{type(problem).__name__}: {str(problem).splitlines()[0][:100]}"}
            continue
        kind = "bf16" if "bf16" in name else "fp32"
        arithmetic = 3 * 2 * price.multiply_adds * batch / machine[kind]
        traffic = 4 * price.activation_bytes * batch / (2 if kind == "bf16" else 1) / machine["bytes"]
        rows[name] = {
            "images_per_second": round(batch / seconds, 1),
            "share_of_roofline": round(max(arithmetic, traffic) / seconds, 3),
        }
    return {
        "gpu": torch.cuda.get_device_name(),
        "machine": machine,
        "batch": batch,
        "size": size,
        "ways": rows,
    }


def main() -> int:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Images a second of a training step on a GPU.")
    options.add_argument("--batch", type=int, default=64, help="images a step (default 64)")
    options.add_argument("--size", type=int, default=64, help="rows and columns (default 64)")
    options.add_argument("--upsampling", default="transposed", help="the decoder (default transposed)")
    options.add_argument("--json", action="store_true", help="print figures as JSON only")
    given = options.parse_args()
    if not torch.cuda.is_available():
        print("benchmarks/gpu.py: no GPU that torch can use on this machine.", file=sys.stderr)
        return 2
    found = measured(given.batch, given.size, given.upsampling)
    if given.json:
        print(json.dumps(found))
        return 0
    machine = found["machine"]
    print(
        f"{found['gpu']}: {machine['fp32'] / 1e12:.0f} TFLOP/s fp32, {machine['bf16'] / 1e12:.0f} bf16, "
        f"{machine['bytes'] / 1e12:.2f} TB/s"
    )
    for name, row in found["ways"].items():
        if "failed" in row:
            print(f"{name:20} {row['failed']}")
        else:
            share = f"{row['share_of_roofline']:8.1%} of the roofline"
            print(f"{name:20}{row['images_per_second']:12,.0f} images/s{share}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
