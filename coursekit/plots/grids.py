"""Grids of numbers as pictures in shades of grey: `grid_pictures`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import torch
from torch import Tensor

from coursekit.data.wording import described, sentence
from coursekit.plots.masks import image_uri

_MOST_NUMBERS = 12  # cells a side, beyond which numbers could not be read

_STYLE = """
<style>
.ck-grids{display:flex;flex-wrap:wrap;gap:.9rem 1.3rem;margin:.6rem 0;align-items:flex-end;
  font-family:var(--jp-ui-font-family,system-ui,sans-serif);font-size:.85rem;line-height:1.35;
  color:var(--jp-ui-font-color1,CanvasText)}
.ck-grids figure{margin:0;width:min(100%,var(--wide))}
.ck-grids figcaption{font-weight:600;min-height:1.35em}
.ck-grids svg{display:block;width:100%;height:auto;border:1px solid var(--jp-border-color1,gray)}
.ck-grids image{image-rendering:pixelated}
.ck-grids small{display:block;font-variant-numeric:tabular-nums}
</style>
"""


@dataclass(frozen=True, eq=False)
class GridPictures:
    """Grids side by side in grey, the smallest number black, the largest white; a notebook draws them.

    Attributes
    ----------
    grids : dict of str to Tensor
        ``(H, W)`` under their titles.
    alike : bool
        Whether one scale serves all of them.
    numbers : bool
        Whether small grids show their numbers.
    """

    grids: dict[str, Tensor]
    alike: bool = False
    numbers: bool = True

    def scale(self, title: str) -> tuple[float, float]:
        """The numbers that are black and white in a picture."""
        shown = list(self.grids.values()) if self.alike else [self.grids[title]]
        return min(float(grid.min()) for grid in shown), max(float(grid.max()) for grid in shown)

    def __repr__(self) -> str:
        return "\n".join(f"{title}: {self._says(title)}" for title in self.grids)

    def _repr_html_(self) -> str:
        wide = 11 if len(self.grids) > 2 else 15
        return (
            f'{_STYLE}<div class="ck-grids" style="--wide:{wide}rem">'
            f"{''.join(map(self._figure, self.grids))}</div>"
        )

    def _figure(self, title: str) -> str:
        grid = self.grids[title]
        rows, columns = grid.shape
        low, high = self.scale(title)
        grey = (grid - low) / (high - low) if high > low else torch.full_like(grid, 0.5)
        legible = self.numbers and max(rows, columns) <= _MOST_NUMBERS
        numbers = _written(grid, grey) if legible else ""
        return (
            f"<figure><figcaption>{escape(title)}</figcaption>"
            f'<svg viewBox="0 0 {columns} {rows}" role="img" '
            f'aria-label="{escape(f"{title}: {self._says(title)}")}">'
            f'<image href="{image_uri(grey.expand(3, -1, -1))}" width="{columns}" height="{rows}"/>'
            f"{numbers}</svg><small>{_key(low, high)}</small></figure>"
        )

    def _says(self, title: str) -> str:
        grid = self.grids[title]
        rows, columns = grid.shape
        return f"{rows} x {columns} cells from {_short(float(grid.min()))} to {_short(float(grid.max()))}"


def grid_pictures(grids: Mapping[str, Tensor], *, alike: bool = False, numbers: bool = True) -> GridPictures:
    """Draw grids side by side, every cell a square in grey; small grids with their numbers.

    Parameters
    ----------
    grids : mapping of str to Tensor
        Floating or whole numbers ``(H, W)`` under their titles.
    alike : bool
        True draws equal numbers in equal greys. By default each picture goes from black to white.
    numbers : bool
        False leaves the numbers out of small grids too.

    Returns
    -------
    GridPictures

    Raises
    ------
    TypeError, ValueError
        With what was expected, what came and what to try.

    Examples
    --------
    >>> grid_pictures({"a row": torch.tensor([[1.0, 2.5]])})
    a row: 1 x 2 cells from 1 to 2.5
    """
    if not isinstance(grids, Mapping) or not grids:
        expected = "a mapping of at least one title to a grid"
        raise TypeError(sentence(expected, described(grids), '{"before": x, "after": y}'))
    return GridPictures(
        {str(title): _checked(grid, str(title)) for title, grid in grids.items()}, bool(alike), bool(numbers)
    )


def _checked(grid: Any, title: str) -> Tensor:
    if not isinstance(grid, Tensor) or grid.is_complex():
        raise TypeError(sentence(f"{title!r} as a tensor (H, W)", described(grid), "torch.tensor(rows)"))
    if grid.ndim != 2 or grid.numel() == 0:
        attempt = "grid[0]" if grid.ndim > 2 else "a grid of 1x1 or more"
        raise ValueError(sentence(f"{title!r} as a tensor (H, W)", described(grid), attempt))
    if not bool(torch.isfinite(grid).all()):
        raise ValueError(sentence(f"finite numbers in {title!r}", "NaN or infinity", "torch.nan_to_num"))
    return grid.detach().cpu().double()


def _written(grid: Tensor, grey: Tensor) -> str:
    """Each cell's number, dark on light and light on dark."""
    cells = []
    for row in range(grid.shape[0]):
        for column in range(grid.shape[1]):
            text = _short(float(grid[row, column]))
            size = min(0.5, 1.5 / max(1, len(text)))
            ink = "#000" if grey[row, column] > 0.45 else "#fff"
            cells.append(
                f'<text x="{column + 0.5}" y="{row + 0.5}" font-size="{size:.2f}" text-anchor="middle" '
                f'dominant-baseline="central" fill="{ink}">{text}</text>'
            )
    return "".join(cells)


def _key(low: float, high: float) -> str:
    """What the greys mean, always two lines, so that pictures side by side stand on one line."""
    return (
        f"black: {_short(low)}<br/>white: {_short(high)}" if high > low else f"all {_short(low)}<br/>&#160;"
    )


def _short(value: float) -> str:
    return f"{round(value, 9):.3g}" if abs(value) < 1000 else f"{value:.0f}"
