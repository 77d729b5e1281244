"""Stopping a function that does not end.

In the main thread a timer signal is used where the system has one; it repeats, and from its second ring on it
also plants a trace, so that a bare ``except`` inside the loop cannot swallow it for ever. Elsewhere (Windows,
other threads) a watchdog thread asks the interpreter to raise. Both end *Python* loops: one long call into C,
such as a huge matrix product, is out of reach and ends when it ends.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

RING_AGAIN = 0.02  # seconds between rings once time is up


class TimeUp(BaseException):
    """Raised inside the learner's function; not an Exception, so that ``except Exception`` lets it pass."""


class TimeLimit:
    """A budget of seconds for all calls made through `call`; a context manager.

    Examples
    --------
    >>> with TimeLimit(1.0) as limit:
    ...     limit.call(sum, [1, 2])
    3
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._inside = False
        self._started = time.perf_counter()
        self._alarm: _Signal | _Watchdog | None = None

    @property
    def left(self) -> float:
        """Seconds of the budget that are left; never below 0."""
        return max(0.0, self.seconds - (time.perf_counter() - self._started))

    def __enter__(self) -> TimeLimit:
        self._started = time.perf_counter()
        in_main = threading.current_thread() is threading.main_thread()
        self._alarm = _Signal(self) if in_main and hasattr(signal, "setitimer") else _Watchdog(self)
        self._alarm.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._alarm is not None:
            self._alarm.stop()

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call within the budget.

        Raises
        ------
        TimeUp
            When the budget is used up, before or during the call.
        """
        if self.left <= 0:
            raise TimeUp
        try:
            try:
                self._inside = True
                value, stop = next(_isolated(function, arguments))
            finally:
                self._leave()
        except TimeUp:  # it may have been raised while leaving
            self._leave()
            raise
        if stop is not None:
            raise stop
        return value

    def _leave(self) -> None:
        self._inside = False
        if self._alarm is not None:
            self._alarm.settle()


def _isolated(
    function: Callable[..., Any], arguments: tuple[Any, ...]
) -> Iterator[tuple[Any, StopIteration | None]]:
    """Call inside a generator, which has an exception state of its own.

    A ring inside a ``with`` can leave that state behind (seen in CPython 3.11); in the session it would turn
    up as "During handling of the above exception" above every later error.
    """
    try:
        yield function(*arguments), None
    except StopIteration as stop:  # it may not leave a generator as it is
        yield None, stop


class _Signal:
    """Rings by SIGALRM, in the main thread."""

    def __init__(self, limit: TimeLimit) -> None:
        self.limit = limit
        self.rings = 0
        self.over = False

    def start(self) -> None:
        self.old_handler = signal.signal(signal.SIGALRM, self.ring)
        self.old_trace = sys.gettrace()
        self.old_timer = signal.setitimer(signal.ITIMER_REAL, max(self.limit.seconds, 1e-3))

    def ring(self, _number: int, frame: FrameType | None) -> None:
        # Set anew each time, not by the timer's own interval: a busy machine would ring inside this ring.
        if self.over:  # setting the timer again would ring on whoever comes after
            return
        if not self.limit._inside or not _below_call(frame):
            signal.setitimer(signal.ITIMER_REAL, RING_AGAIN)
            return
        self.rings += 1
        if self.rings > 1:
            self._plant_trace(frame)
        signal.setitimer(signal.ITIMER_REAL, RING_AGAIN)
        raise TimeUp

    def _plant_trace(self, frame: FrameType | None) -> None:
        """Raise again at the next line too, which lies outside the ``try`` that swallowed the last ring."""

        def again(frame: FrameType, event: str, _argument: Any) -> Any:
            if frame.f_code.co_filename == __file__:  # the function is over: this is the way out
                return None
            if event == "line" and self.limit._inside:  # raising on "exception" would only repeat the ring
                raise TimeUp
            return again

        while frame is not None and frame.f_code is not TimeLimit.call.__code__:
            frame.f_trace = again
            frame = frame.f_back
        sys.settrace(again)

    def settle(self) -> None:
        if self.rings:
            sys.settrace(self.old_trace)

    def stop(self) -> None:
        self.over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.old_handler)
        delay, interval = self.old_timer
        if delay > 0:
            used = time.perf_counter() - self.limit._started
            signal.setitimer(signal.ITIMER_REAL, max(delay - used, 1e-3), interval)


def _below_call(frame: FrameType | None) -> bool:
    """Whether a frame belongs to something that `TimeLimit.call` called, and not to the engine."""
    if frame is None or frame.f_code is TimeLimit.call.__code__:
        return False
    while frame is not None and frame.f_code is not TimeLimit.call.__code__:
        frame = frame.f_back
    return frame is not None


class _Watchdog:
    """Rings by asking the interpreter to raise in the thread that is being watched."""

    def __init__(self, limit: TimeLimit) -> None:
        self.limit = limit
        self.watched = threading.get_ident()
        self.over = threading.Event()
        self.rang = False
        self.lock = threading.Lock()
        self.thread = threading.Thread(target=self.watch, name="coursekit time limit", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def watch(self) -> None:
        if self.over.wait(self.limit.seconds):
            return
        while not self.over.is_set():
            with self.lock:
                if self.limit._inside:
                    self.rang = True
                    self._raise(TimeUp)
            self.over.wait(RING_AGAIN)

    def settle(self) -> None:
        """Leave no ring behind: one more, and it is heard here.

        Taking back a ring would leave CPython 3.11 with a note that something is to be done and nothing to
        do: each traced function then waits at its first instruction for ever.
        """
        with self.lock:  # no other ring can be on its way
            if not self.rang:
                return
            try:
                self._raise(TimeUp)
                while True:  # heard at a turn of the loop
                    pass
            except TimeUp:
                self.rang = False

    def stop(self) -> None:
        self.over.set()
        self.thread.join()

    def _raise(self, kind: type[BaseException]) -> None:
        target = ctypes.c_ulong(self.watched)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(kind))
