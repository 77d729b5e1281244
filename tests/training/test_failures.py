"""Objects, their measures and what went wrong with them, on masks made by hand."""

from __future__ import annotations

import pytest
import torch

from coursekit.data import Samples, load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import failure_atlas
from coursekit.training.failures import CAUSES, compare_objects
from coursekit.training.objects import gapless, measured, nearest_object, numbered_objects


def samples(*masks: torch.Tensor) -> Samples:
    stacked = torch.stack(masks)
    count, height, width = stacked.shape
    return Samples(
        torch.full((count, 3, height, width), 90, dtype=torch.uint8),
        stacked,
        torch.ones(count, 4),
        torch.zeros(count, dtype=torch.int64),
        ("ground", "disc", "<ring>"),
    )


def blank(side: int = 40) -> torch.Tensor:
    return torch.zeros(side, side, dtype=torch.uint8)


def square(top: int, left: int, side: int, label: int = 1, on: torch.Tensor | None = None) -> torch.Tensor:
    mask = blank() if on is None else on.clone()
    mask[top : top + side, left : left + side] = label
    return mask


def only(mask: torch.Tensor):
    told = measured(mask[None], numbered_objects(mask[None]))
    assert len(told) == 1
    return told[0]


# --- objects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_objects_are_those_that_a_walk_finds(seed):
    torch.manual_seed(seed)
    masks = (torch.rand(3, 12, 15) * 3.4).to(torch.uint8).clamp_max(2)
    numbers = numbered_objects(masks)
    walked = torch.zeros_like(numbers)
    count = 0
    for image, row, column in (masks > 0).nonzero().tolist():
        if walked[image, row, column]:
            continue
        count += 1
        queue = [(row, column)]
        walked[image, row, column] = count
        while queue:
            y, x = queue.pop()
            for a in range(max(0, y - 1), min(12, y + 2)):
                for b in range(max(0, x - 1), min(15, x + 2)):
                    if masks[image, a, b] == masks[image, y, x] and not walked[image, a, b]:
                        walked[image, a, b] = count
                        queue.append((a, b))
    pairs = set(zip(numbers.flatten().tolist(), walked.flatten().tolist(), strict=True))
    assert len(pairs) == len({pair[0] for pair in pairs}) == len({pair[1] for pair in pairs})
    assert numbers.unique().tolist() == list(range(count + 1))


def test_the_measures_of_a_square():
    told = only(square(5, 8, 7))
    assert (told.area, told.depth, told.outline, told.touching) == (49, 4, 24, 0)
    assert told.box == (8, 5, 7, 7)
    assert (told.image, told.label) == (0, 1)


def test_the_frame_is_no_edge():
    told = only(square(0, 0, 6))
    assert told.outline == 11  # the two sides inside the picture
    assert told.depth == 6


def test_a_band_of_six_has_depth_three():
    mask = blank()
    mask[10:16] = 2
    assert only(mask).depth == 3


def test_touching_counts_outline_pixels_beside_another_object():
    mask = square(10, 20, 10, 2, on=square(10, 10, 10))
    first, second = measured(mask[None], numbered_objects(mask[None]))
    assert (first.outline, first.touching) == (36, 10)
    assert (second.outline, second.touching) == (36, 10)


def test_a_picture_of_one_class_and_one_without_objects():
    whole = torch.ones(1, 6, 6, dtype=torch.uint8)
    told = measured(whole, numbered_objects(whole))
    assert [(each.area, each.outline) for each in told] == [(36, 0)]
    assert measured(0 * whole, numbered_objects(0 * whole)) == []


def test_the_nearest_object_is_the_nearest_of_its_own_image():
    masks = torch.stack([square(2, 2, 3, on=square(30, 30, 3, 2)), blank(), square(20, 20, 2)])
    numbers = numbered_objects(masks)
    where = torch.zeros_like(numbers, dtype=torch.bool)
    where[0, 8, 8] = where[0, 25, 25] = where[1, 3, 3] = where[2, 0, 0] = True
    assert nearest_object(numbers, where).tolist() == [1, 2, 0, 3]


def test_gaps_are_filled_and_an_empty_truth_is_ground():
    masks = torch.full((2, 1, 4), 255, dtype=torch.uint8)
    masks[0, 0, 0] = 1
    assert gapless(masks).tolist() == [[[1, 1, 1, 1]], [[0, 0, 0, 0]]]


# --- what went wrong -------------------------------------------------------------------------------


def causes(truth: torch.Tensor, said: torch.Tensor) -> list[tuple[str, bool]]:
    return [(case.cause, case.failed) for case in compare_objects(samples(truth), said[None]).cases]


def test_small_is_less_than_a_twentieth_of_the_picture():
    assert causes(square(5, 5, 8), blank()) == [("small", True)]  # 64 of 1600
    assert causes(square(5, 5, 9), blank()) == [("inside", True)]  # 81


def test_occluded_touches_another_on_a_fifth_of_its_outline():
    truth = square(10, 20, 10, 2, on=square(10, 10, 10))  # 10 of 36
    assert causes(truth, blank()) == [("occluded", True)] * 2
    truth = square(18, 20, 12, 2, on=square(10, 10, 10))  # 2 of 36, and of 44
    assert causes(truth, blank()) == [("inside", True)] * 2


def test_thin_is_nowhere_deeper_than_three():
    bar = blank()
    bar[10:16, 5:35] = 1
    assert causes(bar, blank()) == [("thin", True)]
    bar[16] = bar[15]
    assert causes(bar, blank()) == [("inside", True)]


def test_boundary_is_wrong_near_an_edge_only():
    truth, said = square(10, 10, 20), square(12, 12, 16)  # two rings missing: 144 of 400
    assert causes(truth, said) == [("boundary", True)]
    assert causes(truth, square(10, 10, 20, 2)) == [("inside", True)]


def test_a_quarter_of_its_own_pixels_makes_a_failure():
    truth = square(10, 10, 20)
    said = truth.clone()
    said[10:15, 10:30] = 0  # 100 of 400
    assert causes(truth, said)[0][1]
    said[10, 10] = 1
    assert not causes(truth, said)[0][1]


def test_every_wrong_pixel_is_counted_once():
    truth = square(4, 4, 10, on=square(20, 20, 12, 2))
    torch.manual_seed(0)
    said = (torch.rand(1, 40, 40) * 3).to(torch.uint8)
    atlas = compare_objects(samples(truth), said)
    assert sum(case.wrong for case in atlas.cases) == int((said[0] != truth).sum())
    missed = int(((said[0] != truth) & (truth != 0)).sum())
    assert sum(case.missed for case in atlas.cases) == missed


def test_ignored_pixels_are_never_wrong():
    truth = square(10, 10, 20)
    truth[10:12] = 255
    atlas = compare_objects(samples(truth), square(12, 10, 20)[None])
    assert sum(case.missed for case in atlas.cases) == 0


def test_counts_and_worst_belong_together():
    masks = torch.stack([square(5, 5, 8), square(5, 5, 20), square(3, 3, 7)])
    said = torch.stack([blank(), square(5, 5, 20), square(3, 3, 6)])
    atlas = compare_objects(samples(*masks), said)
    counts = atlas.counts()
    assert counts["small"] == (2, 2, 64 + 13)
    assert counts["inside"][0] == counts["boundary"][0] == 1
    assert [case.measures.image for case in atlas.worst("small")] == [0, 2]  # 64 of 64, then 13 of 49
    assert atlas.worst("small", most=1)[0].share == 1
    with pytest.raises(ValueError, match="small"):
        atlas.worst("tiny")


def test_a_perfect_net_has_no_failures_and_still_shows_itself():
    truth = square(5, 5, 20)
    atlas = compare_objects(samples(truth), truth[None])
    assert repr(atlas).startswith("0 of 1 objects")
    assert "<svg" not in atlas._repr_html_()


def test_the_pictures_show_the_worst_and_escape_names():
    truth, said = square(5, 5, 20, 2), blank()
    page = compare_objects(samples(truth), said[None])._repr_html_()
    assert page.count("<svg") == 4
    assert "&lt;ring&gt; of 400 pixels: 400 missed" in page
    assert "<ring>" not in page


def test_it_asks_the_net_as_in_use():
    scenes, net = load_scenes(6), SegmentationNet(5, "nearest").train()
    atlas = failure_atlas(net, scenes)
    assert net.training
    assert set(atlas.counts()) == set(CAUSES)
    assert atlas.predictions.shape == scenes.masks.shape
    with pytest.raises(TypeError, match="Samples"):
        failure_atlas(net, scenes.images)
