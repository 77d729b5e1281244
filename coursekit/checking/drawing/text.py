"""Panels as aligned text for a terminal; guilty cells stand in square brackets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from coursekit.checking.drawing.panels import Panel, Plane, in_rows
from coursekit.checking.drawing.sheet import sheet_lines

WIDEST = 100  # characters before panels go below one another


def panels_text(panels: Sequence[Panel]) -> str:
    """What is given above, the answers below, side by side where they fit."""
    return "\n\n".join(_side_by_side([_block(panel) for panel in row]) for row in in_rows(panels))


def _block(panel: Panel) -> list[str]:
    if panel.sheet is not None:
        return [panel.label, *(f"  {line}" for line in sheet_lines(panel.sheet))]
    if not panel.planes:
        mark = "✗ " if panel.guilty else ""
        return [f"{panel.label} = {mark}{panel.text}"]
    lines = [f"{panel.label}  {panel.size}"]
    planes = [_plane(plane) for plane in panel.planes]
    lines += _side_by_side(planes).split("\n")
    return [*lines, f"… and {panel.more} more"] if panel.more else lines


def _plane(plane: Plane) -> list[str]:
    width = max(len(cell.text) for row in plane.cells for cell in row)
    lines = [plane.label] if plane.label else []
    for row in plane.cells:
        edged = (("[", "]") if cell.guilty else (" ", " ") for cell in row)
        lines.append(
            "".join(
                f"{left}{cell.text:>{width}}{right}" for cell, (left, right) in zip(row, edged, strict=True)
            )
        )
    return lines


def _side_by_side(blocks: Sequence[list[str]]) -> str:
    rows: list[list[list[str]]] = [[]]
    for block in blocks:
        if rows[-1] and sum(_width(one) + 4 for one in [*rows[-1], block]) > WIDEST:
            rows.append([])
        rows[-1].append(block)
    return "\n".join(line for row in rows for line in _joined(row))


def _joined(blocks: Sequence[list[str]]) -> list[str]:
    widths = [_width(block) for block in blocks]
    lines = itertools.zip_longest(*blocks, fillvalue="")
    return [
        "    ".join(f"{part:<{w}}" for part, w in zip(line, widths, strict=True)).rstrip() for line in lines
    ]


def _width(block: list[str]) -> int:
    return max(map(len, block), default=0)
