"""Voila on its own, for this machine only: it never runs code that a visitor sends."""

from __future__ import annotations

from pathlib import Path

from coursekit.app.browsers import can_open_a_browser
from coursekit.app.ports import ensure_free
from coursekit.checkout import lessons_folder

HOST = "127.0.0.1"
IDLE_SECONDS = 30
CULL_EVERY_SECONDS = 10


def voila_arguments(lessons: Path, port: int, browser: bool) -> list[str]:
    """Return the arguments of a Voila that serves a folder on one port of this machine.

    A closed tab leaves its kernel running, since Voila refuses the browser's last request;
    so kernels that nobody is connected to are ended after half an idle minute.
    """
    arguments = [
        str(lessons),
        f"--port={port}",
        f"--Voila.ip={HOST}",
        "--Voila.port_retries=0",
        f"--MappingKernelManager.cull_interval={CULL_EVERY_SECONDS}",
        f"--MappingKernelManager.cull_idle_timeout={IDLE_SECONDS}",
        "--Voila.log_level=ERROR",
    ]
    return arguments if browser and can_open_a_browser() else [*arguments, "--no-browser"]


def serve(port: int = 8866, browser: bool = True) -> int:
    """Serve the lessons until Ctrl-C and return 0.

    Raises
    ------
    CannotRun
        When there are no lessons or the port is in use.

    Examples
    --------
    >>> serve(port=8866)  # doctest: +SKIP
    0
    """
    lessons = lessons_folder()
    ensure_free(port, HOST)
    from voila.app import Voila

    print(f"The lessons are at\n\n    http://{HOST}:{port}/\n\nCtrl-C ends it.", flush=True)
    Voila.launch_instance(voila_arguments(lessons, port, browser))
    return 0
