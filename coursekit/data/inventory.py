"""What data there is on this machine, and whether it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from coursekit.checkout import course_root
from coursekit.data.places import PETS, SPLITS, cache_folder, data_root, files_of, listed

_OURS = "CC BY 4.0"
_PETS_LICENCE = "research purposes; the photographs' copyright stays with their owners"


class Found(NamedTuple):
    """One collection of data as it is on this machine."""

    name: str
    what: str
    where: Path | None
    present: bool
    items: dict[str, int]
    bytes: int
    licence: str


class Examined(NamedTuple):
    """How one collection stood up to a check: ``fine``, ``wrong`` or ``absent``."""

    name: str
    state: str
    checked: int
    problems: list[str]


def found() -> list[Found]:
    """Look at every collection without opening its files."""
    return [_found_scenes(), _found_pets(), _found_atlas()]


def _found_scenes() -> Found:
    folder = cache_folder()
    kept = _files(folder, "scenes-*.safetensors")
    items = {"kept sets": len(kept)}
    what = "made-up scenes of four shapes, made when asked for"
    return Found("scenes", what, folder, True, items, _size_of(kept), _OURS)


def _found_pets() -> Found:
    folder = data_root() / PETS
    items = {}
    for split in SPLITS:
        try:
            items[split] = len(listed(folder, split))
        except (FileNotFoundError, ValueError):
            items[split] = 0
    pictures = _files(folder / "images", "*.jpg")
    what = "photographs of cats and dogs with their outlines (Oxford-IIIT Pet)"
    return Found("pets", what, folder, bool(pictures), items, _size_of(pictures), _PETS_LICENCE)


def _found_atlas() -> Found:
    file = course_root() / "data" / "atlas.json"
    present = file.is_file()
    what = "the traces of every up-sampling method"
    return Found("atlas", what, file, present, {"files": int(present)}, _size_of([file]), _OURS)


def examined() -> list[Examined]:
    """Open every file of every collection, and compare hashes where there are any."""
    return [_examined_scenes(), _examined_pets(), _examined_atlas()]


def _examined_scenes() -> Examined:
    from coursekit.data.caching import read

    kept = _files(cache_folder(), "*.safetensors")
    bad = [f"{file}: damaged; it will be made again when next needed" for file in kept if read(file) is None]
    return Examined("scenes", "wrong" if bad else "fine", len(kept), bad)


def _examined_atlas() -> Examined:
    file = course_root() / "data" / "atlas.json"
    try:
        json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Examined("atlas", "absent", 0, [])
    except (OSError, ValueError) as problem:
        return Examined(
            "atlas", "wrong", 1, [f"{file}: {problem}; `git checkout data/atlas.json` restores it"]
        )
    return Examined("atlas", "fine", 1, [])


def _examined_pets() -> Examined:
    folder = data_root() / PETS
    if not any((folder / part).is_dir() for part in ("images", "annotations")):
        return Examined("pets", "absent", 0, [])  # perhaps a download has begun
    problems: list[str] = []
    checked = 0
    for split in SPLITS:
        try:
            names = listed(folder, split)
        except (FileNotFoundError, ValueError) as problem:
            problems.append(str(problem))
            continue
        checked += len(names)
        problems += filter(None, (_fault(folder, name) for name in names))
    return Examined("pets", "wrong" if problems else "fine", checked, problems)


def _fault(folder: Path, name: str) -> str | None:
    """What is wrong with one photograph or its trimap; None where nothing is."""
    import numpy as np
    from PIL import Image

    files = files_of(folder, name)
    for file in (files.image, files.trimap):
        if not file.is_file():
            return f"{file}: missing"
    try:
        with Image.open(files.image) as photograph, Image.open(files.trimap) as trimap:
            photograph.load()
            values = set(np.unique(np.asarray(trimap)).tolist())
            if photograph.size != trimap.size:
                return f"{files.trimap}: of {trimap.size} pixels, the photograph of {photograph.size}"
    except (OSError, SyntaxError, ValueError) as problem:
        return f"{files.image} or its trimap: no picture that can be read ({problem})"
    return None if values <= {1, 2, 3} else f"{files.trimap}: values {sorted(values)} instead of 1, 2 and 3"


def _files(folder: Path | None, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern)) if folder is not None and folder.is_dir() else []


def _size_of(files: list[Path]) -> int:
    return sum(file.stat().st_size for file in files if file.is_file())
