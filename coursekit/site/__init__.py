"""Static pages: every demo, and each lesson to be read, with no kernel and no network.

Names load on first use, so that a page without nets does not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.site.building import build as build
    from coursekit.site.catalogue import Demo as Demo
    from coursekit.site.catalogue import demos as demos
    from coursekit.site.demo_pages import demo_page as demo_page
    from coursekit.site.lesson_pages import lesson_page as lesson_page

_LIES_IN = {
    "Demo": "catalogue",
    "build": "building",
    "demo_page": "demo_pages",
    "demos": "catalogue",
    "lesson_page": "lesson_pages",
}

__all__ = ["Demo", "build", "demo_page", "demos", "lesson_page"]

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
