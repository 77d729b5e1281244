"""A line that grows in a terminal; nothing elsewhere."""

from __future__ import annotations

import shutil
import sys
from types import TracebackType
from typing import Any

from coursekit.training.stopwatch import Progress

_OFTEN = 0.1


class TerminalBar:
    """Shows a :class:`Progress` on standard error if a person watches it there.

    Parameters
    ----------
    wanted : bool
        False in a process that leaves the drawing to another.
    """

    def __init__(self, wanted: bool = True) -> None:
        self._wanted = wanted
        self._bar: Any = None
        self._shown = 0.0

    def __enter__(self) -> TerminalBar:
        if self._wanted and sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            shape = "{desc} {percentage:3.0f}%|{bar}{postfix}"
            columns, rows = shutil.get_terminal_size()  # 80 x 24 where a terminal does not say
            self._bar = tqdm(
                total=1.0, desc="training", bar_format=shape, ncols=columns - 1, nrows=rows, file=sys.stderr
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def show(self, progress: Progress) -> None:
        """Draw anew, at most ten times a second, and at the end."""
        lately = progress.seconds - self._shown < _OFTEN
        if self._bar is None or (lately and progress.fraction < 1):
            return
        self._shown = progress.seconds
        miou = f", mean IoU {progress.scores.miou:.3f}" if progress.scores else ""
        self._bar.n = progress.fraction
        self._bar.set_postfix_str(f"loss {progress.loss:.3f}{miou}, {progress.seconds_left:.0f} s left")
