"""A capstone in the sandbox: make the net, give it its weights, say what it answers to each batch of images.

Nothing that it says is believed: what is true about the images is not here, nor which of them are to come.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.checking.cases import Case
from coursekit.checking.frames import Packer, Unpacker
from coursekit.checking.running import Capped, observe
from coursekit.checking.timing import TimeLimit, TimeUp
from coursekit.grading.inside import worker

MOST_ANSWER = 8 << 20


def serve(connection: socket.socket, request: dict[str, Any], weights: bytes) -> None:
    """Answer one judge until it hangs up."""
    with TimeLimit(request["seconds"]) as limit:
        net, complaint = _made(request["capstone"], weights, limit)
        worker.send(connection, {"made": net is not None, "complaint": complaint})
        if net is None:
            return
        while True:
            asked, payload = worker.receive(connection)
            images = Unpacker(payload).value(asked["images"])
            outcome = observe(_answering(net), Case({"images": images}), limit)
            packer = Packer(MOST_ANSWER)
            worker.send(connection, {"outcome": packer.outcome(outcome)}, packer)


def _made(program: dict[str, Any], weights: bytes, limit: TimeLimit) -> tuple[nn.Module | None, str]:
    """The net with its weights, or why there is none, in words for the learner."""
    printed = Capped(1000)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            net = limit.call(_new_net, program)
            return net, limit.call(_filled, net, weights)
    except TimeUp:
        return None, "timeout"
    except _Unfit as problem:
        return None, str(problem)
    except BaseException as error:
        return None, f"Your class stopped with {type(error).__name__}: {str(error)[:300]}"


class _Unfit(Exception):
    """The class or the weights are not what was asked for; the message says how."""


def _new_net(program: dict[str, Any]) -> nn.Module:
    made = worker.function_of(program)
    if not (isinstance(made, type) and issubclass(made, nn.Module)):
        raise _Unfit("Expected `class Capstone(nn.Module)`; got something else of that name.")
    try:
        net = made()
    except NameError as error:
        raise _Unfit(
            f"Making Capstone() stopped: {error}. Only imports, definitions and constants of the file "
            "are run. Try defining what the class needs in a cell, or inside the class."
        ) from None
    net.eval()
    return net


def _filled(net: nn.Module, weights: bytes) -> str:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        tensors = load(weights)
    except (SafetensorError, ValueError, KeyError, TypeError) as problem:
        raise _Unfit(f"The weights cannot be read as safetensors ({str(problem)[:150]}).") from None
    own = net.state_dict()
    for said, names in (
        ("lack", own.keys() - tensors.keys()),
        ("have, beyond what the class has,", tensors.keys() - own.keys()),
        (
            "have another shape for",
            {name for name in own if name in tensors and own[name].shape != tensors[name].shape},
        ),
    ):
        if names:
            first, more = min(names), f" and {len(names) - 1} more" if names - {min(names)} else ""
            raise _Unfit(
                f"The weights do not fit the class: they {said} {first!r}{more}. "
                "Try saving again with the class as it stands in the file."
            )
    net.load_state_dict(tensors)
    return ""


def _answering(net: nn.Module) -> Callable[[Tensor], Any]:
    def answer(images: Tensor) -> Any:
        with torch.no_grad():
            return net(images)

    return answer
