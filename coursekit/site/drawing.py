"""Draws the pictures that stand for the demos, from grids and scenes: ``python -m coursekit.site.drawing``.

Each lies on a dark ground of its own, so that one file serves light and dark pages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from coursekit.site.catalogue import demos
from coursekit.site.replays import recorded
from coursekit.site.shell import FOLDER

PICTURES = FOLDER / "pictures"
WIDTH, HEIGHT = 640, 400
GROUND, DIM, PALE, INK = "#15202b", "#2b3a48", "#e9eef2", "#15202b"
BLUE, YELLOW, GREEN, PINK, SKY, RED = "#3d9bdc", "#f0b429", "#2bb58c", "#e08fbf", "#8fcdf5", "#ff7f50"
FOUR = (RED, BLUE, YELLOW, GREEN)
Numbers = Sequence[Sequence[float]]


def main() -> None:
    """Write every picture."""
    PICTURES.mkdir(exist_ok=True)
    for name, draw in _DRAWN.items():
        (PICTURES / f"{name}.svg").write_text(draw(), encoding="utf-8")
    from coursekit.site.opening import opening_picture

    (PICTURES / "opening.svg").write_text(opening_picture(), encoding="utf-8")
    assert {demo.picture for demo in demos()} <= {each.name for each in PICTURES.iterdir()}


def svg(*parts: str, width: int = WIDTH, height: int = HEIGHT, ground: str = GROUND) -> str:
    """A whole picture."""
    back = f'<rect width="{width}" height="{height}" fill="{ground}"/>' if ground else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui, sans-serif">{back}{"".join(parts)}</svg>\n'
    )


def _cell(
    x: float, y: float, side: float, fill: str, text: object = "", ink: str = INK, opacity: float = 1
) -> str:
    box = (
        f'<rect x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" rx="{side * 0.13:.3g}" fill="{fill}" '
        f'opacity="{opacity:g}"/>'
    )
    return box + (_text(x + side / 2, y + side / 2, text, side * 0.44, ink) if text != "" else "")


def _text(
    x: float, y: float, text: object, size: float, fill: str = PALE, anchor: str = "middle", weight: int = 650
) -> str:
    return (
        f'<text x="{x:g}" y="{y + size * 0.35:g}" font-size="{size:g}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(str(text))}</text>'
    )


def _line(points: Sequence[tuple[float, float]], stroke: str, wide: float = 5, more: str = "") -> str:
    told = " ".join(f"{x:.5g},{y:.5g}" for x, y in points)
    return (
        f'<polyline points="{told}" fill="none" stroke="{stroke}" stroke-width="{wide:g}" '
        f'stroke-linecap="round" stroke-linejoin="round" {more}/>'
    )


def _arrow(x: float, y: float, to_x: float, to_y: float, stroke: str, wide: float = 6) -> str:
    angle, head = math.atan2(to_y - y, to_x - x), 3.1 * wide
    wings = [
        (to_x - head * math.cos(angle + turn), to_y - head * math.sin(angle + turn)) for turn in (-0.5, 0.5)
    ]
    return _line([(x, y), (to_x, to_y)], stroke, wide) + _line(
        [wings[0], (to_x, to_y), wings[1]], stroke, wide
    )


def _stamps() -> tuple[list[list[float]], list[list[list[int]]]]:
    """The canvas of [[1, 2], [3, 4]] with a 3x3 kernel of ones and stride 2, and who stamped each cell."""
    canvas = [[0.0] * 5 for _ in range(5)]
    stamped: list[list[list[int]]] = [[[] for _ in range(5)] for _ in range(5)]
    for at, value in enumerate((1, 2, 3, 4)):
        for u in range(3):
            for v in range(3):
                row, column = 2 * (at // 2) + u, 2 * (at % 2) + v
                canvas[row][column] += value
                stamped[row][column].append(at)
    return canvas, stamped


def _grid_explorer() -> str:
    canvas, stamped = _stamps()
    parts = [_cell(62 + 76 * (i % 2), 128 + 76 * (i // 2), 68, FOUR[i], i + 1) for i in range(4)]
    parts.append(_arrow(232, 200, 282, 200, PALE))
    x0, y0, side, gap = 316, 60, 50, 6
    for r in range(5):
        for c in range(5):
            x, y = x0 + c * (side + gap), y0 + r * (side + gap)
            for slice_, who in enumerate(stamped[r][c]):
                part = side / len(stamped[r][c])
                rounded = 6 if len(stamped[r][c]) == 1 else 2
                parts.append(
                    f'<rect x="{x + slice_ * part:.4g}" y="{y}" width="{part:.4g}" height="{side}" '
                    f'rx="{rounded}" fill="{FOUR[who]}"/>'
                )
            parts.append(_text(x + side / 2, y + side / 2, int(canvas[r][c]), 23, INK))
    start = x0 + side + gap - 5, y0 + side + gap - 5
    wide = 4 * side + 3 * gap + 10
    parts.append(
        f'<rect x="{start[0]}" y="{start[1]}" width="{wide}" height="{wide}" rx="11" fill="none" '
        'stroke="#fff" stroke-width="5"/>'
    )
    return svg(*parts)


def _checkerboards() -> str:
    def board(x: float, seats: Sequence[float]) -> list[str]:
        greys = [f"rgb({v},{v},{v})" for v in (int(60 + 185 * seat) for seat in seats)]
        return [
            _cell(x + 40 * c, 60 + 40 * r, 38, greys[2 * (r % 2) + c % 2]) for r in range(6) for c in range(6)
        ]

    uneven, even = (0.25, 0.5, 0.5, 1.0), (0.55,) * 4
    words = [_text(176, 342, "kernel 3, stride 2", 24), _text(466, 342, "kernel 4, stride 2", 24)]
    return svg(*board(56, uneven), *board(346, even), *words)


def _switch_surgery() -> str:
    grid = [[1, 3, 2, 0], [5, 2, 1, 4], [0, 1, 7, 2], [6, 2, 3, 1]]
    parts = []
    for r, row in enumerate(grid):
        for c, value in enumerate(row):
            block = 2 * (r // 2) + c // 2
            inside = [grid[2 * (r // 2) + a][2 * (c // 2) + b] for a in (0, 1) for b in (0, 1)]
            top = value == max(inside)
            x, y = 52 + 60 * c + 10 * (c // 2), 76 + 60 * r + 10 * (r // 2)
            parts.append(_cell(x, y, 54, FOUR[block] if top else DIM, value, INK if top else "#9fb0bf"))
    parts.append(_arrow(326, 200, 372, 200, PALE))
    for block, value in enumerate((5, 4, 6, 7)):
        parts.append(_cell(410 + 96 * (block % 2), 108 + 96 * (block // 2), 86, FOUR[block], value))
    return svg(*parts)


def _mask_lab() -> str:
    def blob(grow: float) -> str:
        turns = [index / 48 * 2 * math.pi for index in range(48)]
        at = [(1 + 0.16 * math.sin(3 * t + 0.6) + 0.07 * math.sin(5 * t)) for t in turns]
        return " ".join(
            f"{264 + (118 * r + grow) * math.cos(t):.4g},{204 + (118 * r + grow) * math.sin(t):.4g}"
            for t, r in zip(turns, at, strict=True)
        )

    bars = [("0.98", 0.98, SKY), ("0.79", 0.79, GREEN), ("0.31", 0.31, YELLOW)]
    meters = "".join(
        f'<rect x="452" y="{118 + 68 * i}" width="132" height="14" rx="7" fill="{DIM}"/>'
        f'<rect x="452" y="{118 + 68 * i}" width="{132 * share:.4g}" height="14" rx="7" fill="{colour}"/>'
        + _text(452, 98 + 68 * i, text, 25, PALE, "start")
        for i, (text, share, colour) in enumerate(bars)
    )
    brush = (
        '<circle cx="376" cy="128" r="26" fill="none" stroke="#fff" stroke-width="5"/>'
        '<circle cx="376" cy="128" r="4" fill="#fff"/>'
    )
    return svg(
        f'<polygon points="{blob(16)}" fill="{BLUE}"/><polygon points="{blob(0)}" fill="none" stroke="#fff" '
        f'stroke-width="4" stroke-dasharray="10 8"/>{brush}{meters}'
    )


def _box_lab() -> str:
    thing = f'<circle cx="252" cy="196" r="86" fill="{YELLOW}"/>'
    true = (
        '<rect x="160" y="104" width="184" height="184" rx="4" fill="none" stroke="#fff" '
        'stroke-width="5" stroke-dasharray="13 9"/>'
    )
    mine = (
        f'<rect x="286" y="166" width="236" height="158" rx="4" fill="{SKY}" fill-opacity="0.16" '
        f'stroke="{SKY}" stroke-width="6"/>'
    )
    arrows = [
        _arrow(286, 245, 214, 245, RED),
        _arrow(522, 245, 424, 245, RED),
        _arrow(404, 166, 404, 118, RED),
    ]
    return svg(thing, mine, true, *arrows)


def _training_board() -> str:
    axis = _line([(64, 62), (64, 228), (360, 228)], "#51667a", 4)
    fall = [
        (64 + 292 * t / 40, 72 + 142 * (1 - math.exp(-t / 9)) - 7 * math.sin(t * 1.9) * math.exp(-t / 14))
        for t in range(41)
    ]
    parts = [axis, _line(fall, SKY, 6)]
    for index, cells in enumerate((4, 8, 20)):
        parts.append(_rounder(76 + 176 * index, 262, 104, cells))
    reached = recorded()["board"]["frames"][-1]["now"]["miou"]
    parts.append(_text(494, 112, f"{reached:.2f}", 66))
    parts.append(_text(494, 168, "mean IoU", 25, "#b9c6d2", weight=500))
    return svg(*parts)


def _rounder(x: float, y: float, side: float, cells: int) -> str:
    """A disc in so many cells a side, each row of them as one piece."""
    step = side / cells
    parts = [f'<rect x="{x}" y="{y}" width="{side}" height="{side}" rx="8" fill="{DIM}"/>']
    for r in range(cells):
        inside = [
            c for c in range(cells) if math.hypot((c + 0.5) / cells - 0.5, (r + 0.5) / cells - 0.5) < 0.45
        ]
        if inside:
            left, wide = x + inside[0] * step, len(inside) * step
            parts.append(
                f'<rect x="{left:.5g}" y="{y + r * step:.5g}" width="{wide:.4g}" height="{step + 0.3:.4g}" '
                f'fill="{GREEN}"/>'
            )
    return "".join(parts)


def _tug() -> str:
    origin = (132, 314)
    one, other = (292, 0), (66, -206)
    total = (one[0] + other[0], one[1] + other[1])
    corner = (origin[0] + total[0], origin[1] + total[1])
    faint = [
        _line([(origin[0] + part[0], origin[1] + part[1]), corner], "#5a6f83", 4, 'stroke-dasharray="3 11"')
        for part in (one, other)
    ]
    arrows = [
        _arrow(*origin, origin[0] + one[0], origin[1] + one[1], BLUE, 9),
        _arrow(*origin, origin[0] + other[0], origin[1] + other[1], RED, 9),
        _arrow(*origin, *corner, PALE, 9),
    ]
    words = [
        _text(446, 318, "class", 27, BLUE, "start"),
        _text(178, 76, "box", 27, RED, "end"),
        _text(512, 104, "sum", 27, PALE, "start"),
    ]
    dot = f'<circle cx="{origin[0]}" cy="{origin[1]}" r="11" fill="{PALE}"/>'
    return svg(*faint, *arrows, dot, *words)


def _guess_first() -> str:
    parts = []
    for index, (letter, wide) in enumerate((("A", 210), ("B", 292), ("C", 168))):
        y, chosen = 66 + 94 * index, index == 1
        edge, fill = (SKY, "#1d3950") if chosen else ("#42566a", "#1b2935")
        parts.append(
            f'<rect x="96" y="{y}" width="448" height="76" rx="16" fill="{fill}" stroke="{edge}" '
            f'stroke-width="{5 if chosen else 3}"/>'
        )
        parts.append(f'<circle cx="138" cy="{y + 38}" r="14" fill="none" stroke="{edge}" stroke-width="4"/>')
        if chosen:
            parts.append(f'<circle cx="138" cy="{y + 38}" r="7" fill="{SKY}"/>')
        parts.append(_text(180, y + 38, letter, 28, PALE if chosen else "#9fb0bf"))
        parts.append(
            f'<rect x="210" y="{y + 30}" width="{wide}" height="16" rx="8" '
            f'fill="{SKY if chosen else "#42566a"}"/>'
        )
    return svg(*parts)


def _progress_map() -> str:
    stops = [(78, 300), (166, 226), (256, 282), (346, 192), (436, 246), (560, 116)]
    parts = [_line(stops[:4], GREEN, 9), _line(stops[3:], "#42566a", 9, 'stroke-dasharray="2 17"')]
    for index, (x, y) in enumerate(stops):
        done = index < 3
        fill = GREEN if done else YELLOW if index == 3 else "#1b2935"
        edge = fill if index <= 3 else "#5a6f83"
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="{33 if index < 5 else 40}" fill="{fill}" stroke="{edge}" '
            'stroke-width="6"/>'
        )
        if done:
            parts.append(_line([(x - 12, y + 1), (x - 3, y + 11), (x + 14, y - 11)], INK, 7))
        else:
            parts.append(_text(x, y, index, 28, INK if index == 3 else "#9fb0bf"))
    return svg(*parts)


_DRAWN = {
    "grid-explorer": _grid_explorer,
    "checkerboards": _checkerboards,
    "switch-surgery": _switch_surgery,
    "mask-lab": _mask_lab,
    "box-lab": _box_lab,
    "training-board": _training_board,
    "tug": _tug,
    "guess-first": _guess_first,
    "progress-map": _progress_map,
}


if __name__ == "__main__":
    main()
