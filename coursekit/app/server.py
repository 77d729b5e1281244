"""Voila's server with pages of our own: it never runs code that a visitor sends."""

from __future__ import annotations

import sys
from pathlib import Path

from coursekit.app.browsers import can_open_a_browser
from coursekit.app.ports import ensure_free
from coursekit.checkout import CannotRun, home_folder, lessons_folder

HOST = "127.0.0.1"
LOCAL = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::")


def serve(
    port: int = 8866,
    browser: bool = True,
    *,
    ip: str = HOST,
    token: str = "",
    max_kernels: int | None = None,
    base: str = "/",
    hosts: tuple[str, ...] = (),
    prepare: bool = True,
) -> int:
    """Serve the lessons until Ctrl-C and return 0.

    Parameters
    ----------
    port, ip : int, str
        Where to listen; this machine only unless told otherwise.
    browser : bool
        Whether to open one.
    token : str
        Who has it may come in; empty for everybody who reaches the port.
    max_kernels : int, optional
        How many visitors may have Python at once; by default what memory and cores allow.
    base : str
        The path below which a proxy shows the app.
    hosts : tuple of str
        Names under which visitors reach the server, beside this machine's own. Without any, a server that
        listens on every address (``0.0.0.0``, ``::``) answers to every name.
    prepare : bool
        Run each lesson once, in the background, before anybody asks for it.

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
    ensure_free(port, ip)
    from coursekit.app.course_app import CourseApp
    from coursekit.app.seats import default_limit

    CourseApp.course = {
        "lessons": lessons,
        "token": token,
        "seats": max_kernels or default_limit(),
        "hosts": names(ip, hosts),
        "base": f"/{base.strip('/')}/".replace("//", "/"),
        "keep": _where_to_keep(),
    }
    CourseApp.prepares = prepare
    open_one = browser and can_open_a_browser()
    host = HOST if ip in EVERYWHERE else f"[{ip}]" if ":" in ip else ip
    address = f"http://{host}:{port}{CourseApp.course['base']}"
    CourseApp.address = f"{address}?token={token}" if token else address
    shown = token if sys.stdout.isatty() else "..."  # what is no terminal may be a log
    told = f"{address}?token={shown}" if token else address
    print(f"The lessons are at\n\n    {told}\n\nCtrl-C ends it.", flush=True)
    CourseApp.launch_instance(_arguments(lessons, port, ip, open_one))
    return 0


def names(ip: str, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """The host names that a server answers to; empty for any."""
    return () if ip in EVERYWHERE and not hosts else tuple(map(str.lower, (*LOCAL, ip, *hosts)))


def _arguments(lessons: Path, port: int, ip: str, browser: bool) -> list[str]:
    arguments = [
        str(lessons),
        f"--port={port}",
        f"--Voila.ip={ip}",
        "--Voila.port_retries=0",
        "--KernelManager.autorestart=False",  # a visit ends with its kernel: another has none of its widgets
        "--Voila.log_level=ERROR",
    ]
    return arguments if browser else [*arguments, "--no-browser"]


def _where_to_keep() -> Path | None:
    try:
        return home_folder() / "app"
    except CannotRun:
        return None
