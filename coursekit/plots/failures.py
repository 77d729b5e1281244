"""The worst cases of a net, cause by cause: image, truth, prediction, and which pixels are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import torch
from torch import Tensor

from coursekit.data.samples import Samples
from coursekit.plots.masks import colour_of, image_uri, mask_uri

Box = tuple[int, int, int, int]
Cases = Sequence[tuple[int, str, Box]]

_MISSED, _INVENTED = (255, 255, 255), (213, 94, 0)  # no class has these

_STYLE = """
<style>
.ck-failures{container-type:inline-size;font-family:var(--jp-ui-font-family,system-ui,sans-serif);
  font-size:.85rem;
  line-height:1.35;color:var(--jp-ui-font-color1,CanvasText)}
.ck-failures table{border-collapse:collapse;margin:.4rem 0;display:block;overflow-x:auto}
.ck-failures th,.ck-failures td{padding:.15rem .6rem .15rem 0;text-align:right;
  font-variant-numeric:tabular-nums}
.ck-failures th:first-child,.ck-failures td:last-child,.ck-failures th:last-child{text-align:left}
.ck-failures thead th{border-bottom:1px solid var(--jp-border-color1,gray)}
.ck-failures h4{margin:.9rem 0 .2rem;font-size:1em}
.ck-failures h4 span{font-weight:400}
.ck-failures .cases{display:grid;gap:.6rem 1.6rem;
  grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr))}
.ck-failures figure{margin:0;min-width:0}
.ck-failures .four{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.35rem;max-width:30rem}
.ck-failures .four div{text-align:center;font-size:.92em}
.ck-failures svg{display:block;width:100%;height:auto;border-radius:4px}
.ck-failures image{image-rendering:pixelated}
.ck-failures p{margin:.25rem 0}
@container (max-width:44rem){.ck-failures td:last-child,.ck-failures th:last-child{display:none}}
.ck-failures .key{display:flex;flex-wrap:wrap;gap:.1rem .9rem}
.ck-failures .key i{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.1em;
  margin-right:.3em;border:1px solid var(--jp-border-color1,gray)}
</style>
"""


def failure_pictures(
    samples: Samples,
    predictions: Tensor,
    title: str,
    table: Sequence[Sequence[str]],
    groups: Mapping[str, Cases],
) -> str:
    """HTML of a table and of cases under their causes.

    Parameters
    ----------
    samples : Samples
        Images with their true masks.
    predictions : Tensor
        ``(N, H, W)`` what a net said.
    title : str
        A sentence above all.
    table : sequence of rows
        The first row is the head; of every other row the first cell names a cause, the last its rule.
    groups : mapping of str to cases
        For each cause ``(image, caption, box)`` of what to show.
    """
    head, *rows = table
    rules = {row[0]: row[-1] for row in rows}
    parts = [f'{_STYLE}<div class="ck-failures"><p><strong>{escape(title)}</strong></p>', _table(head, rows)]
    parts.append(_key(samples))
    for cause, cases in groups.items():
        drawn = "".join(_case(samples, predictions, *case) for case in cases)
        rule = escape(rules.get(cause, ""))
        parts.append(f'<h4>{escape(cause)} <span>– {rule}</span></h4><div class="cases">{drawn}</div>')
    return "".join([*parts, "</div>"])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _key(samples: Samples) -> str:
    entries = [(colour_of(index), name) for index, name in enumerate(samples.classes)]
    if bool((samples.masks == samples.ignore).any()):
        entries.append((colour_of(samples.ignore), "ignored"))
    entries += [(_hex(_MISSED), "wrong: missed"), (_hex(_INVENTED), "wrong: invented (background in truth)")]
    marks = "".join(
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for colour, name in entries
    )
    return f'<p class="key">{marks}</p>'


def _case(samples: Samples, predictions: Tensor, image: int, caption: str, box: Box) -> str:
    truth, said = samples.masks[image], predictions[image]
    pictures = {
        "image": image_uri(samples.images[image]),
        "truth": mask_uri(truth),
        "prediction": mask_uri(said),
        "wrong": image_uri(wrong_pixels(samples.images[image], truth, said, samples.ignore)),
    }
    cells = "".join(
        f"<div>{_picture(uri, samples.size, f'{name}: {caption}', box)}{name}</div>"
        for name, uri in pictures.items()
    )
    return f'<figure><div class="four">{cells}</div><figcaption>{escape(caption)}</figcaption></figure>'


def wrong_pixels(image: Tensor, truth: Tensor, said: Tensor, ignore: int = 255) -> Tensor:
    """The image, grey and dark, with the missed pixels white and the invented ones red.

    Parameters
    ----------
    image : Tensor
        ``(3, H, W)`` uint8.
    truth, said : Tensor
        ``(H, W)`` classes; pixels whose truth is `ignore` are never wrong.
    """
    shown = (image.float().mean(0, keepdim=True) * 0.35).expand(3, -1, -1).round().to(torch.uint8).clone()
    wrong = (truth != said) & (truth != ignore)
    for where, colour in ((wrong & (truth != 0), _MISSED), (wrong & (truth == 0), _INVENTED)):
        shown[:, where] = torch.tensor(colour, dtype=torch.uint8)[:, None]
    return shown


def _picture(uri: str, size: tuple[int, int], says: str, box: Box) -> str:
    height, width = size
    line = width / 64
    x, y, wide, high = box
    place = (
        f'x="{x - line:.2f}" y="{y - line:.2f}" width="{wide + 2 * line:.2f}" height="{high + 2 * line:.2f}"'
    )
    dashes = f'stroke-dasharray="{3 * line:.1f} {1.5 * line:.1f}"'
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(says)}">'
        f'<image href="{uri}" width="{width}" height="{height}"/>'
        f'<rect {place} fill="none" stroke="#000" stroke-width="{1.6 * line:.2f}"/>'
        f'<rect {place} fill="none" stroke="#fff" stroke-width="{0.8 * line:.2f}" {dashes}/></svg>'
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in colour)
