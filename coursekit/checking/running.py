"""Running a learner's function on one case and keeping what came of it as plain data."""

from __future__ import annotations

import contextlib
import io
import linecache
import random
import re
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

import numpy as np
import torch

from coursekit.checking.cases import Case
from coursekit.checking.outcomes import Outcome, Place, Raised
from coursekit.checking.plain import plain
from coursekit.checking.timing import TimeLimit, TimeUp

MOST_OUTPUT = 10_000  # characters of print that are kept


def observe(function: Callable[..., Any], case: Case, limit: TimeLimit | None = None) -> Outcome:
    """Call a function on fresh clones of a case's arguments; only Ctrl-C passes through.

    Returns
    -------
    Outcome
        Plain data: what was returned, raised, changed, printed.
    """
    arguments = case.arguments()
    printed = Capped(MOST_OUTPUT)
    started = time.perf_counter()
    notes: set[str] = set()
    kept: dict[str, Any] = {}
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            value = limit.call(function, *arguments) if limit is not None else function(*arguments)
        kept = {"value": plain(value, notes), "changed": _changed(case, arguments)}
    except TimeUp as stop:
        kept = {"timed_out": True, "place": place_of(stop.__traceback__, function)}
    except KeyboardInterrupt:
        raise
    except (
        BaseException
    ) as error:  # SystemExit and the like are the learner's too, and must not end the kernel
        kept = {"raised": _raised(error, function)}
    return Outcome(**kept, notes=frozenset(notes), output=printed.text, seconds=time.perf_counter() - started)


def _changed(case: Case, arguments: list[Any]) -> tuple[str, Any] | None:
    name = case.changed_in(arguments)
    return None if name is None else (name, plain(arguments[list(case).index(name)]))


def _raised(error: BaseException, function: Callable[..., Any]) -> Raised:
    kinds = tuple(kind.__name__ for kind in type(error).__mro__ if kind not in (object, BaseException))
    try:
        message = str(error)
    except Exception:  # an exception class of the learner's may fail to describe itself
        message = ""
    if isinstance(error, RecursionError):
        message = "the function calls itself again and again without an end"
    if isinstance(error, SystemExit):
        message = "the function called exit(); try `return` instead"
    return Raised(kinds, message, place_of(error.__traceback__, function))


def place_of(traceback: TracebackType | None, function: Callable[..., Any]) -> Place | None:
    """The deepest line of a traceback that the learner wrote: in the function, or in a helper beside it."""
    home = getattr(function, "__globals__", None)
    found: TracebackType | None = None
    while traceback is not None:
        if traceback.tb_frame.f_globals is home:
            found = traceback
        traceback = traceback.tb_next
    return None if found is None else _place(found.tb_frame, found.tb_lineno)


def _place(frame: FrameType, line: int) -> Place:
    code = frame.f_code
    text = linecache.getline(code.co_filename, line).strip()
    first = code.co_firstlineno
    while first < line and not _is_def(linecache.getline(code.co_filename, first)):
        first += 1  # past the decorators: the learner's line 1 is the `def`
    return Place(code.co_name, line - first + 1, text[:200], _values_on(text, frame))


def _is_def(text: str) -> bool:
    return text.lstrip().startswith(("def ", "async def "))


def _values_on(text: str, frame: FrameType) -> tuple[tuple[str, str], ...]:
    """The small local values that a line names, such as the loop's counters, for the message."""
    names = dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z_]\w*", text))
    values = [(name, _short(frame.f_locals[name])) for name in names if name in frame.f_locals]
    return tuple((name, short) for name, short in values if short)[:5]


def _short(value: Any) -> str:
    kind = type(value)
    if kind in (int, float, bool) or value is None:
        return repr(value)
    if kind is torch.Tensor:
        return f"tensor of shape {tuple(value.shape)}" if value.ndim else ""
    if kind in (tuple, list) and len(value) <= 4 and all(type(item) in (int, float) for item in value):
        return repr(value)
    return ""


class Capped(io.TextIOBase):
    """A stream that keeps its first characters and counts the rest."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.parts: list[str] = []
        self.kept = 0
        self.dropped = 0

    def writable(self) -> bool:
        """As a stream must say."""
        return True

    def write(self, text: str) -> int:
        """Keep what there is room for."""
        text = str(text)
        room = self.most - self.kept
        self.parts.append(text[:room])
        self.kept += len(text[:room])
        self.dropped += len(text) - len(text[:room])
        return len(text)

    @property
    def text(self) -> str:
        """What was kept, and how much was not."""
        more = f"\n… {self.dropped} more characters" if self.dropped else ""
        return "".join(self.parts) + more


@contextlib.contextmanager
def untouched_surroundings(seed: int) -> Iterator[None]:
    """Seed every source of chance for a check, and leave the session's own as they were.

    The recursion limit, torch's default dtype and grad mode are put back too.
    """
    kept = (torch.get_rng_state(), random.getstate(), np.random.get_state())
    dtype, grad, depth = torch.get_default_dtype(), torch.is_grad_enabled(), sys.getrecursionlimit()
    try:
        torch.default_generator.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        yield
    finally:
        torch.set_rng_state(kept[0])
        random.setstate(kept[1])
        np.random.set_state(kept[2])
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        sys.setrecursionlimit(depth)
