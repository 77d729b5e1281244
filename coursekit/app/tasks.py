"""What a page says of each exercise, told by a process of its own: they load torch, a server does not."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass

_turn = threading.Lock()
_known: dict[str, Task] = {}


@dataclass(frozen=True)
class Task:
    """An exercise as a page announces it; `minutes` is about how long it takes."""

    title: str
    points: float
    minutes: float


def tasks() -> dict[str, Task]:
    """Each exercise's task by its id; the first call takes the seconds that loading torch takes.

    Raises
    ------
    subprocess.CalledProcessError
        Where the exercises cannot be loaded.
    """
    with _turn:
        if not _known:
            command = [sys.executable, "-m", __name__]
            told = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            _known.update({id: Task(**task) for id, task in json.loads(told).items()})
        return _known


def main() -> None:
    """Print them as JSON."""
    from coursekit.exercises import all_exercises

    print(json.dumps({one.id: asdict(Task(one.title, one.points, one.minutes)) for one in all_exercises()}))


if __name__ == "__main__":
    main()
