"""The options of a question: how an author writes them, and how they read without a browser.

An option is a short text or a small grid of numbers. Both question cards read their options here, so that
the same mistake by an author meets the same sentence, and so that a terminal shows the same letters as the
browser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from string import ascii_uppercase
from typing import Any

#: More than eight options is a list to search, not a guess to make.
MOST_OPTIONS = 8
#: A wider grid is no longer taken in at a glance, nor legible on a narrow page.
WIDEST_GRID = 12

Option = dict[str, Any]


def letter(index: int) -> str:
    """The letter shown beside option `index`: 0 is A."""
    return ascii_uppercase[index]


def read_text(text: object, what: str) -> str:
    """Return `text` trimmed, or say what was expected.

    Raises
    ------
    ValueError
        If `text` is not a string with something in it.
    """
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"expected {what} as a text, got {text!r}: try a short sentence in quotes")
    return text.strip()


def read_options(options: object) -> list[Option]:
    """Return the options as plain dictionaries, `{"text": …}` or `{"grid": [[…]]}`.

    Parameters
    ----------
    options
        Two to eight options. Each is a text, a number, or a grid: a list of rows, a two-dimensional array
        or a tensor.

    Raises
    ------
    ValueError
        If there are too few or too many options, two are the same, or one is neither text nor grid.

    Examples
    --------
    >>> read_options(["larger", [[1, 2], [3, 4]]])
    [{'text': 'larger'}, {'grid': [[1, 2], [3, 4]]}]
    """
    if isinstance(options, str) or not isinstance(options, Sequence):
        raise ValueError(
            f'expected a list of options, got {type(options).__name__}: try options=["larger", "smaller"]'
        )
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise ValueError(f"expected 2 to {MOST_OPTIONS} options, got {len(options)}: try two, three or four")
    read = [_read_option(option, letter(index)) for index, option in enumerate(options)]
    for index, option in enumerate(read):
        if option in read[:index]:
            twin = letter(read.index(option))
            raise ValueError(
                f"expected different options, got the same for {twin} and {letter(index)}: try to change one"
            )
    return read


def _read_option(option: object, name: str) -> Option:
    if isinstance(option, bool) or option is None:
        raise ValueError(f"expected a text or a grid for option {name}, got {option!r}: try a text in quotes")
    if isinstance(option, str):
        return {"text": read_text(option, f"option {name}")}
    if isinstance(option, (int, float)):
        return {"text": str(option)}
    return {"grid": _read_grid(option, name)}


def _read_grid(grid: object, name: str) -> list[list[int | float]]:
    """Arrays and tensors are asked for their list, so that neither library is imported here."""
    rows = grid.tolist() if hasattr(grid, "tolist") else grid
    wanted = f"expected a grid of numbers with rows of equal length for option {name}"
    if not isinstance(rows, Sequence) or not all(isinstance(row, (list, tuple)) for row in rows):
        raise ValueError(f"{wanted}, got {type(grid).__name__}: try [[1, 2], [3, 4]]")
    widths = {len(row) for row in rows}
    if len(widths) != 1 or 0 in widths:
        raise ValueError(f"{wanted}, got rows of lengths {[len(row) for row in rows]}: try [[1, 2], [3, 4]]")
    if max(len(rows), *widths) > WIDEST_GRID:
        raise ValueError(
            f"{wanted}, at most {WIDEST_GRID} x {WIDEST_GRID}, got {len(rows)} x {widths.pop()}: "
            "try a smaller example"
        )
    return [[_read_number(value, wanted) for value in row] for row in rows]


def _read_number(value: object, wanted: str) -> int | float:
    plain = value.item() if hasattr(value, "item") else value
    if isinstance(plain, bool) or not isinstance(plain, (int, float)) or not math.isfinite(plain):
        raise ValueError(f"{wanted}, got the value {plain!r}: try a plain number in its place")
    return plain


def option_index(answer: object, count: int, what: str = "answer") -> int:
    """Return the position that `answer` names: a letter, or a position counted from 0.

    Raises
    ------
    ValueError
        If it names none of the `count` options.

    Examples
    --------
    >>> option_index("B", count=3), option_index(1, count=3)
    (1, 1)
    """
    if isinstance(answer, str) and len(answer) == 1 and answer.upper() in ascii_uppercase[:count]:
        return ascii_uppercase.index(answer.upper())
    if is_position(answer, count):
        return int(str(answer))
    raise ValueError(
        f"expected the {what} as a letter A to {letter(count - 1)} or a position 0 to {count - 1}, "
        f'got {answer!r}: try "A"'
    )


def is_position(value: object, count: int) -> bool:
    """Whether `value` is one of 0 … `count` - 1: a true integer, for a browser can send anything."""
    return type(value) is int and 0 <= value < count


def shown(value: float) -> str:
    """A number as a grid shows it: four figures are enough to tell two options apart."""
    return f"{value:.4g}".replace("-", "\u2212")


def option_lines(option: Option, name: str) -> list[str]:
    """One option as lines of plain text, the rows of a grid lined up."""
    if "text" in option:
        return [f"  {name}) {option['text']}"]
    cells = [[shown(value) for value in row] for row in option["grid"]]
    width = max(len(cell) for row in cells for cell in row)
    rows = ["  ".join(cell.rjust(width) for cell in row) for row in cells]
    return [f"  {name}) {rows[0]}", *(f"     {row}" for row in rows[1:])]


def rich_html(text: str) -> str:
    """Escape `text` for a page; `code` between backticks keeps its typeface."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def option_html(option: Option) -> str:
    """One option as HTML that needs neither script nor style."""
    if "text" in option:
        return rich_html(option["text"])
    rows = "".join(
        "<tr>" + "".join(f"<td>{shown(value)}</td>" for value in row) + "</tr>" for row in option["grid"]
    )
    return f'<table border="1"><tbody>{rows}</tbody></table>'
