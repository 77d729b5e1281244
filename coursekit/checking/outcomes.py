"""What came of one call, as plain data: a value, an exception, a changed argument, or time running out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A line of the learner's own code, counted from its ``def``, which is line 1."""

    function: str
    line: int
    text: str
    values: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        quoted = f": `{self.text}`" if self.text else ""
        return f"Line {self.line} of `{self.function}`{quoted}"


@dataclass(frozen=True)
class Raised:
    """An exception, reduced to text. `kinds` are its class and the classes it derives from, by name."""

    kinds: tuple[str, ...]
    message: str
    place: Place | None = None

    @property
    def kind(self) -> str:
        """The name of the exception's class."""
        return self.kinds[0]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one call gave.

    Attributes
    ----------
    value
        Plain data (see `coursekit.checking.plain`); meaningless when `raised` or `timed_out` is set.
    raised, place
        The exception; for a call that was stopped, the line it was at.
    changed
        The parameter whose argument the call changed, and its value afterwards.
    notes
        What had to be converted to become plain.
    output
        What the call printed.
    """

    value: Any = None
    raised: Raised | None = None
    timed_out: bool = False
    place: Place | None = None
    changed: tuple[str, Any] | None = None
    notes: frozenset[str] = frozenset()
    output: str = ""
    seconds: float = 0.0
