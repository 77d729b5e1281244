"""`coursekit lab` and `coursekit app` as a learner meets them: started, opened, ended with one Ctrl-C."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psutil
import pytest
from websocket import WebSocket, create_connection

from coursekit.checkout import lessons_folder

START_SECONDS = 180
slow = pytest.mark.slow
Serve = Callable[..., "Server"]


class Server:
    """A coursekit command that serves, in a process of its own, with a home of its own."""

    def __init__(self, command: str, home: Path, *more: str) -> None:
        self.port = free_port()
        self.log = home / "server.log"
        arguments = [
            sys.executable,
            "-m",
            "coursekit",
            command,
            "--no-browser",
            "--port",
            str(self.port),
            *more,
        ]
        own = {
            "HOME": str(home),
            "JUPYTER_CONFIG_DIR": str(home / "config"),
            "JUPYTER_DATA_DIR": str(home / "data"),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                arguments,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=inherited | own,
                start_new_session=True,
                preexec_fn=heed_ctrl_c,
            )
        self.address = self._wait_for_the_address()

    def _wait_for_the_address(self) -> str:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            printed = re.search(r"http://\S+", self.said())
            if printed and answers(self.port):
                return printed[0]
            time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{self.said()}")

    def said(self) -> str:
        return self.log.read_text()

    def children(self) -> list[psutil.Process]:
        """Kernels, and what they were forked from."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, how: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def heed_ctrl_c() -> None:
    """Tests that a shell started in the background ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended while we looked
        return False


def visit(app: "Server", lesson: str) -> WebSocket:
    """Open a lesson as a browser does, touch it, and wait until its kernel has started."""
    _, page = get(f"{app.address}lessons/{lesson}")
    seat = json.loads(page.split('id="visit">')[1].split("</script>")[0])["seat"]
    address = f"{app.address}lessons/{lesson.removesuffix('.ipynb')}/live/{seat}".replace("http", "ws", 1)
    line = create_connection(address, timeout=START_SECONDS, origin=app.address.rstrip("/"))
    line.send("wake")
    assert wait_until(lambda: kernels_of(app) == 1, START_SECONDS)
    return line


def kernels_of(app: "Server") -> int:
    return int(json.loads(get(f"{app.address}health")[1])["kernels"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(address: str) -> tuple[int, str]:
    try:
        with urlopen(address, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as refused:
        return refused.code, ""


def wait_until(happened: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.2)
    return happened()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Server] = []

    def start(command: str, *more: str) -> Server:
        started.append(Server(command, tmp_path, *more))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()


@pytest.fixture
def lesson() -> str:
    notebooks = sorted(path.name for path in lessons_folder().glob("*.ipynb"))
    assert notebooks, "there is no lesson to serve"
    return notebooks[0]


@slow
def test_lab_opens_the_lessons_and_ends_with_one_ctrl_c(serve: Serve, lesson: str) -> None:
    lab = serve("lab")
    status, page = get(lab.address)
    assert status == 200
    config = json.loads(re.search(r'id="jupyter-config-data"[^>]*>(.*?)</script>', page, flags=re.DOTALL)[1])
    assert config["news"] == {"disabled": True}
    base, token = lab.address.split("/lab")[0], lab.address.split("token=")[1]
    _, listing = get(f"{base}/api/contents/lessons?token={token}")
    assert lesson in [each["name"] for each in json.loads(listing)["content"]]
    assert get(f"{base}/api/contents/lessons")[0] == 403, "without its token the server must refuse"
    assert lab.end() == 0
    assert "Traceback" not in lab.said()
    assert lab.said().count("http://") == 1, lab.said()


@slow
def test_lab_asks_a_new_learner_about_no_news(serve: Serve) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has no chromium; .ci/run installs it")
        pytest.skip("needs chromium on the path")
    playwright = pytest.importorskip("playwright.sync_api")
    lab = serve("lab")

    def look() -> None:
        with playwright.sync_playwright() as browsers:
            browser = browsers.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(lab.address, timeout=90_000)
            page.get_by_role("listitem", name=re.compile(r"\.ipynb")).first.wait_for(timeout=90_000)
            page.wait_for_timeout(5000)  # where the question came, it came with the page
            assert page.get_by_text("official Jupyter news").count() == 0
            assert page.locator(".Toastify__toast").count() == 0
            browser.close()

    # In a thread: another test of this process may keep a browser open, and Playwright allows one a thread.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(look).result()


@slow
def test_app_shows_the_lessons_and_ends_with_one_ctrl_c(serve: Serve, lesson: str) -> None:
    app = serve("app", "--lazy")
    status, page = get(app.address)
    assert status == 200
    assert f"lessons/{lesson}" in page
    assert app.end() == 0
    assert "Traceback" not in app.said()


@slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ending_the_app_ends_its_kernels(serve: Serve, lesson: str, how: signal.Signals) -> None:
    app = serve("app", "--lazy")
    line = visit(app, lesson)
    assert kernels_of(app) == 1, "a page without a kernel would make this test empty"
    children = app.children()
    assert app.end(how) == 0
    assert wait_until(lambda: not any(map(runs, children)), 30)
    line.close()


@pytest.mark.soak
def test_a_killed_app_leaves_no_kernel_behind(serve: Serve, lesson: str) -> None:
    app = serve("app", "--lazy")
    line = visit(app, lesson)
    children = app.children()
    assert len(children) >= 2
    app.process.kill()
    app.process.wait()
    assert wait_until(lambda: not any(map(runs, children)), 60)
    line.close()
