"""Pictures of grids, and of what a net says about samples.

The names load when first touched, so that asking for one does not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.plots.failures import failure_pictures
    from coursekit.plots.galleries import ResultGallery, result_gallery
    from coursekit.plots.grids import GridPictures, grid_pictures
    from coursekit.plots.windows import WindowPictures, window_pictures

__all__ = [
    "GridPictures",
    "ResultGallery",
    "WindowPictures",
    "failure_pictures",
    "grid_pictures",
    "result_gallery",
    "window_pictures",
]

_LIES_IN = {
    "GridPictures": "grids",
    "ResultGallery": "galleries",
    "WindowPictures": "windows",
    "failure_pictures": "failures",
    "grid_pictures": "grids",
    "result_gallery": "galleries",
    "window_pictures": "windows",
}

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
