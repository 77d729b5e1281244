"""A learner as the hub and the lessons meet one: a login, a server of their own, a notebook, a kernel."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.deploy.machine import PATIENCE_S

REQUEST_S = 60


@dataclass
class Learner:
    """A name and a password; `log_in` and `start` bring a token for this learner's own server."""

    hub: str
    name: str
    password: str
    token: str = ""
    browser: Any = field(default=None, repr=False)

    def log_in(self) -> int:
        """Send the login form as a browser does, and return the status of the page behind it."""
        import requests

        self.browser = requests.Session()
        self.browser.get(f"{self.hub}/hub/login", timeout=REQUEST_S)
        form = {"username": self.name, "password": self.password, "_xsrf": self._xsrf()}
        answer = self.browser.post(
            f"{self.hub}/hub/login", params={"next": "/hub/home"}, data=form, timeout=REQUEST_S
        )
        return int(answer.status_code)

    def start(self) -> None:
        """Ask the hub for this learner's server, wait until it is there, and take a token for it."""
        asked = self._ask_hub("POST", f"users/{self.name}/server")
        assert asked.status_code in (201, 202), (asked.status_code, asked.text)
        end = time.monotonic() + PATIENCE_S
        while not self._ready():
            assert time.monotonic() < end, f"the server of {self.name} is not there after {PATIENCE_S} s"
            time.sleep(0.5)
        given = self._ask_hub("POST", f"users/{self.name}/tokens", json={"expires_in": 3600})
        assert given.status_code == 201, given.text
        self.token = given.json()["token"]

    def ask(self, method: str, path: str, of: str = "", **more: Any) -> Any:
        """One request to a Jupyter server: this learner's, or, to see it refused, another's."""
        import requests

        address = f"{self.hub}/user/{of or self.name}/api/{path}"
        key = {"Authorization": f"token {self.token}"}
        return requests.request(method, address, headers=key, timeout=REQUEST_S, **more)

    def open(self, notebook: str) -> tuple[dict[str, Any], Kernel]:
        """The notebook's content and a kernel for it, as a tab of JupyterLab has them."""
        content = self.ask("GET", f"contents/{notebook}", params={"type": "notebook"})
        assert content.status_code == 200, content.text
        request = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
        session = self.ask("POST", "sessions", json=request)
        assert session.status_code == 201, session.text
        return content.json()["content"], Kernel(self, session.json()["kernel"]["id"])

    def save(self, notebook: str, content: dict[str, Any]) -> None:
        """Write the notebook back."""
        saved = self.ask("PUT", f"contents/{notebook}", json={"type": "notebook", "content": content})
        assert saved.status_code == 200, saved.text

    def _ready(self) -> bool:
        server = self._ask_hub("GET", f"users/{self.name}").json()["servers"].get("")
        assert server is not None, f"the server of {self.name} ended before it was there"
        return bool(server["ready"])

    def _ask_hub(self, method: str, path: str, **more: Any) -> Any:
        from_home = {"X-XSRFToken": self._xsrf(), "Referer": f"{self.hub}/hub/home"}
        address = f"{self.hub}/hub/api/{path}"
        return self.browser.request(method, address, headers=from_home, timeout=REQUEST_S, **more)

    def _xsrf(self) -> str:
        return next(cookie.value for cookie in self.browser.cookies if cookie.name == "_xsrf")


class Kernel:
    """A kernel behind the hub's proxy, spoken to through its websocket."""

    def __init__(self, learner: Learner, number: str) -> None:
        import websocket  # Jupyter's server brings it

        self._session = uuid.uuid4().hex
        address = f"{learner.hub.replace('http', 'ws', 1)}/user/{learner.name}/api/kernels/{number}/channels"
        key = {"Authorization": f"token {learner.token}"}
        self._socket = websocket.create_connection(address, header=key, timeout=PATIENCE_S)

    def run(self, code: str) -> str:
        """Run a cell and return what it printed and showed as text; an error fails the test."""
        number = self._send("execute_request", {"code": code, "silent": False, "store_history": True})
        said = []
        while True:
            frame = self._socket.recv()
            if isinstance(frame, bytes):  # a picture for a widget
                continue
            message = json.loads(frame)
            if message["parent_header"].get("msg_id") != number:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "error":
                pytest.fail("\n".join(content["traceback"]))
            if kind == "stream" and content["name"] == "stdout":
                said.append(content["text"])
            if kind in ("display_data", "execute_result"):
                said.append(content["data"].get("text/plain", ""))
            if kind == "status" and content["execution_state"] == "idle":
                return "".join(said)

    def close(self) -> None:
        """Leave; the kernel goes on, as when a tab is closed."""
        self._socket.close()

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        number = uuid.uuid4().hex
        header = {
            "msg_id": number, "msg_type": kind, "session": self._session, "username": "", "version": "5.3",
            "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }  # fmt: skip
        parts = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "buffers": []}
        self._socket.send(json.dumps({**parts, "channel": "shell"}))
        return number
