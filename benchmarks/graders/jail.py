"""Where another grader meets hostile submissions: bubblewrap, no network, everything read-only but a scratch.

The grader runs as a user that nobody is, so that limits on processes hold, and cannot signal what watches it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from coursekit.grading import bubblewrap

DRIVER = Path(__file__).with_name("driver.py")
PORT = 8799
_users = count(0x62000000 + (os.getpid() << 8))


@dataclass(frozen=True)
class Run:
    """What came of one run."""

    told: dict[str, Any]
    said: str

    @property
    def hung(self) -> bool:
        """Whether it had to be ended."""
        return self.told.get("status", 0) is None


def python_home() -> Path:
    """The interpreter that the environments were made with."""
    return Path(sys.base_prefix).resolve()


def site_packages() -> Path:
    """Where this environment's torch lies, which theirs share."""
    import torch

    return Path(torch.__file__).resolve().parents[1]


def run(venv: Path, scratch: Path, command: list[str], seconds: float) -> Run:
    """Run a command of an environment in the jail; `scratch` is seen as ``/scratch``."""
    bwrap = bubblewrap.bubblewrap()
    assert bwrap is not None
    user = next(_users)
    for path in [scratch, *scratch.rglob("*")]:
        os.chown(path, user, user, follow_symlinks=False)
    jail = [
        *(bwrap, "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"),
        *("--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *(
            part
            for one in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL")
            for part in ("--cap-add", one)
        ),
        *("--ro-bind", "/usr", "/usr", "--ro-bind", "/etc", "/etc"),
        *_links(),
        *("--proc", "/proc", "--dev", "/dev", "--size", str(256 << 20), "--tmpfs", "/tmp"),
        *_opened(venv),
        *_opened(python_home()),
        *_opened(site_packages()),
        *("--ro-bind", str(DRIVER), "/driver.py", "--bind", str(scratch), "/scratch", "--chdir", "/scratch"),
        *("--clearenv", *_environment(venv)),
        *("--", f"{venv}/bin/python", "-I", "/driver.py", str(user), str(seconds), str(PORT), *command),
    ]
    done = subprocess.run(
        jail, capture_output=True, text=True, timeout=seconds + 120, check=False, stdin=subprocess.DEVNULL
    )
    line = done.stdout.strip().split("\n")[-1]
    if not line.startswith("{"):
        return Run({"status": -1, "broken": done.stderr[-500:]}, done.stderr[-4000:])
    told = json.loads(line)
    return Run(told, str(told.pop("said")))


def _links() -> list[str]:
    parts = []
    for name in ("bin", "lib", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            parts += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            parts += ["--ro-bind", str(path), str(path)]
    return parts


def _opened(place: Path) -> list[str]:
    """A folder at its own path, below folders that every user may pass."""
    if str(place).startswith("/usr/"):
        return []
    above = [one for one in reversed(place.parents) if one != Path("/")]
    parts = [part for one in above for part in ("--perms", "0755", "--dir", str(one))]
    return [*parts, "--ro-bind", str(place), str(place)]


def _environment(venv: Path) -> list[str]:
    wanted = {
        "PATH": f"{venv}/bin:/usr/bin:/bin", "HOME": "/scratch/home", "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1", "PYTHONPATH": "/scratch/stub", "CANARY_SECRET": "nobody may read this",
        "PYTHONDONTWRITEBYTECODE": "1", "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    return [part for name, value in wanted.items() for part in ("--setenv", name, value)]
