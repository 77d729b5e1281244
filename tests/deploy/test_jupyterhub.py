"""A real JupyterHub with its real proxy: three learners at once, each with a record of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from coursekit.exercises import find_exercise
from coursekit.grading.submissions import find_submissions
from coursekit.record import Record
from tests.deploy.classroom import Learner
from tests.deploy.machine import (
    ROOT,
    described,
    free_ports,
    mebibytes,
    missing,
    part_of_the_hub,
    processes_with,
    reaches,
    wait_for,
)

HUB = ROOT / "deploy" / "jupyterhub"
LESSON = "05-learnable-upsampling"
EXERCISE = "transposed-conv"
MARK = "COURSE_HUB_TEST"
PARTS = ("-m jupyterhub -f", "configurable-http-proxy", "jupyterhub.singleuser", "ipykernel_launcher")
PASSWORD = uuid.uuid4().hex
pytestmark = pytest.mark.slow

# What each of them writes into the same cell at the same time, and what it is.
OVERWRITES = """def transposed_conv(x, kernel, stride):
    (H, W), (kh, kw) = x.shape, kernel.shape
    canvas = torch.zeros((H - 1) * stride + kh, (W - 1) * stride + kw)
    for i in range(H):
        for j in range(W):
            canvas[i * stride:i * stride + kh, j * stride:j * stride + kw] = x[i, j] * kernel
    return canvas
"""
ANSWERS = {"ada": find_exercise(EXERCISE).solution, "grace": OVERWRITES, "linus": None}
EXPECTED = {"ada": ["right", None], "grace": ["partial", "overwrite"], "linus": ["not_attempted", None]}

TELL = f"""
import json, os, resource
from coursekit import notebook
_verdict = notebook._session.verdicts[{EXERCISE!r}]
print("TELLS", json.dumps(dict(
    verdict=[_verdict.state, _verdict.diagnosis.id if _verdict.diagnosis else None],
    home=os.environ["HOME"], record=os.environ["COURSEKIT_HOME"], folder=os.getcwd(), user=os.getuid(),
    memory=resource.getrlimit(resource.RLIMIT_DATA)[0], cores=len(os.sched_getaffinity(0)),
)))
"""


@dataclass
class Hub:
    """A hub that runs: its address, its process, its state, and the mark of every process it started."""

    address: str
    process: subprocess.Popen[bytes]
    state: Path
    mark: str

    @property
    def log(self) -> str:
        return (self.state / "hub.log").read_text(errors="replace")

    def home(self, name: str) -> Path:
        return self.state / "homes" / name

    def started(self) -> list[psutil.Process]:
        return processes_with(MARK, self.mark)


@pytest.fixture(scope="module")
def proxy(request: pytest.FixtureRequest) -> str:
    """JupyterHub's own proxy: this machine's or checkout's, else npm puts it into pytest's cache, once."""
    here = HUB / "node_modules" / ".bin" / "configurable-http-proxy"
    found = os.environ.get("COURSE_HUB_PROXY") or shutil.which("configurable-http-proxy")
    if found or here.exists():
        return found or str(here)
    folder = Path(request.config.cache.mkdir("configurable-http-proxy"))
    program = folder / "node_modules" / ".bin" / "configurable-http-proxy"
    lock = (HUB / "package-lock.json").read_bytes()
    if not program.exists() or (folder / "package-lock.json").read_bytes() != lock:
        if shutil.which("npm") is None or shutil.which("node") is None:
            missing("needs node and npm, which bring JupyterHub's proxy (apt install nodejs npm)")
        shutil.copy(HUB / "package.json", folder)
        (folder / "package-lock.json").write_bytes(lock)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            command, cwd=folder, env=_with_certificates(), capture_output=True, text=True, timeout=300
        )
        if done.returncode:
            missing(f"npm cannot install the proxy: {done.stderr[-800:]}")
    return str(program)


def _with_certificates() -> dict[str, str]:
    """Node does not read the system's certificates by itself, and a company's network has its own."""
    system = Path("/etc/ssl/certs/ca-certificates.crt")
    return {**({"NODE_EXTRA_CA_CERTS": str(system)} if system.exists() else {}), **os.environ}


@pytest.fixture(scope="module")
def hub(proxy: str) -> Iterator[Hub]:
    """The shipped configuration, with a login for the test and ports of its own. Nothing else is changed."""
    if find_spec("jupyterhub") is None:
        missing("needs JupyterHub (uv pip install -e '.[hub]' -c constraints.txt)")
    # Not below pytest's folders: only their owner may enter those, and a learner may have another user id.
    state = Path(tempfile.mkdtemp(prefix="course-hub-"))
    state.chmod(0o711)
    outer, inner, api = free_ports(3)
    (state / "learners.txt").write_text("# the class\n" + "\n".join(ANSWERS))
    (state / "config.py").write_text(f"""
load_subconfig({str(HUB / "jupyterhub_config.py")!r})
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {PASSWORD!r}
c.JupyterHub.hub_port = {inner}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.Spawner.env_keep = [*c.Spawner.env_keep, {MARK!r}]
""")
    mark = uuid.uuid4().hex
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    own = {
        MARK: mark,
        "COURSE_HUB_STATE": str(state),
        "COURSE_HUB_LEARNERS": str(state / "learners.txt"),
        "COURSE_HUB_URL": f"http://127.0.0.1:{outer}",
        "COURSE_HUB_PROXY": proxy,
        "COURSE_HUB_CORES": "1",
        "COURSE_HUB_UIDS": "" if reaches_everybody() else "off",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "jupyterhub", "-f", str(state / "config.py")]
    with (state / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=state, env=inherited | own, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    running = Hub(f"http://127.0.0.1:{outer}", process, state, mark)
    try:
        up = lambda: process.poll() is not None or reaches(f"{running.address}/hub/login")  # noqa: E731
        wait_for(up, "the hub answers")
        assert process.poll() is None, running.log[-3000:]
        yield running
    finally:
        stop(running)
        for left in running.started():
            left.kill()
        shutil.rmtree(state, ignore_errors=True)


def reaches_everybody() -> bool:
    """Whether learners with user ids of their own could run this Python and read this checkout."""
    data = os.environ.get("COURSEKIT_DATA")
    paths = [Path(sys.executable), HUB / "learner_server.py", *([Path(data)] if data else [])]
    return not list(part_of_the_hub("course_spawner").closed_to_others(*paths))


def stop(hub: Hub) -> None:
    if hub.process.poll() is None:
        hub.process.send_signal(signal.SIGTERM)
        hub.process.wait(timeout=120)


@pytest.fixture(scope="module")
def told(hub: Hub) -> dict[str, dict[str, Any]]:
    """What each learner's kernel tells after all three worked on lesson 05 at the same time."""
    learners = [Learner(hub.address, name, PASSWORD) for name in ANSWERS]
    with ThreadPoolExecutor(len(learners)) as at_once:
        told = list(at_once.map(work, learners))
    return {
        learner.name: {**tells, "learner": learner} for learner, tells in zip(learners, told, strict=True)
    }


def work(learner: Learner) -> dict[str, Any]:
    """Log in, start the server, open the lesson, answer one exercise, save, and run the check."""
    assert learner.log_in() == 200
    learner.start()
    path = f"lessons/{LESSON}.ipynb"
    book, kernel = learner.open(path)
    cells = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    (cell,) = (cell for cell in cells if cell["source"].startswith(f'@exercise("{EXERCISE}")'))
    answer = ANSWERS[learner.name]
    if answer is not None:
        cell["source"] = f'@exercise("{EXERCISE}")\n{answer}'
    learner.save(path, book)
    kernel.run(cells[0]["source"])
    kernel.run(cell["source"])
    told = json.loads(kernel.run(TELL).partition("TELLS ")[2])
    kernel.close()
    return told


def test_each_learner_gets_the_verdict_on_their_own_answer(told: dict[str, dict[str, Any]]) -> None:
    assert {name: tells["verdict"] for name, tells in told.items()} == EXPECTED


def test_each_learner_has_a_home_and_a_record_of_their_own(hub: Hub, told: dict[str, dict[str, Any]]) -> None:
    for name, tells in told.items():
        home = hub.home(name)
        assert [tells[key] for key in ("home", "record", "folder")] == [
            str(home), str(home / ".coursekit"), str(home / "lessons"),
        ]  # fmt: skip
        assert home.stat().st_mode & 0o077 == 0, "nobody else may enter a home"
        kept = [(row["exercise"], row["state"]) for row in Record(home / ".coursekit").verdicts()]
        assert kept == [(EXERCISE, EXPECTED[name][0])] or EXPECTED[name][0] == "not_attempted", kept


def test_the_answers_lie_in_the_learners_own_copies(hub: Hub, told: dict[str, dict[str, Any]]) -> None:
    texts = {name: (hub.home(name) / "lessons" / f"{LESSON}.ipynb").read_text() for name in told}
    assert len(set(texts.values())) == len(told)
    assert "canvas[i * stride:i * stride + kh" in texts["grace"]


def test_limits_are_in_force_and_learners_are_apart(hub: Hub, told: dict[str, dict[str, Any]]) -> None:
    for name, tells in told.items():
        assert tells["memory"] == 3 << 30
        assert tells["cores"] == 1
        assert tells["user"] == hub.home(name).stat().st_uid
    if os.geteuid() == 0 and reaches_everybody():
        assert len({tells["user"] for tells in told.values()} - {0}) == len(told)


def test_a_learner_cannot_use_the_server_of_another(told: dict[str, dict[str, Any]]) -> None:
    ada: Learner = told["ada"]["learner"]
    assert ada.ask("GET", "contents/lessons").status_code == 200
    assert ada.ask("GET", "contents/lessons", of="grace").status_code in (403, 404)
    ada.token = ""
    assert ada.ask("GET", "contents/lessons").status_code in (403, 404)


def test_nobody_outside_the_list_comes_in(hub: Hub) -> None:
    assert Learner(hub.address, "mallory", PASSWORD).log_in() == 403
    assert Learner(hub.address, "ada", PASSWORD + "x").log_in() == 403
    assert not hub.home("mallory").exists()


def test_the_homes_are_what_the_grader_takes(hub: Hub, told: dict[str, dict[str, Any]]) -> None:
    found, left_out = find_submissions([hub.state / "homes"])
    assert {one.learner for one in found} == set(told)
    of_the_lesson = [one for one in found if LESSON in one.file]
    assert {one.file for one in of_the_lesson} == {f"{name}/lessons/{LESSON}.ipynb" for name in told}
    assert all(one.read().content for one in of_the_lesson)
    assert left_out == []


def test_stopping_the_hub_leaves_no_process(
    hub: Hub, told: dict[str, dict[str, Any]], record_testsuite_property: Callable[[str, object], None]
) -> None:
    started = hub.started()
    before = described(started)
    for part in PARTS:
        record_testsuite_property(
            f"MiB of {part}", [mebibytes(each) for each in started if part in described([each])]
        )
    for part in PARTS:
        assert part in before
    assert before.count("ipykernel_launcher") == len(told), before
    assert before.count("jupyterhub.singleuser") == len(told), before
    stop(hub)
    wait_for(lambda: not hub.started(), "no process of the hub is left", seconds=30)
    assert "Traceback" not in hub.log, hub.log[-3000:]
