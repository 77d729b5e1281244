"""Boxes from masks against torchvision's, and against what the scenes say of themselves."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torchvision import ops

from coursekit.boxes import box_from_mask, xywh_to_xyxy
from coursekit.data import load_scenes


def test_equal_to_torchvision_but_for_the_last_cell() -> None:
    generator = torch.Generator().manual_seed(0)
    masks = torch.rand(10_000, 7, 9, generator=generator) < 0.05
    masks = masks[masks.any(2).any(1)]
    theirs = ops.masks_to_boxes(masks)  # they end on the last cell, ours after it
    assert torch.equal(xywh_to_xyxy(box_from_mask(masks)), theirs + torch.tensor([0, 0, 1, 1]))


def test_the_boxes_of_scenes() -> None:
    scenes = load_scenes(60, objects=1)
    assert torch.equal(box_from_mask(scenes.masks), scenes.boxes)


def test_any_mask() -> None:
    mask = torch.zeros(2, 3, 4, 5, dtype=torch.uint8)
    mask[1, 2, 3, 0] = 255
    assert box_from_mask(mask).shape == (2, 3, 4)
    assert box_from_mask(mask)[1, 2].tolist() == [0, 3, 1, 1]
    assert box_from_mask(mask)[0, 0].tolist() == [0, 0, 0, 0]
    assert box_from_mask(torch.ones(4, 5, dtype=torch.bool)).tolist() == [0, 0, 5, 4]


@pytest.mark.parametrize(
    ("mask", "error"),
    [
        (torch.zeros(3, 3), TypeError),
        ([[0, 1]], TypeError),
        (torch.zeros(3, dtype=torch.bool), ValueError),
        (torch.zeros(0, 3, dtype=torch.bool), ValueError),
    ],
)
def test_what_is_no_mask_is_refused(mask, error) -> None:
    with pytest.raises(error, match=r"Expected mask as a tensor .*; got .*\. Try"):
        box_from_mask(mask)


def test_torchvision_is_not_needed() -> None:
    code = (
        "import sys; sys.modules['torchvision'] = None; import torch; from coursekit.boxes import iou; "
        "assert iou(torch.ones(4), torch.ones(4)) == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
