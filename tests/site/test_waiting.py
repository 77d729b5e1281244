"""Which cells wait for a guess."""

from __future__ import annotations

from typing import Any

from coursekit.site.waiting import in_turn

CODE, PROSE, SECTION, EXERCISE = "train()", "So it is.", "Text\n\n## 2 · More", '@exercise("a")\ndef f(): ...'


def cell(text: str) -> dict[str, Any]:
    kind = "markdown" if text in (PROSE, SECTION) else "code"
    return {"cell_type": kind, "source": text.splitlines(keepends=True), "id": "x"}


def waiting(*cells: str | tuple[str, ...]) -> list[list[str]]:
    """What each cell waits for. A tuple is a cell that shows these guesses; the others show a text."""
    texts = [CODE if isinstance(each, tuple) else each for each in cells]
    outputs: list[list[dict[str, Any]] | None] = [
        [{"as": "widget", "model": key} for key in each]
        if isinstance(each, tuple)
        else [{"as": "text", "text": "7"}]
        for each in cells
    ]
    return [each.waits_for for each in in_turn([cell(text) for text in texts], outputs, {"g", "h"})]


def test_an_answer_waits_for_its_guess_and_a_question_does_not() -> None:
    assert waiting(("g",), ("g",)) == [[], ["g"]]
    assert waiting(("g", "h"), ("g", "h", "other")) == [[], ["g", "h"]]


def test_what_the_answer_is_read_from_waits_too() -> None:
    assert waiting(("g",), CODE, CODE, ("g",)) == [[], ["g"], ["g"], ["g"]]
    assert waiting(CODE, ("g",), CODE, PROSE, ("g",), CODE) == [[], [], ["g"], [], ["g"], []]


def test_another_section_an_exercise_or_another_question_is_not_held_up() -> None:
    assert waiting(("g",), CODE, SECTION, CODE, ("g",)) == [[], [], [], ["g"], ["g"]]
    assert waiting(("g",), CODE, EXERCISE, CODE, ("g",)) == [[], [], [], ["g"], ["g"]]
    assert waiting(("g",), CODE, ("h",), CODE, ("h",), ("g",)) == [[], [], [], ["h"], ["h"], ["g"]]


def test_a_widget_that_is_no_guess_and_a_cell_that_has_changed_are_no_answers() -> None:
    assert waiting(("other",), ("other",)) == [[], []]
    shown = in_turn([cell(CODE)], [None], {"g"})
    assert (shown[0].waits_for, shown[0].is_code) == ([], True)
