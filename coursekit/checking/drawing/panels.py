"""What a picture shows, before it is drawn: labelled panels of grids, long sides left out in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from coursekit.checking.cases import Case
from coursekit.checking.declaration import Exercise
from coursekit.checking.parameters import Tensor
from coursekit.checking.plain import described
from coursekit.checking.sheets import Extent, Sheet, common_extent, drawn_sheet
from coursekit.checking.values import compare_values, number
from coursekit.checking.verdict import Counterexample

LONGEST_SIDE = 12
MOST_PLANES = 6
MOST_NUMBERS = 8  # planes of a single cell
GAP = None  # stands for the rows or columns left out


@dataclass(frozen=True)
class Cell:
    """One cell: its text, whether it is guilty, and whether it stands for cells left out."""

    text: str
    guilty: bool = False
    gap: bool = False


@dataclass(frozen=True)
class Plane:
    """A grid of cells. `label` says which of a stack it is; `rows` and `columns` are the true indices."""

    label: str
    cells: tuple[tuple[Cell, ...], ...]
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    flat: bool = False  # a list of values, whose cells have one index


@dataclass(frozen=True)
class Panel:
    """A labelled value. Without planes it is written as text, or drawn as a sheet where it is one.

    `role` is ``given``, ``expected`` or ``yours``.
    """

    label: str
    role: str
    size: str = ""
    planes: tuple[Plane, ...] = ()
    text: str = ""
    more: int = 0
    guilty: bool = False
    cells: tuple[tuple[int, ...], ...] = field(default=())  # the guilty cells, by index
    sheet: Sheet | None = None
    extent: Extent = (0.0, 0.0, 1.0, 1.0)  # what of the sheet is shown
    wanted: Sheet | None = None  # the expected one, behind the learner's


def panels_of(exercise: Exercise, shown: Counterexample) -> list[Panel]:
    """The inputs, what was expected and, if the function returned, what it gave."""
    names = exercise.shows or tuple(shown.case)
    given = [
        panel for name in names for panel in _panels(name, shown.case[name], "given", _unit(exercise, name))
    ]
    if exercise.draw is not None:
        for label, value in exercise.draw(shown.case, shown.expected):
            given += _panels(label, value, "given")
    return given + answer_panels(shown) + _sheets(exercise, shown)


def _sheets(exercise: Exercise, shown: Counterexample) -> list[Panel]:
    """What is expected and what came, to scale; once where both draw the same."""
    if exercise.sheet is None or shown.label:
        return []
    expected = drawn_sheet(exercise.sheet, shown.case, shown.expected)
    if expected is None:
        return []
    got = drawn_sheet(exercise.sheet, shown.case, shown.got) if shown.returned else None
    extent = common_extent(expected, got)
    if got is None or got == expected:
        alike = got is not None or not any(expected.answers())
        label, role = ("drawn to scale", "given") if alike else ("expected, drawn", "expected")
        return [Panel(label, role, sheet=expected, extent=extent)]
    return [
        Panel("expected, drawn", "expected", sheet=expected, extent=extent),
        Panel("yours, drawn", "yours", sheet=got, extent=extent, wanted=expected),
    ]


def example_panels(exercise: Exercise, case: Case, expected: Any) -> list[Panel]:
    """The inputs and the right result, for showing what a function should do."""
    shown = Counterexample(case, expected, None, returned=False)
    return [panel for panel in panels_of(exercise, shown) if panel.role != "yours"]


def answer_panels(shown: Counterexample) -> list[Panel]:
    """The expected and the given result; of a tuple, each item."""
    label = shown.label or "expected"
    if not shown.returned:
        return [*_panels(label, shown.expected, "expected"), Panel("yours", "yours", text="no result")]
    expected, got = shown.expected, shown.got
    if _is_items(expected) and _is_items(got) and len(expected) == len(got):
        pairs = [(f"[{index}]", *pair) for index, pair in enumerate(zip(expected, got, strict=True))]
    else:
        pairs = [("", expected, got)]
    found = []
    for suffix, wanted, came in pairs:
        guilty = (
            shown.guilty if not suffix and shown.guilty is not None else compare_values(wanted, came).guilty
        )
        wrong = not compare_values(wanted, came).holds
        found += _panels(label + suffix, wanted, "expected", guilty=guilty, beside=came)
        found += _panels("yours" + suffix, came, "yours", guilty=guilty, beside=wanted, wrong=wrong)
    return found


def _is_items(value: Any) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(item, torch.Tensor) for item in value)


def _unit(exercise: Exercise, name: str) -> str:
    parameter = next((one for one in exercise.parameters if one.name == name), None)
    return parameter.axes if isinstance(parameter, Tensor) else ""


def _panels(
    label: str,
    value: Any,
    role: str,
    axes: str = "",
    guilty: torch.Tensor | None = None,
    beside: Any = None,
    wrong: bool = False,
) -> list[Panel]:
    if _is_items(value):
        inner = [_panels(f"{label}[{index}]", item, role, axes) for index, item in enumerate(value)]
        return [panel for panels in inner for panel in panels]
    if role == "given" and isinstance(value, list) and value:
        value = torch.tensor(value)  # a list of numbers is easier to read in cells
    if not isinstance(value, torch.Tensor):
        return [Panel(label, role, text=_text(value, beside), guilty=wrong)]
    size = _size(value)
    if value.numel() == 0:
        return [Panel(label, role, size, text="empty", guilty=wrong)]
    fits = isinstance(beside, torch.Tensor) and beside.shape == value.shape
    planes, more = _planes(value, guilty, beside if fits else None)
    cells = tuple(tuple(int(i) for i in cell) for cell in guilty.nonzero()) if guilty is not None else ()
    return [Panel(label, role, size, planes, more=more, guilty=wrong, cells=cells)]


def _size(value: torch.Tensor) -> str:
    if value.ndim == 1:
        return f"{len(value)} {'value' if len(value) == 1 else 'values'}"
    return "×".join(str(length) for length in value.shape) or "a single number"


def _text(value: Any, beside: Any = None) -> str:
    if isinstance(value, bool | int | float):
        return number(value, beside if isinstance(beside, int | float) else None)
    if isinstance(value, tuple | list) and all(isinstance(item, int | float) for item in value):
        inner = ", ".join(number(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner}{',' * (len(value) == 1)})"
    return "None" if value is None else described(value)


def _planes(
    value: torch.Tensor, guilty: torch.Tensor | None, beside: torch.Tensor | None
) -> tuple[tuple[Plane, ...], int]:
    """The planes of the last two axes, those with guilty cells never left out, and how many are left out."""
    whole = value.reshape((1,) * (2 - value.ndim) + tuple(value.shape)) if value.ndim < 2 else value
    mask = guilty.reshape(whole.shape) if guilty is not None else torch.zeros(whole.shape, dtype=torch.bool)
    other = beside.reshape(whole.shape) if beside is not None else None
    indices = list(itertools.product(*(range(length) for length in whole.shape[:-2])))
    most = MOST_PLANES if whole.shape[-2:].numel() > 1 else MOST_NUMBERS
    shown = sorted(sorted(indices, key=lambda index: not bool(mask[index].any()))[:most])
    planes = tuple(
        _plane(
            str(list(index)) if index else "",
            whole[index],
            mask[index],
            None if other is None else other[index],
        )
        for index in shown
    )
    if value.ndim < 2:
        planes = (replace(planes[0], flat=True),)
    return planes, len(indices) - len(shown)


def _plane(label: str, grid: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor | None) -> Plane:
    where = mask.nonzero()
    focus = tuple(where[0].tolist()) if len(where) else (0, 0)
    rows, columns = (_kept(length, at) for length, at in zip(grid.shape, focus, strict=True))
    cells = tuple(tuple(_cell(grid, mask, beside, row, column) for column in columns) for row in rows)
    return Plane(label, cells, rows, columns)


def _kept(length: int, focus: int) -> tuple[int | None, ...]:
    """Indices to show of a side: all when short; else the ends and what is around the focus, with gaps."""
    if length <= LONGEST_SIDE:
        return tuple(range(length))
    around = range(max(0, focus - 1), min(length, focus + 2))
    kept = sorted({0, 1, 2, *around, length - 1})
    spaced: list[int | None] = []
    for before, index in zip([-1, *kept], kept, strict=False):
        spaced += [GAP, index] if index > before + 1 else [index]
    return tuple(spaced)


def _cell(
    grid: torch.Tensor, mask: torch.Tensor, beside: torch.Tensor | None, row: int | None, column: int | None
) -> Cell:
    if row is None or column is None:
        return Cell("…", gap=True)
    other = beside[row, column].item() if beside is not None else None
    return Cell(number(grid[row, column].item(), other), bool(mask[row, column]))


def in_rows(panels: Sequence[Panel]) -> list[list[Panel]]:
    """The panels as they are laid out: what is given above, the answers below."""
    given = [panel for panel in panels if panel.role == "given"]
    answers = [panel for panel in panels if panel.role != "given" and panel.sheet is None]
    drawn = [panel for panel in panels if panel.role != "given" and panel.sheet is not None]
    return [row for row in (given, answers, drawn) if row]
