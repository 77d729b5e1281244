"""What runs as the learner: lay the lessons into the home, then become the learner's JupyterLab.

Both ways to serve a class call it, the one machine and Kubernetes, and always as the learner, never as root:
a learner may have put a link where a lesson should lie.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import sys
from pathlib import Path

import coursekit
from coursekit.checkout import home_folder, lessons_folder

HERE = Path(__file__).resolve().parent
REGISTER = "lessons-handed-out.json"


def hand_out(lessons: Path, into: Path, register: Path) -> list[str]:
    """Copy each lesson once; renew a copy that the learner has not touched; never overwrite work.

    Where a lesson has changed and the learner has worked in the old one, the new one is laid beside it, as
    ``NAME.new.ipynb``. A lesson that the learner deleted stays deleted until it changes.

    Returns
    -------
    list of str
        The names of the files that were written.
    """
    handed = read(register)
    written = []
    for source in sorted(lessons.rglob("*.ipynb")):
        name = source.relative_to(lessons).as_posix()
        now = digest(source)
        if ".ipynb_checkpoints" in name or handed.get(name) == now:
            continue
        target = into / name
        if target.is_file() and digest(target) not in (handed.get(name), now):
            target = beside(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        place(source, target)
        handed[name] = now
        written.append(target.relative_to(into).as_posix())
    if written:
        register.parent.mkdir(parents=True, exist_ok=True)
        unfinished = register.with_suffix(".part")
        unfinished.write_text(json.dumps(handed, indent=1), encoding="utf-8")
        unfinished.replace(register)
    return written


def read(register: Path) -> dict[str, str]:
    """The digests of what was handed out; a register that cannot be read counts as none."""
    try:
        return dict(json.loads(register.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def digest(file: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def beside(target: Path) -> Path:
    """A name next to a notebook that nothing has yet."""
    names = (f"{target.stem}.new{'' if number == 1 else f'-{number}'}.ipynb" for number in itertools.count(1))
    return next(each for each in map(target.with_name, names) if not each.exists())


def place(source: Path, target: Path) -> None:
    """Copy whole or not at all, and writable, whatever the original is."""
    unfinished = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, unfinished)
    unfinished.replace(target)


def arguments(home: Path, idle: int) -> list[str]:
    """The server's settings: no questions about news, and nothing that runs on when nobody works."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        *(["--allow-root"] if root else []),  # only where learners are not separated, or in a container
        f"--ServerApp.root_dir={home}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # The web app's Voila is not used here, and no language server is installed: both would cost seconds.
        "--ServerApp.jpserver_extensions=voila.server_extension=False",
        "--ServerApp.jpserver_extensions=jupyter_lsp=False",
        # A kernel that computes is not idle. One that waits is ended even where its tab is still open.
        f"--MappingKernelManager.cull_idle_timeout={idle}",
        f"--MappingKernelManager.cull_interval={max(1, min(300, idle // 4))}",
        "--MappingKernelManager.cull_connected=True",
        f"--ServerApp.shutdown_no_activity_timeout={idle}",
    ]


def settings() -> str:
    """The folders of Jupyter's settings; what an earlier one says counts.

    The course leaves nbgrader's buttons out. ``COURSE_HUB_NBGRADER=1`` brings them back for a class that
    fetches and submits with them.
    """
    with_nbgrader = [HERE / "with_nbgrader"] if os.environ.get("COURSE_HUB_NBGRADER") == "1" else []
    places = [*with_nbgrader, Path(coursekit.__file__).parent / "jupyter_config"]
    return os.pathsep.join(filter(None, [*map(str, places), os.environ.get("JUPYTER_CONFIG_PATH", "")]))


def main() -> None:
    """Prepare the home and turn this process into ``jupyterhub-singleuser``."""
    home = Path.home()
    try:
        hand_out(lessons_folder(), home / "lessons", home_folder() / REGISTER)
    except OSError as problem:  # a full disk must not keep a learner from clearing it
        print(f"The lessons could not be laid out: {problem}", file=sys.stderr, flush=True)
    os.environ["JUPYTER_CONFIG_PATH"] = settings()
    idle = int(os.environ.get("COURSE_HUB_IDLE", "3600"))
    command = [sys.executable, "-m", "jupyterhub.singleuser", *arguments(home, idle), *sys.argv[1:]]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
