"""One at a time among several servers that share a home: the second finds what the first has made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: there is no such lock, and one server as a rule
    fcntl = None  # type: ignore[assignment]

LOOK_EVERY = 0.2


@asynccontextmanager
async def alone(file: Path | None) -> AsyncIterator[None]:
    """Hold the lock that a file's name stands for; the system takes it away when a process ends.

    Parameters
    ----------
    file : Path or None
        What is to be made. Where it cannot be locked, nobody waits: it cannot be written either.

    Examples
    --------
    >>> async with alone(Path("page.html")):  # doctest: +SKIP
    ...     make_it_unless_it_is_there()
    """
    if file is None or fcntl is None:
        yield
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        door = file.with_suffix(".turn").open("w")
    except OSError:
        yield
        return
    with door:
        while not _locked(door.fileno()):
            await asyncio.sleep(LOOK_EVERY)
        yield


def _locked(descriptor: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def earlier(file: Path) -> list[Path]:
    """What earlier versions of the course left beside a file or folder ``name-fingerprint``.

    Examples
    --------
    >>> earlier(Path("no-such-folder/demos-0123456789abcdef"))
    []
    """
    name, dash, _ = file.stem.rpartition("-")
    found = [(each.name.partition(".")[0], each) for each in file.parent.glob(f"{name}{dash}*")]
    return [each for stem, each in found if stem != file.stem and len(stem) == len(file.stem)]
