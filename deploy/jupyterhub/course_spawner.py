"""Starts each learner's server in a home of its own, under a user id of its own where the hub may do that.

JupyterHub's own local spawner needs an account on the machine for every learner, and its simple one lets
every learner read every other. This one needs no accounts: a home is owned by a number that nobody else has.
"""

from __future__ import annotations

import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner
from traitlets import Integer, Unicode

HERE = Path(__file__).resolve().parent
MOST_PROCESSES = 1024  # threads count too: a server, five kernels with torch and terminals need about 200


class CourseSpawner(LocalProcessSpawner):
    """A learner's JupyterLab as a process of this machine, in ``homes/NAME``.

    Memory and CPU limits hold for each process: `mem_limit` is the data that one process may have, and
    `cpu_limit` the number of cores that the learner's processes may use.
    """

    homes = Unicode(help="The folder of the learners' homes.").tag(config=True)
    first_uid = Integer(
        0, help="The first user id to give to a learner; 0: all run as the hub's own user, unseparated."
    ).tag(config=True)

    @property
    def home(self) -> Path:
        """The learner's home; `escaped_name` can hold neither a slash nor a dot-dot."""
        return Path(self.homes) / str(self.user.escaped_name)

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Make the home, and return what the new process does before it becomes the learner's server."""
        home = self.home
        owner = give_home(home, self.first_uid)
        memory, cores = self.mem_limit, cores_of(self.user.id, self.cpu_limit)

        def become_the_learner() -> None:
            os.umask(0o077)
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            if cores:
                os.sched_setaffinity(0, cores)
            if owner is not None:
                resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
                os.setgroups([])
                os.setgid(owner)
                os.setuid(owner)
            os.chdir(home)

        return become_the_learner

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Add what is this learner's own to the environment: home, record, number of threads."""
        own = {
            "USER": self.user.name,
            "HOME": str(self.home),
            "SHELL": "/bin/bash",
            "COURSEKIT_HOME": str(self.home / ".coursekit"),
        }
        if self.cpu_limit:
            own["OMP_NUM_THREADS"] = str(max(1, int(self.cpu_limit)))
        return env | own

    async def move_certs(self, paths: dict[str, str]) -> dict[str, str]:
        """Leave certificates where they are: hub and servers talk on this machine only."""
        return paths


def give_home(home: Path, first_uid: int) -> int | None:
    """Make a learner's home that nobody else may enter, and return the user id that owns it.

    The folder itself is the register of who has which id, so a lost database gives no home to a stranger.
    Returns None where learners are not separated (`first_uid` is 0).
    """
    if home.is_dir():
        owner = home.stat().st_uid
        if first_uid and owner < first_uid:
            raise RuntimeError(
                f"expected {home} to belong to a learner (user id {first_uid} or above), found {owner}. "
                "It was made while learners were not separated. "
                f"Give it away: chown -R {next_uid(home.parent, first_uid)} {home}"
            )
        return owner if first_uid else None
    home.mkdir(mode=0o700)
    if not first_uid:
        return None
    owner = next_uid(home.parent, first_uid)
    os.chown(home, owner, owner)
    return owner


def next_uid(homes: Path, first_uid: int) -> int:
    """The lowest user id above all that own a home."""
    return max([first_uid - 1, *(each.stat().st_uid for each in homes.iterdir())]) + 1


def cores_of(learner: int, limit: float | None) -> set[int]:
    """The cores of a learner, neighbours round the machine; none chosen where there is no limit to set."""
    if not limit or not hasattr(os, "sched_getaffinity"):
        return set()
    cores = sorted(os.sched_getaffinity(0))
    many = min(len(cores), max(1, int(limit)))
    return {cores[(learner * many + each) % len(cores)] for each in range(many)}


def closed_to_others(*paths: Path) -> Iterator[Path]:
    """The folders that a learner's user id could not enter on the way to these paths.

    A virtual environment's Python is a link: both the link and what it leads to must be within reach.
    """
    ways = [way for path in paths for way in (path.resolve(), path.parent.resolve() / path.name)]
    for folder in dict.fromkeys(parent for way in ways for parent in way.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            yield folder


def uid_for_learners(wanted: str) -> int:
    """Read ``COURSE_HUB_UIDS``: a first user id, or ``off``; left out, 700000 where the hub is root.

    Raises
    ------
    RuntimeError
        When learners with their own ids could not reach Python or the course.
    """
    if wanted == "off" or os.geteuid() != 0:
        return 0
    closed = list(closed_to_others(Path(sys.executable), HERE / "learner_server.py"))
    if closed:
        raise RuntimeError(
            f"expected Python and the course where every learner may read them; {closed[0]} lets nobody in. "
            "Install both below /opt, or set COURSE_HUB_UIDS=off: then learners can read each other's files."
        )
    return int(wanted or 700_000)
