"""A sheet of rectangles as inline SVG with two axes, and as text."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from coursekit.checking.sheets import Extent, Rectangle, Sheet
from coursekit.checking.values import number

MOST_WIDE, MOST_HIGH = 300, 240  # pixels of the drawing
LARGEST_UNIT, INDEX, EDGE = 30, 18, 22
MOST_TICKS = 12


def sheet_svg(sheet: Sheet, extent: Extent, name: str, role: str, wanted: Sheet | None = None) -> str:
    """One sheet; `wanted` are the expected answers, shown as dashes behind the learner's own."""
    left, top, right, bottom = extent
    unit = min(LARGEST_UNIT, MOST_WIDE / (right - left), MOST_HIGH / (bottom - top))
    width, height = (right - left) * unit + INDEX + EDGE, (bottom - top) * unit + INDEX + EDGE
    paper = _Paper(extent, unit)
    shown = sorted((each for each in sheet.rectangles if each.finite), key=_depth)
    ghosts = [*wanted.answers()] if wanted is not None else []
    parts = [
        *paper.axes(),
        *paper.cells(sheet),
        *(paper.rectangle(each, role) for each in shown),
        *(paper.rectangle(each, "expected") for each in ghosts),
        *(paper.name(each, shown.index(each)) for each in shown if each.label),
    ]
    told = "; ".join(sheet_lines(sheet)) + "".join(f"; expected {_said(each)}" for each in ghosts)
    return (
        f'<svg role="img" viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" '
        f'class="ck-sheet"><title>{escape(name)}</title><desc>{escape(told)}</desc>{"".join(parts)}</svg>'
    )


def sheet_lines(sheet: Sheet) -> list[str]:
    """Every rectangle in words."""
    return [_said(each) for each in sheet.rectangles if each.finite]


def _said(each: Rectangle) -> str:
    left, top, right, bottom = map(number, each.ends)
    return f"{each.label}: x {left} to {right}, y {top} to {bottom}"


def _depth(each: Rectangle) -> int:
    return ("given", "area", "answer").index(each.look)


class _Paper:
    """Where a place on the sheet lies in the drawing."""

    def __init__(self, extent: Extent, unit: float) -> None:
        self.extent, self.unit = extent, unit

    def x(self, place: float) -> float:
        return INDEX + (min(max(place, self.extent[0]), self.extent[2]) - self.extent[0]) * self.unit

    def y(self, place: float) -> float:
        return INDEX + (min(max(place, self.extent[1]), self.extent[3]) - self.extent[1]) * self.unit

    def axes(self) -> Iterator[str]:
        left, top, right, bottom = self.extent
        for place in _ticks(left, right):
            x = self.x(place)
            yield f'<path class="ck-line" d="M{x:g} {self.y(top):g}V{self.y(bottom):g}"/>'
            yield f'<text class="ck-index" x="{x:g}" y="{INDEX - 6}">{place}</text>'
        for place in _ticks(top, bottom):
            y = self.y(place)
            yield f'<path class="ck-line" d="M{self.x(left):g} {y:g}H{self.x(right):g}"/>'
            yield f'<text class="ck-index" x="{INDEX - 9}" y="{y + 3:g}">{place}</text>'
        yield f'<text class="ck-axis" x="{self.x(right) + 15:g}" y="{INDEX - 6}">x</text>'
        yield f'<text class="ck-axis" x="{INDEX - 9}" y="{self.y(bottom) + 15:g}">y</text>'

    def cells(self, sheet: Sheet) -> Iterator[str]:
        for row, cells in enumerate(sheet.cells):
            for column, marked in enumerate(cells):
                if marked:
                    yield self._box("ck-filled", (column, row, column + 1, row + 1))
        if sheet.frame is not None:
            yield self._box("ck-frame", (0, 0, sheet.frame[1], sheet.frame[0]))

    def rectangle(self, each: Rectangle, role: str) -> str:
        answer = {"expected": "ck-wanted", "yours": "ck-guilty"}.get(role, "ck-outline")
        return self._box({"area": "ck-area", "given": "ck-outline"}.get(each.look, answer), each.ends)

    def name(self, each: Rectangle, number: int) -> str:
        """Filled ones are named in the middle, outlines by turns at two corners: so names rarely collide."""
        left, top, right, bottom = each.ends
        if each.look == "area":
            x, y, anchor = self.x((left + right) / 2), self.y((top + bottom) / 2) + 4, "middle"
        elif each.look == "given" and number % 2:
            x, y, anchor = self.x(right) - 5, self.y(bottom) - 6, "end"
        else:
            x, y, anchor = self.x(left) + 5, self.y(top) + 14, "start"
        place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
        return f'<text class="ck-name" {place}>{escape(each.label)}</text>'

    def _box(self, kind: str, ends: Extent) -> str:
        x, y = self.x(ends[0]), self.y(ends[1])
        return (
            # Without a little width, SVG draws nothing of a box that has none.
            f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{max(self.x(ends[2]) - x, 0.1):g}" '
            f'height="{max(self.y(ends[3]) - y, 0.1):g}"/>'
        )


def _ticks(first: float, last: float) -> range:
    """Whole numbers along an axis, at most a dozen."""
    steps = (factor * 10**power for power in range(9) for factor in (1, 2, 5))
    step = next((step for step in steps if (last - first) / step <= MOST_TICKS), 10**9)
    return range(-(-int(first // 1) // step) * step, int(last) + 1, step)
