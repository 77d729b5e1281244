"""`SwitchSurgery`: move the switches of a max pooling, and see what unpooling brings back."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import traitlets
from anywidget import AnyWidget

from coursekit.widgets.assets import joined
from coursekit.widgets.pictures import as_text
from coursekit.widgets.switches import (
    MOST_SHUFFLES,
    Switches,
    flat_index,
    in_place,
    mean_difference,
    place_in_block,
    pool,
    pooled_shape,
    shuffled,
    shuffled_anew,
    unpool,
)
from coursekit.widgets.values import Grid, described, grid, refusal, shape_of, whole_number

MOST_NUMBERS = 8
MOST_PICTURE = 64
_SHADES = " .:-=+*#%@"
_EXAMPLE = [[1, 3, 2, 0], [5, 2, 1, 4], [0, 1, 7, 2], [6, 2, 3, 1]]


class SwitchSurgery(AnyWidget):
    """A grid, its max pooling with switches, and what max unpooling brings back.

    A switch says where in its block the maximum stood. Choose a pooled cell with the arrow keys and move its
    switch with Shift and an arrow, or click; swap two cells' switches, shuffle all, drop them all to the
    upper left (a bed of nails), and put them back. It all happens in the browser.

    Parameters
    ----------
    x : rows of numbers (H, W), optional
        Up to 8x8, shown with its numbers; or a grey picture up to 64x64 with values from 0 to 1, shown as
        cells. A small example if left out. Rows and columns that fill no block are dropped by the pooling,
        as in ``torch.nn.functional.max_pool2d``, and stay 0 in the output, which has the size of ``x``.
    size : int
        2 to 4: the side of a block, and the step between blocks.
    title : str

    Attributes
    ----------
    switches : rows of int
        Flat indices into ``x``, one a pooled cell, as torch gives them. May be set.
    values, output : rows of numbers
        The pooled values; what unpooling brings back.
    maxima_in_place : int
        How many values stand where ``x`` has them.
    difference : float
        Mean absolute difference of ``output`` to ``x``; ``best_difference`` is that of the true switches,
        which no other switches can beat.

    Raises
    ------
    ValueError
        A grid or size out of range, or a switch outside its cell's block.

    Examples
    --------
    >>> surgery = SwitchSurgery([[1, 5], [2, 3]])
    >>> surgery.output
    [[0, 5], [0, 0]]
    >>> surgery.drop()                                    # every switch to the upper left of its block
    >>> surgery.output, surgery.maxima_in_place
    ([[5, 0], [0, 0]], 0)
    """

    _esm = joined("_grid.js", "_hearing.js", "switch_surgery.js")
    _css = joined("grid_explorer.css", "switch_surgery.css")

    x = traitlets.Any().tag(sync=True)
    size = traitlets.Any(2).tag(sync=True)
    title = traitlets.Unicode("").tag(sync=True)
    switches = traitlets.Any().tag(sync=True)
    shuffles = traitlets.Any(0).tag(sync=True)
    cell = traitlets.Any(None, allow_none=True).tag(sync=True)

    def __init__(self, x: Any = None, size: int = 2, title: str = "") -> None:
        side = whole_number(size, "size", 2, 4)
        plane = _plane(_EXAMPLE if x is None else x, side)
        super().__init__(x=plane, size=side, switches=pool(plane, side)[1], title=str(title))

    # ---- what it computes

    @property
    def values(self) -> Grid:
        """The maximum of each block."""
        return pool(self.x, self.size)[0]

    @property
    def output(self) -> Grid:
        """What max unpooling brings back with the present switches, in the shape of ``x``."""
        return unpool(self.values, self.switches, shape_of(self.x))

    @property
    def maxima_in_place(self) -> int:
        """How many values stand where ``x`` has them."""
        return in_place(self.x, self.values, self.switches)

    @property
    def difference(self) -> float:
        """Mean absolute difference of the output to ``x``."""
        return mean_difference(self.output, self.x)

    @property
    def best_difference(self) -> float:
        """The difference that remains with the true switches: what the pooling itself lost."""
        return mean_difference(unpool(*pool(self.x, self.size), shape_of(self.x)), self.x)

    # ---- surgery, as the buttons do it

    def put_back(self) -> None:
        """Every switch to where the maximum stood."""
        self.switches = pool(self.x, self.size)[1]

    def drop(self) -> None:
        """Every switch to the upper left of its block: max unpooling becomes a bed of nails."""
        self._set_places([0] * len(self._places()))

    def swap(self, one: tuple[int, int], other: tuple[int, int]) -> None:
        """Let two pooled cells, each (row, column), exchange the places that their switches name."""
        first, second = self._number(one), self._number(other)
        places = self._places()
        places[first], places[second] = places[second], places[first]
        self._set_places(places)

    def shuffle(self, seed: int | None = None) -> None:
        """Deal the places anew among all cells; another way at each call, unless a seed is given."""
        if seed is not None:
            self._set_places(shuffled(self._places(), whole_number(seed, "seed", 0, MOST_SHUFFLES)))
            return
        dealt, self.shuffles = shuffled_anew(self._places(), self.shuffles)
        self._set_places(dealt)

    def _places(self) -> list[int]:
        width = len(self.x[0])
        return [place_in_block(switch, width, self.size) for row in self.switches for switch in row]

    def _set_places(self, places: list[int]) -> None:
        rows, columns = pooled_shape(shape_of(self.x), self.size)
        width = len(self.x[0])
        self.switches = [
            [flat_index(r, c, places[r * columns + c], width, self.size) for c in range(columns)]
            for r in range(rows)
        ]

    def _number(self, at: tuple[int, int]) -> int:
        row, column = _cell(list(at), self._values()) or (0, 0)
        return row * pooled_shape(shape_of(self.x), self.size)[1] + column

    # ---- what comes back from the browser, and from Python

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what a browser sends: only switches, shuffles and the cell, all of it together or none."""
        offered = sync_data if isinstance(sync_data, dict) else {}
        wanted = {name: offered[name] for name in _FROM_BROWSER if name in offered}
        try:
            changes = {name: _CHECKS[name](value, self._values()) for name, value in wanted.items()}
        except ValueError:
            self.send_state(list(_FROM_BROWSER))
            return
        super().set_state(changes)

    @traitlets.validate("x", "size", "switches", "shuffles", "cell")
    def _checked(self, proposal: Any) -> Any:
        name = proposal["trait"].name
        try:
            return _CHECKS[name](proposal["value"], self._values())
        except ValueError as reason:
            raise traitlets.TraitError(str(reason)) from None

    @traitlets.observe("x", "size")
    def _start_again(self, change: Any) -> None:
        """Another grid or block has switches of its own."""
        if self.x and self.switches:
            self.cell = None
            self.put_back()

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("x", "size", "switches")}

    # ---- what is shown without scripts

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        data: Any = bundle[0] if isinstance(bundle, tuple) else bundle
        text = self.as_text()
        data["text/plain"] = text
        data["text/html"] = f"<pre>{html.escape(text)}</pre>"
        return bundle

    def __repr__(self) -> str:
        return f"SwitchSurgery({shape_of(self.x)}, size={self.size})"

    def as_text(self) -> str:
        """The grids and the two numbers as text; a picture in shades of characters."""
        grids = {"x": self.x, "pooled": self.values, "brought back": self.output}
        if max(shape_of(self.x)) > MOST_NUMBERS:
            drawn = "\n".join("\n".join([name, *_shades(rows)]) for name, rows in grids.items())
        else:
            drawn = as_text({**grids, "switches (flat indices into x)": self.switches})
        total = len(self._places())
        return (
            f"{self.title or 'max pooling, its switches, and max unpooling'}\n{drawn}\n"
            f"{self.maxima_in_place} of {total} maxima back in their place\n"
            f"mean difference to x: {self.difference:.4g} (at best {self.best_difference:.4g})"
        )


def _plane(value: Any, size: int) -> Grid:
    """A grid with at least one block: numbers if it is small, else a grey picture."""
    plane = grid(value, "x", sides=(size, MOST_PICTURE))
    if max(shape_of(plane)) > MOST_NUMBERS and any(not 0 <= number <= 1 for row in plane for number in row):
        expected = f"a picture with values from 0 to 1, or at most {MOST_NUMBERS} rows and columns of numbers"
        got = "{} x {} with other values".format(*shape_of(plane))
        raise ValueError(refusal(expected, got, "x / x.max(), or a part x[:8, :8]"))
    return plane


def _switches(value: Any, at: Mapping[str, Any]) -> Switches:
    """Flat indices, each inside the block of its own cell."""
    size, (height, width) = at["size"], shape_of(at["x"])
    rows = grid(value, "switches", pooled_shape((height, width), size))
    whole = [[whole_number(switch, "a switch", 0, height * width - 1) for switch in row] for row in rows]
    for r, row in enumerate(whole):
        for c, switch in enumerate(row):
            if (switch // width // size, switch % width // size) != (r, c):
                expected = f"a flat index into x inside the block of pooled cell ({r}, {c})"
                first = flat_index(r, c, 0, width, size)
                raise ValueError(refusal(expected, str(switch), f"{first}, the upper left of that block"))
    return whole


def _cell(value: Any, at: Mapping[str, Any]) -> list[int] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(refusal("a pooled cell as (row, column)", described(value), "(0, 0)"))
    rows, columns = pooled_shape(shape_of(at["x"]), at["size"])
    row = whole_number(value[0], "the cell's row", 0, rows - 1)
    return [row, whole_number(value[1], "the cell's column", 0, columns - 1)]


_FROM_BROWSER = ("switches", "shuffles", "cell")
_CHECKS: dict[str, Any] = {
    "x": lambda value, at: _plane(value, at["size"]),
    "size": lambda value, at: whole_number(value, "size", 2, min(4, *shape_of(at["x"] or [[0] * 4] * 4))),
    "switches": _switches,
    "shuffles": lambda value, at: whole_number(value, "shuffles", 0, MOST_SHUFFLES),
    "cell": _cell,
}


def _shades(picture: Grid) -> list[str]:
    return [
        "  " + "".join(2 * _SHADES[min(int(value * len(_SHADES)), len(_SHADES) - 1)] for value in row)
        for row in picture
    ]
