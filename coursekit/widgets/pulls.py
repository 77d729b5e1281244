"""Two gradients as a picture can show them: two lengths and one angle, for `Tug`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import acos, degrees, isfinite
from typing import Any

import torch
from torch import Tensor

from coursekit.data.wording import described, is_number, is_whole, sentence

NEARLY_RIGHT = 10.0
"""Degrees around 90 within which two gradients count as nearly at right angles."""
LEAST_WEIGHT, MOST_WEIGHT = 1e-4, 1e4
MOST_LOOKS = 2000
Look = tuple[int, float | None]


@dataclass(frozen=True)
class Pulls:
    """Two gradients in the plane that they span.

    Attributes
    ----------
    lengths : (float, float)
        Of the class loss's gradient and of the box loss's.
    cosine : float or None
        Of the angle between them; None where one of them is zero, for then there is no angle.
    """

    lengths: tuple[float, float]
    cosine: float | None

    @classmethod
    def of(cls, class_gradient: Any, box_gradient: Any) -> Pulls:
        """Measure two gradients of the same length, in float64.

        Examples
        --------
        >>> Pulls.of(torch.tensor([3.0, 0.0, 0.0]), torch.tensor([0.0, 4.0, 0.0]))
        Pulls(lengths=(3.0, 4.0), cosine=0.0)
        """
        one, other = as_gradient(class_gradient, "class_gradient"), as_gradient(box_gradient, "box_gradient")
        if one.shape != other.shape:
            expected = "two gradients by the same features or weights, as long as one another"
            got = f"{len(one)} and {len(other)} numbers"
            attempt = "torch.autograd.grad(loss, features)[0].flatten() for both losses"
            raise ValueError(sentence(expected, got, attempt))
        lengths = float(one.norm()), float(other.norm())
        if not all(map(isfinite, lengths)):
            raise ValueError(sentence("gradients of finite length", f"lengths {lengths}", "gradient / 1e6"))
        if min(lengths) == 0:
            return cls(lengths, None)
        cosine = float((one / lengths[0]) @ (other / lengths[1]))
        return cls(lengths, max(-1.0, min(1.0, cosine)))

    @property
    def angle(self) -> float | None:
        """Degrees from 0 to 180, or None."""
        return None if self.cosine is None else degrees(acos(self.cosine))

    def dots(self, weight: float) -> tuple[float, float, float]:
        """The sum's length, and what of it each gradient gives along it; these two add up to the first."""
        one, other = self.lengths[0], weight * self.lengths[1]
        both = one * other * (self.cosine or 0.0)
        total = max(0.0, one * one + other * other + 2 * both) ** 0.5
        if total == 0:
            return 0.0, 0.0, 0.0
        return total, (one * one + both) / total, (other * other + both) / total


def as_gradient(value: Any, name: str) -> Tensor:
    """A gradient as a float64 tensor ``(N,)``, finite.

    Raises
    ------
    TypeError
        Not a tensor, array or list of numbers.
    ValueError
        Another number of axes, none or no finite numbers.
    """
    expected = f"{name} as a tensor (N,) of finite numbers"
    attempt = "torch.autograd.grad(loss, features)[0].flatten()"
    try:
        found = torch.as_tensor(value).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        raise TypeError(sentence(expected, described(value), attempt)) from None
    if found.is_complex() or found.dtype == torch.bool:
        raise TypeError(sentence(expected, described(value), attempt))
    if found.ndim != 1 or len(found) == 0:
        raise ValueError(sentence(expected, described(value), attempt))
    found = found.to(torch.float64)
    wrong = int((~found.isfinite()).sum())
    if wrong:
        hint = "the step before the loss became NaN, or a smaller learning rate"
        raise ValueError(sentence(expected, f"{wrong} of {len(found)} that are NaN or infinite", hint))
    return found


def as_weight(value: Any) -> float:
    """A weight of the box loss, between 1e-4 and 1e4."""
    expected = f"weight as a number from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}"
    if isinstance(value, Tensor) and value.ndim == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(sentence(expected, described(value), "weight=1.0"))
    if not LEAST_WEIGHT <= value <= MOST_WEIGHT:
        raise ValueError(sentence(expected, described(value), "weight=1.0"))
    return float(value)


def as_looks(value: Any) -> list[Look]:
    """Pairs (step, degrees), the steps rising; degrees None where a gradient was zero.

    Raises
    ------
    TypeError, ValueError
        Not such pairs, a NaN, degrees outside 0 to 180, steps that do not rise, or too many.
    """
    if value is None:
        return []
    expected = "angles as a list of (step, degrees), degrees from 0 to 180"
    attempt = "angles=[(0, 84.0), (50, 97.5)]"
    if isinstance(value, Tensor):
        value = value.tolist()
    if isinstance(value, str) or not isinstance(value, Sequence) or not 1 <= len(value) <= MOST_LOOKS:
        got = f"{len(value)} of them" if isinstance(value, list | tuple) else described(value)
        raise TypeError(sentence(f"{expected}, 1 to {MOST_LOOKS} of them", got, attempt))
    found: list[Look] = []
    for pair in value:
        step, angle = _pair(pair, expected, attempt)
        if found and step <= found[-1][0]:
            got = f"step {step} after step {found[-1][0]}"
            raise ValueError(sentence("angles whose steps rise", got, "sorted(angles)"))
        found.append((step, angle))
    return found


def _pair(pair: Any, expected: str, attempt: str) -> Look:
    paired = isinstance(pair, list | tuple) and len(pair) == 2
    step: Any
    angle: Any
    step, angle = pair if paired else (None, None)
    whole = is_whole(step) or (isinstance(step, float) and step.is_integer())
    if not whole or not 0 <= step <= 1e12 or not (angle is None or is_number(angle)):
        got = f"({described(step)}, {described(angle)})" if paired else described(pair)
        raise ValueError(sentence(expected, got, attempt))
    if angle is None:
        return int(step), None
    if not -1e-6 <= angle <= 180 + 1e-6:
        raise ValueError(sentence(expected, f"{float(angle):g} degrees", "degrees, not radians"))
    return int(step), min(180.0, max(0.0, float(angle)))


def told(pulls: Pulls) -> str:
    """How two gradients lie, in words.

    Examples
    --------
    >>> told(Pulls((1.0, 1.0), -0.5))
    'they pull apart'
    """
    if pulls.angle is None:
        missing = [name for name, long in zip(("class", "box"), pulls.lengths, strict=True) if long == 0]
        return f"the {' and the '.join(missing)} loss pulls nowhere" if len(missing) == 1 else "neither pulls"
    if abs(pulls.angle - 90) <= NEARLY_RIGHT:
        return "they pull nearly at right angles"
    return "they pull apart" if pulls.angle > 90 else "they pull the same way"
