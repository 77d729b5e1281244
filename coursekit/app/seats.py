"""How many visitors may have Python at once."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable

import psutil

MIB_PER_KERNEL = 200
"""What a page with torch takes beyond what all share, with room for a training."""
A_CORE_CARRIES = 12
ARRIVE_SECONDS = 30
"""A page that was handed out takes its seat within this time, or loses it."""


def default_limit() -> int:
    """As many kernels as fit into half of the free memory, at most 12 a core and at least 2."""
    room = psutil.virtual_memory().available / 2 / (MIB_PER_KERNEL * 2**20)
    return int(max(2, min(room, A_CORE_CARRIES * (os.cpu_count() or 1))))


class Seats:
    """Hands out seats under names that nobody can guess.

    Parameters
    ----------
    limit : int
        How many there are.
    clock : callable
        Seconds that never run backwards.

    Examples
    --------
    >>> seats = Seats(1)
    >>> first = seats.take()
    >>> seats.take() is None          # full
    True
    >>> seats.leave(first)
    >>> seats.take() is None
    False
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._since: dict[str, float | None] = {}  # None: the visitor is there

    def __len__(self) -> int:
        self._forget_the_late()
        return len(self._since)

    def take(self) -> str | None:
        """A seat's name, or None when all are taken."""
        if len(self) >= self.limit:
            return None
        name = secrets.token_urlsafe(24)
        self._since[name] = self._clock()
        return name

    def arrive(self, name: str) -> bool:
        """The visitor is there: the seat stays until `leave`. False for a name that has no seat."""
        self._forget_the_late()
        if name not in self._since:
            return False
        self._since[name] = None
        return True

    def leave(self, name: str) -> None:
        """The seat is free again."""
        self._since.pop(name, None)

    def wait(self) -> int:
        """In how many seconds it is worth to ask again."""
        self._forget_the_late()
        expected = [since + ARRIVE_SECONDS - self._clock() for since in self._since.values() if since]
        return max(5, min([*(int(each) + 1 for each in expected), 20]))

    def _forget_the_late(self) -> None:
        now = self._clock()
        late = [n for n, since in self._since.items() if since is not None and now - since > ARRIVE_SECONDS]
        for name in late:
            del self._since[name]
