"""What the lessons' cells call, as a learner uses it."""

from __future__ import annotations

import pytest
import torch

import coursekit
from coursekit import notebook
from coursekit.exercises import all_exercises
from coursekit.exercises.learnable_upsampling import TRANSPOSED_CONV, transposed_conv


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_session", notebook._Session())


def overwriting(x, kernel, stride):
    canvas = torch.zeros_like(transposed_conv(x, kernel, stride))
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            rows, columns = (
                slice(i * stride, i * stride + len(kernel)),
                slice(j * stride, j * stride + len(kernel[0])),
            )
            canvas[rows, columns] = x[i, j] * kernel
    return canvas


def test_the_root_offers_all_of_it() -> None:
    for name in set(notebook.__all__) - {"Mistake"}:
        assert getattr(coursekit, name) is getattr(notebook, name)


def test_exercise_shows_the_verdict_and_returns_the_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook.exercise("transposed-conv")(overwriting) is overwriting
    shown = capsys.readouterr().out
    assert "overwrites the earlier" in shown
    assert "+=" in shown


def test_mine_is_the_last_that_passed(capsys: pytest.CaptureFixture[str]) -> None:
    assert notebook.mine("transposed-conv") is TRANSPOSED_CONV.reference
    assert "has not passed" in capsys.readouterr().out

    def right(x, kernel, stride):
        return transposed_conv(x, kernel, stride)

    notebook.exercise("transposed-conv")(right)
    notebook.exercise("transposed-conv")(overwriting)
    capsys.readouterr()
    assert notebook.mine("transposed-conv") is right
    assert capsys.readouterr().out == ""


def test_failure_replays_the_counterexample() -> None:
    notebook.exercise("transposed-conv")(overwriting)
    inputs, expected = notebook.failure()
    assert torch.equal(transposed_conv(**inputs), expected)
    assert not torch.equal(overwriting(**inputs), expected)


def test_failure_without_one_is_a_sentence() -> None:
    with pytest.raises(notebook.Mistake, match="Try"):
        notebook.failure()
    notebook.exercise("transposed-conv")(transposed_conv)
    with pytest.raises(notebook.Mistake, match="got none"):
        notebook.failure()


def test_hints_come_one_by_one_then_point_to_the_solution() -> None:
    first, second = repr(notebook.hint("stamp")), repr(notebook.hint("stamp"))
    assert first.count("Hint") == 1
    assert second.count("Hint") == 2
    assert "solution(" not in second
    last = repr(notebook.hint("stamp"))
    assert 'solution("stamp")' in last
    assert repr(notebook.hint("stamp")) == last


def test_hint_is_for_the_exercise_run_last() -> None:
    with pytest.raises(notebook.Mistake):
        notebook.hint()
    notebook.exercise("transposed-conv")(overwriting)
    assert TRANSPOSED_CONV.hints[0] in repr(notebook.hint())


def test_solution_is_code_that_runs() -> None:
    note = notebook.solution("stamp")
    compile(note.code, "solution", "exec")
    assert note.code in repr(note)


@pytest.mark.parametrize("id", [exercise.id for exercise in all_exercises()])
def test_examples_draw_themselves(id: str) -> None:
    shown = notebook.example(id)
    assert "<svg" in shown._repr_html_()
    assert len(repr(shown).splitlines()) >= 2


@pytest.mark.parametrize(
    "call", [notebook.exercise, notebook.example, notebook.hint, notebook.solution, notebook.mine]
)
def test_a_wrong_id_is_a_sentence_without_engine_lines(call) -> None:
    with pytest.raises(notebook.Mistake, match="Try 'transposed-conv'") as caught:
        call("transposed_convv")
    assert caught.value._render_traceback_() == [str(caught.value)]


def test_notes_escape_html() -> None:
    assert "<script>" not in notebook.Note("<script>", "<b>")._repr_html_()


def test_explore_a_function_of_ones_own() -> None:
    explorer = notebook.explore(transposed_conv, stride=2)
    assert (
        explorer.output
        == transposed_conv(
            torch.tensor([[1.0, 2], [3, 4]]), torch.tensor([[1.0, 2, 1], [0, 1, 0], [1, 0, 2]]), 2
        ).tolist()
    )


def test_explore_by_name_and_without_a_kernel() -> None:
    assert notebook.explore("nearest", [[1, 2], [3, 4]]).output[0] == [1, 1, 2, 2]
    doubled = notebook.explore(lambda x: x.repeat_interleave(2, 0), [[1, 2]])
    assert doubled.output == [[1, 2], [1, 2]]


def test_explore_opens_the_panels_asked_for() -> None:
    assert list(notebook.explore("nearest", panels=("meter",)).panels) == ["meter"]
    assert list(notebook.explore(transposed_conv, panels=("meter",), stride=2).panels) == ["meter"]


def test_compare_keeps_the_cells_together() -> None:
    box = notebook.compare("nearest", "bed_of_nails", [[1, 2], [3, 4]])
    left, right = box.children
    left.cell = ("output", 1, 1)
    assert tuple(right.cell) == ("output", 1, 1)


def test_predictions_are_revealed_by_a_later_cell() -> None:
    guess = notebook.predict("size", ["4", "5"], question="How many?")
    guess.commit("A")
    assert guess.reveal(1).right is False


def test_what_takes_a_while_waits_for_a_button_on_a_web_page(monkeypatch):
    done = []
    work = lambda: done.append(1) or len(done)  # noqa: E731
    assert coursekit.offered("Do it", work) == 1
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5")
    button, _ = coursekit.offered("Do it", work).children
    assert done == [1], "nothing runs before somebody asks"
    button.click()
    assert done == [1, 1]
    assert not button.disabled
