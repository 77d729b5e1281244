"""Photographs of cats and dogs with their outlines: the Oxford-IIIT Pet data set, through torchvision."""

from __future__ import annotations

import contextlib
import hashlib
import math
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree

import numpy as np
import torch
from torch import Tensor

from coursekit.data.caching import cached
from coursekit.data.painting import box_around
from coursekit.data.places import GET_PETS, PETS, SPLITS, Photograph, data_root, files_of, listed
from coursekit.data.samples import IGNORE, Samples
from coursekit.data.wording import described, require_whole, sentence

CLASSES = ("background", "pet")
SPECIES = ("cat", "dog")
_BOXES = ("animal", "head")

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
    folder = data_root(root) / PETS
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


def _require_one_of(value: Any, name: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        expected = f"{name} as one of {', '.join(map(repr, choices))}"
        raise ValueError(sentence(expected, described(value), f"{name}={choices[0]!r}"))


def _require_layout(folder: Path) -> None:
    missing = [part for part in ("images", "annotations") if not (folder / part).is_dir()]
    if missing:
        expected = f"photographs in the Oxford-IIIT Pet layout in {folder}"
        got = f"no folder {' and no folder '.join(f'{part}/' for part in missing)}"
        raise FileNotFoundError(sentence(expected, got, GET_PETS))


def _fingerprint(folder: Path, split: str) -> str:
    """A hash of the split's file names, sizes and times: another one when any file was changed."""
    hashed = hashlib.sha256()
    for name in listed(folder, split):
        for file in files_of(folder, name):
            with contextlib.suppress(OSError):
                state = file.stat()
                hashed.update(f"{file.name} {state.st_size} {state.st_mtime_ns};".encode())
    return hashed.hexdigest()


def _decoded(folder: Path, split: str, size: int) -> dict[str, Tensor]:
    from torchvision.datasets import OxfordIIITPet

    names = listed(folder, split)
    if not names:
        raise ValueError(sentence(f"photographs in the {split} split", "an empty list", GET_PETS))
    data_set = OxfordIIITPet(folder.parent, split, target_types=("binary-category", "segmentation"))
    rows = [_one(data_set, index, files_of(folder, name), size) for index, name in enumerate(names)]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _one(data_set: Any, index: int, files: Photograph, size: int) -> dict[str, Tensor]:
    try:
        photograph, (species, trimap) = data_set[index]
        small_trimap = trimap.resize((size, size), resample=0)  # nearest, at the middle of every pixel
        small = photograph.resize((size, size), resample=2, reducing_gap=None)  # bilinear, antialiased
    except FileNotFoundError as problem:
        expected = f"{files.image.name} with its trimap {files.trimap.name}"
        raise FileNotFoundError(sentence(expected, f"no {problem.filename}", GET_PETS)) from problem
    except OSError as problem:
        expected = f"pictures in {files.image} and {files.trimap}"
        raise ValueError(sentence(expected, f"something else: {problem}", GET_PETS)) from problem
    scale = torch.tensor([size / photograph.width, size / photograph.height] * 2)
    off_the_animal = torch.from_numpy(np.array(trimap) != 1).to(torch.float32)
    return {
        "images": torch.from_numpy(np.array(small)).permute(2, 0, 1),
        "masks": _TRIMAP_TO_CLASS[torch.from_numpy(np.array(small_trimap)).long()],
        "boxes": box_around(off_the_animal[None])[0] * scale,
        "heads": _head_box(files.head) * scale,
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
