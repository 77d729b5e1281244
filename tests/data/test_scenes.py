"""Scenes are what they promise: exact, repeatable, and told apart by shape alone."""

import torch

from coursekit.data import load_scenes


def test_the_first_scenes_do_not_depend_on_how_many_are_asked_for() -> None:
    few, many = load_scenes(5, seed=3), load_scenes(70, seed=3)
    assert torch.equal(few.images, many.images[:5])
    assert torch.equal(few.boxes, many.boxes[:5])
