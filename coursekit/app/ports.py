"""A port that is taken is a sentence, not a traceback from a web server."""

from __future__ import annotations

import socket

from coursekit.checkout import CannotRun


def ensure_free(port: int, host: str = "127.0.0.1") -> None:
    """Check that a server can listen on a port.

    Raises
    ------
    CannotRun
        When another program has the port, or this user may not open it.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As tornado does: a port whose last connections are only fading out counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CannotRun(f"this user may not open port {port}. Try one above 1023: --port 8866") from None
        except OSError:
            other = port + 1 if port < 65535 else port - 1
            raise CannotRun(
                f"port {port} is in use: the course may be open already, or another program has the port. "
                f"Try: --port {other}"
            ) from None
