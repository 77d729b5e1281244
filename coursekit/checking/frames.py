"""Cases and outcomes as bytes and back, for a function that runs in another process. No pickle.

A frame is two lengths, a JSON header, and the raw bytes of every tensor that the header names. What comes
from a learner's process is read with limits: anything malformed or oversized is a `BadFrame`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from coursekit.checking.cases import Case
from coursekit.checking.outcomes import Outcome, Place, Raised
from coursekit.checking.plain import DEEPEST, Strange, described

LENGTHS = struct.Struct(">II")
MOST_HEADER = 2 << 20  # bytes
MOST_PAYLOAD = 256 << 10  # of an answer: cases are small grids
MOST_AXES = 32
MOST_CELLS = 2**40  # along the axes that are not empty: beyond, torch cannot even count
MOST_TEXT = 2_000  # characters of a message, a name, a quoted line
MOST_OUTPUT = 10_100

_DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128),
    )
}


class BadFrame(ValueError):
    """What came is no frame of this protocol."""


class Packer:
    """Collects tensors while a header is made.

    Examples
    --------
    >>> packer = Packer()
    >>> packer.value((torch.ones(2), 3))
    ['tuple', [['tensor', 'float32', [2]], ['plain', 3]]]
    >>> Unpacker(packer.payload).value(['tensor', 'float32', [2]])
    tensor([1., 1.])
    """

    def __init__(self, most: int = MOST_PAYLOAD) -> None:
        self.parts: list[bytes] = []
        self.room = most

    @property
    def payload(self) -> bytes:
        """The bytes of all tensors so far."""
        return b"".join(self.parts)

    def value(self, value: Any) -> list[Any]:
        """A plain value, tagged by kind."""
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, Strange):
            return ["strange", value.what[:MOST_TEXT], value.advice[:MOST_TEXT]]
        if isinstance(value, tuple | list):
            kind = "tuple" if isinstance(value, tuple) else "list"
            return [kind, [self.value(item) for item in value]]
        if isinstance(value, str) and len(value) > MOST_TEXT:
            return ["strange", "a very long text", "return a tensor"]
        if type(value) is int and abs(value) >= 2**63:
            return ["strange", "a whole number too large for a tensor", "return a tensor"]
        return ["plain", value]

    def _tensor(self, value: torch.Tensor) -> list[Any]:
        name = str(value.dtype).removeprefix("torch.")
        size = value.numel() * value.element_size()
        if name not in _DTYPES or size > self.room or value.ndim > MOST_AXES:
            return ["strange", f"{described(value)} of {name}", "return only what was asked for"]
        self.room -= size
        bare = value.detach()
        if bare.dtype is torch.bfloat16:  # NumPy has none; its bytes are those of another type of that size
            bare = torch.empty(bare.shape, dtype=bare.dtype).copy_(bare).view(torch.int16)
        self.parts.append(bare.numpy().tobytes())
        return ["tensor", name, list(value.shape)]

    def outcome(self, outcome: Outcome) -> dict[str, Any]:
        """An outcome, its values tagged; what is usual is left out, as most outcomes are."""
        raised, changed = outcome.raised, outcome.changed
        told = {
            "value": self.value(outcome.value),
            "raised": None
            if raised is None
            else [list(raised.kinds[:20]), raised.message[:MOST_TEXT], _place_data(raised.place)],
            "timed_out": outcome.timed_out,
            "place": _place_data(outcome.place),
            "changed": None if changed is None else [changed[0], self.value(changed[1])],
            "notes": sorted(outcome.notes),
            "output": outcome.output,
            "seconds": outcome.seconds,
        }
        return {name: one for name, one in told.items() if name == "value" or one}

    def case(self, case: Mapping[str, Any]) -> list[Any]:
        """A case, its arguments in order."""
        return [[name, self.value(value)] for name, value in case.items()]


class Unpacker:
    """Reads tagged values; the tensors must be asked for in the order in which they were packed."""

    def __init__(self, payload: bytes) -> None:
        self.payload = memoryview(payload)
        self.at = 0

    def value(self, tagged: Any, depth: int = 0) -> Any:
        """The plain value that `Packer.value` tagged.

        Raises
        ------
        BadFrame
            For anything else.
        """
        match tagged:
            case ["tensor", str(name), list(shape)]:
                return self._tensor(name, shape)
            case ["strange", str(what), str(advice)]:
                return Strange(text(what), text(advice))
            case ["tuple" | "list" as kind, list(items)] if depth <= DEEPEST:
                read = [self.value(item, depth + 1) for item in items]
                return tuple(read) if kind == "tuple" else read
            case ["plain", str(value)]:
                return text(value)
            case ["plain", None | bool() | int() | float() as value]:
                return value
        raise BadFrame("no tagged value")

    def _tensor(self, name: str, shape: Sequence[Any]) -> torch.Tensor:
        if name not in _DTYPES or len(shape) > MOST_AXES:
            raise BadFrame("no such tensor")
        if not all(type(size) is int and 0 <= size <= 2**31 for size in shape):
            raise BadFrame("no shape")
        if math.prod(size or 1 for size in shape) > MOST_CELLS:
            raise BadFrame("no shape")
        dtype, count = _DTYPES[name], math.prod(shape)
        size = count * dtype.itemsize
        if self.at + size > len(self.payload):
            raise BadFrame("fewer bytes than the shape needs")
        raw = bytearray(self.payload[self.at : self.at + size])
        self.at += size
        if not size:
            return torch.empty(tuple(shape), dtype=dtype)
        if dtype is torch.bool:  # any other byte would be a bool that equals neither
            return torch.frombuffer(raw, dtype=torch.uint8).ne(0).reshape(tuple(shape))
        return torch.frombuffer(raw, dtype=dtype).reshape(tuple(shape))

    def outcome(self, data: Any) -> Outcome:
        """An outcome; whatever is not as it should be is a `BadFrame`."""
        if not isinstance(data, dict):
            raise BadFrame("no outcome")
        value = self.value(data.get("value"))
        seconds = data.get("seconds")
        return Outcome(
            value=value,
            raised=_raised(data.get("raised")),
            timed_out=data.get("timed_out") is True,
            place=_place(data.get("place")),
            changed=self._changed(data.get("changed")),
            notes=frozenset(text(note, 300) for note in _texts(data.get("notes", []), 5)),
            output=text(data.get("output", ""), MOST_OUTPUT),
            seconds=max(0.0, seconds) if isinstance(seconds, float) and math.isfinite(seconds) else 0.0,
        )

    def _changed(self, data: Any) -> tuple[str, Any] | None:
        match data:
            case None:
                return None
            case [str(name), tagged]:
                return text(name, 100), self.value(tagged)
        raise BadFrame("no changed argument")

    def case(self, data: Any) -> Case:
        """A case."""
        return Case({name: self.value(tagged) for name, tagged in data})


def packed(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """A frame as bytes."""
    head = json.dumps(header).encode()
    return LENGTHS.pack(len(head), len(payload)) + head + payload


def lengths(prefix: bytes, most_header: int = MOST_HEADER, most: int = MOST_PAYLOAD) -> tuple[int, int]:
    """The lengths of a frame's header and payload, if they are within the limits."""
    head, payload = LENGTHS.unpack(prefix)
    if head > most_header or payload > most:
        raise BadFrame("a frame beyond the limits")
    return head, payload


def header_of(data: bytes) -> dict[str, Any]:
    """The header of a frame."""
    try:
        header = json.loads(data)
    except (ValueError, RecursionError):
        raise BadFrame("no JSON") from None
    if not isinstance(header, dict):
        raise BadFrame("no header")
    return header


def text(value: Any, most: int = MOST_TEXT) -> str:
    """A text that can be stored and shown: of bounded length, without halves of characters and NULs."""
    if not isinstance(value, str):
        raise BadFrame("no text")
    return value[:most].replace("\0", "�").encode("utf-8", "replace").decode()


def _texts(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise BadFrame("no list of texts")
    return value[:most]


def _raised(data: Any) -> Raised | None:
    match data:
        case None:
            return None
        case [[_, *_] as kinds, message, place]:
            return Raised(tuple(text(kind, 100) for kind in kinds[:20]), text(message), _place(place))
    raise BadFrame("no exception")


def _place_data(place: Place | None) -> list[Any] | None:
    if place is None:
        return None
    values = [[name, shown[:200]] for name, shown in place.values[:5]]
    return [place.function, place.line, place.text, values]


def _place(data: Any) -> Place | None:
    match data:
        case None:
            return None
        case [function, int(line), quoted, list(values)] if 0 <= line < 10**6:
            shown = tuple((text(pair[0], 100), text(pair[1], 200)) for pair in _pairs(values))
            return Place(text(function, 200), line, text(quoted, 200), shown)
    raise BadFrame("no place")


def _pairs(values: list[Any]) -> list[Any]:
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in values):
        raise BadFrame("no pairs")
    return values[:5]
