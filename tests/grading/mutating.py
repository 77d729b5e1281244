"""Notebook files that went wrong: bytes and structure changed at random, the same for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Mutate = Callable[[bytes, random.Random], bytes]
ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 10**400, 1e308, float("nan"), "", "\x00", "\ud800", "def (", "%%bash\nrm -rf /"),
    *([], {}, [[]], {"": {}}, ["x = 1\n", None, 3], "@exercise('nearest')\ndef nearest(x, factor): return x"),
    *("x" * 70_000, "(" * 500, "lambda: " * 400 + "0", [["deep"] * 3] * 3, {"cells": []}, "\u2028\r\x0c"),
)
NOISE = (
    b"",
    b"\x00",
    b'"',
    b"{",
    b"]",
    b",",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\xff",
    b"\xc3",
    b"\n",
    b"1e999",
    b"NaN",
)


def mutated(original: bytes, count: int, seed: int) -> Iterator[bytes]:
    """So many files, each made of the original by one to four changes."""
    chance = random.Random(seed)
    for number in range(count):
        kinds = BYTES if number % 2 else STRUCTURE
        changed = original
        for _ in range(chance.choice((1, 1, 1, 2, 4))):
            changed = chance.choice(kinds)(changed, chance)
        yield changed


def _span(content: bytes, chance: random.Random) -> tuple[int, int]:
    first = chance.randrange(len(content) + 1)
    return first, min(len(content), first + chance.choice((1, 1, 2, 8, 64, 4096)))


def _flip(content: bytes, chance: random.Random) -> bytes:
    if not content:
        return b"\x00"
    place = chance.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << chance.randrange(8)]) + content[place + 1 :]


def _cut(content: bytes, chance: random.Random) -> bytes:
    first, last = _span(content, chance)
    return content[:first] + content[last:]


def _end_early(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content) + 1)]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    first, last = _span(content, chance)
    return content[:last] + content[first:last] * chance.choice((1, 2, 50)) + content[last:]


def _insert(content: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(content) + 1)
    return content[:place] + chance.choice(NOISE) * chance.choice((1, 1, 3, 2000)) + content[place:]


def _swap(content: bytes, chance: random.Random) -> bytes:
    first, last = _span(content, chance)
    return content[last:] + content[first:last] + content[:first]


def _tree_of(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Each (container, key) in a tree."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        keys = list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        found += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    return found


def _in_tree(change: Callable[[Any, Any, list[tuple[Any, Any]], random.Random], None]) -> Mutate:
    def mutate(content: bytes, chance: random.Random) -> bytes:
        tree = _tree_of(content)
        places = _places(tree)
        if not places:
            return _flip(content, chance)
        change(*chance.choice(places), places, chance)
        return json.dumps(tree).encode()

    return mutate


def _drop(owner: Any, key: Any, _places: list[tuple[Any, Any]], _chance: random.Random) -> None:
    del owner[key]


def _replace(owner: Any, key: Any, _places: list[tuple[Any, Any]], chance: random.Random) -> None:
    owner[key] = copy.deepcopy(chance.choice(ODD))


def _graft(owner: Any, key: Any, places: list[tuple[Any, Any]], chance: random.Random) -> None:
    other, place = chance.choice(places)
    owner[key] = copy.deepcopy(other[place])


def _rename(owner: Any, key: Any, _places: list[tuple[Any, Any]], chance: random.Random) -> None:
    if isinstance(owner, dict):
        owner[chance.choice(("cells", "source", "metadata", "x", key.upper()))] = owner.pop(key)
    else:
        chance.shuffle(owner)


def _deepen(owner: Any, key: Any, _places: list[tuple[Any, Any]], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 3, 300))):
        owner[key] = [owner[key]] if chance.random() < 0.5 else {"a": owner[key]}


def _edit_text(owner: Any, key: Any, places: list[tuple[Any, Any]], chance: random.Random) -> None:
    """Change letters, indents and lines of code."""
    texts = [one for one in places if isinstance(one[0][one[1]], str) and one[1] == "source"]
    owner, key = chance.choice(texts) if texts else (owner, key)
    text = owner[key] if isinstance(owner[key], str) else str(owner[key])
    place = chance.randrange(len(text) + 1)
    lines = text.split("\n")
    chance.shuffle(lines)
    owner[key] = chance.choice((
        text[:place] + chance.choice("()[]{}:'\"\\ \t#@%!?;=\x00é\u2029") + text[place:],
        text[:place] + text[place + chance.choice((1, 5, 40)) :],
        "\n".join(lines), text.replace("    ", "\t", 1), text.replace("x", "factor"), text * 2, text.upper(),
    ))  # fmt: skip


BYTES: tuple[Mutate, ...] = (_flip, _cut, _end_early, _repeat, _insert, _swap)
STRUCTURE: tuple[Mutate, ...] = tuple(
    map(_in_tree, (_drop, _replace, _graft, _rename, _deepen, _edit_text, _edit_text))
)
