"""Real servers and a real browser, for every test that presses and reads.

`lab` and `voila` are servers on a folder of their own; write notebooks there with `write_notebook`. `page`
is a fresh Chromium page that fails its test on any console error. `artifacts` is where screenshots go.

A kernel with torch takes 0.6 GB and more, so nothing outlives its need: a test's pages are closed after it,
the kernels that nobody is connected to end, and servers end with the file of tests that started them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
# Noise that servers make without any widget: Lab asks for files that a fresh folder does not have.
# And anywidget's where a busy machine kept a script for two seconds: test_hearing.py shows it does no harm.
HARMLESS = (
    *("favicon", "/api/workspaces", "/lab/api/settings", "the server responded with a status of 404"),
    "[anywidget] Failed to initialize model.",
)


@dataclass(frozen=True)
class Server:
    """A running server: its name, its address, the folder whose notebooks it serves, and its process."""

    name: str
    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def end_kernels_left_alone(self) -> None:
        """End those whose page is closed. Voila shows no list of them: it is told to look by itself."""
        if self.name != "lab":
            return
        with urllib.request.urlopen(f"{self.url}/api/kernels", timeout=PATIENCE_S) as answer:
            kernels = json.load(answer)
        for kernel in kernels:
            if not kernel["connections"]:
                request = urllib.request.Request(f"{self.url}/api/kernels/{kernel['id']}", method="DELETE")
                urllib.request.urlopen(request, timeout=PATIENCE_S).close()

    def end(self) -> None:
        """Ask it to end, and see to it; its kernels end with it."""
        self.process.terminate()
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def page_of(self, notebook: str, theme: str = "light") -> str:
        """The address that shows a notebook."""
        if self.name == "lab":
            return f"{self.url}/lab/tree/{notebook}?reset"
        return f"{self.url}/voila/render/{notebook}?theme={theme}"


def missing(reason: str) -> None:
    """Skip, with the reason; under CI what is missing is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(folder: Path) -> dict[str, str]:
    """Settings, workspaces and run files of its own, so that no test sees a person's JupyterLab."""
    own = {
        name: str(folder / ".jupyter" / name.lower())
        for name in (
            "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR",
            "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR", "COURSEKIT_HOME",
        )
    }  # fmt: skip
    return {**os.environ, **own, "JUPYTER_PLATFORM_DIRS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def servers() -> Iterator[list[Server]]:
    """Those that run for this file of tests."""
    running: list[Server] = []
    yield running
    for server in running:
        server.end()


@pytest.fixture(scope="module")
def serve(servers: list[Server], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Server]:
    """Start a server: "lab", "voila" or the course's own "app"; more arguments are passed on."""

    def start(name: str, *more: str) -> Server:
        folder = tmp_path_factory.mktemp(name)
        port = free_port()
        decline_news(folder)
        log = (folder / f"{name}.log").open("wb")
        command = {"lab": lab_command, "voila": voila_command, "app": app_command}[name](folder, port)
        around = environment(folder)
        if name == "lab":  # as `coursekit lab` opens it
            around["JUPYTER_CONFIG_PATH"] = str(ROOT / "coursekit" / "jupyter_config")
        if name == "app":
            around["COURSEKIT_FAST"] = "1"  # whole lessons are visited there: training is cut to a second
        process = subprocess.Popen(
            [*command, *more], cwd=folder, env=around, stdout=log, stderr=subprocess.STDOUT
        )
        servers.append(Server(name, f"http://127.0.0.1:{port}", folder, process))
        wait_until_up(f"http://127.0.0.1:{port}/", process, folder / f"{name}.log")
        return servers[-1]

    return start


def decline_news(folder: Path) -> None:
    """Answer Lab's question about news, whose box would cover what a test clicks."""
    settings = folder / ".jupyter" / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}'
    )


def lab_command(folder: Path, port: int) -> list[str]:
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [
        sys.executable, "-m", "jupyterlab", "--no-browser",
        "--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.expose_app_in_browser=True", "--ServerApp.disable_check_xsrf=True", *root,
    ]  # fmt: skip


def voila_command(folder: Path, port: int) -> list[str]:
    return [
        sys.executable, "-m", "voila", str(folder), "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1",
        # What nbgrader brings needs a whole JupyterLab.
        "--VoilaConfiguration.extension_denylist=['@jupyter/nbgrader', '@jupyter-notebook/lab-extension']",
        "--VoilaConfiguration.allow_theme_override=YES",
        "--MappingKernelManager.cull_idle_timeout=20", "--MappingKernelManager.cull_interval=5",
    ]  # fmt: skip


def app_command(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "coursekit", "app", "--no-browser", "--port", str(port)]


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"The server did not start:\n{log.read_text(errors='replace')[-3000:]}")


@pytest.fixture(scope="module")
def lab(serve: Callable[..., Server]) -> Server:
    return serve("lab")


@pytest.fixture(scope="module")
def voila(serve: Callable[..., Server]) -> Server:
    return serve("voila")


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., str]:
    """``write_notebook(server, "name.ipynb", "code of a cell", …)`` gives the name."""

    def write(server: Server, name: str, *cells: str) -> str:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(book, server.folder / name)
        return name

    return write


@pytest.fixture(scope="module")
def contexts() -> Iterator[list[Any]]:
    """What `open_page` opened and nobody closed yet."""
    opened: list[Any] = []
    yield opened
    for context in opened:
        context.close()


@pytest.fixture(scope="module")
def open_page(browser: Any, contexts: list[Any]) -> Callable[..., Any]:
    """``open_page(width=1200, theme="light")``: a page whose console errors are in ``page.errors``."""

    def open_one(width: int = 1200, height: int = 900, theme: str = "light", **options: Any) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            reduced_motion="no-preference",
            **options,
        )
        contexts.append(context)
        # Tests reach nothing outside; Voila's own template asks a network for an icon font.
        context.route(lambda url: "127.0.0.1" not in url and url.startswith("http"), answer_with_nothing)
        page = context.new_page()
        page.errors = []
        page.on("pageerror", lambda error: note(page, str(error)))
        page.on("console", lambda message: note_message(page, message))
        return page

    return open_one


@pytest.fixture(autouse=True)
def tidied(contexts: list[Any], servers: list[Server]) -> Iterator[None]:
    """Close the pages that a test opened; those of a whole file were there before it and stay."""
    before = len(contexts)
    yield
    while len(contexts) > before:
        contexts.pop().close()
    for server in servers:
        server.end_kernels_left_alone()


def answer_with_nothing(route: Any) -> None:
    route.fulfill(status=200, content_type="text/css", body="")


def note_message(page: Any, message: Any) -> None:
    if message.type == "error":
        note(page, f"{message.text} {message.location.get('url', '')}")


def note(page: Any, text: str) -> None:
    if not any(harmless in text for harmless in HARMLESS):
        page.errors.append(text)


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Iterator[Any]:
    """A page of 1200 x 900 whose console errors fail the test."""
    one = open_page()
    yield one
    errors = one.errors
    one.context.close()
    assert not errors, errors


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where screenshots go; git ignores it."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def show() -> Callable[..., None]:
    """``show(page, server, notebook, ".selector")``: open a notebook, run it all, wait for what it shows."""

    def open_and_run(page: Any, server: Server, notebook: str, selector: str, theme: str = "light") -> None:
        page.goto(server.page_of(notebook, theme), wait_until="domcontentloaded", timeout=PATIENCE_S * 1000)
        if server.name == "lab":
            run_all(page, selector, theme)
        page.locator(selector).first.wait_for(timeout=PATIENCE_S * 1000)

    return open_and_run


def run_all(page: Any, selector: str, theme: str) -> None:
    """Lab says that a kernel is idle before it takes work, and drops an early run: ask until it shows."""
    page.wait_for_function(
        "window.jupyterapp && document.querySelector('.jp-Notebook')", timeout=PATIENCE_S * 1000
    )
    # Lab remembers the theme of the test before, so the light one has to be asked for too.
    page.evaluate(
        f"jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme.title()}'}})"
    )
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    # Before there is a kernel, running asks for one in a dialog that then hides everything.
    kernel = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=PATIENCE_S * 1000)
    prompts = "[...document.querySelectorAll('.jp-InputPrompt')].map((one) => one.textContent).join()"
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and not page.evaluate(f"/[*\\d]/.test({prompts})"):
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_timeout(2500)
    page.locator(selector).first.wait_for(timeout=PATIENCE_S * 1000)
    page.wait_for_function(f"!/[*]/.test({prompts})", timeout=PATIENCE_S * 1000)
