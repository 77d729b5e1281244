"""`coursekit lessons --measure` runs a lesson twice and leaves no trace."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from coursekit import listing, rehearsing
from coursekit.checkout import CannotRun
from coursekit.exercises import find_exercise
from coursekit.rehearsing import seconds_to_run

LOOK = """
import json, os, pathlib
from coursekit import notebook
state = notebook._session.verdicts["class-share"].state
home = os.environ["COURSEKIT_HOME"]
pathlib.Path({path!r}).write_text(json.dumps([state, home, os.environ["COURSEKIT_FAST"]]))
"""


def lesson(tmp_path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = tmp_path / "lesson.ipynb"
    nbformat.write(book, path)
    return path


@pytest.mark.slow
def test_a_lesson_runs_as_it_is_and_solved_with_a_record_thrown_away(
    tmp_path: Path, own_record: Path
) -> None:
    told = tmp_path / "told.json"
    start = "from coursekit import exercise"
    path = lesson(tmp_path, start, find_exercise("class-share").cell, LOOK.format(path=str(told)))
    before = path.read_bytes(), dict(os.environ)
    for solved, expected in ((False, "not_attempted"), (True, "right")):
        seconds = seconds_to_run(path, solved=solved)
        state, home, fast = json.loads(told.read_text())
        assert (state, fast) == (expected, "1")
        assert home != str(own_record)
        assert not Path(home).exists()
        assert 0 < seconds < 300
    assert (path.read_bytes(), dict(os.environ)) == before
    assert not own_record.exists()


@pytest.mark.slow
def test_a_lesson_that_stops_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match=r"lesson.ipynb stopped: .*the roof is gone"):
        seconds_to_run(lesson(tmp_path, "raise RuntimeError('the roof is gone')"), solved=False)


def test_the_seconds_stand_beside_the_other_measures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearsing, "seconds_to_run", lambda _path, solved: 4.5 if solved else 3.2)
    listing.list_lessons(as_json=True, measure=True)
    rows = json.loads(capsys.readouterr().out)
    assert {(row["seconds_unsolved"], row["seconds_solved"]) for row in rows} == {(3.2, 4.5)}
    assert all(row["points"] > 0 and row["cells"] and row["words"] and row["minutes"] for row in rows)
    listing.list_lessons(measure=True)
    assert "seconds_solved" in capsys.readouterr().out


def test_a_lesson_that_stops_does_not_keep_the_others_from_being_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop_the_first(path: Path, solved: bool) -> float:
        if path.name.startswith("00") and solved:
            raise CannotRun(f"{path.name} stopped: the roof is gone")
        return 2.0

    monkeypatch.setattr(rehearsing, "seconds_to_run", stop_the_first)
    assert listing.list_lessons(as_json=True, measure=True) == 1
    shown = capsys.readouterr()
    assert [row["seconds_solved"] for row in json.loads(shown.out)][:2] == [None, 2.0]
    assert "the roof is gone (solved)" in shown.err
