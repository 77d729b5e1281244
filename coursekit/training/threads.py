"""As many threads as are fastest: beside other busy programs that can be one."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import torch

WARM = 3  # steps before the first trial: the first ones find their algorithms
TRIAL = 4  # steps, when all goes well
SLOW = 1.5  # a trial step this many times slower ends the trial
BETTER = 0.95  # a change must save this much, or it would swing between equals


class Threads:
    """Tries fewer or more threads now and then, and keeps what is faster.

    torch's threads wait for each other many times a step, so one that has to share its core holds up all: two
    threads beside one other busy program can take five times as long as one thread. Use it around a run
    (``with``), and tell it the seconds of each step. Afterwards torch has its former number again.

    Parameters
    ----------
    every : float
        Seconds between trials.
    most : int, optional
        The number to start with, and never to exceed; by default what torch has now.
    put : callable, optional
        Sets the number; by default ``torch.set_num_threads``.
    """

    def __init__(
        self, every: float = 5.0, most: int | None = None, put: Callable[[int], None] | None = None
    ) -> None:
        self.every = every
        self.most = most or torch.get_num_threads()
        self.now = self.most
        self.steps_with: dict[int, int] = {}
        self._put = put or torch.set_num_threads
        self._usual: list[float] = []
        self._trial: list[float] | None = None
        self._since = 0.0
        self._upwards = False

    def __enter__(self) -> Threads:
        return self

    def __exit__(self, *error: object) -> None:
        self._put(self.most)

    @property
    def usual(self) -> int:
        """The number with which most steps were made."""
        return max(self.steps_with, key=lambda number: self.steps_with[number], default=self.now)

    @property
    def note(self) -> str:
        """A sentence where fewer threads were faster than all; else nothing."""
        if self.usual == self.most:
            return ""
        return (
            f"Most steps ran on {self.usual} of {self.most} threads, which was faster here: "
            "other programs keep this machine busy, or the net is small."
        )

    def took(self, seconds: float) -> None:
        """Hear how long a step took; the next step may run on another number of threads."""
        if self.most == 1:
            return
        self.steps_with[self.now] = self.steps_with.get(self.now, 0) + 1
        if self._trial is not None:
            self._go_on_trying(seconds)
            return
        self._usual = [*self._usual[-2 * TRIAL :], seconds]
        self._since += seconds
        first = sum(self.steps_with.values()) == WARM + TRIAL
        if len(self._usual) >= TRIAL and (first or self._since > self.every):
            self._begin_trial()

    def _begin_trial(self) -> None:
        self._before, self._trial, self._since = self.now, [], 0.0
        self._usual = self._usual[-TRIAL:]
        up = min(self.most, self.now * 2)
        down = max(1, self.now // 2)
        target = up if (self._upwards and up > self.now) or down == self.now else down
        self._upwards = not self._upwards
        self._change(target)

    def _go_on_trying(self, seconds: float) -> None:
        assert self._trial is not None
        self._trial.append(seconds)
        usual = median(self._usual)
        if len(self._trial) > 1 and seconds > SLOW * usual:  # the first step on other threads starts them
            self._change(self._before)
            self._trial = None
            return
        if len(self._trial) <= TRIAL:
            return
        trial = self._trial[1:]
        self._trial = None
        if median(trial) < BETTER * usual:
            went_up = self.now > self._before
            self._usual, self._upwards = trial, went_up
            self._since = self.every  # perhaps the next number is better still
            return
        self._change(self._before)

    def _change(self, number: int) -> None:
        self.now = number
        self._put(number)
