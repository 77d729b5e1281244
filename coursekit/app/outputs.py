"""What a cell shows, as HTML for a visitor: no traceback, no warning, no path of this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

WIDGET = "application/vnd.jupyter.widget-view+json"
FAILED = "This part could not be shown. The rest of the page works; reloading it may help."
NOT_PASSED = "has not passed its check yet"

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PICTURES = ("image/png", "image/jpeg", "image/webp")

Output = Mapping[str, Any]


def as_html(outputs: Iterable[Output]) -> str:
    """Return the outputs of one cell as HTML.

    Parameters
    ----------
    outputs : iterable of mappings
        As nbformat has them: `output_type` and what belongs to it.

    Returns
    -------
    str
        A widget becomes an element with ``data-view``, its name, and holds what it shows without a script.

    Examples
    --------
    >>> as_html([{"output_type": "stream", "name": "stdout", "text": "1 < 2"}])
    '<pre class="printed">1 &lt; 2</pre>'
    """
    parts: list[str] = []
    printed = ""
    for output in outputs:
        if output["output_type"] == "stream":
            printed += "".join(output["text"]) if output["name"] == "stdout" else ""
            continue
        parts += [_printed(printed), _shown(output)]
        printed = ""
    return "".join([*parts, _printed(printed)])


def _printed(text: str) -> str:
    plain = _COLOURS.sub("", text)
    return f'<pre class="printed">{escape(plain)}</pre>' if plain.strip() else ""


def _shown(output: Output) -> str:
    if output["output_type"] == "error":
        return f'<p class="trouble" role="note">{FAILED}</p>'
    if output["output_type"] not in ("display_data", "execute_result"):
        return ""
    data = output["data"]
    if NOT_PASSED in "".join(data.get("text/plain", "")):
        return ""  # a visitor was not asked to write it
    if WIDGET in data:
        name = escape(str(data[WIDGET].get("model_id", "")), quote=True)
        return f'<div class="view" data-view="{name}">{_still(data)}</div>'
    return _still(data)


def _still(data: Mapping[str, Any]) -> str:
    for kind in ("text/html", "image/svg+xml"):
        if kind in data:
            return f'<div class="shown">{"".join(data[kind])}</div>'
    for kind in _PICTURES:
        if kind in data:
            encoded = "".join(data[kind]).replace("\n", "")
            said = escape(_alternative(data), quote=True)
            return f'<img class="shown" alt="{said}" src="data:{kind};base64,{encoded}">'
    return _printed("".join(data.get("text/plain", "")))


def _alternative(data: Mapping[str, Any]) -> str:
    """A picture's text; matplotlib's ``<Figure size …>`` says nothing to a visitor."""
    text = "".join(data.get("text/plain", ""))
    return "A figure, drawn by the cell above" if not text or text.startswith("<") else text[:300]
