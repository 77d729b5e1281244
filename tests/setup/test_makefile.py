"""`make` on a machine where something is missing says what to install."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHOUT_VENV = '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\n'
TOO_OLD = "#!/bin/sh\nexit 1\n"


def make_install(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run `make install` into an empty folder with a stand-in for Python."""
    python = folder / "python"
    python.write_text(script)
    python.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "install", f"VENV={folder / 'venv'}", f"PYTHON={python}"]
    return subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (WITHOUT_VENV, ["its venv module is missing", "apt install python3-venv"]),
        (TOO_OLD, ["needs Python 3.11 or newer", "make lab PYTHON="]),
    ],
)
def test_a_python_that_will_not_do_is_a_sentence(script: str, says: list[str], tmp_path: Path) -> None:
    run = make_install(tmp_path, script)
    assert run.returncode != 0
    assert all(text in run.stdout for text in says), run.stdout + run.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("backend", "stamp"), [("", ".installed"), ("cpu", ".installed-cpu")])
def test_asking_for_another_torch_is_another_install(backend: str, stamp: str) -> None:
    command = ["make", "--dry-run", "--always-make", "install", f"TORCH_BACKEND={backend}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"touch .venv/{stamp}\n" in run.stdout
    assert ("--torch-backend cpu" in run.stdout) is bool(backend)


def test_make_alone_lists_the_commands() -> None:
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "make lab" in run.stdout
    assert "make test" in run.stdout
