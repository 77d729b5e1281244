"""`MaskLab`: paint a mask on a picture, and watch the scores disagree."""

from __future__ import annotations

import html
from typing import Any

import traitlets
from anywidget import AnyWidget
from torch import Tensor

from coursekit.data.wording import described, sentence
from coursekit.plots.masks import image_uri, mask_uri
from coursekit.training.boundaries import BAND, TOLERANCE
from coursekit.training.scoring import Scores
from coursekit.widgets.assets import joined
from coursekit.widgets.mask_inputs import Pictured, as_painted, decoded, encoded
from coursekit.widgets.mask_starts import LABELS, starts_of
from coursekit.widgets.mask_tasks import SCORES, characters, scored, tasks_for

_FROM_BROWSER = ("painted", "reached")


class MaskLab(AnyWidget):
    """A picture to paint a mask on, with pixel accuracy, mean IoU and two boundary scores, live.

    Paint with the pointer, or with the keys: arrows move the brush, Space paints, Enter holds the pen down,
    digits choose the class, [ and ] the brush, E erases, F fills, Shift and an arrow moves the whole mask.
    Every score shows the counts that it is made of. It all happens in the browser.

    Parameters
    ----------
    image : Tensor (3, H, W), array (H, W, 3), or Samples
        uint8, 16 pixels a side or more. One whose longer side has more than 160 is made smaller: the image
        by the mean over each new pixel, the mask by its nearest pixel, and all is scored at that size.
    mask : Tensor or array (H, W)
        The true class of every pixel, 0 the background, 255 ignored. Left out with ``Samples``.
    classes : row of str, optional
        Names, background first; 2 to 21 of them.
    guess : Tensor or array (H, W), optional
        A net's predicted mask, to start from.
    start : {"empty", "truth", "grown", "shifted", "blocks", "guess"} or a mask (H, W)
        What is painted at first.
    tasks : bool or list of str
        Small tasks, ticked off once reached: those built in that this picture allows, none, or your own,
        such as ``["miou > 0.8, boundary_f1 < 0.6"]``. ``"by hand, miou > 0.9"`` has to begin empty.
    index : int
        Which of the ``Samples``.
    title : str

    Attributes
    ----------
    mask : Tensor
        ``(H, W)`` uint8, what is painted now. May be set.
    truth : Tensor
        ``(H, W)`` uint8, 255 ignored.
    scores : Scores
        As :func:`coursekit.training.evaluate` scores a net that answers with this mask.
    reached : list of str
        The conditions of the tasks that were reached.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> lab = MaskLab(load_scenes(1, objects=1, radius=(0.06, 0.07)))
    >>> lab.scores.pixel_accuracy > 0.98, lab.scores.miou < 0.5      # nothing is painted yet
    (True, True)
    """

    _esm = joined("_grid.js", "_hearing.js", "mask_scores.js", "mask_lab.js")
    _css = joined("grid_explorer.css", "mask_lab.css")

    shape = traitlets.Any().tag(sync=True)
    original = traitlets.Any().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    answer = traitlets.Unicode().tag(sync=True)
    classes = traitlets.Any().tag(sync=True)
    starts = traitlets.Any().tag(sync=True)
    tasks = traitlets.Any().tag(sync=True)
    rules = traitlets.Any().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    painted = traitlets.Any("").tag(sync=True)
    reached = traitlets.Any([]).tag(sync=True)

    def __init__(
        self,
        image: Any,
        mask: Any = None,
        *,
        classes: Any = None,
        guess: Any = None,
        start: Any = "empty",
        tasks: Any = True,
        index: int = 0,
        title: str = "",
    ) -> None:
        self._given = given = Pictured.of(image, mask, classes, guess, index)
        self._starts = starts_of(given)
        first = self._first(start)
        super().__init__(
            shape=list(given.truth.shape),
            original=list(given.original),
            picture=encoded(given.image.permute(1, 2, 0)),
            answer=encoded(given.truth),
            classes=list(given.classes),
            starts=[
                {"name": name, "label": LABELS[name], "mask": encoded(one)}
                for name, one in self._starts.items()
            ],
            tasks=tasks_for(tasks, given),
            rules={"tolerance": TOLERANCE, "band": BAND},
            title=str(title),
            painted=encoded(first),
        )

    def _first(self, start: Any) -> Tensor:
        if not isinstance(start, str):
            return self._own(start)
        if start not in self._starts:
            attempt = "guess=a predicted mask (H, W)" if start == "guess" else 'start="empty"'
            expected = f"start as one of {', '.join(self._starts)}, or a mask"
            raise ValueError(sentence(expected, described(start), attempt))
        return self._starts[start]

    def _own(self, mask: Any) -> Tensor:
        height, width = self._given.truth.shape
        return as_painted(mask, self._given.classes, (height, width))

    # ---- what is painted

    @property
    def mask(self) -> Tensor:
        """What is painted now, ``(H, W)`` uint8."""
        return decoded(self.painted, *self._size())

    @mask.setter
    def mask(self, mask: Any) -> None:
        self.painted = encoded(self._own(mask))

    @property
    def truth(self) -> Tensor:
        """The true mask, ``(H, W)`` uint8, 255 ignored, as small as it is shown."""
        return self._given.truth.clone()

    @property
    def scores(self) -> Scores:
        """The course's own scores of what is painted."""
        return scored(self.mask, self._given)

    def start_from(self, start: Any) -> None:
        """Paint what one of the starts, or a mask of yours, has."""
        self.painted = encoded(self._first(start))

    def _size(self) -> tuple[tuple[int, int], int]:
        height, width = self._given.truth.shape
        return (height, width), len(self._given.classes)

    # ---- what comes back from the browser

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends: only the painted mask and the tasks reached, all of it or nothing."""
        offered = sync_data if isinstance(sync_data, dict) else {}
        changes = {name: offered[name] for name in _FROM_BROWSER if name in offered}
        try:
            checked = {name: self._accepted(name, value) for name, value in changes.items()}
        except ValueError:
            self.send_state(list(_FROM_BROWSER))
            return
        super().set_state(checked)

    @traitlets.validate("painted", "reached")
    def _checked(self, proposal: Any) -> Any:
        try:
            return self._accepted(proposal["trait"].name, proposal["value"])
        except ValueError as reason:
            raise traitlets.TraitError(str(reason)) from None

    def _accepted(self, name: str, value: Any) -> Any:
        if name == "painted":
            decoded(value, *self._size())
            return value
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
        height, width = self._given.truth.shape
        return f"MaskLab({height} x {width}, classes {', '.join(self._given.classes)})"

    def as_text(self) -> str:
        """The true and the painted mask in characters, and the scores."""
        maps = [characters(self._given.truth), characters(self.mask)]
        width = len(maps[0][0])
        rows = ["  ".join(row) for row in zip(*maps, strict=True)]
        legend = ", ".join(f"{number} {name}" for number, name in enumerate(self._given.classes))
        scores = self.scores
        told = [f"{name} {getattr(scores, key):.3f}" for key, name in SCORES.items()]
        return "\n".join([
            self.title or "A mask painted on a picture, and its scores",
            f"{'true mask':<{width}}  painted mask",
            *rows,
            f"classes: {legend}; a point is background, ? is ignored",
            *told,
            *(f"to try: {task['text']}" for task in self.tasks),
        ])  # fmt: skip

    def as_html(self) -> str:
        """The picture, the true and the painted mask as inline pictures, over the text."""
        shown = {
            "the picture": image_uri(self._given.image),
            "the true mask": mask_uri(self._given.truth),
            "the painted mask": mask_uri(self.mask),
        }
        style = "width:11em;height:auto;image-rendering:pixelated;margin:0 .5em .5em 0"
        figures = "".join(f'<img src="{uri}" alt="{name}" style="{style}">' for name, uri in shown.items())
        return f"<div>{figures}</div><pre>{html.escape(self.as_text())}</pre>"
