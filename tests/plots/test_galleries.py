"""A gallery of results shows every mask, names every class, and says every score."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import torch

from coursekit.data import Samples, load_scenes
from coursekit.plots import result_gallery
from coursekit.plots.masks import mask_uri, mean_iou


@pytest.fixture(scope="module")
def scenes() -> Samples:
    return load_scenes(6, seed=2)


def test_every_prediction_is_drawn_with_its_iou(scenes):
    guesses = scenes.masks.roll(1, 0)
    page = result_gallery(scenes, guesses)._repr_html_()
    assert all(mask_uri(mask) in page for mask in guesses)
    said = [float(number) for number in re.findall(r"IoU (\d\.\d\d)", page)]
    wanted = [mean_iou(truth, guess) for truth, guess in zip(scenes.masks, guesses, strict=True)]
    assert said == pytest.approx(wanted, abs=0.005)


def test_it_is_well_formed_and_needs_nothing_from_outside(scenes):
    page = result_gallery(scenes, scenes.masks, boxes=True, titles=["<b>"] * 6)._repr_html_()
    body = ElementTree.fromstring(page[page.index("<div") :])
    addresses = [node.get("href") for node in body.iter() if node.get("href")]
    assert len(addresses) == 18
    assert all(address.startswith("data:image/png") for address in addresses)
    assert not list(body.iter("b"))
    assert "http" not in page


def test_rows_are_named_and_pictures_speak(scenes):
    page = result_gallery(scenes[:2], {"with": scenes.masks[:2], "without": scenes.masks[:2]})._repr_html_()
    assert re.findall(r'class="row">([^<]*)<', page) == ["image", "truth", "with", "without"]
    says = re.findall(r'aria-label="([^"]*)"', page)
    assert len(says) == 8
    assert all(each.startswith(("image", "truth", "with", "without")) for each in says)


def test_boxes_come_only_when_asked_for(scenes):
    one = load_scenes(1, objects=1)
    assert "<rect" not in result_gallery(one, one.masks)._repr_html_()
    page = result_gallery(one, one.masks, boxes=True)._repr_html_()
    places = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', page)
    assert len(places) == 4
    assert set(places) == {tuple(f"{value:.2f}" for value in one.boxes[0].tolist())}
    blank = torch.zeros_like(one.masks)
    assert result_gallery(one, blank, boxes=True)._repr_html_().count("<rect") == 2


def test_a_terminal_reads_the_scores(scenes):
    assert repr(result_gallery(scenes[:2], {"mine": scenes.masks[:2]})) == (
        "Results on 2 images, IoU of each:\n  mine: 1.00 1.00"
    )


def test_only_the_first_so_many_are_shown(scenes):
    gallery = result_gallery(scenes, scenes.masks, most=2, titles=list("abcdef"))
    assert (len(gallery.samples), gallery.titles, gallery.ious()) == (
        2,
        ("a", "b"),
        {"prediction": [1.0, 1.0]},
    )


def test_ignored_pixels_are_named(scenes):
    masks = scenes.masks.clone()
    masks[0, 0] = 255
    fields = (scenes.images, masks, scenes.boxes, scenes.labels, scenes.classes)
    assert ">ignored<" in result_gallery(Samples(*fields), scenes.masks)._repr_html_()
    assert ">ignored<" not in result_gallery(scenes, scenes.masks)._repr_html_()


@pytest.mark.parametrize(
    ("predictions", "settings", "error"),
    [
        (torch.zeros(6, 64, 64), {}, TypeError),
        ([[0]], {}, TypeError),
        (None, {}, TypeError),
        (torch.zeros(5, 64, 64, dtype=torch.uint8), {}, ValueError),
        (torch.full((6, 64, 64), 5), {}, ValueError),
        (torch.full((6, 64, 64), -1), {}, ValueError),
        ({}, {}, ValueError),
        ({"net": torch.zeros(6, 2, 2, dtype=torch.uint8)}, {}, ValueError),
        (torch.zeros(6, 64, 64, dtype=torch.uint8), {"titles": ["one"]}, ValueError),
        (torch.zeros(6, 64, 64, dtype=torch.uint8), {"titles": "abcdef"}, ValueError),
        (torch.zeros(6, 64, 64, dtype=torch.uint8), {"most": 0}, ValueError),
        (torch.zeros(6, 64, 64, dtype=torch.uint8), {"most": 2.0}, TypeError),
    ],
)
def test_what_cannot_be_shown_is_a_sentence(scenes, predictions, settings, error):
    with pytest.raises(error, match=r"Expected .*; got .*\. Try "):
        result_gallery(scenes, predictions, **settings)


def test_samples_are_asked_for_by_name():
    with pytest.raises(TypeError, match=r"Expected Samples; got .* Try "):
        result_gallery([1], torch.zeros(1, 2, 2, dtype=torch.uint8))
