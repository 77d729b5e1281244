"""Reads a page as a browser would find its parts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "img", "br", "hr", "input", "path", "rect", "circle", "line", "image"}
IMAGE = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+")


class Page(HTMLParser):
    """Its elements, the text of its headings, and what is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self._open or self._open[-1] != tag:
            self.unbalanced.append(f"</{tag}> after {self._open[-3:]}")
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this tag."""
        return [attributes for name, attributes in self.elements if name == tag]

    def ids(self) -> list[str]:
        """Every id, as often as it stands there."""
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


def data_of(text: str) -> dict[str, Any] | None:
    """The widgets' scripts and states."""
    found = re.search(r'id="page-data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1]) if found else None


def scripts_of(text: str) -> dict[str, str]:
    """Each widget's script, put together as the page does."""
    told = data_of(text) or {"scripts": {}, "common": []}
    return {
        kind: (told["common"][start] if start >= 0 else "") + rest
        for kind, (start, rest) in told["scripts"].items()
    }


def without_images(text: str) -> str:
    """The page less its inline pictures."""
    return IMAGE.sub("", text)
