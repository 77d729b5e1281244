"""The table of a bake-off as HTML: a dot for every run, so that an overlap is seen before it is read."""

from __future__ import annotations

import statistics
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.training.standings import BakeOff, Row, Standing

_WIDE, _HIGH, _EDGE = 132, 22, 8

_STYLE = """
<style>
.ck-bake{overflow-x:auto;margin:.6rem 0;font-family:var(--jp-ui-font-family,system-ui,sans-serif);
  font-size:.85rem;line-height:1.35;color:var(--jp-ui-font-color1,CanvasText)}
.ck-bake table{border-collapse:collapse;margin:.3rem 0}
.ck-bake th,.ck-bake td{padding:.15rem .6rem;text-align:right;font-variant-numeric:tabular-nums;
  white-space:nowrap}
.ck-bake th:first-child,.ck-bake td.dots{text-align:left}
.ck-bake thead th{font-weight:600;border-bottom:1px solid var(--jp-border-color1,gray)}
.ck-bake tbody tr+tr>*{border-top:1px solid var(--jp-border-color2,#8884)}
.ck-bake tbody th{font-weight:400}
.ck-bake .first{font-weight:700}
.ck-bake svg{display:block}
.ck-bake p{margin:.25rem 0;max-width:46rem}
.ck-bake small{opacity:.85;font-size:.92em}
</style>
"""


def as_html(bake: BakeOff) -> str:
    """The whole table; it scrolls sideways where the page is narrow."""
    if not bake.rows:
        return f'{_STYLE}<div class="ck-bake"><p>No net was trained to its end.</p></div>'
    edges = {each.row.method: each for each in bake.ranking("boundary_f1")}
    body = "".join(_line(bake, each, edges[each.row.method]) for each in bake.ranking())
    head = "".join(
        f'<th scope="col"{span}>{name}</th>'
        for name, span in (
            ("way up", ""), ("place", ""), ("mean IoU: each run, median", ' colspan="2"'),
            ("place", ""), ("boundary F1: each run, median", ' colspan="2"'),
            ("images/s", ""), ("learned numbers", ""),
        )
    )  # fmt: skip
    facts = "; ".join(f"{name}: {value}" for name, value in bake.facts.items())
    return (
        f'{_STYLE}<div class="ck-bake" tabindex="0" role="group" aria-label="{escape(bake.terms)}">'
        f"<p><strong>{escape(bake.terms)}</strong></p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"<p>{escape(bake.verdict())}</p>"
        f"<p><small>One class everywhere: mean IoU {bake.baseline:.3f}. {escape(facts)}</small></p></div>"
    )


def _line(bake: BakeOff, area: Standing, edge: Standing) -> str:
    row = area.row
    return (
        f'<tr><th scope="row">{escape(row.method)}</th>{_scored(bake, area, "miou")}'
        f"{_scored(bake, edge, 'boundary_f1')}"
        f"<td>{row.images_per_second:,.0f}</td><td>{row.parameters:,}</td></tr>"
    )


def _scored(bake: BakeOff, standing: Standing, by: str) -> str:
    first = ' class="first"' if standing.place == 1 else ""
    shared = "=" if standing.ties else ""
    tied = f"ties with {', '.join(standing.ties)}" if standing.ties else "no tie"
    return (
        f'<td{first} title="{escape(tied)}">{standing.place}{shared}</td>'
        f'<td class="dots">{_dots(bake, standing.row, by)}</td>'
        f"<td{first}>{standing.row.median(by):.3f}</td>"
    )


def _scale(values: list[float]) -> tuple[float, float]:
    """From the least to the greatest value; one far below all others must not squeeze them together."""
    if len(values) < 4:
        return min(values), max(values)
    first, _, third = statistics.quantiles(values, n=4)
    fence = first - 1.5 * (third - first)
    return min(value for value in values if value >= fence), max(values)


def _dot(x: float, y: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y}" r="4"/>'


def _arrow(x: float, y: float) -> str:
    """A run that lies further to the left than the picture goes."""
    return f'<path class="off" d="M{x - 6:.1f} {y}l8 -5v10z"/>'


def _dots(bake: BakeOff, row: Row, by: str) -> str:
    low, high = _scale([value for each in bake.rows for value in each.values(by)])
    room = (high - low) or 1.0
    places = [_EDGE + (max(value, low) - low) / room * (_WIDE - 2 * _EDGE) for value in row.values(by)]
    middle = _HIGH / 2
    marks = zip(places, row.values(by), strict=True)
    dots = "".join(_dot(x, middle) if value >= low else _arrow(x, middle) for x, value in marks)
    said = ", ".join(f"{value:.3f}" for value in row.values(by))
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" width="{_WIDE}" height="{_HIGH}" role="img" '
        f'aria-label="runs: {said}">'
        f'<path d="M{_EDGE} {middle}H{_WIDE - _EDGE}" stroke="currentColor" opacity=".25"/>'
        f'<path d="M{places[0]:.1f} {middle}H{places[-1]:.1f}" stroke="#0072b2" stroke-width="3"/>'
        f'<g fill="#0072b2" stroke="var(--jp-layout-color0,Canvas)" stroke-width="1">{dots}</g></svg>'
    )
