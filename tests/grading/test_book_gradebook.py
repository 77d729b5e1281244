"""The gradebook is only added to, keeps everything, and tells what is wrong with its file."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from coursekit import __version__
from coursekit.checkout import CannotRun
from coursekit.grading import gradebook
from coursekit.grading.batch import Progress, run_batch
from coursekit.grading.gradebook import Gradebook, Task
from coursekit.grading.ledger import TABLES
from coursekit.grading.results import JUDGE_FAILED
from coursekit.grading.scores import standings
from coursekit.grading.submission import Submission
from coursekit.grading.submissions import find_submissions
from tests.grading.classroom import ASKED, EXERCISES, VERSIONS, grade, graded, handed_in, write_class

ADA = Submission("ada", "ada.ipynb", handed_in(class_share="right", stamp="starter"), handed_in=1000.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "class.sqlite"


@pytest.fixture
def book(path: Path) -> Iterator[Gradebook]:
    one = Gradebook(path, VERSIONS)
    yield one
    one.close()


def test_what_is_added_is_there_in_full(book: Gradebook, path: Path) -> None:
    result = graded(ADA)
    book.add(ADA, result, Task())
    (kept,) = Gradebook(path, VERSIONS).attempts()
    assert kept.result == result
    assert (kept.handed_in, kept.marked_late, kept.round) == (1000.0, False, 0)
    assert kept.coursekit == __version__
    assert kept.at.endswith("+00:00")


def test_the_same_submission_is_graded_once(book: Gradebook) -> None:
    result = graded(ADA)
    assert book.graded(ADA, result.digest, Task()) is None
    book.add(ADA, result, Task())
    book.add(ADA, result, Task())
    assert len(book.attempts()) == 1
    again = book.graded(ADA, result.digest, Task())
    assert again is not None
    assert again.result == result


def test_what_makes_a_submission_another(book: Gradebook, path: Path) -> None:
    result = graded(ADA)
    book.add(ADA, result, Task())
    assert book.graded(ADA, "another content", Task()) is None
    assert book.graded(Submission("bob", ADA.file, b""), result.digest, Task()) is None
    assert book.graded(ADA, result.digest, Task(("stamp",))) is None
    assert book.graded(ADA, result.digest, Task(round=1)) is None
    mended = Gradebook(path, {**VERSIONS, "stamp": VERSIONS["stamp"] + 1})
    assert mended.graded(ADA, result.digest, Task()) is None
    unrelated = Gradebook(path, {**VERSIONS, "nearest": VERSIONS["nearest"] + 1})
    assert unrelated.graded(ADA, result.digest, Task()) is not None
    book.begin_batch()
    assert book.graded(ADA, result.digest, Task()) is None


def test_another_exercise_in_the_lesson_makes_it_another(path: Path) -> None:
    result = graded(ADA)

    def seen_with(versions: dict[str, int], lessons: dict[str, str], task: Task) -> bool:
        with closing(Gradebook(path, versions, lessons=lessons)) as book:
            return book.graded(ADA, result.digest, task) is not None

    lessons = {id: EXERCISES[id].lesson for id in ASKED}
    tasks = Task(), Task(ASKED)
    with closing(Gradebook(path, VERSIONS, lessons=lessons)) as book:
        for task in tasks:
            book.add(ADA, result, task)
    assert [seen_with(VERSIONS, lessons, task) for task in tasks] == [True, True]
    more = {**lessons, "stamp-twice": lessons["stamp"]}
    assert [seen_with({**VERSIONS, "stamp-twice": 1}, more, task) for task in tasks] == [False, True]
    elsewhere = {**lessons, "box-giou": EXERCISES["box-giou"].lesson}
    assert [seen_with(VERSIONS, elsewhere, task) for task in tasks] == [True, True]


def test_a_mended_reader_looks_again(book: Gradebook, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Submission("eve", "eve.ipynb", b"{")
    result = graded(broken, ())
    book.add(broken, result, Task())
    assert book.graded(broken, result.digest, Task()) is not None
    monkeypatch.setattr(gradebook, "READER", gradebook.READER + 1)
    assert book.graded(broken, result.digest, Task()) is None


def test_what_the_judge_failed_on_is_graded_again(book: Gradebook, tmp_path: Path) -> None:
    folder = write_class(
        tmp_path / "class", {"ada": handed_in(stamp="right"), "bob": handed_in(stamp="right")}
    )
    asked: list[str] = []
    failing = {"bob"}

    def failing_once(submissions: Sequence[Submission], *, seed: str, exercises: Sequence[str] | None):
        for one in submissions:
            asked.append(one.learner)
            result = graded(one)
            if one.learner in failing:
                lost = replace(result.exercises[-1], points=0.0, reports=(f"{JUDGE_FAILED}OSError: full",))
                result = replace(result, exercises=(*result.exercises[:-1], lost))
            yield result

    def run() -> list[str]:
        asked.clear()
        run_batch(find_submissions([folder])[0], book, failing_once)
        return list(asked)

    assert [run(), run()] == [["ada", "bob"], ["bob"]]
    failing.clear()
    assert [run(), run()] == [["bob"], []]
    assert [one.points for one in standings(book.attempts())] == [2, 2]
    assert [one.result.learner for one in book.attempts()] == [
        "ada",
        "bob",
        "bob",
    ]  # the failure is history too


def test_a_machine_that_gives_up_loses_nothing(book: Gradebook, tmp_path: Path) -> None:
    folder = write_class(tmp_path / "class", dict.fromkeys("abc", handed_in(stamp="right")))

    def giving_up(submissions: Sequence[Submission], *, seed: str, exercises: Sequence[str] | None):
        for number, one in enumerate(submissions):
            if number == 1:
                raise CannotRun("expected the sandbox to start")
            yield graded(one)

    with pytest.raises(CannotRun):
        run_batch(find_submissions([folder])[0], book, giving_up)
    assert book.learners() == ["a"]
    run_batch(find_submissions([folder])[0], book, grade)
    assert {one.points for one in standings(book.attempts())} == {2}


def test_the_seed_is_secret_kept_and_each_books_own(book: Gradebook, path: Path, tmp_path: Path) -> None:
    assert len(book.seed) == 32
    assert Gradebook(path, VERSIONS).seed == book.seed
    assert Gradebook(tmp_path / "other.sqlite", VERSIONS).seed != book.seed
    before = book.seed
    book.begin_batch()
    assert book.seed != before


@pytest.mark.skipif(sys.platform == "win32", reason="asks for what only POSIX has")
def test_nobody_else_on_the_machine_reads_it(book: Gradebook, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET rowid = 7", "UPDATE {} SET {} = 'x'"])
def test_history_is_only_added_to(book: Gradebook, path: Path, table: str, change: str) -> None:
    book.add(ADA, graded(ADA), Task())
    book.override("ada", "stamp", 1.0, "well argued")
    book.note_learner("ada", "canvas", "1")
    book.begin_batch()
    raw = sqlite3.connect(path)
    (column,) = [row[1] for row in raw.execute(f"PRAGMA table_info({table})")][-1:]
    with pytest.raises(sqlite3.DatabaseError, match=r"only added to|no such column: rowid"):
        raw.execute(change.format(table, column))
    raw.close()


def test_strange_text_is_kept(book: Gradebook) -> None:
    text = 'def class_share(mask, label):\n    print("\\ud800 \\x00 <script>")\n    return 7\n'
    submission = Submission("ada", "ada.ipynb", handed_in(class_share=text))
    result = graded(submission)
    assert "\ud800 \x00 <script>" in (result.exercises[0].verdict or {})["output"]
    book.add(submission, result, Task())
    assert book.attempts()[0].result == result


def test_overrides_are_history_too(book: Gradebook) -> None:
    book.add(ADA, graded(ADA), Task())
    for points in (1.0, 1.5, None):
        book.override("ada", "stamp", points, "thought again")
    assert [one.points for one in book.overrides()] == [1.0, 1.5, None]
    (one,) = standings(book.attempts(), book.overrides())
    assert one.scores["stamp"].points == 0
    assert one.scores["stamp"].override is None
    book.override("ada", "stamp", 2.0, "last word")
    (one,) = standings(book.attempts(), book.overrides())
    assert one.scores["stamp"].points == 2.0
    assert one.scores["stamp"].result.points == 0


def test_a_regrade_counts_and_the_first_grade_stays(book: Gradebook, tmp_path: Path) -> None:
    write_class(tmp_path / "class", {"ada": handed_in(class_share="count", stamp="right")})
    found, _ = find_submissions([tmp_path / "class"])
    run_batch(found, book, grade)

    def mended(submissions: Sequence[Submission], *, seed: str, exercises: Sequence[str] | None):
        for one in submissions:
            answers = handed_in(class_share="right")
            result = graded(Submission(one.learner, one.file, answers), exercises or ASKED)
            yield type(result)(**{**vars(result), "digest": graded(one).digest})

    run_batch(found, book, mended, Task(("class-share",), book.next_round()))
    assert [attempt.round for attempt in book.attempts()] == [0, 1]
    (one,) = standings(book.attempts(), order=list(EXERCISES))
    assert one.scores["class-share"].points == EXERCISES["class-share"].points
    assert one.scores["stamp"].points == EXERCISES["stamp"].points
    assert book.next_round() == 2


def test_a_run_grades_only_what_is_new(book: Gradebook, tmp_path: Path) -> None:
    folder = write_class(tmp_path / "class", {"ada": handed_in(class_share="right"), "eve": b"{"})
    asked: list[str] = []

    def counting(submissions: Sequence[Submission], *, seed: str, exercises: Sequence[str] | None):
        assert seed == book.seed
        for one in submissions:
            asked.append(one.learner)
            yield graded(one)

    def run() -> list[Progress]:
        told: list[Progress] = []
        run_batch(find_submissions([folder])[0], book, counting, on_progress=told.append)
        return told

    assert [one.before for one in run()] == [False, False]
    assert [one.before for one in run()] == [True, True]
    write_class(folder, {"bob": handed_in(stamp="right"), "ada": handed_in(class_share="count")})
    assert sorted((one.result.learner, one.before) for one in run()) == [
        ("ada", False), ("bob", False), ("eve", True),
    ]  # fmt: skip
    assert asked == ["ada", "eve", "ada", "bob"]


def test_results_come_back_in_the_order_found(book: Gradebook, tmp_path: Path) -> None:
    folder = write_class(tmp_path / "class", {name: handed_in(stamp="right") for name in "dcba"})
    found, _ = find_submissions([folder])

    def backwards(submissions: Sequence[Submission], *, seed: str, exercises: Sequence[str] | None):
        yield from map(graded, reversed(list(submissions)))

    assert [one.learner for one in run_batch(found, book, backwards)] == ["a", "b", "c", "d"]
    assert [one.learner for one in run_batch(found, book, grade)] == ["a", "b", "c", "d"]


def test_one_canvas_name_and_two_numbers_in_two_weeks(book: Gradebook, tmp_path: Path) -> None:
    for number in ("11", "22", "11"):
        folder = tmp_path / f"week-{number}"
        folder.mkdir(exist_ok=True)
        (folder / f"leeann_{number}_5_work.ipynb").write_bytes(handed_in(class_share="right"))
        run_batch(find_submissions([folder])[0], book, grade)
    assert book.learners() == ["leeann", "leeann (22)"]
    assert book.numbers("canvas") == {"leeann": "11", "leeann (22)": "22"}


@pytest.mark.parametrize("content", [b"no database at all", b"SQLite format 3\0" + bytes(200)])
def test_a_file_that_is_no_gradebook_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(CannotRun, match=r"class\.sqlite"):
        Gradebook(path, VERSIONS)
    assert path.read_bytes() == content


def test_another_programs_database_is_left_as_it_is(path: Path) -> None:
    raw = sqlite3.connect(path)
    raw.execute("CREATE TABLE attempts (x)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(CannotRun, match="another program"):
        Gradebook(path, VERSIONS)
    assert path.read_bytes() == before


def test_a_gradebook_of_a_newer_course_is_left_as_it_is(book: Gradebook, path: Path) -> None:
    book.close()
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA user_version = 99")
    raw.close()
    with pytest.raises(CannotRun, match="newer version"):
        Gradebook(path, VERSIONS)


def test_a_gradebook_that_should_be_there(path: Path) -> None:
    with pytest.raises(CannotRun, match="not there"):
        Gradebook(path, VERSIONS, create=False)
    assert not path.exists()


def test_two_graders_at_once_keep_one_result_each(book: Gradebook, path: Path) -> None:
    other = Gradebook(path, VERSIONS)
    result = graded(ADA)
    book.add(ADA, result, Task())
    other.add(ADA, result, Task())
    assert len(other.attempts()) == 1
    assert other.seed == book.seed
    other.close()


def test_a_result_that_cannot_be_kept_is_not_acknowledged(book: Gradebook, tmp_path: Path) -> None:
    answers = handed_in(class_share="count", max_pool="mean", stamp="right")
    folder = write_class(tmp_path / "class", dict.fromkeys("abcdef", answers))
    told: list[Progress] = []
    pages = book._connection.execute("PRAGMA page_count").fetchone()[0]
    book._connection.execute(f"PRAGMA max_page_count = {pages + 6}")  # as a disk that is full
    with pytest.raises(CannotRun, match="full"):
        run_batch(find_submissions([folder])[0], book, grade, on_progress=told.append)
    kept = {attempt.result.learner for attempt in book.attempts()}
    assert {one.result.learner for one in told} == kept
    assert len(kept) < 6
    book._connection.execute("PRAGMA max_page_count = 100000")
    run_batch(find_submissions([folder])[0], book, grade, on_progress=told.append)
    assert book.learners() == list("abcdef")
