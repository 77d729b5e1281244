"""Where a learner stands, in the map, in the terminal and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from coursekit import cli
from coursekit.exercises import all_exercises
from coursekit.record import FILE_NAME, Record
from coursekit.standing import predictions_of, standing
from coursekit.widgets import ProgressMap

Run = Callable[..., tuple[int, str, str]]


def notebook(path: Path, *cells: str) -> Path:
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}))
    return path


@pytest.fixture
def course(tmp_path: Path) -> dict[str, object]:
    """Two lessons with three exercises and three predictions."""
    first = notebook(tmp_path / "03.ipynb", 'a = predict("size", [1, 2])', "b = predict('where', [1, 2])\nb")
    second = notebook(tmp_path / "05.ipynb", 'predict(\n    "crop", [1, 2])')
    lessons = (
        SimpleNamespace(id="03-pool", title="Pool <b>", minutes=30, path=first),
        SimpleNamespace(id="05-stamp", title="Stamp", minutes=45, path=second),
    )
    of = [("max", "03-pool", 2), ("nail", "03-pool", 1), ("stamp", "05-stamp", 4)]
    exercises = [
        SimpleNamespace(id=id, lesson=lesson, title=f"The {id}", function=f"{id}_it", points=points)
        for id, lesson, points in of
    ]
    return {"lessons": lessons, "exercises": exercises}


@pytest.fixture
def record(own_record: Path) -> Record:
    return Record(own_record)


def solve(record: Record, id: str, lesson: str, state: str = "right", fraction: float = 1) -> None:
    record.keep_verdict(id, lesson=lesson, version=1, state=state, fraction=fraction, points=fraction)


def miss(record: Record, lesson: str, idea: str) -> None:
    record.keep_answer(lesson=lesson, idea=idea, asked_in=lesson, choice=0, correct=False, question={})


def test_nothing_done_yet(record: Record, course: dict[str, object]) -> None:
    told = standing(record, **course)
    assert (told["points"], told["of"], told["solved"], told["exercises"]) == (0, 7, 0, 3)
    assert told["predictions"] == {"asked": 3, "made": 0, "revealed": 0, "right": 0}
    assert told["next"]["exercise"] == "max"
    assert [each["state"] for each in told["lessons"][0]["exercises"]] == ["open", "open"]


def test_the_best_try_counts_and_the_starter_is_no_try(record: Record, course: dict[str, object]) -> None:
    for state, fraction in (("not_attempted", 0), ("partial", 0.5), ("right", 1), ("wrong", 0.25)):
        solve(record, "max", "03-pool", state, fraction)
    solve(record, "nail", "03-pool", "not_attempted", 0)
    solve(record, "stamp", "05-stamp", "partial", 0.25)
    solve(record, "stamp", "05-stamp", "wrong", 0)
    record.keep_hints("stamp", 2)
    told = standing(record, **course)
    rows = {each["id"]: each for lesson in told["lessons"] for each in lesson["exercises"]}
    assert [(rows[id]["state"], rows[id]["points"], rows[id]["tries"]) for id in rows] == [
        ("right", 2, 3), ("open", 0, 0), ("partial", 1, 2),
    ]  # fmt: skip
    assert rows["stamp"]["hints"] == 2
    assert told["points"] == 3
    assert told["next"]["exercise"] == "nail"


def test_guesses_belong_to_the_lesson_that_asks(record: Record, course: dict[str, object]) -> None:
    for name, outcome in (("size", 1), ("where", 0), ("crop", None), ("of-no-lesson", 1)):
        record.keep_guess(name, 1, "2")
        if outcome is not None:
            record.keep_outcome(name, outcome)
    told = standing(record, **course)
    assert told["lessons"][0]["predictions"] == {"asked": 2, "made": 2, "revealed": 2, "right": 1}
    assert told["lessons"][1]["predictions"] == {"asked": 1, "made": 1, "revealed": 0, "right": 0}
    assert told["predictions"] == {"asked": 3, "made": 3, "revealed": 2, "right": 1}


def test_after_the_last_exercise_comes_what_was_missed(record: Record, course: dict[str, object]) -> None:
    for id, lesson in (("max", "03-pool"), ("nail", "03-pool"), ("stamp", "05-stamp")):
        solve(record, id, lesson)
    miss(record, "05", "overlaps add")
    told = standing(record, **course)
    assert told["missed"] == [{"lesson": "05-stamp", "idea": "overlaps add"}]
    assert told["next"]["lesson"] == "05-stamp"
    assert "again" in told["next"]["says"]
    record.clear()
    for id, lesson in (("max", "03-pool"), ("nail", "03-pool"), ("stamp", "05-stamp")):
        solve(record, id, lesson)
    assert standing(record, **course)["next"]["lesson"] is None


@pytest.mark.parametrize("text", ["", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_lesson_that_cannot_be_read_asks_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text(text)
    assert predictions_of(tmp_path / "broken.ipynb") == []
    assert predictions_of(tmp_path / "gone.ipynb") == []


class Outline(HTMLParser):
    """Tags must close in order; the text is what a page without style shows."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


def test_the_map_reads_without_script_and_escapes_what_it_shows(
    record: Record, course: dict[str, object]
) -> None:
    solve(record, "max", "03-pool")
    miss(record, "03", "<script>alert(1)</script> `x < y`")
    html = ProgressMap(standing(record, **course), links={"03-pool": 'a"b.ipynb'})._repr_html_()
    outline = Outline(html)
    assert outline.open == []
    assert "script" not in outline.tags
    assert {"details", "summary", "ol", "ul"} <= set(outline.tags)
    assert "Pool <b>" in outline.text
    assert "<script>alert(1)</script> x < y" in outline.text
    assert 'href="a&quot;b.ipynb"' in html
    assert re.search(r"2\s+of 7\s+points", outline.text)


def test_the_open_lesson_is_the_next_one(record: Record, course: dict[str, object]) -> None:
    solve(record, "max", "03-pool")
    solve(record, "nail", "03-pool")
    html = ProgressMap(standing(record, **course))._repr_html_()
    first, second = html.split('<li class="pm-lesson')[1:]
    assert (" pm-done" in first, "<details>" in first) == (True, True)
    assert (" pm-ahead" in second, "<details open>" in second) == (True, True)


def test_every_state_of_a_verdict_has_a_word_and_a_sign(record: Record, course: dict[str, object]) -> None:
    from coursekit.checking.verdict import STATES

    for state in STATES:
        record.clear()
        solve(record, "max", "03-pool", state, 1 if state == "right" else 0)
        shown = repr(ProgressMap(standing(record, **course)))
        (line,) = [each for each in shown.splitlines() if "max:" in each]
        assert re.match(r"\s+[✓◐✗○] max: [a-z ]+, ", line)
        assert "_" not in line


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run_command(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["progress", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command


def test_the_command_shows_text_and_json(run: Run, record: Record) -> None:
    first = all_exercises()[0]
    solve(record, first.id, first.lesson)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert f"✓ {first.id}: solved" in out
    assert str(record.path) in out
    code, out, _ = run("--json")
    told = json.loads(out)
    assert code == 0
    assert told["solved"] == 1
    assert told["record"] == {"path": str(record.path), "on_disk": True}
    assert {"points", "of", "exercises", "predictions", "missed", "next", "lessons"} <= set(told)


def test_export_writes_a_new_file_only(run: Run, record: Record, tmp_path: Path) -> None:
    record.keep_source("stamp", 1, "def stamp(): ...")
    file = tmp_path / "mine.json"
    code, out, _ = run("--export", str(file))
    assert code == 0
    assert str(file) in out
    assert json.loads(file.read_text()) == record.everything()
    code, _, err = run("--export", str(file))
    assert code == 2
    assert "there already" in err
    assert run("--export", str(tmp_path / "no" / "folder.json"))[0] == 2


def test_reset_asks_unless_told(run: Run, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record.keep_hints("stamp", 1)
    for answer, left in (("no", 1), ("", 1), ("yes", 0)):
        monkeypatch.setattr("builtins.input", lambda _question, answer=answer: answer)
        code, out, _ = run("--reset")
        assert (code, len(record.hints())) == (left, left)
        assert "1 entry" in out or left == 0
    record.keep_hints("stamp", 1)
    monkeypatch.setattr("builtins.input", None)
    assert run("--reset", "--yes")[0] == 0
    assert record.hints() == {}
    assert "nothing to forget" in run("--reset")[1]


def test_reset_with_nobody_to_ask(run: Run, record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_question: str) -> str:
        raise EOFError

    record.keep_hints("stamp", 1)
    monkeypatch.setattr("builtins.input", nobody)
    code, _, err = run("--reset")
    assert code == 2
    assert "--yes" in err
    assert record.hints() == {"stamp": 1}


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--reset", "--yes"]])
def test_a_record_that_cannot_be_used_is_found_wrong(
    run: Run, own_record: Path, arguments: list[str]
) -> None:
    own_record.mkdir()
    (own_record / FILE_NAME).mkdir()
    code, out, err = run(*arguments)
    assert code == 1
    assert "cannot be used" in err
    assert "Forgotten" not in out
