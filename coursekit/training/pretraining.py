"""Features to freeze: they learned masks or classes, on the very images of the box recipe, or nothing."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from coursekit.nets import SegmentationNet, TwoHeadNet
from coursekit.training.fitting import fit
from coursekit.training.freezes import FREEZES
from coursekit.training.history import History
from coursekit.training.joint import JointLoss
from coursekit.training.recipes import BoxRecipe
from coursekit.upsampling.validation import described, sentence

CLASS_RATE = 5e-3  # one label an image is little to go by: at the masks' rate it often learns nothing
_CALM_BATCHES, _AT_ONCE = 16, 64


def pretrained(
    kind: str, recipe: BoxRecipe, *, seed: int = 0, **length: Any
) -> tuple[SegmentationNet | TwoHeadNet, History | None]:
    """A net whose features can be frozen, and the history of its training.

    It sees the training images of the recipe and no others, so that no held-out mask leaks into a score.

    Parameters
    ----------
    kind : {"features", "classes", "random"}
        "features" learns the masks; "classes" learns the labels, as a classifier does; "random" learns
        nothing, only its normalisation has looked at images.
    recipe : BoxRecipe
        The images, and the settings.
    seed : int
        Decides all that is random.
    **length
        ``budget`` or ``steps``, and what else :func:`coursekit.training.fit` takes.

    Returns
    -------
    net : SegmentationNet or TwoHeadNet
        For ``TwoHeadNet(…, backbone=net, freeze=True)``.
    history : History or None
        None where nothing was trained.
    """
    if kind not in FREEZES[1:]:
        expected = f"kind as one of {', '.join(map(repr, FREEZES[1:]))}"
        raise ValueError(sentence(expected, described(kind), '"features"'))
    if kind == "features":
        masks = SegmentationNet(len(recipe.train.classes), seed=seed)
        return masks, fit(masks, recipe.train, seed=seed, **{**recipe.mask_settings, **length})
    net = TwoHeadNet(len(recipe.train.label_names), seed=seed)
    if kind == "random":
        _look_around(net, recipe.train.images)
        return net, None
    settings = {**recipe.settings, "rate": CLASS_RATE, "loss": JointLoss(weight=0.0), **length}
    return net, fit(net, recipe.train, seed=seed, **settings)


@torch.no_grad()
def _look_around(net: nn.Module, images: torch.Tensor) -> None:
    """Let normalisation layers see what numbers come, or deep features of a random net are nearly 0."""
    for part in images[: _CALM_BATCHES * _AT_ONCE].split(_AT_ONCE):
        net(part)
    net.eval()
