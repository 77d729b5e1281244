"""Pictures of grids: every cell in its grey, small grids with their numbers, nothing from outside."""

from __future__ import annotations

import base64
import io
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.plots import grid_pictures


def pictures_of(page: str) -> list[np.ndarray]:
    """The pictures as an independent reader decodes them."""
    found = re.findall(r"data:image/png;base64,([^\"]+)", page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(code))).convert("L")) for code in found]


def test_cells_go_from_black_to_white():
    grid = torch.tensor([[-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]])
    (picture,) = pictures_of(grid_pictures({"a": grid})._repr_html_())
    assert picture.shape == (2, 3)
    assert np.allclose(picture, (grid.numpy() + 1) / 2 * 255, atol=1)


def test_one_scale_serves_all_on_request():
    grids = {"dark": torch.tensor([[0.0, 1.0]]), "light": torch.tensor([[3.0, 4.0]])}
    apart = pictures_of(grid_pictures(grids)._repr_html_())
    together = pictures_of(grid_pictures(grids, alike=True)._repr_html_())
    assert [picture.tolist() for picture in apart] == [[[0, 255]], [[0, 255]]]
    assert [picture.tolist() for picture in together] == [[[0, 64]], [[191, 255]]]


def test_a_flat_grid_is_one_grey():
    (picture,) = pictures_of(grid_pictures({"flat": torch.full((4, 5), 7.0)})._repr_html_())
    assert len(np.unique(picture)) == 1


def test_small_grids_show_their_numbers_and_large_ones_do_not():
    def texts(side: int, **settings: bool) -> list[str]:
        grid = torch.arange(float(side**2)).reshape(side, side) - 2
        page = grid_pictures({"<b>": grid}, **settings)._repr_html_()
        body = ElementTree.fromstring(page[page.index("<div") :])
        assert body.find(".//figcaption").text == "<b>"
        assert "http" not in page
        return [node.text for node in body.iter("text")]

    assert texts(3) == ["-2", "-1", "0", "1", "2", "3", "4", "5", "6"]
    assert texts(13) == []
    assert texts(3, numbers=False) == []


def test_text_says_what_is_there():
    assert repr(grid_pictures({"x": torch.tensor([[0.25, -3.0]])})) == "x: 1 x 2 cells from -3 to 0.25"


@pytest.mark.parametrize(
    ("grids", "error", "attempt"),
    [
        ({}, TypeError, "before"),
        ({"x": [[1, 2]]}, TypeError, "torch.tensor"),
        ({"x": torch.ones(2, 3, 4)}, ValueError, r"grid\[0\]"),
        ({"x": torch.ones(0, 3)}, ValueError, "1x1"),
        ({"x": torch.tensor([[float("nan")]])}, ValueError, "nan_to_num"),
    ],
)
def test_what_cannot_be_drawn_is_refused(grids, error, attempt):
    with pytest.raises(error, match=f"Expected .*; got .*Try .*{attempt}"):
        grid_pictures(grids)
