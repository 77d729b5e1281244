"""Images, what is true about them, and what a net says, one below the other: `result_gallery`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor

from coursekit.data.samples import IGNORE, Samples
from coursekit.data.wording import described, require_whole, sentence
from coursekit.plots.masks import (
    box_of,
    classes_in,
    colour_of,
    image_uri,
    mask_uri,
    mean_iou,
    name_tags,
)

_ABREAST = 4

_STYLE = """
<style>
.ck-results{container-type:inline-size;font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:.85rem;line-height:1.35;
  color:var(--jp-ui-font-color1,CanvasText)}
.ck-results .blocks{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,25rem),1fr));
  gap:1.2rem 2rem;margin:.6rem 0;align-items:start}
.ck-results .block{display:grid;gap:.35rem .5rem;align-items:center;
  grid-template-columns:5.2rem repeat(var(--abreast),minmax(0,7.5rem))}
.ck-results .row{font-weight:600;overflow-wrap:anywhere}
.ck-results .cell{text-align:center;min-width:0}
.ck-results svg{display:block;width:100%;height:auto;border-radius:4px}
.ck-results image{image-rendering:pixelated}
.ck-results small{display:block;font-size:.92em;font-variant-numeric:tabular-nums}
.ck-results p{margin:.25rem 0}
.ck-results .key{display:flex;flex-wrap:wrap;gap:.1rem .9rem}
.ck-results .key i{display:inline-block;width:.9em;height:.9em;border-radius:2px;vertical-align:-.1em;
  margin-right:.3em;border:1px solid var(--jp-border-color1,gray)}
@container (max-width:30rem){
.ck-results .block{grid-template-columns:repeat(var(--abreast),minmax(6.5rem,1fr));overflow-x:auto}
.ck-results .row{grid-column:1/-1;position:sticky;left:0;justify-self:start}
.ck-results .none{display:none}
}
</style>
"""


@dataclass(frozen=True, eq=False)
class ResultGallery:
    """Samples beside what nets say about them; a notebook draws it. Made by :func:`result_gallery`.

    Attributes
    ----------
    samples : Samples
        What is shown.
    predictions : dict of str to Tensor
        ``(N, H, W)`` masks under the name of who made them.
    titles : tuple of str
        One a sample, or none at all.
    boxes : bool
        Whether boxes are drawn.
    """

    samples: Samples
    predictions: dict[str, Tensor]
    titles: tuple[str, ...] = ()
    boxes: bool = False

    def ious(self) -> dict[str, list[float | None]]:
        """The mean IoU of each shown image, for each prediction; None where no pixel counts."""
        return {
            name: [mean_iou(truth, mask) for truth, mask in zip(self.samples.masks, masks, strict=True)]
            for name, masks in self.predictions.items()
        }

    def __repr__(self) -> str:
        lines = [f"Results on {len(self.samples)} images, IoU of each:"]
        lines += [f"  {name}: {' '.join(map(_shown, ious))}" for name, ious in self.ious().items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        count = len(self.samples)
        blocks = "".join(
            self._block(range(start, min(start + _ABREAST, count))) for start in range(0, count, _ABREAST)
        )
        return f'{_STYLE}<div class="ck-results">{self._key()}<div class="blocks">{blocks}</div></div>'

    def _key(self) -> str:
        entries = list(enumerate(self.samples.classes))
        if bool((self.samples.masks == IGNORE).any()):
            entries.append((IGNORE, "ignored"))
        marks = "".join(
            f'<span><i style="background:{colour_of(index)}"></i>{escape(name)}</span>'
            for index, name in entries
        )
        return f'<p class="key">{marks}</p>'

    def _block(self, columns: range) -> str:
        cells = "".join(self._rows(columns))
        abreast = min(len(self.samples), _ABREAST)  # the same in every block, for pictures of one size
        return f'<div class="block" style="--abreast:{abreast}">{cells}</div>'

    def _rows(self, columns: range) -> Iterator[str]:
        """Cells in reading order; a row begins with its name."""
        gap = '<div class="cell"></div>' * (min(len(self.samples), _ABREAST) - len(columns))
        if self.titles:
            titles = (f'<div class="cell">{escape(self.titles[at])}</div>' for at in columns)
            yield f'<div class="none"></div>{"".join(titles)}{gap}'
        yield _row("image", (self._image(at) for at in columns)) + gap
        yield _row("truth", (self._truth(at) for at in columns)) + gap
        for name, masks in self.predictions.items():
            yield _row(name, (self._prediction(name, masks, at) for at in columns)) + gap

    def _image(self, at: int) -> str:
        box = self.samples.boxes[at].tolist() if self.boxes else None
        says = f"image {at + 1}" + (", with the box to find" if box else "")
        return _picture(image_uri(self.samples.images[at]), self.samples.size, says, box=box)

    def _truth(self, at: int) -> str:
        return self._mask(self.samples.masks[at], f"truth {at + 1}")

    def _prediction(self, name: str, masks: Tensor, at: int) -> str:
        mask = masks[at]
        score = _shown(mean_iou(self.samples.masks[at], mask))
        picture = self._mask(mask, f"{name} {at + 1}", box_of(mask) if self.boxes else None)
        return f"{picture}<small>IoU {score}</small>"

    def _mask(self, mask: Tensor, what: str, box: Sequence[float] | None = None) -> str:
        holds = ", ".join(classes_in(mask, self.samples.classes)) or "only ground"
        says = f"{what}: {holds}" + (", with the box around its largest patch" if box else "")
        names = "".join(
            f'<text x="{tag.x}" y="{tag.y}" font-size="{mask.shape[-1] / 9:.2f}" text-anchor="middle" '
            f'dominant-baseline="central" fill="#fff" stroke="#000" stroke-width="{mask.shape[-1] / 45:.2f}" '
            f'paint-order="stroke">{escape(tag.name)}</text>'
            for tag in name_tags(mask, self.samples.classes)
        )
        return _picture(mask_uri(mask), self.samples.size, says, names, box)


def result_gallery(
    samples: Samples,
    predictions: Tensor | Mapping[str, Tensor],
    *,
    titles: Sequence[str] | None = None,
    boxes: bool = False,
    most: int = 8,
) -> ResultGallery:
    """Each image, its true mask and what a net says about it, with the IoU as a number.

    Parameters
    ----------
    samples : Samples
        Images with their masks.
    predictions : Tensor or mapping of str to Tensor
        Masks ``(N, H, W)`` of whole numbers, as :func:`coursekit.training.predict_masks` gives them; or
        several under the names of the nets that made them, to compare.
    titles : sequence of str, optional
        One for each sample.
    boxes : bool
        Draw the true box on each image, and on each prediction the box around its largest patch.
    most : int
        Show no more than the first so many.

    Returns
    -------
    ResultGallery

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> scenes = load_scenes(2)
    >>> result_gallery(scenes, scenes.masks)
    Results on 2 images, IoU of each:
      prediction: 1.00 1.00
    """
    if not isinstance(samples, Samples):
        raise TypeError(sentence("Samples", described(samples), "load_scenes(4)"))
    named = predictions if isinstance(predictions, Mapping) else {"prediction": predictions}
    if not named:
        raise ValueError(sentence("at least one prediction", "none", "predict_masks(net, samples)"))
    if titles is not None and (isinstance(titles, str) or len(titles) != len(samples)):
        attempt = "one title for each sample, or none"
        raise ValueError(sentence(f"{len(samples)} titles", described(titles), attempt))
    count = min(len(samples), require_whole(most, "most", 1, 1000, "most=8"))
    masks = {str(name): _checked(mask, samples, str(name))[:count] for name, mask in named.items()}
    shown = tuple(map(str, titles or ()))[:count]
    return ResultGallery(samples[:count], masks, shown, bool(boxes))


def _checked(masks: Any, samples: Samples, name: str) -> Tensor:
    expected = f"{name} as masks {tuple(samples.masks.shape)} of whole numbers"
    if not isinstance(masks, Tensor) or masks.is_floating_point() or masks.is_complex():
        raise TypeError(sentence(expected, described(masks), "predict_masks(net, samples)"))
    if masks.shape != samples.masks.shape:
        raise ValueError(
            sentence(expected, described(masks), "predict_masks(net, samples), of the same samples")
        )
    strays = masks[(masks < 0) | (masks >= len(samples.classes))]
    if len(strays):
        wanted = f"{name} with classes from 0 to {len(samples.classes) - 1}"
        raise ValueError(sentence(wanted, f"the value {int(strays[0])}", "a net for these samples' classes"))
    return masks.to(device=samples.masks.device, dtype=torch.uint8)


def _row(name: str, pictures: Iterator[str]) -> str:
    cells = "".join(f'<div class="cell">{picture}</div>' for picture in pictures)
    return f'<div class="row">{escape(name)}</div>{cells}'


def _picture(
    address: str, size: tuple[int, int], says: str, names: str = "", box: Sequence[float] | None = None
) -> str:
    height, width = size
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(says)}">'
        f'<image href="{address}" width="{width}" height="{height}"/>'
        f"{_frame(box, width / 64) if box else ''}{names}</svg>"
    )


def _frame(box: Sequence[float], line: float) -> str:
    """White dashes on black, seen on any picture."""
    x, y, width, height = box
    place = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="none"'
    dashes = f'stroke-dasharray="{3 * line:.2f} {line:.2f}"'
    return (
        f'<rect {place} stroke="#000" stroke-width="{2 * line:.2f}"/>'
        f'<rect {place} stroke="#fff" stroke-width="{line:.2f}" {dashes}/>'
    )


def _shown(iou: float | None) -> str:
    return "none" if iou is None else f"{iou:.2f}"
