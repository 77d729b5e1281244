"""How many scenes a CPU-second: ours, against drawing each with PIL and NumPy, in one run, on one thread.

The peer draws the same kind of scene: a clouded ground, one to three shapes with stripes or checks and a
light from one side, grain; a mask, and the box of the frontmost object. It leaves out what ours has besides:
smooth edges, limits on occlusion and contrast, and numbers that are the same on every machine.
The two take turns and CPU time is counted, so that a busy machine does not hit one of them only.

    python benchmarks/scenes.py [--scenes 512] [--rounds 7] [--size 64] [--json]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageDraw

from coursekit.data.planning import Recipe
from coursekit.data.scenes import _made

TARGET_RATIO = 4.0


def draw_with_pil(n: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw ``n`` scenes one after the other: images, masks, boxes."""
    chance = np.random.default_rng(0)
    images = np.empty((n, 3, size, size), np.uint8)
    masks = np.zeros((n, size, size), np.uint8)
    boxes = np.zeros((n, 4), np.float32)
    for index in range(n):
        canvas = ground(chance, size)
        for _ in range(chance.integers(1, 4)):
            boxes[index] = add_object(chance, canvas, masks[index])
        canvas += chance.normal(0, chance.uniform(2, 7), canvas.shape).astype(np.float32)
        images[index] = canvas.clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
    return images, masks, boxes


def ground(chance: np.random.Generator, size: int) -> np.ndarray:
    """(size, size, 3): one colour, clouded by another."""
    lattice = Image.fromarray(chance.integers(0, 256, (9, 9), np.uint8))
    clouds = np.asarray(lattice.resize((size, size), Image.Resampling.BICUBIC), np.float32) / 128 - 1
    colour, other = chance.uniform(0, 255, 3), chance.uniform(-34, 34, 3)
    return (colour + clouds[:, :, None] * other).astype(np.float32)


def add_object(
    chance: np.random.Generator, canvas: np.ndarray, mask: np.ndarray
) -> tuple[int, int, int, int]:
    """Draw one shape over the canvas and the mask; return its box."""
    size = len(canvas)
    radius, turn = chance.uniform(0.14, 0.28) * size, chance.uniform(0, math.tau)
    x, y = chance.uniform(1.28 * radius, size - 1.28 * radius, 2)
    kind = chance.integers(0, 4)
    stencil = Image.new("L", (size, size))
    draw_shape(ImageDraw.Draw(stencil), int(kind), x, y, radius, turn)
    inside = np.asarray(stencil) > 0
    across, down = np.arange(size, dtype=np.float32) - x, np.arange(size, dtype=np.float32) - y
    u = across * math.cos(turn) + down[:, None] * math.sin(turn)
    light = across * (chance.uniform(-0.16, 0.16) / radius)
    shade = 1 + 0.2 * np.abs((u * (chance.uniform(4, 12) / size)) % 1 - 0.5) + light
    if chance.integers(0, 3) == 0:
        v = down[:, None] * math.cos(turn) - across * math.sin(turn)
        shade *= 1 + 0.2 * np.abs((v * (chance.uniform(4, 12) / size)) % 1 - 0.5)
    canvas[inside] = chance.uniform(0, 255, 3) * shade[inside][:, None]
    mask[inside] = kind + 1
    left, top, right, bottom = stencil.getbbox() or (0, 0, 0, 0)
    return left, top, right - left, bottom - top


def draw_shape(draw: ImageDraw.ImageDraw, kind: int, x: float, y: float, radius: float, turn: float) -> None:
    if kind in (0, 3):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        if kind == 3:
            inner = 0.52 * radius
            draw.ellipse((x - inner, y - inner, x + inner, y + inner), fill=0)
        return
    corners, reach = ((4, 1.2), (3, 1.28))[kind - 1]
    angles = [turn + math.tau * corner / corners for corner in range(corners)]
    draw.polygon(
        [(x + reach * radius * math.cos(a), y + reach * radius * math.sin(a)) for a in angles], fill=255
    )


def rate(draw: Callable[[], object], scenes: int) -> float:
    begun = time.process_time()
    draw()
    return scenes / (time.process_time() - begun)


def measure(scenes: int, rounds: int, size: int) -> dict[str, float]:
    """Return the median scenes a CPU-second of each, and the median of the rounds' ratios."""
    recipe = Recipe(size, (1, 3), (0.14, 0.28), 0.5, (1.0,) * 4)
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: _made(recipe, 0, scenes),
        "pil": lambda: draw_with_pil(scenes, size),
    }
    for draw in ways.values():
        draw()  # the first call loads libraries and fills the tables
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, draw in ways.items():
            rates[name].append(rate(draw, scenes))
    ratios = [ours / pil for ours, pil in zip(rates["ours"], rates["pil"], strict=True)]
    medians = {name: statistics.median(each) for name, each in rates.items()}
    return {**medians, "ratio": statistics.median(ratios)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    figures = measure(arguments.scenes, arguments.rounds, arguments.size)
    met = figures["ratio"] >= TARGET_RATIO
    if arguments.json:
        print(json.dumps({"scenes_per_cpu_second": figures, "target": TARGET_RATIO, "met": met}, indent=2))
    else:
        title = f"scenes a CPU-second, {arguments.size} x {arguments.size}, one thread"
        print(f"{title}, median of {arguments.rounds} rounds")
        print(f"  ours {figures['ours']:8.0f}\n  PIL  {figures['pil']:8.0f}\n  ratio {figures['ratio']:7.1f}")
        print(f"target: {TARGET_RATIO:g} x: {'met' if met else 'NOT met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
