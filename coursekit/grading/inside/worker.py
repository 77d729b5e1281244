"""One exercise of one submission: make the function, call it on what the judge sends, say what came of it.

This shares its process with the learner's code, so nothing that it says is believed: expected values are not
here, and an answer that is forged right has been computed.
"""

from __future__ import annotations

import ast
import linecache
import socket
import sys
import types
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from inspect import isfunction
from typing import Any

import torch

from coursekit.checking.answering import observe_each, watched
from coursekit.checking.cases import Case
from coursekit.checking.frames import LENGTHS, Packer, Unpacker, header_of, lengths, packed
from coursekit.checking.outcomes import Outcome
from coursekit.checking.plain import Strange
from coursekit.checking.refusing import head_mistake
from coursekit.checking.running import Capped, observe
from coursekit.checking.taking import exercise_named
from coursekit.checking.timing import TimeLimit, TimeUp
from coursekit.grading.inside.noting import note_operations, prepare

_USUAL = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def serve(connection: socket.socket) -> None:
    """Answer one judge until it hangs up, about an exercise or a capstone."""
    send(connection, {"ready": True})
    request, payload = receive(connection)
    if "capstone" in request:
        from coursekit.grading.inside import capstone

        capstone.serve(connection, request, payload)
        return
    reader = Unpacker(payload)
    cases = [reader.case(one) for one in request["cases"]]
    with TimeLimit(request["seconds"]) as limit:
        noting = note_operations(request["forbidden"], lambda name: send(connection, {"noted": name}))
        function, complaint = _made(request, limit)
        send(connection, {"made": complaint == "", "complaint": complaint, "noting": noting})
        if function is None:
            return
        for outcome in observe_each(function, cases, limit):
            _send_outcome(connection, outcome)
    send(connection, {"done": True})
    _serve_more(connection, function, request, cases)


def warm_up() -> None:
    """Serve one small request before any fork, so that no worker pays for what is done only once."""
    prepare()
    ours, theirs = socket.socketpair()
    cell = "import torch\ndef warm(x):\n    return torch.nn.functional.conv2d(x, x) + x[..., 0:1, 0:1]\n"
    program = {"sources": {"1": cell}, "run": [[1, 0], [1, 1]], "answer": [1, 1], "expression": "warm"}
    packer = Packer()
    request = {
        "id": "warm",
        "signature": "warm(x)",
        "parameters": 1,
        "absent": [],
        "seconds": 60.0,
        "programs": {"warm": {**program, "called": []}},
        "forbidden": [],  # what is noted here would be noted in every worker
        "cases": [packer.case({"x": torch.ones(1, 1, 2, 2)})],
    }
    ours.sendall(packed(request, packer.payload) + packed({"watch": [0]}))
    ours.shutdown(socket.SHUT_WR)
    main = sys.modules["__main__"]
    with suppress(SystemExit):
        serve(theirs)
    sys.modules["__main__"] = main
    vars(sys.modules["coursekit"])["answers"].clear()
    ours.close()
    theirs.close()


def _serve_more(
    connection: socket.socket, function: Callable[..., Any], request: dict[str, Any], cases: list[Case]
) -> None:
    """Further calls: under torch's own eyes, and on smaller cases."""
    while True:
        more, payload = receive(connection)
        if "watch" in more:
            shortcut = watched(
                function, tuple(request["forbidden"]), [cases[index] for index in more["watch"]]
            )
            send(connection, {"shortcut": None if shortcut is None else shortcut.name})
            continue
        with TimeLimit(more["seconds"]) as limit:
            outcome = observe(function, Unpacker(payload).case(more["case"]), limit)
        _send_outcome(connection, outcome)


def _send_outcome(connection: socket.socket, outcome: Outcome) -> None:
    packer = Packer()
    try:
        header = packer.outcome(outcome)
    except Exception as problem:  # what this process holds may be in any state by now
        packer = Packer()
        header = packer.outcome(Outcome(Strange(f"a value that cannot be read ({type(problem).__name__})")))
    send(connection, {"outcome": header}, packer)


def _made(request: dict[str, Any], limit: TimeLimit) -> tuple[Callable[..., Any] | None, str]:
    """The function, or why there is none, in words for the learner."""
    programs = request["programs"]
    kept: dict[str, Any] = {}
    inside: dict[str, Any] = vars(sys.modules["coursekit"])["answers"]
    for id in programs:
        inside[id] = partial(_remembered, programs, id, kept)
    take_away(request["absent"])
    printed = Capped(1000)
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            function = limit.call(_remembered, programs, request["id"], kept)
    except TimeUp:
        return None, "timeout"
    except BaseException as error:
        return None, f"Your cell stopped with {type(error).__name__}: {str(error)[:300]}"
    mistake = head_mistake(request["signature"], request["parameters"], function)
    return (None, mistake) if mistake else (function, "")


def _remembered(programs: dict[str, Any], id: str, kept: dict[str, Any]) -> Any:
    if id not in kept:
        kept[id] = function_of(programs[id])
    return kept[id]


def function_of(program: dict[str, Any]) -> Any:
    """Run a program's statements in a namespace of their own; one that fails costs only itself."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module  # dataclasses and the like look their module up
    scope: dict[str, Any] = vars(module)
    scope.update(display=_silent, get_ipython=_Silent)
    cells = {cell: _cell(cell, source) for cell, source in program["sources"].items()}
    waiting: list[tuple[int, int]] = [tuple(place) for place in program["run"]]
    own, problem = tuple(program["answer"]), None
    while waiting:
        failed = []
        for cell, index in waiting:
            tree = cells[str(cell)].body[index]
            _undecorate(tree, program["called"])
            try:
                _run(tree, f"<cell {cell}>", scope)
            except Exception as error:  # it may need what a cell below defines
                failed.append((cell, index))
                problem = error if (cell, index) == own else problem
        if len(failed) == len(waiting):
            break
        waiting = failed
    if own in waiting and problem is not None:
        raise problem
    return eval(program["expression"], scope)


class _Silent:
    """Jupyter, as far as an answer may speak to it: nothing happens."""

    def __getattr__(self, name: str) -> Any:
        return _silent


def _silent(*_: Any, **__: Any) -> None:
    return None


def _cell(cell: str, source: str) -> ast.Module:
    label = f"<cell {cell}>"
    linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)
    tree = compile(source, label, "exec", ast.PyCF_ONLY_AST | _USUAL, dont_inherit=True)
    assert isinstance(tree, ast.Module)
    return tree


def _run(tree: ast.stmt, label: str, scope: dict[str, Any]) -> None:
    # Annotations may name what nobody imports here: they are not evaluated.
    if isinstance(tree, ast.ImportFrom) and tree.module == "__future__":
        return
    flags = annotations.compiler_flag
    exec(compile(ast.Module([tree], []), label, "exec", flags=flags, dont_inherit=True), scope)


def _undecorate(tree: ast.AST, called: list[str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            kept = [one for one in node.decorator_list if exercise_named(one, called) is None]
            node.decorator_list = kept


def take_away(names: list[str]) -> None:
    """Make the course's own versions of what an exercise asks for unusable in this process."""
    for name in names:
        module, _, last = name.rpartition(".")
        function = getattr(sys.modules.get(module), last, None)
        if isfunction(function):
            function.__code__ = _taken_away.__code__.replace(co_freevars=function.__code__.co_freevars)
            function.__defaults__ = function.__kwdefaults__ = None


def _taken_away(*_: Any, **__: Any) -> Any:
    raise NameError("this exercise asks you to write this function: the course's own is not here")


def send(connection: socket.socket, header: dict[str, Any], packer: Packer | None = None) -> None:
    """A frame to the judge."""
    connection.sendall(packed(header, packer.payload if packer else b""))


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """The judge's next frame."""
    head, payload = lengths(_exactly(connection, LENGTHS.size), 1 << 30, 1 << 30)
    return header_of(_exactly(connection, head)), _exactly(connection, payload)


def _exactly(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 20))
        if not part:
            raise SystemExit  # the judge has hung up
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
