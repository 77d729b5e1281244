"""What to train on and how, for each data set: the same in the command line, the benchmarks and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from coursekit.data import Samples, load_pets, load_scenes
from coursekit.training.batches import Augmentation, flipped_sideways, varied

TRAIN_SCENES, TEST_SCENES = 12_000, 400
SETTINGS: dict[str, dict[str, Any]] = {
    "scenes": {"augment": flipped_sideways, "batch": 8, "rate": 2e-2},
    # Three hundred photographs that differ a lot: steadier steps, of more of them, come further.
    "pets": {"augment": varied, "batch": 16, "rate": 1e-2},
}
TRAIN_HEADS = 220  # of the 296 photographs that have a head box; the test split has none


@dataclass(frozen=True, eq=False)
class Recipe:
    """Samples to learn from, samples to score with that no training has seen, and settings for `fit`."""

    train: Samples
    test: Samples
    augment: Augmentation | None
    batch: int = 8
    rate: float = 2e-2

    @property
    def settings(self) -> dict[str, Any]:
        """What :func:`coursekit.training.fit` is told besides."""
        return {"augment": self.augment, "batch": self.batch, "rate": self.rate}


def recipe(data: str) -> Recipe:
    """The recipe for "scenes" or "pets".

    Raises
    ------
    FileNotFoundError
        The photographs are not there; the sentence says how to get them.
    """
    if data == "pets":
        return Recipe(load_pets(split="trainval"), load_pets(split="test"), **SETTINGS["pets"])
    train, test = load_scenes(TRAIN_SCENES, seed=0), load_scenes(TEST_SCENES, seed=1)
    return Recipe(train, test, **SETTINGS["scenes"])


@dataclass(frozen=True, eq=False)
class BoxRecipe(Recipe):
    """The same for labels and boxes, and how features and small heads are trained on these images.

    Attributes
    ----------
    mask_settings : dict
        For a net that learns the masks of the same images.
    head_settings : dict
        For heads on frozen features.
    """

    mask_settings: dict[str, Any] = field(default_factory=dict)
    head_settings: dict[str, Any] = field(default_factory=dict)


def box_recipe(data: str, boxes: str = "animal") -> BoxRecipe:
    """The recipe for "scenes", or for the "animal" or the "head" boxes of "pets".

    Raises
    ------
    FileNotFoundError
        The photographs are not there; the sentence says how to get them.
    """
    masks = SETTINGS[data]
    if data == "scenes":
        train, test = (load_scenes(n, seed, objects=1) for n, seed in ((TRAIN_SCENES, 0), (TEST_SCENES, 1)))
        heads = {**masks, "augment": None, "batch": 32}
    else:
        train, test = _photographs(boxes)
        heads = {**masks, "batch": 32}
    return BoxRecipe(train, test, **masks, mask_settings=masks, head_settings=heads)


def _photographs(boxes: str) -> tuple[Samples, Samples]:
    """To learn from and to score; head boxes both from the one split that has any, in a fixed order."""
    if boxes == "animal":
        return load_pets(split="trainval"), load_pets(split="test")
    photographs = load_pets(split="trainval", boxes="head")
    order = torch.randperm(len(photographs), generator=torch.Generator().manual_seed(0))
    return photographs[order[:TRAIN_HEADS]], photographs[order[TRAIN_HEADS:]]
