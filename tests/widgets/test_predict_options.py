"""What an author may write as options, and how each mistake is answered."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coursekit.widgets._card_options import (
    is_position,
    letter,
    option_html,
    option_index,
    option_lines,
    read_options,
    rich_html,
)

# A busy machine is no failure: no example is timed.
calm = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])

rows = st.integers(1, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-99, 99), min_size=width, max_size=width), min_size=1, max_size=4
    )
)


@calm
@given(rows)
def test_a_list_an_array_and_a_tensor_give_the_same_grid(grid):
    expected = [{"text": "other"}, {"grid": grid}]
    assert read_options(["other", grid]) == expected
    assert read_options(["other", np.array(grid)]) == expected
    assert read_options(["other", torch.tensor(grid)]) == expected


@calm
@given(rows)
def test_every_number_of_a_grid_reads_back_from_text_and_from_html(grid):
    option = {"grid": grid}
    as_text = " ".join(option_lines(option, "A")).removeprefix("  A) ").replace("\u2212", "-")
    assert [int(word) for word in as_text.split()] == [value for row in grid for value in row]
    cells: list[str] = []
    parser = HTMLParser()
    parser.handle_data = cells.append  # type: ignore[method-assign]
    parser.feed(option_html(option))
    assert [int(cell.replace("\u2212", "-")) for cell in cells] == [value for row in grid for value in row]


def test_numbers_become_texts():
    assert read_options([4, 2.5]) == [{"text": "4"}, {"text": "2.5"}]


@pytest.mark.parametrize(
    ("options", "expected", "got"),
    [
        ("yes or no", "a list of options", "str"),
        (None, "a list of options", "NoneType"),
        (["only one"], "2 to 8 options", "got 1"),
        ([str(n) for n in range(9)], "2 to 8 options", "got 9"),
        (["a", "b", "a"], "different options", "A and C"),
        (["a", "  "], "option B", "'  '"),
        (["a", None], "option B", "None"),
        (["a", True], "option B", "True"),
        (["a", {"grid": 1}], "rows of equal length", "dict"),
        (["a", [1, 2]], "rows of equal length", "list"),
        (["a", []], "rows of equal length", "[]"),
        (["a", [[], []]], "rows of equal length", "[0, 0]"),
        (["a", [[1, 2], [3]]], "rows of equal length", "[2, 1]"),
        (["a", [[1, "2"]]], "grid of numbers", "'2'"),
        (["a", [[1, float("nan")]]], "grid of numbers", "nan"),
        (["a", [[1, float("inf")]]], "grid of numbers", "inf"),
        (["a", torch.zeros(2, 2, 2)], "grid of numbers", "[0.0, 0.0]"),
        (["a", torch.zeros(13, 13)], "at most 12 x 12", "13 x 13"),
    ],
)
def test_a_mistaken_option_is_answered_with_expected_got_and_try(options, expected, got):
    with pytest.raises(ValueError, match="expected") as caught:
        read_options(options)
    sentence = str(caught.value)
    assert expected in sentence
    assert got in sentence
    assert "try" in sentence


def test_a_letter_and_a_position_name_the_same_option():
    for index in range(8):
        assert option_index(letter(index), 8) == option_index(index, 8) == index
    assert option_index("b", 2) == 1


@pytest.mark.parametrize("answer", ["C", "AB", "", 2, -1, 1.0, True, None, [0]])
def test_an_answer_that_is_no_option_is_refused(answer):
    with pytest.raises(ValueError, match=r"expected the answer .* A to B .* got .* try"):
        option_index(answer, 2)


@calm
@given(st.one_of(st.booleans(), st.floats(), st.text("01A"), st.none(), st.lists(st.integers())))
def test_only_a_true_integer_is_a_position(value):
    assert not is_position(value, 10)


@calm
@given(st.text("ab<>&\"'` "))
def test_a_text_never_becomes_markup(text):
    html = rich_html(text).replace("<code>", "").replace("</code>", "")
    assert "<" not in html
    assert ">" not in html


def test_code_between_backticks_keeps_its_typeface():
    assert rich_html("is `x < 2` so?") == "is <code>x &lt; 2</code> so?"
