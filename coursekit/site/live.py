"""Widgets as a page without a kernel needs them: script, style and state, each once, as plain data."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ipywidgets import Widget

_JUPYTERS_OWN = {"layout", "tabbable", "tooltip", "comm"}
LONG_FALLBACK = 4_000  # characters: beyond it, plain text has to do where no script runs
LONG_VALUE = 400  # characters: from here a value that several widgets share is stored once


@dataclass(frozen=True)
class Live:
    """One widget's state, taken in Python.

    Attributes
    ----------
    kind : str
        The widget's class.
    state : dict
        What its script reads, as JSON has it.
    fallback : str
        HTML for a reader without scripts.
    key : str
        Two views of one widget have the same key, and share what a visitor does.
    """

    kind: str
    state: dict[str, Any]
    fallback: str
    key: str

    @classmethod
    def of(cls, widget: Widget) -> Live:
        """Take a widget's state.

        Examples
        --------
        >>> from coursekit.widgets import GridExplorer
        >>> live = Live.of(GridExplorer("nearest"))
        >>> live.kind, live.state["x"]
        ('GridExplorer', [[1, 2], [3, 4]])
        """
        state = json.loads(json.dumps(widget.get_state(sorted(traits_of(type(widget)))), allow_nan=False))
        return cls(type(widget).__name__, state, _fallback(widget), widget.model_id)

    def as_plain(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return vars(self).copy()


def traits_of(kind: type[Widget]) -> set[str]:
    """The names in the state of a widget's class, less those that only Jupyter reads."""
    return {name for name in kind.class_traits(sync=True) if not name.startswith("_")} - _JUPYTERS_OWN


def _fallback(widget: Widget) -> str:
    bundle = widget._repr_mimebundle_()
    data: Mapping[str, Any] = (bundle[0] if isinstance(bundle, tuple) else bundle) or {}
    rich = str(data.get("text/html", ""))
    if 0 < len(rich) <= LONG_FALLBACK:
        return rich
    plain = str(data.get("text/plain", ""))
    return f"<pre>{html.escape(plain)}</pre>" if len(plain) <= LONG_FALLBACK else "<p>Needs JavaScript.</p>"


@cache
def source(kind: str) -> dict[str, str]:
    """The script and the style of a widget's class, exactly as Jupyter gets them."""
    import coursekit.widgets as widgets

    made = getattr(widgets, kind)
    return {"script": str(made._esm), "style": str(made._css)}


class Stage:
    """Collects the widgets of one page: where each stands, and what they need, once.

    Examples
    --------
    >>> from coursekit.widgets import GridExplorer
    >>> stage = Stage()
    >>> stage.place(Live.of(GridExplorer("nearest"))).startswith('<div class="live"')
    True
    """

    def __init__(self) -> None:
        self._models: list[dict[str, Any]] = []
        self._by_key: dict[str, int] = {}
        self._shared: list[Any] = []
        self._shared_at: dict[str, int] = {}

    def place(self, live: Live) -> str:
        """The place of a widget on the page, with what stands there if no script runs."""
        if live.key not in self._by_key:
            self._by_key[live.key] = len(self._models)
            state = {name: self._stored(value) for name, value in live.state.items()}
            self._models.append({"kind": live.kind, "state": state})
        at = self._by_key[live.key]
        place = f'<div class="live" data-model="{at}" data-kind="{live.kind}">'
        return f"{place}<noscript>{live.fallback}</noscript></div>"

    def number(self, key: str) -> int:
        """Which of the page's models a placed widget has."""
        return self._by_key[key]

    def _stored(self, value: Any) -> dict[str, Any]:
        text = json.dumps(value, ensure_ascii=False)
        if len(text) < LONG_VALUE:
            return {"is": value}
        if text not in self._shared_at:
            self._shared_at[text] = len(self._shared)
            self._shared.append(value)
        return {"shared": self._shared_at[text]}

    @property
    def kinds(self) -> list[str]:
        """The classes on this page, each once."""
        return sorted({model["kind"] for model in self._models})

    def styles(self) -> str:
        """The style sheets of all of them; what two have in common stands there once."""
        return "\n".join(_once([source(kind)["style"] for kind in self.kinds]))

    def data(self) -> str:
        """All that the page's own script needs, as JSON that can stand inside a page."""
        common, rests = _split([source(kind)["script"] for kind in self.kinds], "_grid.js", "_card.js")
        scripts = dict(zip(self.kinds, rests, strict=True))
        told = {"common": common, "scripts": scripts, "models": self._models, "shared": self._shared}
        text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
        return text.replace("</", "<\\/").replace("<!--", "<\\u0021--")  # what would end a script


def _once(sheets: list[str]) -> list[str]:
    """Sheets that begin alike, as those do which share a file, without the repetition."""
    common, rests = _split(sheets, "grid_explorer.css", "_card.css")
    return [*common, *(rest for _, rest in rests)]


def _split(texts: list[str], *files: str) -> tuple[list[str], list[tuple[int, str]]]:
    """The files with which some of the texts begin, and each text as (which of these or -1, what follows)."""
    from coursekit.widgets.assets import joined

    common = [start for start in map(joined, files) if any(text.startswith(start) for text in texts)]
    rests = []
    for text in texts:
        at = next((at for at, start in enumerate(common) if text.startswith(start)), -1)
        rests.append((at, text.removeprefix(common[at]) if at >= 0 else text))
    return common, rests
