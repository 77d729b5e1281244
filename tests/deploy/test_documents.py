"""What the READMEs and the unit file of `deploy/` say is what there is."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

import pytest

from coursekit.cli import _parser
from tests.deploy.machine import ROOT

DEPLOY = ROOT / "deploy"
HUB, APP = DEPLOY / "jupyterhub", DEPLOY / "voila"
READMES = [HUB / "README.md", APP / "README.md"]
PORTS = {"8867", "8868"}
FOUND_NOWHERE_ELSE = re.compile(
    r"/(?:(?:root|tmp|work)/|home/(?!jovyan))|pypi\.|npmjs\.|mirror", re.IGNORECASE
)


def unit() -> configparser.SectionProxy:
    """The service's section; settings that stand twice are read once."""
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str  # type: ignore[assignment, method-assign]
    read.read(APP / "course-app@.service", encoding="utf-8")
    return read["Service"]


def test_the_worker_is_started_with_options_that_there_are() -> None:
    python, *command = shlex.split(unit()["ExecStart"].replace("%i", "8867"))
    assert python == "/opt/course/.venv/bin/python"
    assert command[:3] == ["-m", "coursekit", "app"]
    asked = _parser().parse_args(command[2:])
    assert (asked.port, asked.no_browser, asked.host) == (8867, True, ["course.example.org"])
    assert asked.ip == "127.0.0.1", "the proxy is the one way in"
    assert asked.max_kernels > 0


def test_the_unit_gives_no_more_than_is_needed() -> None:
    service = unit()
    for setting in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert service[setting] == "yes"
    assert [service["ProtectSystem"], service["IPAddressDeny"]] == ["strict", "any"]
    assert f"COURSEKIT_HOME=/var/lib/{service['StateDirectory']} " in service["Environment"]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_both_proxies_know_the_same_workers_and_the_same_host(name: str) -> None:
    text = (APP / name).read_text(encoding="utf-8")
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == PORTS
    assert "course.example.org" in text
    assert "course_worker" in text


def test_the_readme_starts_the_workers_that_the_proxies_know() -> None:
    assert set(re.findall(r"--now course-app@(\d+) ", READMES[1].read_text(encoding="utf-8"))) == PORTS


def test_every_setting_of_the_hub_is_explained_and_every_explained_one_is_read() -> None:
    sources = [*HUB.glob("*.py"), ROOT / "tests" / "deploy" / "test_jupyterhub.py"]
    read = {
        name
        for path in sources
        for name in re.findall(r"COURSE_HUB_[A-Z]+", path.read_text(encoding="utf-8"))
    }
    rows = re.findall(r"^\| `(COURSE_HUB_[A-Z]+)`", READMES[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert set(rows) == read - {"COURSE_HUB_TEST"}
    assert len(rows) == len(set(rows))


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        file, _, heading = target.partition("#")
        assert (path.parent / file).exists(), target
        headings = {
            re.sub(r"[^\w -]", "", line).replace(" ", "-").lower()
            for line in re.findall(r"^#+ (.+)", text, re.M)
        }
        assert not heading or heading in headings, target
    for script in re.findall(r"`(tests/[\w/]+\.py)`", text):
        assert (ROOT / script).is_file(), script


def test_nothing_that_is_deployed_names_a_machine_or_a_registry() -> None:
    for path in (*HUB.rglob("*"), *APP.rglob("*")):
        if path.is_file() and not {"node_modules", "__pycache__"} & set(path.parts):
            found = FOUND_NOWHERE_ELSE.search(path.read_text(encoding="utf-8"))
            assert not found, f"{path.name}: {found and found[0]}"
