"""The doctor finds what is broken, says what to do, and survives what it examines."""

import json
import subprocess
from pathlib import Path

import pytest

from coursekit import cli, doctor
from coursekit.doctor import Finding

OK = Finding("Python", "ok", "3.11")
OPTIONAL = Finding("GPU", "optional", "none found")
WRONG = Finding("torch", "wrong", "does not import", "install it")


def torch_answers(
    monkeypatch: pytest.MonkeyPatch, stdout: str = "", stderr: str = "", code: int = 0
) -> dict[str, Finding]:
    answer = subprocess.CompletedProcess([], code, stdout, stderr)
    monkeypatch.setattr(doctor.subprocess, "run", lambda *_, **__: answer)
    return {each.name: each for each in doctor.look_at_torch()}


@pytest.mark.parametrize(
    ("findings", "code", "last"),
    [
        ([OK, OPTIONAL], 0, "Everything that the course needs works here."),
        ([OK, WRONG, OPTIONAL], 1, "To mend: torch."),
    ],
)
def test_only_what_is_needed_counts_as_wrong(
    findings: list[Finding],
    code: int,
    last: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(doctor, "EXAMINATIONS", (lambda: findings,))
    assert cli.main(["doctor"]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last
    assert cli.main(["doctor", "--json"]) == code
    report = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in report["findings"]] == [each.name for each in findings]


def test_every_wrong_line_says_what_to_do() -> None:
    assert "→ install it" in doctor.report_text([OK, WRONG])


def test_a_good_pair_with_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"torch": "2.15.0", "torchvision": "0.29.2", "device": "Some GPU", "mismatch": ""}
    found = torch_answers(monkeypatch, "a warning\n" + json.dumps(report))
    assert [each.state for each in found.values()] == ["ok", "ok", "ok"]


def test_a_mismatched_pair_is_told_to_be_installed_together(monkeypatch: pytest.MonkeyPatch) -> None:
    mismatch = "RuntimeError: operator torchvision::nms does not exist"
    report = {"torch": "2.15.0+cpu", "torchvision": "", "device": "", "mismatch": mismatch}
    found = torch_answers(monkeypatch, json.dumps(report))
    assert found["torch"].state == "ok"
    assert found["GPU"].state == "optional"
    assert found["torchvision"].state == "wrong"
    assert "operator torchvision::nms" in found["torchvision"].says
    assert "together" in found["torchvision"].do


@pytest.mark.parametrize(
    ("stderr", "code", "says"),
    [
        ("Traceback\nModuleNotFoundError: No module named 'torch'", 1, "No module named 'torch'"),
        ("", -11, "python ended with code -11"),
    ],
)
def test_a_torch_that_is_missing_or_crashes(
    stderr: str, code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = torch_answers(monkeypatch, "", stderr, code)
    assert found["torch"].state == "wrong"
    assert says in found["torch"].says
    assert "uv pip install" in found["torch"].do


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_voila(name: str) -> str:
        if name == "voila":
            raise doctor.PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(doctor, "version", no_voila)
    (finding,) = doctor.look_at_jupyter()
    assert (finding.state, finding.says) == ("wrong", "not installed: voila")


def test_photographs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    assert doctor.look_at_data()[0].state == "optional"
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path))
    assert doctor.look_at_data()[0].state == "wrong"
    for folder in ("images", "annotations"):
        (tmp_path / "oxford-iiit-pet" / folder).mkdir(parents=True)
    (tmp_path / "oxford-iiit-pet" / "images" / "cat.jpg").touch()
    (finding,) = doctor.look_at_data()
    assert finding.state == "ok"
    assert finding.says.startswith("1 in ")


def test_a_record_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "new" / "home"))
    assert doctor.look_at_home()[0].state == "ok"
    blocked = tmp_path / "file"
    blocked.touch()
    monkeypatch.setenv("COURSEKIT_HOME", str(blocked / "home"))
    (finding,) = doctor.look_at_home()
    assert finding.state == "wrong"
    assert "COURSEKIT_HOME" in finding.do


def test_looking_at_the_record_leaves_no_trace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path / "home"))
    doctor.look_at_home()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("gib", "state"), [(1.5, "wrong"), (16.0, "ok"), (None, "optional")])
def test_memory(gib: float | None, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "memory_gib", lambda: gib)
    assert doctor.look_at_machine()[-1].state == state


def test_a_missing_program_is_optional(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    assert {each.state for each in doctor.look_at_programs()} == {"optional"}
