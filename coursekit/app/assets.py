"""Large values of widgets as files of their own: scripts, style sheets, tables that many widgets share.

A lesson with four explorers would carry the same script and the same table four times. Each is named by what
is in it, so a browser asks once and keeps it for good.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LARGE = 3_000
"""Characters from which a value is worth a request of its own."""
ASSET = "$asset"
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True)
class Asset:
    """One file: its content as it is and gzipped."""

    type: str
    plain: bytes
    zipped: bytes


class Assets:
    """All files that pages may ask for, by name.

    Examples
    --------
    >>> assets = Assets()
    >>> light = assets.lighter({"x": 1, "_esm": "export default {}"})
    >>> light["x"], light["_esm"]["$asset"].endswith(".js")
    (1, True)
    """

    def __init__(self) -> None:
        self._kept: dict[str, Asset] = {}
        self._known: dict[str, str] = {}

    def find(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._kept.get(name)

    def add(self, text: str, suffix: str) -> str:
        """Keep a text and return its name."""
        content = text.encode()
        name = f"{hashlib.sha256(content).hexdigest()[:20]}.{suffix}"
        if name not in self._kept:
            self._kept[name] = Asset(TYPES[suffix], content, gzip.compress(content, 6))
        return name

    def lighter(self, state: Mapping[str, Any], tables: bool = False) -> dict[str, Any]:
        """A widget's state with its script and its style sheet replaced by names.

        With `tables` all else that is large, too. That is for a lesson as it is before anybody touched it:
        else a visit would leave its values in the server's memory.
        """
        return {key: self._light(key, value, tables) for key, value in state.items()}

    def _light(self, key: str, value: Any, tables: bool) -> Any:
        if key in ("_esm", "_css") and isinstance(value, str):
            return {ASSET: self.add(value, "js" if key == "_esm" else "css")} if value else value
        if tables and isinstance(value, dict | list):
            text = json.dumps(value, separators=(",", ":"))
            if len(text) > LARGE:
                return {ASSET: self.add(text, "json")}
        return value
