"""Pictures of grids, and of what a net says about samples.

The names load when first touched, so that asking for one does not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in _LIES_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LIES_IN[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
