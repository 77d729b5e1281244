"""Planned scenes into pixels: layer upon layer, many scenes at once."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from coursekit.boxes import box_around_lines
from coursekit.data.chance import mixed
from coursekit.data.planning import CLOUDS, GRAIN_STARTS, Plan
from coursekit.data.shapes import SHAPES


def painted(size: int, plan: Plan) -> dict[str, Tensor]:
    """Paint the planned scenes.

    Parameters
    ----------
    size : int
        Height and width in pixels.
    plan : Plan
        ``n`` scenes, the fullest first.

    Returns
    -------
    dict of str to Tensor
        In the plan's order: ``images`` (n, 3, H, W) uint8, ``masks`` (n, H, W) uint8, ``boxes`` (n, 4)
        float32 and ``labels`` (n,) int64 of the frontmost objects.
    """
    with torch.device("cpu"), torch.no_grad():  # whatever device the learner has made the default
        canvas = _ground(size, plan)
        masks = torch.zeros(len(canvas), size, size, dtype=torch.uint8)
        boxes = torch.zeros(len(canvas), 4, dtype=torch.float32)
        for layer in range(int(plan.counts[0])):
            present = int((plan.counts > layer).sum())
            in_front = int((plan.counts > layer + 1).sum())  # from here on nothing covers this layer
            distance, shade = _layer(size, plan, present, layer)
            _paint(canvas[:present], plan.colours[:present, 1 + layer], distance, shade)
            _stamp(masks[:present], plan.kinds[:present, layer] + 1, distance)
            boxes[in_front:present] = box_around(distance[in_front:])
        labels = plan.kinds.gather(1, plan.counts[:, None] - 1)[:, 0] + 1
        images = _as_bytes(canvas.add_(_grain(size, plan)))
    return {"images": images, "masks": masks, "boxes": boxes, "labels": labels}


def _paint(canvas: Tensor, colours: Tensor, distance: Tensor, shade: Tensor) -> None:
    """Lay one object over each scene; a pixel at its edge is covered in part."""
    cover = (0.5 - distance).clamp_(0, 1)
    # Plain steps: a fused one (lerp, addcmul) rounds differently from machine to machine.
    over = colours[:, :, None, None] * shade.mul_(cover)[:, None]
    canvas.mul_((1.0 - cover)[:, None]).add_(over)


def _stamp(masks: Tensor, kinds: Tensor, distance: Tensor) -> None:
    """Write the class where the object is: arithmetic modulo 256, many times as fast as ``torch.where``."""
    inside = (distance <= 0).view(torch.uint8)
    masks.add_(inside * (kinds.to(torch.uint8)[:, None, None] - masks))


def _as_bytes(canvas: Tensor) -> Tensor:
    """0 … 255, cut to whole numbers. By way of int16, which takes a quarter of the time."""
    return canvas.to(torch.int16).clamp_(0, 255).to(torch.uint8)


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
    return box_around_lines(distance.amin(-2) <= 0, distance.amin(-1) <= 0)


def _layer(size: int, plan: Plan, present: int, layer: int) -> tuple[Tensor, Tensor]:
    """Signed distance and shade of one object in each of the first scenes, both ``(present, H, W)``."""
    pixels = torch.arange(size, dtype=torch.float32) + 0.5
    centres, axes = plan.centres[:present, layer], plan.axes[:present, layer]
    x = (pixels - centres[:, :1])[:, None, :]  # [m, 1, W]
    y = (pixels - centres[:, 1:])[:, :, None]  # [m, H, 1]
    cosine, sine = axes[:, 0, None, None], axes[:, 1, None, None]
    u, v = x * cosine + y * sine, y * cosine - x * sine
    distance = _distances(u, v, plan.radii[:present, layer, None, None], plan.kinds[:present, layer])
    amplitude, along_u, along_v = plan.weaves[:present, layer, :, None, None].unbind(1)
    weave = _wave(u.mul_(along_u)).mul_(_wave(v.mul_(along_v)).mul_(amplitude * 16.0))
    lights = plan.lights[:present, layer]
    return distance, weave.add_(x * lights[:, :1, None] + (y * lights[:, 1:, None] + 1.0))


def _wave(x: Tensor) -> Tensor:
    """A triangle wave between -1/4 and 1/4, in place; -1/4 at whole numbers."""
    return x.sub_(x.round()).abs_().sub_(0.25)


def _distances(u: Tensor, v: Tensor, radii: Tensor, kinds: Tensor) -> Tensor:
    """Each plane's signed distance, by its own kind of shape."""
    rows = [(kinds == kind).nonzero().flatten() for kind in range(len(SHAPES))]
    by_kind = [
        signed_distance(u.index_select(0, each), v.index_select(0, each), radii.index_select(0, each))
        for signed_distance, each in zip(SHAPES.values(), rows, strict=True)
    ]
    return torch.cat(by_kind).index_select(0, torch.cat(rows).argsort())


def _ground(size: int, plan: Plan) -> Tensor:
    """``(n, 3, H, W)``: one colour, clouded by another and graded from one side to the other."""
    blend = _blending(size)
    # Whole numbers times 64ths twice: exact in float32, so the order of a machine's sums does not matter.
    field = (blend @ plan.clouds @ blend.T).mul_(2.0**-7).sub_(1.0)
    pixels = (torch.arange(size, dtype=torch.float32) + 0.5) * (2.0 / size) - 1.0
    strength, across, down = (plan.slopes[:, :, None, None]).unbind(1)
    field.mul_(strength + 0.7).add_(pixels * across + pixels[:, None] * down)
    return (plan.tints[:, :, None, None] * field[:, None]).add_(plan.colours[:, 0, :, None, None])


@lru_cache(maxsize=8)
def _blending(size: int) -> Tensor:
    """``(size, CLOUDS)``: how much of each lattice line a pixel line gets, in 64ths, smoothly changing."""
    weights = torch.zeros(size, CLOUDS, dtype=torch.float32)
    for pixel in range(size):
        place = (pixel + 0.5) * (CLOUDS - 1) / size
        line, share = int(place), place % 1
        upper = round(share * share * (3 - 2 * share) * 64) / 64
        weights[pixel, line] += 1 - upper
        weights[pixel, line + 1] += upper
    return weights


def _grain(size: int, plan: Plan) -> Tensor:
    """``(n, 3, H, W)`` noise: every scene takes its own stretch of one long strip."""
    cells = 3 * size * size
    grain = _strip(cells).unfold(0, cells, 1).index_select(0, plan.grain)
    return grain.view(-1, 3, size, size).mul_(plan.roughness[:, None, None, None])


@lru_cache(maxsize=4)
def _strip(cells: int) -> Tensor:
    """Nearly normal numbers of spread 1: the sum of four bytes, centred."""
    bits = mixed(torch.arange(cells + GRAIN_STARTS))
    total = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24)
    return (total - 510).to(torch.float32) * (1 / 147.8)
