"""``coursekit doctor``: what works on this machine, and what to do about the rest."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from coursekit import __version__
from coursekit.checkout import CannotRun, home_folder, lessons_folder

State = Literal["ok", "optional", "wrong"]

_SIGNS: dict[State, str] = {"ok": "✓ ok", "optional": "– optional", "wrong": "✗ wrong"}
_REINSTALL = "make clean install (or, without make: uv pip install -e . -c constraints.txt)"
_ENOUGH_MEMORY_GIB = 3.0

# In its own process: a broken torch can crash the interpreter, and the doctor must live to say so.
_TORCH_REPORT = """
import json, torch
report = {"torch": torch.__version__, "device": "", "torchvision": "", "mismatch": ""}
if torch.cuda.is_available():
    report["device"] = torch.cuda.get_device_name(0)
elif torch.backends.mps.is_available():
    report["device"] = "Apple GPU (mps)"
try:
    import torchvision
    report["torchvision"] = torchvision.__version__
except Exception as problem:
    report["mismatch"] = f"{type(problem).__name__}: {problem}"
print(json.dumps(report))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    name : str
        What was looked at.
    state : str
        ``ok``; ``optional`` for something the course can do without; ``wrong`` for something it needs.
    says : str
        What was found.
    do : str
        What to do about it; empty when there is nothing to do.
    """

    name: str
    state: State
    says: str
    do: str = ""


def examine(as_json: bool = False) -> int:
    """Print the report; return 0 when everything that the course needs works, else 1.

    Examples
    --------
    >>> examine()  # doctest: +SKIP
    0
    """
    findings = [finding for look in EXAMINATIONS for finding in look()]
    if as_json:
        report = {"coursekit_version": __version__, "findings": [asdict(each) for each in findings]}
        print(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        print(report_text(findings))
    return 1 if any(each.state == "wrong" for each in findings) else 0


def report_text(findings: list[Finding]) -> str:
    """Lay the findings out as lines, each with its sign, and end with one sentence."""
    name_width = max(len(each.name) for each in findings)
    lines = []
    for each in findings:
        lines.append(f"{_SIGNS[each.state]:<10}  {each.name:<{name_width}}  {each.says}")
        if each.do:
            lines.append(f"{'':<{name_width + 12}}  → {each.do}")
    wrong = [each.name for each in findings if each.state == "wrong"]
    verdict = f"To mend: {', '.join(wrong)}." if wrong else "Everything that the course needs works here."
    return "\n".join([*lines, "", verdict])


def look_at_python() -> list[Finding]:
    """Python itself; its version is checked by every install."""
    return [Finding("Python", "ok", f"{platform.python_version()} ({sys.executable})")]


def look_at_torch() -> list[Finding]:
    """torch, the torchvision that goes with it, and a GPU."""
    try:
        run = subprocess.run(
            [sys.executable, "-c", _TORCH_REPORT], capture_output=True, text=True, timeout=180, check=False
        )
        report = json.loads(run.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return [
            Finding("torch", "wrong", "did not import within 180 seconds", "close other programs, try again")
        ]
    except (ValueError, IndexError):
        last = (run.stderr.strip().splitlines() or [f"python ended with code {run.returncode}"])[-1]
        return [Finding("torch", "wrong", last, _REINSTALL)]
    return [Finding("torch", "ok", report["torch"]), _torchvision(report), _gpu(report["device"])]


def _torchvision(report: dict[str, str]) -> Finding:
    if report["torchvision"]:
        return Finding(
            "torchvision", "ok", f"{report['torchvision']}, imports beside torch {report['torch']}"
        )
    says = f"does not go with torch {report['torch']}: {report['mismatch'].splitlines()[0]}"
    return Finding("torchvision", "wrong", says, f"install the two together: {_REINSTALL}")


def _gpu(device: str) -> Finding:
    if device:
        return Finding("GPU", "ok", device)
    return Finding("GPU", "optional", "none found; every lesson is made for a laptop's CPU")


def look_at_jupyter() -> list[Finding]:
    """The packages that show the lessons."""
    found, missing = [], []
    for package in ("jupyterlab", "ipykernel", "voila", "anywidget", "ipywidgets", "matplotlib"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return [Finding("Jupyter", "wrong", f"not installed: {', '.join(missing)}", _REINSTALL)]
    return [Finding("Jupyter", "ok", ", ".join(found))]


def look_at_lessons() -> list[Finding]:
    """The notebooks beside the package."""
    try:
        lessons = lessons_folder()
    except CannotRun as problem:
        return [Finding("lessons", "wrong", str(problem))]
    count = len(list(lessons.glob("*.ipynb")))
    if count == 0:
        return [Finding("lessons", "wrong", f"no notebook in {lessons}", "git checkout -- lessons")]
    return [Finding("lessons", "ok", f"{count} in {lessons}")]


def look_at_home() -> list[Finding]:
    """The folder that keeps the learner's record."""
    try:
        home = home_folder()
    except CannotRun as problem:
        return [Finding("COURSEKIT_HOME", "wrong", str(problem))]
    existing = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            return [Finding("COURSEKIT_HOME", "ok", f"{home} can be written")]
    except OSError as problem:
        do = "set COURSEKIT_HOME to a folder of yours; without it your progress is not kept"
        return [Finding("COURSEKIT_HOME", "wrong", f"{home} cannot be written: {problem.strerror}", do)]


def look_at_data() -> list[Finding]:
    """The photographs, which only a few cells use."""
    named = os.environ.get("COURSEKIT_DATA")
    pets = (Path(named).expanduser() if named else home_folder() / "data") / "oxford-iiit-pet"
    if (pets / "images").is_dir() and (pets / "annotations").is_dir():
        return [Finding("photographs", "ok", f"{sum(1 for _ in (pets / 'images').glob('*.jpg'))} in {pets}")]
    if not named:
        do = "`coursekit data download pets`, if you want them"
        return [Finding("photographs", "optional", "none here; the lessons use drawn scenes", do)]
    says = f"COURSEKIT_DATA is {named}, but {pets} has no folders images/ and annotations/"
    return [
        Finding("photographs", "wrong", says, "set COURSEKIT_DATA to the folder that holds oxford-iiit-pet/")
    ]


def look_at_programs() -> list[Finding]:
    """Programs that only the tests and the class grader use."""
    uses = (
        ("node", ("node",), "to test the widgets' arithmetic"),
        (
            "chromium",
            ("chromium", "chromium-browser", "google-chrome", "chrome"),
            "to test the widgets in a browser",
        ),
        ("bubblewrap", ("bwrap",), "to fence in code that is graded"),
    )
    return [_program(name, commands, use) for name, commands, use in uses]


def _program(name: str, commands: tuple[str, ...], use: str) -> Finding:
    found = next((path for command in commands if (path := shutil.which(command))), None)
    if found:
        return Finding(name, "ok", f"{found}, {use}")
    return Finding(name, "optional", f"not found; it serves {use}, learning does not need it")


def look_at_machine() -> list[Finding]:
    """Cores and memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    findings = [Finding("cores", "ok", str(cores))]
    memory = memory_gib()
    if memory is None:
        findings.append(Finding("memory", "optional", "could not be read; the course wants about 3 GiB"))
    elif memory < _ENOUGH_MEMORY_GIB:
        do = "close other programs, or install the small torch: TORCH_BACKEND=cpu make lab"
        findings.append(Finding("memory", "wrong", f"{memory:.1f} GiB, the course wants about 3 GiB", do))
    else:
        findings.append(Finding("memory", "ok", f"{memory:.1f} GiB"))
    return findings


def memory_gib() -> float | None:
    """Return the memory in GiB of this machine, or of its container where that is less; None if unknown."""
    sizes = []
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" in names and "SC_PAGE_SIZE" in names:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        sizes += [int(limit)] if limit.isdecimal() else []
    except OSError:
        pass
    return min(sizes) / 2**30 if sizes else None


EXAMINATIONS: tuple[Callable[[], list[Finding]], ...] = (
    look_at_python,
    look_at_torch,
    look_at_jupyter,
    look_at_lessons,
    look_at_home,
    look_at_data,
    look_at_programs,
    look_at_machine,
)
