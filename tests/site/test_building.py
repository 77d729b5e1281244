"""`coursekit site`: writes its own folder anew, and never over anybody else's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coursekit import cli
from coursekit.checkout import CannotRun
from coursekit.site import building


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages of one word: what is tested here is where they go."""
    monkeypatch.setattr(building, "index_page", lambda: "index")
    monkeypatch.setattr(building, "demo_page", lambda name: name)
    monkeypatch.setattr(building, "lesson_page", str)


def everything(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.usefixtures("few")
def test_a_new_or_empty_folder_is_filled(tmp_path: Path) -> None:
    pages = building.build(tmp_path / "a" / "new")
    assert pages[0] == tmp_path / "a" / "new" / "index.html"
    assert all(page.is_file() for page in pages)
    (tmp_path / "empty").mkdir()
    assert len(building.build(tmp_path / "empty")) == len(pages)


@pytest.mark.usefixtures("few")
def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    with pytest.raises(CannotRun, match="something else"):
        building.build(tmp_path)
    assert everything(tmp_path) == {"index.html": "mine"}
    with pytest.raises(CannotRun, match="expected a folder"):
        building.build(tmp_path / "index.html")


@pytest.mark.usefixtures("few")
def test_an_earlier_site_is_written_anew_and_what_lies_beside_it_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    building.build(folder)
    (folder / "CNAME").write_text("example.org")
    building_demos = building.demos()
    gone = building_demos[-1]
    monkeypatch.setattr(building, "demos", lambda: building_demos[:-1])
    building.build(folder)
    left = everything(folder)
    assert f"{gone.name}.html" not in left
    assert left["CNAME"] == "example.org"


@pytest.mark.usefixtures("few")
def test_an_edited_mark_removes_nothing_outside(tmp_path: Path) -> None:
    folder, other = tmp_path / "site", tmp_path / "precious.html"
    other.write_text("mine")
    building.build(folder)
    with (folder / building.MARK).open("a") as mark:
        mark.write(f"../precious.html\n{other}\n")
    building.build(folder)
    assert other.read_text() == "mine"


@pytest.mark.usefixtures("few")
def test_the_command_says_where_and_how_much(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["site", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert (tmp_path / "out" / "index.html").as_uri() in said
    assert cli.main(["site", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert "index.html" in told["pages"]
    assert told["bytes"] > 0
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("mine")
    assert cli.main(["site", str(tmp_path / "full")]) == 2
    assert "something else" in capsys.readouterr().err
    assert everything(tmp_path / "full") == {"thesis.tex": "mine"}
