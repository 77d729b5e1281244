"""Planned scenes into pixels: all objects' distances at once, then layer upon layer."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from coursekit.data.chance import Chance, mixed
from coursekit.data.planning import Plan, Recipe, planned
from coursekit.data.shapes import SHAPES

_LATTICE = 9  # the clouds of a ground are 8 x 8 patches, blended
_TILE_OFFSETS = 2**16


def painted(recipe: Recipe, seed: int, numbers: Tensor) -> dict[str, Tensor]:
    """Paint the scenes with these numbers.

    Parameters
    ----------
    recipe : Recipe
        What scenes look like.
    seed : int
        Which scenes.
    numbers : Tensor
        ``(n,)`` int64.

    Returns
    -------
    dict of str to Tensor
        ``images`` (n, 3, H, W) uint8, ``masks`` (n, H, W) uint8, ``boxes`` (n, 4) float32, ``labels`` (n,).
    """
    chance = Chance(seed, numbers)
    plan = planned(recipe, chance)
    images = _ground(recipe, chance, plan.colours[:, 0])
    masks = torch.zeros(len(numbers), recipe.size, recipe.size, dtype=torch.uint8)
    front = torch.zeros_like(masks, dtype=torch.bool)
    for layer in range(recipe.objects[1]):
        present = (plan.count > layer).nonzero().flatten()
        distance, shade = _layer(recipe, plan, present, layer)
        inside = distance <= 0
        kinds = (plan.kinds[present, layer] + 1).to(torch.uint8)
        masks[present] = torch.where(inside, kinds[:, None, None], masks[present])
        front[present] = inside
        cover = (0.5 - distance).clamp(0, 1)[:, None]  # an edge pixel is covered in part
        under = images[present]
        over = plan.colours[present, 1 + layer, :, None, None] * shade[:, None]
        images[present] = under + cover * (over - under)
    images = images + _noise(recipe, chance)
    last = plan.count - 1
    labels = plan.kinds.gather(1, last[:, None])[:, 0] + 1
    return {
        "images": images.round().clamp(0, 255).to(torch.uint8),
        "masks": masks,
        "boxes": box_around(front),
        "labels": labels,
    }


def box_around(inside: Tensor) -> Tensor:
    """The smallest ``(x, y, width, height)`` around the true cells of each plane.

    Parameters
    ----------
    inside : Tensor
        ``(N, H, W)`` bool. A plane without a true cell gets a box of zeros.

    Returns
    -------
    Tensor
        ``(N, 4)`` float32 in pixels.

    Examples
    --------
    >>> plane = torch.zeros(1, 5, 5, dtype=torch.bool)
    >>> plane[0, 1:3, 2:5] = True
    >>> box_around(plane)
    tensor([[2., 1., 3., 2.]])
    """
    spans = []
    for line in (inside.any(1), inside.any(2)):  # columns, then rows
        places = torch.arange(line.shape[1])
        first = torch.where(line, places, line.shape[1]).amin(1)
        last = torch.where(line, places, -1).amax(1)
        spans.append((torch.where(last < 0, 0, first), (last - first + 1).clamp(min=0)))
    (x, width), (y, height) = spans
    return torch.stack([x, y, width, height], dim=1).to(torch.float32)


def _layer(recipe: Recipe, plan: Plan, present: Tensor, layer: int) -> tuple[Tensor, Tensor]:
    """Signed distance and shade of one object in each of these scenes, both ``(m, H, W)``."""
    pixels = torch.arange(recipe.size) + 0.5
    centres, axes = plan.centres[present, layer], plan.axes[present, layer]
    x = (pixels - centres[:, :1])[:, None, :]  # [m, 1, W]
    y = (pixels - centres[:, 1:])[:, :, None]  # [m, H, 1]
    cosine, sine = axes[:, 0, None, None], axes[:, 1, None, None]
    u, v = x * cosine + y * sine, y * cosine - x * sine
    distance = torch.empty_like(u)
    radii, kinds = plan.radii[present, layer, None, None], plan.kinds[present, layer]
    for kind, signed_distance in enumerate(SHAPES.values()):
        rows = (kinds == kind).nonzero().flatten()
        distance[rows] = signed_distance(u[rows], v[rows], radii[rows])
    amplitude, along_u, along_v = plan.weaves[present, layer, :, None, None].unbind(1)
    weave = _wave(u * along_u) * _wave(v * along_v) * amplitude
    lights = plan.lights[present, layer]
    light = x * lights[:, :1, None] + y * lights[:, 1:, None]
    return distance, weave + light + 1.0


def _wave(x: Tensor) -> Tensor:
    """A triangle wave between -1 and 1; 1 at whole numbers."""
    return ((x - x.floor()) - 0.5).abs() * 4.0 - 1.0


def _ground(recipe: Recipe, chance: Chance, colour: Tensor) -> Tensor:
    """``(n, 3, H, W)``: one colour, clouded by another and graded from one side to the other."""
    lattice = chance.whole(256, _LATTICE, _LATTICE).to(torch.float32)
    blend = _blending(recipe.size)
    # Whole numbers times 64ths twice: exact in float32, so the order of a machine's sums does not matter.
    clouds = (blend @ lattice @ blend.T) * 2.0**-7 - 1.0
    pixels = (torch.arange(recipe.size) + 0.5) * (2.0 / recipe.size) - 1.0
    slope = chance.between(-0.6, 0.6, 2, 1)
    field = clouds * chance.between(0.3, 1.0, 1, 1)
    field = field + (pixels * slope[:, 0])[:, None, :]
    field = field + (pixels * slope[:, 1])[:, :, None]
    other = chance.between(-34.0, 34.0, 3)
    return colour[:, :, None, None] + other[:, :, None, None] * field[:, None]


@lru_cache(maxsize=8)
def _blending(size: int) -> Tensor:
    """``(size, _LATTICE)``: how much of each lattice line a pixel line gets, in 64ths, smoothly changing."""
    weights = torch.zeros(size, _LATTICE)
    for pixel in range(size):
        place = (pixel + 0.5) * (_LATTICE - 1) / size
        line, share = int(place), place % 1
        upper = round(share * share * (3 - 2 * share) * 64) / 64
        weights[pixel, line] += 1 - upper
        weights[pixel, line + 1] += upper
    return weights


def _noise(recipe: Recipe, chance: Chance) -> Tensor:
    """``(n, 3, H, W)`` grain: every scene takes its own stretch of one long strip."""
    cells = 3 * recipe.size * recipe.size
    strip = _strip(cells)
    starts = chance.whole(_TILE_OFFSETS).tolist()
    grain = torch.stack([strip[start : start + cells] for start in starts])
    grain = grain.view(-1, 3, recipe.size, recipe.size)
    return grain * chance.between(2.0, 7.0, 1, 1, 1)


@lru_cache(maxsize=4)
def _strip(cells: int) -> Tensor:
    """Nearly normal numbers of spread 1: the sum of four bytes, centred."""
    bits = mixed(torch.arange(cells + _TILE_OFFSETS))
    total = sum(((bits >> shift) & 255) for shift in (0, 8, 16, 24)) - 510
    return torch.as_tensor(total).to(torch.float32) * (1 / 147.8)
