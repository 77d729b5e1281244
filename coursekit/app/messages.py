"""What passes between a visitor's browser and a kernel: little, and all of it looked at.

The browser never speaks to a kernel. It may say that a widget's value changed or send a widget a message;
it hears of changed values, of new widgets, and of what widgets print. There is no way to say "run this".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coursekit.app.assets import Assets
from coursekit.app.outputs import as_html

MOST_BYTES = 65_536
"""The largest that a page sends is a painted mask: 160 x 160 classes, 34,136 letters."""
MOST_KEYS = 64

State = Mapping[str, Any]


class Refused(ValueError):
    """A message that no page of ours sends."""


def to_kernel(text: str | bytes, states: Mapping[str, State]) -> tuple[str, dict[str, Any]]:
    """Read a browser's message; return the widget's name and the data for its comm.

    Parameters
    ----------
    text : str
        JSON: ``{"widget": name, "set": {trait: value}}`` or ``{"widget": name, "say": anything}``.
    states : mapping
        The widgets of this page. Values are the widgets' own to check; names are checked here.

    Raises
    ------
    Refused
        With a reason that names nothing of this machine.

    Examples
    --------
    >>> to_kernel('{"widget": "w1", "set": {"x": 3}}', {"w1": {"x": 2}})
    ('w1', {'method': 'update', 'state': {'x': 3}, 'buffer_paths': []})
    """
    message = _parsed(text)
    name = message.get("widget")
    if not isinstance(name, str) or name not in states:
        raise Refused("no such widget")
    if set(message) == {"widget", "say"}:
        return name, {"method": "custom", "content": message["say"]}
    values = message.get("set")
    if set(message) != {"widget", "set"} or not isinstance(values, dict) or len(values) > MOST_KEYS:
        raise Refused("no such message")
    if any(key.startswith("_") or key not in states[name] for key in values):
        raise Refused("no such value")
    return name, {"method": "update", "state": values, "buffer_paths": []}


def _parsed(text: str | bytes) -> dict[str, Any]:
    if isinstance(text, bytes) or len(text) > MOST_BYTES:
        raise Refused("too long, or not text")
    try:
        message = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("not JSON") from None
    if not isinstance(message, dict):
        raise Refused("not an object")
    return message


def _no_constant(name: str) -> None:
    raise Refused(f"{name} is no JSON")


def to_browser(message: Mapping[str, Any], assets: Assets) -> dict[str, Any] | None:
    """Turn a kernel's message into what the page understands; None for all that is none of its business.

    Examples
    --------
    >>> to_browser({"header": {"msg_type": "status"}, "content": {}}, Assets()) is None
    True
    """
    kind, content = message["header"]["msg_type"], message["content"]
    if kind in ("comm_open", "comm_msg", "comm_close"):
        return _of_a_widget(kind, content, assets)
    parent = message.get("parent_header", {}).get("msg_id")
    if kind == "clear_output":
        return {"kind": "clear", "parent": parent}
    if kind in ("display_data", "execute_result", "stream", "error"):
        html = as_html([{"output_type": kind, **content}])
        return {"kind": "output", "parent": parent, "html": html} if html else None
    return None


def _of_a_widget(kind: str, content: Mapping[str, Any], assets: Assets) -> dict[str, Any] | None:
    name, data = content["comm_id"], content.get("data", {})
    if kind == "comm_close":
        return {"kind": "close", "widget": name}
    if kind == "comm_open":
        return {"kind": "open", "widget": name, "state": assets.lighter(data.get("state", {}))}
    if data.get("method") == "update":
        return {"kind": "set", "widget": name, "state": assets.lighter(data.get("state", {}))}
    if data.get("method") == "custom":
        return {"kind": "say", "widget": name, "content": data.get("content")}
    return None
