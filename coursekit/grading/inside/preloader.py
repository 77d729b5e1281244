"""Runs in the sandbox: imports torch once, then forks a process for each exercise that the judge asks for.

Started as a program, with a socket to the judge as its standard input. For each message with a socket
attached it forks a worker into namespaces of its own, in which it is process 1: when it ends, everything that
it started ends with it. Where that is not allowed, the preloader ends all processes but its own instead.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import random
import resource
import select
import signal
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COURSE = HERE.parents[1]
ROOMS = ("upsampling", "boxes", "data", "nets", "training")
"""What answers may import, the course's own versions of what exercises ask for among it.

Loaded once, and then no file to read it from.
"""
_NAMESPACES = {"user": 0x28020000, "namespaces": 0x38020000}
"""For root, mounts, IPC and processes; for others a user namespace too (the kernel's CLONE_NEW… flags)."""
FIRST_USER = 0x61000000  # ids that nobody has
HIDDEN = ("exercises", "grading.grader", "notebook", "remembering", "record", "cli")


def main() -> None:
    """Serve the judge until it hangs up."""
    gc.disable()  # loading makes much and drops little, and a worker lives for a moment
    control = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    _load_course()
    from coursekit.grading.inside import confining, worker

    confined = sys.argv[1] == "confined"
    if confined:
        confining.undumpable()
    worker.warm_up()
    way = _best_way() if confined else "plain"
    gc.collect()
    gc.freeze()
    if confined:
        confining.collapse_memory()
    control.sendall(json.dumps({"way": way}).encode() + b"\n")
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    number = 0
    while True:
        message, sockets, *_ = socket.recv_fds(control, 1, 1)
        if not message:
            os._exit(0)  # Python would tidy up for a second, and nothing is left to be tidy for
        if sockets:
            number += 1
            _one_exercise(control, sockets[0], way, number)


def _load_course() -> None:
    """The engine and the rooms under the name `coursekit`, with a root that knows no exercises."""
    spec = importlib.util.spec_from_file_location(
        "coursekit", HERE / "root.py", submodule_search_locations=[str(COURSE)]
    )
    assert spec is not None
    assert spec.loader is not None
    root = importlib.util.module_from_spec(spec)
    sys.modules["coursekit"] = root
    sys.meta_path.insert(0, _Hidden())
    spec.loader.exec_module(root)
    for room in ROOMS:
        for file in sorted((COURSE / room).glob("[!_]*.py")):
            with contextlib.suppress(ImportError):  # a capstone may see less of the course
                importlib.import_module(f"coursekit.{room}.{file.stem}")
    importlib.import_module("coursekit.grading.inside.capstone")

    import numpy as np
    import torch

    torch.set_num_threads(1)
    torch.ones(2, 2) @ torch.ones(2, 2)
    torch.default_generator.manual_seed(0)
    random.seed(0)
    np.random.seed(0)


class _Hidden:
    """In the sandbox these files are not there; where there is none, an import should say the same."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.removeprefix("coursekit.") in HIDDEN and name.startswith("coursekit."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _best_way() -> str:
    """How to keep an exercise from the others here: tried once, in a worker that is thrown away."""
    way = "user" if os.getuid() == 0 else "namespaces"
    try:
        worker = _fork(way)
    except OSError:
        return "shared"
    if worker == 0:
        try:
            _work(None, way, 0)
        finally:
            os._exit(1)
    fine = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0
    return way if fine else "shared"


def _fork(way: str) -> int:
    from coursekit.grading.inside import confining

    return confining.fork_into(_NAMESPACES[way]) if way in _NAMESPACES else os.fork()


def _one_exercise(control: socket.socket, connection: int, way: str, number: int) -> None:
    """Fork a worker, wait until it ended or the judge has had enough, and say so."""
    worker = _fork(way)
    if worker == 0:
        try:
            control.close()
            _work(connection, way, number)
        finally:
            os._exit(1)
    os.close(connection)
    ended = os.pidfd_open(worker) if hasattr(os, "pidfd_open") else None
    while ended is not None:
        ready, _, _ = select.select([control.fileno(), ended], [], [])
        if ended in ready:
            break
        if not control.recv(1):
            _end(worker, way)
            os._exit(0)
        _end(worker, way)
    if ended is not None:
        os.close(ended)
    elif not control.recv(1):  # not Linux: the judge always says when
        os._exit(0)
    _end(-1 if way == "shared" else worker, way)  # what it left running
    _, status = os.waitpid(worker, 0)
    used = (resource.getrusage(which) for which in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    control.sendall(json.dumps({"ended": os.waitstatus_to_exitcode(status), "cpu": cpu}).encode() + b"\n")


def _end(process: int, way: str) -> None:
    try:
        if way == "plain":
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _work(connection: int | None, way: str, number: int) -> None:
    """In the worker: give up everything but one socket, then serve the judge."""
    from coursekit.grading.inside import confining, worker

    if way == "plain":
        os.setpgid(0, 0)
    else:
        if way == "namespaces":
            confining.map_own_user()
        confining.first_to_go()
        limits = confining.Limits()
        confining.limit(limits)
        if way != "shared":
            confining.private_mounts()
            confining.mount_empty("/tmp", limits.scratch)
            confining.mount_empty("/dev/shm", 1 << 20, read_only=True)
            confining.mount_empty("/proc", 1 << 20, read_only=True)
            confining.mount_empty(str(COURSE), 1 << 20, read_only=True)
        if os.getuid() == 0:
            confining.become(FIRST_USER + number)
        confining.without_capabilities()
        os.chdir("/tmp")
    if connection is None:
        _probe()
    else:
        os.dup2(connection, 3)
        os.closerange(4, 1 << 16)
        worker.serve(socket.socket(fileno=3))
        os._exit(0)


def _probe() -> None:
    """Whether this process can still read what it may have to import."""
    for folder in sys.path:
        if folder and Path(folder).exists() and not os.access(folder, os.R_OK | os.X_OK):
            os._exit(1)
    os._exit(0 if os.access(sys.base_prefix, os.X_OK) else 1)


if __name__ == "__main__":
    main()
