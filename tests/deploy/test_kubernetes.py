"""The files for Kubernetes say the same as each other, and use only options that the chart has.

The chart refuses a value it does not know, so a slip of the pen would show only on somebody's cluster.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coursekit.checkout import lessons_folder
from tests.deploy.machine import ROOT

HUB = ROOT / "deploy" / "jupyterhub"
VALUES = yaml.safe_load((HUB / "values.yaml").read_text(encoding="utf-8"))
LEARNER = VALUES["singleuser"]
DOCKERFILE = (HUB / "Dockerfile").read_text(encoding="utf-8")

# What the chart of version 4 takes where values.yaml speaks, by its reference. ANY: it takes whatever comes.
ANY = None
OF_THE_CHART: dict[str, Any] = {
    "hub": {
        "config": ANY,
        "concurrentSpawnLimit": int,
        "activeServerLimit": int,
    },
    "proxy": {
        "https": {"enabled": bool, "type": str, "hosts": list, "letsencrypt": {"contactEmail": str}},
    },
    "singleuser": {
        "image": {"name": str, "tag": str, "pullPolicy": str},
        "cmd": list,
        "defaultUrl": str,
        "startTimeout": int,
        "uid": int,
        "fsGid": int,
        "allowPrivilegeEscalation": bool,
        "memory": {"guarantee": str, "limit": str},
        "cpu": {"guarantee": (int, float), "limit": (int, float)},
        "extraEnv": ANY,
        "storage": {
            "type": str,
            "capacity": str,
            "homeMountPath": str,
            "dynamic": {"storageClass": str},
            "extraVolumes": list,
            "extraVolumeMounts": list,
        },
        "extraFiles": ANY,
        "profileList": list,
    },
    "cull": {
        "enabled": bool, "timeout": int, "every": int, "maxAge": int, "users": bool, "adminUsers": bool,
        "concurrency": int, "removeNamedServers": bool,
    },
    "prePuller": {"hook": {"enabled": bool}, "continuous": {"enabled": bool}},
    "scheduling": {"userScheduler": {"enabled": bool}},
}  # fmt: skip
OF_A_PROFILE = {"display_name", "description", "slug", "default", "kubespawner_override", "profile_options"}
OF_KUBESPAWNER = {
    "image", "mem_guarantee", "mem_limit", "cpu_guarantee", "cpu_limit", "extra_resource_limits",
    "extra_resource_guarantees", "node_selector", "tolerations", "environment",
}  # fmt: skip


def unknown(values: Any, known: Any, at: str = "") -> Iterator[str]:
    """The options that the chart does not have, and those of another type."""
    if known is ANY:
        return
    if not isinstance(known, dict):
        if not isinstance(values, known) or (isinstance(values, bool) and known is not bool):
            yield f"{at} is {values!r}"
        return
    if not isinstance(values, dict):
        yield f"{at} is {values!r}"
        return
    for name, value in values.items():
        where = f"{at}.{name}".lstrip(".")
        if name in known:
            yield from unknown(value, known[name], where)
        else:
            yield where


def test_the_chart_has_every_option() -> None:
    assert list(unknown(VALUES, OF_THE_CHART)) == []


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        ({"singleuser": {"memory": {"limits": "3G"}}}, "singleuser.memory.limits"),
        ({"cull": {"timeout": "1h"}}, "cull.timeout is '1h'"),
        ({"singleuser": {"uid": True}}, "singleuser.uid is True"),
        ({"culling": {}}, "culling"),
    ],
)
def test_a_slip_is_found(slip: dict[str, Any], named: str) -> None:
    assert list(unknown(slip, OF_THE_CHART)) == [named]


def test_what_a_class_stands_on_is_there() -> None:
    assert LEARNER["memory"]["guarantee"] == "1G"
    assert LEARNER["memory"]["limit"] == "3G"
    assert VALUES["cull"]["enabled"]
    assert VALUES["cull"]["every"] < VALUES["cull"]["timeout"]
    assert VALUES["hub"]["config"]["Authenticator"]["allowed_users"], (
        "else everybody with an account comes in"
    )
    for name in VALUES["hub"]["config"]:
        assert re.fullmatch(r"[A-Z]\w+", name), "since 4.3 the chart takes only classes here"
    assert not re.search(r"secret|token|password", json.dumps(VALUES), re.IGNORECASE), (
        "these lie in another file"
    )


def test_profiles_are_such_as_kubespawner_takes() -> None:
    first, *others = LEARNER["profileList"]
    assert first["default"] is True
    assert "kubespawner_override" not in first, "what everybody gets is what stands above"
    assert not any(profile.get("default") for profile in others)
    for profile in LEARNER["profileList"]:
        assert set(profile) <= OF_A_PROFILE
        assert set(profile.get("kubespawner_override", {})) <= OF_KUBESPAWNER
    (gpu,) = (profile["kubespawner_override"] for profile in others)
    assert gpu["extra_resource_limits"] == {"nvidia.com/gpu": "1"}
    assert gpu["image"].startswith(f"{LEARNER['image']['name']}:")


def test_the_environment_is_text() -> None:
    for name, value in LEARNER["extraEnv"].items():
        assert isinstance(value, str), f"Kubernetes takes only text for {name}"


def test_the_image_has_what_the_values_name() -> None:
    script = LEARNER["cmd"][1]
    assert script == "/opt/course/" + (HUB / "learner_server.py").relative_to(ROOT).as_posix()
    assert "WORKDIR /opt/course\n" in DOCKERFILE
    assert f"--uid {LEARNER['uid']} " in DOCKERFILE
    assert f"CMD {json.dumps(LEARNER['cmd'])}" in DOCKERFILE
    home = LEARNER["storage"]["homeMountPath"]
    assert (
        DOCKERFILE.count(f"useradd --uid {LEARNER['uid']} --gid users --create-home --shell /bin/bash jovyan")
        == 1
    )
    assert home == "/home/jovyan", "nbgrader takes a learner's name from the hub only for the user jovyan"
    assert f"COURSEKIT_HOME={home}/.coursekit" in DOCKERFILE
    assert LEARNER["extraEnv"]["COURSEKIT_HOME"] == f"{home}/.coursekit"


def test_the_image_runs_as_nobody_special_with_the_small_torch_and_the_hubs_version() -> None:
    users = re.findall(r"^USER (\w+)", DOCKERFILE, re.MULTILINE)
    assert users == ["jovyan"]
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN "), "nothing is installed as the learner"
    assert "ARG TORCH_BACKEND=cpu\n" in DOCKERFILE
    assert "--constraints /opt/constraints.txt" in DOCKERFILE
    (hub,) = re.findall(r"^ARG JUPYTERHUB=([\d.]+)", DOCKERFILE, re.MULTILINE)
    assert f"(JupyterHub {hub})" in (HUB / "values.yaml").read_text(encoding="utf-8").splitlines()[0]


def test_the_image_is_built_from_files_that_are_there_and_not_ignored() -> None:
    ignored = (HUB / "Dockerfile.dockerignore").read_text(encoding="utf-8").split("\n")
    copied = [
        name for line in re.findall(r"^COPY (.*) \./$", DOCKERFILE, re.MULTILINE) for name in line.split()
    ]
    needed = [
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "coursekit",
        "data",
        str(lessons_folder().name),
        "deploy",
    ]
    for name in {*copied, *needed}:
        assert (ROOT / name).exists(), name
        assert name not in ignored


def test_the_exchange_is_one_volume_that_all_may_write_to() -> None:
    claim, job = yaml.safe_load_all((HUB / "exchange-volume.yaml").read_text(encoding="utf-8"))
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    (volume,) = LEARNER["storage"]["extraVolumes"]
    (mount,) = LEARNER["storage"]["extraVolumeMounts"]
    assert volume["name"] == mount["name"]
    pod = job["spec"]["template"]["spec"]
    (opening,) = pod["containers"]
    assert opening["image"] == f"{LEARNER['image']['name']}:{LEARNER['image']['tag']}"
    assert opening["command"][-1] == mount["mountPath"] == opening["volumeMounts"][0]["mountPath"]
    names = {claim["metadata"]["name"], volume["persistentVolumeClaim"]["claimName"]}
    assert names == {pod["volumes"][0]["persistentVolumeClaim"]["claimName"]}


def test_nbgraders_settings_are_python_and_name_the_volume() -> None:
    (file,) = LEARNER["extraFiles"].values()
    assert Path(file["mountPath"]).name == "nbgrader_config.py"
    lines = {ast.unparse(line) for line in ast.parse(file["stringData"]).body}
    (mount,) = LEARNER["storage"]["extraVolumeMounts"]
    assert f"c.Exchange.root = {mount['mountPath']!r}" in lines
    assert "c.ExchangeCollect.check_owner = False" in lines
    assert "c.CourseDirectory.course_id = 'every-pixel'" in lines


def test_the_lock_names_versions_and_no_registry() -> None:
    """Each machine has its own registry; npm checks what it brings against the digests."""
    packages = json.loads((HUB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((HUB / "package.json").read_text(encoding="utf-8"))
    root = packages.pop("")
    assert root["dependencies"] == wanted["dependencies"]
    assert "node_modules/configurable-http-proxy" in packages
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert package["integrity"].startswith("sha512-"), name
