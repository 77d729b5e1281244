"""What to train on and how, for each data set: the same in the command line, the benchmarks and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from coursekit.data import Samples, load_pets, load_scenes
from coursekit.nets import Mirrored
from coursekit.training.batches import Augmentation, flipped_sideways, varied
from coursekit.training.fitting import allowed, fit
from coursekit.training.history import History

TRAIN_SCENES, TEST_SCENES = 12_000, 400
SETTINGS: dict[str, dict[str, Any]] = {
    "scenes": {"augment": flipped_sideways, "batch": 8, "rate": 2e-2},
    # Three hundred photographs that differ a lot: steadier steps, of more of them, come further.
    "pets": {"augment": varied, "batch": 16, "rate": 1e-2},
}
# Photographs are few, so a net learns on scenes first what outlines and textures are.
WARM_SCENES, WARM_SHARE = 4_000, 0.2
TRAIN_HEADS = 220  # of the 296 photographs that have a head box; the test split has none


@dataclass(frozen=True, eq=False)
class Recipe:
    """Samples to learn from, samples to score with that no training has seen, and settings for `fit`.

    Attributes
    ----------
    first : Samples or None
        Images of the same classes that a net learns from in the first fifth of the time.
    mirrored : bool
        The trained net is asked about each picture and its mirror image (:class:`coursekit.nets.Mirrored`).
    """

    train: Samples
    test: Samples
    augment: Augmentation | None
    batch: int = 8
    rate: float = 2e-2
    first: Samples | None = None
    mirrored: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What :func:`coursekit.training.fit` is told besides."""
        return {"augment": self.augment, "batch": self.batch, "rate": self.rate}

    def fit(self, net: nn.Module, *, budget: float = 60, steps: int | None = None, **asked: Any) -> History:
        """Train a segmentation net by the recipe, all of it within the budget, and score it.

        Parameters
        ----------
        net : nn.Module
            Takes images ``(N, 3, H, W)``, gives logits ``(N, classes, H, W)``. It is trained in place.
        budget, steps
            As of :func:`coursekit.training.fit`; the time on ``first`` is part of them.
        **asked
            Passed to :func:`coursekit.training.fit`, such as ``seed``, ``device`` or ``on_step``.

        Returns
        -------
        History
            Of both parts; the losses are those of the second.
        """
        asked, budget, before = {**self.settings, **asked}, allowed(budget), None
        few = None if steps is None else round(WARM_SHARE * steps) or 1
        if self.first is not None and steps != 1:
            first = {**asked, **SETTINGS["scenes"], "budget": WARM_SHARE * budget, "steps": few}
            before = fit(net, self.first, **first)
            if before.interrupted or before.diverged:
                return before
            budget -= before.train_seconds
            steps = None if steps is None else steps - before.steps
        whole = Mirrored(net) if self.mirrored else net
        history = fit(whole, self.train, self.test, budget=budget, steps=steps, **asked)
        return history if before is None else _together(before, history)


def recipe(data: str) -> Recipe:
    """The recipe for "scenes" or "pets".

    Raises
    ------
    FileNotFoundError
        The photographs are not there; the sentence says how to get them.
    """
    if data == "pets":
        train, test = load_pets(split="trainval"), load_pets(split="test")
        return Recipe(train, test, **SETTINGS["pets"], first=_things(train.classes), mirrored=True)
    train, test = load_scenes(TRAIN_SCENES, seed=0), load_scenes(TEST_SCENES, seed=1)
    return Recipe(train, test, **SETTINGS["scenes"])


def _things(classes: tuple[str, ...]) -> Samples:
    """Scenes whose every object is of class 1, whatever its shape."""
    scenes = load_scenes(WARM_SCENES, seed=2)
    masks = scenes.masks.clamp(max=1)
    return replace(
        scenes, masks=masks, classes=classes, labels=torch.ones_like(scenes.labels), label_names=()
    )


def _together(first: History, second: History) -> History:
    """One history of two parts: what they took is added up, and the losses are those of the second."""
    later: dict[str, Any] = {"step": first.steps, "seconds": first.train_seconds}
    said = (
        f"the first {first.steps:,} steps ({first.train_seconds:.0f} s) were on drawn scenes, "
        "whose objects all count as one class"
    )
    return replace(
        second,
        losses=[_shifted(each, **later) for each in second.losses],
        evaluations=[_shifted(each, **later) for each in second.evaluations],
        steps=first.steps + second.steps,
        images=first.images + second.images,
        train_seconds=first.train_seconds + second.train_seconds,
        evaluation_seconds=first.evaluation_seconds + second.evaluation_seconds,
        notes=[said, *first.notes, *second.notes],
    )


def _shifted(moment: Any, step: int, seconds: float) -> Any:
    return replace(moment, step=moment.step + step, seconds=moment.seconds + seconds)


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
