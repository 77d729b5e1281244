"""The app's server within the test's own process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application

from coursekit.app import forked
from coursekit.app.handlers import routes
from coursekit.app.house import House
from coursekit.app.messages import MOST_BYTES
from tests.app.served import FAILING, WIDGETS, Served, run_async, write_lesson


@pytest.fixture
def lessons(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    write_lesson(folder, "00-one", WIDGETS)
    write_lesson(folder, "01-broken", FAILING, "print('still here')")
    (folder / "secret.txt").write_text("not for visitors")
    return folder


@pytest.fixture
def serving(lessons: Path) -> Callable[..., None]:
    """``serving(test, **settings)`` runs an async test with a server."""

    def run(test: Callable[[Served], Awaitable[None]], **settings: Any) -> None:
        async def within() -> None:
            manager = AsyncMultiKernelManager(connection_dir=str(lessons.parent))
            forked.prepare(("plain",))
            house = House(lessons, manager, **{"seats": 3, **settings})
            sockets, port = bind_unused_port()
            server = HTTPServer(Application(routes(house), websocket_max_message_size=MOST_BYTES))
            server.add_sockets([sockets])
            try:
                await test(Served(house, port))
            finally:
                server.stop()
                await house.close()

        run_async(within())

    return run
