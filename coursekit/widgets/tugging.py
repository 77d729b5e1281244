"""`Tug`: how two losses pull on the features that they share, as the weight between them moves."""

from __future__ import annotations

import html
from math import cos, radians, sin
from typing import Any

import traitlets
from anywidget import AnyWidget

from coursekit.widgets.assets import joined
from coursekit.widgets.pulls import (
    LEAST_WEIGHT,
    MOST_WEIGHT,
    NEARLY_RIGHT,
    Pulls,
    as_looks,
    as_weight,
    told,
)


class Tug(AnyWidget):
    """Two losses' pulls on shared features and their weighted sum, drawn to scale.

    The arrows lie in the one plane that holds both gradients, so their lengths and the angle between them are
    exact, however many numbers a gradient has. Each shows minus a gradient: where that loss alone would take
    the features. Move the weight of the box loss with the slider or the arrow keys.

    Parameters
    ----------
    class_gradient, box_gradient : Tensor (N,)
        The gradient of each loss, before any weight, by the same features or weights. Finite; one that is
        zero pulls nowhere, and that is said.
    weight : float
        Of the box loss, 1e-4 to 1e4.
    angles : list of (step, degrees), optional
        The angle between the two over training, for a small chart; degrees None where one was zero.
    title : str

    Attributes
    ----------
    weight : float
        As it stands now. May be set.
    angle : float or None
        Degrees between the two gradients; None where one is zero.
    shares : (float, float)
        What of the sum's length the class loss and the weighted box loss give; they add up to 1, and one
        that is negative is pulled back.

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> import torch
    >>> tug = Tug(torch.tensor([3.0, 0.0]), torch.tensor([0.0, 1.0]), weight=3)
    >>> tug.angle, [round(share, 3) for share in tug.shares]
    (90.0, [0.5, 0.5])
    """

    _esm = joined("_grid.js", "_hearing.js", "_svg.js", "tugging.js")
    _css = joined("grid_explorer.css", "tugging.css")

    lengths = traitlets.Any().tag(sync=True)
    cosine = traitlets.Any(None, allow_none=True).tag(sync=True)
    looks = traitlets.Any([]).tag(sync=True)
    limits = traitlets.Any().tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    weight = traitlets.Any(1.0).tag(sync=True)

    def __init__(
        self,
        class_gradient: Any,
        box_gradient: Any,
        weight: Any = 1.0,
        angles: Any = None,
        *,
        title: str = "",
    ) -> None:
        self._pulls = pulls = Pulls.of(class_gradient, box_gradient)
        super().__init__(
            lengths=list(pulls.lengths),
            cosine=pulls.cosine,
            looks=[list(look) for look in as_looks(angles)],
            limits={"least": LEAST_WEIGHT, "most": MOST_WEIGHT, "right": NEARLY_RIGHT},
            title=str(title),
            weight=as_weight(weight),
        )

    @property
    def angle(self) -> float | None:
        """Degrees between the two gradients, or None where one is zero."""
        return self._pulls.angle

    @property
    def shares(self) -> tuple[float, float]:
        """What of the sum's length each loss gives at the weight as it stands; 0 and 0 where it is zero."""
        total, one, other = self._pulls.dots(self.weight)
        return (one / total, other / total) if total else (0.0, 0.0)

    # ---- what comes back from the browser

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends: only the weight."""
        if not isinstance(sync_data, dict) or "weight" not in sync_data:
            return
        try:
            weight = as_weight(sync_data["weight"])
        except (TypeError, ValueError):
            self.send_state(["weight"])
            return
        super().set_state({"weight": weight})

    @traitlets.validate("weight")
    def _checked(self, proposal: Any) -> float:
        try:
            return as_weight(proposal["value"])
        except (TypeError, ValueError) as reason:
            raise traitlets.TraitError(str(reason)) from None

    # ---- what is shown without scripts

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data: Any = bundle[0] if isinstance(bundle, tuple) else bundle
        data["text/plain"] = self.as_text()
        data["text/html"] = self.as_html()
        return bundle

    def __repr__(self) -> str:
        angle = "no angle" if self.angle is None else f"{self.angle:.1f} degrees"
        return (
            f"Tug(lengths {self.lengths[0]:.3g} and {self.lengths[1]:.3g}, {angle}, weight {self.weight:g})"
        )

    def as_text(self) -> str:
        """The lengths, the angle, the shares, and the angles over training."""
        total, _, _ = self._pulls.dots(self.weight)
        one, other = self.shares
        angle = "no angle" if self.angle is None else f"{self.angle:.1f} degrees apart"
        return "\n".join([
            self.title or "Two losses pull on the features that they share",
            f"class loss: length {self.lengths[0]:.4g}",
            f"box loss:   length {self.lengths[1]:.4g}, times the weight {self.weight:g}: "
            f"{self.weight * self.lengths[1]:.4g}",
            f"{angle}: {told(self._pulls)}",
            f"sum: length {total:.4g}, of which class {one:.0%}, box {other:.0%}",
            *(["angle over training, step: degrees"] if self.looks else []),
            *(f"{step:>8}: {'none' if one is None else f'{one:.1f}'}" for step, one in self._some_looks()),
        ])  # fmt: skip

    def _some_looks(self) -> list[list[Any]]:
        """A dozen of the looks at most, the first and the last among them."""
        count = len(self.looks)
        if count <= 12:
            return list(self.looks)
        return [self.looks[round(at * (count - 1) / 11)] for at in range(12)]

    def as_html(self) -> str:
        """The three arrows as a picture, over the text."""
        one = (self.lengths[0], 0.0)
        turn = radians(self.angle or 0.0)
        long = self.weight * self.lengths[1]
        other = (long * cos(turn), -long * sin(turn))
        total = (one[0] + other[0], one[1] + other[1])
        size = max(abs(value) for pair in (one, other, total) for value in pair) or 1.0
        lines = "".join(
            f'<path d="M0 0L{x / size:.3f} {y / size:.3f}" fill="none" stroke="currentColor" '
            f'stroke-width="{thick}" stroke-dasharray="{dash}"/>'
            for (x, y), thick, dash in ((one, 0.02, "none"), (other, 0.02, ".06 .04"), (total, 0.05, "none"))
        )
        says = "class loss solid, weighted box loss dashed, their sum thick"
        shape = 'viewBox="-1.1 -1.1 2.2 1.3" style="width:22em"'
        drawn = f'<svg {shape} role="img" aria-label="{says}">{lines}</svg>'
        return f"<div>{drawn}<p>{says}</p></div><pre>{html.escape(self.as_text())}</pre>"
