"""Runs in the jail as another user than the grader: starts it, ends it on time, says what it left behind.

``python driver.py UID SECONDS PORT COMMAND…``; one line of JSON to the standard output. Only the standard
library is used.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

MEMORY, PROCESSES, FILE = 6 << 30, 400, 128 << 20
WAIT = 3.0  # seconds for what was left running to show itself
SAID = Path("/dev/shm/said")
connections = 0


def listen(port: int) -> None:
    global connections
    server = socket.create_server(("127.0.0.1", port))
    while True:
        server.accept()
        connections += 1


def as_learner(uid: int, command: list[str]) -> list[str]:
    limits = [f"--data={MEMORY}", f"--nproc={PROCESSES}", f"--fsize={FILE}", "--core=0"]
    user = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]
    return ["prlimit", *limits, *user, "--bounding-set=-all", "--", *command]


def of_user(uid: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "status").read_text()
        except OSError:
            continue
        if f"Uid:\t{uid}\t" in status and "State:\tZ" not in status:
            found.append(int(place.name))
    return found


def main(uid: int, seconds: float, port: int, command: list[str]) -> None:
    threading.Thread(target=listen, args=(port,), daemon=True).start()
    neighbour = subprocess.Popen(as_learner(uid, ["sleep", "3600"]))
    time.sleep(0.2)
    started = time.monotonic()
    with SAID.open("wb") as said:
        grader = subprocess.Popen(
            as_learner(uid, command), stdout=said, stderr=said, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        try:
            status: int | None = grader.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
            os.killpg(grader.pid, signal.SIGKILL)
            grader.wait()
    wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    time.sleep(WAIT)
    alive = neighbour.poll() is None
    left = [one for one in of_user(uid) if one != neighbour.pid]
    told = {
        "status": status, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024,
        "connections": connections, "neighbour": alive, "left": len(left),
        "said": SAID.read_text(errors="replace")[-4000:],
    }  # fmt: skip
    print(json.dumps(told), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
