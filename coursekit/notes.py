"""Short sentences for whoever works in a notebook or a terminal."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any


class Mistake(ValueError):
    """A call that cannot be answered. A notebook shows its sentence and no stack of engine lines."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@dataclass(frozen=True)
class Note:
    """A short text that reads well in a notebook and in a terminal."""

    text: str
    code: str = ""

    def __repr__(self) -> str:
        return "\n".join(part for part in (self.text, self.code) if part)

    def _repr_html_(self) -> str:
        lines = "".join(
            f"<p style='margin:.3em 0'>{html.escape(line)}</p>" for line in self.text.splitlines()
        )
        code = (
            f"<pre style='margin:.5em 0 0;white-space:pre-wrap'>{html.escape(self.code)}</pre>"
            if self.code
            else ""
        )
        return (
            "<div style='border-left:4px solid var(--jp-info-color1,#1976d2);padding:.4em .9em;"
            "max-width:46em;background:var(--jp-layout-color1,#fff);color:var(--jp-ui-font-color1,#222);"
            f"font-family:var(--jp-content-font-family,sans-serif)'>{lines}{code}</div>"
        )


def show(thing: Any) -> None:
    """Display in a notebook, print elsewhere."""
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        print(repr(thing))
    else:
        display(thing)
