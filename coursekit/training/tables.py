"""Scores as a small table, in a terminal and in a notebook."""

from __future__ import annotations

import html


class Table:
    """What shows figures beside a baseline; a class gives the rows and says what the baseline is."""

    images: int

    @property
    def baseline(self) -> str:
        """What the baseline answers, in a few words."""
        raise NotImplementedError

    def rows(self) -> list[tuple[str, float, float | None]]:
        """``(name, score, baseline)`` of every figure, for a table."""
        raise NotImplementedError

    def __repr__(self) -> str:
        lines = [f"{'':<24}{'score':>7}{'baseline':>10}"]
        lines += [f"{name:<24}{_shown(score):>7}{_shown(base):>10}" for name, score, base in self.rows()]
        return "\n".join([*lines, f"{self.images} images; baseline: {self.baseline}"])

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th>"
            f"<td>{_shown(score)}</td><td>{_shown(base)}</td></tr>"
            for name, score, base in self.rows()
        )
        head = "<tr><th></th><th>score</th><th>baseline</th></tr>"
        return f"<table>{head}{cells}</table><div>{self.images} images; baseline: {self.baseline}</div>"


def _shown(value: float | None) -> str:
    return "" if value is None else "absent" if value != value else f"{value:.3f}"
