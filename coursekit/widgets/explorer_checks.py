"""What each trait of the explorer may hold. Every check returns a clean value or raises ValueError."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coursekit.widgets.pictures import State, atlas, what_it_takes
from coursekit.widgets.values import Grid, described, grid, refusal, whole_number

SETTINGS = ("stride", "padding", "output_padding")
GRIDS = ("input", "kernel", "canvas", "output", "matrix", "seat")
PANELS = ("canvas", "matrix", "meter")
MOST_SIDE = 16
MOST_ROWS = 1600  # of a matrix, which has a row for every output cell


def method(value: Any, offered: Sequence[str]) -> str:
    """One of the methods on offer."""
    if not isinstance(value, str) or value not in offered:
        expected = f"a method out of {', '.join(offered)}"
        raise ValueError(refusal(expected, described(value), f"method={offered[0]!r}"))
    return value


def methods(value: Sequence[str] | None, first: Any) -> list[str]:
    """The methods on offer, the one shown among them."""
    known = list(atlas()["methods"])
    method(first, known)
    chosen = known if value is None else [method(one, known) for one in value]
    return chosen if first in chosen else [first, *chosen]


def settings(value: Any) -> dict[str, int]:
    """Stride, padding and output padding within the ranges of the table."""
    if not isinstance(value, dict) or set(value) != set(SETTINGS):
        attempt = "settings={**explorer.settings, 'stride': 2}"
        raise ValueError(refusal(f"settings with {', '.join(SETTINGS)}", described(value), attempt))
    ranges = atlas()["ranges"]
    return {name: whole_number(value[name], name, *ranges[name]) for name in SETTINGS}


def panels(value: Any) -> list[str]:
    """Names of panels."""
    if isinstance(value, str) or any(panel not in PANELS for panel in value):
        raise ValueError(refusal(f"panels out of {PANELS}", repr(value)[:60], 'panels=("canvas",)'))
    return list(value)


def cell(value: Any) -> list[Any] | None:
    """A grid's name, a row and a column; or None."""
    if value is None:
        return None
    if not isinstance(value, list | tuple) or len(value) != 3 or value[0] not in GRIDS:
        expected = f"cell as (grid, row, column), the grid out of {', '.join(GRIDS)}"
        raise ValueError(refusal(expected, described(value), 'cell=("output", 0, 0)'))
    sides = (MOST_ROWS if value[0] == "matrix" else MOST_SIDE, MOST_SIDE)
    places = zip(value[1:], sides, strict=True)
    return [value[0], *(whole_number(place, "a cell's place", 0, side - 1) for place, side in places)]


def _x(value: Any, at: Mapping[str, Any]) -> Grid:
    learned = at["learned"]
    if not learned:
        tiles = at["settings"]["stride"] if what_it_takes(at["method"]) == "tiles" else 1
        return grid(value, "x", (at["base"][0] * tiles, at["base"][1] * tiles))
    plane = grid(value, "x", tuple(learned["inShape"]))
    if learned["kind"] == "local" and plane != at["x"]:
        expected = "the values that the function was probed at, since it is not linear"
        raise ValueError(refusal(expected, "others", "explore(f, x) with them"))
    return plane


def _kernel(value: Any, at: Mapping[str, Any]) -> Grid:
    if at["learned"]:
        return grid(value, "kernel", tuple(at["learned"]["kernelShape"] or (1, 1)))
    return grid(value, "kernel", sides=(1, 5))


def _switches(value: Any, at: Mapping[str, Any]) -> Grid:
    if at["learned"]:
        return [[0]]
    most = at["settings"]["stride"] ** 2 - 1
    rows = grid(value, "switches", tuple(at["base"]))
    return [[whole_number(place, "a switch", 0, most) for place in row] for row in rows]


def _window(value: Any, at: Mapping[str, Any]) -> list[int] | None:
    if value is None or at["learned"] or at["method"] != "transposed_conv":
        return None
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(refusal("window as (row, column)", described(value), "window=(0, 0)"))
    names = ("method", "settings", "base", "x", "kernel", "switches")
    state = State(**{name: at[name] for name in names})
    if state.problem:
        return None
    bottom, right = state.window_limits()
    row = whole_number(value[0], "the window's row", 0, bottom)
    return [row, whole_number(value[1], "the window's column", 0, right)]


def _step(value: Any, at: Mapping[str, Any]) -> int | None:
    return None if value is None else whole_number(value, "step", 0, len(at["x"]) * len(at["x"][0]))


# In this order: each check may use the clean values of those before it.
CHECKS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "method": lambda value, at: method(value, at["methods"] or [at["method"]]),
    "settings": lambda value, at: settings(value),
    "x": _x,
    "kernel": _kernel,
    "switches": _switches,
    "window": _window,
    "step": _step,
    "cell": lambda value, at: cell(value),
}


def cleaned(wanted: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """All of a browser's changes, each valid beside the others.

    Parameters
    ----------
    wanted : mapping
        Trait names and what was sent; names that may not be edited are left out.
    current : mapping
        Every trait as it is.

    Raises
    ------
    ValueError
        One of them is not valid, or what was not sent no longer fits.
    """
    at = {**current, **{name: wanted[name] for name in CHECKS if name in wanted}}
    own = current["x"] if current["learned"] else None
    for name, check in CHECKS.items():
        at[name] = check(at[name], {**at, "x": own} if own is not None and name == "x" else at)
    return {name: at[name] for name in CHECKS if name in wanted}
