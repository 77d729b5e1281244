"""What lies in a folder or a zip, listed without following links and read without being unpacked."""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path, PurePosixPath

MOST_BYTES = 64 * 2**20
"""The largest file that is read. A notebook with 50 MB of outputs is still one."""

MOST_BYTES_IN_ALL = 4 * 2**30
"""So much is unpacked of one zip at most: a small zip can hold petabytes."""

MOST_ENTRIES = 20_000
DEEPEST = 12

LINK = "It is a link, and links are not followed: it may lead to another's work. Hand in the file itself."
TOO_LARGE = (
    f"It is larger than {MOST_BYTES // 2**20} MB. Clear the outputs (Edit, Clear Outputs of All Cells), "
    "save, and hand it in again."
)

Bytes = tuple[bytes | None, str]  # the content, or None and why there is none


@dataclass(frozen=True)
class Entry:
    """One file: where it lies within its folder or zip, when it was saved, how to read it, or why not."""

    parts: tuple[str, ...]
    read: Callable[[], Bytes]
    saved: float | None = None
    key: str = ""
    odd: bool = False  # a link, or a folder that cannot be listed: never passed over

    @property
    def name(self) -> str:
        """The last part."""
        return self.parts[-1]


def is_by_the_way(name: str) -> bool:
    """Whether something was put there by a program and not by a person."""
    return name.startswith((".", "~$")) or name in ("__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__")


def refusal(reason: str) -> Callable[[], Bytes]:
    """A way of reading that gives only the reason why not."""
    return lambda: (None, reason)


def entries_of_folder(folder: Path, inside: tuple[str, ...] = ()) -> Iterator[Entry]:
    """Every file under a folder, in the order of names; a link is an entry that cannot be read."""
    try:
        with os.scandir(folder) as listing:
            found = sorted(listing, key=lambda one: one.name)
    except OSError as problem:
        yield Entry((*inside, "?"), refusal(f"Its folder cannot be listed: {problem.strerror}."), odd=True)
        return
    if not found and len(inside) == 1:
        yield Entry((*inside, "nothing"), refusal(""))
    for one in found:
        parts = (*inside, one.name)
        if is_by_the_way(one.name):
            continue
        if one.is_dir(follow_symlinks=False) and len(parts) < DEEPEST:
            yield from entries_of_folder(Path(one.path), parts)
        else:
            yield replace(entry_of_file(Path(one.path), parts), odd=one.is_symlink())


def entry_of_file(path: Path, parts: tuple[str, ...]) -> Entry:
    """A file on disk."""
    try:
        saved: float | None = path.lstat().st_mtime
    except OSError:
        saved = None
    return Entry(parts, lambda: _read_file(path), saved, os.path.abspath(path))  # noqa: PTH100 (no links resolved)


def _read_file(path: Path) -> Bytes:
    """The bytes of a regular file; its kind is asked after opening, so nothing can be swapped between."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        if path.is_symlink():  # where there is no O_NOFOLLOW
            return None, LINK
        descriptor = os.open(path, flags)
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EMLINK):
            return None, LINK
        return None, f"It cannot be opened: {problem.strerror or problem}."
    except ValueError:
        return None, "It cannot be opened: its name is not one."
    try:
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None, "It is no file but a folder or a device. Expected a notebook."
            content = file.read(MOST_BYTES + 1)
    except OSError as problem:
        return None, f"It cannot be read: {problem.strerror or problem}."
    return (None, TOO_LARGE) if len(content) > MOST_BYTES else (content, "")


class Archive:
    """A zip, read in memory: nothing is unpacked onto the disk, so no name in it can lead anywhere.

    Parameters
    ----------
    source : Path or bytes
        The zip.
    most : int
        So many bytes are unpacked at most.

    Raises
    ------
    ValueError
        Where it is no zip that can be read; the message is a sentence.
    """

    def __init__(self, source: Path | bytes, most: int = MOST_BYTES_IN_ALL) -> None:
        try:
            self._zip = _opened(source)
        except (
            zipfile.BadZipFile,
            OSError,
            ValueError,
            EOFError,
            NotImplementedError,
            struct.error,
            IndexError,
        ) as problem:
            raise ValueError(f"The zip cannot be read: {problem}. Try to make it again.") from problem
        if len(self._zip.infolist()) > MOST_ENTRIES:
            raise ValueError(f"The zip has more than {MOST_ENTRIES} files. Expected notebooks only.")
        self._left = most
        self._key = "zip" if isinstance(source, bytes) else os.path.abspath(source)  # noqa: PTH100

    def entries(self) -> Iterator[Entry]:
        """Its files, in the order of names."""
        listed = [(_parts(_name(info)), number, info) for number, info in enumerate(self._zip.infolist())]
        for parts, number, info in sorted(listed, key=lambda one: one[:2]):
            if (
                info.is_dir()
                or not parts
                or any(map(is_by_the_way, (part for part in parts if part != "..")))
            ):
                continue
            inside = tuple(part for part in parts if part not in ("..", "/")) or ("?",)
            key = f"{self._key}#{number}"
            odd = stat.S_ISLNK(info.external_attr >> 16)
            yield Entry(inside, self._reader(info, parts), _saved(info), key, odd)

    def _reader(self, info: zipfile.ZipInfo, parts: tuple[str, ...]) -> Callable[[], Bytes]:
        if ".." in parts or parts[0] == "/":
            return refusal(
                "Its name in the zip leads out of the zip, so it is not read. Try to zip it again."
            )
        if stat.S_ISLNK(info.external_attr >> 16):
            return refusal(LINK)
        if info.flag_bits & 0x1:
            return refusal("It is encrypted in the zip. Hand it in without a password.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            return refusal("It is packed in an unusual way. Try to zip it with your system's own command.")
        return lambda: self._read(info)

    def _read(self, info: zipfile.ZipInfo) -> Bytes:
        if info.file_size > MOST_BYTES:
            return None, TOO_LARGE
        if self._left <= 0:
            return None, "The zip holds too much, so the rest of it is not unpacked. Grade it in parts."
        try:
            with self._zip.open(info) as file:  # sizes in a zip may lie: it is read only so far
                content = file.read(MOST_BYTES + 1)
        except Exception as problem:  # zipfile raises a dozen kinds, by what is damaged
            return None, f"It is damaged inside the zip: {problem}. Try to make the zip again."
        self._left -= len(content)
        return (None, TOO_LARGE) if len(content) > MOST_BYTES else (content, "")


def _opened(source: Path | bytes) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(BytesIO(source) if isinstance(source, bytes) else source)
    except UnicodeDecodeError:  # one wrong name must not cost the others their grade
        content = source if isinstance(source, bytes) else source.read_bytes()
        return zipfile.ZipFile(BytesIO(_with_honest_names(content)))


def _with_honest_names(content: bytes) -> bytes:
    """A zip whose directory no longer claims of a name that it is UTF-8 where it is not."""
    mended = bytearray(content)
    end = content.rindex(b"PK\x05\x06")
    size, offset = struct.unpack_from("<LL", content, end + 12)
    at = end - size
    shift = at - offset  # bytes in front of the zip
    while content[at : at + 4] == b"PK\x01\x02":
        lengths = struct.unpack_from("<HHH", content, at + 28)
        try:
            content[at + 46 : at + 46 + lengths[0]].decode()
        except UnicodeDecodeError:
            (local,) = struct.unpack_from("<L", content, at + 42)
            for flags in (at + 9, local + shift + 7):
                mended[flags] &= ~0x08
        at += 46 + sum(lengths)
    return bytes(mended)


def _name(info: zipfile.ZipInfo) -> str:
    """A name as it was meant: many programs write UTF-8 without saying so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _parts(name: str) -> tuple[str, ...]:
    """A name in its parts, with "/" in front of an absolute one and ".." left in."""
    slashed = name.replace("\\", "/")
    absolute = slashed.startswith("/") or slashed[1:3] == ":/"
    parts = [part for part in PurePosixPath(slashed).parts if part != "/"]
    return ("/", *parts) if absolute else tuple(parts)


def _saved(info: zipfile.ZipInfo) -> float | None:
    """When a file in a zip was saved; a zip keeps local time, so it is read as this machine's."""
    try:
        return time.mktime((*info.date_time, 0, 1, -1)) if info.date_time[0] > 1980 else None
    except (ValueError, OverflowError):
        return None
