"""Paths, folders and zips become submissions; what is wrong with a file is its reason and stops no other."""

from __future__ import annotations

import io
import os
import stat
import sys
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.checkout import CannotRun
from coursekit.grading import entries
from coursekit.grading.naming import is_notebook, named, printable, resubmission
from coursekit.grading.submission import Submission
from coursekit.grading.submissions import find_submissions

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="asks for what only POSIX has")
BOOK = b'{"cells": []}'


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def read(*paths: Path) -> list[Submission]:
    return [one.read() for one in find_submissions(paths)[0]]


def whose(*paths: Path) -> list[tuple[str, str]]:
    return [(one.learner, one.file) for one in read(*paths)]


def write(folder: Path, *names: str, content: bytes = BOOK) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_folder_with_a_file_for_each_learner(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb", "grace.IPYNB", "alan.ipynb.txt", "José.ipynb")
    assert dict(whose(tmp_path)) == {
        "ada": "ada.ipynb", "grace": "grace.IPYNB", "alan": "alan.ipynb.txt", "José": "José.ipynb",
    }  # fmt: skip


def test_a_folder_with_a_folder_for_each_learner(tmp_path: Path) -> None:
    write(tmp_path, "ada/lesson.ipynb", "ada/data/notes.txt", "grace/05/lesson.ipynb", "grace/06.ipynb")
    assert whose(tmp_path) == [
        ("ada", "ada/lesson.ipynb"), ("grace", "grace/05/lesson.ipynb"), ("grace", "grace/06.ipynb"),
    ]  # fmt: skip


def test_a_notebook_as_the_path(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb")
    (one,) = read(tmp_path / "ada.ipynb")
    assert (one.learner, one.file, one.content, one.reason) == ("ada", "ada.ipynb", BOOK, "")
    assert one.handed_in == pytest.approx((tmp_path / "ada.ipynb").stat().st_mtime)


def test_a_lessons_name_says_nothing_about_a_person(tmp_path: Path) -> None:
    folder = write(tmp_path / "ada", "05-learnable-upsampling.ipynb", "06-checkerboards-2.ipynb")
    assert [learner for learner, _ in whose(folder)] == ["ada", "ada"]


def test_canvas_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        "lovelaceada_12345_67890_lesson-2.ipynb",
        "hoppergrace_LATE_12346_67891_lesson.ipynb",
        "turingalan_12347_67892_essay.pdf",
        "anon_x3k9P_67893_lesson.ipynb",
    )
    found, left_out = find_submissions([tmp_path])
    told = {one.learner: one for one in found}
    assert set(told) == {"lovelaceada", "hoppergrace", "turingalan", "anon_x3k9P"}
    assert told["lovelaceada"].who.number == "12345"
    assert told["hoppergrace"].who.late
    assert not told["lovelaceada"].who.late
    assert "notebook" in told["turingalan"].read().reason
    assert not left_out


def test_moodle_names_in_folders_and_flat(tmp_path: Path) -> None:
    write(
        tmp_path,
        "Ada Lovelace_123_assignsubmission_file_/lesson.ipynb",
        "Grace Hopper_124_assignsubmission_file_lesson.ipynb",
        "Alan Turing_125_assignsubmission_onlinetext_/onlinetext.html",
    )
    found, _ = find_submissions([tmp_path])
    assert {(one.learner, one.who.number) for one in found} == {
        ("Ada Lovelace", "123"), ("Grace Hopper", "124"), ("Alan Turing", "125"),
    }  # fmt: skip
    assert {one.learner for one in found if one.read().reason} == {"Alan Turing"}


def test_two_people_of_one_name_stay_two(tmp_path: Path) -> None:
    write(tmp_path, "leeann_11_1_a.ipynb", "leeann_22_2_a.ipynb", "bob_33_3_a.ipynb", "bob_33_4_b.ipynb")
    assert sorted({learner for learner, _ in whose(tmp_path)}) == ["bob", "leeann (11)", "leeann (22)"]


@pytest.mark.parametrize(
    ("name", "files", "expected"),
    [
        ("class.zip", ["ada.ipynb", "bob/work.ipynb"], {"ada", "bob"}),
        ("class.zip", ["class/ada.ipynb", "class/bob.ipynb"], {"ada", "bob"}),
        ("download.zip", ["week 3/ada.ipynb", "week 3/bob.ipynb"], {"ada", "bob"}),
        ("download.zip", ["week 3/ada/05.ipynb", "week 3/bob/05.ipynb"], {"ada", "bob"}),
        ("class.zip", ["ada/work.ipynb"], {"ada"}),
        ("class.zip", ["ada/05-learnable-upsampling.ipynb", "ada/06-checkerboards.ipynb"], {"ada"}),
        ("ada.zip", ["05-learnable-upsampling.ipynb"], {"ada"}),
        ("class.zip", ["Ada L_1_assignsubmission_file_/w.ipynb"], {"Ada L"}),
        ("class.zip", ["x/Ada L_1_assignsubmission_file_/w.ipynb", "x/B_2_assignsubmission_file_/w.ipynb"],
         {"Ada L", "B"}),
        ("ada_12_34_work.zip", ["somebody else/work.ipynb"], {"ada"}),
        ("class.zip", ["Ada\\work.ipynb"], {"Ada"}),
        ("class.zip", ["ada.ipynb", "__MACOSX/._ada.ipynb", ".ipynb_checkpoints/b.ipynb", "a/.x.ipynb"],
         {"ada"}),
    ],
)  # fmt: skip
def test_zips(tmp_path: Path, name: str, files: list[str], expected: set[str]) -> None:
    (tmp_path / name).write_bytes(zipped(dict.fromkeys(files, BOOK)))
    found = read(tmp_path / name)
    assert {one.learner for one in found} == expected
    assert all(one.content == BOOK for one in found)


def test_a_learners_own_zip_holds_only_their_work(tmp_path: Path) -> None:
    inner = {"grace/stolen.ipynb": BOOK, "a.ipynb": BOOK, "more.zip": zipped({"b.ipynb": BOOK})}
    (tmp_path / "ada.zip").write_bytes(zipped(inner))
    write(tmp_path, "grace.ipynb")
    found = read(tmp_path)
    assert {one.learner for one in found if one.content} == {"ada", "grace"}
    assert [one.file for one in found if one.learner == "grace"] == ["grace.ipynb"]
    (refused,) = [one for one in found if one.reason]
    assert refused.file == "ada.zip/more.zip"
    assert "zip inside a zip" in refused.reason


@pytest.mark.parametrize("within", ["class folder", "class zip"])
def test_nobody_sets_the_time_of_handing_in(tmp_path: Path, within: str) -> None:
    early = zipfile.ZipInfo("work.ipynb", (1999, 1, 1, 0, 0, 0))
    own = io.BytesIO()
    with zipfile.ZipFile(own, "w") as archive:
        archive.writestr(early, BOOK)
    name = "ada_LATE_12_34_work.zip"
    if within == "class zip":
        path = tmp_path / "class.zip"
        handed_in = zipfile.ZipInfo(name, (2026, 11, 20, 12, 0, 0))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(handed_in, own.getvalue())
        when = time.mktime((*handed_in.date_time, 0, 1, -1))
    else:
        path = write(tmp_path / "class", name, content=own.getvalue())
        when = (path / name).stat().st_mtime
    (found,) = find_submissions([path])[0]
    assert found.who.late
    assert found.read().content == BOOK
    assert found.read().handed_in == when


@POSIX
def test_links_are_never_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", "secret.ipynb", content=b"secret")
    folder = write(tmp_path / "class", "ada.ipynb", "bob/own.ipynb")
    (folder / "mallory.ipynb").symlink_to(secret / "secret.ipynb")
    (folder / "trudy").symlink_to(secret)
    (folder / "eve").mkdir()
    (folder / "eve" / "work.ipynb").symlink_to("../ada.ipynb")
    (folder / "bob" / "more").symlink_to(secret)
    found = {one.learner: one for one in read(folder)}
    assert set(found) == {"ada", "bob", "mallory", "trudy", "eve"}
    for refused in ("mallory", "trudy", "eve"):
        assert found[refused].content is None
        assert "link" in found[refused].reason
    assert all(one.content is None for one in read(folder / "mallory.ipynb", folder / "trudy"))


def test_links_in_zips_are_never_followed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        link = zipfile.ZipInfo("eve.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ada.ipynb", BOOK)
    found = {one.learner: one for one in read(tmp_path / "class.zip")}
    assert found["ada"].content == BOOK
    assert found["eve"].content is None
    assert "link" in found["eve"].reason


@pytest.mark.parametrize(
    "name", ["../eve.ipynb", "../../x/eve.ipynb", "/tmp/eve.ipynb", "C:\\eve.ipynb", "..\\eve.ipynb"]
)
def test_names_that_lead_out_of_a_zip(tmp_path: Path, name: str) -> None:
    (tmp_path / "class.zip").write_bytes(zipped({name: BOOK, "ada.ipynb": BOOK}))
    before = sorted(tmp_path.rglob("*"))
    found = read(tmp_path / "class.zip")
    assert {one.learner for one in found if one.content} == {"ada"}
    assert len(found) == 2
    assert any("leads out" in one.reason for one in found)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_zip_bomb_costs_one_file_of_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 1000)
    (tmp_path / "class.zip").write_bytes(zipped({"bomb.ipynb": bytes(10**6), "ada.ipynb": BOOK}))
    found = {one.learner: one for one in read(tmp_path / "class.zip")}
    assert found["ada"].content == BOOK
    assert found["bomb"].content is None
    assert "larger" in found["bomb"].reason


def test_a_zip_that_lies_about_its_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries, "MOST_BYTES", 1000)
    content = zipped({"bomb.ipynb": bytes(10**6), "ada.ipynb": BOOK})
    lie = content.replace((10**6).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lie != content
    (tmp_path / "class.zip").write_bytes(lie)
    found = {one.learner: one for one in read(tmp_path / "class.zip")}
    assert found["ada"].content == BOOK
    assert found["bomb"].content is None or len(found["bomb"].content) <= 1000


def test_a_zip_of_many_large_files_is_not_unpacked_for_ever() -> None:
    archive = entries.Archive(zipped({f"{n}.ipynb": bytes(400) for n in range(5)}), most=1000)
    read_ones = [entry.read() for entry in archive.entries()]
    assert [content is not None for content, _ in read_ones] == [True, True, True, False, False]


def test_an_encrypted_file(tmp_path: Path) -> None:
    content = bytearray(zipped({"eve.ipynb": BOOK, "ada.ipynb": BOOK}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    (tmp_path / "class.zip").write_bytes(bytes(content))
    found = {one.learner: one for one in read(tmp_path / "class.zip")}
    assert found["ada"].content == BOOK
    assert "encrypted" in found["eve"].reason


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all", zipped({"a.ipynb": BOOK})[:60]])
def test_a_damaged_zip_is_one_result(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "eve.zip").write_bytes(content)
    write(tmp_path, "ada.ipynb")
    found = {one.learner: one for one in read(tmp_path)}
    assert found["ada"].content == BOOK
    assert found["eve"].reason
    assert read(tmp_path / "eve.zip")[0].reason


@given(st.data())
def test_no_byte_of_a_zip_stops_the_others(data: st.DataObject) -> None:
    content = bytearray(zipped({"ada.ipynb": BOOK * 20, "bob.ipynb": BOOK}))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        listed = list(entries.Archive(bytes(content[:cut] if cut % 3 == 0 else content)).entries())
    except ValueError:  # the whole is no zip: one result, with this as its reason
        return
    for entry in listed:
        read_one, why = entry.read()
        assert (read_one is None) == bool(why)


def test_names_in_other_encodings(tmp_path: Path) -> None:
    meant = "Zoë Müller".encode()
    content = zipped({"Zo__ M__ller.ipynb": BOOK, "ada.ipynb": BOOK})
    as_zipped = b"Zo__ M__ller"
    assert len(as_zipped) == len(meant)
    (tmp_path / "class.zip").write_bytes(content.replace(as_zipped, meant))
    assert {one.learner for one in read(tmp_path / "class.zip")} == {"Zoë Müller", "ada"}


def test_a_name_that_claims_to_be_utf_8_and_is_not(tmp_path: Path) -> None:
    content = zipped({"Zoé.ipynb": BOOK, "ada.ipynb": BOOK}).replace("Zoé".encode(), b"Zo\xff\xfe")
    with pytest.raises(UnicodeDecodeError):  # or this test shows nothing
        zipfile.ZipFile(io.BytesIO(content))
    (tmp_path / "class.zip").write_bytes(content)
    found = read(tmp_path / "class.zip")
    assert len(found) == 2
    assert all(one.content == BOOK for one in found)


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.ipynb")).write_bytes(BOOK)
    (one,) = read(tmp_path)
    assert one.content == BOOK
    assert one.learner.encode("utf-8")  # it can be kept and printed


@POSIX
def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.ipynb")
    (tmp_path / "folder.ipynb").mkdir()
    write(tmp_path, "ada.ipynb")
    found = {one.learner: one for one in read(tmp_path)}
    assert found["ada"].content == BOOK
    assert found["pipe"].reason
    assert any(one.reason for name, one in found.items() if name.startswith("folder"))


@POSIX
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb", "eve.ipynb", "closed/work.ipynb")
    (tmp_path / "eve.ipynb").chmod(0)
    (tmp_path / "closed").chmod(0)
    found = {one.learner: one for one in read(tmp_path)}
    (tmp_path / "closed").chmod(0o700)
    assert found["ada"].content == BOOK
    assert found["eve"].reason
    assert found["closed"].reason


def test_a_file_of_50_mb_is_read(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb", content=b" " * (50 << 20))
    assert len(read(tmp_path)[0].content or b"") == 50 << 20


def test_a_file_beyond_measure_is_not(tmp_path: Path) -> None:
    with (tmp_path / "eve.ipynb").open("wb") as file:
        file.truncate(entries.MOST_BYTES + 1)
    (one,) = read(tmp_path)
    assert one.content is None
    assert "outputs" in one.reason


def test_folders_with_nothing_to_grade_are_told(tmp_path: Path) -> None:
    write(tmp_path, "ada/essay.pdf", "ada/notes.txt")
    (tmp_path / "bob").mkdir()
    found = {one.learner: one for one in read(tmp_path)}
    assert "essay.pdf" in found["ada"].reason
    assert found["bob"].reason


def test_what_is_no_notebook_is_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb", "grades.csv", "README.md", ".DS_Store", "Thumbs.db")
    found, left_out = find_submissions([tmp_path])
    assert [one.learner for one in found] == ["ada"]
    assert left_out == ["README.md", "grades.csv"]


def test_nothing_is_found_twice(tmp_path: Path) -> None:
    write(tmp_path, "ada.ipynb")
    assert len(read(tmp_path, tmp_path / "ada.ipynb", tmp_path)) == 1


def test_two_entries_of_one_name_are_both_found(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("ada.ipynb", b"first")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("ada.ipynb", b"second")
    assert [one.content for one in read(tmp_path / "class.zip")] == [b"first", b"second"]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="not there"):
        find_submissions([tmp_path / "nowhere"])


@given(st.text(max_size=200))
def test_any_name_can_be_shown_kept_and_compared(name: str) -> None:
    shown = printable(name)
    assert shown.encode("utf-8")
    assert 0 < len(shown) <= 120
    assert "\n" not in shown
    assert "\u202e" not in shown
    assert printable(shown) == shown
    named(name)
    is_notebook(name)
    assert resubmission(name) >= 0
