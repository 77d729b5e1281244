"""What to train on and how, for each data set: the same in the command line, the benchmarks and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coursekit.data import Samples, load_pets, load_scenes
from coursekit.training.batches import Augmentation, flipped_sideways, varied

TRAIN_SCENES, TEST_SCENES = 12_000, 400


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
        # Three hundred photographs that differ a lot: steadier steps, of more of them, come further.
        return Recipe(load_pets(split="trainval"), load_pets(split="test"), varied, batch=16, rate=1e-2)
    return Recipe(load_scenes(TRAIN_SCENES, seed=0), load_scenes(TEST_SCENES, seed=1), flipped_sideways)
