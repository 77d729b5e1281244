"""The files for the learning platforms: their exact headers, safe in a spreadsheet, readable by `csv`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from coursekit.grading.batch import run_batch
from coursekit.grading.exporting import FORMATS, exported
from coursekit.grading.gradebook import Gradebook
from coursekit.grading.scores import Policy, Standing, standings
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import EXERCISES, VERSIONS, grade, handed_in, write_class

FORMULAS = ["=HYPERLINK(1)", "a;=1+1;b", "a; -1", "a;\t@SUM(A1)", "+1", "-1", "@SUM(A1)", "  =1", "\t=1"]


def gradebook(folder: Path) -> Gradebook:
    book = Gradebook(folder / "class.sqlite", VERSIONS)
    run_batch(find_submissions([folder / "class"])[0], book, grade)
    return book


def scores(book: Gradebook, policy: Policy | None = None) -> list[Standing]:
    return standings(book.attempts(), book.overrides(), policy, list(EXERCISES))


def table(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_plain_table(tmp_path: Path) -> None:
    answers = {"ada": handed_in(class_share="right", stamp="right"), "eve": b"{"}
    write_class(tmp_path / "class", answers)
    book = gradebook(tmp_path)
    book.override("eve", "stamp", 1.5, "by word, and well")
    head, ada, eve = table(exported(scores(book), book))
    assert head == [
        "learner", "points", "worth", "percent", "class-share", "max-pool", "stamp", "days late", "by hand",
        "could not be read",
    ]  # fmt: skip
    assert ada == ["ada", "3", "5", "60", "1", "0", "2", "0", "", ""]
    assert eve[:9] == ["eve", "1.5", "5", "30", "0", "0", "1.5", "0", "stamp: by word, and well"]
    assert eve[9].startswith("eve.ipynb: It is no notebook")


def test_the_canvas_table(tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    for name in ("lovelaceada_12345_1_w.ipynb", "plain.ipynb"):
        (tmp_path / "class" / name).write_bytes(handed_in(class_share="right"))
    book = gradebook(tmp_path)
    text = exported(scores(book), book, "canvas", "Lesson 5 (1234)")
    assert text.splitlines() == [
        "Student,ID,SIS User ID,SIS Login ID,Section,Lesson 5 (1234)",
        "    Points Possible,,,,,5",
        "lovelaceada,12345,,,,1",
        "plain,,,,,1",
    ]


def test_the_moodle_table(tmp_path: Path) -> None:
    folder = tmp_path / "class" / "Ada Lovelace_123_assignsubmission_file_"
    folder.mkdir(parents=True)
    (folder / "w.ipynb").write_bytes(handed_in(class_share="right"))
    book = gradebook(tmp_path)
    text = exported(scores(book), book, "moodle")
    assert text.splitlines()[0] == (
        "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
        "Last modified (submission),Last modified (grade),Feedback comments"
    )
    _, row = table(text)
    assert row[:7] == ["Participant 123", "Ada Lovelace", "", "Submitted for grading", "1", "5", "Yes"]
    assert row[7].endswith(" UTC")
    assert row[9] == "class-share: 1 of 1; max-pool: 0 of 2; stamp: 0 of 2"


def test_json_has_the_keys_of_the_command_and_the_scores_after_policy(tmp_path: Path) -> None:
    write_class(tmp_path / "class", {"ada": handed_in(class_share="right")})
    book = gradebook(tmp_path)
    (kept,) = book.attempts()
    late = Policy(due=(kept.handed_in or 0) - 1, per_day=0.5)
    (ada,) = json.loads(exported(scores(book, late), book, "json"))["submissions"]
    assert set(kept.result.to_dict()) <= set(ada)
    assert (ada["points"], ada["worth"], ada["fraction"]) == (0.5, 5, 0.1)
    share = ada["exercises"]["class-share"]
    assert (share["points"], share["graded_points"], share["days_late"], share["state"]) == (
        0.5,
        1,
        1,
        "right",
    )


@pytest.mark.parametrize("form", FORMATS)
def test_no_name_is_a_formula_and_no_line_is_broken(tmp_path: Path, form: str) -> None:
    names = [*FORMULAS, 'quo"te', "com,ma", "semi;colon", "new\nline", "Łukasz"]
    write_class(tmp_path / "class", dict.fromkeys(names, handed_in(class_share="right")))
    book = gradebook(tmp_path)
    book.override(book.learners()[0], "stamp", 1.0, "=cmd|' /C calc'!A0")
    text = exported(scores(book), book, form)
    if form == "json":
        assert len(json.loads(text)["submissions"]) == len(names)
        return
    rows = table(text)
    assert len({len(row) for row in rows}) == 1
    assert len(rows) == len(names) + (2 if form == "canvas" else 1)
    # a spreadsheet that splits at semicolons, as in many countries, sees these cells
    for cell in (part for row in rows for whole in row for part in whole.split(";")):
        assert cell.lstrip()[:1] not in ("=", "+", "@", "\t", "\r")
        assert not cell.startswith("-") or cell == "-"


def test_an_empty_gradebook_is_an_empty_table(tmp_path: Path) -> None:
    book = Gradebook(tmp_path / "class.sqlite", VERSIONS)
    for form in FORMATS:
        assert exported([], book, form)


def test_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="plain"):
        exported([], Gradebook(tmp_path / "class.sqlite", VERSIONS), "excel")
