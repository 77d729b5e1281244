"""A guess is locked before anything is shown, whatever a browser sends."""

from __future__ import annotations

import json

import pytest
import traitlets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursekit.widgets.predicting import Predict

# A busy machine is no failure: no example is timed.
calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

WHY = "overlapping stamps are summed"
GRID = [[1, 3], [4, 10]]


def asked(**settings) -> Predict:
    return Predict("What happens?", ["covered", "added", GRID], **{"answer": "B", "why": WHY, **settings})


def sent(widget: Predict, monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Record the states that go back to the browser."""
    messages: list[dict] = []
    monkeypatch.setattr(widget, "_send", lambda message, buffers=None: messages.append(message["state"]))
    return messages


def test_the_answer_is_nowhere_in_what_the_browser_gets_before_the_reveal():
    guess = asked()
    guess.commit("A")
    assert guess.solution == {}
    mine = {name: value for name, value in guess.get_state().items() if name not in ("_esm", "_css")}
    state = json.dumps(mine, default=str)
    assert WHY not in state
    assert WHY not in guess.as_text() + guess.as_html()
    by_answer = [
        {name: value for name, value in asked(answer=answer).get_state().items() if name != "layout"}
        for answer in ("A", "B")
    ]
    assert by_answer[0] == by_answer[1]


def test_the_answer_comes_with_the_reveal():
    guess = asked()
    guess.commit("A")
    assert guess.reveal() is guess
    assert guess.revealed
    assert guess.solution == {"answer": 1, "why": WHY}
    assert guess.right is False


def test_a_reveal_before_the_guess_waits_for_it():
    guess = asked()
    guess.reveal()
    assert guess.awaited
    assert not guess.revealed
    assert guess.solution == {}
    guess.set_state({"choice": 1, "committed": True})
    assert guess.revealed
    assert not guess.awaited
    assert guess.right is True


def test_an_answer_found_by_a_later_cell_can_be_given_late():
    guess = asked(answer=None, why="")
    guess.commit("C")
    assert guess.right is None
    with pytest.raises(ValueError, match=r"expected an answer .* try"):
        guess.reveal()
    guess.reveal(2, why="as measured")
    assert guess.solution == {"answer": 2, "why": "as measured"}
    assert guess.right is True


def test_the_browser_may_choose_and_lock():
    guess = asked()
    guess.set_state({"choice": 2})
    assert (guess.choice, guess.committed) == (2, False)
    guess.set_state({"choice": 0, "committed": True})
    assert (guess.choice, guess.committed) == (0, True)


@pytest.mark.parametrize("choice", [3, -2, 10**30, 1.0, "1", True, None, [1], {}, float("nan")])
def test_a_forged_choice_changes_nothing_and_is_answered(choice, monkeypatch):
    guess = asked()
    replies = sent(guess, monkeypatch)
    guess.set_state({"choice": choice, "committed": True})
    assert (guess.choice, guess.committed) == (-1, False)
    assert {"choice": -1, "committed": False} in replies


def test_nothing_chosen_cannot_be_locked():
    guess = asked()
    guess.set_state({"committed": True})
    guess.set_state({"choice": -1, "committed": True})
    assert not guess.committed


@pytest.mark.parametrize(
    "forged",
    [
        {"choice": 2},
        {"committed": False},
        {"choice": -1, "committed": False},
        {"choice": 2, "committed": True},
        {"revealed": True},
        {"revealed": 1},
        {"awaited": True},
        {"solution": {"answer": 0, "why": "mine"}},
        {"question": "another"},
        {"options": [{"text": "one"}]},
        {"static": True, "revealed": True},
        {"_esm": "export default {}"},
        {"no such trait": 1},
    ],
)
def test_a_locked_guess_stays_as_it_is(forged):
    guess = asked()
    guess.commit("A")
    before = guess.get_state()
    guess.set_state(forged)
    assert guess.get_state() == before


@calm
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["choice", "committed", "revealed", "solution", "awaited", "static", "options"]),
            st.one_of(
                st.integers(-3, 4),
                st.booleans(),
                st.none(),
                st.text("01A", max_size=3),
                st.lists(st.integers()),
            ),
        ),
        max_size=5,
    )
)
def test_no_message_reveals_or_raises(messages):
    guess = asked()
    locked = None
    for message in messages:
        guess.set_state(message)
        assert not guess.revealed
        assert guess.solution == {}
        if guess.committed:
            locked = guess.choice if locked is None else locked
            assert guess.choice == locked
            assert 0 <= locked < 3


@pytest.mark.parametrize("state", [None, [], "choice", 3])
def test_a_message_that_is_no_state_is_ignored(state):
    guess = asked()
    guess.set_state(state)
    assert guess.choice == -1


def test_on_a_static_page_the_browser_may_reveal_but_only_after_the_guess():
    guess = asked(static=True)
    assert guess.solution == {"answer": 1, "why": WHY}
    guess.set_state({"revealed": True})
    assert not guess.revealed
    guess.set_state({"choice": 0, "committed": True})
    guess.set_state({"revealed": True})
    assert guess.revealed


def test_a_static_page_needs_its_answer():
    with pytest.raises(ValueError, match=r"expected an answer .* try"):
        asked(answer=None, static=True)


def test_python_cannot_undo_a_guess_either():
    guess = asked()
    with pytest.raises(traitlets.TraitError, match="expected a choice to lock"):
        guess.committed = True
    with pytest.raises(traitlets.TraitError, match="expected a choice from -1 to 2"):
        guess.choice = 3
    with pytest.raises(traitlets.TraitError, match="expected a locked guess"):
        guess.revealed = True
    guess.commit("A")
    guess.commit("B")
    assert guess.choice == 0
    with pytest.raises(traitlets.TraitError, match="locked"):
        guess.choice = 1
    with pytest.raises(traitlets.TraitError, match="locked"):
        guess.committed = False
    assert (guess.choice, guess.committed) == (0, True)


def test_an_observer_of_the_lock_already_sees_the_choice():
    seen = []
    guess = asked()
    guess.observe(lambda change: seen.append(guess.choice), "committed")
    guess.set_state({"committed": True, "choice": 2})
    assert seen == [2]


@pytest.mark.parametrize("question", ["", "  ", None, 3])
def test_a_question_is_a_text(question):
    with pytest.raises(ValueError, match=r"expected the question .* got .* try"):
        Predict(question, ["a", "b"])


def test_it_reads_without_a_script():
    guess = asked()
    data, _ = guess._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    plain = data["text/plain"]
    for part in ("What happens?", "A) covered", "B) added", "C)  1   3", ".commit("):
        assert part in plain
    assert "<table" in data["text/html"]
    guess.commit("a")
    assert "Recorded: A. Run the next cell to see." in guess.as_text()
    guess.reveal()
    assert "The answer is B. " + WHY in guess.as_text()
