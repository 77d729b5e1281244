"""Photographs of cats and dogs with their outlines: the Oxford-IIIT Pet data set, through torchvision."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from coursekit.checkout import home_folder
from coursekit.data.caching import cached
from coursekit.data.painting import box_around
from coursekit.data.samples import IGNORE, Samples
from coursekit.data.wording import described, require_whole, sentence

CLASSES = ("background", "pet")
SPECIES = ("cat", "dog")
FOLDER = "oxford-iiit-pet"
SPLITS = ("trainval", "test")
_BOXES = ("animal", "head")
_DOWNLOAD = "`coursekit data download pets`, or COURSEKIT_DATA set to a folder that holds oxford-iiit-pet/"

# Raised when the way from a photograph to a tensor changes, so that no old cache is taken for a new one.
_VERSION = 1

# What the trimap's values mean, as classes: 1 the animal, 2 the ground, 3 the border, which nobody labelled.
_TRIMAP_TO_CLASS = torch.full((256,), IGNORE, dtype=torch.uint8)
_TRIMAP_TO_CLASS[1], _TRIMAP_TO_CLASS[2] = 1, 0


def load_pets(
    root: str | Path | None = None,
    split: Literal["trainval", "test"] = "trainval",
    size: int = 64,
    *,
    boxes: Literal["animal", "head"] = "animal",
) -> Samples:
    """Read photographs of pets with their masks, resized to a square.

    Mask classes are ``("background", "pet")``; the trimap's border is 255 and counts nowhere. Labels are the
    species: 0 cat, 1 dog. The whole photograph is squeezed into the square, so nothing is cropped away.

    Parameters
    ----------
    root : str or Path, optional
        The folder that holds ``oxford-iiit-pet/``. When left out, ``COURSEKIT_DATA`` names it; without that
        it is where ``coursekit data download pets`` puts it.
    split : {"trainval", "test"}
        The data set's own split.
    size : int
        Height and width of what comes back, in pixels, 8 to 1024.
    boxes : {"animal", "head"}
        ``"animal"``: around the pixels that the trimap calls animal. ``"head"``: the head boxes of
        the XML files, which the test split lacks; photographs without one are left out.

    Returns
    -------
    Samples
        In the order of the split's list.

    Raises
    ------
    FileNotFoundError
        No photographs there, or some are missing.
    TypeError
        An argument of another type.
    ValueError
        An unknown split or kind of box, a size out of range, or a file that is no picture.

    References
    ----------
    O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar: Cats and Dogs. CVPR 2012.

    Examples
    --------
    >>> pets = load_pets("../shared/data")  # doctest: +SKIP
    >>> pets.images.shape, pets.label_names  # doctest: +SKIP
    (torch.Size([300, 3, 64, 64]), ('cat', 'dog'))
    """
    size = require_whole(size, "size", 8, 1024, "size=64")
    _require_one_of(split, "split", SPLITS)
    _require_one_of(boxes, "boxes", _BOXES)
    if boxes == "head" and split == "test":
        got = "split='test', which the data set gives none for"
        raise ValueError(sentence("a split with head boxes", got, "split='trainval'"))
    folder = pets_root(root) / FOLDER
    _require_layout(folder)
    settings = {"version": _VERSION, "split": split, "size": size, "files": _fingerprint(folder, split)}
    photographs = cached("pets", settings, lambda: _decoded(folder, split, size))
    if boxes == "head":
        has_head = photographs["heads"].isfinite().all(dim=1)
        photographs = {name: each[has_head] for name, each in photographs.items()}
    around = photographs["heads" if boxes == "head" else "boxes"]
    return Samples(
        photographs["images"], photographs["masks"], around, photographs["labels"], CLASSES, SPECIES
    )


def pets_root(root: str | Path | None = None) -> Path:
    """Return the folder that holds, or is to hold, ``oxford-iiit-pet/``.

    ``root`` where given, else what ``COURSEKIT_DATA`` names, else ``data/`` in the course's home folder.
    """
    if root is not None and not isinstance(root, str | os.PathLike):
        expected = f"root as the path of the folder that holds {FOLDER}/"
        raise TypeError(sentence(expected, described(root), "load_pets('path/to/data')"))
    named = root if root is not None else os.environ.get("COURSEKIT_DATA")
    return Path(named).expanduser() if named else home_folder() / "data"


def listed(folder: Path, split: str) -> list[str]:
    """The names of a split's photographs, in the order of its list.

    Raises
    ------
    FileNotFoundError
        The list is not there, or it cannot be read.
    ValueError
        A line that is not ``name class species breed``.
    """
    file = folder / "annotations" / f"{split}.txt"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        got = f"none that can be read at {file}"
        raise FileNotFoundError(sentence(f"the list of the {split} photographs", got, _DOWNLOAD)) from problem
    rows = [line.split() for line in lines if line.strip()]
    for row in rows:
        if len(row) != 4 or not all(each.isdecimal() for each in row[1:]):
            raise ValueError(
                sentence(f"lines 'name class species breed' in {file}", repr(" ".join(row)), _DOWNLOAD)
            )
    return [row[0] for row in rows]


def parts_of(folder: Path, name: str) -> tuple[Path, Path, Path]:
    """One photograph, its trimap and its head box; the last need not exist."""
    annotations = folder / "annotations"
    return (
        folder / "images" / f"{name}.jpg",
        annotations / "trimaps" / f"{name}.png",
        annotations / "xmls" / f"{name}.xml",
    )


def _require_one_of(value: Any, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        expected = f"{name} as one of {', '.join(map(repr, choices))}"
        raise ValueError(sentence(expected, described(value), f"{name}={choices[0]!r}"))


def _require_layout(folder: Path) -> None:
    missing = [part for part in ("images", "annotations") if not (folder / part).is_dir()]
    if missing:
        expected = f"photographs in the Oxford-IIIT Pet layout in {folder}"
        got = f"no folder {' and no folder '.join(f'{part}/' for part in missing)}"
        raise FileNotFoundError(sentence(expected, got, _DOWNLOAD))


def _fingerprint(folder: Path, split: str) -> str:
    """A hash of the split's file names, sizes and times: another one when any file was changed."""
    hashed = hashlib.sha256()
    for name in listed(folder, split):
        for file in parts_of(folder, name):
            with contextlib.suppress(OSError):
                state = file.stat()
                hashed.update(f"{file.name} {state.st_size} {state.st_mtime_ns};".encode())
    return hashed.hexdigest()


def _decoded(folder: Path, split: str, size: int) -> dict[str, Tensor]:
    from torchvision.datasets import OxfordIIITPet

    data_set = OxfordIIITPet(folder.parent, split, target_types=("binary-category", "segmentation"))
    names = listed(folder, split)
    rows = [_one(data_set, index, parts_of(folder, name), size) for index, name in enumerate(names)]
    if not rows:
        raise ValueError(sentence(f"photographs in the {split} split", "an empty list", _DOWNLOAD))
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _one(data_set: Any, index: int, parts: tuple[Path, Path, Path], size: int) -> dict[str, Tensor]:
    photograph_file, trimap_file, head_file = parts
    try:
        photograph, (species, trimap) = data_set[index]
        small_trimap = trimap.resize((size, size), resample=0)  # nearest, at the middle of every pixel
        small = photograph.resize((size, size), resample=2, reducing_gap=None)  # bilinear, antialiased
    except FileNotFoundError as problem:
        expected = f"{photograph_file.name} with its trimap {trimap_file.name}"
        raise FileNotFoundError(sentence(expected, f"no {problem.filename}", _DOWNLOAD)) from problem
    except OSError as problem:
        expected = f"pictures in {photograph_file} and {trimap_file}"
        raise ValueError(sentence(expected, f"something else: {problem}", _DOWNLOAD)) from problem
    scale = torch.tensor([size / photograph.width, size / photograph.height] * 2)
    animal = torch.from_numpy(np.array(trimap) == 1)
    return {
        "images": torch.from_numpy(np.array(small)).permute(2, 0, 1),
        "masks": _TRIMAP_TO_CLASS[torch.from_numpy(np.array(small_trimap)).long()],
        "boxes": box_around(animal[None])[0] * scale,
        "heads": _head_box(head_file) * scale,
        "labels": torch.tensor(species),
    }


def _head_box(file: Path) -> Tensor:
    """``(x, y, width, height)`` in the photograph's own pixels; NaN where the data set has no head box."""
    try:
        found = ElementTree.parse(file).find("object/bndbox")
        corners = [float(found.findtext(name, "")) for name in ("xmin", "ymin", "xmax", "ymax")]  # type: ignore[union-attr]
    except (OSError, ElementTree.ParseError, AttributeError, ValueError):
        return torch.full((4,), math.nan)
    left, top, right, bottom = corners
    return torch.tensor([left, top, right - left, bottom - top])
