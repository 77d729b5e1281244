"""Where everything of a scene goes, and in what colours: the draws, before a pixel is painted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from coursekit.data.chance import Chance
from coursekit.data.shapes import REACH

_CANDIDATES = 6
CLOUDS = 9  # the ground's clouds are 8 x 8 patches, blended
GRAIN_STARTS = 2**16

# Red, green, blue. The first row is calm enough for a ground, yet any of them may be either.
_PALETTE = torch.tensor([
    (38, 70, 83), (231, 216, 189), (94, 110, 124), (168, 184, 160), (58, 52, 74), (204, 196, 206),
    (42, 157, 143), (233, 196, 106), (244, 162, 97), (231, 111, 81), (69, 123, 157), (241, 250, 238),
    (155, 93, 229), (241, 91, 181), (254, 228, 64), (0, 150, 199), (144, 190, 109), (120, 40, 60),
], dtype=torch.float32)  # fmt: skip

# Two colours closer than this would hide an object: a distance in red, green, blue, of 442 at most.
_LEAST_CONTRAST = 110.0


@dataclass(frozen=True)
class Recipe:
    """Everything that says what scenes look like, but for the seed and the scene's number."""

    size: int
    objects: tuple[int, int]
    radius: tuple[float, float]
    occlusion: float
    frequencies: tuple[float, ...]


class Plan(NamedTuple):
    """n scenes with room for K objects each, of which the first ``counts`` are there, back to front.

    The fullest scenes come first, so that those with a certain layer are a slice.
    """

    numbers: Tensor  # [n] which scene this is
    counts: Tensor  # [n]
    kinds: Tensor  # [n, K] an index into SHAPES
    radii: Tensor  # [n, K] pixels
    centres: Tensor  # [n, K, 2] (x, y) pixels
    axes: Tensor  # [n, K, 2] cosine and sine of the turn
    colours: Tensor  # [n, 1 + K, 3] the ground's, then each object's
    lights: Tensor  # [n, K, 2] how the shade changes a pixel, along x and y
    weaves: Tensor  # [n, K, 3] amplitude of the texture, waves a pixel along u and v
    clouds: Tensor  # [n, 9, 9] whole numbers 0 … 255, blended over the ground
    slopes: Tensor  # [n, 3] how strong the clouds are, how the ground changes along x and y
    tints: Tensor  # [n, 3] what the ground's clouds and slopes add to its colour
    grain: Tensor  # [n] where the scene's grain begins
    roughness: Tensor  # [n] its standard deviation, of 255

    def part(self, begin: int, end: int) -> Plan:
        """Some of the scenes."""
        return Plan(*(each[begin:end] for each in self))


def planned(recipe: Recipe, seed: int, numbers: Tensor) -> Plan:
    """Draw the scenes with these numbers."""
    with torch.device("cpu"):  # whatever device the learner has made the default
        counts = _object_counts(recipe, Chance(seed, numbers))
        order = counts.argsort(descending=True, stable=True)
        return _drawn(recipe, numbers[order], Chance(seed, numbers[order]))


def _drawn(recipe: Recipe, numbers: Tensor, chance: Chance) -> Plan:
    most = recipe.objects[1]
    counts = _object_counts(recipe, chance)
    kinds = _kinds(recipe, chance, most)
    low, high = (share * recipe.size for share in recipe.radius)
    radii = chance.between(low, high, most)
    reach = torch.tensor(list(REACH.values()), dtype=torch.float32)[kinds] * radii
    return Plan(
        numbers=numbers,
        counts=counts,
        kinds=kinds,
        radii=radii,
        centres=_centres(recipe, chance, reach),
        axes=_TURNS[chance.whole(256, most)],
        colours=_colours(chance, 1 + most),
        lights=chance.between(-0.16, 0.16, most, 2) / radii[..., None],
        weaves=_weaves(recipe, chance, most),
        clouds=chance.whole(256, CLOUDS, CLOUDS).to(torch.float32),
        slopes=chance.between(-0.6, 0.6, 3),
        tints=chance.between(-34.0, 34.0, 3),
        grain=chance.whole(GRAIN_STARTS),
        roughness=chance.between(2.0, 7.0),
    )


def _object_counts(recipe: Recipe, chance: Chance) -> Tensor:
    """How many objects each scene has; the first of a scene's draws."""
    least, most = recipe.objects
    return chance.whole(most - least + 1) + least


def _kinds(recipe: Recipe, chance: Chance, most: int) -> Tensor:
    """Which shape each object is, as often as the recipe's frequencies say."""
    total, so_far, edges = sum(recipe.frequencies), 0.0, []
    for share in recipe.frequencies[:-1]:
        so_far += share
        edges.append(round(so_far / total * 2**20))
    draws = chance.whole(2**20, most)
    return torch.bucketize(draws, torch.tensor(edges), right=True)


def _centres(recipe: Recipe, chance: Chance, reach: Tensor) -> Tensor:
    """Whole objects inside the image: of a few candidates the first that hides no earlier object too much."""
    n, most = reach.shape
    margin = reach[:, :, None, None] + 1.0
    candidates = margin + chance.between(0.0, 1.0, most, _CANDIDATES, 2) * (recipe.size - 2 * margin)
    chosen = candidates[:, :, 0].clone()
    for late in range(1, most):
        room = torch.full((n, _CANDIDATES), math.inf, dtype=torch.float32)
        for early in range(late):
            gap = candidates[:, late] - chosen[:, early, None]
            apart = (gap[..., 0] * gap[..., 0] + gap[..., 1] * gap[..., 1]).sqrt()
            needed = (reach[:, late] + reach[:, early]) * (1 - recipe.occlusion)
            room = room.minimum(apart - needed[:, None])
        chosen[:, late] = _first_good(candidates[:, late], room)
    return chosen


def _colours(chance: Chance, count: int) -> Tensor:
    """The ground's colour and each object's, far enough apart that none of them vanishes."""
    candidates = _PALETTE[chance.whole(len(_PALETTE), count, _CANDIDATES)]
    chosen = candidates[:, :, 0].clone()
    for late in range(1, count):
        room = torch.full((len(candidates), _CANDIDATES), math.inf, dtype=torch.float32)
        for early in range(late):
            gap = candidates[:, late] - chosen[:, early, None]
            room = room.minimum(_length(gap) - _LEAST_CONTRAST)
        chosen[:, late] = _first_good(candidates[:, late], room)
    return (chosen + chance.between(-14.0, 14.0, count, 3)).clamp(0, 255)


def _length(gap: Tensor) -> Tensor:
    red, green, blue = gap.unbind(-1)
    return (red * red + green * green + blue * blue).sqrt()


def _first_good(candidates: Tensor, room: Tensor) -> Tensor:
    """The first candidate with room to spare; where none has, the one that lacks least."""
    order = torch.arange(_CANDIDATES, 0, -1, dtype=torch.float32) * 1e6
    best = torch.where(room >= 0, order, room).argmax(dim=1)
    return candidates[torch.arange(len(candidates)), best]


def _weaves(recipe: Recipe, chance: Chance, most: int) -> Tensor:
    """Stripes or checks: a third of the objects has waves along v too, the others along u only."""
    amplitude = chance.between(0.03, 0.16, most)
    along_u = chance.between(4.0, 12.0, most) / recipe.size
    along_v = torch.where(chance.whole(3, most) == 0, along_u, 0.0)
    return torch.stack([amplitude, along_u, along_v], dim=-1)


# Rounded, since the last bit of a cosine differs from one machine's library to another's.
_TURNS = torch.tensor(
    [[round(f(k * math.tau / 256) * 2**14) / 2**14 for f in (math.cos, math.sin)] for k in range(256)],
    dtype=torch.float32,
)
