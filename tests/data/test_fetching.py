"""A download goes on where it broke off, is checked, and says in a sentence what went wrong."""

import errno
import hashlib
import io
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coursekit.checkout import CannotRun
from coursekit.cli import main
from coursekit.data import fetching, obtaining
from coursekit.data.fetching import fetch
from coursekit.data.obtaining import Archive, download_pets
from tests.data.server import Files, serving

CONTENT = bytes(range(256)) * 4096  # a megabyte: several pieces
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def files() -> Iterator[Any]:
    with serving(Files(big=CONTENT)) as running:
        yield running


def part(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def test_a_whole_file_arrives(files: Any, tmp_path: Path) -> None:
    target = tmp_path / "new" / "big"
    assert fetch(files.url("big"), target, MD5) == target
    assert target.read_bytes() == CONTENT
    assert not part(target).exists()


def test_a_file_that_is_there_is_not_fetched_again(files: Any, tmp_path: Path) -> None:
    target = tmp_path / "big"
    target.write_bytes(CONTENT)
    fetch(files.url("big"), target, MD5)
    assert files.ranges == []


@pytest.mark.parametrize("states_length", [True, False])
def test_an_interrupted_file_goes_on_from_what_is_there(
    files: Any, tmp_path: Path, states_length: bool
) -> None:
    target = tmp_path / "big"
    files.breaks_after, files.states_length = 400_000, states_length
    with pytest.raises(CannotRun, match=r"^expected .+; got.+ [Tt]ry .+\."):
        fetch(files.url("big"), target, MD5)
    if states_length:  # without one, an end cannot be told from a break, and the hash ends the attempt
        assert part(target).read_bytes() == CONTENT[:400_000]
        files.breaks_after = None
        fetch(files.url("big"), target, MD5)
        assert files.ranges == [None, "bytes=400000-"]
        assert target.read_bytes() == CONTENT


def test_what_is_kept_and_what_to_do_is_said(files: Any, tmp_path: Path) -> None:
    files.breaks_after = 400_000
    with pytest.raises(CannotRun, match=r"0\.4 MB are kept in .*big\.part\. Try the same command again"):
        fetch(files.url("big"), tmp_path / "big", MD5)


def test_a_server_without_ranges_sends_all_of_it_again(files: Any, tmp_path: Path) -> None:
    target = tmp_path / "big"
    part(target).write_bytes(CONTENT[:1000])
    files.knows_ranges = False
    fetch(files.url("big"), target, MD5)
    assert target.read_bytes() == CONTENT


def test_all_of_it_there_but_not_yet_renamed(files: Any, tmp_path: Path) -> None:
    target = tmp_path / "big"
    part(target).write_bytes(CONTENT)
    fetch(files.url("big"), target, MD5)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("there", [b"", b"other" * 100, CONTENT + b"more"])
def test_a_wrong_hash_removes_the_file_and_the_next_try_is_fresh(
    files: Any, tmp_path: Path, there: bytes
) -> None:
    target = tmp_path / "big"
    if there:
        part(target).write_bytes(there)
    wanted = MD5 if there else "0" * 32
    with pytest.raises(CannotRun, match=f"with the md5 {wanted}; got"):
        fetch(files.url("big"), target, wanted)
    assert list(tmp_path.iterdir()) == []
    fetch(files.url("big"), target, MD5)
    assert target.read_bytes() == CONTENT


def test_no_network_is_a_sentence(tmp_path: Path) -> None:
    with serving(Files()) as gone:
        address = gone.url("big")
    with pytest.raises(CannotRun, match=r"expected an answer from .+; got: .+ Is this machine online\?"):
        fetch(address, tmp_path / "big", MD5)


@pytest.mark.parametrize(
    ("status", "name"), [(404, "Not Found"), (503, "Service Unavailable"), (403, "Forbidden")]
)
def test_a_refusal_is_a_sentence_and_keeps_what_is_there(
    files: Any, tmp_path: Path, status: int, name: str
) -> None:
    target = tmp_path / "big"
    part(target).write_bytes(CONTENT[:10])
    files.answers = status
    with pytest.raises(CannotRun, match=f"the server answered {status} \\({name}\\)"):
        fetch(files.url("big"), target, MD5)
    assert part(target).read_bytes() == CONTENT[:10]


def test_no_room_is_said_before_anything_is_fetched(
    files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(fetching.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(CannotRun, match=r"1\.0 MB more are to come"):
        fetch(files.url("big"), tmp_path / "big", MD5)


def test_a_disk_that_fills_keeps_what_has_arrived(
    files: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_piece_then_full(answer: Any) -> Iterator[bytes]:
        yield answer.read(1000)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "_pieces", one_piece_then_full)
    with pytest.raises(CannotRun, match="No space left on device"):
        fetch(files.url("big"), tmp_path / "big", MD5)
    assert part(tmp_path / "big").read_bytes() == CONTENT[:1000]


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "big"])
def test_only_the_web_is_fetched_from(url: str, tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="expected an http or https address"):
        fetch(url, tmp_path / "big", MD5)


# -- the photographs ---------------------------------------------------------------------------------------


def packed(root: Path, *parts: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name in parts:
            archive.add(root / "oxford-iiit-pet" / name, arcname=name)
    return stream.getvalue()


@pytest.fixture
def pets(made_pets: Path) -> Iterator[Any]:
    contents = {
        "annotations.tar.gz": packed(made_pets, "annotations"),
        "images.tar.gz": packed(made_pets, "images"),
    }
    with serving(Files(**contents)) as running:
        yield running


def archives(files: Any) -> list[Archive]:
    return [
        Archive(files.url(name), hashlib.md5(content).hexdigest()) for name, content in files.contents.items()
    ]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def test_the_photographs_are_fetched_unpacked_and_whole(pets: Any, made_pets: Path, tmp_path: Path) -> None:
    folder = download_pets(tmp_path / "to", archives(pets))
    assert tree(folder) == tree(made_pets / "oxford-iiit-pet")  # and neither archive nor scaffolding is left


def test_a_second_download_fetches_nothing(pets: Any, tmp_path: Path) -> None:
    download_pets(tmp_path, archives(pets))
    asked = len(pets.ranges)
    download_pets(tmp_path, archives(pets))
    assert len(pets.ranges) == asked == 2


def test_only_what_is_missing_is_fetched(pets: Any, made_pets: Path) -> None:
    whole = tree(made_pets / "oxford-iiit-pet")
    (made_pets / "oxford-iiit-pet" / "images" / "beagle_1.jpg").unlink()
    download_pets(made_pets, archives(pets))
    assert len(pets.ranges) == 1
    assert tree(made_pets / "oxford-iiit-pet") == whole


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../escaped"), io.BytesIO())
    one = Files(**{"annotations.tar.gz": stream.getvalue()})
    with serving(one) as files, pytest.raises(CannotRun, match="expected to unpack"):
        download_pets(tmp_path / "a" / "b", archives(files))
    assert not list(tmp_path.rglob("escaped"))


def test_an_archive_without_what_its_lists_name_is_said(made_pets: Path, tmp_path: Path) -> None:
    (made_pets / "oxford-iiit-pet" / "annotations" / "trimaps" / "beagle_1.png").unlink()
    one = Files(**{"annotations.tar.gz": packed(made_pets, "annotations")})
    with serving(one) as files, pytest.raises(CannotRun, match="some of it is not there"):
        download_pets(tmp_path / "to", archives(files))


def test_torchvision_knows_the_address_and_the_hashes() -> None:
    published = obtaining.published()
    assert [archive.name for archive in published] == ["images.tar.gz", "annotations.tar.gz"]
    assert all(archive.url.startswith("https://") and len(archive.md5) == 32 for archive in published)


def test_a_torchvision_without_them_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import OxfordIIITPet

    monkeypatch.delattr(OxfordIIITPet, "_RESOURCES")
    with pytest.raises(CannotRun, match="COURSEKIT_DATA"):
        obtaining.published()


# -- the command -------------------------------------------------------------------------------------------


def test_the_command_downloads_and_goes_on(
    pets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSEKIT_DATA", str(tmp_path / "here"))
    monkeypatch.setattr(obtaining, "published", lambda: archives(pets))
    pets.breaks_after = 700
    assert main(["data", "download", "pets"]) == 2
    assert "Try the same command again" in capsys.readouterr().err
    pets.breaks_after = None
    assert main(["data", "download", "pets"]) == 0
    assert str(tmp_path / "here") in capsys.readouterr().out
    assert "bytes=700-" in pets.ranges
