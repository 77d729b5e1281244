"""The picture at the top of the index: what comes in, what is left half-way, what is asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.data import load_scenes
from coursekit.plots.masks import image_uri, mask_uri

SCENES, SEED, INDEX = 40, 11, 7
COARSE = 8
_SIDE, _GAP = 260, 66


def opening_picture() -> str:
    """A scene, its classes where only 8x8 cells are left, and its classes in every pixel, as SVG."""
    scene = load_scenes(SCENES, seed=SEED)
    image, mask = scene.images[INDEX], scene.masks[INDEX]
    tiles = [image_uri(image), mask_uri(_mode_of_blocks(mask)), mask_uri(mask)]
    wide = 3 * _SIDE + 2 * _GAP
    drawn = "".join(_tile(uri, at) for at, uri in enumerate(tiles))
    arrows = "".join(_arrow(_SIDE + at * (_SIDE + _GAP)) for at in range(2))
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {_SIDE}">{drawn}{arrows}</svg>\n'


def _mode_of_blocks(mask: Tensor) -> Tensor:
    """The most frequent class of each block."""
    side = mask.shape[0] // COARSE
    blocks = mask.unfold(0, side, side).unfold(1, side, side).flatten(2)
    return torch.mode(blocks, dim=2).values


def _tile(uri: str, at: int) -> str:
    x, clip = at * (_SIDE + _GAP), f"tile-{at}"
    return (
        f'<clipPath id="{clip}"><rect x="{x}" width="{_SIDE}" height="{_SIDE}" rx="18"/></clipPath>'
        f'<image href="{uri}" x="{x}" width="{_SIDE}" height="{_SIDE}" clip-path="url(#{clip})" '
        'style="image-rendering:pixelated"/>'
    )


def _arrow(x: float) -> str:
    middle, begin, end = _SIDE / 2, x + 15, x + _GAP - 15
    return (
        f'<path d="M{begin} {middle}H{end}M{end - 11} {middle - 11}L{end} {middle}L{end - 11} {middle + 11}" '
        'fill="none" stroke="#8a8f97" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>'
    )
