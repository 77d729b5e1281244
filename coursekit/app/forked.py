"""Kernels that are forked from a nursery, for jupyter_client; started as usual where that cannot be."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from importlib.metadata import EntryPoint
from typing import Any

import psutil
from jupyter_client.provisioning import LocalProvisioner
from jupyter_client.provisioning.factory import KernelProvisionerFactory

NAME = "coursekit-nursery"
KIND = "COURSEKIT_NURSERY"
"""The name in a kernel's environment that says which nursery it comes from."""
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""NumPy's matrix library starts threads when it is imported, and a process with threads cannot be forked."""


class Nursery:
    """The server's end of a nursery process.

    Parameters
    ----------
    kind : str
        "plain" or "torch".
    """

    def __init__(self, kind: str) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "coursekit.app.nursery", kind, str(theirs.fileno())]
        self.process = subprocess.Popen(
            command,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **ONE_THREAD},
        )
        theirs.close()
        self._socket = ours
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._turn = asyncio.Lock()

    async def kernel(self, connection_file: str, cwd: str, env: dict[str, str]) -> int:
        """Return the process id of a new kernel.

        Raises
        ------
        OSError
            When the nursery is gone.
        """
        asked = {"connection_file": connection_file, "cwd": cwd, "env": env}
        # Who gives up between question and answer would leave the answer to the next who asks.
        answer = await asyncio.shield(asyncio.ensure_future(self._answer(asked)))
        if not answer:
            raise ConnectionError("the nursery has ended")
        return int(json.loads(answer)["pid"])

    async def _answer(self, asked: dict[str, Any]) -> bytes:
        async with self._turn:
            if self._streams is None:
                self._streams = await asyncio.open_connection(sock=self._socket)
            reader, writer = self._streams
            writer.write(json.dumps(asked).encode() + b"\n")
            await writer.drain()
            return await reader.readline()

    def close(self) -> None:
        """End the nursery, and with it its kernels."""
        if self._streams is not None:
            self._streams[1].close()
        self._socket.close()


class ForkedProcess:
    """A kernel that another process has started, as a `subprocess.Popen` is used by jupyter_client."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process: psutil.Process | None = None
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None while it runs."""
        try:
            runs = self._process is not None and self._process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            runs = False
        return None if runs else 0

    def wait(self) -> int:
        """0: the process is known to have ended."""
        return 0

    def send_signal(self, number: int) -> None:
        """As `Popen.send_signal`; a process id that was given to another program is left alone."""
        if self._process is not None and self._process.is_running():
            self._process.send_signal(number)

    def kill(self) -> None:
        """As `Popen.kill`."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """As `Popen.terminate`."""
        self.send_signal(signal.SIGTERM)


class ForkedProvisioner(LocalProvisioner):  # type: ignore[misc, unused-ignore]
    """Starts kernels in the nursery that their environment names."""

    nurseries: dict[str, Nursery] = {}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel; start one as usual if the nursery is gone."""
        env = dict(kwargs.get("env") or os.environ)
        nursery = self.nurseries.get(env.get(KIND, ""))
        if nursery is None or nursery.process.poll() is not None or self.parent is None:
            return await super().launch_kernel(cmd, **kwargs)
        cwd = os.fspath(kwargs.get("cwd") or os.getcwd())  # noqa: PTH109
        try:
            # a relative name would be looked for in the kernel's own folder
            file = os.path.abspath(self.parent.connection_file)  # noqa: PTH100
            self.pid = await nursery.kernel(file, cwd, env)
        except OSError:
            return await super().launch_kernel(cmd, **kwargs)
        self.process: Any = ForkedProcess(self.pid)
        self.pgid = None  # it begins a group of its own a moment after it is born
        self.cwd = cwd
        return self.connection_info


def possible() -> bool:
    """Whether kernels can be forked here: elsewhere than on Linux a fork may break what was loaded."""
    return sys.platform.startswith("linux")


def prepare(kinds: tuple[str, ...]) -> None:
    """Start nurseries, and let every kernel of this process come from them."""
    if not possible():
        return
    factory = KernelProvisionerFactory.instance()
    place = f"{__name__}:{ForkedProvisioner.__name__}"
    factory.provisioners[NAME] = EntryPoint(NAME, place, KernelProvisionerFactory.GROUP_NAME)
    factory.default_provisioner_name = NAME
    for kind in kinds:
        ForkedProvisioner.nurseries[kind] = Nursery(kind)


def close() -> None:
    """End all nurseries."""
    for nursery in ForkedProvisioner.nurseries.values():
        nursery.close()
    ForkedProvisioner.nurseries.clear()
