"""JupyterLab, opened on the lessons, with nothing between the learner and the first cell."""

from __future__ import annotations

import os
import secrets
import warnings
from importlib import import_module
from pathlib import Path

from coursekit.app.browsers import can_open_a_browser
from coursekit.app.ports import ensure_free
from coursekit.checkout import course_root, home_folder
from coursekit.curriculum import LESSONS
from coursekit.record import FILE_NAME

_LAB_SETTINGS = Path(__file__).parent / "jupyter_config"


def first_page() -> str:
    """Where Lab opens, seen from the course folder: lesson 00, until something of the learner's is kept."""
    known = (home_folder() / FILE_NAME).exists()
    return "lessons" if known else f"lessons/{LESSONS[0].path.name}"


def lab_arguments(root: Path, port: int | None, browser: bool) -> list[str]:
    """Return JupyterLab's arguments for a course folder.

    The root is the whole course, so that a lesson can show a picture from ``data/``.
    """
    arguments = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{first_page()}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # One Ctrl-C ends the server; its question "y/[n]?" would wait for an answer instead.
        "--ServerApp.answer_yes=True",
        "--ServerApp.log_level=WARN",
        "--LabApp.log_level=WARN",
    ]
    if port is not None:
        arguments += [f"--port={port}", "--ServerApp.port_retries=0"]
    if not (browser and can_open_a_browser()):
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # containers and class-room machines often have no other user
    return arguments


def open_lab(port: int | None = None, browser: bool = True) -> int:
    """Open JupyterLab on the lessons, print its address, and return 0 when it is ended.

    Parameters
    ----------
    port : int, optional
        The port to serve on. Left out, it is 8888 or the next free one.
    browser : bool
        Whether to open a browser.

    Raises
    ------
    CannotRun
        When there are no lessons, or the port that was asked for is in use.

    Examples
    --------
    >>> open_lab(port=8899, browser=False)  # doctest: +SKIP
    0
    """
    root = course_root()
    if port is not None:
        ensure_free(port)
    # Only a setting keeps Lab's page from asking a new user about news; a learner's own setting still wins.
    places = [str(_LAB_SETTINGS), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, places))
    # A token of our own, so that the address is printed once, plainly, and not in a log line.
    os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(16))
    from jupyterlab.labapp import LabApp

    import_module("voila")  # Lab loads it as an extension, and it would switch the next line off again
    # Jupyter's notes to its own developers; a learner can do nothing about them.
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    server = LabApp.initialize_server(argv=lab_arguments(root, port, browser))
    token = server.identity_provider.token
    address = f"http://localhost:{server.port}/lab/tree/{first_page()}" + (f"?token={token}" if token else "")
    print(f"The lessons are at\n\n    {address}\n\nCtrl-C ends it; save your notebooks first.", flush=True)
    server.start()
    return 0
