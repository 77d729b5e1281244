"""One at a time, across processes: visitors of the web app who train wait in line and know their place.

A ticket is a file that its holder keeps locked. The system takes the lock away when a process ends, however
it ends, so a closed tab never holds up those behind it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has other locks; there nobody waits
    fcntl = None  # type: ignore[assignment]

FOLDER = "COURSEKIT_QUEUE"
LOOK_EVERY = 0.3


@contextmanager
def in_turn(tell: Callable[[int], None], folder: Path | None = None) -> Iterator[None]:
    """Wait until nobody is before us, then keep all others waiting until we are done.

    Parameters
    ----------
    tell : callable
        Gets how many are before us, whenever that changes while we wait, and 0 at the end.
    folder : Path, optional
        Where the line is; ``COURSEKIT_QUEUE`` unless given. Without either nobody waits.

    Examples
    --------
    >>> with in_turn(print):
    ...     print("now")
    0
    now
    """
    named = os.environ.get(FOLDER)
    place = folder or (Path(named) if named else None)
    if place is None or fcntl is None:
        tell(0)
        yield
        return
    ticket, path = _draw(place)
    try:
        last = -1
        while last != 0:
            before = _before(path)
            if before != last:
                tell(before)
            last = before
            if before:
                time.sleep(LOOK_EVERY)
        yield
    finally:
        path.unlink(missing_ok=True)
        ticket.close()


def _draw(folder: Path) -> tuple[IO[bytes], Path]:
    """A ticket of our own, locked before anybody can see it; numbers in the order in which they are seen."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "door").open("a+") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        door.seek(0)
        number = int(door.read() or 0) + 1
        path = folder / f"{number:012d}.ticket"
        ticket = path.open("wb")
        fcntl.flock(ticket, fcntl.LOCK_EX)
        door.truncate(0)
        door.write(str(number))
        door.flush()
    return ticket, path


def _before(path: Path) -> int:
    """How many live tickets have a smaller number; those of ended processes are taken away."""
    earlier = [each for each in sorted(path.parent.glob("*.ticket")) if each.name < path.name]
    return sum(_is_held(each) for each in earlier)


def _is_held(path: Path) -> bool:
    with suppress(FileNotFoundError), path.open("rb") as ticket:
        try:
            fcntl.flock(ticket, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        path.unlink(missing_ok=True)
    return False
