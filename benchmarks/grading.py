"""The class grader beside nbgrader and otter-grader: CPU seconds, memory, and who gives the right scores.

    python benchmarks/grading.py speed  [--submissions 20]     all three graders on the same honest ones
    python benchmarks/grading.py rate   [--submissions 200]    ours: one job, its start told apart, then two
    python benchmarks/grading.py corpus [--every 1] [--results FILE] [--so-far]   all three on the corpus

The other graders are installed once, with uv, below ``--venvs`` (`~/.cache/coursekit-graders`); they
run the learner's code beside their tests, so they only ever run in a jail (`graders.jail`). Without a word,
``rate`` is measured. CPU seconds count all children, user and system; memory is that of the largest process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from graders import jail  # noqa: E402
from graders.others import Graded, Nbgrader, Other, Otter  # noqa: E402

from coursekit.grading.grader import grade_one, grade_submissions  # noqa: E402
from coursekit.grading.sandbox import Sandbox  # noqa: E402
from coursekit.grading.seeding import seed_for  # noqa: E402
from coursekit.grading.submission import Submission  # noqa: E402
from tests.grading.corpus import ASKED, ENTRIES, GROUPS, Entry  # noqa: E402
from tests.grading.corpus.entry import Places  # noqa: E402
from tests.grading.corpus.rig import Rig, grader_command  # noqa: E402

VERSIONS = {"nbgrader": "nbgrader==0.9.6", "otter": "otter-grader==7.0.0"}
WITH_IT = ("numpy", "ipykernel")
OF_TORCH = (
    *("torch", "torch-*.dist-info", "torchgen", "functorch", "nvidia", "triton", "cuda*", "sympy", "mpmath"),
    *("networkx", "filelock", "fsspec", "typing_extensions.py"),
)
SECRET = b"a benchmark"
NOWHERE = Places("/nowhere/canary", "/nowhere/book", "/nowhere/work", 9)
SLOW_BY_ITSELF = ("uma",)  # ten minutes of training, which the others run


def others(venvs: Path) -> list[Other]:
    """The other graders, installed if they are not yet; torch is this environment's, as it is large."""
    venvs.mkdir(parents=True, exist_ok=True)
    uv = Path(sys.executable).with_name("uv")
    command = str(uv) if uv.exists() else "uv"
    settings = {"UV_SYSTEM_CERTS": "true", **os.environ}
    for name, package in VERSIONS.items():
        python = venvs / name / "bin" / "python"
        if not python.exists():
            base = Path(sys.base_prefix) / "bin" / "python3"
            make = [command, "venv", "--quiet", "--python", str(base), str(venvs / name)]
            add = [command, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
            subprocess.run(make, check=True, env=settings)
            subprocess.run([*add, package, *WITH_IT], check=True, env=settings)
        _share_torch(venvs / name)
    return [kind(venvs / kind.name, venvs) for kind in (Nbgrader, Otter)]


def _share_torch(venv: Path) -> None:
    """Let an environment see this one's torch and what torch needs, and nothing else of it."""
    shared = venv / "shared"
    shutil.rmtree(shared, ignore_errors=True)  # the links of another checkout lead nowhere in the jail
    shared.mkdir()
    for name in OF_TORCH:
        for found in jail.site_packages().glob(name):
            (shared / found.name).symlink_to(found)
    (place,) = venv.glob("lib/python*/site-packages")
    (place / "shared.pth").write_text(f"{shared}\n")


def honest(count: int) -> list[Entry]:
    """Honest submissions that every grader can read and run."""
    some = [one for one in ENTRIES if one.group == "honest" and one.name not in SLOW_BY_ITSELF]
    return some[:count]


def own_cpu() -> float:
    """Seconds of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


# --- rate --------------------------------------------------------------------------------------------


def rate(count: int) -> dict[str, Any]:
    """One job with its start told apart, then the rates of one and two jobs."""
    handed = _many(count)
    began, started = time.perf_counter(), own_cpu()
    for id in ASKED:
        seed_for(SECRET, id)
    with Sandbox() as sandbox:
        grade_one(handed[0], SECRET, ASKED, sandbox)
        start_wall, start = time.perf_counter() - began, own_cpu() - started + sandbox.cpu
        inside, outside, wall = sandbox.cpu, own_cpu(), time.perf_counter()
        each = []
        for one in handed:
            before = own_cpu() + sandbox.cpu
            grade_one(one, SECRET, ASKED, sandbox)
            each.append(own_cpu() + sandbox.cpu - before)
        judge, box = own_cpu() - outside, sandbox.cpu - inside
        wall = time.perf_counter() - wall
    one_job, two_jobs = _pace(handed, 1), _pace(handed, 2)
    return {
        "submissions": count,
        "start_cpu_s": round(start, 2),
        "start_wall_s": round(start_wall, 2),
        "cpu_s_each": round((judge + box) / count, 4),
        "cpu_s_each_median": round(sorted(each)[count // 2], 4),
        "judge_cpu_s_each": round(judge / count, 4),
        "sandbox_cpu_s_each": round(box / count, 4),
        "cpu_s_each_with_start": round((judge + box + start) / count, 4),
        "wall_s_each": round(wall / count, 4),
        "one_job_per_s": round(one_job, 2),
        "two_jobs_per_s": round(two_jobs, 2),
        "two_jobs_over_one": round(two_jobs / one_job, 2),
    }


def _many(count: int) -> list[Submission]:
    """Honest submissions again and again, each its own person's."""
    some = honest(20)
    return [Submission(f"{n}", f"{n}.ipynb", some[n % len(some)].notebook(NOWHERE)) for n in range(count)]


def _pace(handed: Sequence[Submission], jobs: int) -> float:
    """Submissions a second once all processes have begun."""
    times: list[float] = []
    for _ in grade_submissions(
        handed, seed=SECRET, jobs=jobs, exercises=ASKED, on_result=lambda _: times.append(time.perf_counter())
    ):
        pass
    begun = 4 * jobs
    return (len(times) - begun) / (times[-1] - times[begun - 1])


# --- speed -------------------------------------------------------------------------------------------


def speed(count: int, venvs: Path) -> list[dict[str, Any]]:
    """The same honest submissions through all three, each grader one command; and ours once it has begun.

    nbgrader and otter start a Python for each submission, so nothing of theirs is shared between them.
    """
    entries = honest(count)
    rows = [_ours_alone(entries), _ours_begun(entries)]
    for one in others(venvs):
        graded = one.grade(entries, 90.0 * count)
        told = graded.run
        right = sum(_is_right(graded, entry) for entry in entries)
        rows.append(
            _row(one.name, told.get("cpu", 0.0), told.get("wall", 0.0), told.get("peak", 0), count, right)
        )
    for row in rows[2:]:
        row["times ours"] = round(row["cpu_s_each"] / rows[0]["cpu_s_each"], 1)
        row["times ours, start shared"] = round(row["cpu_s_each"] / rows[1]["cpu_s_each"], 1)
    return rows


def _ours_begun(entries: Sequence[Entry]) -> dict[str, Any]:
    """Without the start, which a whole class shares: torch is loaded on both sides of the sandbox's wall."""
    handed = [Submission(one.name, f"{one.name}.ipynb", one.notebook(NOWHERE)) for one in entries]
    with Sandbox() as sandbox:
        grade_one(handed[0], SECRET, ASKED, sandbox)
        before, began = own_cpu() + sandbox.cpu, time.perf_counter()
        results = [grade_one(one, SECRET, ASKED, sandbox) for one in handed]
        cpu, wall = own_cpu() + sandbox.cpu - before, time.perf_counter() - began
    right = sum(abs(got.points - one.points) < 1e-3 for got, one in zip(results, entries, strict=True))
    return _row("coursekit, start shared", cpu, wall, 0, len(entries), right)


def _row(name: str, cpu: float, wall: float, peak: int, count: int, right: int) -> dict[str, Any]:
    return {
        "grader": name,
        "cpu_s_each": round(cpu / count, 3),
        "wall_s_each": round(wall / count, 3),
        "peak_mib": round(peak / 2**20),
        "right": f"{right} of {count}",
    }


def _ours_alone(entries: Sequence[Entry]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, Rig(Path(folder), entries) as rig:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        _, out, _ = rig.run(grader_command(rig), 1800)
        wall = time.perf_counter() - began
        _reap()
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        points = {one["learner"]: one["points"] for one in json.loads(out)["submissions"]} if out else {}
    right = sum(abs(points.get(one.name, -1.0) - one.points) < 1e-3 for one in entries)
    return _row("coursekit", cpu, wall, used.ru_maxrss * 1024, len(entries), right)


def _reap() -> None:
    """Wait for what ended after its parent, as the sandbox does: else its seconds are nobody's."""
    for one in psutil.Process().children():
        if one.status() == psutil.STATUS_ZOMBIE:
            one.wait()


def _is_right(graded: Graded, entry: Entry) -> bool:
    points = graded.points[entry.name]
    return points is not None and abs(points - entry.points) < 1e-3


# --- corpus ------------------------------------------------------------------------------------------


def corpus(venvs: Path, every: int, kept: Path, so_far: bool) -> list[dict[str, Any]]:
    """Each submission in a jail of its own; what is in `kept` is not run again, and `so_far` runs nothing."""
    entries = [one for one in ENTRIES if one.write_as is None][::every]
    known = {(one["grader"], one["name"]): one for one in _lines(kept)}
    if so_far:
        entries = [one for one in entries if all((name, one.name) in known for name in VERSIONS)]
    for entry in entries:
        for grader in others(venvs):
            if (grader.name, entry.name) not in known:
                found = _judged(grader, entry)
                known[grader.name, entry.name] = found
                with kept.open("a") as file:
                    file.write(json.dumps(found) + "\n")
    rows = []
    for name in VERSIONS:
        mine = [known[name, one.name] for one in entries]
        for group in (*GROUPS, "all but forbidden"):
            some = [
                one
                for one in mine
                if one["group"] == group or (group[0] == "a" and one["group"] != "forbidden")
            ]
            rows.append({"grader": name, "group": group, **_counted(some)})
    return rows


def _lines(kept: Path) -> Iterable[dict[str, Any]]:
    return [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []


def _judged(grader: Other, entry: Entry) -> dict[str, Any]:
    graded = grader.grade([entry])
    got, wanted = graded.points[entry.name], entry.points
    unreadable = (
        entry.group == "file" and wanted == 0
    )  # nothing to have a score: a record is what is asked for
    kind = (
        "none"
        if got is None
        else "over"
        if got > wanted + 1e-3
        else "under"
        if got < wanted - 1e-3
        else "right"
    )
    return {
        "grader": grader.name, "name": entry.name, "group": entry.group, "kind": kind, "got": got,
        "wanted": wanted, "hung": graded.hung, "side_effects": graded.side_effects, "unreadable": unreadable,
        "cpu": graded.run.get("cpu"), "wall": graded.run.get("wall"), "said": graded.said[-300:],
    }  # fmt: skip


def _counted(some: Sequence[dict[str, Any]]) -> dict[str, Any]:
    kinds = Counter(one["kind"] for one in some)
    clean = sum(one["kind"] == "right" and not one["side_effects"] and not one["hung"] for one in some)
    return {
        "of": len(some),
        "right, no side effect": clean,
        "right": kinds["right"],
        "over-scored": kinds["over"],
        "under-scored": kinds["under"],
        "no result": kinds["none"],
        "hung": sum(one["hung"] for one in some),
        "side effects": sum(bool(one["side_effects"]) for one in some),
    }


def ours_on_corpus() -> list[dict[str, Any]]:
    """The course's own, one command over everything; `tests/grading/test_corpus.py` asserts the same."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.grading.corpus.ours", folder]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    told = json.loads(done.stdout)
    wrong: dict[str, Counter[str]] = {}
    for one in told["differences"]:
        wrong.setdefault(one["name"], Counter())[one["kind"]] += 1
    rows = []
    for group in (*GROUPS, "all but forbidden"):
        some = [
            one for one in ENTRIES if one.group == group or (group[0] == "a" and one.group != "forbidden")
        ]
        kinds = Counter(kind for one in some for kind in wrong.get(one.name, ()))
        right = sum(one.name not in wrong for one in some)
        rows.append({
            "grader": "coursekit", "group": group, "of": len(some),
            "right, no side effect": right, "right": right,
            "over-scored": kinds["over"], "under-scored": kinds["under"], "no result": kinds["no result"],
            "hung": int(told["status"] is None), "side effects": len(told["side_effects"]),
        })  # fmt: skip
    return rows


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as Markdown."""
    heads = list(dict.fromkeys(key for row in rows for key in row))
    lines = [heads, ["---"] * len(heads), *([str(row.get(key, "")) for key in heads] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", nargs="?", choices=("rate", "speed", "corpus"), default="rate")
    parser.add_argument("--submissions", type=int)
    parser.add_argument("--venvs", type=Path, default=Path.home() / ".cache" / "coursekit-graders")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument(
        "--results", type=Path, default=None, help="where each result is kept, to go on later"
    )
    parser.add_argument("--so-far", action="store_true", help="corpus: run nothing, only the table")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    venvs = asked.venvs.resolve()
    if asked.what == "rate":
        rows = [rate(asked.submissions or 200)]
    elif asked.what == "speed":
        rows = speed(asked.submissions or 20, venvs)
    else:
        rows = ours_on_corpus()
        rows += corpus(venvs, asked.every, asked.results or venvs / "corpus.jsonl", asked.so_far)
    print(json.dumps(rows, indent=2) if asked.json else table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
