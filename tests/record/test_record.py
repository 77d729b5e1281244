"""What is kept comes back, in the next session too."""

from __future__ import annotations

import json
import sqlite3
import stat
import sys
from pathlib import Path

import pytest

from coursekit.record import TABLES, Record

QUESTION = {"question": "Overlaps are …", "options": ["averaged", "added"], "answer": 1, "why": "They add."}


def verdict(record: Record, state: str = "right", fraction: float = 1.0) -> None:
    record.keep_verdict(
        "stamp", lesson="05-demo", version=3, state=state, fraction=fraction, points=2 * fraction
    )


def answer(record: Record, lesson: str, idea: str, correct: bool) -> None:
    record.keep_answer(lesson=lesson, idea=idea, asked_in="06", choice=0, correct=correct, question=QUESTION)


def test_everything_comes_back_in_the_next_session(tmp_path: Path) -> None:
    first = Record(tmp_path / "not" / "there" / "yet")
    verdict(first, "wrong", 0.25)
    verdict(first)
    first.keep_source("stamp", 3, "def stamp(x):\n    return 'Grüße'\n")
    first.keep_hints("stamp", 2)
    first.keep_guess("size", 1, "5 rows")
    answer(first, "03", "block", correct=False)

    again = Record(tmp_path / "not" / "there" / "yet")
    assert [(row["state"], row["points"]) for row in again.verdicts()] == [("wrong", 0.5), ("right", 2)]
    assert again.verdicts()[0] | {"at": ""} == {
        "exercise": "stamp",
        "lesson": "05-demo",
        "version": 3,
        "state": "wrong",
        "fraction": 0.25,
        "points": 0.5,
        "at": "",
    }
    assert again.source("stamp") == "def stamp(x):\n    return 'Grüße'\n"
    assert again.hints() == {"stamp": 2}
    assert [(row["prediction"], row["said"], row["right"]) for row in again.guesses()] == [
        ("size", "5 rows", None)
    ]
    assert again.answers()[0]["question"] == QUESTION
    assert again.on_disk
    assert again.take_notices() == []


def test_a_fresh_record_is_empty_and_reading_makes_no_file(tmp_path: Path) -> None:
    record = Record(tmp_path / "home")
    assert record.everything() == {
        "record_version": 1, "verdicts": [], "sources": [], "hints": [], "guesses": [], "answers": [],
    }  # fmt: skip
    assert record.source("stamp") is None
    assert not (tmp_path / "home").exists()


def test_the_last_function_that_passed_is_the_one_kept(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep_source("stamp", 1, "old")
    record.keep_source("stamp", 1, "new")
    assert record.source("stamp") == "new"


def test_hints_count_the_most_that_were_seen(tmp_path: Path) -> None:
    record = Record(tmp_path)
    for seen in (1, 3, 2):
        record.keep_hints("stamp", seen)
    assert record.hints() == {"stamp": 3}


def test_the_first_guess_counts_also_when_the_reveal_comes_later(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep_guess("size", 0, "4 rows")
    record.keep_outcome("size", 1)
    record.keep_guess("size", 1, "5 rows")  # the cell was run again, with the answer known
    record.keep_outcome("size", 1)
    record.keep_outcome("never-asked", 1)
    (row,) = record.guesses()
    assert (row["said"], row["right"]) == ("4 rows", False)


def test_an_idea_is_missed_until_its_latest_first_try_is_right(tmp_path: Path) -> None:
    record = Record(tmp_path)
    answer(record, "03", "block", correct=False)
    answer(record, "04", "block", correct=False)
    answer(record, "03", "nail", correct=True)
    assert [(row["lesson"], row["idea"]) for row in record.missed()] == [("03", "block"), ("04", "block")]
    answer(record, "03", "block", correct=True)
    assert [row["lesson"] for row in record.missed()] == ["04"]
    answer(record, "03", "nail", correct=False)
    assert [row["idea"] for row in record.missed()] == ["block", "nail"]


def test_forgetting_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    record = Record(tmp_path)
    secret = "a very particular answer " * 400  # more than a page
    record.keep_source("stamp", 1, secret)
    verdict(record)
    record.clear()
    assert all(not rows for name, rows in record.everything().items() if name in TABLES)
    assert b"very particular" not in record.path.read_bytes()
    verdict(record)
    assert len(Record(tmp_path).verdicts()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_only_its_learner_may_read_the_file(tmp_path: Path) -> None:
    record = Record(tmp_path)
    verdict(record)
    assert stat.S_IMODE(record.path.stat().st_mode) == 0o600


def test_the_journal_is_rolled_back_not_written_ahead(tmp_path: Path) -> None:
    record = Record(tmp_path)
    verdict(record)
    turned = sqlite3.connect(record.path)
    turned.execute("PRAGMA journal_mode = WAL")  # as a well-meaning tool may do
    turned.close()
    verdict(record)
    looked = sqlite3.connect(record.path)
    assert looked.execute("PRAGMA journal_mode").fetchone()[0] != "wal"
    looked.close()
    assert len(record.verdicts()) == 2


def test_all_of_it_is_plain_data(tmp_path: Path) -> None:
    record = Record(tmp_path)
    verdict(record)
    answer(record, "03", "block", correct=False)
    assert json.loads(json.dumps(record.everything())) == record.everything()


def test_a_record_of_no_folder_is_kept_in_memory_without_a_word() -> None:
    record = Record(None)
    verdict(record)
    assert len(record.verdicts()) == 1
    assert (record.path, record.on_disk, record.take_notices()) == (None, False, [])


def test_a_home_that_cannot_be_named_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", "~nobody-of-this-name/course")
    record = Record.of_this_learner()
    verdict(record)
    assert len(record.verdicts()) == 1
    (sentence,) = record.take_notices()
    assert "cannot be kept" in sentence
