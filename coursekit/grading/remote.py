"""A learner's function in the sandbox, as the judge sees it: an `Answer` whose calls go through a channel."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from coursekit.checking import Case, Exercise, Outcome, bench_of
from coursekit.checking.answering import Call, first_trials, gave_up
from coursekit.checking.bench import Bench
from coursekit.checking.frames import Packer, Unpacker
from coursekit.checking.shortcuts import Shortcut
from coursekit.checking.sources import is_ellipsis
from coursekit.grading.channel import BadFrame, Channel, HungUp, TooLate

SECONDS = 5.0
"""For all calls of an answer, as in the notebook."""
GRACE = 2.0
"""More, for what the worker's own alarm cannot interrupt; then the process is ended from outside."""
PAUSE = 0.004
"""Between two looks at what has come: a good answer gives dozens of small outcomes at once."""
MORE = 4.0
"""For the calls after the grade is known: watching, shrinking."""

TIMED_OUT = Outcome(timed_out=True)


class Crashed(Exception):
    """The learner's process ended, or spoke another language, before the answers were complete."""


class NotMade(Exception):
    """The cell did not give a function that can be called; the message says why."""


@lru_cache(maxsize=32)
def _packed_cases(bench: Bench) -> tuple[list[Any], bytes]:
    """All inputs of an exercise, ready to send: the same for a whole batch."""
    packer = Packer(64 << 20)
    return [packer.case(trial.case) for trial in bench.trials], packer.payload


class RemoteAnswer:
    """An answer in a worker.

    Parameters
    ----------
    exercise : Exercise
    seed : int
    programs : mapping
        What to run for the answer, and for each other id that it may ask `mine` for.
    channel : Channel
        To a worker that has said that it is ready.
    definition : ast.stmt
        The answer's text.
    """

    def __init__(
        self,
        exercise: Exercise,
        seed: int,
        programs: Mapping[str, Any],
        channel: Channel,
        definition: ast.stmt,
    ) -> None:
        self.exercise, self.seed, self.channel, self.definition = exercise, seed, channel, definition
        self.programs = programs
        self.seen: Shortcut | None = None
        self.lost = ""
        self.noting = False

    def outcomes(self) -> list[Outcome | None]:
        """Send every input, and take what comes back until it is complete or the time is up.

        Raises
        ------
        NotMade, Crashed
        """
        trials = bench_of(self.exercise, self.seed).trials
        got: list[Outcome | None] = []
        self.channel.until(SECONDS + GRACE)
        try:
            self._ask()
            self.channel.pause = PAUSE
            while "done" not in (frame := self._next())[0]:
                header, payload = frame
                if len(got) == len(trials):
                    raise BadFrame("more answers than inputs")
                got.append(Unpacker(payload).outcome(header.get("outcome")))
        except TooLate:
            got.append(TIMED_OUT)
        except HungUp:
            raise Crashed(self._when(len(got), len(trials))) from None
        except BadFrame as problem:
            raise Crashed(f"It answered with something unreadable ({problem}).") from None
        finally:
            self.channel.pause = 0.0
        if not got:
            raise Crashed("It gave no answers.")
        return self._without_holes(got) + [None] * (len(trials) - len(got))

    def _ask(self) -> None:
        cases, payload = _packed_cases(bench_of(self.exercise, self.seed))
        request = {
            "id": self.exercise.id,
            "signature": self.exercise.signature,
            "parameters": len(self.exercise.parameters),
            "forbidden": list(self.exercise.forbidden),
            "absent": [name for name in self.exercise.forbidden if name.startswith("coursekit.")],
            "programs": self.programs,
            "cases": cases,
            "seconds": SECONDS,
        }
        self.channel.send(request, payload)
        made, _ = self._next()
        self.noting = made.get("noting") is True
        complaint = made.get("complaint")
        if complaint == "timeout":
            raise TooLate
        if made.get("made") is not True:
            raise NotMade(complaint[:600] if isinstance(complaint, str) else "The cell gives no function.")

    def _next(self) -> tuple[dict[str, Any], bytes]:
        """The next frame that is not about a forbidden operation."""
        while True:
            header, payload = self.channel.receive()
            if "noted" not in header:
                return header, payload
            if header["noted"] in self.exercise.forbidden and self.seen is None:
                self.seen = Shortcut(header["noted"])

    def _without_holes(self, got: list[Outcome | None]) -> list[Outcome | None]:
        """An answer that stops early without a reason did not answer."""
        trials = len(bench_of(self.exercise, self.seed).trials)
        last = got[-1]
        assert last is not None
        if len(got) < trials and not last.timed_out and not gave_up(last):
            raise Crashed(self._when(len(got), trials))
        return got

    def _when(self, done: int, all_of_them: int) -> str:
        return f"Your code ended its process on input {done + 1} of {all_of_them}."

    def has_ellipsis(self) -> bool:
        """As the protocol says."""
        return any(is_ellipsis(node) for node in ast.walk(self.definition))

    def shortcut(self) -> Shortcut | None:
        """What the worker saw torch do; it is believed when it says that something was there."""
        if self.seen is not None or self.noting:
            return self.seen
        self.channel.until(MORE)
        try:
            self.channel.send({"watch": first_trials(self.exercise, self.seed)})
            header, _ = self._next()
        except (TooLate, HungUp, BadFrame) as problem:
            self.lost = f"while it was watched for forbidden operations: {type(problem).__name__}"
            return None
        name = header.get("shortcut")
        self.seen = Shortcut(name) if name in self.exercise.forbidden else None
        return self.seen

    def notes(self) -> list[str]:
        """As the protocol says."""
        return []

    @contextmanager
    def within(self, seconds: float) -> Iterator[Call]:
        """As the protocol says; a worker that is gone answers that the time is up."""
        self.channel.until(min(seconds, MORE))

        def call(case: Case) -> Outcome:
            packer = Packer()
            try:
                if self.lost:
                    return TIMED_OUT
                left = max(0.01, self.channel.left)
                self.channel.send({"case": packer.case(case), "seconds": left}, packer.payload)
                header, payload = self._next()
                return Unpacker(payload).outcome(header.get("outcome"))
            except (TooLate, HungUp, BadFrame) as problem:
                self.lost = f"while the failure was made smaller: {type(problem).__name__}"
                return TIMED_OUT

        yield call
