"""How long `import coursekit` takes, against `import torch` and `import torchvision`, in one run.

Each import happens in a fresh interpreter; what an empty interpreter costs is measured too and taken off.
The order is shuffled round by round, so that a busy moment of the machine does not hit one name only.

    python benchmarks/import_time.py [--rounds 7] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time

TARGET_SECONDS = 0.2
IMPORTS = {
    "nothing": "pass",
    "coursekit": "import coursekit",
    "torch": "import torch",
    "torchvision": "import torchvision",
}


def seconds_to_run(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begun


def measure(rounds: int) -> dict[str, float]:
    """Return the median seconds of each import, less those of an empty interpreter."""
    for code in IMPORTS.values():
        seconds_to_run(code)  # the first round reads the files from the disk
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    shuffled = random.Random(0)
    for _ in range(rounds):
        for name in shuffled.sample(list(IMPORTS), len(IMPORTS)):
            times[name].append(seconds_to_run(IMPORTS[name]))
    medians = {name: statistics.median(each) for name, each in times.items()}
    empty = medians.pop("nothing")
    return {name: max(0.0, median - empty) for name, median in medians.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seconds = measure(arguments.rounds)
    met = seconds["coursekit"] < TARGET_SECONDS
    if arguments.json:
        print(json.dumps({"seconds": seconds, "target": TARGET_SECONDS, "met": met}, indent=2))
    else:
        print(f"median of {arguments.rounds} fresh interpreters, less an empty one")
        for name, each in seconds.items():
            print(f"  import {name:<12} {each:7.3f} s")
        print(f"target: import coursekit < {TARGET_SECONDS} s: {'met' if met else 'NOT met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
