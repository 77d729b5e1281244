"""A picture and the square part of it that something can see: `window_pictures`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from torch import Tensor

from coursekit.data.wording import described, require_whole, sentence
from coursekit.plots.masks import image_uri

_STYLE = """
<style>
.ck-windows{display:flex;flex-wrap:wrap;gap:.7rem 1rem;margin:.6rem 0;align-items:flex-start;
  font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:.85rem;line-height:1.35;
  color:var(--jp-ui-font-color1,CanvasText)}
.ck-windows figure{margin:0;width:min(100%,9.5rem)}
.ck-windows figcaption{font-weight:600}
.ck-windows svg{display:block;width:100%;height:auto;border:1px solid var(--jp-border-color1,gray)}
.ck-windows image{image-rendering:pixelated}
.ck-windows small{display:block;font-variant-numeric:tabular-nums}
</style>
"""


@dataclass(frozen=True, eq=False)
class WindowPictures:
    """A picture once for each window, what lies outside it dark; a notebook draws them.

    Attributes
    ----------
    image : Tensor
        ``(3, H, W)``.
    at : tuple of int
        The row and column in the middle of each window.
    sides : dict of str to int
        Rows and columns of each window, under its title.
    cut : bool
        Whether only the windows are shown, enlarged.
    """

    image: Tensor
    at: tuple[int, int]
    sides: dict[str, int]
    cut: bool = False

    def part(self, title: str) -> tuple[int, int, int, int]:
        """``(x, y, width, height)`` in pixels of a window's part that lies inside the picture.

        A window of even side has one more row above its middle, and one more column on the left.
        """
        height, width = self.image.shape[-2:]
        before = self.sides[title] // 2
        top, left = (max(0, middle - before) for middle in self.at)
        bottom = min(height, self.at[0] - before + self.sides[title])
        right = min(width, self.at[1] - before + self.sides[title])
        return left, top, right - left, bottom - top

    def __repr__(self) -> str:
        row, column = self.at
        return "\n".join(
            f"{title}: {self._says(title)} around pixel [{row}, {column}]" for title in self.sides
        )

    def _repr_html_(self) -> str:
        address = image_uri(self.image)
        figures = "".join(self._figure(title, address) for title in self.sides)
        return f'{_STYLE}<div class="ck-windows">{figures}</div>'

    def _says(self, title: str) -> str:
        _, _, width, height = self.part(title)
        whole = (width, height) == (self.sides[title],) * 2
        cropped = "" if whole else f", {height} x {width} inside"
        return f"{self.sides[title]} x {self.sides[title]} pixels{cropped}"

    def _figure(self, title: str, address: str) -> str:
        height, width = self.image.shape[-2:]
        part = self.part(title)
        view = " ".join(map(str, part if self.cut else (0, 0, width, height)))
        shade = "" if self.cut else self._shade(part)
        return (
            f"<figure><figcaption>{escape(title)}</figcaption>"
            f'<svg viewBox="{view}" role="img" aria-label="{escape(f"{title}: {self._says(title)}")}">'
            f'<image href="{address}" width="{width}" height="{height}"/>{shade}</svg>'
            f"<small>{self._says(title)}</small></figure>"
        )

    def _shade(self, part: tuple[int, int, int, int]) -> str:
        """All but the window in the dark, and a white frame on black around it, seen on any picture."""
        height, width = self.image.shape[-2:]
        x, y, wide, high = part
        hole = f"M0 0H{width}V{height}H0Z M{x} {y}V{y + high}H{x + wide}V{y}Z"
        frame = f'x="{x}" y="{y}" width="{wide}" height="{high}" fill="none"'
        line = width / 80
        return (
            f'<path d="{hole}" fill="#000" fill-opacity=".62"/>'
            f'<rect {frame} stroke="#000" stroke-width="{2 * line:.2f}"/>'
            f'<rect {frame} stroke="#fff" stroke-width="{line:.2f}"/>'
        )


def window_pictures(
    image: Tensor, at: tuple[int, int], sides: Mapping[str, int], *, cut: bool = False
) -> WindowPictures:
    """Draw how much of a picture square windows of some sizes show.

    Parameters
    ----------
    image : Tensor
        ``(3, H, W)``, uint8 or float from 0 to 1.
    at : pair of int
        The row and column in the middle of each window.
    sides : mapping of str to int
        Rows and columns of each window, under its title.
    cut : bool
        True shows the window alone, enlarged; otherwise the picture, dark outside the window.

    Returns
    -------
    WindowPictures

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> import torch
    >>> window_pictures(torch.zeros(3, 16, 16), (8, 8), {"two layers": 5})
    two layers: 5 x 5 pixels around pixel [8, 8]
    """
    if not isinstance(image, Tensor) or image.ndim != 3 or image.shape[0] != 3:
        raise TypeError(sentence("image as a tensor (3, H, W)", described(image), "samples.images[0]"))
    if not isinstance(sides, Mapping) or not sides:
        raise TypeError(
            sentence("a mapping of at least one title to a side", described(sides), '{"one layer": 3}')
        )
    height, width = image.shape[-2:]
    row = require_whole(at[0], "the row in `at`", 0, height - 1, f"at=({height // 2}, {width // 2})")
    column = require_whole(at[1], "the column in `at`", 0, width - 1, f"at=({height // 2}, {width // 2})")
    checked = {str(title): _side(side, str(title)) for title, side in sides.items()}
    return WindowPictures(image, (row, column), checked, bool(cut))


def _side(side: Any, title: str) -> int:
    return require_whole(side, f"the side of {title!r}", 1, 100_000, "3")
