"""What a class's scores say: how they spread, what was hardest, which mistakes were made, who is alike."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coursekit.checking import Exercise, Misconception
from coursekit.grading.results import ExerciseResult
from coursekit.grading.scores import UNTRIED, Standing

SHORT = 5
"""With fewer statements in the course's own solution, right answers look alike by themselves."""
COMMON = 0.2
"""A form that more than this share of a class's answers has is the usual one, and no sign of copying."""
FEW = 3


@dataclass(frozen=True)
class Mistake:
    """A named mistake, and who made it."""

    exercise: Exercise
    misconception: Misconception
    learners: tuple[str, ...]
    tried: int


@dataclass(frozen=True)
class Broken:
    """A property that failed, and for whom; `unnamed` are those whose mistake nobody named."""

    exercise: Exercise
    id: str
    says: str
    learners: tuple[str, ...]
    unnamed: tuple[str, ...]
    tried: int

    @property
    def share(self) -> float:
        """Of those who tried."""
        return len(self.learners) / self.tried if self.tried else 0.0


@dataclass(frozen=True)
class Alike:
    """Learners whose answers have the same form, and the exercises in which they do."""

    learners: tuple[str, ...]
    exercises: tuple[str, ...]
    wrong: int


def tried(standings: Sequence[Standing], id: str) -> list[tuple[str, ExerciseResult]]:
    """Who handed in an answer to an exercise, with its result."""
    scores = ((one.learner, one.scores[id].result) for one in standings if id in one.scores)
    return [(learner, result) for learner, result in scores if result.state not in UNTRIED]


def mistakes(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> list[Mistake]:
    """The named mistakes, the commonest first."""
    found = []
    for id, exercise in _graded(standings, exercises):
        answers = tried(standings, id)
        for misconception in exercise.misconceptions:
            who = tuple(learner for learner, one in answers if _diagnosis(one) == misconception.id)
            if who:
                found.append(Mistake(exercise, misconception, who, len(answers)))
    return sorted(found, key=lambda one: (-len(one.learners), -len(one.learners) / one.tried))


def broken_properties(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> list[Broken]:
    """The properties that failed, the hardest first: by the share of those who tried."""
    found = []
    for id, exercise in _graded(standings, exercises):
        answers = tried(standings, id)
        for item in exercise.properties:
            failed = [(learner, one) for learner, one in answers if _fails(one, item.id)]
            if failed:
                unnamed = tuple(learner for learner, one in failed if not _diagnosis(one))
                who = tuple(learner for learner, _ in failed)
                found.append(Broken(exercise, item.id, item.says, who, unnamed, len(answers)))
    return sorted(found, key=lambda one: (-one.share, -len(one.learners)))


def alike(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> list[Alike]:
    """Groups of learners whose answers are the same but for names, comments and layout.

    Left out are exercises whose solution is a few lines, which honest answers share, and forms that many of
    the class have. It is a reason to ask, and no proof.
    """
    shared: dict[tuple[str, ...], list[tuple[str, bool]]] = {}
    for id, exercise in _graded(standings, exercises):
        if _statements(exercise.solution) < SHORT:
            continue
        forms: dict[str, list[tuple[str, bool]]] = {}
        for one in standings:
            score = one.scores.get(id)
            form = (score.attempt.result.tree or {}).get(id) if score else None
            if score and form and score.result.state not in UNTRIED:
                forms.setdefault(form, []).append((one.learner, score.result.state == "right"))
        most = max(FEW, COMMON * sum(map(len, forms.values())))
        for members in forms.values():
            if 2 <= len(members) <= most:
                learners = tuple(learner for learner, _ in members)
                shared.setdefault(learners, []).append((id, members[0][1]))
    groups = [
        Alike(learners, tuple(id for id, _ in found), sum(not right for _, right in found))
        for learners, found in shared.items()
    ]
    return sorted(groups, key=lambda one: (-len(one.exercises), -one.wrong, one.learners))


def histogram(standings: Sequence[Standing], bins: int = 10) -> list[int]:
    """How many learners have a share of the points in each tenth; everything counts as the last."""
    counted = Counter(min(bins - 1, int(one.fraction * bins)) for one in standings)
    return [counted[number] for number in range(bins)]


def _graded(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> list[tuple[str, Exercise]]:
    ids = standings[0].scores if standings else {}  # everyone is measured by the same
    return [(id, exercises[id]) for id in ids if id in exercises]


def _diagnosis(result: ExerciseResult) -> str | None:
    found = (result.verdict or {}).get("diagnosis")
    return found["id"] if found else None


def _fails(result: ExerciseResult, property: str) -> bool:
    listed: Sequence[Mapping[str, Any]] = (result.verdict or {}).get("properties") or ()
    return any(item["id"] == property and item["ran"] and not item["passed"] for item in listed)


def _statements(source: str) -> int:
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source))) - 1
