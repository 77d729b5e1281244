"""Recordings: they fit their lessons, tell nothing of a machine, and the same one is the same text."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from coursekit import cli
from coursekit.curriculum import LESSONS, Lesson
from coursekit.site import playing, storing
from coursekit.site.playing import play, private_in, renumbered
from coursekit.site.storing import ANEW, misfits, packed, unpacked


def inline(colour: int, kind: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", (40, 30), (colour, 0, 0)).save(file, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def pixels(uri: str) -> bytes:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition("base64,")[2]))).convert("RGB").tobytes()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_recording_fits_its_lesson(lesson: Lesson) -> None:
    found = misfits(lesson)
    assert not found, (
        f"Lesson {lesson.id} has changed since its outputs were recorded for the static pages: {found[0]}"
        f"{f' and {len(found) - 1} more' if len(found) > 1 else ''}.\n"
        f"Run  {ANEW.replace('DIR', 'artifacts/site')}  (a minute or two for each lesson that has "
        "changed) and "
        "commit coursekit/site/played."
    )


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_recording_tells_nothing_of_a_machine_and_packs_the_same_again(lesson: Lesson) -> None:
    text = storing.file_of(lesson).read_text(encoding="utf-8")
    assert private_in(text) == []
    assert packed(unpacked(text)) == text


def test_a_changed_cell_and_a_changed_widget_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = Lesson("77-tiny", "Tiny", 1, ())
    monkeypatch.setattr("coursekit.curriculum.LESSONS_FOLDER", tmp_path)
    monkeypatch.setattr(storing, "STORE", tmp_path)
    cell = {"cell_type": "code", "id": "one", "source": ["1 +\n", " 1"]}
    (tmp_path / "77-tiny.ipynb").write_text(
        json.dumps({"cells": [cell, {"cell_type": "markdown", "id": "two"}]})
    )
    cells = {"one": {"code": storing.digest("1 +\n 1"), "outputs": []}}
    state = dict.fromkeys(storing_traits(), 0)

    def keep(told: dict[str, Any]) -> None:
        storing.file_of(lesson).write_text(packed(told))
        storing.played.cache_clear()

    assert misfits(lesson) == ["cell one has other code"]
    keep({"cells": cells, "models": {"w1": {"kind": "Quiz", "state": state}}})
    assert misfits(lesson) == []
    keep({"cells": cells, "models": {"w1": {"kind": "Quiz", "state": {**state, "new": 1}}}})
    assert misfits(lesson) == ["Quiz has other traits"]
    storing.played.cache_clear()


def storing_traits() -> set[str]:
    from coursekit.site.live import traits_of
    from coursekit.widgets import Quiz

    return traits_of(Quiz)


def test_a_picture_is_stored_once_and_loses_nothing() -> None:
    one, two = inline(200), inline(100)
    told = {
        "cells": {"a": {"outputs": [one, f"<img src='{one}'>", two]}},
        "models": {"w1": {"n": [1, 2.5, None]}},
    }
    text = packed(told)
    assert text.count("data:image/webp") == 2
    back = unpacked(text)
    assert back["models"] == told["models"]
    first, second, third = back["cells"]["a"]["outputs"]
    assert second == f"<img src='{first}'>"
    assert [pixels(first), pixels(third)] == [pixels(one), pixels(two)]
    assert packed(back) == text


def test_widgets_get_numbers_in_the_order_in_which_they_are_shown() -> None:
    def shows(*keys: str) -> dict[str, Any]:
        return {"outputs": [{"as": "widget", "model": key} for key in keys]}

    models = {
        "c" * 32: {"kind": "Quiz", "key": "c" * 32},
        "b" * 32: {"kind": "Quiz", "key": "b" * 32},
        "a" * 32: {"kind": "SideBySide", "children": ["c" * 32]},
        "d" * 32: {"kind": "Quiz", "key": "d" * 32},
    }
    told = renumbered({"one": shows("b" * 32, "a" * 32), "two": shows("b" * 32)}, models)
    assert told["models"] == {
        "w1": {"kind": "Quiz", "key": "w1"},
        "w2": {"kind": "SideBySide", "children": ["w3"]},
        "w3": {"kind": "Quiz", "key": "w3"},
    }
    assert [each["model"] for each in told["cells"]["one"]["outputs"]] == ["w1", "w2"]


def test_what_names_a_machine_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "lab-host-17")
    assert private_in('{"text":"saved in /home/ada/net.pt"}') == ["/home/ada"]
    assert private_in(f"in {Path.cwd()}/x")
    assert private_in("ran on lab-host-17.") == ["lab-host-17"]
    assert (
        private_in("https://arxiv.org/abs/1411.4038 and data:image/png;base64,/home/ada/ and a/home/b") == []
    )


def test_numbers_that_are_no_lessons_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["site", str(tmp_path / "out"), "--record", "77"]) == 2
    assert "00 01 02" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_only_the_lessons_asked_for_or_changed_are_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[str] = []

    def note(lesson: Lesson) -> Path:
        recorded.append(lesson.id[:2])
        return storing.file_of(lesson)

    monkeypatch.setattr(playing, "record", note)
    monkeypatch.setattr(storing, "unfit", lambda: [LESSONS[3]])
    monkeypatch.setattr("coursekit.site.build", lambda folder: [Path(__file__)], raising=False)
    assert cli.main(["site", str(tmp_path), "--record", "7", "01"]) == 0
    assert cli.main(["site", str(tmp_path), "--record"]) == 0
    assert recorded == ["07", "01", "03"]


TINY = (
    "from coursekit import predict\nfrom coursekit.widgets import GridExplorer\nguess = "
    "predict('tiny', ['2', '4'], "
    "question='How many?')\nguess",
    "import matplotlib.pyplot as plt\nplt.plot([1, 3, 2])\nplt.show()",
    "print('four')\ndisplay(guess.reveal('B', why='Twice two.'), GridExplorer('nearest'))",
)


@pytest.mark.slow
def test_the_same_lesson_gives_the_same_text(tmp_path: Path) -> None:
    import nbformat

    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code, id=f"c{at}") for at, code in enumerate(TINY)]
    )
    nbformat.write(book, tmp_path / "tiny.ipynb")
    told = play(tmp_path / "tiny.ipynb", quick=True)
    text = packed(told)
    assert packed(play(tmp_path / "tiny.ipynb", quick=True)) == text
    assert private_in(text) == []
    assert [each["as"] for cell in told["cells"].values() for each in cell["outputs"]] == [
        "widget", "image", "text", "widget", "widget"
    ]  # fmt: skip
    assert told["models"]["w1"]["state"]["solution"] == {"answer": 1, "why": "Twice two."}
