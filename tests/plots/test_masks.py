"""Names, boxes and scores of masks, against definitions and other libraries."""

from __future__ import annotations

import base64
import io
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from coursekit.data import load_scenes
from coursekit.plots.masks import box_of, classes_in, colour_of, image_uri, mask_uri, mean_iou, name_tags

CLASSES = ("ground", "disc", "square", "triangle", "ring")
masks = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 4))


def pixels(uri: str) -> np.ndarray:
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(body))))


def test_a_mask_s_picture_has_each_class_in_its_colour():
    mask = torch.tensor([[0, 1, 255], [2, 3, 4]], dtype=torch.uint8)
    drawn = pixels(mask_uri(mask))
    wanted = [[list(bytes.fromhex(colour_of(int(value))[1:])) for value in row] for row in mask]
    assert drawn.tolist() == wanted


def test_an_image_s_picture_is_the_image_whole_or_float():
    image = load_scenes(1).images[0]
    as_drawn = image.permute(1, 2, 0).numpy()
    assert np.array_equal(pixels(image_uri(image)), as_drawn)
    assert np.array_equal(pixels(image_uri(image / 255)), as_drawn)
    loud = torch.full((3, 2, 2), 1.7)
    assert pixels(image_uri(loud)).min() == 255


@given(masks, st.integers(0, 2**31))
def test_iou_is_the_shared_part_of_two_sets_of_pixels(truth, seed):
    prediction = np.random.default_rng(seed).integers(0, 5, truth.shape, dtype=np.uint8)
    ious = []
    for index in {*truth.flat, *prediction.flat}:
        ours, theirs = ({tuple(cell) for cell in np.argwhere(each == index)} for each in (truth, prediction))
        ious.append(len(ours & theirs) / len(ours | theirs))
    found = mean_iou(torch.from_numpy(truth), torch.from_numpy(prediction))
    assert found == pytest.approx(sum(ious) / len(ious))


def test_iou_leaves_ignored_pixels_out():
    truth = torch.tensor([[1, 1, 255, 255]], dtype=torch.uint8)
    assert mean_iou(truth, torch.tensor([[1, 1, 0, 3]], dtype=torch.uint8)) == 1.0
    assert mean_iou(torch.full_like(truth, 255), truth) is None


@given(masks)
def test_a_box_holds_the_largest_patch_and_touches_it_on_all_sides(mask):
    """The oracle grows patches cell by cell."""
    cells = {(int(r), int(c)) for r, c in np.argwhere(mask)}
    sizes: list[set[tuple[int, int]]] = []
    while cells:
        patch, edge = set(), [cells.pop()]
        while edge:
            r, c = edge.pop()
            patch.add((r, c))
            near = {(r + dr, c + dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)} & cells
            cells -= near
            edge += near
        sizes.append(patch)
    found = box_of(torch.from_numpy(mask))
    if not sizes:
        assert found is None
        return
    most = max(map(len, sizes))
    boxes = []
    for patch in (each for each in sizes if len(each) == most):
        (top, left), (bottom, right) = map(min, zip(*patch, strict=True)), map(max, zip(*patch, strict=True))
        boxes.append((left, top, right - left + 1, bottom - top + 1))
    assert found in boxes


def test_a_box_equals_the_scene_s_own():
    scenes = load_scenes(8, objects=1)
    for mask, box in zip(scenes.masks, scenes.boxes, strict=True):
        assert box_of(mask) == tuple(box.tolist())


def test_a_stray_pixel_does_not_move_a_box():
    mask = torch.zeros(16, 16, dtype=torch.uint8)
    mask[2:6, 3:9] = 2
    before = box_of(mask)
    mask[15, 15] = 1
    mask[0, 15] = 255
    assert box_of(mask) == before == (3, 2, 6, 4)


def test_names_lie_on_their_class_unless_they_would_leave_the_picture():
    for mask in load_scenes(24).masks:
        for tag in name_tags(mask, CLASSES):
            half = 0.28 * 64 / 9 * len(tag.name)
            assert half - 1e-6 <= tag.x <= 64 - half + 1e-6
            assert 64 / 18 <= tag.y <= 64 - 64 / 18


def test_names_do_not_cover_each_other():
    mask = torch.zeros(64, 64, dtype=torch.uint8)
    mask[30, 10:55], mask[31, 10:55], mask[29, 10:55] = 1, 2, 3
    tags = name_tags(mask, CLASSES)
    assert [tag.name for tag in tags] == ["disc", "square", "triangle"]
    rows = sorted(tag.y for tag in tags)
    assert all(below - above >= 0.95 * 64 / 9 for above, below in itertools.pairwise(rows))


def test_specks_and_the_ground_get_no_name_but_are_said():
    mask = torch.zeros(64, 64, dtype=torch.uint8)
    mask[0, :5] = 4
    assert name_tags(mask, CLASSES) == []
    assert classes_in(mask, CLASSES) == ["ring"]
