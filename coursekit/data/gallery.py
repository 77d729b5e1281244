"""Samples as a picture in a notebook: each image beside its mask, the box drawn, the classes named.

A class is told by its name on the picture and its place in the legend, never by colour alone.
"""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from coursekit.data.samples import Samples

_SHOWN = 8

# Okabe and Ito's colours, told apart by colour-blind eyes too; the ground stays dark.
_COLOURS = ("#2b2b2b", "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
_IGNORED = "#9a9a9a"

_STYLE = """
<style>
.ck-samples{font-family:var(--jp-ui-font-family,system-ui,sans-serif);color:var(--jp-ui-font-color1,CanvasText)}
.ck-samples ul{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.9rem;
  list-style:none;margin:.5rem 0;padding:0}
.ck-samples li{margin:0}
.ck-samples svg{width:100%;height:auto;display:block;border-radius:4px}
.ck-samples image{image-rendering:pixelated}
.ck-samples p{margin:.25rem 0;font-size:.85em}
.ck-samples .key span{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.1em;
  margin:0 .3em 0 .9em;border:1px solid var(--jp-border-color1,gray)}
.ck-samples .key span:first-child{margin-left:0}
</style>
"""


def colour_of(index: int) -> str:
    """The colour of a class, as ``#rrggbb``; they repeat after eight, and 255 (ignored) is grey."""
    return _IGNORED if index == 255 else _COLOURS[index % len(_COLOURS)]


def as_html(samples: Samples) -> str:
    """The first samples as HTML; the pictures are inline, so nothing is fetched."""
    shown = range(min(len(samples), _SHOWN))
    cards = "".join(f"<li>{_card(samples, index)}</li>" for index in shown)
    more = f", the first {len(shown)} of them" if len(samples) > len(shown) else ""
    height, width = samples.size
    title = f"{len(samples)} images of {height} × {width} pixels{more}: the image with its box, and its mask"
    return f'{_STYLE}<div class="ck-samples"><p>{title}</p>{_key(samples)}<ul>{cards}</ul></div>'


def _key(samples: Samples) -> str:
    entries = [(index, name) for index, name in enumerate(samples.classes)]
    if bool((samples.masks == samples.ignore).any()):
        entries.append((samples.ignore, "ignored"))
    marks = "".join(
        f'<span style="background:{colour_of(index)}" aria-hidden="true"></span>{html.escape(name)}'
        for index, name in entries
    )
    return f'<p class="key">{marks}</p>'


def _card(samples: Samples, index: int) -> str:
    image, mask = samples.images[index].cpu(), samples.masks[index].cpu()
    height, width = samples.size
    label = html.escape(samples.label_names[int(samples.labels[index])])
    x, y, w, h = samples.boxes[index].tolist()
    gap, line = width / 16, width / 64
    box = f'x="{x:.2f}" y="{y:.2f}" width="{w:.2f}" height="{h:.2f}" fill="none"'
    seen = ", ".join(html.escape(name) for name in _present(samples, mask)) or "nothing"
    says = f"sample {index}: box around a {label}; the mask holds {seen}"
    return (
        f'<svg viewBox="0 0 {2 * width + gap} {height}" role="img" aria-label="{says}">'
        f'<image href="{_data_uri(image)}" width="{width}" height="{height}"/>'
        f'<rect {box} stroke="#000" stroke-width="{2 * line}"/>'
        f'<rect {box} stroke="#fff" stroke-width="{line}" stroke-dasharray="{3 * line} {line}"/>'
        f'<g transform="translate({width + gap} 0)">'
        f'<image href="{_data_uri(_coloured(mask))}" width="{width}" height="{height}"/>'
        f"{_names(samples, mask)}</g></svg><p>box: {label}</p>"
    )


def _present(samples: Samples, mask: Tensor) -> list[str]:
    return [name for index, name in enumerate(samples.classes) if index and bool((mask == index).any())]


def _names(samples: Samples, mask: Tensor) -> str:
    """Each class's name on the middle one of its pixels, so that it lies on the class and not beside it."""
    texts = []
    size = mask.shape[-1] / 11
    for index, name in enumerate(samples.classes):
        cells = (mask == index).nonzero()
        if index == 0 or not len(cells):
            continue
        y, x = cells[(cells.float() - cells.float().mean(0)).square().sum(1).argmin()].tolist()
        texts.append(
            f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="middle" dominant-baseline="central" '
            f'fill="#fff" stroke="#000" stroke-width="{size / 5}" paint-order="stroke">'
            f"{html.escape(name)}</text>"
        )
    return "".join(texts)


def _coloured(mask: Tensor) -> Tensor:
    table = torch.tensor(
        [list(bytes.fromhex(colour_of(index)[1:])) for index in range(256)], dtype=torch.uint8
    )
    return table[mask.long()].permute(2, 0, 1)


def _data_uri(image: Tensor) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).contiguous().numpy()).save(stream, "PNG")
    return f"data:image/png;base64,{base64.b64encode(stream.getvalue()).decode()}"
