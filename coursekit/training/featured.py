"""Features of a frozen net, computed once: after that, a step costs what its heads cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from coursekit.nets import TwoHeadNet
from coursekit.training.batches import Augmentation, mixed
from coursekit.training.checkpoints import Checkpoint, put_into, require_same_run
from coursekit.training.crew import Alone
from coursekit.training.given import judging
from coursekit.training.locating import Located
from coursekit.training.settings import Settings

AT_ONCE = 64
VERSIONS = 8  # of each image, where there is an augmentation and time
SHARE = 1 / 3  # of the budget
MOST_BYTES = 2**30


@dataclass(frozen=True, eq=False)
class Featured(Located):
    """Features in the place of images.

    Attributes
    ----------
    whole : int
        How many images there were.
    took : float
        Seconds that the features took.
    note : str
        A sentence about it, for the history.
    """

    whole: int
    took: float
    note: str

    @property
    def count(self) -> int:
        """How many images there were: however many features there was time for, it is the same run."""
        return self.whole

    @property
    def seconds(self) -> float:
        """What the features took of the budget."""
        return self.took

    @property
    def notes(self) -> list[str]:
        """How many features there are, and what they took."""
        return [self.note]

    def forward_of(self, net: nn.Module) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
        """The heads alone."""
        assert isinstance(net, TwoHeadNet)
        return net.heads


def featured(
    net: TwoHeadNet,
    given: Located,
    settings: Settings,
    augment: Augmentation | None,
    stopped: Callable[[], bool],
    clock: Callable[[], float],
    crew: Alone,
) -> Featured:
    """Compute the features of a frozen net, image by image in a random order.

    With an augmentation, further versions of the images follow, up to eight of each; they are drawn once,
    not anew for each step. A run that counts seconds stops this after a third of them, and goes on with the
    features that are there; several processes compute all, so that they have the same. No more are computed
    than the steps can use.

    Parameters
    ----------
    net : TwoHeadNet
        Where it is to run.
    given : Located
        The training data.
    settings : Settings
        Of the run.
    augment : callable or None
        ``(images, rows, generator) -> (images, rows)``.
    stopped : callable
        Whether someone asked to end the run.
    clock : callable
        Gives seconds.
    crew : Alone
        The other processes, if there are any.
    """
    _take_up(net, given, settings, crew)
    features, rows, computed = [], [], 0
    begin = clock()
    limit = settings.budget * SHARE if crew.size == 1 and settings.steps is None else float("inf")
    enough = float("inf") if settings.steps is None else settings.steps * settings.batch
    device = next(net.parameters()).device
    with judging(net), torch.inference_mode():
        for images, truth in _versions(given, settings.seed, augment):
            features.append(net.features(images.to(device)))
            rows.append(truth)
            computed += len(images)
            each = features[0][0].numel() * features[0].element_size()
            late = (clock() - begin) * (1 + len(images) / computed) > limit
            if late or stopped() or computed >= enough or (computed + AT_ONCE) * each > MOST_BYTES:
                break
    took = clock() - begin
    # Outside of inference mode a copy is a plain tensor, which autograd accepts.
    made, truths = torch.cat(features).clone(), torch.cat(rows).clone()
    count = len(given.images)
    said = f"Features were computed once, in {took:.1f} s: {_amount(computed, count)}."
    note = f"{said} Steps ran the heads alone."
    return Featured(made, truths, given.classes, given.mean_box, count, took, note)


def _take_up(net: TwoHeadNet, given: Located, settings: Settings, crew: Alone) -> None:
    """Give the net the backbone that the run will go on with: its features come from no other."""

    def read() -> None:
        assert settings.checkpoint is not None
        checkpoint = Checkpoint(settings.checkpoint)
        if checkpoint.weights.exists():
            weights, _, state = checkpoint.load()
            require_same_run(state, settings.identity(given.count))
            put_into(net, weights)

    if settings.resume:
        crew.told(read)
    crew.align(net.state_dict().values())


def _versions(given: Located, seed: int, augment: Augmentation | None) -> Iterator[tuple[Tensor, Tensor]]:
    generator = torch.Generator()
    for version in range(VERSIONS if augment else 1):
        generator.manual_seed(mixed(seed, 3, version))
        for rows in torch.randperm(len(given.images), generator=generator).split(AT_ONCE):
            images, truth = given.images[rows], given.masks[rows]
            yield augment(images, truth, generator) if augment else (images, truth)


def _amount(computed: int, count: int) -> str:
    if computed < count:
        return f"of {computed:,} of the {count:,} images"
    if computed == count:
        return f"of {count:,} images"
    return f"of {count:,} images, in {computed / count:.1f} versions each"
