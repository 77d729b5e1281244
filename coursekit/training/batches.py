"""Batches gathered by index from whole tensors, the same for a seed and a step whatever came before."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from coursekit.training.given import Given
from coursekit.training.joint import Truth
from coursekit.training.losses import IGNORE
from coursekit.training.mirrors import seen_through, turned_over

Augmentation = Callable[[Tensor, Tensor, torch.Generator], tuple[Tensor, Tensor]]


class Batches:
    """Every image once, in a new order, then again.

    Everything random is drawn from (seed, step) alone, so a run that goes on after an interruption sees
    exactly what it would have seen.

    Parameters
    ----------
    given : Given
        The data; they move to ``device`` once.
    batch : int
        Images a step.
    seed : int
        Decides the order and the augmentation.
    augment : callable or None
        ``(images, masks, generator) -> (images, masks)``.
    """

    def __init__(
        self, given: Given, batch: int, seed: int, device: torch.device, augment: Augmentation | None
    ) -> None:
        # Channels last in memory: gathered so, a batch needs no rearranging before the first convolution.
        self.images = given.images.to(device).permute(0, 2, 3, 1).contiguous()
        self.masks = given.masks.to(device)
        self.batch = min(batch, len(self.images))
        self.seed, self.augment = seed, augment
        self.generator = torch.Generator()
        self._epoch, self._order = -1, torch.empty(0)

    def of_step(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(batch, 3, H, W)`` and masks ``(batch, H, W)`` of a step, counted from 0."""
        rows = self._rows(step).to(self.images.device)
        images, masks = self.images[rows].permute(0, 3, 1, 2), self.masks[rows]
        if self.augment is None:
            return images, masks
        images, masks = self.augment(images, masks, self.generator.manual_seed(mixed(self.seed, 1, step)))
        return images.contiguous(memory_format=torch.channels_last), masks

    def _rows(self, step: int) -> Tensor:
        in_epoch = len(self.images) // self.batch  # a rest smaller than a batch waits for the next order
        epoch, place = divmod(step, in_epoch)
        if epoch != self._epoch:
            self.generator.manual_seed(mixed(self.seed, 0, epoch))
            self._epoch, self._order = epoch, torch.randperm(len(self.images), generator=self.generator)
        return self._order[place * self.batch : (place + 1) * self.batch]


def mixed(seed: int, purpose: int, count: int) -> int:
    """A seed for one purpose and one count; neighbouring counts give unrelated numbers."""
    value = (seed * 0x9E3779B97F4A7C15 + purpose * 0xBF58476D1CE4E5B9 + count + 1) % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return (value ^ (value >> 31)) % 2**63


def flipped_sideways(images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror each image left to right with probability one half, and its mask (or its box) with it."""
    chosen = (torch.rand(len(images), generator=generator) < 0.5).to(images.device)
    images = torch.where(chosen[:, None, None, None], images.flip(3), images)
    if isinstance(masks, Truth):
        return images, turned_over(masks, chosen)
    return images, torch.where(chosen[:, None, None], masks.flip(2), masks)


# How far `varied` goes: smallest part of the side shown, radians, share of contrast, share of brightness.
ZOOM, TURN, CONTRAST, BRIGHTNESS = 0.65, 0.25, 0.3, 0.2


def varied(images: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Mirror, zoom, move, turn and light each image anew: a few hundred photographs do the work of many.

    The mask moves with its image; what comes in from beyond the frame is ignored. With labels and boxes
    (:class:`Truth`) nothing is turned, since no upright box fits a turned one.

    Parameters
    ----------
    images : Tensor
        ``(N, 3, H, W)``, uint8 or float from 0 to 1.
    masks : Tensor or Truth
        ``(N, H, W)`` uint8; or labels and boxes.
    generator : torch.Generator
        Where all that is random comes from.

    Returns
    -------
    images : Tensor
        Floats, around the range 0 to 1.
    masks : Tensor
        uint8.
    """
    count = len(images)
    pixels = images / 255 if images.dtype == torch.uint8 else images
    views = _views(count, generator, 0.0 if isinstance(masks, Truth) else TURN)
    grid = functional.affine_grid(views.to(pixels), [count, 1, *images.shape[2:]], align_corners=False)
    # Around mid-grey and around the ignored class, because zero is what lies beyond the frame.
    seen = functional.grid_sample(pixels - 0.5, grid, align_corners=False)
    contrast = (
        1
        + CONTRAST * _around_zero((count, 3, 1, 1), generator)
        + CONTRAST * _around_zero((count, 1, 1, 1), generator)
    )
    light = BRIGHTNESS * _around_zero((count, 1, 1, 1), generator)
    lit = seen * contrast.to(pixels) + 0.5 + light.to(pixels)
    if isinstance(masks, Truth):
        return lit, seen_through(masks, views)
    labels = functional.grid_sample(
        masks[:, None].to(pixels) - IGNORE, grid, mode="nearest", align_corners=False
    )
    return lit, (labels[:, 0] + IGNORE).round().to(torch.uint8)


def _views(count: int, generator: torch.Generator, turn: float) -> Tensor:
    """``(N, 2, 3)``: where in the image each view looks, for :func:`torch.nn.functional.affine_grid`."""
    zoom = 1 - (1 - ZOOM) * torch.rand(count, generator=generator)
    angle = turn * _around_zero((count,), generator)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    move = 0.7 * (1 - ZOOM) * _around_zero((count, 2), generator)
    first = torch.stack([zoom * angle.cos() * mirror, -zoom * angle.sin(), move[:, 0]], dim=1)
    second = torch.stack([zoom * angle.sin() * mirror, zoom * angle.cos(), move[:, 1]], dim=1)
    return torch.stack([first, second], dim=1)


def _around_zero(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Random numbers from -1 to 1."""
    return 2 * torch.rand(shape, generator=generator) - 1
