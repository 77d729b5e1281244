"""The tasks of `BoxLab`: boxes on which the losses disagree, and places where IoU's gradient is zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coursekit.data.wording import described, sentence

Task = dict[str, str]

RULES = {"same": 0.02, "apart": 0.2, "better": 0.8, "worse": 0.1}
"""Two L2 are the same up to this share; two IoU differ by this; a smaller L2; a clearly smaller IoU."""

TASKS = {
    "same-l2": (
        f"Keep a box. Then find another with the same L2 (within {100 * RULES['same']:g} %), "
        f"and an IoU at least {RULES['apart']:g} away.",
        "L2 adds up four squares and cannot tell which number is off: a shift costs overlap on both sides, "
        "a wrong size only once.",
    ),
    "order": (
        "Keep a box. Then find one that L2 calls clearly better "
        f"(at most {RULES['better']:g} times as much) and IoU clearly worse (by {RULES['worse']:g}).",
        "So a net trained on L2 may prefer the box with the smaller IoU.",
    ),
    "apart": (
        "Find a place, not on the true box, where all four numbers of IoU's gradient are zero.",
        "Apart there is no overlap, and a small step makes none: IoU says 0 and not where to go. "
        "GIoU still pulls, by the box around both.",
    ),
    "nested": (
        "Find a place where the boxes overlap and moving your box changes IoU by nothing, "
        "though its size still does.",
        "One box reaches beyond the other at both ends, so the overlap keeps its size wherever your box "
        "stands. The box around both stays the same too: GIoU does not help. L2 does.",
    ),
}


def tasks_for(wanted: Any) -> list[Task]:
    """The tasks that are asked for.

    Parameters
    ----------
    wanted : bool or list of str
        All, none, or some of ``same-l2``, ``order``, ``apart``, ``nested``.
    """
    if wanted is True:
        wanted = list(TASKS)
    if wanted is False or wanted is None:
        return []
    expected = f"tasks=True, False, or a list of {', '.join(TASKS)}"
    if isinstance(wanted, str) or not isinstance(wanted, Sequence):
        raise TypeError(sentence(expected, described(wanted), "tasks=['apart']"))
    for name in wanted:
        if not isinstance(name, str) or name not in TASKS:
            raise ValueError(sentence(expected, described(name), "tasks=['apart']"))
    return [{"name": name, "text": TASKS[name][0], "why": TASKS[name][1]} for name in TASKS if name in wanted]
