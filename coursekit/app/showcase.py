"""The demos' pages, made once by a process of its own: some need torch, and the server does without it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import logging
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from coursekit.app.alone import alone, earlier

LOOK_EVERY = 0.05

log = logging.getLogger("coursekit.app")

Page = tuple[bytes, bytes, str]
"""A page, the same gzipped, and a short name for its content."""


class Showcase:
    """Pages by their demo's name.

    Parameters
    ----------
    names : iterable of str
        The demos.
    base : str
        The path below which visitors see the app.
    folder : Path
        Where the pages are kept, for the next start too.
    """

    def __init__(self, names: Iterable[str], base: str, folder: Path) -> None:
        self.names, self.base, self.folder = frozenset(names), base, folder
        self._pages: dict[str, Page] = {}
        self._making: asyncio.Future[None] | None = None

    async def page(self, name: str) -> Page | None:
        """The page of a demo, as soon as it is there; None where there is no such demo.

        Raises
        ------
        RuntimeError
            When it could not be made.
        """
        if name not in self.names:
            return None
        if name not in self._pages:
            content = await self._content(self.folder / f"{name}.html")
            self._pages[name] = (content, gzip.compress(content, 9), hashlib.sha256(content).hexdigest()[:20])
        return self._pages[name]

    async def make(self) -> None:
        """Make all pages that are not there yet, whoever asks how often."""
        if all((self.folder / f"{name}.html").is_file() for name in self.names):
            return
        if self._making is None:
            self._making = asyncio.ensure_future(self._make())
            self._making.add_done_callback(lambda _: setattr(self, "_making", None))
        await asyncio.shield(self._making)

    async def close(self) -> None:
        """Make no more."""
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def _content(self, file: Path) -> bytes:
        making = asyncio.ensure_future(self.make())
        while not file.is_file() and not making.done():
            await asyncio.wait([making], timeout=LOOK_EVERY)
        if not file.is_file():
            raise RuntimeError(f"the demo {file.stem} could not be made")
        return file.read_bytes()

    async def _make(self) -> None:
        command = [sys.executable, "-m", __name__, str(self.folder), self.base]
        process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            log.error("the demos could not be made:\n%s", said.decode(errors="replace"))


async def main(folder: Path, base: str) -> None:
    """Write the pages that are not there, and take away those of earlier versions."""
    async with alone(folder.parent / "demos"):
        write(folder, base)
        for old in earlier(folder):
            shutil.rmtree(old, ignore_errors=True)


def write(folder: Path, base: str) -> None:
    """Write the pages that are not there; a file is there whole or not at all."""
    from coursekit.site import demo_page, demos

    folder.mkdir(parents=True, exist_ok=True)
    for demo in demos():
        file = folder / f"{demo.name}.html"
        if not file.is_file():
            page = demo_page(demo.name, base, f"{base}lessons/{{id}}.ipynb", f"{base}demos/{{name}}")
            fresh = folder / f"{demo.name}.{os.getpid()}.new"
            fresh.write_text(page, encoding="utf-8")
            fresh.replace(file)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
