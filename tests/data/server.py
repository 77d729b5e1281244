"""A file server on this machine that can misbehave as servers and networks do."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Files:
    """What the server gives, how it behaves, and what it was asked."""

    def __init__(self, **contents: bytes) -> None:
        self.contents = contents
        self.breaks_after: int | None = None  # bytes of an answer before the connection ends
        self.knows_ranges = True
        self.states_length = True
        self.answers: int | None = None  # a status instead of the file
        self.address = ""
        self.ranges: list[str | None] = []

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@contextmanager
def serving(files: Files) -> Iterator[Files]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self, files)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is part of the tests

    server = Server(("127.0.0.1", 0), Handler)
    files.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answer(request: BaseHTTPRequestHandler, files: Files) -> None:
    span = request.headers.get("Range")
    files.ranges.append(span)
    content = files.contents.get(request.path.strip("/"))
    if files.answers or content is None:
        request.send_error(files.answers or 404)
        return
    first = int(span.removeprefix("bytes=").rstrip("-")) if span and files.knows_ranges else 0
    if first and first >= len(content):
        request.send_error(416)
        return
    request.send_response(206 if first else 200)
    if first:
        request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
    if files.states_length:
        request.send_header("Content-Length", str(len(content) - first))
    request.end_headers()
    body = content[first:]
    request.wfile.write(body if files.breaks_after is None else body[: files.breaks_after])
    request.close_connection = True
