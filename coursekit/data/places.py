"""Where data lies on this machine. No torch here, so that `coursekit data list` answers at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from coursekit.checkout import CannotRun, home_folder
from coursekit.data.wording import described, sentence

PETS = "oxford-iiit-pet"
SPLITS = ("trainval", "test")
GET_PETS = f"`coursekit data download pets`, or COURSEKIT_DATA set to a folder that holds {PETS}/"


class Photograph(NamedTuple):
    """The files of one photograph; the head box need not exist."""

    image: Path
    trimap: Path
    head: Path


def data_root(root: Any = None) -> Path:
    """Return the folder that holds, or is to hold, ``oxford-iiit-pet/``.

    ``root`` where given, else what ``COURSEKIT_DATA`` names, else ``data/`` in the course's home folder.

    Raises
    ------
    TypeError
        ``root`` is no path.
    """
    if root is not None and not isinstance(root, str | os.PathLike):
        expected = f"root as the path of the folder that holds {PETS}/"
        raise TypeError(sentence(expected, described(root), "load_pets('path/to/data')"))
    named = root if root is not None else os.environ.get("COURSEKIT_DATA")
    return Path(named).expanduser() if named else home_folder() / "data"


def cache_folder() -> Path | None:
    """Where made and decoded tensors are kept; None where the course has no folder of its own."""
    try:
        return home_folder() / "cache"
    except CannotRun:
        return None


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
        raise FileNotFoundError(sentence(f"the list of the {split} photographs", got, GET_PETS)) from problem
    rows = [line.split() for line in lines]
    for row in rows:
        if len(row) != 4 or not all(each.isdecimal() for each in row[1:]) or Path(row[0]).name != row[0]:
            expected = f"lines 'name class species breed' in {file}"
            raise ValueError(sentence(expected, repr(" ".join(row)), GET_PETS))
    return [row[0] for row in rows]


def files_of(folder: Path, name: str) -> Photograph:
    """Where the files of one photograph lie, whether or not they are there."""
    annotations = folder / "annotations"
    return Photograph(
        folder / "images" / f"{name}.jpg",
        annotations / "trimaps" / f"{name}.png",
        annotations / "xmls" / f"{name}.xml",
    )
