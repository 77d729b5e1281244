"""The judge's end of the line to a learner's process: frames with limits, and never later than a deadline."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import Any

from coursekit.checking.frames import LENGTHS, MOST_PAYLOAD, BadFrame, header_of, lengths, packed


class HungUp(Exception):
    """The other end is gone."""


class TooLate(Exception):
    """The deadline passed."""


class Channel:
    """One end of a socket pair.

    Parameters
    ----------
    connection : socket
    """

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.ends = time.monotonic() + 60.0
        self.pause = 0.0  # seconds in which more may come, as waking for each small frame costs both sides
        self._came = bytearray()

    def until(self, seconds: float) -> None:
        """Everything from here on must be over in so many seconds."""
        self.ends = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.ends - time.monotonic()

    def send(self, header: Mapping[str, Any], payload: bytes = b"") -> None:
        """Send a frame.

        Raises
        ------
        HungUp, TooLate
        """
        self._arm()
        try:
            self.connection.sendall(packed(header, payload))
        except TimeoutError:
            raise TooLate from None
        except OSError:
            raise HungUp from None

    def receive(self, most: int = MOST_PAYLOAD) -> tuple[dict[str, Any], bytes]:
        """The next frame, with a payload of at most so many bytes.

        Raises
        ------
        HungUp, TooLate
        BadFrame
            For what is malformed or larger than the limits.
        """
        head, payload = lengths(self._exactly(LENGTHS.size), most=most)
        return header_of(self._exactly(head)), self._exactly(payload)

    def close(self) -> None:
        """Hang up."""
        self.connection.close()

    def _exactly(self, count: int) -> bytes:
        while len(self._came) < count:
            self._arm()
            try:
                part = self.connection.recv(1 << 16 if count < 1 << 16 else 1 << 20)
            except TimeoutError:
                raise TooLate from None
            except OSError:
                raise HungUp from None
            if not part:
                raise HungUp
            self._came += part
            if self.pause:
                time.sleep(self.pause)
        taken = bytes(self._came[:count])
        del self._came[:count]
        return taken

    def _arm(self) -> None:
        if self.left <= 0:
            raise TooLate
        self.connection.settimeout(self.left)


__all__ = ["BadFrame", "Channel", "HungUp", "TooLate"]
