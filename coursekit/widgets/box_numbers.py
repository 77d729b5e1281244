"""What `BoxLab` shows in Python: the four numbers that judge a box, without scripts and for the tests."""

from __future__ import annotations

from coursekit.widgets.box_inputs import Four, Size

BETA = 0.05
"""Where smooth L1 turns from a parabola into a line, as a share of the picture."""


def shares(box: Four, size: Size) -> Four:
    """A box in pixels as shares of the picture: x and w of its width, y and h of its height."""
    height, width = size
    x, y, w, h = box
    return x / width, y / height, w / width, h / height


def judged(box: Four, truth: Four, size: Size) -> dict[str, float]:
    """L2, smooth L1, IoU and GIoU of a box against the true one.

    L2 and smooth L1 are means over the four numbers, as ``torch.nn.functional`` has them, of shares of the
    picture. IoU and GIoU do not ask for a unit.

    Parameters
    ----------
    box, truth : (x, y, w, h)
        In pixels, x and y the upper left corner, w and h above 0.
    size : (height, width)
        Of the picture.

    Examples
    --------
    >>> told = judged((0, 0, 10, 10), (5, 0, 10, 10), (100, 100))
    >>> round(told["l2"], 6), round(told["iou"], 3)
    (0.000625, 0.333)
    """
    offs = [abs(mine - true) for mine, true in zip(shares(box, size), shares(truth, size), strict=True)]
    smooth = [off * off / (2 * BETA) if off < BETA else off - BETA / 2 for off in offs]
    shared, union, enclosing = areas(box, truth)
    iou = shared / union
    return {
        "l2": sum(off * off for off in offs) / 4,
        "smooth_l1": sum(smooth) / 4,
        "iou": iou,
        "giou": iou - (enclosing - union) / enclosing,
    }


def areas(box: Four, truth: Four) -> tuple[float, float, float]:
    """The areas of the overlap, of the union and of the smallest box around both."""
    (left, top, w, h), (its_left, its_top, its_w, its_h) = box, truth
    across = min(left + w, its_left + its_w) - max(left, its_left)
    down = min(top + h, its_top + its_h) - max(top, its_top)
    shared = max(0.0, across) * max(0.0, down)
    around = max(left + w, its_left + its_w) - min(left, its_left)
    high = max(top + h, its_top + its_h) - min(top, its_top)
    return shared, w * h + its_w * its_h - shared, around * high
