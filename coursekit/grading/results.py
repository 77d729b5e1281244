"""What grading found, as plain data: one result an exercise, one a submission. `--json`, the gradebook, the
feedback and the exports all read these and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coursekit.checking import STATES as CHECKED

STATES = (*CHECKED, "crashed", "missing", "unreadable")
"""What can become of an exercise of a submission. The check's own, and: the learner's code ended its
process, no function of that name was handed in, the file could not be read."""

JUDGE_FAILED = "the judge stopped with "
"""So begins the report on a failure of ours; no report that tells of a learner's code does."""


@dataclass(frozen=True)
class ExerciseResult:
    """What one exercise of one submission earned.

    Attributes
    ----------
    id, version : str, int
        Of the exercise.
    state : str
        One of `STATES`.
    fraction, points, worth : float
        The share of the weight that held, the points that it is worth, and the exercise's points.
    reason : str
        For the learner: what the verdict says in words, or why there is none.
    verdict : dict or None
        ``Verdict.to_dict()`` with ``"picture"`` (HTML with inline SVG, styled by
        ``coursekit.checking.drawing.style.STYLE``; or None) added; None where nothing was judged.
    reports : tuple of str
        For the instructor only: what was suspicious.
    seconds : float
        Wall-clock time of this exercise.
    """

    id: str
    version: int
    state: str
    fraction: float
    points: float
    worth: float
    reason: str = ""
    verdict: Mapping[str, Any] | None = None
    reports: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def judge_failed(self) -> bool:
        """Whether it has no grade through no fault of the learner's, so that it is graded again."""
        return any(report.startswith(JUDGE_FAILED) for report in self.reports)


@dataclass(frozen=True)
class SubmissionResult:
    """What one submission earned.

    Attributes
    ----------
    learner, file : str
        Who, and the file's name as it was handed in.
    digest : str
        SHA-256 of the file's bytes, in hexadecimal; empty where there were none to read.
    sandbox : str
        In what the code ran, such as "bubblewrap"; "none" where nothing ran; "NONE (trusted)" where it ran
        unprotected.
    reason : str
        Why the file could not be read; empty if it could.
    exercises : tuple of ExerciseResult
        In the order of the course; every exercise asked for has one, whatever happened.
    tree : dict
        Exercise id -> digest of the normalised syntax tree of the answer, to find likely copies.
    """

    learner: str
    file: str
    digest: str
    sandbox: str
    exercises: tuple[ExerciseResult, ...]
    reason: str = ""
    tree: Mapping[str, str] | None = None

    @property
    def points(self) -> float:
        """The sum over the exercises."""
        return round(sum(one.points for one in self.exercises), 6)

    @property
    def judge_failed(self) -> bool:
        """Whether that happened to one of the exercises."""
        return any(one.judge_failed for one in self.exercises)

    @property
    def worth(self) -> float:
        """What a flawless submission earns."""
        return sum(one.worth for one in self.exercises)

    @property
    def fraction(self) -> float:
        """Points over what a flawless submission earns."""
        return round(self.points / self.worth, 6) if self.worth else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As `coursekit grade --json` prints it."""
        return {
            "learner": self.learner,
            "file": self.file,
            "fraction": self.fraction,
            "points": self.points,
            "sandbox": self.sandbox,
            "reason": self.reason,
            "exercises": {
                one.id: {
                    "fraction": one.fraction,
                    "state": one.state,
                    "reason": one.reason,
                    "version": one.version,
                }
                for one in self.exercises
            },
        }

    def to_record(self) -> dict[str, Any]:
        """Everything, for the gradebook; `from_record` reads it back."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> SubmissionResult:
        """What `to_record` gave, also after a way through JSON."""
        exercises: Sequence[Mapping[str, Any]] = record["exercises"]
        read = tuple(ExerciseResult(**{**one, "reports": tuple(one["reports"])}) for one in exercises)
        return cls(**{**record, "exercises": read})
