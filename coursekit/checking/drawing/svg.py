"""Panels as inline SVG inside a little HTML, coloured by Jupyter's theme."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from coursekit.checking.drawing.panels import Cell, Panel, Plane, in_rows
from coursekit.checking.drawing.sheet import sheet_svg
from coursekit.checking.sheets import Sheet

SIDE = 34  # pixels of a cell
INDEX = 15  # room for the row and column numbers


def panels_html(panels: Sequence[Panel]) -> str:
    """The panels in two rows that wrap on a narrow page."""
    rows = "".join(f'<div class="ck-row">{"".join(map(_panel, row))}</div>' for row in in_rows(panels))
    return f'<div class="ck-figure">{rows}</div>'


def _panel(panel: Panel) -> str:
    if panel.sheet is not None:
        return _sheet(panel, panel.sheet)
    if not panel.planes:
        mark = '<span class="ck-cross" aria-hidden="true">✗</span> ' if panel.guilty else ""
        wrong = " ck-off" if panel.guilty else ""
        equals = '<span class="ck-eq">=</span>' if panel.role == "given" else ""
        return (
            f'<div class="ck-panel ck-{panel.role}"><span class="ck-scalar{wrong}">'
            f'<span class="ck-label">{escape(panel.label)}</span>{equals}'
            f'<span class="ck-value">{mark}{escape(panel.text)}</span></span></div>'
        )
    drawings = "".join(_plane(plane, panel) for plane in panel.planes)
    more = f'<span class="ck-more">… and {panel.more} more</span>' if panel.more else ""
    return (
        f'<figure class="ck-panel ck-{panel.role}"><figcaption>'
        f'<span class="ck-label">{escape(panel.label)}</span> '
        f'<span class="ck-size">{escape(panel.size)}</span></figcaption>'
        f'<div class="ck-planes">{drawings}{more}</div></figure>'
    )


def _sheet(panel: Panel, sheet: Sheet) -> str:
    drawing = sheet_svg(sheet, panel.extent, panel.label, panel.role, panel.wanted)
    return (
        f'<figure class="ck-panel ck-{panel.role}"><figcaption>'
        f'<span class="ck-label">{escape(panel.label)}</span></figcaption>{drawing}</figure>'
    )


def _plane(plane: Plane, panel: Panel) -> str:
    numbered = panel.role != "given"
    left = top = INDEX if numbered else 1
    widths = _widths(plane)
    ends = [left + sum(widths[:index]) for index in range(len(widths) + 1)]
    width, height = ends[-1] + 2, top + SIDE * len(plane.cells) + 2
    parts = [
        _cell(cell, ends[j], top + SIDE * i, widths[j])
        for i, row in enumerate(plane.cells)
        for j, cell in enumerate(row)
    ]
    marks = [
        _mark(ends[j], top + SIDE * i, widths[j], panel.role)
        for i, row in enumerate(plane.cells)
        for j, cell in enumerate(row)
        if cell.guilty
    ]
    numbers = _indices(plane, ends, widths, top) if numbered else ""
    name = f"{panel.label} {plane.label}".strip()
    caption = f'<span class="ck-plane-label">{escape(plane.label)}</span>' if plane.label else ""
    return (
        f'<div class="ck-plane"><svg role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}">'
        f"<title>{escape(name)}, {panel.size}</title><desc>{escape(_told(plane))}</desc>"
        f"{''.join(parts)}{numbers}{''.join(marks)}</svg>{caption}</div>"
    )


def _widths(plane: Plane) -> list[int]:
    columns = zip(*plane.cells, strict=True)
    longest = max(len(cell.text) for row in plane.cells for cell in row)
    even = max(SIDE, 9 * longest + 12)
    return [22 if all(cell.gap for cell in column) else even for column in columns]


def _cell(cell: Cell, x: int, y: int, width: int) -> str:
    kind = "ck-gap" if cell.gap else "ck-cell"
    bold = " ck-guilty-number" if cell.guilty else ""
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{SIDE}"/>'
        f'<text class="ck-number{bold}" x="{x + width / 2:g}" y="{y + SIDE / 2 + 5:g}">'
        f"{escape(cell.text.replace('-', '−'))}</text>"
    )


def _mark(x: int, y: int, width: int, role: str) -> str:
    """Outline a guilty cell; in the learner's own result a cross in the corner says so without colour."""
    box = f'x="{x + 1}" y="{y + 1}" width="{width - 2}" height="{SIDE - 2}" rx="3"'
    if role != "yours":
        return f'<rect class="ck-wanted" {box}/>'
    a, b = x + width - 10, y + 4
    return f'<rect class="ck-guilty" {box}/><path class="ck-guilty-cross" d="M{a} {b}l6 6m0 -6l-6 6"/>'


def _indices(plane: Plane, ends: list[int], widths: list[int], top: int) -> str:
    across = "".join(
        f'<text class="ck-index" x="{ends[j] + widths[j] / 2:g}" y="{top - 5}">{column}</text>'
        for j, column in enumerate(plane.columns)
        if column is not None
    )
    down = "".join(
        f'<text class="ck-index" x="{ends[0] - 8}" y="{top + SIDE * i + SIDE / 2 + 4:g}">{row}</text>'
        for i, row in enumerate(plane.rows)
        if row is not None and not plane.flat
    )
    return across + down


def _told(plane: Plane) -> str:
    """A plane in words, row by row, for a screen reader."""
    rows = (
        f"row {index}: " + ", ".join(cell.text + (" (differs)" if cell.guilty else "") for cell in row)
        for index, row in zip(plane.rows, plane.cells, strict=True)
        if index is not None
    )
    return "; ".join(rows)
