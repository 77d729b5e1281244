"""What a lesson's cells leave in the record, and what a later kernel finds there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from coursekit import notebook, remembering
from coursekit.exercises import find_exercise
from coursekit.exercises.learnable_upsampling import TRANSPOSED_CONV
from coursekit.record import Record

RIGHT = find_exercise("transposed-conv").solution
QUESTIONS = [
    {
        "question": "Overlaps are …",
        "options": ["averaged", "added"],
        "answer": 1,
        "why": "",
        "idea": "overlap",
    },
    {"question": "Which is lit?", "options": [[[1, 0]], [[0, 1]]], "answer": "A", "why": ["lit", "dark"]},
]


def new_kernel() -> None:
    notebook._session.__init__()
    remembering._records.clear()


@pytest.fixture(autouse=True)
def fresh() -> None:
    new_kernel()


@pytest.fixture
def record(own_record: Path) -> Record:
    return Record(own_record)


def cell(text: str, name: str = "transposed_conv"):
    """A function as a cell defines it: its text is known, its module is `__main__`."""
    import linecache

    label = f"<cell {hash(text)}>"
    linecache.cache[label] = (len(text), None, text.splitlines(keepends=True), label)
    namespace = {"__name__": "__main__", "torch": torch}
    exec(compile(text, label, "exec"), namespace)
    return namespace[name]


def test_every_check_leaves_its_verdict(record: Record) -> None:
    run = notebook.exercise("transposed-conv")
    run(cell(TRANSPOSED_CONV.starter))
    run(cell("def transposed_conv(x, kernel, stride):\n    return x\n"))
    run(cell(RIGHT))
    kept = record.verdicts()
    assert [row["state"] for row in kept] == ["not_attempted", "wrong", "right"]
    assert kept[-1]["points"] == TRANSPOSED_CONV.points
    assert {row["lesson"] for row in kept} == {TRANSPOSED_CONV.lesson}


def test_mine_comes_back_in_another_kernel(capsys: pytest.CaptureFixture[str]) -> None:
    text = RIGHT.replace("return", "return 0 +", 1) if RIGHT.count("return") == 1 else RIGHT
    notebook.exercise("transposed-conv")(cell(text))
    new_kernel()
    capsys.readouterr()
    again = notebook.mine("transposed-conv")
    assert capsys.readouterr().out == ""
    assert again is not TRANSPOSED_CONV.reference
    assert notebook.mine("transposed-conv") is again
    x, kernel = torch.tensor([[1.0, -2.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    assert torch.equal(again(x, kernel, 2), TRANSPOSED_CONV.reference(x, kernel, 2))


@pytest.mark.parametrize(
    "stored",
    [
        "def transposed_conv(x, kernel, stride):\n    return x\n",
        "def transposed_conv(:",
        "raise KeyError",
        "",
    ],
)
def test_a_stored_function_that_no_longer_passes_gives_way(
    stored: str, record: Record, capsys: pytest.CaptureFixture[str]
) -> None:
    record.keep_source("transposed-conv", 1, stored)
    assert notebook.mine("transposed-conv") is TRANSPOSED_CONV.reference
    shown = capsys.readouterr().out
    assert "does not pass its check any more" in shown
    assert "lesson 05" in shown


def test_hints_are_counted(record: Record) -> None:
    notebook.hint("stamp")
    notebook.hint("stamp")
    assert record.hints() == {"stamp": 2}


def test_a_guess_is_kept_before_the_reveal_and_its_outcome_after(record: Record) -> None:
    card = notebook.predict("size", ["4", "5"], question="How many?", answer="B")
    assert record.guesses() == []
    card.set_state({"choice": 0})
    assert record.guesses() == []
    card.set_state({"committed": True})
    assert [(row["said"], row["right"]) for row in record.guesses()] == [("4", None)]
    card.reveal()
    assert record.guesses()[0]["right"] is False


def test_a_reveal_that_waited_finds_the_guess_kept(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    card = notebook.predict("size", ["4", "5"], question="How many?")
    card.reveal("B")
    sent: list[tuple[bool, int]] = []
    monkeypatch.setattr(
        card, "send_state", lambda key=None: sent.append(("revealed" in str(key), len(record.guesses())))
    )
    card.commit("B")
    assert all(kept == 1 for reveals, kept in sent if reveals)
    assert record.guesses()[0]["right"] is True


@pytest.mark.parametrize("state", [{"choice": 7, "committed": True}, {"committed": True}, {"choice": "0"}])
def test_a_forged_guess_leaves_no_trace(state: dict[str, object], record: Record) -> None:
    notebook.predict("size", ["4", "5"], answer=1).set_state(state)
    assert record.guesses() == []


def test_only_first_answers_are_kept(record: Record) -> None:
    card = notebook.quiz(QUESTIONS, id="lesson-03")
    card.set_state({"tries": [[0], []], "answers": [0, -1]})
    card.set_state({"tries": [[0, 1], []], "answers": [0, -1]})
    card.choose(2, "A")
    rows = [(row["lesson"], row["idea"], row["choice"], row["right"]) for row in record.answers()]
    assert rows == [("03", "overlap", 0, False), ("03", "Which is lit?", 0, True)]


def test_a_missed_question_comes_back_first_until_it_is_known(record: Record) -> None:
    first = notebook.quiz(QUESTIONS, id="lesson-03")
    first.choose(1, "A")
    first.choose(2, "B")
    new_kernel()
    own = {"question": "Own?", "options": ["yes", "no"], "answer": "A"}
    later = notebook.quiz([own], id="lesson-04")
    assert [asked.get("lesson") for asked in later.questions] == ["03", "03", None]
    assert [asked["question"] for asked in later.questions] == ["Overlaps are …", "Which is lit?", "Own?"]
    assert later.questions[1]["options"] == [{"grid": [[1, 0]]}, {"grid": [[0, 1]]}]
    assert "(From lesson 03) Overlaps" in repr(later)
    later.choose(1, "B")
    assert [row["lesson"] for row in record.answers()] == ["03", "03", "03"]
    assert record.answers()[-1]["asked_in"] == "04"
    assert [row["idea"] for row in record.missed()] == ["Which is lit?"]
    assert len(notebook.quiz([own], id="lesson-06").questions) == 2


def test_questions_of_the_same_and_of_later_lessons_do_not_come_back() -> None:
    notebook.quiz(QUESTIONS, id="lesson-05").choose(1, "A")
    for lesson in ("lesson-05", "lesson-03", "lesson-5", "", "play"):
        assert len(notebook.quiz(QUESTIONS, id=lesson).questions) == 2
    assert len(notebook.quiz(QUESTIONS, id="lesson-06").questions) == 3


def test_few_questions_come_back_at_once() -> None:
    many = [{"question": f"{i}?", "options": ["a", "b"], "answer": 0} for i in range(6)]
    card = notebook.quiz(many, id="lesson-00")
    for number in range(1, 7):
        card.choose(number, "B")
    assert len(notebook.quiz(QUESTIONS, id="lesson-03").questions) == 2 + remembering.MOST_RETURNING


def test_the_last_lesson_asks_all_that_was_missed_and_nothing_else() -> None:
    many = [{"question": f"{i}?", "options": ["a", "b"], "answer": 0} for i in range(7)]
    card = notebook.quiz(many, id="lesson-00")
    for number in range(1, 8):
        card.choose(number, "A" if number == 4 else "B")
    asked = [each["question"] for each in notebook.quiz(QUESTIONS, id="lesson-10", missed=None).questions]
    assert asked == ["0?", "1?", "2?", "4?", "5?", "6?", "Overlaps are …", "Which is lit?"]
    assert len(notebook.quiz(QUESTIONS, id="lesson-10", missed=0).questions) == 2


@pytest.mark.parametrize(
    "question", [{}, {"question": "?"}, None, [1], {"question": "?", "options": 3, "answer": 0}]
)
def test_a_stored_question_that_cannot_be_read_is_left_out(question, record: Record) -> None:
    record.keep_answer(lesson="00", idea="x", asked_in="00", choice=0, correct=False, question=question)
    assert len(notebook.quiz(QUESTIONS, id="lesson-03").questions) == 2


def test_trouble_with_the_file_is_said_once_and_stops_nothing(
    own_record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_record.write_text("a file where the folder should be")
    notebook.exercise("transposed-conv")(cell(RIGHT))
    card = notebook.predict("size", ["4", "5"], answer=1)
    card.commit("B")
    card.reveal()
    notebook.quiz(QUESTIONS, id="lesson-03").choose(1, "A")
    notebook.hint("stamp")
    assert "1 of 1 guesses right" not in repr(notebook.progress())  # "size" is no lesson's prediction
    assert capsys.readouterr().out.count("cannot be used") == 1
    assert "ends with this session" in repr(notebook.progress())
    notebook._session.__init__()
    assert notebook.mine("transposed-conv") is not TRANSPOSED_CONV.reference  # from memory


def test_what_nobody_foresaw_stops_nothing_either(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down(*_: object, **__: object) -> None:
        raise RuntimeError("the roof is gone")

    monkeypatch.setattr(Record, "keep_verdict", break_down)
    monkeypatch.setattr(Record, "keep_guess", break_down)
    function = cell(RIGHT)
    assert notebook.exercise("transposed-conv")(function) is function
    notebook.predict("size", ["4", "5"], answer=1).commit("B")
    assert capsys.readouterr().out.count("the roof is gone") == 2


def test_a_visitor_of_the_web_app_leaves_no_trace(
    own_record: Path, record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.keep_source("transposed-conv", 1, "raise SystemExit('no stored function is run for a visitor')")
    before = record.everything()
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    notebook.exercise("stamp")(find_exercise("stamp").reference)
    notebook.predict("size", ["4", "5"], answer=1).commit("B")
    notebook.quiz(QUESTIONS, id="lesson-03").choose(1, "A")
    assert notebook.mine("transposed-conv") is TRANSPOSED_CONV.reference
    assert "not remembered" in repr(notebook.progress())
    assert record.everything() == before


def test_progress_links_to_the_lessons_from_their_folder_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lessons = Path(remembering.LESSONS[0].path).parent
    monkeypatch.chdir(lessons)
    assert 'href="05-learnable-upsampling.ipynb"' in notebook.progress()._repr_html_()
    monkeypatch.chdir(lessons / "play")
    assert 'href="../05-learnable-upsampling.ipynb"' in notebook.progress()._repr_html_()
    monkeypatch.chdir(tmp_path)
    assert "href" not in notebook.progress()._repr_html_()


def test_the_record_opens_no_connection_and_sends_nothing() -> None:
    """What keeps the record imports nothing that could reach another machine."""
    for name in ("storage", "record", "standing", "remembering"):
        text = Path(sys.modules[f"coursekit.{name}"].__file__).read_text(encoding="utf-8")
        assert not {"socket", "urllib", "http", "requests", "subprocess"} & set(text.split()), name
