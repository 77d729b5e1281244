"""Tensors kept on disk between runs: hash-checked when read, rebuilt when damaged, never in the way.

A cache only saves time. So whatever is wrong with it (damaged, half written, no room, no permission) ends in
making the tensors again, not in an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from coursekit.data.places import cache_folder

Tensors = dict[str, Tensor]

_SUFFIX = ".safetensors"
_HASH = "sha256"  # the hash lies in the file as 32 more bytes, under this name
_MOST_BYTES = 2 * 2**30  # the folder's share of the learner's disk; the files longest unused go first
_told: set[str] = set()


def cached(kind: str, settings: Mapping[str, Any], make: Callable[[], Tensors]) -> Tensors:
    """Give what ``make`` makes, from the disk where it was made before with the same settings.

    Parameters
    ----------
    kind : str
        The first part of the file's name.
    settings : mapping
        Everything that the tensors depend on, a version of the making code among it; JSON can hold it.
    make : callable
        Makes the tensors.

    Returns
    -------
    dict of str to Tensor
    """
    folder = cache_folder()
    if folder is None:
        return make()
    key = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:20]
    file = folder / f"{kind}-{key}{_SUFFIX}"
    kept = read(file)
    if kept is not None:
        return kept
    made = make()
    _keep(file, made)
    return made


def read(file: Path) -> Tensors | None:
    """The tensors of a cache file; None when there is none, or when it is not what was once written."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(file.read_bytes())
        stored = bytes(tensors.pop(_HASH).tolist())
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        return None
    if stored != _digest(tensors):
        return None
    with contextlib.suppress(OSError):
        os.utime(file)  # used just now, so it goes last when room is needed
    return tensors


def _keep(file: Path, tensors: Tensors) -> None:
    """Write beside the final name and then rename, so that a half-written file never bears it."""
    from safetensors.torch import save

    size = sum(each.numel() * each.element_size() for each in tensors.values())
    if size > _MOST_BYTES // 2:
        return
    half_written = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _make_room(file.parent, size)
        plain = {name: each.contiguous() for name, each in tensors.items()}  # safetensors asks for it
        content = save({**plain, _HASH: torch.tensor(list(_digest(plain)), dtype=torch.uint8)})
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".part", delete=False) as stream:
            half_written = Path(stream.name)
            stream.write(content)
        half_written.replace(file)
    except OSError as problem:
        if half_written is not None:
            with contextlib.suppress(OSError):
                half_written.unlink(missing_ok=True)
        _tell_once(
            f"The data was made, but could not be kept in {file.parent}: {problem.strerror or problem}."
        )


def _make_room(folder: Path, needed: int) -> None:
    """Remove the files longest unused, until the folder with ``needed`` bytes more stays within its share."""
    found = []
    for file in folder.iterdir():
        with contextlib.suppress(OSError):  # another process may have removed it just now
            state = file.stat()
            found.append((state.st_mtime, state.st_size, file))
    taken = needed + sum(size for _, size, _ in found)
    for _, size, file in sorted(found):
        if taken <= _MOST_BYTES:
            return
        with contextlib.suppress(OSError):
            file.unlink()
            taken -= size


def _tell_once(sentence: str) -> None:
    if sentence not in _told:
        _told.add(sentence)
        advice = "It is made again the next time; COURSEKIT_HOME names another folder."
        warnings.warn(f"{sentence} {advice}", stacklevel=4)


def _digest(tensors: Tensors) -> bytes:
    """A hash of names, dtypes, shapes and every byte."""
    hashed = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)};".encode())
        hashed.update(tensor.view(-1).view(torch.uint8).numpy().data)
    return hashed.digest()
