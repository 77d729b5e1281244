"""Pictures of places: what is expected and what came, to scale, in a notebook and in a terminal."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
import torch
from checking_demo import STAMPS

from coursekit.checking import Exercise, Property, Rectangle, Sheet, Tensor, check, draw_example, filled


def double(box):
    return 2 * box


def _sheet(case, output):
    given = Rectangle("given", *case["box"].tolist())
    return Sheet((given, Rectangle("doubled", *output.tolist(), look="answer")), frame=(9, 20))


DOUBLE = Exercise(
    id="double",
    lesson="00",
    title="Twice as large",
    function="double",
    points=1,
    starter="def double(box):\n    ...\n",
    reference=double,
    parameters=(Tensor("box", "4", low=1, high=5),),
    properties=(Property("any", "everything is doubled"),),
    example={"box": [1, 2, 3, 4]},
    sheet=_sheet,
)


def captions(html: str) -> list[str]:
    return re.findall(r'<span class="ck-label">([^<]+)</span></figcaption><svg', html)


def test_both_are_drawn_on_the_same_scale_and_the_expected_behind_the_learners() -> None:
    verdict = check(DOUBLE, lambda box: 3 * box)
    html = verdict._repr_html_()
    assert captions(html) == ["expected, drawn", "yours, drawn"]
    views = re.findall(r'<svg role="img" viewBox="([^"]+)"[^>]*class="ck-sheet"', html)
    assert len(views) == 2
    assert views[0] == views[1]
    mine = html.partition("yours, drawn")[2]
    assert 'class="ck-guilty" x=' in mine
    assert 'class="ck-wanted" x=' in mine
    box = verdict.counterexample.case["box"]
    left, right = 3 * box[0].item(), 3 * (box[0] + box[2]).item()
    assert f"doubled: x {left:g} to {right:g}" in repr(verdict)


def test_an_example_shows_the_right_answer_only() -> None:
    picture = draw_example(DOUBLE)
    assert captions(picture._repr_html_()) == ["expected, drawn"]
    assert "doubled: x 2 to 8, y 4 to 12" in repr(picture)


def test_what_does_not_depend_on_the_answer_is_drawn_once() -> None:
    still = replace(DOUBLE, sheet=lambda case, output: Sheet((Rectangle("given", *case["box"].tolist()),)))
    assert captions(check(still, lambda box: 3 * box)._repr_html_()) == ["drawn to scale"]


@pytest.mark.parametrize(
    "answer",
    [
        lambda box: torch.ones(2),
        lambda box: box * math.nan,
        lambda box: box * math.inf,
        lambda box: box[9],
        lambda box: "<script>",
    ],
)
def test_what_cannot_be_drawn_is_left_out(answer) -> None:
    html = check(DOUBLE, answer)._repr_html_()
    assert captions(html) == ["expected, drawn"]
    assert "<script" not in html


@pytest.mark.parametrize("factor", [-1e30, 1e9, 1e30, 0.0, -1.0])
def test_a_wild_answer_leaves_the_picture_but_does_not_spoil_it(factor: float) -> None:
    verdict = check(DOUBLE, lambda box: factor * box)
    html = verdict._repr_html_()
    assert captions(html) == ["expected, drawn", "yours, drawn"]
    wide, high = map(float, re.search(r'viewBox="0 0 (\S+) (\S+)"[^>]*class="ck-sheet"', html).groups())
    assert 100 < wide < 400
    assert 40 < high < 400
    sheets = " ".join(re.findall(r'<svg[^>]*class="ck-sheet">.*?</svg>', html))
    places = [float(place) for place in re.findall(r' (?:x|y|width|height)="([^"]+)"', sheets)]
    assert all(-20 < place < 420 for place in places)


def test_names_are_escaped() -> None:
    evil = replace(DOUBLE, sheet=lambda case, output: Sheet((Rectangle("<script>", 0, 0, 1, 1),)))
    assert "<script" not in draw_example(evil)._repr_html_()


def test_cells_lie_under_the_rectangles() -> None:
    cells = filled(torch.tensor([[True, False, True]]))
    html = draw_example(replace(DOUBLE, sheet=lambda case, output: Sheet((), cells=cells)))._repr_html_()
    assert html.count('<rect class="ck-filled"') == 2


def test_an_exercise_without_a_sheet_is_drawn_as_before() -> None:
    assert "<svg" in draw_example(STAMPS)._repr_html_()
    assert 'class="ck-sheet"' not in draw_example(STAMPS)._repr_html_()
