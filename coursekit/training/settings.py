"""What a run was asked for, checked before anything begins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coursekit.training.checkpoints import Checkpoint
from coursekit.upsampling.validation import described, is_int, sentence


@dataclass(frozen=True)
class Settings:
    """The numbers of one run; :func:`coursekit.training.fit` explains them."""

    budget: float
    steps: int | None
    batch: int
    seed: int
    rate: float
    checkpoint: str | Path | None = None
    resume: bool = False

    def checked(self) -> Settings:
        """Itself, or a sentence about the first setting that cannot be.

        Raises
        ------
        TypeError, ValueError
            With what was expected, what came and what to try.
        """
        if self.steps is None:
            _require_positive("budget", self.budget, "seconds", "budget=60")
        else:
            _require_whole("steps", self.steps, 1, "steps=200")
        _require_whole("batch", self.batch, 1, "batch=8")
        _require_whole("seed", self.seed, 0, "seed=0")
        _require_positive("rate", self.rate, "as the greatest learning rate", "rate=0.01")
        if self.checkpoint is not None:
            Checkpoint(self.checkpoint)
        elif self.resume:
            raise ValueError(sentence("a checkpoint to go on with", "none", 'checkpoint="runs/first"'))
        return self

    @staticmethod
    def require_callable(name: str, value: Any, optional: bool) -> None:
        """Refuse what cannot be called."""
        if not callable(value) and not (optional and value is None):
            raise TypeError(sentence(f"{name} as a function", described(value), f"{name}=its bare name"))

    def identity(self, images: int) -> dict[str, Any]:
        """What must be the same for a run to go on."""
        length = {"steps": self.steps} if self.steps is not None else {"budget": self.budget}
        return {**length, "batch": self.batch, "seed": self.seed, "rate": self.rate, "images": images}


def _require_whole(name: str, value: Any, least: int, attempt: str) -> None:
    if not is_int(value):
        raise TypeError(sentence(f"{name} as a whole number", described(value), attempt))
    if value < least:
        raise ValueError(sentence(f"{name} of {least} or more", str(value), attempt))


def _require_positive(name: str, value: Any, unit: str, attempt: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(sentence(f"{name} as a number ({unit})", described(value), attempt))
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(sentence(f"{name} above 0 ({unit})", str(value), attempt))
