"""The floors of the house hold, in the newcomer's tests too and not only in `make check`."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(LINTER), "--no-cache", "--config", str(folder / "pyproject.toml")]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_every_room_imports_only_from_below() -> None:
    run = lint(ROOT)
    assert run.returncode == 0, run.stdout


def test_a_room_that_imports_from_above_is_caught(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "coursekit", tmp_path / "coursekit", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "coursekit" / "upsampling" / "climbing.py").write_text("import coursekit.listing\n")
    run = lint(tmp_path)
    assert run.returncode == 1
    assert "coursekit.upsampling" in run.stdout
    assert "coursekit.listing" in run.stdout


def test_a_room_with_no_floor_is_caught(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "coursekit", tmp_path / "coursekit", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "coursekit" / "attic.py").touch()
    run = lint(tmp_path)
    assert run.returncode == 1
    assert "attic" in run.stdout
