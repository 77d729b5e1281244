"""The shapes of a scene, as signed distances: below 0 inside, above 0 outside, in pixels.

Coordinates ``u, v`` are pixels from the shape's centre, along its own turned axes. Only additions, products,
roots and comparisons are used, which every machine rounds alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

# (u, v, radius) -> signed distance; u and v are (m, H, W), radius is (m, 1, 1).
Distance = Callable[[Tensor, Tensor, Tensor], Tensor]

_SQRT3_HALF = 0.8660254


def _disc(u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    return _from_centre(u, v) - radius


def _square(u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    return u.abs().maximum(v.abs()) - radius * 0.85


def _triangle(u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    slanted = u.abs() * _SQRT3_HALF - v * 0.5
    return slanted.maximum(v) - radius * 0.64


def _ring(u: Tensor, v: Tensor, radius: Tensor) -> Tensor:
    thickness = radius * 0.24
    return (_from_centre(u, v) - (radius - thickness)).abs() - thickness


def _from_centre(u: Tensor, v: Tensor) -> Tensor:
    return (u * u + v * v).sqrt()


# In the order of the classes; class 0 is the background.
SHAPES: dict[str, Distance] = {"disc": _disc, "square": _square, "triangle": _triangle, "ring": _ring}

# How far a shape reaches from its centre, in radii: the corner of the square, the tip of the triangle.
REACH = {"disc": 1.0, "square": 0.85 * math.sqrt(2), "triangle": 1.28, "ring": 1.0}

# The triangle's tip still fits in the image, one pixel from its edge.
LARGEST_RADIUS = 0.36
