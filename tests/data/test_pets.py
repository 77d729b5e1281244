"""Photographs come with masks and boxes that lie where the animal is, at every size."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from coursekit.data import load_pets, pets

SENTENCE = r"^Expected .+; got .+\. Try .+\.$"


def test_the_lists_order_classes_and_labels(made_pets: Path) -> None:
    train, test = load_pets(made_pets, size=32), load_pets(str(made_pets), "test", size=32)
    assert train.images.shape == (3, 3, 32, 32)
    assert len(test) == 1
    assert train.classes == ("background", "pet")
    assert train.label_names == ("cat", "dog")
    assert train.labels.tolist() == [0, 0, 1]
    assert test.labels.tolist() == [1]


@pytest.mark.parametrize("size", [30, 48, 97])
def test_the_mask_lies_on_the_animal_and_the_border_is_ignored(made_pets: Path, size: int) -> None:
    train = load_pets(made_pets, size=size)
    edge = size / 6
    middles = torch.arange(size) + 0.5
    inside = ((middles > edge + 1) & (middles < size - edge - 1)).float()
    outside = ((middles < edge - size / 30 - 1) | (middles > size - edge + size / 30 + 1)).float()
    for image, mask in zip(train.images.float(), train.masks, strict=True):
        assert (mask[torch.outer(inside, inside) > 0] == 1).all()
        assert (mask[outside > 0] == 0).all()
        assert (mask == 255).any()
        assert image[0][mask == 1].mean() > 200  # the animal is orange, its ground blue
        assert image[2][mask == 0].mean() > 180


def test_the_box_is_the_animals_in_pixels_of_the_result(made_pets: Path) -> None:
    train = load_pets(made_pets, size=60)
    assert (
        train.boxes - torch.tensor([10.0, 10.0, 40.0, 40.0])
    ).abs().max() < 0.8  # whole pixels of 80 to 120


def test_head_boxes_are_scaled_and_photographs_without_one_left_out(made_pets: Path) -> None:
    heads = load_pets(made_pets, size=40, boxes="head")
    assert len(heads) == 1
    # 30, 20 … 60, 40 of a photograph of 120 x 80.
    assert torch.allclose(heads.boxes, torch.tensor([[10.0, 10.0, 10.0, 10.0]]))
    assert torch.equal(heads.images, load_pets(made_pets, size=40).images[:1])


def test_a_head_box_that_cannot_be_read_counts_as_none(made_pets: Path) -> None:
    annotation = made_pets / "oxford-iiit-pet" / "annotations" / "xmls" / "Abyssinian_2.xml"
    for content in ("<annotation/>", "no xml", "<a><object><bndbox><xmin>one</xmin></bndbox></object></a>"):
        annotation.write_text(content)
        assert len(load_pets(made_pets, size=16, boxes="head")) == 1


def test_the_second_time_nothing_is_decoded(made_pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_pets(made_pets, size=16)
    monkeypatch.setattr(pets, "_decoded", None)
    assert torch.equal(load_pets(made_pets, size=16).images, first.images)


def test_a_changed_file_is_decoded_again(made_pets: Path) -> None:
    load_pets(made_pets, size=16)
    file = made_pets / "oxford-iiit-pet" / "images" / "beagle_1.jpg"
    Image.new("RGB", (50, 50), "white").save(file)
    os.utime(file, ns=(1, 1))
    assert load_pets(made_pets, size=16).images[2].min() > 250


def test_the_environment_names_the_folder(made_pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(made_pets))
    assert len(load_pets(size=16)) == 3


def test_where_download_puts_them_they_are_found(
    made_pets: Path, own_record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COURSEKIT_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=SENTENCE):
        load_pets(size=16)
    (own_record).mkdir(exist_ok=True)
    made_pets.rename(own_record / "data")
    assert len(load_pets(size=16)) == 3


@pytest.mark.parametrize(
    ("error", "settings"),
    [
        (ValueError, {"split": "valid"}),
        (ValueError, {"split": 3}),
        (ValueError, {"split": ["test"]}),
        (ValueError, {"size": 4}),
        (TypeError, {"size": "64"}),
        (ValueError, {"boxes": "tail"}),
        (ValueError, {"boxes": "head", "split": "test"}),
        (TypeError, {"root": 5}),
    ],
    ids=str,
)
def test_bad_arguments_are_sentences(
    made_pets: Path, error: type[Exception], settings: dict[str, Any]
) -> None:
    with pytest.raises(error, match=SENTENCE):
        load_pets(**{"root": made_pets, **settings})


def test_no_photographs_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="coursekit data download pets"):
        load_pets(tmp_path)


@pytest.mark.parametrize(
    ("error", "file", "content"),
    [
        (FileNotFoundError, "images/beagle_1.jpg", None),
        (FileNotFoundError, "annotations/trimaps/beagle_1.png", None),
        (FileNotFoundError, "annotations/trainval.txt", None),
        (ValueError, "images/beagle_1.jpg", b"not a picture"),
        (ValueError, "images/beagle_1.jpg", b"\xff\xd8\xff\xe0half a picture"),
        (ValueError, "annotations/trimaps/beagle_1.png", b""),
        (ValueError, "annotations/trainval.txt", b"beagle_1 five 2 1\n"),
        (ValueError, "annotations/trainval.txt", b"../../beagle_1 5 2 1\n"),
        (ValueError, "annotations/trainval.txt", b"\n"),
        (ValueError, "annotations/trainval.txt", b""),
        (FileNotFoundError, "annotations/trainval.txt", b"\xff\xfe\xff"),
    ],
    ids=str,
)
def test_missing_and_damaged_files_are_sentences(
    made_pets: Path, error: type[Exception], file: str, content: bytes | None
) -> None:
    path = made_pets / "oxford-iiit-pet" / file
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(error, match=SENTENCE):
        load_pets(made_pets, size=16)


def test_the_real_photographs(real_pets: Path) -> None:
    train, test = load_pets(real_pets), load_pets(real_pets, "test")
    for samples in (train, test):
        assert set(samples.masks.unique().tolist()) <= {0, 1, 255}
        assert 0.05 < (samples.masks == 255).float().mean() < 0.25
        x, y, width, height = samples.boxes.unbind(1)
        assert ((x >= 0) & (y >= 0) & (x + width <= 64.01) & (y + height <= 64.01)).all()
    names = [
        {line.split()[0] for line in (real_pets / f"oxford-iiit-pet/annotations/{split}.txt").open()}
        for split in ("trainval", "test")
    ]
    assert not names[0] & names[1]  # no photograph is in both
    assert [len(each) for each in names] == [len(train), len(test)]


def test_a_real_mask_fills_its_box_and_nothing_beyond(real_pets: Path) -> None:
    train = load_pets(real_pets)
    for mask, (x, y, width, height) in zip(train.masks.numpy(), train.boxes.tolist(), strict=True):
        rows, columns = np.nonzero(mask == 1)
        if not len(rows):
            continue
        assert columns.min() >= x - 1
        assert columns.max() + 1 <= x + width + 1
        assert rows.min() >= y - 1
        assert rows.max() + 1 <= y + height + 1


def test_a_real_head_lies_inside_its_animal_for_the_most_part(real_pets: Path) -> None:
    heads = load_pets(real_pets, boxes="head")
    inside = []
    for mask, box in zip(heads.masks, heads.boxes.round().int().tolist(), strict=True):
        x, y, width, height = box
        inside.append(float((mask[y : y + height, x : x + width] != 0).float().mean()))
    assert np.median(inside) > 0.7
