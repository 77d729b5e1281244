"""An exercise with a seed: its trials, what the reference gives and, once asked, what each mutant gives.

Nothing here runs a learner's code, so a judge in another process can use it as it stands.
"""

from __future__ import annotations

import weakref

from coursekit.checking.cases import Case, Trial
from coursekit.checking.comparing import judge_case
from coursekit.checking.declaration import Exercise, Misconception
from coursekit.checking.outcomes import Outcome
from coursekit.checking.planning import make_cases
from coursekit.checking.running import observe
from coursekit.checking.values import Comparison

KEPT_SEEDS = 4


class Bench:
    """Trials and expected outcomes of one exercise and seed.

    Attributes
    ----------
    trials : tuple of Trial
    expected : tuple of Outcome
        The reference's outcomes, one a trial.
    """

    def __init__(self, exercise: Exercise, seed: int) -> None:
        self.exercise = exercise
        self.trials: tuple[Trial, ...] = make_cases(exercise, seed)
        self.expected: tuple[Outcome, ...] = tuple(self.reference_on(trial.case) for trial in self.trials)
        self._mutants: dict[tuple[Misconception, int], Outcome] = {}
        self._distinguishing: dict[tuple[Misconception, int], bool] = {}

    def reference_on(self, case: Case) -> Outcome:
        """What the reference gives for a case."""
        return observe(self.exercise.reference, case)

    def mutant_on(self, misconception: Misconception, index: int) -> Outcome:
        """What a misconception's mutant gives for a trial; computed once."""
        key = misconception, index
        if key not in self._mutants:
            self._mutants[key] = observe(misconception.mutant, self.trials[index].case)
        return self._mutants[key]

    def distinguishes(self, misconception: Misconception, index: int) -> bool:
        """Whether a trial tells a misconception from a right answer."""
        key = misconception, index
        if key not in self._distinguishing:
            outcome = self.mutant_on(misconception, index)
            self._distinguishing[key] = not self.judge(index, outcome).holds
        return self._distinguishing[key]

    def judge(self, index: int, outcome: Outcome) -> Comparison:
        """Compare what a function gave for a trial with what it should have given."""
        trial = self.trials[index]
        return judge_case(trial.property, trial.case, self.expected[index], outcome)


_BENCHES: weakref.WeakKeyDictionary[Exercise, dict[int, Bench]] = weakref.WeakKeyDictionary()


def bench_of(exercise: Exercise, seed: int) -> Bench:
    """The bench of an exercise and a seed; the last few are kept."""
    kept = _BENCHES.setdefault(exercise, {})
    if seed not in kept:
        while len(kept) >= KEPT_SEEDS:
            del kept[next(iter(kept))]
        kept[seed] = Bench(exercise, seed)
    return kept[seed]
