"""A process that has the course's packages loaded and becomes a visitor's kernel by forking.

Loading torch takes seconds and hundreds of megabytes. A fork has it at once and shares the memory. The
process itself computes nothing and has one thread: a fork takes only the thread that asks for it along.

The server asks over a socket, one line of JSON a kernel: ``connection_file``, ``cwd`` and ``env``. The answer
is the kernel's ``pid``. When the server goes, so do the nursery and all its kernels.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

PLAIN = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "anywidget", "ipywidgets", "psutil",
    "tornado.gen", "tornado.locks", "tornado.platform.asyncio", "tornado.queues", "http.client", "pydoc",
    "coursekit.widgets", "coursekit.widgets.grid_explorer", "coursekit.app.inside",
)  # fmt: skip
NEVER = ("debugpy",)  # 20 MB and half a second for each visitor, and nobody debugs a page
WITH_TORCH = (
    "matplotlib.pyplot", "matplotlib.backends.backend_agg", "matplotlib_inline.backend_inline", "torch",
    "coursekit.notebook", "coursekit.data", "coursekit.exercises", "coursekit.nets", "coursekit.plots",
    "coursekit.training",
)  # fmt: skip
KINDS = {"plain": PLAIN, "torch": PLAIN + WITH_TORCH}

Request = dict[str, Any]


def main(kind: str, descriptor: int) -> None:
    """Load what a kind of page needs, then become a kernel each time the server asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's to handle
    _load(KINDS[kind])
    children: set[int] = set()
    signal.signal(signal.SIGCHLD, lambda *_: _bury(children))
    with socket.socket(fileno=descriptor) as line, line.makefile("rw") as lines:
        for asked in lines:
            pid = os.fork()
            if pid == 0:
                line.detach()
                os.close(descriptor)
                _become_a_kernel(json.loads(asked))
            children.add(pid)
            lines.write(json.dumps({"pid": pid}) + "\n")
            lines.flush()
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def threads() -> int:
    """How many threads this process has; 1 where the system does not tell."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def _load(names: tuple[str, ...]) -> None:
    for name in NEVER:
        sys.modules[name] = None  # type: ignore[assignment]
    for name in names:
        importlib.import_module(name)
    from coursekit.widgets.pictures import atlas

    atlas()
    if threads() > 1:
        sys.exit("a package started a thread: this process cannot be forked")
    gc.collect()
    gc.freeze()  # else each collection in a fork writes to, and so copies, every page that it could share


def _bury(children: set[int]) -> None:
    for child in list(children):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(child, os.WNOHANG)[0]:
                children.discard(child)


def _become_a_kernel(request: Request) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.path.insert(0, "")
    from ipykernel.kernelapp import IPKernelApp

    parent = f"--IPKernelApp.parent_handle={os.getppid()}"  # the kernel ends when it has another
    quiet = [parent, "--HistoryManager.enabled=False", "--IPKernelApp.log_level=40"]
    try:
        IPKernelApp.launch_instance(["-f", request["connection_file"], *quiet])
    finally:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
