"""A tiny data set in the Oxford-IIIT Pet layout, made here; and real photographs, where there are any."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SIZES = {"Abyssinian_1": (120, 80), "Abyssinian_2": (80, 100), "beagle_1": (90, 90), "beagle_2": (60, 120)}
CLASS_AND_SPECIES = {"Abyssinian": (1, 1), "beagle": (5, 2)}


def write_pets(root: Path) -> Path:
    """Three photographs to train with, one to test: an animal of two thirds of each side, with a border."""
    folder = root / "oxford-iiit-pet"
    for part in ("images", "annotations/trimaps", "annotations/xmls"):
        (folder / part).mkdir(parents=True)
    lines = []
    for name, (width, height) in SIZES.items():
        write_photograph(folder, name, width, height)
        number, species = CLASS_AND_SPECIES[name.rpartition("_")[0]]
        lines.append(f"{name} {number} {species} 1\n")
    (folder / "annotations" / "trainval.txt").write_text("".join(lines[:3]))
    (folder / "annotations" / "test.txt").write_text("".join(lines[3:]))
    box = "<xmin>30</xmin><ymin>20</ymin><xmax>60</xmax><ymax>40</ymax>"
    xml = f"<annotation><object><name>cat</name><bndbox>{box}</bndbox></object></annotation>"
    (folder / "annotations" / "xmls" / "Abyssinian_1.xml").write_text(xml)
    return root


def write_photograph(folder: Path, name: str, width: int, height: int) -> None:
    """Blue ground, an orange animal from 1/6 to 5/6 of each side, and a border one 30th wide around it."""
    pixels = np.zeros((height, width, 3), np.uint8) + np.array([20, 40, 200], np.uint8)
    trimap = np.full((height, width), 2, np.uint8)
    inner = (slice(height // 6, height * 5 // 6), slice(width // 6, width * 5 // 6))
    outer = (
        slice(height // 6 - height // 30, height * 5 // 6 + height // 30),
        slice(width // 6 - width // 30, width * 5 // 6 + width // 30),
    )
    trimap[outer], trimap[inner] = 3, 1
    pixels[inner] = (240, 140, 30)
    Image.fromarray(pixels).save(folder / "images" / f"{name}.jpg", quality=95)
    Image.fromarray(trimap).save(folder / "annotations" / "trimaps" / f"{name}.png")


@pytest.fixture
def made_pets(tmp_path: Path) -> Path:
    """The folder that holds a made-up ``oxford-iiit-pet/``."""
    return write_pets(tmp_path / "made")


@pytest.fixture
def real_pets() -> Path:
    """The folder that holds real photographs."""
    named = os.environ.get("COURSEKIT_DATA")
    root = Path(named) if named else Path(__file__).resolve().parents[3] / "shared" / "data"
    if not (root / "oxford-iiit-pet" / "images").is_dir():
        reason = f"no photographs in {root}; COURSEKIT_DATA names the folder that holds oxford-iiit-pet/"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return root
