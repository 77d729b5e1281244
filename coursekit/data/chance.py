"""Random numbers that depend on the seed and the scene's number alone.

A hash of (seed, scene, draw) takes the place of a generator with a state. So scene 7 is the same whether 8 or
8,000 scenes are asked for, and, being whole-number arithmetic, the same on every machine and torch version.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_BITS = 0xFFFFFFFF


def mixed(x: Tensor) -> Tensor:
    """Scramble int64 numbers into 32 bits: shifts and multiplications, each step reversible.

    The multipliers are those of Chris Wellons' search for the least biased mixer of this form.
    """
    x = x & _BITS
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & _BITS
    x = ((x ^ (x >> 15)) * 0x846CA68B) & _BITS
    return x ^ (x >> 16)


class Chance:
    """Draws for a row of scenes; every draw has the scenes as its first axis.

    Parameters
    ----------
    seed : int
        From 0 to 2**32 - 1.
    scenes : Tensor
        ``(n,)`` int64, the scenes' numbers.
    """

    def __init__(self, seed: int, scenes: Tensor) -> None:
        seed_key = mixed(torch.tensor(seed) + 0x9E3779B9)
        self._keys = mixed(mixed(scenes) ^ seed_key)  # [n]
        self._drawn = 0

    def bits(self, *shape: int) -> Tensor:
        """``(n, *shape)`` int64, uniform over 32 bits."""
        count = math.prod(shape)
        places = torch.arange(self._drawn, self._drawn + count)
        self._drawn += count
        return mixed(self._keys[:, None] ^ mixed(places)).view(-1, *shape)

    def whole(self, below: int, *shape: int) -> Tensor:
        """``(n, *shape)`` int64, uniform over 0 … below - 1."""
        return (self.bits(*shape) * below) >> 32

    def between(self, low: float, high: float, *shape: int) -> Tensor:
        """``(n, *shape)`` float32, uniform from ``low`` up to ``high``."""
        share = (self.bits(*shape) >> 8).to(torch.float32) * 2.0**-24
        return share * (high - low) + low
