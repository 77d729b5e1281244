"""`BoxLab`: drag a box over a picture, and watch four judges of it push."""

from __future__ import annotations

import html
from typing import Any

import torch
import traitlets
from anywidget import AnyWidget
from torch import Tensor

from coursekit.data.wording import described, sentence
from coursekit.plots.masks import image_uri
from coursekit.widgets.assets import joined
from coursekit.widgets.box_inputs import Four, Framed, as_box
from coursekit.widgets.box_numbers import BETA, judged
from coursekit.widgets.box_tasks import RULES, tasks_for

LOSSES = {"l2": "L2", "smooth_l1": "smooth L1", "iou": "IoU", "giou": "GIoU"}
_FROM_BROWSER = ("now", "held", "arrows", "reached")


class BoxLab(AnyWidget):
    """A picture with its true box and one to drag: L2, smooth L1, IoU, GIoU and their gradients, live.

    Drag the box, its corners, or a new one beside it; or with the keys: arrows move it, Shift and an arrow
    changes its size, [ and ] the step, K keeps the box to compare with, 1 to 4 choose whose arrows are drawn.
    An arrow is one step of gradient descent on the four numbers, drawn to scale: where each side of the box,
    and its centre, would go. It all happens in the browser.

    Parameters
    ----------
    image : Tensor (3, H, W), array (H, W, 3), or Samples, optional
        uint8, 16 to 4,096 pixels a side. A scene with one object when left out.
    truth : (x, y, w, h), optional
        The true box in pixels of the picture; x and y are the upper left corner. Left out with ``Samples``.
    box : (x, y, w, h), optional
        The box to begin with; one that overlaps the true one in part when left out.
    tasks : bool or list of str
        Small tasks, ticked off once reached: all, none, or some of ``"same-l2"``, ``"order"``, ``"apart"``
        and ``"nested"``.
    arrows : {"l2", "smooth_l1", "iou", "giou"}
        Whose push is drawn at first.
    index : int
        Which of the ``Samples``.
    title : str

    Attributes
    ----------
    box : Tensor
        ``(4,)`` float32, the box as it stands now. May be set.
    truth : Tensor
        ``(4,)`` float32.
    kept : Tensor or None
        The box that was kept to compare with.
    scores : dict of str to float
        ``l2`` and ``smooth_l1`` (beta 0.05), both means over the four numbers as shares of the picture's
        width and height, ``iou`` and ``giou``.
    reached : list of str
        The names of the tasks that were reached.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> import torch
    >>> picture = torch.zeros(3, 100, 100, dtype=torch.uint8)
    >>> lab = BoxLab(picture, truth=(40, 40, 20, 20), box=(50, 40, 20, 20))
    >>> round(lab.scores["iou"], 3), round(lab.scores["l2"], 4)     # a third; (10 / 100)**2 / 4
    (0.333, 0.0025)
    """

    _esm = joined("_grid.js", "_hearing.js", "_svg.js", "box_numbers.js", "box_lab.js")
    _css = joined("grid_explorer.css", "box_lab.css")

    size = traitlets.Any().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Any().tag(sync=True)
    start = traitlets.Any().tag(sync=True)
    rules = traitlets.Any().tag(sync=True)
    tasks = traitlets.Any().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    now = traitlets.Any().tag(sync=True)
    held = traitlets.Any(None, allow_none=True).tag(sync=True)
    arrows = traitlets.Any("l2").tag(sync=True)
    reached = traitlets.Any([]).tag(sync=True)

    def __init__(
        self,
        image: Any = None,
        truth: Any = None,
        box: Any = None,
        tasks: Any = True,
        *,
        arrows: Any = "l2",
        index: int = 0,
        title: str = "",
    ) -> None:
        self._given = given = Framed.of(image, truth, box, index)
        chosen = _as_loss(arrows)
        super().__init__(
            size=list(given.size),
            picture=image_uri(given.image),
            answer=list(given.truth),
            start=list(given.box),
            rules={"beta": BETA, **RULES},
            tasks=tasks_for(tasks),
            title=str(title),
            now=list(given.box),
            arrows=chosen,
        )

    # ---- the boxes

    @property
    def box(self) -> Tensor:
        """The box as it stands now, ``(4,)`` float32, in pixels."""
        return torch.tensor(self.now)

    @box.setter
    def box(self, box: Any) -> None:
        self.now = list(as_box(box, "box", self._given.size))

    @property
    def truth(self) -> Tensor:
        """The true box, ``(4,)`` float32, in pixels."""
        return torch.tensor(self._given.truth)

    @property
    def kept(self) -> Tensor | None:
        """The box kept to compare with, ``(4,)`` float32, or None."""
        return None if self.held is None else torch.tensor(self.held)

    @property
    def scores(self) -> dict[str, float]:
        """L2, smooth L1, IoU and GIoU of the box as it stands now."""
        return judged(_four(self.now), self._given.truth, self._given.size)

    # ---- what comes back from the browser

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends: the two boxes, whose arrows, the tasks reached; all of it or nothing."""
        offered = sync_data if isinstance(sync_data, dict) else {}
        changes = {name: offered[name] for name in _FROM_BROWSER if name in offered}
        try:
            checked = {name: self._accepted(name, value) for name, value in changes.items()}
        except (TypeError, ValueError):
            self.send_state(list(_FROM_BROWSER))
            return
        super().set_state(checked)

    @traitlets.validate(*_FROM_BROWSER)
    def _checked(self, proposal: Any) -> Any:
        try:
            return self._accepted(proposal["trait"].name, proposal["value"])
        except (TypeError, ValueError) as reason:
            raise traitlets.TraitError(str(reason)) from None

    def _accepted(self, name: str, value: Any) -> Any:
        if name == "arrows":
            return _as_loss(value)
        if name != "reached":
            nothing = name == "held" and value is None
            return None if nothing else list(as_box(value, "box", self._given.size))
        known = [task["name"] for task in self.tasks]
        listed = isinstance(value, list) and len(value) <= len(known)
        if not listed or not all(isinstance(one, str) and one in known for one in value):
            raise ValueError(sentence("some of the tasks' names", described(value), "lab.reached = []"))
        return [one for one in known if one in value]

    # ---- what is shown without scripts

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data: Any = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = self.as_text()
        data["text/html"] = self.as_html()
        return bundle

    def __repr__(self) -> str:
        return f"BoxLab(truth {_spelled(self._given.truth)}, box {_spelled(self.now)})"

    def as_text(self) -> str:
        """Both boxes, the four numbers, the tasks."""
        scores = self.scores
        return "\n".join([
            self.title or "A box on a picture, and four judges of it",
            "{} x {} pixels".format(*self._given.size),
            f"true box  {_spelled(self._given.truth)}",
            f"your box  {_spelled(self.now)}",
            *(f"{label:<9} {scores[name]:.4f}" for name, label in LOSSES.items()),
            *(f"to try: {task['text']}" for task in self.tasks),
        ])  # fmt: skip

    def as_html(self) -> str:
        """The picture with both boxes, over the text."""
        height, width = self._given.size
        boxes = "".join(
            _frame(box, dashes) for box, dashes in ((self._given.truth, "6 4"), (self.now, "none"))
        )
        says = 'role="img" aria-label="the picture; the true box dashed, your box solid"'
        drawn = (
            f'<svg viewBox="0 0 {width} {height}" {says} style="width:22em;height:auto">'
            f'<image href="{self.picture}" width="{width}" height="{height}"/>{boxes}</svg>'
        )
        return f"<div>{drawn}</div><pre>{html.escape(self.as_text())}</pre>"


def _as_loss(value: Any) -> str:
    if not isinstance(value, str) or value not in LOSSES:
        raise ValueError(sentence(f"arrows as one of {', '.join(LOSSES)}", described(value), 'arrows="iou"'))
    return value


def _four(box: Any) -> Four:
    x, y, w, h = box
    return x, y, w, h


def _spelled(box: Any) -> str:
    return "x {:g}, y {:g}, w {:g}, h {:g}".format(*box)


def _frame(box: Any, dashes: str) -> str:
    x, y, w, h = box
    place = f'x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill="none" vector-effect="non-scaling-stroke"'
    light = f'<rect {place} stroke="#fff" stroke-width="2" stroke-dasharray="{dashes}"/>'
    return f'<rect {place} stroke="#000" stroke-width="4"/>{light}'
