"""The README and CONTRIBUTING say only what is there, and their example runs."""

import re
import subprocess
from pathlib import Path

import pytest

from coursekit.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"]
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in DOCUMENTS}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
each_document = pytest.mark.parametrize("name", DOCUMENTS)


@each_document
def test_every_make_target_exists(name: str) -> None:
    named = set(re.findall(r"(?:`|^|\bcpu )make ([a-z][a-z-]*)", TEXTS[name], flags=re.MULTILINE))
    assert named <= TARGETS


@each_document
def test_every_command_exists(name: str) -> None:
    named = set(re.findall(r"(?:`|--no-sync |bin/|Scripts\\)coursekit ([a-z][a-z-]*)", TEXTS[name]))
    assert named <= set(COMMANDS)


def test_the_readme_names_both_commands_and_every_command_of_the_makefile_is_explained() -> None:
    assert {"make lab", "make test"} <= set(re.findall(r"make [a-z]+", TEXTS["README.md"]))
    described = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    public = TARGETS - {"help"}
    assert public <= set(re.findall(r"make ([a-z-]+)", described))


@each_document
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", TEXTS[name]):
        assert (folder / target).exists(), target


def test_the_exercise_in_contributing_works(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", TEXTS["CONTRIBUTING.md"], flags=re.DOTALL)
    script = tmp_path / "example.py"  # a file, because the solution is read back from the source
    script.write_text(block, encoding="utf-8")
    exec(compile(block, str(script), "exec"), {"__name__": "contributing_example"})
