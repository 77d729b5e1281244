"""What the tests of `deploy/` share: free ports, what is missing, and the processes that somebody started."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300


def missing(reason: str) -> None:
    """Skip, with the reason; under CI what is missing is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def part_of_the_hub(name: str) -> ModuleType:
    """A module of ``deploy/jupyterhub``, which is no package: it lies beside JupyterHub's configuration."""
    sys.path.insert(0, str(ROOT / "deploy" / "jupyterhub"))
    try:
        return import_module(name)
    finally:
        sys.path.pop(0)


def free_ports(many: int) -> list[int]:
    """Ports that are free, each another one."""
    probes = [socket.socket() for _ in range(many)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def wait_for(happened: Callable[[], object], what: str, seconds: float = PATIENCE_S) -> None:
    """Wait until something holds; fail with what it is."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            pytest.fail(f"after {seconds:.0f} s still not: {what}")
        time.sleep(0.2)


def reaches(address: str) -> bool:
    """Whether somebody answers there with a page."""
    try:
        with urlopen(address, timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def processes_with(mark: str, value: str) -> list[psutil.Process]:
    """The processes of this machine that were started with an environment variable, zombies apart."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(mark) == value:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def mebibytes(process: psutil.Process) -> int:
    """A process's share of memory: what it alone uses, and its part of what others use too."""
    try:
        return round(process.memory_full_info().pss / 2**20)
    except (psutil.Error, AttributeError):  # PSS is Linux's
        return 0


def described(processes: list[psutil.Process]) -> str:
    """Their numbers and commands, for a message."""
    lines = []
    for process in processes:
        try:
            lines.append(f"{process.pid} {' '.join(process.cmdline())[:160]}")
        except psutil.Error:
            lines.append(f"{process.pid} (ended)")
    return "\n".join(lines)
