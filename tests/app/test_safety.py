"""What a visitor may try, and what we answer: the table in deploy/voila/SAFETY.md, asked of a running server.

What stock Voila answers stands beside it, and is asked of a running Voila too.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.testing import bind_unused_port

from tests.app.served import PATIENCE_S, WIDGETS, Served, run_async, write_lesson

DOCUMENT = Path(__file__).parents[2] / "deploy" / "voila" / "SAFETY.md"
NO_KERNEL = "00000000-0000-0000-0000-000000000000"
EVIL = {"Host": "evil.example"}


@dataclass(frozen=True)
class Try:
    """One thing to try: at our app, and the same at stock Voila where it has another address."""

    what: str
    path: str
    ours: int
    stock: int | None = None
    stock_path: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)

    def row(self) -> str:
        stock = "no such address" if self.stock is None else str(self.stock)
        return f"| {self.what} | {self.method} {self.path} | {self.ours} | {stock} |"


LESSON, STOCKS = "/lessons/00-one.ipynb", "/voila/render/00-one.ipynb"
TRIED = [
    Try("the front page", "/", 200, 200),
    Try("a lesson", LESSON, 200, 200, STOCKS),
    Try("a demo without Python", "/demos/grid-explorer", 200),
    Try("Voila's address of a lesson", STOCKS, 302),
    Try("a list of kernels", "/api/kernels", 404, 404),
    Try("to start a kernel", "/api/kernels", 404, 404, method="POST"),
    Try("a kernel by its id", f"/api/kernels/{NO_KERNEL}", 404, 404),
    Try("a kernel's channels", f"/api/kernels/{NO_KERNEL}/channels", 404, 404),
    Try("to end a kernel", f"/api/kernels/{NO_KERNEL}", 404, 403, method="DELETE"),
    Try("to end a kernel, Voila's way", f"/voila/api/shutdown/{NO_KERNEL}", 404, 403, method="POST"),
    Try("a listing of the folder", "/voila/api/contents/", 404, 200),
    Try("a listing of the folder, as a page", "/voila/tree/", 404, 200),
    Try("a notebook as a file", "/voila/files/00-one.ipynb", 404, 403),
    Try("a file beside the lessons", "/files/secret.txt", 404, 403, "/voila/files/secret.txt"),
    Try("a picture beside the lessons", "/files/private.png", 404, 200, "/voila/files/private.png"),
    Try("a file two folders up", "/files/../../secret.txt", 404, 403, "/voila/files/../../secret.txt"),
    Try("the same, encoded", "/files/..%2f..%2fsecret.txt", 404, 403, "/voila/files/..%2f..%2fsecret.txt"),
    Try(
        "the same, encoded twice",
        "/files/..%252f..%252fsecret.txt",
        404,
        403,
        "/voila/files/..%252f..%252fsecret.txt",
    ),
    Try(
        "the same, the other slash",
        "/files/..%5c..%5csecret.txt",
        404,
        403,
        "/voila/files/..%5c..%5csecret.txt",
    ),
    Try("an absolute path", "/files//etc/passwd", 404, 403, "/voila/files//etc/passwd"),
    Try("a path with a null", "/files/look.css%00.png", 404, 500, "/voila/files/look.css%00.png"),
    Try(
        "a lesson two folders up", "/lessons/../../secret.ipynb", 404, 404, "/voila/render/../../secret.ipynb"
    ),
    Try(
        "the same, encoded",
        "/lessons/..%2f..%2fsecret.ipynb",
        404,
        404,
        "/voila/render/..%2f..%2fsecret.ipynb",
    ),
    Try("a demo that is a path", "/demos/..%2fapp%2fserver.py", 404),
    Try("an asset that is a path", "/assets/..%2fserver.py", 404),
    Try("an asset that nobody made", "/assets/00000000000000000000.js", 404),
    Try("the front page under another name", "/", 403, 200, headers=EVIL),
    Try("a lesson under another name", LESSON, 403, 200, STOCKS, headers=EVIL),
    Try("to send a form", LESSON, 405, 403, STOCKS, method="POST"),
    Try(
        "a template of another's choice", f"{LESSON}?template=../../x", 200, 500, f"{STOCKS}?template=../../x"
    ),
]
TELLING = re.compile(r"Traceback|File \"|/site-packages|coursekit/app|/tmp/|/etc/|/root|/home|tornado", re.I)


def test_what_is_tried_and_what_we_answer(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for each in TRIED:
            got = await served.get(each.path, each.method, **each.headers)
            body = (got.body or b"").decode()
            assert got.code == each.ours, each.what
            assert "not for visitors" not in body, each.what
            assert not TELLING.search(body.split("<main")[-1]) or got.code == 200, each.what
            assert "Server" not in got.headers, each.what
            served.house.seats.limit += 1  # each page took one

    serving(test)


def test_the_table_is_written_down() -> None:
    missing = [each.row() for each in TRIED if each.row() not in DOCUMENT.read_text(encoding="utf-8")]
    assert not missing, "\n".join(missing)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Voila as it comes, on lessons like those of our tests."""
    if not version("voila").startswith("0.5."):
        pytest.skip("the table tells of Voila 0.5")
    folder = tmp_path_factory.mktemp("stock") / "lessons"
    write_lesson(folder, "00-one", WIDGETS)
    (folder / "secret.txt").write_text("not for visitors")
    (folder / "private.png").write_bytes(b"not for visitors")
    sockets, port = bind_unused_port()
    sockets.close()
    command = ["-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    log = (folder.parent / "voila.log").open("wb")
    process = subprocess.Popen([sys.executable, *command], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}"
    try:
        run_async(_up(url, process))
        yield url
    finally:
        process.terminate()
        process.wait(timeout=60)
        log.close()


async def _up(url: str, process: subprocess.Popen[bytes]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while process.poll() is None:
            try:
                await asyncio.to_thread(lambda: urlopen(url, timeout=PATIENCE_S).close())
                return
            except URLError:
                await asyncio.sleep(0.2)
    pytest.fail("stock Voila did not start")


async def _stock_answer(url: str, each: Try) -> tuple[int, str]:
    body = "" if each.method in ("POST", "PUT") else None
    request = HTTPRequest(
        url + (each.stock_path or each.path),
        method=each.method,
        headers=each.headers,
        body=body,
        follow_redirects=False,
        request_timeout=PATIENCE_S,
    )
    got = await AsyncHTTPClient().fetch(request, raise_error=False)
    return got.code, (got.body or b"").decode(errors="replace")


@pytest.mark.slow
def test_what_stock_voila_answers(stock: str) -> None:
    async def ask() -> dict[str, int]:
        asked = [each for each in TRIED if each.stock is not None]
        return {f"{each.what} {each.path}": (await _stock_answer(stock, each))[0] for each in asked}

    expected = {f"{each.what} {each.path}": each.stock for each in TRIED if each.stock is not None}
    assert run_async(ask()) == expected


def test_pages_may_load_nothing_from_elsewhere(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        for path in ("/", "/lessons/00-one.ipynb", "/demos/grid-explorer", "/nothing"):
            got = await served.get(path)
            policy = got.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'")
            assert "http" not in policy
            assert got.headers["X-Content-Type-Options"] == "nosniff"

    serving(test)


@pytest.mark.parametrize(
    ("how", "path", "headers", "answer"),
    [
        ("without", "/", {}, 401),
        ("without, a lesson", "/lessons/00-one.ipynb", {}, 401),
        ("without, a demo", "/demos/grid-explorer", {}, 401),
        ("without, an address that is none", "/nothing", {}, 401),
        ("a wrong one", "/?token=wrong", {}, 401),
        ("an empty one", "/?token=", {}, 401),
        ("a wrong cookie", "/", {"Cookie": "coursekit-token=s3cret"}, 401),
        ("the right one", "/?token=s3cret", {}, 200),
    ],
)
def test_a_token_is_asked_for(
    serving: Callable[..., None], how: str, path: str, headers: dict[str, str], answer: int
) -> None:
    async def test(served: Served) -> None:
        got = await served.get(path, **headers)
        assert got.code == answer, how
        if answer == 200:
            cookie = got.headers["Set-Cookie"].split(";")[0]
            assert "s3cret" not in cookie
            assert (await served.get("/lessons/00-one.ipynb", Cookie=cookie)).code == 200
        with pytest.raises(HTTPClientError, match="401"):
            await served.line("00-one", "A" * 32)

    serving(test, token="s3cret")


def test_a_line_is_for_pages_of_ours_with_a_seat(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        seat = await served.seat("00-one")
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{served.port + 1}"):
            with pytest.raises(HTTPClientError, match="403"):
                await served.line("00-one", seat, Origin=origin)
        for name, key in [("00-one", "A" * 32), ("01-broken", "B" * 32)]:
            line = await served.line(name, key)
            while await line.read_message() is not None:
                pass
            assert line.close_code == 4404
        line = await served.line("00-one", seat, Origin=served.url)
        assert line.close_code is None
        assert not served.house.kernels(), "who only opens a page takes no kernel"
        line.close()

    serving(test)


def test_a_seat_of_one_lesson_is_none_of_another(serving: Callable[..., None]) -> None:
    async def test(served: Served) -> None:
        seat = await served.seat("00-one")
        first = await served.line("00-one", seat)
        other = await served.line("01-broken", seat)
        while await other.read_message() is not None:
            pass
        assert other.close_code == 4404
        first.close()

    serving(test)


def test_a_full_house_says_when_to_come_again(serving: Callable[..., None], lessons: Path) -> None:
    async def test(served: Served) -> None:
        taken = [await served.seat("00-one"), await served.seat("01-broken")]
        refused = await served.get("/lessons/00-one.ipynb")
        assert refused.code == 503
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["Refresh"] == refused.headers["Retry-After"]
        assert "All seats are taken" in refused.body.decode()
        assert (await served.get("/demos/grid-explorer")).code == 200
        served.house.seats.leave(taken[0])
        assert (await served.get("/lessons/00-one.ipynb")).code == 200

    serving(test, seats=2)


def test_the_app_is_no_extension_of_a_server() -> None:
    from coursekit import app

    assert not hasattr(app, "_jupyter_server_extension_points")
    assert not hasattr(app, "_load_jupyter_server_extension")
