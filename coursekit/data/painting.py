"""Planned scenes into pixels: all objects' distances at once, then layer upon layer."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from coursekit.data.chance import Chance, mixed
from coursekit.data.planning import Plan, Recipe, object_counts, planned
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
    with torch.device("cpu"), torch.no_grad():  # whatever device the learner has made the default
        return _painted(recipe, seed, numbers.cpu())


def _painted(recipe: Recipe, seed: int, numbers: Tensor) -> dict[str, Tensor]:
    order = _fullest_first(recipe, seed, numbers)
    chance = Chance(seed, numbers[order])
    plan = planned(recipe, chance)
    canvas = _ground(recipe, chance, plan.colours[:, 0])
    masks = torch.zeros(len(numbers), recipe.size, recipe.size, dtype=torch.uint8)
    boxes = torch.zeros(len(numbers), 4, dtype=torch.float32)
    for layer in range(recipe.objects[1]):
        present = int((plan.count > layer).sum())
        in_front = int((plan.count > layer + 1).sum())  # from here on nothing covers this layer
        if not present:
            break
        distance, shade = _layer(recipe, plan, present, layer)
        _paint(canvas[:present], plan.colours[:present, 1 + layer], distance, shade)
        _stamp(masks[:present], plan.kinds[:present, layer] + 1, distance)
        boxes[in_front:present] = box_around(distance[in_front:])
    images = _as_bytes(canvas.add_(_noise(recipe, chance)))
    labels = plan.kinds.gather(1, plan.count[:, None] - 1)[:, 0] + 1
    made = {"images": images, "masks": masks, "boxes": boxes, "labels": labels}
    back = order.argsort()
    return {name: each.index_select(0, back) for name, each in made.items()}


def _fullest_first(recipe: Recipe, seed: int, numbers: Tensor) -> Tensor:
    """An order in which the scenes that have a layer are always the first few: a slice, no copy."""
    return object_counts(recipe, Chance(seed, numbers)).argsort(descending=True, stable=True)


def _paint(canvas: Tensor, colours: Tensor, distance: Tensor, shade: Tensor) -> None:
    """Lay one object over each scene; a pixel at its edge is covered in part."""
    cover = (0.5 - distance).clamp_(0, 1)[:, None]
    # Three plain steps: a fused one (lerp) rounds differently from machine to machine.
    over = colours[:, :, None, None] * shade[:, None]
    canvas.add_(over.sub_(canvas).mul_(cover))


def _stamp(masks: Tensor, kinds: Tensor, distance: Tensor) -> None:
    """Write the class where the object is: arithmetic modulo 256, many times as fast as ``torch.where``."""
    inside = (distance <= 0).view(torch.uint8)
    masks.add_(inside * (kinds.to(torch.uint8)[:, None, None] - masks))


def _as_bytes(canvas: Tensor) -> Tensor:
    """Rounded to 0 … 255. By way of int16, which takes a quarter of the time."""
    return canvas.round_().clamp_(0, 255).to(torch.int16).to(torch.uint8)


def box_around(distance: Tensor) -> Tensor:
    """The smallest box around the cells of each plane that are inside, 0 or below.

    Parameters
    ----------
    distance : Tensor
        ``(N, H, W)`` float, signed. A plane with no cell inside gets a box of zeros.

    Returns
    -------
    Tensor
        ``(N, 4)`` float32 ``(x, y, width, height)`` in cells.

    Examples
    --------
    >>> plane = torch.ones(1, 5, 5)
    >>> plane[0, 1:3, 2:5] = -1.0
    >>> box_around(plane)
    tensor([[2., 1., 3., 2.]])
    """
    spans = []
    for nearest in (distance.amin(1), distance.amin(2)):  # [N, W] columns, then [N, H] rows
        line = (nearest <= 0).to(torch.int64)
        first = line.argmax(1)
        beyond = line.shape[1] - line.flip(1).argmax(1)
        spans.append((first, torch.where(line.any(1), beyond - first, 0)))
    (x, width), (y, height) = spans
    return torch.stack([x, y, width, height], dim=1).to(torch.float32)


def _layer(recipe: Recipe, plan: Plan, present: int, layer: int) -> tuple[Tensor, Tensor]:
    """Signed distance and shade of one object in each of the first scenes, both ``(m, H, W)``."""
    pixels = torch.arange(recipe.size, dtype=torch.float32) + 0.5
    centres, axes = plan.centres[:present, layer], plan.axes[:present, layer]
    x = (pixels - centres[:, :1])[:, None, :]  # [m, 1, W]
    y = (pixels - centres[:, 1:])[:, :, None]  # [m, H, 1]
    cosine, sine = axes[:, 0, None, None], axes[:, 1, None, None]
    u, v = x * cosine + y * sine, y * cosine - x * sine
    distance = _distances(u, v, plan.radii[:present, layer, None, None], plan.kinds[:present, layer])
    amplitude, along_u, along_v = plan.weaves[:present, layer, :, None, None].unbind(1)
    shade = _wave(u.mul_(along_u)).mul_(_wave(v.mul_(along_v))).mul_(amplitude)
    lights = plan.lights[:present, layer]
    return distance, shade.add_(x * lights[:, :1, None] + 1.0).add_(y * lights[:, 1:, None])


def _distances(u: Tensor, v: Tensor, radii: Tensor, kinds: Tensor) -> Tensor:
    """Each plane's signed distance, by its own kind of shape."""
    rows = [(kinds == kind).nonzero().flatten() for kind in range(len(SHAPES))]
    by_kind = [
        signed_distance(u.index_select(0, each), v.index_select(0, each), radii.index_select(0, each))
        for signed_distance, each in zip(SHAPES.values(), rows, strict=True)
    ]
    return torch.cat(by_kind).index_select(0, torch.cat(rows).argsort())


def _wave(x: Tensor) -> Tensor:
    """A triangle wave between -1 and 1; 1 at whole numbers."""
    return (x - x.floor()).sub_(0.5).abs_().mul_(4.0).sub_(1.0)


def _ground(recipe: Recipe, chance: Chance, colour: Tensor) -> Tensor:
    """``(n, 3, H, W)``: one colour, clouded by another and graded from one side to the other."""
    lattice = chance.whole(256, _LATTICE, _LATTICE).to(torch.float32)
    blend = _blending(recipe.size)
    # Whole numbers times 64ths twice: exact in float32, so the order of a machine's sums does not matter.
    clouds = (blend @ lattice @ blend.T).mul_(2.0**-7).sub_(1.0)
    pixels = (torch.arange(recipe.size, dtype=torch.float32) + 0.5) * (2.0 / recipe.size) - 1.0
    slope = chance.between(-0.6, 0.6, 2, 1)
    field = clouds.mul_(chance.between(0.3, 1.0, 1, 1))
    field = field.add_((pixels * slope[:, 0])[:, None, :]).add_((pixels * slope[:, 1])[:, :, None])
    other = chance.between(-34.0, 34.0, 3)
    return (other[:, :, None, None] * field[:, None]).add_(colour[:, :, None, None])


@lru_cache(maxsize=8)
def _blending(size: int) -> Tensor:
    """``(size, _LATTICE)``: how much of each lattice line a pixel line gets, in 64ths, smoothly changing."""
    weights = torch.zeros(size, _LATTICE, dtype=torch.float32)
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
    grain = strip.unfold(0, cells, 1).index_select(0, chance.whole(_TILE_OFFSETS))
    return grain.view(-1, 3, recipe.size, recipe.size).mul_(chance.between(2.0, 7.0, 1, 1, 1))


@lru_cache(maxsize=4)
def _strip(cells: int) -> Tensor:
    """Nearly normal numbers of spread 1: the sum of four bytes, centred."""
    bits = mixed(torch.arange(cells + _TILE_OFFSETS))
    total = sum(((bits >> shift) & 255) for shift in (0, 8, 16, 24)) - 510
    return torch.as_tensor(total).to(torch.float32) * (1 / 147.8)
