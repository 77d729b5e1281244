# ruff: noqa: E501 - names and contents, one entry a line
"""Files that cannot be read, or only just, and ways to hand something in that lead elsewhere."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.grading.corpus.entry import ASKED, HEAD, MISSING, UNREADABLE, Entry, notebook_of, solved

CELLS = (HEAD, *(solved(id) for id in ASKED))


def whole(**metadata: Any) -> dict[str, Any]:
    return notebook_of(list(CELLS), **metadata)


def text(data: Any) -> bytes:
    return json.dumps(data).encode()


def unreadable(name: str, kind: str, content: Callable[[], bytes]) -> Entry:
    return Entry(name, kind, "file", earned=UNREADABLE, content=content)


def readable(name: str, kind: str, content: Callable[[], bytes], **more: Any) -> Entry:
    return Entry(name, kind, "file", content=content, **more)


def placed(name: str, kind: str, write: Callable[[Path], None], *files: str, **more: Any) -> Entry:
    return Entry(name, kind, "file", write_as=write, expected_files=files, **more)


def _zipped(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def _large() -> bytes:
    data = whole()
    stream = {"output_type": "stream", "name": "stdout", "text": ["0123456789 " * 9 + "\n"] * 500_000}
    data["cells"][1]["outputs"] = [stream]
    return text(data)


def _strange_cells() -> bytes:
    data = whole()
    data["cells"] = [
        None,
        7,
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": {"a": 1}},
        *data["cells"],
    ]
    data["cells"] += [{"cell_type": "code", "source": [1, None, "x = 1"]}, [[]]]
    return text(data)


def _old() -> bytes:
    sheet = {"cells": [{"cell_type": "code", "input": one, "language": "python"} for one in CELLS]}
    return text({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [sheet]})


def _link(target: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / f"link-{target.strip('/').replace('/', '-').split('.')[0]}.ipynb").symlink_to(target)

    return write


def _folder_named(folder: Path) -> None:
    (folder / "directory.ipynb").mkdir()
    (folder / "directory.ipynb" / "notes.txt").write_text("nothing")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.ipynb")


def _twice(folder: Path) -> None:
    (folder / "twice").mkdir()
    (folder / "twice" / "lesson.ipynb").write_bytes(text(whole()))
    (folder / "twice" / "lesson (1).ipynb").write_bytes(text(whole(second=True)))


def _traversal(folder: Path) -> None:
    content = text(whole())
    made = _zipped(**{"../../escaped.ipynb": content, "/absolute.ipynb": content})
    (folder / "traversal.zip").write_bytes(made)


def _inner(folder: Path) -> None:
    (folder / "inner.zip").write_bytes(_zipped(**{"again.zip": _zipped(**{"a.ipynb": text(whole())})}))


def _bomb(folder: Path) -> None:
    (folder / "bomb.zip").write_bytes(_zipped(**{"huge.ipynb": b"0" * (300 << 20)}))


def _damaged(folder: Path) -> None:
    made = _zipped(**{"a.ipynb": text(whole())})
    (folder / "damaged.zip").write_bytes(made[: len(made) // 2])


def _odd_name(folder: Path) -> None:
    (folder / 'o\'dd; rm -rf $HOME & "näme" \U0001f600.ipynb').write_bytes(text(whole()))


def _upper(folder: Path) -> None:
    (folder / "UPPER.IPYNB").write_bytes(text(whole()))


SPLIT = len(text(whole())) // 2
ENTRIES = (
    unreadable("empty", "an empty file", lambda: b""),
    unreadable("spaces", "only white space", lambda: b" \n\t" * 100),
    unreadable("truncated", "half a notebook", lambda: text(whole())[:SPLIT]),
    unreadable("no-json", "no JSON", lambda: b"# My notebook\nprint('hello')\n"),
    unreadable("no-notebook", "JSON, but no notebook", lambda: b'{"answer": 42}'),
    unreadable("a-list", "JSON that is a list", lambda: b"[1, 2, 3]"),
    unreadable("latin", "no UTF-8", lambda: text(whole()) + "é".encode("latin-1") * 9),
    unreadable("utf-16", "UTF-16", lambda: text(whole()).decode().encode("utf-16")),
    unreadable("zeros", "zero bytes", lambda: bytes(5000)),
    unreadable("deep", "nested a hundred thousand deep", lambda: b'{"cells":' + b"[" * 100_000),
    unreadable("picture", "a picture under a notebook's name", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
    unreadable("kernel", "written for R", lambda: text({**whole(), "metadata": {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}})),
    unreadable("old", "format 3", _old),
    unreadable("no-cells", "no cells at all", lambda: text({**whole(), "cells": []})),
    unreadable("null-cells", "cells that are null", lambda: text({**whole(), "cells": None})),
    unreadable("much-code", "a megabyte of code", lambda: text(notebook_of([*CELLS, "x = 1\n" * 200_000]))),
    readable("large", "fifty megabytes of outputs", _large),
    readable("bom", "a byte order mark in front", lambda: b"\xef\xbb\xbf" + text(whole())),
    readable("strange-cells", "cells that are no cells between the real ones", _strange_cells),
    readable("numbers", "numbers that JSON does not know", lambda: text({**whole(), "metadata": {"a": float("nan"), "b": float("inf")}})),
    readable("many", "five thousand empty cells", lambda: text(notebook_of([*CELLS, *["" for _ in range(5000)]]))),
    readable("only-text", "nothing but text", lambda: text({**whole(), "cells": [{"cell_type": "markdown", "metadata": {}, "source": "I was ill."}]}), earned=MISSING),
    readable("surrogate", "half a character in a cell of its own", lambda: text(notebook_of([*CELLS, "s = '\ud800'"]))),
    readable("null-byte", "a zero byte in a cell of its own", lambda: text(notebook_of(["a = 1\0", *CELLS]))),
    placed("link-ada", "a symbolic link to another's work", _link("ada.ipynb"), "link-ada.ipynb", earned=UNREADABLE),
    placed("link-passwd", "a symbolic link out of the folder", _link("/etc/passwd"), "link-etc-passwd.ipynb", earned=UNREADABLE),
    placed("link-self", "a symbolic link to itself", lambda folder: (folder / "ring.ipynb").symlink_to("ring.ipynb"), "ring.ipynb", earned=UNREADABLE),
    placed("directory", "a folder under a notebook's name", _folder_named, "directory.ipynb/", earned=UNREADABLE),
    placed("pipe", "a named pipe", _pipe, "pipe.ipynb", earned=UNREADABLE),
    placed("twice", "the same learner twice", _twice, "twice/lesson.ipynb", "twice/lesson (1).ipynb"),
    placed("inner", "a zip in a zip", _inner, "inner.zip/again.zip", earned=UNREADABLE),
    placed("bomb", "a zip of 300 MB of zeros", _bomb, "bomb.zip/huge.ipynb", earned=UNREADABLE),
    placed("damaged", "half a zip", _damaged, "damaged.zip", earned=UNREADABLE),
    placed("traversal", "names in a zip that lead out of it", _traversal, "traversal.zip/escaped.ipynb", "traversal.zip/absolute.ipynb", earned=UNREADABLE),
    placed("odd-name", "quotes, spaces, a semicolon and a face in the name", _odd_name, "o'dd; rm -rf $HOME & \"näme\" \U0001f600.ipynb"),
    placed("upper", "capital letters in the ending", _upper, "UPPER.IPYNB"),
)  # fmt: skip
