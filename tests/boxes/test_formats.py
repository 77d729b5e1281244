"""Formats of boxes against torchvision's, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import ops

from coursekit.boxes import clip, denormalize, normalize, xywh_to_xyxy, xyxy_to_xywh

MANY = 10_000


def drawn(seed: int, count: int = MANY) -> torch.Tensor:
    """Boxes of all sorts around an image of 48 x 64, in float64."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator, dtype=torch.float64) * 100 - 20
    return torch.cat([corner, torch.rand(count, 2, generator=generator, dtype=torch.float64) * 50], dim=1)


def test_conversions_are_torchvisions() -> None:
    boxes = drawn(0)
    corners = xywh_to_xyxy(boxes)
    torch.testing.assert_close(corners, ops.box_convert(boxes, "xywh", "xyxy"))
    torch.testing.assert_close(xyxy_to_xywh(corners), ops.box_convert(corners, "xyxy", "xywh"))
    torch.testing.assert_close(xyxy_to_xywh(corners), boxes)


def test_clipping_is_torchvisions() -> None:
    boxes = drawn(1)
    theirs = ops.clip_boxes_to_image(ops.box_convert(boxes, "xywh", "xyxy"), (48, 64))
    torch.testing.assert_close(xywh_to_xyxy(clip(boxes, (48, 64))), theirs)
    assert (theirs[:, 2] == 64).any(), "some boxes must reach beyond the right edge"
    assert (theirs[:, 1] == 0).any()


def test_a_clipped_box_lies_inside_and_stays() -> None:
    clipped = clip(drawn(2), (48, 64))
    left, top, right, bottom = xywh_to_xyxy(clipped).unbind(1)
    assert left.min() >= 0
    assert top.min() >= 0
    assert right.max() <= 64
    assert bottom.max() <= 48
    torch.testing.assert_close(clip(clipped, (48, 64)), clipped)


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ([70.0, 10.0, 5.0, 5.0], [64.0, 10.0, 0.0, 5.0]),  # beyond the right edge: empty, at the edge
        ([-9.0, -9.0, 5.0, 5.0], [0.0, 0.0, 0.0, 0.0]),
        ([10.0, 10.0, -4.0, 3.0], [10.0, 10.0, -4.0, 3.0]),  # a negative side stays negative …
        ([2.0, 10.0, -4.0, 3.0], [2.0, 10.0, -2.0, 3.0]),  # … and is cut like any other
        ([10.0, 10.0, 0.0, 0.0], [10.0, 10.0, 0.0, 0.0]),
    ],
)
def test_odd_boxes_are_clipped_as_documented(box: list[float], clipped: list[float]) -> None:
    assert clip(torch.tensor(box), (48, 64)).tolist() == clipped


def test_x_goes_with_the_width() -> None:
    boxes = drawn(3)
    shares = normalize(boxes, (48, 64))
    torch.testing.assert_close(shares * torch.tensor([64, 48, 64, 48]), boxes)
    torch.testing.assert_close(denormalize(shares, torch.Size([48, 64])), boxes)
    corners = normalize(xywh_to_xyxy(boxes), (48, 64))  # corners too: x, y, x, y
    torch.testing.assert_close(xyxy_to_xywh(corners), shares)


numbers = st.floats(-1e3, 1e3, width=32)


@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=5))
def test_there_and_back(rows: list[tuple[float, ...]]) -> None:
    boxes = torch.tensor(rows, dtype=torch.float64)
    torch.testing.assert_close(xyxy_to_xywh(xywh_to_xyxy(boxes)), boxes)
    torch.testing.assert_close(denormalize(normalize(boxes, (7, 30)), (7, 30)), boxes)


@pytest.mark.parametrize("function", [xywh_to_xyxy, xyxy_to_xywh])
def test_any_leading_axes_and_gradients(function) -> None:
    boxes = drawn(4, 6).reshape(1, 2, 3, 4).requires_grad_()
    assert function(boxes).shape == boxes.shape
    assert function(boxes[0, 0, 0]).shape == (4,)
    assert function(torch.zeros(0, 4)).shape == (0, 4)
    assert torch.autograd.gradcheck(function, boxes)


def test_clip_and_normalize_have_gradients() -> None:
    boxes = drawn(5, 20).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: clip(x, (48, 64)), boxes)
    assert torch.autograd.gradcheck(lambda x: normalize(x, (48, 64)), boxes)


def test_nan_stays_where_it_is() -> None:
    boxes = torch.tensor([[float("nan"), 1.0, 2.0, 3.0], [0.0, 1.0, 2.0, 3.0]])
    for result in (xywh_to_xyxy(boxes), clip(boxes, (9, 9)), normalize(boxes, (9, 9))):
        assert result[0].isnan().any()
        assert not result[0, 1].isnan()
        assert not result[1].isnan().any()


@pytest.mark.parametrize(
    ("boxes", "error", "attempt"),
    [
        ([[0, 0, 1, 1]], TypeError, r"torch.as_tensor\(boxes\).float\(\)"),
        (torch.zeros(2, 4, dtype=torch.int64), TypeError, r"boxes.float\(\)"),
        (torch.zeros(4, 7), ValueError, r"boxes.T"),
        (torch.zeros(8), ValueError, r"boxes.reshape\(-1, 4\)"),
        (torch.tensor(1.0), ValueError, "four numbers a box"),
    ],
)
def test_what_is_no_box_is_refused(boxes, error, attempt) -> None:
    with pytest.raises(error, match=rf"Expected .*; got .*\. Try {attempt}"):
        xywh_to_xyxy(boxes)


@pytest.mark.parametrize(
    "size", [5, (5,), (5, 6, 7), (0, 5), (5, -1), (True, 5), ("5", "6"), (5, float("inf"))]
)
def test_what_is_no_size_is_refused(size) -> None:
    for function in (clip, normalize, denormalize):
        with pytest.raises((TypeError, ValueError), match=r"Expected size as \(height, width\)"):
            function(torch.zeros(4), size)
