"""Folders, disks, files and kernels that fail: a sentence, nothing raised, nothing lost silently."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coursekit import storage
from coursekit.record import FILE_NAME, VERSION, Record

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="asks for what only POSIX has")

WRITER = """
import sys
from pathlib import Path
from coursekit.record import Record
record = Record(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    record.keep_source(f"{sys.argv[3]}-{number}", 1, "def f(x): ...\\n" * 40)
    print(number, flush=True)
for sentence in record.take_notices():
    print("NOTICE", sentence, flush=True)
print("READS", len(record.everything()["sources"]), flush=True)
"""


def start(folder: Path, count: int, name: str, before: str = "", **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", before + WRITER, str(folder), str(count), name],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.splitlines()


def notices(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("NOTICE")]


def sources(folder: Path) -> set[str]:
    return {row["exercise"] for row in Record(folder).everything()["sources"]}


def filled(folder: Path, count: int = 60) -> Path:
    """A record of several pages."""
    record = Record(folder)
    for number in range(count):
        record.keep_source(f"old-{number}", 1, f"# {number}\n" * 60)
    return folder / FILE_NAME


def kept_in_memory(record: Record) -> str:
    """Write and read as if nothing had happened; give the one sentence about it."""
    record.keep_hints("stamp", 1)
    record.keep_hints("stamp", 2)
    assert record.hints()["stamp"] == 2
    assert not record.on_disk
    (sentence,) = record.take_notices()
    record.keep_hints("stamp", 3)
    assert record.take_notices() == []
    return sentence


def killed_while_writing(folder: Path, name: str, chance: random.Random) -> None:
    """Kill a process during its 100 writes; every write that it acknowledged must be there."""
    process = start(folder, 100, name)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for _ in range(chance.randrange(1, 60)):
        process.stdout.readline()
    time.sleep(chance.random() / 200)  # anywhere inside a write, not always just after one
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    told = max(int(word) for word in rest) if rest else -1
    before = sources(folder)
    acknowledged = {f"{name}-{number}" for number in range(told + 1)}
    assert acknowledged <= before
    looked = sqlite3.connect(folder / FILE_NAME)
    assert looked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    looked.close()
    record = Record(folder)
    record.keep_source(f"{name}-after", 1, "")
    assert record.on_disk
    assert record.take_notices() == []


@POSIX
def test_a_killed_kernel_loses_nothing_it_was_told_is_kept(tmp_path: Path) -> None:
    killed_while_writing(tmp_path, "first", random.Random(0))
    killed_while_writing(tmp_path, "second", random.Random(1))
    assert {"first-after", "second-after"} <= sources(tmp_path)


@POSIX
@pytest.mark.soak
def test_fifty_killed_kernels_lose_nothing(tmp_path: Path) -> None:
    for seed in range(50):
        killed_while_writing(tmp_path, f"kernel{seed}", random.Random(seed))


def test_two_notebooks_at_once_keep_what_both_write(tmp_path: Path) -> None:
    lines = [finish(process) for process in [start(tmp_path, 40, name) for name in ("one", "two", "three")]]
    assert not any(notices(each) for each in lines)
    assert sources(tmp_path) == {f"{name}-{i}" for name in ("one", "two", "three") for i in range(40)}


# To root nothing is read-only.
NOT_ROOT = "import os\nfrom coursekit.record import Record\nif os.geteuid() == 0: os.setuid(65534)\n"


@POSIX
def test_a_read_only_folder_is_said_once_and_the_old_record_still_read(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for parent in tmp_path.parents:
        if os.geteuid() == 0 and "pytest" in str(parent):
            parent.chmod(0o755)
    lines = finish(start(tmp_path, 3, "new", before=NOT_ROOT))
    tmp_path.chmod(0o755)
    (sentence,) = notices(lines)
    assert "remembered only until this session ends" in sentence
    assert lines[-1] == "READS 6"
    assert sources(tmp_path) == {"old-0", "old-1", "old-2"}


@POSIX
def test_a_folder_that_one_may_not_enter_is_said_once(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    filled(closed / "home", 3)
    closed.chmod(0o000)
    lines = finish(start(closed / "home", 3, "new", before=NOT_ROOT))
    closed.chmod(0o755)
    (sentence,) = notices(lines)
    assert "remembered only until this session ends" in sentence
    assert lines[-1] == "READS 3"  # what was done since
    assert sources(closed / "home") == {"old-0", "old-1", "old-2"}


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    assert str(tmp_path / "home") in kept_in_memory(Record(tmp_path / "home"))
    assert (tmp_path / "home").read_text() == "not a folder"


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    kept_in_memory(Record(tmp_path))
    assert (tmp_path / FILE_NAME).is_dir()


def test_a_file_of_a_newer_course_is_not_touched(tmp_path: Path) -> None:
    path = filled(tmp_path)
    newer = sqlite3.connect(path)
    newer.execute(f"PRAGMA user_version = {VERSION + 1}")
    newer.close()
    before = path.read_bytes()
    sentence = kept_in_memory(Record(tmp_path))
    assert "newer version of the course" in sentence
    assert "COURSEKIT_HOME" in sentence
    Record(tmp_path).clear()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if "damaged" in each.name] == []


def garbage(path: Path) -> None:
    path.write_bytes(b"This is not a database, it only lies where one was. " * 100)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


def scribbled(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[3 * 4096 : 6 * 4096] = random.Random(0).randbytes(3 * 4096)
    path.write_bytes(bytes(data))


def without_a_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE hints")
    connection.close()


def of_another_program(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (address TEXT)")
    connection.close()


@pytest.mark.parametrize("damage", [garbage, torn, scribbled, without_a_table, of_another_program])
def test_a_damaged_file_is_put_aside_and_a_new_one_begun(damage, tmp_path: Path) -> None:
    path = filled(tmp_path)
    damage(path)
    before = path.read_bytes()
    record = Record(tmp_path)
    record.keep_hints("stamp", 2)
    (sentence,) = record.take_notices()
    (aside,) = tmp_path.glob("record-damaged-*.sqlite")
    assert aside.name in sentence
    assert aside.read_bytes() == before
    assert record.on_disk
    assert Record(tmp_path).hints() == {"stamp": 2}


def test_damage_while_a_notebook_is_open(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep_hints("stamp", 1)
    garbage(record.path)
    record.keep_hints("stamp", 2)
    assert len(record.take_notices()) == 1
    assert record.hints() == {"stamp": 2}


def test_a_record_deleted_while_a_notebook_is_open_begins_anew(tmp_path: Path) -> None:
    record = Record(tmp_path)
    record.keep_hints("stamp", 1)
    record.path.unlink()
    record.keep_hints("crop", 1)
    assert record.hints() == {"crop": 1}
    assert record.take_notices() == []


@POSIX
def test_a_full_disk_is_said_and_what_was_there_stays(tmp_path: Path) -> None:
    path = filled(tmp_path)
    limit = path.stat().st_size + 8192  # the file cannot grow beyond: to SQLite that is a disk that refuses
    before = f"import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
    lines = finish(start(tmp_path, 40, "new", before=before))
    (sentence,) = notices(lines)
    assert "remembered only until this session ends" in sentence
    assert lines[-1] == "READS 100"  # in memory everything goes on
    kept = sources(tmp_path)
    assert {f"old-{i}" for i in range(60)} <= kept
    assert Record(tmp_path).take_notices() == []


def test_sqlite_says_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    prepare = storage.Storage._prepare

    def on_a_small_disk(self: storage.Storage, connection: sqlite3.Connection, path: Path) -> None:
        prepare(self, connection, path)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    monkeypatch.setattr(storage.Storage, "_prepare", on_a_small_disk)
    record = Record(tmp_path)
    record.keep_source("large", 1, "x" * 100_000)
    assert record.source("large") == "x" * 100_000
    (sentence,) = record.take_notices()
    assert "full" in sentence


def test_a_file_locked_for_long_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "PATIENCE_S", 0.05)
    path = filled(tmp_path, 2)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "locked" in kept_in_memory(Record(tmp_path))
    other.execute("ROLLBACK")
    other.close()


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    path = filled(tmp_path, 2)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "c.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(.3); c.execute('COMMIT')",
            str(path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    record = Record(tmp_path)
    record.keep_hints("stamp", 1)
    holder.wait()
    assert record.on_disk
    assert Record(tmp_path).hints() == {"stamp": 1}


def test_a_mistake_of_the_course_is_raised_and_spares_the_file(tmp_path: Path) -> None:
    path = filled(tmp_path, 2)
    record = Record(tmp_path)
    with pytest.raises(sqlite3.Error):
        record._storage.write("INSERT INTO hints VALUES (?,?,?)", "too", "few")
    assert path.exists()
    assert record.on_disk
