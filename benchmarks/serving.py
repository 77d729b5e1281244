"""Servers and visitors for `app_load.py`: our app and stock Voila with the same notebooks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parents[1]
PATIENCE_S = 300
ASSET = re.compile(r'"\$asset": ?"([0-9a-f]{20}\.\w+)"')


@dataclass
class Server:
    """One that runs: "ours" or "stock"."""

    kind: str
    url: str
    process: psutil.Process

    def page(self, notebook: str) -> str:
        """The address of a notebook's page."""
        return f"{self.url}/{'lessons' if self.kind == 'ours' else 'voila/render'}/{notebook}.ipynb"

    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def kernels(self) -> list[psutil.Process]:
        """Processes that run a visitor's Python: those that a nursery forked, or ipykernel's own."""
        found = []
        for child in self.process.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                said = " ".join(child.cmdline())
                forked = "coursekit.app.nursery" in said and child.ppid() != self.process.pid
                if child.status() != psutil.STATUS_ZOMBIE and (forked or "ipykernel" in said):
                    found.append(child)
        return found

    def pss_mib(self) -> float:
        """Memory of the server and all that it started, shared pages counted once in all."""
        total = 0
        for process in self.tree():
            with contextlib.suppress(OSError):
                text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
                total += int(text.split("\nPss:")[1].split()[0])
        return total / 1024

    def settle(self, quiet_s: float = 1.5) -> None:
        """Wait until it computes nothing: pools are filled again, pages are prepared."""
        before, end = -1.0, time.monotonic() + 120
        while time.monotonic() < end:
            now = 0.0
            for process in self.tree():
                with contextlib.suppress(psutil.NoSuchProcess):
                    now += sum(process.cpu_times()[:2])
            if now - before < 0.05 * quiet_s:
                return
            before = now
            time.sleep(quiet_s)


@contextmanager
def served(kind: str, folder: Path, *more: str) -> Iterator[Server]:
    """A server in a process of its own; `folder` holds the stock one's notebooks and everybody's settings."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    ours = ["-m", "coursekit", "app", "--no-browser", f"--port={port}", "--lazy"]
    stock = ["-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    stock.append(
        "--VoilaConfiguration.extension_denylist=['@jupyter/nbgrader', '@jupyter-notebook/lab-extension']"
    )  # it is not part of stock Voila
    command = [sys.executable, *(ours if kind == "ours" else stock), *more]
    around = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "COURSEKIT_HOME": str(folder / "home"),
        "COURSEKIT_DATA": str(folder / "no-photographs"),  # as our app has it for its visitors
        "OMP_NUM_THREADS": "1",
    }
    log = (folder / f"{kind}.log").open("ab")
    process = subprocess.Popen(command, env=around, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        yield Server(kind, url, psutil.Process(process.pid))
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=30)
        for child in [*children, *([psutil.Process(process.pid)] if process.poll() is None else [])]:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        log.close()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("a server did not start")


def prepare(server: Server, notebook: str) -> None:
    """Let our app run a lesson once, as it does by itself after it has started."""
    if server.kind == "ours":
        address = f"{server.url}/lessons/{notebook}/shown"
        urllib.request.urlopen(address, timeout=PATIENCE_S).close()


def copy_lesson(notebook: str, folder: Path) -> None:
    """A lesson for stock Voila, under the name that it has here."""
    target = folder / f"{notebook}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "lessons" / f"{notebook}.ipynb", target)


@dataclass
class Visitor:
    """One page that is open: when everything of it was there, and its line."""

    seconds: float
    status: int
    line: Any = None


async def get(address: str) -> HTTPResponse:
    request = HTTPRequest(
        address, request_timeout=PATIENCE_S, connect_timeout=PATIENCE_S, decompress_response=True
    )
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def visit(server: Server, notebook: str) -> Visitor:
    """Open a page as a browser does, and stay until Python has told the state of every widget."""
    begun = time.monotonic()
    page = await get(server.page(notebook))
    if page.code != 200:
        return Visitor(time.monotonic() - begun, page.code)
    read = _wake_ours if server.kind == "ours" else _wake_stock
    line = await read(server, notebook, page.body.decode())
    return Visitor(time.monotonic() - begun, 200, line)


async def _wake_ours(server: Server, notebook: str, page: str) -> Any:
    carried = json.loads(page.split('id="visit">')[1].split("</script>")[0])
    await asyncio.gather(*(get(f"{server.url}/assets/{name}") for name in set(ASSET.findall(page))))
    line = await _connected(f"{server.url}/lessons/{notebook}/live/{carried['seat']}")
    line.write_message("wake")
    while json.loads(await _heard(line))["kind"] not in ("ready", "anew"):
        pass
    return line


async def _wake_stock(server: Server, notebook: str, page: str) -> Any:
    """What Voila's page does: connect to its kernel and ask it for all widgets' states."""
    told = re.search(r'"kernelId": ?"([0-9a-f-]+)"', page)
    if told is None:
        raise ValueError("no kernel in stock Voila's page")
    line = await _connected(f"{server.url}/api/kernels/{told[1]}/channels")
    comm = "0" * 32
    data: dict[str, Any] = {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}}
    line.write_message(_stock_message("comm_open", data, {"version": "1.0.0"}))
    data = {"comm_id": comm, "data": {"method": "request_states"}}
    line.write_message(_stock_message("comm_msg", data, {}))
    while '"update_states"' not in await _heard(line):
        pass
    return line


def _stock_message(kind: str, content: dict[str, Any], metadata: dict[str, Any]) -> str:
    header = {
        "msg_id": f"{time.monotonic_ns():032x}", "msg_type": kind, "session": "0" * 32, "username": "",
        "date": "2026-01-01T00:00:00Z", "version": "5.3",
    }  # fmt: skip
    return json.dumps({
        "header": header, "parent_header": {}, "metadata": metadata, "content": content, "channel": "shell",
        "buffers": [],
    })  # fmt: skip


async def _connected(address: str) -> Any:
    request = HTTPRequest(
        address.replace("http", "ws", 1), connect_timeout=PATIENCE_S, request_timeout=PATIENCE_S
    )
    return await websocket_connect(request, max_message_size=2**28)


async def _heard(line: Any) -> str:
    text = await asyncio.wait_for(line.read_message(), PATIENCE_S)
    if text is None:
        raise ConnectionError("the line was closed")
    return text if isinstance(text, str) else text.decode(errors="replace")
