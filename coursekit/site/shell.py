"""The frame of every page: one file that holds all it needs, in light and in dark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

from coursekit.site.live import Stage

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FOLDER = Path(__file__).parent
COURSE = "Every pixel"

# Light, dark. The names from Jupyter's themes are those that the widgets ask for.
_COLOURS = {
    "--page": ("#fbfaf7", "#131417"),
    "--card": ("#ffffff", "#1b1d21"),
    "--wash": ("#f0eee8", "#25272c"),
    "--text": ("#1b1c1f", "#eceae6"),
    "--soft": ("#575b62", "#aeb1b8"),
    "--rule": ("#dedbd3", "#393c43"),
    "--link": ("#00578a", "#7cc0f0"),
    "--accent": ("#c9501c", "#ff9a6b"),
    "--dash": ("#a9a59a", "#62666f"),
    "--string": ("#8a5a00", "#e0b56a"),
    "--jp-layout-color0": ("#fbfaf7", "#131417"),
    "--jp-layout-color1": ("#ffffff", "#1b1d21"),
    "--jp-layout-color2": ("#f1efea", "#292b31"),
    "--jp-layout-color3": ("#dedbd3", "#43464e"),
    "--jp-ui-font-color0": ("#111214", "#ffffff"),
    "--jp-ui-font-color1": ("#1b1c1f", "#eceae6"),
    "--jp-ui-font-color2": ("#575b62", "#b3b6bd"),
    "--jp-content-font-color0": ("#111214", "#ffffff"),
    "--jp-content-font-color1": ("#1b1c1f", "#eceae6"),
    "--jp-content-font-color2": ("#575b62", "#b3b6bd"),
    "--jp-border-color1": ("#c9c5bb", "#4d5058"),
    "--jp-border-color2": ("#dedbd3", "#43464e"),
    "--jp-border-color3": ("#e9e6df", "#2f3137"),
}
_FONTS = (
    '--jp-content-font-family: "Inter", "Segoe UI Variable Text", system-ui, -apple-system, "Segoe '
    'UI", Roboto, '
    '"Noto Sans", sans-serif; --jp-ui-font-family: var(--jp-content-font-family); '
    '--jp-code-font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;'
)
MARK = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect width="11" height="11" rx="2" fill="#0072b2"/>'
    '<rect x="13" width="11" height="11" rx="2" fill="#e69f00"/><rect y="13" width="11" height="11" rx="2" '
    'fill="#009e73"/><rect x="13" y="13" width="5" height="5" rx="1" fill="#cc79a7"/><rect x="19" '
    'y="13" width="5" '
    'height="5" rx="1" fill="#56b4e9"/><rect x="13" y="19" width="5" height="5" rx="1" fill="#56b4e9"/>'
    '<rect x="19" y="19" width="5" height="5" rx="1" fill="#cc79a7"/></svg>'
)
HALF_MOON = (
    '<svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2">'
    '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/></svg>'
)


@dataclass(frozen=True)
class Links:
    """Where the pages lie, seen from one of them.

    Attributes
    ----------
    home : str
        The index.
    lesson, demo : str
        Patterns with ``{id}`` and ``{name}``.
    """

    home: str = "index.html"
    lesson: str = "{id}.html"
    demo: str = "{name}.html"


@cache
def text_of(name: str) -> str:
    """A file of this room."""
    return (FOLDER / name).read_text(encoding="utf-8")


def page(
    title: str,
    description: str,
    body: str,
    stage: Stage | None = None,
    links: Links | None = None,
    more: str = "",
) -> str:
    """One whole page.

    Parameters
    ----------
    title, description : str
        For the tab and for search engines; plain text.
    body : str
        HTML of ``<main>``.
    stage : Stage, optional
        The widgets that the body has places for.
    links : Links, optional
    more : str
        More CSS.

    Returns
    -------
    str
        HTML that needs no other file.
    """
    stage, links = stage or Stage(), links or Links()
    name = title if title == COURSE else f"{title} · {COURSE}"
    styles = _packed("\n".join([colours(), text_of("page.css"), more, stage.styles()]))
    data = f'<script type="application/json" id="page-data">{stage.data()}</script>' if stage.kinds else ""
    home = escape(links.home)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(name)}</title>
<meta name="description" content="{escape(description)}">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<script>
try {{
  const kept = localStorage.getItem("theme");
  if (kept) document.documentElement.dataset.theme = kept;
}} catch {{}}
</script>
<style>
{styles}
</style>
</head>
<body>
<a class="skip" href="#main">To the content</a>
<header class="top"><a class="brand" href="{home}">{MARK}{COURSE}</a>
<nav aria-label="The course"><a href="{home}#demos">Demos</a><a href="{home}#lessons">Lessons</a></nav>
<button class="theme-switch" type="button" hidden>{HALF_MOON}</button></header>
<main id="main">
{body}
</main>
<footer class="foot"><div>
<p>Works on this page alone: no account, no server, and nothing that you do leaves it.</p>
<p>Drawn from the course’s own notebooks. Code under the MIT licence, texts and pictures under CC BY 4.0.</p>
</div></footer>
{data}
<script type="module">
{text_of("page.js")}
</script>
</body>
</html>
"""


def colours() -> str:
    """The style sheet's variables: fonts, and each colour in light, in dark and on paper."""

    def block(which: int) -> str:
        return " ".join(f"{name}: {pair[which]};" for name, pair in _COLOURS.items())

    return (
        f":root {{ {_FONTS} {block(0)} }}\n"
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {block(1)} }} }}\n'
        f':root[data-theme="dark"] {{ {block(1)} }}\n'
        f"@media print {{ :root:root {{ {block(0)} }} }}"
    )


def _packed(sheet: str) -> str:
    """A style sheet without its comments and indents."""
    return "\n".join(line.strip() for line in _COMMENT.sub("", sheet).splitlines() if line.strip())
