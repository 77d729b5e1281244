"""IoU and GIoU against torchvision, exact fractions, counted pixels and finite differences."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import ops

from coursekit.boxes import giou, iou, pairwise_iou, xywh_to_xyxy

MANY = 10_000


def pairs(seed: int, count: int = MANY, *, whole: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    """Pairs of boxes that overlap, touch, nest and lie apart."""
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(2, count, 2, generator=generator, dtype=torch.float64) * 12
    side = torch.rand(2, count, 2, generator=generator, dtype=torch.float64) * 9 + 0.1
    boxes = torch.cat([corner, side], dim=2)
    boxes = boxes.ceil() if whole else boxes
    return boxes[0], boxes[1]


def exactly(a: list[float], b: list[float]) -> tuple[Fraction, Fraction]:
    """IoU and GIoU of two boxes with area, in fractions."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = (list(map(Fraction, box)) for box in (a, b))
    across = max(Fraction(0), min(ax + aw, bx + bw) - max(ax, bx))
    down = max(Fraction(0), min(ay + ah, by + bh) - max(ay, by))
    both = across * down
    either = aw * ah + bw * bh - both
    around = (max(ax + aw, bx + bw) - min(ax, bx)) * (max(ay + ah, by + bh) - min(ay, by))
    return both / either, both / either - (around - either) / around


def test_equal_to_torchvision() -> None:
    a, b = pairs(0)
    corners = xywh_to_xyxy(a), xywh_to_xyxy(b)
    blocks = zip(corners[0].split(100), corners[1].split(100), strict=True)
    ious, gious = [], []
    for one, other in blocks:  # theirs are of all pairs, so take the diagonal
        ious.append(ops.box_iou(one, other).diagonal())
        gious.append(ops.generalized_box_iou(one, other).diagonal())
    torch.testing.assert_close(iou(a, b), torch.cat(ious))
    torch.testing.assert_close(giou(a, b), torch.cat(gious))
    torch.testing.assert_close(1 - giou(a, b), ops.generalized_box_iou_loss(*corners), atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(pairwise_iou(a[:90], b[:70]), ops.box_iou(corners[0][:90], corners[1][:70]))


def test_equal_to_exact_fractions() -> None:
    a, b = pairs(1)
    exact = [exactly(one, other) for one, other in zip(a.tolist(), b.tolist(), strict=True)]
    wanted = torch.tensor([[float(one), float(other)] for one, other in exact], dtype=torch.float64)
    torch.testing.assert_close(iou(a, b), wanted[:, 0])
    torch.testing.assert_close(giou(a, b), wanted[:, 1])
    torch.testing.assert_close(iou(a.float(), b.float()).double(), wanted[:, 0], atol=2e-6, rtol=2e-5)
    assert (wanted[:, 0] == 0).any(), "some pairs must lie apart"
    assert (wanted[:, 0] > 0.5).any()


def test_equal_to_counted_pixels() -> None:
    a, b = pairs(2, 2000, whole=True)
    places = torch.arange(24) + 0.5

    def painted(boxes: torch.Tensor) -> torch.Tensor:
        left, top, right, bottom = xywh_to_xyxy(boxes)[:, :, None].unbind(1)
        across, down = (places > left) & (places < right), (places > top) & (places < bottom)
        return down[:, :, None] & across[:, None, :]

    one, other = painted(a), painted(b)
    both, either = (one & other).sum((1, 2)), (one | other).sum((1, 2))
    torch.testing.assert_close(iou(a, b), both / either.double())


@pytest.mark.parametrize(
    ("a", "b", "shares"),
    [
        ([1, 1, 4, 4], [1, 1, 4, 4], (1, 1)),  # the same
        ([0, 0, 4, 4], [1, 1, 2, 2], (1 / 4, 1 / 4)),  # nested
        ([0, 0, 2, 2], [2, 0, 2, 2], (0, 0)),  # touching with a side: nothing empty around them
        ([0, 0, 2, 2], [2, 2, 2, 2], (0, -1 / 2)),  # touching with a corner
        ([0, 0, 1, 1], [9, 9, 1, 1], (0, -98 / 100)),  # apart both ways: no two negatives make an overlap
        ([0, 0, 4, 4], [1, 1, 0, 2], (0, 0)),  # an empty one inside
        ([1, 1, 0, 0], [1, 1, 0, 0], (0, 0)),  # twice the same point
        ([1, 1, 0, 5], [3, 1, 0, 5], (0, -1)),  # two lines: all between them is empty
        ([1, 1, 0, 5], [1, 9, 0, 5], (0, 0)),  # on one line: around them is no area
        ([5, 5, -3, -3], [1, 1, 4, 4], (0, 0)),  # two negative sides make no area: a point at the corner
        ([5, 1, -3, 4], [1, 1, 4, 4], (0, 0)),
    ],
)
def test_odd_pairs_are_as_documented(a: list[float], b: list[float], shares: tuple[float, float]) -> None:
    one, other = torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32)
    for first, second in ((one, other), (other, one)):
        first = first.clone().requires_grad_()
        for function, wanted in zip((iou, giou), shares, strict=True):
            value = function(first, second)
            assert value.item() == pytest.approx(wanted)
            (gradient,) = torch.autograd.grad(value, first)
            assert gradient.isfinite().all()


def test_nan_stays_in_its_pair() -> None:
    a = torch.tensor([[0.0, 0.0, 4.0, 4.0]] * 5)
    a[range(4), range(4)] = math.nan
    a.requires_grad_()
    b = torch.tensor([1.0, 1.0, 4.0, 4.0])
    for function in (iou, giou):
        values = function(a, b)
        assert values.isnan().tolist() == [True] * 4 + [False]
        (gradient,) = torch.autograd.grad(values.sum(), a)
        assert gradient[4].isfinite().all()
        assert function(b, a.detach()).isnan().tolist() == [True] * 4 + [False]


def test_gradients_are_those_of_finite_differences() -> None:
    a, b = pairs(3, 300)
    a.requires_grad_()
    b.requires_grad_()
    for function in (iou, giou):
        assert torch.autograd.gradcheck(function, (a, b))


def test_where_the_gradient_of_the_iou_is_zero() -> None:
    truth = torch.tensor([4.0, 4.0, 4.0, 4.0])
    apart = torch.tensor([9.0, 9.0, 3.0, 3.0], requires_grad=True)
    assert torch.autograd.grad(iou(apart, truth), apart)[0].tolist() == [0, 0, 0, 0]
    assert (torch.autograd.grad(giou(apart, truth), apart)[0] != 0).all()
    holding = torch.tensor([2.0, 1.0, 9.0, 9.0], requires_grad=True)
    for function in (iou, giou):
        moved = torch.autograd.grad(function(holding, truth), holding)[0]
        assert moved[:2].tolist() == [0, 0]  # to move it changes nothing …
        assert (moved[2:] < 0).all()  # … to make it smaller helps
    touching = torch.tensor([8.0, 4.0, 4.0, 4.0], requires_grad=True)
    assert torch.autograd.grad(iou(touching, truth), touching)[0].tolist() == [0, 0, 0, 0]
    assert torch.autograd.grad(giou(touching, truth), touching)[0][0] < 0  # to the left, into the truth


side = st.one_of(st.just(0.0), st.floats(2**-20, 1e4, width=32), st.floats(-1e4, -(2**-20), width=32))
place = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)
box = st.tuples(place, place, side, side)


@given(st.lists(st.tuples(box, box), min_size=1, max_size=6))
def test_what_holds_of_any_boxes(rows: list) -> None:
    a, b = torch.tensor(rows).unbind(1)
    a.requires_grad_()
    b.requires_grad_()
    share, general = iou(a, b), giou(a, b)
    assert ((share >= 0) & (share <= 1)).all()
    assert ((general >= -1 - 1e-6) & (general <= share + 1e-6)).all()
    torch.testing.assert_close(iou(b, a), share)
    torch.testing.assert_close(giou(b, a), general)
    for value in (share, general):
        gradients = torch.autograd.grad(value.sum(), (a, b), retain_graph=True)
        assert all(gradient.isfinite().all() for gradient in gradients)


@given(st.lists(box, min_size=1, max_size=6))
def test_a_box_has_all_in_common_with_itself(rows: list) -> None:
    boxes = torch.tensor(rows)
    corners = xywh_to_xyxy(boxes)
    full = (corners[:, 2:] > corners[:, :2]).all(1).float()  # a tiny side beside a large x is rounded away
    assert torch.equal(iou(boxes, boxes), full)
    assert torch.equal(giou(boxes, boxes), full)


def test_batches_broadcast() -> None:
    a, b = pairs(4, 6)
    assert iou(a.reshape(2, 3, 4), b[:3]).shape == (2, 3)
    assert iou(a, b[0]).shape == (6,)
    assert iou(a[0], b[0]).shape == ()
    assert pairwise_iou(a.reshape(2, 3, 4), b[:5]).shape == (2, 3, 5)
    assert pairwise_iou(torch.zeros(0, 4), b.float()).shape == (0, 6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_does_not_overflow(dtype: torch.dtype) -> None:
    large = torch.tensor([0.0, 0.0, 512.0, 512.0], dtype=dtype)
    assert iou(large, large) == 1
    assert giou(large, large).dtype == torch.float32


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(3, 4\) and \(2, 4\)\. Try pairwise_iou"):
        iou(torch.zeros(3, 4), torch.zeros(2, 4))
    with pytest.raises(TypeError, match=r"Expected b as a float tensor .* Try b.float\(\)"):
        giou(torch.zeros(4), torch.zeros(4, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"Try b\[None\] for a single box"):
        pairwise_iou(torch.zeros(2, 4), torch.zeros(4))
    with pytest.raises(TypeError, match="on one device"):
        iou(torch.zeros(4), torch.zeros(4, device="meta"))
