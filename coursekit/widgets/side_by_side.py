"""Two or more widgets in a row that wraps, readable as text where no script runs."""

from __future__ import annotations

from typing import Any

import ipywidgets


class SideBySide(ipywidgets.Box):
    """Widgets beside each other, or below each other where the page is narrow.

    Parameters
    ----------
    children : widgets
        Each keeps its own text form.
    """

    def __init__(self, *children: ipywidgets.Widget) -> None:
        columns = "repeat(auto-fit, minmax(min(100%, 340px), 1fr))"
        layout = ipywidgets.Layout(
            display="grid", grid_template_columns=columns, grid_gap="16px", width="100%"
        )
        super().__init__(children, layout=layout)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = super()._repr_mimebundle_(**options)
        bundle["text/plain"] = "\n\n".join(_text(child) for child in self.children)
        return bundle


def _text(child: ipywidgets.Widget) -> str:
    bundle = child._repr_mimebundle_()
    plain = (bundle[0] if isinstance(bundle, tuple) else bundle).get("text/plain", repr(child))
    return str(plain)
