"""The shipped nginx and Caddy configurations before two real workers of the web app."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.machine import PATIENCE_S, ROOT, free_ports, missing, reaches, wait_for

DEPLOY = ROOT / "deploy" / "voila"
HOST = "course.example.org"
PLACES = {"first": 3, "second": 5}  # a worker is known by how many places it says that it has
PAGE = "/lessons/play/grid-explorer.ipynb"
pytestmark = pytest.mark.slow


class Proxy:
    """A proxy that runs before two workers."""

    def __init__(self, address: str) -> None:
        self.address = address

    def visitor(self) -> Any:
        """Somebody with a new browser, who reaches the proxy under the name of the course."""
        import requests

        browser = requests.Session()
        browser.headers["Host"] = HOST
        browser.trust_env = False
        return browser

    def worker_of(self, browser: Any) -> str:
        """Which worker answers this browser."""
        answer = browser.get(f"{self.address}/health", timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        (name,) = (name for name, places in PLACES.items() if places == answer.json()["limit"])
        return name

    def visitor_of(self, worker: str) -> Any:
        """A visitor whom the proxy has given this worker."""
        for _ in range(64):
            browser = self.visitor()
            if self.worker_of(browser) == worker:
                return browser
        raise AssertionError(f"none of 64 visitors was given the {worker} worker")


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """The ports of two workers, started as the unit file starts them."""
    if not any(map(program_of, KINDS)):
        missing("needs nginx (apt install nginx)")
    home = tmp_path_factory.mktemp("app")
    started: dict[str, Any] = {}
    ports = dict(zip(PLACES, free_ports(len(PLACES)), strict=True))
    own = {"COURSEKIT_HOME": str(home), "PYTHONPATH": str(ROOT), "COURSEKIT_FAST": "1"}
    try:
        for name, port in ports.items():
            command = [
                sys.executable, "-m", "coursekit", "app", "--no-browser", "--lazy", "--port", str(port),
                "--host", HOST, "--max-kernels", str(PLACES[name]),
            ]  # fmt: skip
            with (home / f"{name}.log").open("wb") as log:
                started[name] = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
        for name, port in ports.items():
            health, worker = f"http://127.0.0.1:{port}/health", started[name]
            up = lambda at=health, of=worker: of.poll() is not None or reaches(at)  # noqa: E731
            wait_for(up, f"the {name} worker answers")
            assert worker.poll() is None, (home / f"{name}.log").read_text()
        yield ports
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            process.wait(timeout=60)


def program_of(kind: str) -> str | None:
    """Where nginx or Caddy is: named by COURSE_NGINX or COURSE_CADDY, else where systems have it."""
    named = os.environ.get(f"COURSE_{kind.upper()}")
    return named or shutil.which(kind, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")


def nginx(folder: Path, port: int, workers: dict[str, int]) -> list[str]:
    """The command of an nginx with the shipped file; only ports, host name's port and log differ."""
    program = program_of("nginx")
    if program is None:
        missing("needs nginx (apt install nginx)")
    shipped = (DEPLOY / "nginx.conf").read_text()
    changed = replaced(
        shipped,
        {
            "listen 80;": f"listen 127.0.0.1:{port};",
            "127.0.0.1:8867": f"127.0.0.1:{workers['first']}",
            "127.0.0.1:8868": f"127.0.0.1:{workers['second']}",
            "/var/log/nginx/course.log": str(folder / "course.log"),
            "/var/log/nginx/course-error.log": str(folder / "course-error.log"),
        },
    )
    (folder / "course.conf").write_text(changed)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ {places}\ninclude {folder}/course.conf; }}\n"
    )
    command = [
        str(program),
        "-p",
        str(folder),
        "-c",
        str(folder / "nginx.conf"),
        "-e",
        str(folder / "error.log"),
    ]
    tried = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=60)
    assert tried.returncode == 0, tried.stderr
    return command


def caddy(folder: Path, port: int, workers: dict[str, int]) -> list[str]:
    """The command of a Caddy with the shipped file; here without TLS."""
    program = program_of("caddy")
    if program is None:
        pytest.skip("needs caddy (apt install caddy); CI tries nginx only")
    changed = replaced(
        (DEPLOY / "Caddyfile").read_text(),
        {
            f"{HOST} {{": f"http://{HOST}:{port} {{\n\tbind 127.0.0.1",
            "127.0.0.1:8867": f"127.0.0.1:{workers['first']}",
            "127.0.0.1:8868": f"127.0.0.1:{workers['second']}",
        },
    )
    (folder / "Caddyfile").write_text("{\n\tadmin off\n}\n" + changed)
    return [str(program), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the shipped file has no {old!r} any more"
        text = text.replace(old, new)
    return text


KINDS: dict[str, Callable[[Path, int, dict[str, int]], list[str]]] = {"nginx": nginx, "caddy": caddy}


@pytest.fixture(params=KINDS)
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[dict[str, int]], Proxy]]:
    """``start({"first": port, "second": port})`` gives a proxy before these workers, of each kind in turn."""
    running: list[subprocess.Popen] = []
    tmp_path.chmod(0o755)

    def begin(ports: dict[str, int]) -> Proxy:
        (port,) = free_ports(1)
        command = KINDS[request.param](tmp_path, port, ports)
        own = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        with (tmp_path / "proxy.log").open("wb") as log:
            process = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log)
        running.append(process)
        proxy = Proxy(f"http://127.0.0.1:{port}")
        wait_for(lambda: process.poll() is not None or answers(proxy), "the proxy answers")
        assert process.poll() is None, (tmp_path / "proxy.log").read_text()
        return proxy

    yield begin
    for process in running:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def proxy(start: Callable[[dict[str, int]], Proxy], workers: dict[str, int]) -> Proxy:
    return start(workers)


def answers(proxy: Proxy) -> bool:
    import requests

    try:
        return bool(proxy.visitor().get(f"{proxy.address}/health", timeout=10).status_code == 200)
    except requests.ConnectionError:
        return False


def line_of(proxy: Proxy, browser: Any, page: str, as_of: Any = None) -> dict[str, Any]:
    """Open a page's own line to Python as the page does, and return the first thing that it says."""
    import websocket

    seat = json.loads(re.search(r'<script[^>]*id="visit"[^>]*>(.*?)</script>', page, re.DOTALL)[1])["seat"]
    address = proxy.address.replace("http", "ws", 1) + PAGE.replace(".ipynb", f"/live/{seat}")
    cookies = "; ".join(f"{each.name}={each.value}" for each in (as_of or browser).cookies)
    line = websocket.create_connection(
        address, timeout=PATIENCE_S, host=HOST, origin=f"http://{HOST}", cookie=cookies, http_no_proxy=["*"]
    )
    try:
        line.send("wake")
        return dict(json.loads(line.recv()))
    finally:
        line.close()


def test_visitors_are_shared_out_and_stay_with_their_worker(proxy: Proxy) -> None:
    for worker in PLACES:
        browser = proxy.visitor_of(worker)
        assert {proxy.worker_of(browser) for _ in range(12)} == {worker}


def test_a_page_reaches_its_own_python_through_the_proxy(proxy: Proxy) -> None:
    for worker in PLACES:
        browser = proxy.visitor_of(worker)
        page = browser.get(f"{proxy.address}{PAGE}", timeout=PATIENCE_S)
        assert page.status_code == 200
        assert line_of(proxy, browser, page.text)["kind"] != "gone"


def test_the_other_worker_knows_nothing_of_a_page(proxy: Proxy) -> None:
    """Why the cookie is needed: this is what a proxy without it would do to every second visitor."""
    ada, grace = proxy.visitor_of("first"), proxy.visitor_of("second")
    page = ada.get(f"{proxy.address}{PAGE}", timeout=PATIENCE_S)
    assert line_of(proxy, ada, page.text, as_of=grace)["kind"] == "gone"


def test_only_the_host_name_of_the_course_is_answered(proxy: Proxy) -> None:
    import requests

    answer = requests.get(f"{proxy.address}/", headers={"Host": "other.example"}, timeout=PATIENCE_S)
    assert "lessons/" not in answer.text


def test_where_one_worker_is_down_the_other_serves_all(
    start: Callable[..., Proxy], workers: dict[str, int]
) -> None:
    (nobody,) = free_ports(1)
    proxy = start({**workers, "first": nobody})
    assert {proxy.worker_of(proxy.visitor()) for _ in range(12)} == {"second"}
    pinned = proxy.visitor()
    pinned.cookies.set("course_worker", "first")
    assert proxy.worker_of(pinned) == "second"


def test_the_log_of_nginx_holds_no_key(
    workers: dict[str, int], start: Callable[..., Proxy], tmp_path: Path
) -> None:
    proxy = start(workers)
    browser = proxy.visitor()
    page = browser.get(f"{proxy.address}{PAGE}", params={"token": "a-secret"}, timeout=PATIENCE_S).text
    line_of(proxy, browser, page)
    log = tmp_path / "course.log"
    if log.exists():  # Caddy keeps none
        wait_for(lambda: PAGE in log.read_text(), "nginx has written its log")
        assert "a-secret" not in log.read_text()
        assert "/live/" not in log.read_text()
    else:
        assert "a-secret" not in (tmp_path / "proxy.log").read_text()


def test_no_log_holds_a_key_when_a_worker_is_down(
    workers: dict[str, int], start: Callable[..., Proxy], tmp_path: Path
) -> None:
    (nobody,) = free_ports(1)
    proxy = start({**workers, "first": nobody})
    pinned = proxy.visitor()
    pinned.cookies.set("course_worker", "first")
    page = pinned.get(f"{proxy.address}{PAGE}", params={"token": "a-secret"}, timeout=PATIENCE_S)
    assert page.status_code == 200
    for log in tmp_path.rglob("*.log"):
        assert "a-secret" not in log.read_text(), log.name
