"""A cache may be damaged, half written, forbidden or full: the data comes all the same, and right."""

import errno
import os
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from coursekit.data import Samples, caching, load_scenes, scenes
from coursekit.data.caching import cached, read

ENOUGH_TO_KEEP = 300


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Counts how often scenes are really painted."""
    counts: list[int] = []
    paint = scenes._made

    def counting(recipe: Any, seed: int, count: int) -> dict[str, torch.Tensor]:
        counts.append(count)
        return paint(recipe, seed, count)

    monkeypatch.setattr(scenes, "_made", counting)
    monkeypatch.setattr(caching, "_told", set())
    return counts


def load() -> Samples:
    return load_scenes(ENOUGH_TO_KEEP, size=16)


def the_file(home: Path) -> Path:
    (file,) = (home / "cache").iterdir()
    return file


def same(one: Samples, other: Samples) -> bool:
    return all(
        torch.equal(getattr(one, name), getattr(other, name))
        for name in ("images", "masks", "boxes", "labels")
    )


def test_the_second_time_nothing_is_painted(made: list[int], own_record: Path) -> None:
    first, second = load(), load()
    assert made == [ENOUGH_TO_KEEP]
    assert same(first, second)
    assert the_file(own_record).name.startswith("scenes-")


def test_every_setting_has_a_cache_of_its_own(made: list[int], own_record: Path) -> None:
    load()
    for settings in ({"seed": 1}, {"objects": 1}, {"occlusion": 1.0}, {"radius": (0.2, 0.2)}):
        load_scenes(ENOUGH_TO_KEEP, size=16, **settings)  # type: ignore[arg-type]
    load_scenes(ENOUGH_TO_KEEP, size=17)
    load_scenes(ENOUGH_TO_KEEP + 1, size=16)
    assert len(made) == len(list((own_record / "cache").iterdir())) == 7


def test_a_few_scenes_leave_no_file(made: list[int], own_record: Path) -> None:
    load_scenes(4)
    assert not (own_record / "cache").exists()


def flipped(content: bytes) -> bytes:
    return content[:-1000] + bytes([content[-1000] ^ 1]) + content[-999:]


@pytest.mark.parametrize(
    "damage",
    [
        flipped,
        lambda content: content[: len(content) // 2],
        lambda content: content[:5],
        lambda content: b"",
        lambda content: b"\x00" * 4096,
        lambda content: content + b"more",
        lambda content: save({"images": torch.zeros(3)}),
        lambda content: save({"images": torch.zeros(3), "sha256": torch.zeros(32, dtype=torch.uint8)}),
        lambda content: save({"sha256": torch.zeros(2, 2)}),
    ],
    ids=["one bit", "half", "a few bytes", "empty", "zeros", "longer", "no hash", "other hash", "odd hash"],
)
def test_a_damaged_cache_is_made_again(damage: Any, made: list[int], own_record: Path) -> None:
    first = load()
    file = the_file(own_record)
    file.write_bytes(damage(file.read_bytes()))
    assert read(file) is None
    assert same(load(), first)
    assert len(made) == 2
    load()
    assert len(made) == 2  # and is whole again


def test_what_a_killed_process_left_half_written_is_never_read(made: list[int], own_record: Path) -> None:
    (own_record / "cache").mkdir(parents=True)
    (own_record / "cache" / "tmpabc.part").write_bytes(b"half")
    first = load()
    assert same(load(), first)
    assert len(made) == 1


def test_a_folder_that_cannot_be_written_is_said_once(
    made: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "a-file"
    in_the_way.touch()
    monkeypatch.setenv("COURSEKIT_HOME", str(in_the_way))
    with pytest.warns(UserWarning, match="could not be kept in .*COURSEKIT_HOME"):
        first = load()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(load(), first)


def test_a_full_disk_leaves_nothing_half_written(
    made: list[int], own_record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(UserWarning, match="No space left"):
        samples = load()
    assert len(samples) == ENOUGH_TO_KEEP
    assert list((own_record / "cache").iterdir()) == []


def test_a_course_without_a_folder_still_has_data(made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "cache_folder", lambda: None)
    assert len(load()) == ENOUGH_TO_KEEP


def test_the_files_longest_unused_make_room(own_record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(name: str, size: int = 100) -> None:
        cached(name, {}, lambda: {"x": torch.zeros(size, dtype=torch.uint8)})

    keep("old"), keep("used"), keep("new")
    folder = own_record / "cache"
    for age, name in enumerate(("new", "used", "old")):
        (file,) = folder.glob(f"{name}-*")
        os.utime(file, (1e9 - age, 1e9 - age))
    keep("used")  # reading it counts as use
    taken = sum(file.stat().st_size for file in folder.iterdir())
    monkeypatch.setattr(caching, "_MOST_BYTES", taken)
    keep("more")
    assert sorted(file.name.partition("-")[0] for file in folder.iterdir()) == ["more", "new", "used"]


def test_what_would_fill_the_folder_is_not_kept(own_record: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caching, "_MOST_BYTES", 1000)
    cached("huge", {}, lambda: {"x": torch.zeros(600, dtype=torch.uint8)})
    assert not (own_record / "cache").exists()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(0, 4),
        torch.tensor(3),
        torch.rand(3, 4).T,
        torch.tensor([True, False]),
        torch.tensor([0.1]).double(),
    ],
    ids=["empty", "scalar", "transposed", "bool", "double"],
)
def test_any_tensor_comes_back_as_it_was(tensor: torch.Tensor) -> None:
    cached("one", {}, lambda: {"x": tensor})
    again = cached("one", {}, dict)
    assert torch.equal(again["x"], tensor)
    assert again["x"].dtype == tensor.dtype
