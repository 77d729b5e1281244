"""Lesson 08's references against the course's boxes and torchvision, and its mistakes as people type them."""

from __future__ import annotations

import pytest
import torch
from torchvision import ops

from coursekit.boxes import box_from_mask as course_box
from coursekit.boxes import giou, iou, normalize, xywh_to_xyxy
from coursekit.checking import check, function_from
from coursekit.exercises import find_exercise
from coursekit.exercises.where_is_it import box_corners, box_from_mask, box_giou, box_iou, box_shares

seeds = pytest.mark.parametrize("seed", range(30))


def two_boxes(seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    places = torch.rand(2, 2, generator=generator) * 8
    return tuple(torch.cat([places, torch.rand(2, 2, generator=generator) * 6 + 0.1], dim=1))


@seeds
def test_scores_are_the_courses_and_torchvisions(seed: int) -> None:
    a, b = two_boxes(seed)
    one, other = xywh_to_xyxy(a)[None], xywh_to_xyxy(b)[None]
    torch.testing.assert_close(torch.as_tensor(box_iou(a, b)), iou(a, b))
    torch.testing.assert_close(torch.as_tensor(box_iou(a, b)), ops.box_iou(one, other)[0, 0])
    torch.testing.assert_close(torch.as_tensor(box_giou(a, b)), giou(a, b))
    torch.testing.assert_close(
        torch.as_tensor(box_giou(a, b)), ops.generalized_box_iou(one, other)[0, 0], atol=1e-5, rtol=1e-5
    )


@seeds
def test_formats_are_the_courses(seed: int) -> None:
    a, _ = two_boxes(seed)
    assert torch.equal(box_corners(a), xywh_to_xyxy(a))
    assert torch.equal(box_shares(a, (7, 11)), normalize(a, (7, 11)))
    generator = torch.Generator().manual_seed(seed)
    mask = torch.randint(0, 9, (5, 7), generator=generator)
    c = int(mask[2, 3])
    assert torch.equal(box_from_mask(mask, c).float(), course_box(mask == c))


IOU = """
def box_iou(a, b):
    ax, ay, aw, ah = a
    bx, by, bw, bh = b
"""

TYPED = {
    ("box-from-mask", "one-short"): """
def box_from_mask(mask, c):
    rows, columns = torch.where(mask == c)
    x, y = columns.min(), rows.min()
    return torch.tensor([x, y, columns.max() - x, rows.max() - y])
""",
    ("box-from-mask", "last-for-size"): """
def box_from_mask(mask, c):
    cells = (mask == c).nonzero()
    y, x = cells.min(0).values
    bottom, right = cells.max(0).values
    return torch.stack([x, y, right, bottom])
""",
    ("box-from-mask", "rows-for-x"): """
def box_from_mask(mask, c):
    x, y = torch.where(mask == c)
    return torch.tensor([x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1])
""",
    ("box-from-mask", "any-class"): """
def box_from_mask(mask, c):
    rows, columns = torch.where(mask > 0)
    x, y = columns.min(), rows.min()
    return torch.tensor([x, y, columns.max() - x + 1, rows.max() - y + 1])
""",
    ("box-corners", "centre-for-corner"): """
def box_corners(box):
    x, y, w, h = box.tolist()
    return torch.tensor([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
""",
    ("box-corners", "one-short"): """
def box_corners(box):
    x, y, w, h = box
    return torch.tensor([x, y, x + w - 1, y + h - 1])
""",
    ("box-shares", "swapped"): """
def box_shares(box, size):
    W, H = size
    x, y, w, h = box
    return torch.stack([x / W, y / H, w / W, h / H])
""",
    ("box-shares", "whole"): """
def box_shares(box, size):
    H, W = size
    return torch.tensor([v // s for v, s in zip(box.tolist(), (W, H, W, H))])
""",
    ("box-iou", "no-clamp"): IOU
    + """
    across = min(ax + aw, bx + bw) - max(ax, bx)
    down = min(ay + ah, by + bh) - max(ay, by)
    overlap = across * down
    return overlap / (aw * ah + bw * bh - overlap)
""",
    ("box-iou", "clamped-late"): IOU
    + """
    overlap = (min(ax + aw, bx + bw) - max(ax, bx)) * (min(ay + ah, by + bh) - max(ay, by))
    overlap = max(0, overlap)
    return overlap / (aw * ah + bw * bh - overlap)
""",
    ("box-iou", "plain-sum"): IOU
    + """
    across = max(0, min(ax + aw, bx + bw) - max(ax, bx))
    down = max(0, min(ay + ah, by + bh) - max(ay, by))
    return across * down / (aw * ah + bw * bh)
""",
    ("box-iou", "sizes-for-corners"): """
def box_iou(a, b):
    left, top, right, bottom = a.tolist()
    l, t, r, b = b.tolist()
    overlap = max(0, min(right, r) - max(left, l)) * max(0, min(bottom, b) - max(top, t))
    union = (right - left) * (bottom - top) + (r - l) * (b - t) - overlap
    return overlap / union if union else float("nan")
""",
    ("box-iou", "ends-at-sizes"): IOU
    + """
    overlap = max(0, min(aw, bw) - max(ax, bx)) * max(0, min(ah, bh) - max(ay, by))
    return overlap / (aw * ah + bw * bh - overlap)
""",
    ("box-iou", "centre-for-corner"): IOU
    + """
    across = max(0, min(ax + aw / 2, bx + bw / 2) - max(ax - aw / 2, bx - bw / 2))
    down = max(0, min(ay + ah / 2, by + bh / 2) - max(ay - ah / 2, by - bh / 2))
    return across * down / (aw * ah + bw * bh - across * down)
""",
    ("box-giou", "by-union"): """
def box_giou(a, b):
    first, last = torch.maximum(a[:2], b[:2]), torch.minimum(a[:2] + a[2:], b[:2] + b[2:])
    overlap = (last - first).clamp(min=0).prod()
    union = a[2:].prod() + b[2:].prod() - overlap
    hull = (torch.maximum(a[:2] + a[2:], b[:2] + b[2:]) - torch.minimum(a[:2], b[:2])).prod()
    return overlap / union - (hull - union) / union
""",
}


@pytest.mark.parametrize(("names", "source"), TYPED.items(), ids=[":".join(names) for names in TYPED])
def test_a_mistake_as_people_type_it_is_named(names: tuple[str, str], source: str) -> None:
    exercise = find_exercise(names[0])
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.fraction < 1
    assert verdict.diagnosis is not None, verdict
    assert verdict.diagnosis.id == names[1], verdict


RIGHT_IN_OTHER_WORDS = {
    "box-from-mask": """
def box_from_mask(mask, c):
    rows, columns = torch.where(mask == c)
    x, y = int(columns.min()), int(rows.min())
    return torch.tensor([x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1])
""",
    "box-corners": """
def box_corners(box):
    return torch.cat([box[:2], box[:2] + box[2:]])
""",
    "box-shares": """
def box_shares(box, size):
    H, W = size
    x, y, w, h = box
    return torch.tensor([x / W, y / H, w / W, h / H])
""",
    "box-iou": IOU
    + """
    if ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay:
        return 0
    overlap = (min(ax + aw, bx + bw) - max(ax, bx)) * (min(ay + ah, by + bh) - max(ay, by))
    return overlap / (aw * ah + bw * bh - overlap)
""",
    "box-giou": """
def box_giou(a, b):
    ax, ay, aw, ah = a.tolist()
    bx, by, bw, bh = b.tolist()
    overlap = max(0, min(ax + aw, bx + bw) - max(ax, bx)) * max(0, min(ay + ah, by + bh) - max(ay, by))
    union = aw * ah + bw * bh - overlap
    around = (max(ax + aw, bx + bw) - min(ax, bx)) * (max(ay + ah, by + bh) - min(ay, by))
    return overlap / union - 1 + union / around
""",
}


@pytest.mark.parametrize(("id", "source"), RIGHT_IN_OTHER_WORDS.items(), ids=list(RIGHT_IN_OTHER_WORDS))
def test_a_right_answer_in_other_words_passes(id: str, source: str) -> None:
    exercise = find_exercise(id)
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.state == "right", verdict


def test_a_failing_box_is_drawn_as_a_box() -> None:
    verdict = check(find_exercise("box-corners"), lambda box: box.clone())
    html = verdict._repr_html_()
    assert "yours, drawn" in html
    assert html.count('class="ck-sheet"') == 2
