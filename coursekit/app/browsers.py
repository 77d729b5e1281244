"""Whether to open a browser at all."""

from __future__ import annotations

import os
import sys


def can_open_a_browser() -> bool:
    """Return False on Linux without a display, where Python would open a text browser in the terminal."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
