"""Batches: all images, in an order that seed and step decide, and masks that stay with their images."""

import torch

from coursekit.training import batches as batching
from coursekit.training.batches import Batches, flipped_sideways, mixed, varied
from coursekit.training.given import Given

CPU = torch.device("cpu")


def numbered(count):
    """Image k is filled with k, and so is its mask."""
    masks = torch.arange(count, dtype=torch.uint8)[:, None, None].expand(count, 4, 4)
    return Given(masks[:, None].expand(-1, 3, -1, -1), masks, ())


def test_an_epoch_shows_every_image_once_and_the_next_in_another_order():
    batches = Batches(numbered(20), 4, 0, CPU, None)
    epochs = [
        [int(n) for step in range(5) for n in batches.of_step(5 * e + step)[1][:, 0, 0]] for e in range(3)
    ]
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_any_step_can_be_asked_for_in_any_order():
    forwards, backwards = (Batches(numbered(10), 3, 7, CPU, flipped_sideways) for _ in range(2))
    wanted = [forwards.of_step(step)[0] for step in range(12)]
    assert all(torch.equal(backwards.of_step(step)[0], wanted[step]) for step in reversed(range(12)))


def test_a_batch_larger_than_the_data_is_all_of_it():
    images, masks = Batches(numbered(3), 8, 0, CPU, None).of_step(4)
    assert len(images) == 3
    assert sorted(masks[:, 0, 0].tolist()) == [0, 1, 2]


def test_a_mask_is_mirrored_with_its_image_and_half_of_them_are():
    columns = torch.arange(6, dtype=torch.uint8).expand(200, 6, 6)
    generator = torch.Generator().manual_seed(0)
    images, masks = flipped_sideways(columns[:, None].expand(-1, 3, -1, -1), columns, generator)
    assert torch.equal(images[:, 0], masks)
    mirrored = masks[:, 0, 0] == 5
    assert torch.equal(masks[mirrored], columns[mirrored].flip(2))
    assert torch.equal(masks[~mirrored], columns[~mirrored])
    assert 60 < int(mirrored.sum()) < 140


def test_seeds_for_neighbouring_steps_have_nothing_in_common():
    seeds = {mixed(seed, purpose, step) for seed in range(5) for purpose in range(3) for step in range(100)}
    assert len(seeds) == 1500
    assert all(0 <= each < 2**63 for each in seeds)


def test_varied_moves_a_mask_with_its_image(monkeypatch):
    monkeypatch.setattr(batching, "CONTRAST", 0.0)
    monkeypatch.setattr(batching, "BRIGHTNESS", 0.0)
    masks = torch.zeros(20, 32, 32, dtype=torch.uint8)
    masks[:, 4:18, 10:26] = 1
    images = (masks * 255)[:, None].expand(-1, 3, -1, -1)
    seen, labels = varied(images, masks, torch.Generator().manual_seed(0))
    sure = ((seen[:, 0] < 0.1) | (seen[:, 0] > 0.9)) & (labels != 255)
    assert sure.float().mean() > 0.7
    assert torch.equal((seen[:, 0] > 0.5)[sure], (labels == 1)[sure])
    assert set(labels.unique().tolist()) <= {0, 1, 255}
    assert len({tuple(label.flatten().tolist()) for label in labels}) == 20


def test_varied_changes_the_light_and_stays_near_the_range():
    images = torch.full((30, 3, 16, 16), 200, dtype=torch.uint8)
    seen, _ = varied(images, torch.zeros(30, 16, 16, dtype=torch.uint8), torch.Generator().manual_seed(1))
    centres = seen[:, :, 8, 8]
    assert centres.std() > 0.03
    assert centres.min() > 0.3
    assert centres.max() < 1.5
    assert seen.isfinite().all()
    floats, _ = varied(
        images / 255, torch.zeros(30, 16, 16, dtype=torch.uint8), torch.Generator().manual_seed(1)
    )
    assert torch.allclose(seen, floats, atol=1e-5)
