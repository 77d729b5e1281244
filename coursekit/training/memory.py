"""Memory that one step frees is kept for the next."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# From glibc's malloc.h, and the greatest threshold that it accepts.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_MOST_MMAP = 32 * 2**20
_KEPT = 512 * 2**20


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Spare each step asking the system for the memory that the step before gave back.

    On Linux, glibc gives large blocks back as soon as they are free, and the system hands them out again page
    by page, each wiped: about a quarter of a small net's training time. Inside, freed memory stays
    with the process; at the end all of it goes back. Elsewhere nothing happens.
    """
    library = _glibc()
    if library is None:
        yield
        return
    library.mallopt(_TRIM_THRESHOLD, _KEPT)
    library.mallopt(_MMAP_THRESHOLD, _MOST_MMAP)
    try:
        yield
    finally:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
