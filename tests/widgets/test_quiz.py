"""Only the first answer counts, and none can be taken back, whatever a browser sends."""

from __future__ import annotations

import pytest
import traitlets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursekit.widgets.quizzing import Quiz, read_question

# A busy machine is no failure: no example is timed.
calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

QUESTIONS = [
    {
        "question": "Overlaps are …",
        "options": ["averaged", "added", "lost"],
        "answer": "B",
        "why": ["no", "yes", "?"],
    },
    {"question": "Which one?", "options": [[[1, 0]], [[0, 1]]], "answer": 0, "why": "the first is lit"},
]


def test_the_score_counts_first_answers_only():
    quiz = Quiz(QUESTIONS)
    assert quiz.choose(1, "A") is False
    assert quiz.choose(1, "B") is True
    assert quiz.choose(2, "A") is True
    assert quiz.answers == [0, 0]
    assert quiz.tries == [[0, 1], [0]]
    assert quiz.score == 1
    assert quiz.finished


def test_a_found_answer_closes_its_question_and_a_second_same_try_is_no_try():
    quiz = Quiz(QUESTIONS)
    quiz.choose(1, "A")
    quiz.choose(1, "A")
    quiz.choose(1, "B")
    quiz.choose(1, "C")
    assert quiz.tries == [[0, 1], []]
    assert not quiz.finished


def test_the_browser_sends_tries_and_first_answers():
    quiz = Quiz(QUESTIONS)
    quiz.set_state({"tries": [[2], []], "answers": [2, -1]})
    assert (quiz.tries, quiz.answers) == ([[2], []], [2, -1])
    quiz.set_state({"tries": [[2, 1], []]})
    assert (quiz.tries, quiz.answers) == ([[2, 1], []], [2, -1])


@pytest.mark.parametrize(
    "tries",
    [
        [[], []],
        [[1], []],
        [[0, 0], []],
        [[0, 1, 2], []],
        [[0, 3], []],
        [[0, -1], []],
        [[0, True], []],
        [[0, 1.0], []],
        [[0, "1"], []],
        [[0]],
        [[0], [], []],
        [[0], None],
        [[0], "ab"],
        [[0] * 10_000, []],
        "no",
        None,
        {},
    ],
)
def test_forged_tries_change_nothing_and_are_answered(tries, monkeypatch):
    quiz = Quiz(QUESTIONS)
    quiz.set_state({"tries": [[0], []]})
    replies: list[dict] = []
    monkeypatch.setattr(quiz, "_send", lambda message, buffers=None: replies.append(message["state"]))
    quiz.set_state({"tries": tries, "answers": [1, 0]})
    assert (quiz.tries, quiz.answers) == ([[0], []], [0, -1])
    assert {"tries": [[0], []], "answers": [0, -1]} in replies


@pytest.mark.parametrize(
    "forged",
    [
        {"answers": [1, 0]},
        {"answers": "all"},
        {"questions": []},
        {"title": "x"},
        {"_css": "x"},
        {"unknown": 1},
    ],
)
def test_nothing_else_is_the_browsers_to_set(forged):
    quiz = Quiz(QUESTIONS)
    before = quiz.get_state()
    quiz.set_state(forged)
    assert quiz.get_state() == before


rows = st.one_of(st.none(), st.lists(st.one_of(st.integers(-1, 3), st.booleans()), max_size=4))


@calm
@given(st.lists(st.lists(rows, max_size=3), max_size=6))
def test_first_answers_never_change_and_no_message_raises(messages):
    quiz = Quiz(QUESTIONS)
    first = [-1, -1]
    for tries in messages:
        quiz.set_state({"tries": tries})
        assert all(was in (-1, now) for was, now in zip(first, quiz.answers, strict=True))
        first = list(quiz.answers)


def test_python_is_held_to_the_same_rules():
    quiz = Quiz(QUESTIONS)
    with pytest.raises(traitlets.TraitError, match="expected one list of tried options"):
        quiz.tries = [[5], []]
    with pytest.raises(traitlets.TraitError, match="expected the first answers as tried"):
        quiz.answers = [1, 0]
    with pytest.raises(ValueError, match=r"expected a question 1 to 2, got 3: try 1"):
        quiz.choose(3, "A")
    with pytest.raises(ValueError, match=r"expected a question 1 to 2, got 0"):
        quiz.choose(0, "A")
    with pytest.raises(ValueError, match=r"expected a question 1 to 2, got '1'"):
        quiz.choose("1", "A")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected the option as a letter A to C"):
        quiz.choose(1, "D")
    assert quiz.tries == [[], []]


def test_one_why_belongs_to_the_right_option_only():
    assert read_question(QUESTIONS[1], 2)["why"] == ["the first is lit", ""]
    assert read_question(QUESTIONS[0], 1)["why"] == ["no", "yes", "?"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"answer": "Z"}, "question 1: expected the answer"),
        ({"options": ["one"]}, "question 1: expected 2 to 8 options"),
        ({"question": ""}, "question 1: expected the question"),
        ({"why": ["too", "few"]}, "question 1: expected why as one text or as 3 texts"),
        ({"why": None}, "question 1: expected why"),
        ({"hint": "x"}, "expected question 1 with question, options, answer and why, got"),
    ],
)
def test_a_mistaken_question_is_named_by_its_number(change, words):
    with pytest.raises(ValueError, match="expected") as caught:
        Quiz([{**QUESTIONS[0], **change}])
    assert str(caught.value).startswith(words)
    assert "try" in str(caught.value)


@pytest.mark.parametrize("questions", [None, [], "text", QUESTIONS[0], ["text"], [{"question": "only"}]])
def test_questions_are_a_list_of_dicts(questions):
    with pytest.raises(ValueError, match=r"expected .* got .* try"):
        Quiz(questions)


def test_it_reads_without_a_script():
    quiz = Quiz(QUESTIONS, title="Look back")
    data, _ = quiz._repr_mimebundle_()
    for part in ("Look back (2 questions)", "1. Overlaps are …", "B) added", "2. Which one?", ".choose("):
        assert part in data["text/plain"]
    assert "yes" not in data["text/plain"]
    assert data["text/html"].count("<details>") == 2
    quiz.choose(1, "B")
    assert "1 of 2 right at the first try." in quiz.as_text()
