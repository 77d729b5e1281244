"""Fetch a file from a public address: resumed where it broke off, and checked before anyone relies on it."""

from __future__ import annotations

import hashlib
import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from coursekit.checkout import CannotRun

_SECONDS_OF_SILENCE = 30
_PIECE = 2**18  # bytes read at once: few enough that Ctrl-C and the progress bar answer at once


def fetch(url: str, file: Path, md5: str) -> Path:
    """Fetch ``url`` into ``file``, going on where an earlier attempt ended.

    What has arrived lies in ``file`` with ``.part`` added, until all of it is there and its hash is right.

    Parameters
    ----------
    url : str
        An http or https address.
    file : Path
        Where to; its folder is made. A file that is already there with the right hash is left as it is.
    md5 : str
        The hash that the file must have, 32 hexadecimal digits.

    Returns
    -------
    Path
        ``file``.

    Raises
    ------
    CannotRun
        No network, an answer that is no file, no room, or a wrong hash. But for the wrong hash, what has
        arrived is kept.
    """
    if file.is_file() and md5_of(file) == md5:
        return file
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _receive(url, part)
    except HTTPError as problem:
        raise CannotRun(_answered(url, problem.code)) from problem
    except (URLError, http.client.HTTPException, TimeoutError, ConnectionError) as problem:
        raise CannotRun(_broken_off(url, part, getattr(problem, "reason", problem))) from problem
    except OSError as problem:
        expected = f"room and permission to write in {file.parent}"
        raise CannotRun(f"expected {expected}; got: {problem}. {_on_disk(part)}") from problem
    came = md5_of(part)
    if came != md5:
        part.unlink()
        raise CannotRun(
            f"expected {file.name} with the md5 {md5}; got {came}. The file was damaged on its way or has "
            "changed at its source, and was removed. Try the same command again."
        )
    return part.replace(file)


def md5_of(file: Path) -> str:
    """The md5 of a file: guards against damage on the way, as its maker intended, not against forgery."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _receive(url: str, part: Path) -> None:
    """Append to ``part`` what it still lacks."""
    have = part.stat().st_size if part.is_file() else 0
    try:
        answer = _opened(url, have)
    except HTTPError as problem:
        if problem.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        return  # nothing comes after what is here: the hash will tell whether that is all
    with answer:
        goes_on = answer.status == http.client.PARTIAL_CONTENT and _begins_at(answer) == have
        if not goes_on:
            have = 0  # a server without ranges sends all of it again
        coming = answer.headers.get("Content-Length")
        total = have + int(coming) if coming and coming.isdecimal() else None
        _require_room(part.parent, total, have)
        with part.open("ab" if goes_on else "wb") as stream, _bar(part, total, have) as bar:
            for piece in _pieces(answer):
                stream.write(piece)
                bar.update(len(piece))
                have += len(piece)
    if total is not None and have < total:
        raise ConnectionError("the connection was closed early")


def _opened(url: str, have: int) -> Any:
    if not url.startswith(("http://", "https://")):
        raise CannotRun(f"expected an http or https address; got {url}.")
    # Compressed on the way, a file's ranges and its length would mean something else.
    headers = {"User-Agent": "coursekit", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    return urlopen(Request(url, headers=headers), timeout=_SECONDS_OF_SILENCE)


def _begins_at(answer: Any) -> int | None:
    """The first byte of a partial answer, as in ``Content-Range: bytes 500-999/1000``."""
    unit, _, span = (answer.headers.get("Content-Range") or "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _pieces(answer: Any) -> Iterator[bytes]:
    while piece := answer.read(_PIECE):
        yield piece


def _require_room(folder: Path, total: int | None, have: int) -> None:
    free = shutil.disk_usage(folder).free
    if total is not None and total - have > free:
        raise OSError(f"{_megabytes(total - have)} more are to come, and {_megabytes(free)} are free")


def _bar(part: Path, total: int | None, have: int) -> Any:
    from tqdm import tqdm

    name = part.name.removesuffix(".part")
    return tqdm(desc=name, total=total, initial=have, unit="B", unit_scale=True, disable=None)


def _answered(url: str, code: int) -> str:
    meaning = http.client.responses.get(code, "no file")
    return f"expected a file at {url}; the server answered {code} ({meaning}). Try again later."


def _broken_off(url: str, part: Path, reason: object) -> str:
    return f"expected an answer from {url}; got: {reason}. {_on_disk(part)}"


def _on_disk(part: Path) -> str:
    if not part.is_file() or not part.stat().st_size:
        return "Is this machine online? Then try the same command again."
    kept = f"{_megabytes(part.stat().st_size)} are kept in {part}."
    return f"{kept} Try the same command again: it goes on from there."


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
