"""Runs in the sandbox: imports torch once, then forks a process for each exercise that the judge asks for.

Started as a program, with a socket to the judge as its standard input. For each message with a socket attached
it forks a *keeper*, and that one forks the *worker* into namespaces of its own: the worker is process 1 of its
own process namespace, so when it ends everything that it started ends with it.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIRST_USER = 0x61000000  # ids that nobody has
HIDDEN = ("exercises", "grading.grader", "notebook", "remembering", "record", "cli")


def main() -> None:
    """Serve the judge until it hangs up."""
    control = socket.socket(fileno=os.dup(0))
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    _load_course()
    from coursekit.grading.inside import confining, worker  # noqa: F401 - so that every child has it

    confined = sys.argv[1] == "confined"
    if confined:
        confining.undumpable()
    way = _best_way() if confined else "plain"
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps({"way": way}).encode() + b"\n")
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    number = 0
    while True:
        message, sockets, *_ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if sockets:
            number += 1
            _one_exercise(control, sockets[0], way, number)


def _load_course() -> None:
    """The engine and the methods under the name `coursekit`, with a root that knows no exercises."""
    course = HERE.parent.parent
    spec = importlib.util.spec_from_file_location(
        "coursekit", HERE / "root.py", submodule_search_locations=[str(course)]
    )
    assert spec is not None
    assert spec.loader is not None
    root = importlib.util.module_from_spec(spec)
    sys.modules["coursekit"] = root
    sys.meta_path.insert(0, _Hidden())
    spec.loader.exec_module(root)

    import torch

    torch.set_num_threads(1)
    torch.ones(2, 2) @ torch.ones(2, 2)


class _Hidden:
    """In the sandbox these files are not there; where there is none, an import should say the same."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.removeprefix("coursekit.") in HIDDEN and name.startswith("coursekit."):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _best_way() -> str:
    """How to keep an exercise from the others here: tried once, in a child that is thrown away."""
    for way in ("user", "namespaces"):
        if (way == "user") == (os.getuid() == 0):
            child = os.fork()
            if child == 0:
                try:
                    _keep(None, way, 0, -1)
                finally:
                    os._exit(1)
            if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
                return way
    return "shared"


def _one_exercise(control: socket.socket, connection: int, way: str, number: int) -> None:
    """Fork a keeper with its worker, wait until it ended or the judge has had enough, and say so."""
    reading, writing = os.pipe()
    keeper = os.fork()
    if keeper == 0:
        try:
            control.close()
            os.close(reading)
            _keep(connection, way, number, writing)
        finally:
            os._exit(1)
    os.close(writing)
    os.close(connection)
    worker = int.from_bytes(os.read(reading, 4), "big")
    going = worker != 0
    while going:
        ready, _, _ = select.select([control, reading], [], [])
        if reading in ready:
            going = False
        elif not control.recv(1):
            _end(worker, way)
            os._exit(0)
        else:
            _end(worker, way)
    os.close(reading)
    if way == "shared":  # whatever it left running here
        _end(-1, way)
    _, status = os.waitpid(keeper, 0)
    control.sendall(json.dumps({"ended": os.waitstatus_to_exitcode(status)}).encode() + b"\n")


def _end(process: int, way: str) -> None:
    try:
        if way == "plain":
            os.killpg(process, signal.SIGKILL)
        else:
            os.kill(process, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _keep(connection: int | None, way: str, number: int, telling: int) -> None:
    """In the keeper: enter new namespaces, fork the worker into them, and wait for it."""
    from coursekit.grading.inside import confining

    if way == "namespaces":
        confining.own_user()
    if way in ("user", "namespaces"):
        confining.unshare(confining.CLONE_NEWNS | confining.CLONE_NEWIPC | confining.CLONE_NEWPID)
    worker = os.fork()
    if worker == 0:
        try:
            _work(connection, way, number)
        finally:
            os._exit(1)
    if telling >= 0:
        os.write(telling, worker.to_bytes(4, "big"))
    if connection is not None:
        os.close(connection)
    _, status = os.waitpid(worker, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _work(connection: int | None, way: str, number: int) -> None:
    """In the worker: give up everything but one socket, then serve the judge."""
    from coursekit.grading.inside import confining, worker

    if way == "plain":
        os.setpgid(0, 0)
    else:
        confining.first_to_go()
        limits = confining.Limits()
        confining.limit(limits)
        if way != "shared":
            confining.private_mounts()
            confining.mount_empty("/tmp", limits.scratch)
            confining.mount_empty("/dev/shm", 1 << 20, read_only=True)
            confining.mount_empty("/proc", 1 << 20, read_only=True)
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
    os._exit(0 if os.access(HERE, os.R_OK | os.X_OK) and os.access(sys.base_prefix, os.X_OK) else 1)


if __name__ == "__main__":
    main()
