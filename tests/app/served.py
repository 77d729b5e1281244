"""The app's server, asked for pages and lines, on lessons made for the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import nbformat
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.websocket import websocket_connect

from coursekit.app.house import House

T = TypeVar("T")
PATIENCE_S = 120
WIDGETS = """from coursekit.widgets import Predict, Quiz
guess = Predict("How large is it?", ["2x2", "4x4"], answer="B", why="Twice.")
guess.reveal()"""
FAILING = "open('/etc/no-such-secret').read()"


def run_async(wanted: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` in a thread of its own: Playwright's loop may run in the main one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, wanted).result()


def write_lesson(folder: Path, name: str, *cells: str) -> None:
    text = nbformat.v4.new_markdown_cell("# A lesson\n\n**Goal: see it.**\n\nSome words to read.")
    book = nbformat.v4.new_notebook(cells=[text, *(nbformat.v4.new_code_cell(cell) for cell in cells)])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


class Served:
    """A running server: ask it for pages, open lines to kernels."""

    def __init__(self, house: House, port: int) -> None:
        self.house, self.port = house, port
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, path: str, method: str = "GET", **headers: str) -> HTTPResponse:
        request = HTTPRequest(
            self.url + path,
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            follow_redirects=False,
            request_timeout=PATIENCE_S,
            body="" if method in ("POST", "PUT", "PATCH") else None,
        )
        return await AsyncHTTPClient().fetch(request, raise_error=False)

    async def seat(self, name: str) -> str:
        """Open a lesson's page and return its seat."""
        page = await self.get(f"/lessons/{name}.ipynb")
        assert page.code == 200
        carried = page.body.decode().split('id="visit">')[1].split("</script>")[0]
        return str(json.loads(carried)["seat"])

    async def line(self, name: str, seat: str, **headers: str) -> Any:
        address = f"ws://127.0.0.1:{self.port}/lessons/{name}/live/{seat}"
        return await websocket_connect(HTTPRequest(address, headers=headers))

    async def awake(self, name: str) -> tuple[Any, dict[str, Any]]:
        """A page whose kernel is ready: its line, and its widgets' states."""
        line = await self.line(name, await self.seat(name))
        line.write_message("wake")
        told = await until(line, "ready", "anew")
        visit = next(iter(self.house._visits.values()))
        return line, {**visit._performance.states, **told["states"]}


async def until(line: Any, *kinds: str) -> dict[str, Any]:
    """The next message of these kinds."""
    while True:
        text = await asyncio.wait_for(line.read_message(), PATIENCE_S)
        assert text is not None, f"the line was closed: {line.close_code}"
        message = json.loads(text)
        if message["kind"] in kinds:
            return dict(message)


async def comes_true(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not happened():
            await asyncio.sleep(0.05)
