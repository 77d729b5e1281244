"""Scripts and style sheets as anywidget wants them: one text each."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def joined(*names: str) -> str:
    """The files' text, one after the other: a browser loads a widget as one module without imports.

    Parameters
    ----------
    *names : str
        File names in this folder, what is shared first.

    Examples
    --------
    >>> joined("_grid.js", "grid_explorer.js").count("export default")   # the widget's own file exports
    1
    """
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
