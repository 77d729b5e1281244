"""Windows on a picture: where they lie, what is dark, and that nothing comes from outside."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.plots import window_pictures

IMAGE = torch.arange(3 * 20 * 30).reshape(3, 20, 30).remainder(256).to(torch.uint8)


def figures(shown) -> list[ElementTree.Element]:
    page = shown._repr_html_()
    assert "http" not in page
    return ElementTree.fromstring(page[page.index("<div") :]).findall("figure")


@pytest.mark.parametrize(("side", "part"), [(1, (14, 10, 1, 1)), (5, (12, 8, 5, 5)), (4, (12, 8, 4, 4))])
def test_a_window_lies_around_its_middle(side, part):
    assert window_pictures(IMAGE, (10, 14), {"it": side}).part("it") == part


def test_a_window_ends_where_the_picture_ends():
    shown = window_pictures(IMAGE, (1, 29), {"corner": 9, "all": 99})
    assert shown.part("corner") == (25, 0, 5, 6)
    assert shown.part("all") == (0, 0, 30, 20)
    assert "9 x 9 pixels, 6 x 5 inside" in repr(shown)


def test_the_picture_is_whole_and_what_lies_outside_is_covered():
    (figure,) = figures(window_pictures(IMAGE, (10, 14), {"<b>": 5}))
    assert figure.find("figcaption").text == "<b>"
    drawing = figure.find("svg")
    assert drawing.get("viewBox") == "0 0 30 20"
    code = drawing.find("image").get("href").partition(",")[2]
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(code))))
    assert np.array_equal(seen, IMAGE.permute(1, 2, 0).numpy())
    corners = [int(number) for number in re.findall(r"\d+", drawing.find("path").get("d"))]
    assert corners == [0, 0, 30, 20, 0, 12, 8, 13, 17, 8]  # round the picture, then round the window


def test_a_window_can_be_shown_alone():
    (figure,) = figures(window_pictures(IMAGE, (10, 14), {"alone": 5}, cut=True))
    assert figure.find("svg").get("viewBox") == "12 8 5 5"
    assert figure.find("svg/path") is None


@pytest.mark.parametrize(
    ("image", "at", "sides", "error"),
    [
        ([[1]], (0, 0), {"a": 3}, TypeError),
        (IMAGE[0], (0, 0), {"a": 3}, TypeError),
        (IMAGE, (0, 0), {}, TypeError),
        (IMAGE, (20, 0), {"a": 3}, ValueError),
        (IMAGE, (0, 30), {"a": 3}, ValueError),
        (IMAGE, (0, 0), {"a": 0}, ValueError),
    ],
)
def test_what_cannot_be_drawn_is_refused(image, at, sides, error):
    with pytest.raises(error, match=r"Expected .*; got .*Try "):
        window_pictures(image, at, sides)
