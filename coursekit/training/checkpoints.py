"""A run on disk: weights as safetensors, the rest as JSON, and never half a file."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from glob import escape
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from coursekit.upsampling.validation import described, sentence

LEFT_AFTER = 60.0  # seconds; nobody writes that long
_NET, _OPTIMIZER = "net.", "optimizer."


class Checkpoint:
    """Where a run is kept: ``NAME.safetensors``, and ``NAME.json`` beside it for people to read.

    The weights' file carries the same JSON in its header. So one rename replaces all of a run, and a
    machine that loses power in between leaves the old run, whole.

    Parameters
    ----------
    path : str or Path
        ``NAME`` with or without the ending; missing folders are made.
    """

    def __init__(self, path: str | Path) -> None:
        if not isinstance(path, str | Path) or not str(path):
            raise TypeError(sentence("checkpoint as a path", described(path), 'checkpoint="runs/first"'))
        given = Path(path).expanduser()
        self.weights = given if given.suffix == ".safetensors" else Path(f"{given}.safetensors")
        self.notes = self.weights.with_suffix(".json")

    def save(self, net: nn.Module, optimizer: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Replace what is there.

        Raises
        ------
        OSError
            The disk is full, or the folder cannot be written. What was there before is still there.
        """
        tensors = {_NET + name: each for name, each in net.state_dict().items()}
        tensors |= {_OPTIMIZER + name: each for name, each in optimizer.items()}
        plain = {name: each.detach().cpu().contiguous() for name, each in tensors.items()}
        text = json.dumps(state)
        self.weights.parent.mkdir(parents=True, exist_ok=True)
        _replace(self.weights, save(plain, metadata={"run": text}))
        _replace(self.notes, text.encode())

    def load(self) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
        """The net's numbers, the optimizer's, and the state of the run.

        Raises
        ------
        ValueError
            There is no such file, or it is not one that :meth:`save` wrote.
        """
        try:
            with safe_open(self.weights, framework="pt") as file:
                state = json.loads((file.metadata() or {})["run"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except FileNotFoundError:
            got = f"no file {self.weights.name} in {self.weights.parent}"
            raise ValueError(sentence("a checkpoint", got, "the path that was given to fit")) from None
        except (OSError, SafetensorError, KeyError, ValueError) as problem:
            got = f"{self.weights.name}, which cannot be read as one ({problem})"
            raise ValueError(
                sentence("a checkpoint that fit wrote", got, "an older copy, or a new run")
            ) from None
        return _part(tensors, _NET), _part(tensors, _OPTIMIZER), state


def load_weights(net: nn.Module, path: str | Path) -> None:
    """Give a net the weights that :func:`coursekit.training.fit` kept at ``path``.

    Parameters
    ----------
    net : nn.Module
        Of the same kind as the one that was trained.
    path : str or Path
        What ``fit(checkpoint=…)`` got.

    Raises
    ------
    ValueError
        No checkpoint is there, or it is of another net. The net stays as it was.
    """
    put_into(net, Checkpoint(path).load()[0])


def put_into(net: nn.Module, weights: dict[str, Tensor]) -> None:
    """Load ``weights`` all or not at all."""
    own = net.state_dict()
    differs = sorted(own.keys() ^ weights.keys()) or [
        name for name, each in own.items() if each.shape != weights[name].shape
    ]
    if differs:
        got = f"one that differs in {differs[0]}" + (f" and {len(differs) - 1} more" if differs[1:] else "")
        attempt = "a net with the same classes, upsampling and widths as the one that was trained"
        raise ValueError(sentence("a checkpoint of such a net", got, attempt))
    net.load_state_dict(weights)


def require_same_run(state: dict[str, Any], identity: dict[str, Any]) -> None:
    """Refuse the state of a run with other settings."""
    differs = [f"{name}={state.get(name)}" for name, mine in identity.items() if state.get(name) != mine]
    if differs:
        asked = ", ".join(f"{name}={value}" for name, value in identity.items())
        attempt = "the settings of that run, or resume=False"
        raise ValueError(sentence(f"a checkpoint of a run with {asked}", ", ".join(differs), attempt))


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside ``path`` and rename it: either all is new, or nothing."""
    _sweep(path)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _sweep(path: Path) -> None:
    """Remove what a process left that was killed while it wrote."""
    for left in path.parent.glob(f".{escape(path.name)}.*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_AFTER:
                left.unlink()
