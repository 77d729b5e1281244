"""A recipe trains as the command line does: what it learns first is part of its time."""

import pytest
import torch

from coursekit.data import load_scenes
from coursekit.nets import Mirrored, SegmentationNet
from coursekit.training import fit
from coursekit.training.given import Given
from coursekit.training.recipes import Recipe
from coursekit.training.scoring import score

SCENES = load_scenes(24, size=16)
FIRST, TRAIN, TEST = SCENES[:8], SCENES[8:16], SCENES[16:]


@pytest.fixture
def net():
    return SegmentationNet(5, "nearest", seed=0)


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_without_a_first_part_it_is_a_plain_fit(net):
    plain = SegmentationNet(5, "nearest", seed=0)
    Recipe(TRAIN, TEST, None).fit(net, steps=4, seed=3)
    fit(plain, TRAIN, TEST, steps=4, seed=3, augment=None)
    assert same_weights(net, plain)


@pytest.mark.parametrize(("steps", "of_the_first"), [(10, 2), (2, 1), (1, 0)])
def test_the_first_part_is_a_share_of_the_steps(net, steps, of_the_first):
    history = Recipe(TRAIN, TEST, None, batch=4, first=FIRST).fit(net, steps=steps)
    assert history.steps == steps
    assert history.images == 8 * of_the_first + 4 * (steps - of_the_first)  # scenes come in eights
    assert history.evaluations[-1].step == steps
    assert len(history.notes) == (of_the_first > 0)


def test_a_budget_holds_for_both_parts(net):
    history = Recipe(TRAIN, TEST, None, first=FIRST).fit(net, budget=0.5)
    assert history.notes[0].startswith("the first")
    assert 0.4 < history.train_seconds < 0.5 + 1.0  # a step or two late on a busy machine


def test_what_was_learned_first_is_kept(net):
    other = SegmentationNet(5, "nearest", seed=0)
    Recipe(TRAIN, TEST, None, first=FIRST).fit(net, steps=10, rate=1e-9)
    fit(other, TRAIN, TEST, steps=10, rate=1e-9)
    assert not same_weights(net, other)


def test_a_mirrored_recipe_trains_the_same_net_and_asks_it_twice(net):
    plain = SegmentationNet(5, "nearest", seed=0)
    Recipe(TRAIN, TEST, None).fit(plain, steps=5)
    history = Recipe(TRAIN, TEST, None, mirrored=True).fit(net, steps=5)
    assert same_weights(net, plain)
    given = Given.of(TEST, "test")
    assert torch.equal(history.scores.matrix, score(Mirrored(net), given.for_net(net)).matrix)


def test_a_stop_in_the_first_part_ends_it_all(net):
    history = Recipe(TRAIN, TEST, None, first=FIRST).fit(
        net, steps=10, on_step=lambda progress: progress.stop()
    )
    assert history.interrupted
    assert history.steps == 1
    assert history.scores is None
