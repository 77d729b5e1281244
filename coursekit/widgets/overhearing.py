"""Hear a widget's message while the kernel is busy with a cell.

A kernel handles what a browser sends one after the other, so a Stop button's message would wait for the
very cell that it should stop. But the message has arrived: since ipykernel 7 a thread of its own reads the
kernel's socket and puts each message into line, and before that the main thread can be asked to read between
two steps. An :class:`Ear` looks at each message as it is read and lets it go on as ever, in the same order.
Nothing is handled out of turn, and no event loop runs inside another.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any

Hear = Callable[[Any], None]

_listening: dict[str, Hear] = {}  # by comm id
_OVERHEARD = "_coursekit_overheard"


class Ear:
    """Hears the custom messages of one widget the moment they arrive.

    Parameters
    ----------
    hear : callable
        Gets the content of each message, which a browser may have forged. It may be called from another
        thread, so it should do no more than set a flag. The message comes to the widget again in its turn.

    Attributes
    ----------
    works : bool
        Whether this kernel can be overheard; after :meth:`open`.
    """

    def __init__(self, hear: Hear) -> None:
        self.hear = hear
        self.works = False
        self._comm = ""
        self._stream: Any = None

    def open(self, comm_id: str) -> None:
        """Listen from now on."""
        kernel = _kernel()
        self._stream = getattr(kernel, "shell_stream", None)
        self._comm = comm_id
        _listening[comm_id] = self.hear
        # The hook stays for good and costs nothing while nobody listens: to take it off at the wrong
        # moment could lose what another program hooked in later.
        self.works = self._stream is not None and _hook(kernel, self._stream)

    def poll(self) -> None:
        """Where no thread reads the socket, read it now."""
        if not self.works or _has_reading_thread(_kernel()):
            return
        import zmq

        self._stream.flush(zmq.POLLIN)

    def close(self) -> None:
        """Listen no more."""
        _listening.pop(self._comm, None)


def _kernel() -> Any:
    """The ipykernel that runs this code, or None."""
    if "ipykernel" not in sys.modules:
        return None
    from ipykernel.kernelbase import Kernel

    return Kernel.instance() if Kernel.initialized() else None


def _has_reading_thread(kernel: Any) -> bool:
    return getattr(kernel, "shell_channel_thread", None) is not None


def _hook(kernel: Any, stream: Any) -> bool:
    """Put the ear before what the kernel does with a message; True once it is there."""
    receive = getattr(stream, "_recv_callback", None)
    if receive is None:
        return False
    if not hasattr(receive, _OVERHEARD):

        def overheard(message: Any) -> Any:
            if _listening:
                _peek(kernel.session, message)
            return receive(message)

        setattr(overheard, _OVERHEARD, True)
        # A stream belongs to the thread of its loop. Without a reading thread, that is where we are.
        stream_copies = getattr(stream, "_recv_copy", False)
        if _has_reading_thread(kernel):
            stream.io_loop.add_callback(stream.on_recv, overheard, copy=stream_copies)
        else:
            stream.on_recv(overheard, copy=stream_copies)
    return True


def _peek(session: Any, message: Any) -> None:
    """Read a message without taking it. A broken one is the kernel's to complain about."""
    with contextlib.suppress(Exception):
        _, frames = session.feed_identities(message, copy=False)
        # Without its content a message does not count as received, so it may be read again.
        whole = session.deserialize(frames, content=False, copy=False)
        if whole["header"]["msg_type"] != "comm_msg":
            return
        content = session.unpack(whole["content"])
        hear, data = _listening.get(content["comm_id"]), content["data"]
        if hear is not None and data.get("method") == "custom":
            hear(data.get("content"))
