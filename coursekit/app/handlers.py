"""The pages and the socket that visitors reach. There is nothing else: no kernel, no folder, no notebook."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import hashlib
import hmac
import json
import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.web import HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from coursekit.app.lesson_pages import HERE, embedded, neighbours
from coursekit.app.messages import Refused
from coursekit.app.visits import GREETINGS
from coursekit.curriculum import LESSONS

if TYPE_CHECKING:
    from coursekit.app.house import House

COOKIE = "coursekit-token"
CONTENT = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
PICTURES = {".svg": "image/svg+xml", ".png": "image/png", ".webp": "image/webp"}
OURS = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)
ALONE = (
    "default-src 'none'; script-src 'unsafe-inline' blob: data:; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""For a page that carries everything within itself: it may ask for nothing at all."""
MOST_UNWRITTEN = 8_000_000
"""Bytes that a page may be behind with reading; it may come again when it has caught up."""

log = logging.getLogger("coursekit.app")


class Base(RequestHandler):
    """What all pages share: who may come in, what a browser may do with it, how an error looks."""

    policy = OURS

    def initialize(self, house: House) -> None:
        """Keep where everything is."""
        self.house = house

    def set_default_headers(self) -> None:
        """Tell the browser what a page may load, and nothing about the server."""
        self.clear_header("Server")
        self.set_header("Content-Security-Policy", self.policy)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")

    def prepare(self) -> None:
        """Let in who asked this server by its name and, where one is needed, has the token."""
        if not self.house.is_host(self.request.host_name):
            raise HTTPError(403, reason="Unknown host")
        token = self.house.token
        if not token:
            return
        offered = self.get_query_argument("token", "")
        if _equal(offered, token):
            self.set_cookie(COOKIE, _pass(token), httponly=True, samesite="Lax", path=self.house.base)
        elif not _equal(self.get_cookie(COOKIE) or "", _pass(token)):
            raise HTTPError(401, reason="A token is needed")

    def page(self, template: str, /, **values: Any) -> None:
        """Answer with one of the templates."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        text = self.house.render(template, **values).encode()
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            text = gzip.compress(text, 3)
        self.set_header("Vary", "Accept-Encoding")
        self.finish(text)

    def write_error(self, status_code: int, **_: Any) -> None:
        """A page that says what to do; never what went wrong inside."""
        if self.wants_json():
            self.finish({"error": status_code})
            return
        self.page("trouble.html", status=status_code)

    def wants_json(self) -> bool:
        """Whether a script asks, and nobody would see a page."""
        return self.request.headers.get("Accept", "").startswith("application/json")

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        """Into the log; a refusal is not worth a line."""
        if not isinstance(value, HTTPError):
            log.error("a page failed", exc_info=(kind, value, trace))


def _pass(token: str) -> str:
    return hashlib.sha256(f"coursekit:{token}".encode()).hexdigest()


def _equal(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


class Landing(Base):
    """The lessons and the demos."""

    def get(self) -> None:
        """The page."""
        self.page(
            "landing.html", lessons=self.house.lessons, demos=self.house.demos, pictures=self.house.files
        )


class Lesson(Base):
    """A lesson; it takes a seat, or says that there is none."""

    def get(self, name: str) -> None:
        """The page: text and code, and what the cells show if that is known."""
        lesson = self.house.lessons_by_name.get(name)
        if lesson is None:
            raise HTTPError(404)
        seat = self.house.seats.take()
        if seat is None:
            self._full(name)
            return
        self.set_header("Cache-Control", "no-store")
        if self.wants_json():  # a page that was only read for so long that it lost its seat
            self.finish({"seat": seat})
            return
        snapshot = self.house.snapshots[name]
        before, after = neighbours(name)
        self.page(
            "lesson.html",
            name=name,
            lesson=lesson,
            outputs=snapshot.told()["cells"] if snapshot.there else {},
            minutes=next((each.minutes for each in LESSONS if each.id == name), None),
            visit=embedded(
                {
                    "seat": seat,
                    "states": snapshot.told()["states"] if snapshot.there else None,
                    "recorded": self.house.recorded(name),
                }
            ),
            before=before,
            after=after,
        )

    def _full(self, name: str) -> None:
        wait = self.house.seats.wait()
        self.set_status(503)
        self.set_header("Retry-After", str(wait))
        self.set_header("Refresh", str(wait))
        self.set_header("Cache-Control", "no-store")
        self.page("full.html", wait=wait, name=name, demos=self.house.demos)


class Shown(Base):
    """What the cells of a lesson show, for a page that came before it was known."""

    async def get(self, name: str) -> None:
        """JSON; it comes when it is there."""
        if name not in self.house.snapshots:
            raise HTTPError(404)
        try:
            await self.house.make(name)
        except Exception:
            raise HTTPError(503) from None
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(self.house.snapshots[name].told(), separators=(",", ":")))


class Demo(Base):
    """A demo: a page that needs no kernel and asks for nothing else."""

    policy = ALONE

    async def get(self, name: str) -> None:
        """The page, from memory; the first visitor ever waits until it is made."""
        page = await self.house.showcase.page(name)
        if page is None:
            raise HTTPError(404)
        plain, zipped, tag = page
        self.set_header("Content-Type", "text/html; charset=utf-8")
        _send(self, plain, zipped, tag)


class AssetFile(Base):
    """A widget's script, style sheet or table, by the name of its content."""

    def get(self, name: str) -> None:
        """The file, to be kept for good."""
        asset = self.house.assets.find(name)
        if asset is None:
            raise HTTPError(404)
        self.set_header("Content-Type", asset.type)
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")
        _send(self, asset.plain, asset.zipped, name)


class Fixed(Base):
    """The app's own style sheet and scripts, and the demos' pictures: these names and no others."""

    def get(self, name: str) -> None:
        """The file."""
        found = self.house.files.get(name)
        if found is None:
            raise HTTPError(404)
        kind, plain, zipped, tag = found
        self.set_header("Content-Type", kind)
        self.set_header("Cache-Control", "private, max-age=600")
        _send(self, plain, zipped, tag)


def _send(handler: Base, plain: bytes, zipped: bytes | None, tag: str) -> None:
    handler.set_header("Etag", f'"{tag}"')
    handler.set_header("Vary", "Accept-Encoding")
    if handler.check_etag_header():
        handler.set_status(304)
        handler.finish()
        return
    if zipped is not None and "gzip" in handler.request.headers.get("Accept-Encoding", ""):
        handler.set_header("Content-Encoding", "gzip")
        handler.finish(zipped)
        return
    handler.finish(plain)


class Health(Base):
    """For whoever runs the server: how many kernels and seats there are."""

    def get(self) -> None:
        """Two numbers and the limit."""
        self.set_header("Cache-Control", "no-store")
        house = self.house
        self.finish({"kernels": house.kernels(), "seats": len(house.seats), "limit": house.seats.limit})


class Moved(Base):
    """The addresses that Voila would have."""

    def get(self, name: str) -> None:
        """To the lesson, or to the front."""
        known = name in self.house.lessons_by_name
        self.redirect(f"{self.house.base}lessons/{name}.ipynb" if known else self.house.base)


class Nothing(Base):
    """Everything else."""

    def prepare(self) -> None:
        """Nothing is here, whoever asks and however."""
        super().prepare()
        raise HTTPError(404)


class Live(Base, WebSocketHandler):
    """A page's line to its own kernel. The seat's name, which only the page knows, is the key."""

    def check_origin(self, origin: str) -> bool:
        """Only pages of this very server."""
        return urlsplit(origin).netloc.lower() == self.request.headers.get("Host", "").lower()

    async def open(self, name: str, seat: str) -> None:
        """Take the seat."""
        self.seat, self._over, self._unwritten = seat, False, 0
        self.visit = self.house.arrive(name, seat, self)
        if self.visit is None:
            self.tell({"kind": "gone"})
            self.end(4404)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the page, if it is still there."""
        if self._over:
            return
        if self._unwritten > MOST_UNWRITTEN:
            self.end(1013)
            return
        text = json.dumps(message, allow_nan=False)
        with contextlib.suppress(WebSocketClosedError):
            writing = self.write_message(text)
            self._unwritten += len(text)
            writing.add_done_callback(lambda done: self._written(done, len(text)))

    def end(self, code: int) -> None:
        """Hear and say no more; what still arrives is for nobody."""
        self._over = True
        self.close(code)

    def on_message(self, message: str | bytes) -> None:
        """Hear the page: "wake", or something for a widget."""
        if self.visit is None or self._over:
            return
        if not self.visit.allows(message):
            self.end(4429)
        elif message in GREETINGS:
            self.house.wake(self.seat, back=message == "back")
        else:
            try:
                self.visit.hear(message)
            except Refused:
                self.tell({"kind": "refused"})

    def on_close(self) -> None:
        """The tab is closed, or the line is broken: its kernel waits a little, in case it comes back."""
        if getattr(self, "visit", None) is not None:
            self.house.leave(self.seat, self)

    def _written(self, writing: asyncio.Future[None], size: int) -> None:
        """A page that left while it was spoken to is no mistake."""
        self._unwritten -= size
        if not writing.cancelled():
            writing.exception()


def routes(house: House) -> list[tuple[str, type[Base], dict[str, Any]]]:
    """Every address there is."""
    with_house = {"house": house}
    lesson = r"([0-9a-z/-]{1,60})"
    return [
        (re.escape(house.base[:-1]) + pattern, handler, with_house)
        for pattern, handler in [
            (r"/", Landing),
            (rf"/lessons/{lesson}\.ipynb", Lesson),
            (rf"/lessons/{lesson}/shown", Shown),
            (rf"/lessons/{lesson}/live/([A-Za-z0-9_-]{{10,60}})", Live),
            (r"/demos/([0-9a-z-]{1,60})(?:\.html)?", Demo),
            (r"/assets/([0-9a-f]{20}\.(?:js|css|json))", AssetFile),
            (r"/files/([0-9a-z_.-]{1,80})", Fixed),
            (r"/health", Health),
            (rf"/voila/render/{lesson}\.ipynb", Moved),
            (r".*", Nothing),
        ]
    ]


def fixed_files() -> dict[str, Any]:
    """The files below ``static``, read once."""
    return {path.name: (CONTENT[path.suffix], path.read_bytes()) for path in (HERE / "static").iterdir()}
