"""Paths, folders and zips become submissions. Whatever is wrong with a file is its reason and stops no other.

Who is who:

- a file of a class folder or zip is its learner's: ``ada.ipynb``, or as Canvas and Moodle name it;
- everything in a folder of a class folder is that learner's: ``ada/lesson.ipynb``;
- a zip among the files is one learner's own, opened one level deep; a class's zip is a path given;
- a notebook that bears a lesson's name and lies at the top belongs to whom the folder or zip is named after.

A learner's several files are all graded and kept; which of them counts is decided when scores are read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from coursekit.checkout import CannotRun
from coursekit.grading.entries import (
    LINK,
    Archive,
    Bytes,
    Entry,
    entries_of_folder,
    entry_of_file,
    refusal,
)
from coursekit.grading.naming import Named, is_a_lessons_name, is_notebook, named, printable, stem_of
from coursekit.grading.submission import Submission

MOST_BYTES_OF_ONE = 512 * 2**20
"""So much is unpacked of one learner's own zip."""


@dataclass(frozen=True)
class Found:
    """A submission that was found and is still to be read.

    Attributes
    ----------
    learner : str
        Unique within a class: where two have the same name, their numbers stand behind it.
    file : str
        The name within the path given.
    who : Named
        What the LMS's name says.
    entry : Entry
    """

    learner: str
    file: str
    who: Named
    entry: Entry = field(repr=False)

    def read(self) -> Submission:
        """The submission, whatever the file is like."""
        content, reason = self.entry.read()
        return Submission(self.learner, self.file, content, reason, self.entry.saved)


def find_submissions(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[Found], list[str]]:
    """The submissions under the paths, and the names of files left out because they are no notebooks.

    Parameters
    ----------
    paths : iterable of path-like
        Notebooks, folders, zips.

    Returns
    -------
    (list of Found, list of str)
        In the order of paths and names; nothing is found twice.

    Raises
    ------
    CannotRun
        Where a path does not exist.

    Examples
    --------
    >>> found, left_out = find_submissions(["submitted/"])       # doctest: +SKIP
    >>> [one.learner for one in found]                           # doctest: +SKIP
    ['ada', 'grace']
    """
    given = [Path(path) for path in paths]
    missing = [str(path) for path in given if not os.path.lexists(path)]
    if missing:
        raise CannotRun(f"expected notebooks, folders or zips, got {missing[0]}, which is not there.")
    found: list[Found] = []
    left_out: list[str] = []
    for path in given:
        of_path, others = _under(path)
        found += _told_apart(of_path)
        left_out += others
    once = {one.entry.key or str(number): one for number, one in enumerate(found)}
    return list(once.values()), left_out


def _under(path: Path) -> tuple[list[Found], list[str]]:
    name = path.name or path.resolve().name
    whole = entry_of_file(path, (name,))
    if path.is_symlink():
        return [_found(_who(name), name, replace(whole, read=refusal(LINK)))], []
    if path.is_dir():
        home = path.resolve().name
        return _of_class(list(entries_of_folder(path)), home)
    if not _is_zip(name):
        return [_found(_who(name), name, whole)], []
    if named(name):
        return list(_of_own_zip(_who(name), whole)), []
    try:
        entries = list(Archive(path).entries())
    except ValueError as problem:
        return [_found(_who(name), name, replace(whole, read=refusal(str(problem))))], []
    return _of_class(_unwrapped(entries, path.stem), path.stem)


def _of_class(entries: Sequence[Entry], home: str) -> tuple[list[Found], list[str]]:
    found: list[Found] = []
    left_out: list[str] = []
    folders: dict[str, list[Entry]] = {}
    for entry in entries:
        if len(entry.parts) > 1:
            folders.setdefault(entry.parts[0], []).append(entry)
        elif is_notebook(entry.name) or named(entry.name) or _is_zip(entry.name) or entry.odd:
            found += _of_file(_who(entry.name, home), entry)
        else:
            left_out.append("/".join(map(printable, entry.parts)))
    for folder, inside in folders.items():
        found += _of_folder(_who(folder), folder, inside)
    return found, left_out


def _of_folder(who: Named, folder: str, inside: Sequence[Entry]) -> Iterator[Found]:
    """All that is in one learner's folder; a name that an LMS gave further down says more."""
    telling = [entry for entry in inside if is_notebook(entry.name) or _is_zip(entry.name)]
    telling = telling or [entry for entry in inside if entry.odd]
    for entry in telling:
        below = next((found for part in entry.parts[1:] if (found := named(part))), None)
        yield from _of_file(who if who.lms or below is None else below, entry)
    if not telling:
        names = ", ".join(sorted({printable(entry.name) for entry in inside})[:5])
        nothing = Entry((folder,), refusal(f"Expected a notebook (.ipynb), found only {names}."))
        yield _found(who, f"{folder}/", nothing)


def _of_file(who: Named, entry: Entry) -> Iterator[Found]:
    if _is_zip(entry.name):
        yield from _of_own_zip(who, entry)
    elif is_notebook(entry.name) or entry.odd:
        yield _found(who, "/".join(entry.parts), entry)
    else:
        kind = Path(entry.name).suffix or "no ending"
        reason = f"Expected a notebook (.ipynb), got a file with {kind}. Hand in the notebook itself."
        yield _found(who, "/".join(entry.parts), replace(entry, read=refusal(reason)))


def _of_own_zip(who: Named, entry: Entry) -> Iterator[Found]:
    """One learner's zip. It is unpacked once to be listed and kept packed until each file is read.

    What counts is when the zip was handed in: the times inside it are whatever its maker wrote there.
    """
    file = "/".join(entry.parts)
    content, reason = entry.read()
    archive = None
    try:
        archive = Archive(content, MOST_BYTES_OF_ONE) if content is not None else None
    except ValueError as problem:
        reason = str(problem)
    entries = [] if archive is None else list(archive.entries())
    telling = [one for one in entries if is_notebook(one.name) or _is_zip(one.name)]
    if not telling:
        reason = reason or "Expected a notebook (.ipynb) in the zip, found none."
        yield _found(who, file, replace(entry, read=refusal(reason)))
    for one in telling:
        read = refusal("It is a zip inside a zip, which is not opened. Hand in the notebook itself.")
        kept = one if is_notebook(one.name) else replace(one, read=read)
        inner = "/".join(kept.parts)
        kept = replace(kept, saved=entry.saved, key=f"{entry.key}#{inner}#{kept.key}")
        yield _found(who, f"{file}/{inner}", kept)


def _unwrapped(entries: Sequence[Entry], home: str) -> list[Entry]:
    """A class's zip without the one folder that holds everything in it."""
    tops = {entry.parts[0] for entry in entries}
    deeper = all(len(entry.parts) > 1 for entry in entries)
    if len(tops) != 1 or not deeper or named(min(tops)):
        return list(entries)
    if min(tops) != home and len({entry.parts[1] for entry in entries}) == 1:
        return list(entries)
    if all(len(entry.parts) == 2 and is_a_lessons_name(entry.name) for entry in entries):
        return list(entries)
    return [replace(entry, parts=entry.parts[1:]) for entry in entries]


def _who(name: str, home: str = "") -> Named:
    """Whose a file or folder is by its name; by that of what it lies in, where its own is a lesson's."""
    if home and is_notebook(name) and is_a_lessons_name(name):
        return named(home) or Named(printable(home))
    stem = name[:-4] if _is_zip(name) else stem_of(name)
    return named(name) or Named(printable(stem))


def _found(who: Named, file: str, entry: Entry) -> Found:
    return Found(who.learner, printable_path(file), who, entry)


def printable_path(file: str) -> str:
    """A file's path whose every part can be shown."""
    return "/".join(printable(part) if part else "" for part in file.split("/"))


def _told_apart(found: Sequence[Found]) -> list[Found]:
    """People of one name and several numbers become several learners."""
    numbers: dict[str, set[str]] = {}
    for one in found:
        numbers.setdefault(one.learner, set()).add(one.who.number)
    return [
        replace(one, learner=f"{one.learner} ({one.who.number})")
        if one.who.number and len(numbers[one.learner]) > 1
        else one
        for one in found
    ]


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


__all__ = ["Bytes", "Found", "find_submissions"]
