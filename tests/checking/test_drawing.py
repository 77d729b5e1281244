"""Verdicts as HTML, text and JSON: every word of the learner's escaped, every guilty cell marked twice."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
import torch
from checking_demo import CONV, RIGHT, STAMPS, checked, overwrites

from coursekit.checking import Case, Verdict, check, draw_case
from coursekit.checking.drawing import draw_example
from coursekit.checking.drawing.style import STYLE

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    """Collects tags and text, and fails on unbalanced ones."""

    VOID = frozenset({"rect", "path", "br", "img"})

    def __init__(self, html):
        super().__init__()
        self.open, self.seen, self.words, self.attributes = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


SOURCES = {
    "right": RIGHT,
    "partial": RIGHT.replace("+=", "="),
    "wrong": RIGHT.replace("return out", "return out + 1"),
    "not_attempted": STAMPS.starter,
    "error": f"def stamps(x, kernel, stride):\n    raise ValueError({EVIL!r})  # {EVIL}\n",
    "forbidden": "def stamps(x, kernel, stride):\n    return F.fold(x)\n",
    "timeout": "def stamps(x, kernel, stride):\n    while True: pass\n",
}
VERDICTS: dict[str, Verdict] = {}


def verdict_of(state):
    if state not in VERDICTS:
        VERDICTS[state] = checked(SOURCES[state], seconds=0.15 if state == "timeout" else 5)
    assert VERDICTS[state].state == state
    return VERDICTS[state]


@pytest.mark.parametrize("state", SOURCES)
def test_every_state_has_a_sign_a_word_and_points(state):
    verdict = verdict_of(state)
    page = Tags(verdict._repr_html_())
    text = " ".join(page.words)
    word = repr(verdict).split(" · ")[0].split(" ", 1)[1]
    assert word in text
    assert "of 4 points" in text
    assert "points" in repr(verdict)
    assert "script" not in page.seen
    assert "img" not in page.seen
    assert not any(name.startswith("on") for _, attributes in page.attributes for name in attributes)


@pytest.mark.parametrize("state", SOURCES)
def test_a_verdict_survives_json(state):
    data = verdict_of(state).to_dict()
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["state"] == state
    assert data["exercise"] == "stamps"


def test_nan_survives_json():
    verdict = checked(RIGHT.replace("return out", "return out / 0 * 0"))
    assert "nan" in json.dumps(verdict.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    "source",
    [
        f"def stamps(x, kernel, stride):\n    print({EVIL!r})\n    return {EVIL!r}\n",
        f"def stamps(x, kernel, stride):\n    x[{EVIL!r}]\n",
        f"def stamps(x, kernel, stride):\n    return type({EVIL!r}, (), {{}})()\n",
        f"def stamps(x, kernel, stride):\n    raise type({EVIL!r}, (Exception,), {{}})\n",
    ],
)
def test_what_the_learner_wrote_is_escaped(source):
    page = Tags(checked(source)._repr_html_())
    assert "script" not in page.seen
    assert "img" not in page.seen
    assert "<script>" in " ".join(page.words) or "alert(1)" in " ".join(page.words)


def test_guilty_cells_are_outlined_and_crossed_and_told():
    verdict = check(STAMPS, overwrites)
    wrong = int(verdict.counterexample.guilty.sum())
    page = verdict._repr_html_()
    assert page.count('class="ck-guilty"') == page.count('class="ck-guilty-cross"') == wrong
    assert page.count('class="ck-wanted"') == wrong
    assert page.count("(differs)") == 2 * wrong
    assert repr(verdict).split("yours")[1].count("[") >= wrong


def test_every_picture_has_a_name_and_a_description():
    page = Tags(check(STAMPS, overwrites)._repr_html_())
    pictures = page.seen.count("svg")
    assert pictures == page.seen.count("title") == page.seen.count("desc") == 4
    assert all(attributes["role"] == "img" for tag, attributes in page.attributes if tag == "svg")


def test_the_picture_holds_the_numbers_of_the_counterexample():
    verdict = check(STAMPS, overwrites)
    words = " ".join(Tags(verdict._repr_html_()).words)
    for value in verdict.counterexample.expected.flatten().tolist():
        assert f"{value:g}" in words


def test_text_grids_stand_side_by_side_and_align():
    lines = repr(check(STAMPS, overwrites)).split("\n")
    row = next(index for index, line in enumerate(lines) if line.startswith("expected"))
    assert "yours" in lines[row]
    assert len(lines[row + 1]) == len(lines[row + 2])


@pytest.mark.parametrize(
    ("shape", "cells"),
    [
        ((20, 30), 80),
        ((3,), 3),
        ((2, 3, 4), 24),
        ((2, 2, 2, 2), 16),
        ((9, 2, 2), 24),
        ((4, 2, 1, 1), 8),
        ((9, 1, 1), 8),
        ((), 1),
    ],
)
def test_any_number_of_axes_is_drawn_and_long_sides_are_left_out(shape, cells):
    value = torch.arange(float(torch.Size(shape).numel())).reshape(shape)
    picture = draw_case(
        STAMPS, Case({"x": torch.ones(1, 1), "kernel": torch.ones(1, 1), "stride": 1}), value, value
    )
    page = picture._repr_html_()
    assert page.count('class="ck-cell"') <= 2 * cells + 2
    Tags(page)
    assert ("…" in repr(picture)) == (max(shape, default=1) > 12 or shape[:1] == (9,))


def test_a_guilty_cell_is_never_left_out():
    value = torch.zeros(40, 40)
    for cell in [(0, 0), (7, 31), (20, 20), (39, 39), (38, 3)]:
        got = value.clone()
        got[cell] = 5
        case = Case({"x": torch.ones(1, 1), "kernel": torch.ones(1, 1), "stride": 1})
        assert "[5]" in repr(draw_case(STAMPS, case, value, got))
    planes = torch.zeros(30, 2, 2)
    planes[29, 1, 1] = 5
    assert "[5]" in repr(draw_case(STAMPS, case, torch.zeros(30, 2, 2), planes))


@pytest.mark.parametrize(
    "got", [None, 3, (1, 2), [1.5], "text", torch.zeros(0, 3), torch.tensor(2.0), (torch.ones(2), None)]
)
def test_what_is_no_grid_is_written_out(got):
    case = Case({"x": torch.ones(1, 1), "kernel": torch.ones(1, 1), "stride": 1})
    picture = draw_case(STAMPS, case, torch.ones(2, 2), got)
    assert "yours" in repr(picture)
    Tags(picture._repr_html_())


def test_numbers_that_differ_look_different():
    case = Case({"x": torch.ones(1, 1), "kernel": torch.ones(1, 1), "stride": 1})
    picture = draw_case(STAMPS, case, torch.tensor([[1.0]]), torch.tensor([[1.00003]]))
    expected, yours = repr(picture).split("yours")
    assert "1.00003" in yours or "1.00003" in repr(picture)
    assert expected


def test_an_example_shows_the_right_result_and_no_attempt():
    for exercise in (STAMPS, CONV):
        picture = draw_example(exercise)
        assert "yours" not in repr(picture)
        assert exercise.signature in repr(picture)
        Tags(picture._repr_html_())


def test_every_class_of_a_card_has_a_whole_rule():
    properties = re.findall(r"[{;]([^:{};]+):[^{}]", STYLE)
    assert STYLE.count("{") == STYLE.count("}")
    assert all(re.fullmatch(r"-{0,2}[a-z-]+[0-9]?", name) for name in properties)
    named = set(re.findall(r"\.(ck-[a-z-]+)", STYLE))
    for state in SOURCES:
        for _, attributes in Tags(verdict_of(state)._repr_html_()).attributes:
            plain_roles = {"ck-given", "ck-expected", "ck-value", "ck-plane", "ck-calm", "ck-broken"}
            assert set((attributes.get("class") or "").split()) <= named | plain_roles
