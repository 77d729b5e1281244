"""Voila as an application: its options, its kernels, its start and end; all its pages replaced by ours."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import webbrowser
from typing import Any, ClassVar

from tornado.ioloop import IOLoop
from voila.app import Voila

from coursekit.app import forked
from coursekit.app.handlers import routes
from coursekit.app.house import House
from coursekit.app.messages import MOST_BYTES
from coursekit.app.tasks import tasks

MOST_BODY = 10_000  # no page of ours takes a body

log = logging.getLogger("coursekit.app")


class CourseApp(Voila):  # type: ignore[misc, unused-ignore]
    """The course's web app. It is no Jupyter Server extension, and nothing here registers one."""

    course: ClassVar[dict[str, Any]] = {}
    prepares: ClassVar[bool] = True
    address: ClassVar[str] = ""

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """Read no settings of another Voila on this machine: they could open what is closed here."""

    def init_settings(self) -> dict[str, Any]:
        """Keep of Voila's settings what our handlers need, which is nearly nothing."""
        super().init_settings()
        forked.prepare(("plain", "torch"))
        self.house = House(manager=self.kernel_manager, **self.course)
        return {
            "websocket_max_message_size": MOST_BYTES,
            "websocket_ping_interval": 30,
            "log_function": lambda handler: None,  # a log of addresses would hold the seats' names
        }

    def init_handlers(self) -> list[Any]:
        """Our pages, and none of Voila's."""
        return routes(self.house)

    def listen(self) -> None:
        """Serve until a signal comes, then end every kernel."""
        self.ioloop = IOLoop.current()
        self.app.listen(self.port, self.ip, max_body_size=MOST_BODY)
        loop = self.ioloop.asyncio_loop  # type: ignore[attr-defined]
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt does it
                loop.add_signal_handler(number, self.ioloop.stop)
        threading.Thread(target=tasks, daemon=True).start()  # before a page waits for it
        warm_up = loop.create_task(self.house.warm_up()) if self.prepares else None
        if self.open_browser:
            threading.Thread(target=webbrowser.open, args=(self.address,), daemon=True).start()
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            if warm_up is not None:
                warm_up.cancel()
            loop.run_until_complete(self._close())

    async def _close(self) -> None:
        try:
            await self.house.close()
            await asyncio.wait_for(self.kernel_manager.shutdown_all(now=True), 10)
        except Exception as problem:
            log.warning("not everything could be ended: %r", problem)

    def stop(self) -> None:
        """Everything has ended with `listen`."""
