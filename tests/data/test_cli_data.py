"""``coursekit data list`` and ``verify`` say what there is and what is wrong with it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from coursekit.cli import main
from coursekit.data import load_scenes


@pytest.fixture
def here(made_pets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COURSEKIT_DATA", str(made_pets))
    return made_pets / "oxford-iiit-pet"


def rows(action: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main(["data", action, "--json"])
    return code, {row["name"]: row for row in json.loads(capsys.readouterr().out)}


def test_list_counts_what_is_there(here: Path, own_record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_scenes(256, size=16)
    code, found = rows("list", capsys)
    assert code == 0
    assert found["pets"]["present"] is True
    assert found["pets"]["items"] == {"trainval": 3, "test": 1}
    assert found["pets"]["where"] == str(here)
    assert found["scenes"]["items"] == {"kept sets": 1}
    assert found["scenes"]["bytes"] == sum(file.stat().st_size for file in (own_record / "cache").iterdir())
    assert found["atlas"]["present"] is True
    assert all(row["licence"] and row["what"] for row in found.values())


def test_list_says_how_to_get_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path))
    assert main(["data", "list"]) == 0
    assert "coursekit data download pets" in capsys.readouterr().out
    (tmp_path / "oxford-iiit-pet").mkdir()  # as a download that has just begun leaves it
    code, examined = rows("verify", capsys)
    assert (code, examined["pets"]["state"]) == (0, "absent")


def test_list_does_not_wait_for_torch() -> None:
    program = (
        "import sys; from coursekit.cli import main; main(['data', 'list']); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0


def test_verify_finds_nothing_wrong(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, examined = rows("verify", capsys)
    assert code == 0
    assert examined["pets"] == {"name": "pets", "state": "fine", "checked": 4, "problems": []}


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("images/beagle_1.jpg", None, "missing"),
        ("images/beagle_1.jpg", b"no picture", "no picture"),
        ("annotations/trimaps/beagle_2.png", b"", "no picture"),
        ("annotations/test.txt", None, "the list of the test photographs"),
    ],
)
def test_verify_names_the_file_that_is_wrong(
    here: Path, capsys: pytest.CaptureFixture[str], file: str, content: bytes | None, says: str
) -> None:
    (here / file).unlink() if content is None else (here / file).write_bytes(content)
    assert main(["data", "verify"]) == 1
    said = capsys.readouterr().out
    assert Path(file).stem in said
    assert says in said


def test_verify_sees_a_photograph_cut_short(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = here / "images" / "Abyssinian_1.jpg"
    file.write_bytes(file.read_bytes()[:-200])
    code, examined = rows("verify", capsys)
    assert code == 1
    assert len(examined["pets"]["problems"]) == 1


def test_verify_sees_a_trimap_of_another_photograph(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimaps = here / "annotations" / "trimaps"
    (trimaps / "beagle_1.png").write_bytes((trimaps / "beagle_2.png").read_bytes())
    code, examined = rows("verify", capsys)
    assert code == 1
    assert "(60, 120)" in examined["pets"]["problems"][0]


def test_verify_sees_a_damaged_cache(own_record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_scenes(256, size=16)
    (file,) = (own_record / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    code, examined = rows("verify", capsys)
    assert code == 1
    assert str(file) in examined["scenes"]["problems"][0]


@pytest.mark.parametrize("arguments", [[], ["bogus"], ["download"], ["download", "cats"]])
def test_a_wrong_word_is_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", *arguments])
    assert ended.value.code == 2
    assert "Try: coursekit data" in capsys.readouterr().err
