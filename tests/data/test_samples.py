"""Samples keep their parts together, refuse parts that do not go together, and show themselves."""

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.data import Samples, load_scenes


@pytest.fixture(scope="module")
def samples() -> Samples:
    return load_scenes(12, seed=1, objects=1)


@pytest.mark.parametrize(
    ("which", "rows"),
    [
        (slice(2, 5), [2, 3, 4]),
        (slice(None, None, -4), [11, 7, 3]),
        (slice(20, 30), []),
        ([5, 0, 5], [5, 0, 5]),
        ([], []),
        (torch.tensor([1, 2]), [1, 2]),
        (torch.arange(12) % 3 == 0, [0, 3, 6, 9]),
        (np.array([4, 2]), [4, 2]),
        (torch.tensor(7), [7]),
        (3, [3]),
        (-1, [11]),
        (np.int64(2), [2]),
    ],
    ids=str,
)
def test_indexing_takes_the_same_rows_of_every_part(samples: Samples, which: Any, rows: list[int]) -> None:
    some = samples[which]
    assert isinstance(some, Samples)
    assert len(some) == len(rows)
    for name in ("images", "masks", "boxes", "labels"):
        assert torch.equal(getattr(some, name), getattr(samples, name)[torch.tensor(rows, dtype=torch.int64)])
    assert some.classes == samples.classes


@pytest.mark.parametrize(
    ("error", "which"),
    [
        (IndexError, 12),
        (IndexError, -13),
        (TypeError, "a"),
        (TypeError, 1.5),
        (TypeError, [[0, 1]]),
        (TypeError, None),
    ],
)
def test_an_index_that_means_nothing_is_a_sentence(
    samples: Samples, error: type[Exception], which: Any
) -> None:
    with pytest.raises(error, match=r"^Expected .+; got .+\. Try .+\.$"):
        samples[which]


def test_a_loop_gives_every_sample_once(samples: Samples) -> None:
    assert [int(each.labels) for each in samples] == samples.labels.tolist()


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (TypeError, {"images": torch.zeros(12, 3, 64, 64)}),
        (TypeError, {"images": np.zeros((12, 3, 64, 64), np.uint8)}),
        (ValueError, {"images": torch.zeros(12, 1, 64, 64, dtype=torch.uint8)}),
        (ValueError, {"images": torch.zeros(3, 64, 64, dtype=torch.uint8)}),
        (ValueError, {"masks": torch.zeros(11, 64, 64, dtype=torch.uint8)}),
        (ValueError, {"masks": torch.zeros(12, 32, 64, dtype=torch.uint8)}),
        (ValueError, {"masks": torch.full((12, 64, 64), 5, dtype=torch.uint8)}),
        (ValueError, {"boxes": torch.zeros(12, 5)}),
        (TypeError, {"boxes": torch.zeros(12, 4, dtype=torch.int64)}),
        (ValueError, {"labels": torch.full((12,), 5)}),
        (ValueError, {"labels": torch.full((12,), -1)}),
        (ValueError, {"classes": ()}),
        (ValueError, {"classes": (1, 2, 3, 4, 5)}),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    samples: Samples, error: type[Exception], change: dict[str, Any]
) -> None:
    with pytest.raises(error, match=r"^Expected .+; got .+\. Try .+\.$"):
        replace(samples, **change)


def test_ignored_pixels_are_no_class() -> None:
    empty = load_scenes(1)
    masks = torch.full_like(empty.masks, 255)
    assert replace(empty, masks=masks).ignore == 255


def test_the_text_names_size_and_classes(samples: Samples) -> None:
    assert repr(samples) == (
        "Samples: 12 images of 64 x 64 pixels · classes background, disc, square, triangle, ring"
    )


def test_the_gallery_holds_the_very_pixels(samples: Samples) -> None:
    shown = pictures(samples._repr_html_())
    assert len(shown) == 16  # eight samples, each an image and a mask
    for index in range(8):
        assert np.array_equal(shown[2 * index], samples.images[index].permute(1, 2, 0).numpy())
        colours = {tuple(colour) for colour in shown[2 * index + 1].reshape(-1, 3).tolist()}
        assert len(colours) == len(samples.masks[index].unique())


def pictures(page: str) -> list[np.ndarray]:
    found = re.findall(r"data:image/png;base64,([^\"]+)", page)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(each)))) for each in found]


def test_the_gallery_says_in_words_what_colours_show(samples: Samples) -> None:
    page = samples._repr_html_()
    name = samples.label_names[int(samples.labels[0])]
    assert f'aria-label="sample 0: box around a {name}; the mask holds {name}"' in page
    assert page.count("</text>") == 8  # the class's name on each mask
    assert "http" not in page.replace("http://www.w3.org", "")


def test_the_gallery_draws_the_box_where_it_is(samples: Samples) -> None:
    x, y, width, height = samples.boxes[0].tolist()
    expected = f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}"'
    assert expected in samples._repr_html_()


def test_a_class_name_cannot_break_the_page(samples: Samples) -> None:
    names = ("background", '<script>"&', "square", "triangle", "ring")
    page = replace(samples, classes=names, label_names=names)._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;&quot;&amp;" in page


def test_no_samples_still_show_themselves(samples: Samples) -> None:
    assert "0 images" in samples[:0]._repr_html_()
    assert len(samples[:0]) == 0


def test_ignored_pixels_have_their_entry_in_the_legend(samples: Samples) -> None:
    masks = samples.masks.clone()
    masks[0, 0, 0] = 255
    assert "ignored" in replace(samples, masks=masks)._repr_html_()
    assert "ignored" not in samples._repr_html_()
