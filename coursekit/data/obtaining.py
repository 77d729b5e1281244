"""Get the photographs: fetch what is missing, unpack it beside its place, and move it there file by file."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from coursekit.checkout import CannotRun
from coursekit.data.fetching import fetch
from coursekit.data.places import PETS, SPLITS, data_root, files_of, listed


class Archive(NamedTuple):
    """One archive of a data set: its address, and the md5 that its maker states."""

    url: str
    md5: str

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(urlsplit(self.url).path).name


def download_pets(root: str | Path | None = None, archives: Sequence[Archive] | None = None) -> Path:
    """Fetch what this machine lacks of the Oxford-IIIT Pet data set: about 800 MB, and nothing twice.

    Parameters
    ----------
    root : str or Path, optional
        The folder that is to hold ``oxford-iiit-pet/``; see `coursekit.data.places.data_root`.
    archives : sequence of Archive, optional
        The annotations and the images, where they lie at another address than the data set's own.

    Returns
    -------
    Path
        The folder ``oxford-iiit-pet/``.

    Raises
    ------
    CannotRun
        No network, no room, or an archive that is not what its maker published. What has arrived is kept,
        and the same call goes on from there.
    """
    folder = data_root(root) / PETS
    wanted = {archive.name: archive for archive in archives or published()}
    # The annotations come first: their lists say which images there must be.
    for name, is_whole in (("annotations.tar.gz", _has_annotations), ("images.tar.gz", _has_images)):
        if is_whole(folder):
            continue
        if name not in wanted:
            raise CannotRun(f"expected an archive {name}; got {', '.join(wanted) or 'none'}.")
        packed = fetch(wanted[name].url, folder / name, wanted[name].md5)
        _unpack(packed, folder)
        if not is_whole(folder):
            raise CannotRun(f"expected everything that the lists name in {packed}; some of it is not there.")
        packed.unlink()
    return folder


def published() -> list[Archive]:
    """The data set's own archives, as torchvision knows them."""
    from torchvision.datasets import OxfordIIITPet

    resources = getattr(OxfordIIITPet, "_RESOURCES", None)
    if not resources:
        raise CannotRun(
            "expected the data set's address in torchvision; this version of torchvision has none. "
            f"Fetch the Oxford-IIIT Pet data set by hand; COURSEKIT_DATA names the folder that holds {PETS}/."
        )
    return [Archive(url, md5) for url, md5 in resources]


def _has_annotations(folder: Path) -> bool:
    return _all_there(folder, lambda name: files_of(folder, name).trimap)


def _has_images(folder: Path) -> bool:
    return _all_there(folder, lambda name: files_of(folder, name).image)


def _all_there(folder: Path, file_of: Callable[[str], Path]) -> bool:
    try:
        names = [name for split in SPLITS for name in listed(folder, split)]
    except (FileNotFoundError, ValueError):
        return False
    return bool(names) and all(file_of(name).is_file() for name in names)


def _extract(archive: tarfile.TarFile, folder: Path) -> None:
    """Extract, refusing paths that lead out of the folder; Python before 3.11.4 cannot do that by itself."""
    if hasattr(tarfile, "data_filter"):
        archive.extractall(folder, filter="data")
        return
    for member in archive:
        inside = (folder / member.name).resolve().is_relative_to(folder.resolve())
        if not (inside and (member.isfile() or member.isdir())):
            raise tarfile.TarError(f"{member.name!r} leads out of the folder, or is no plain file")
        archive.extract(member, folder)


def _unpack(packed: Path, folder: Path) -> None:
    """Unpack beside the folder's own files and move each when whole: no half-written file in place."""
    print(f"Unpacking {packed.name} …")
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix="unpacking-") as beside:
            with tarfile.open(packed) as archive:
                _extract(archive, Path(beside))
            for file in sorted(Path(beside).rglob("*")):
                target = folder / file.relative_to(beside)
                if file.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                else:
                    file.replace(target)
    except (OSError, tarfile.TarError) as problem:
        raise CannotRun(
            f"expected to unpack {packed} into {folder}; got: {problem}. "
            "Make room there, then try the same command again: nothing is fetched twice."
        ) from problem
