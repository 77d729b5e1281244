"""The check itself: read the function, run it on every trial, compare, name the mistake, shrink, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from coursekit.checking import wording
from coursekit.checking.answering import Answer, OwnFunction, gave_up, observe_all
from coursekit.checking.bench import Bench, bench_of
from coursekit.checking.comparing import same_result
from coursekit.checking.declaration import Exercise, Misconception
from coursekit.checking.diagnosing import diagnose
from coursekit.checking.outcomes import Outcome
from coursekit.checking.refusing import bare, of_shortcut, refused
from coursekit.checking.resembling import resemblance
from coursekit.checking.running import Capped, untouched_surroundings
from coursekit.checking.shrinking import Failure, shrink
from coursekit.checking.values import Comparison
from coursekit.checking.verdict import Counterexample, PropertyResult, Verdict

__all__ = ["check", "judge", "judge_answer", "observe_all"]


def check(
    exercise: Exercise,
    function: Callable[..., Any],
    *,
    seed: int = 0,
    seconds: float = 5.0,
    named: bool = True,
) -> Verdict:
    """Check a learner's function against an exercise.

    Parameters
    ----------
    exercise : Exercise
    function : callable
        What the learner wrote; anything else gets a sentence, never a traceback.
    seed : int
        Chooses the values (not the shapes) of the cases.
    seconds : float
        The budget for all calls of the function; a Python loop that does not end is stopped.
    named : bool
        Whether to note which of the course's methods the function equals, where the exercise has a
        fingerprint: some 40 ms more.

    Returns
    -------
    Verdict
        The session's random state, default dtype and grad mode are as before.

    Raises
    ------
    KeyboardInterrupt
        When the learner interrupts the kernel; nothing else.
    """
    started = time.perf_counter()
    with untouched_surroundings(seed):
        verdict = refused(exercise, function) or judge_answer(
            exercise, OwnFunction(exercise, function, seed, seconds), seed, seconds
        )
        if named:
            verdict = replace(verdict, notes=(*resemblance(exercise, function, verdict), *verdict.notes))
    return replace(verdict, seconds=time.perf_counter() - started)


def judge(exercise: Exercise, outcomes: Sequence[Outcome | None], seed: int = 0) -> Verdict:
    """The verdict on outcomes that were observed elsewhere, one for each of ``make_cases(exercise, seed)``.

    None stands for a trial that was not run. No learner code runs here; the counterexample is not shrunk.
    """
    bench = bench_of(exercise, seed)
    comparisons = _comparisons(bench, outcomes)
    return _judged(bench, outcomes, comparisons, _diagnosis(bench, outcomes, comparisons))


def judge_answer(exercise: Exercise, answer: Answer, seed: int, seconds: float) -> Verdict:
    """The verdict on an answer, wherever it runs: it is called here and judged here.

    Parameters
    ----------
    exercise : Exercise
    answer : Answer
        Gives an outcome for each of ``make_cases(exercise, seed)``, and for the cases tried while shrinking.
    seed : int
    seconds : float
        The budget that the answer had, for the sentence about it.
    """
    bench = bench_of(exercise, seed)
    outcomes = answer.outcomes()
    ran = [outcome for outcome in outcomes if outcome is not None]
    if gave_up(ran[-1]) or (ran[0].raised is None and ran[0].value is None and answer.has_ellipsis()):
        return replace(
            bare(exercise, "not_attempted", wording.of_not_attempted(exercise)), output=_printed(ran)
        )
    shortcut = answer.shortcut() if exercise.forbidden and not ran[-1].timed_out else None
    if shortcut:
        return of_shortcut(exercise, shortcut)
    comparisons = _comparisons(bench, outcomes)
    diagnosis = _diagnosis(bench, outcomes, comparisons)
    verdict = _judged(bench, outcomes, comparisons, diagnosis, seconds)
    verdict = replace(verdict, notes=(*verdict.notes, *answer.notes()))
    if verdict.state in ("right", "timeout"):
        return verdict
    return _shrunk(bench, answer, outcomes, comparisons, diagnosis, verdict)


def _comparisons(bench: Bench, outcomes: Sequence[Outcome | None]) -> list[Comparison | None]:
    return [
        None if outcome is None else bench.judge(index, outcome) for index, outcome in enumerate(outcomes)
    ]


def _failing(comparisons: Sequence[Comparison | None]) -> list[int]:
    return [index for index, one in enumerate(comparisons) if one is not None and not one.holds]


def _diagnosis(
    bench: Bench, outcomes: Sequence[Outcome | None], comparisons: Sequence[Comparison | None]
) -> Misconception | None:
    failing = _failing(comparisons)
    return diagnose(bench, outcomes, failing) if failing else None


def _judged(
    bench: Bench,
    outcomes: Sequence[Outcome | None],
    comparisons: Sequence[Comparison | None],
    diagnosis: Misconception | None,
    seconds: float = 0.0,
) -> Verdict:
    exercise = bench.exercise
    results = _property_results(bench, comparisons)
    whole = sum(item.weight for item in results)
    fraction = sum(item.weight for item in results if item.passed) / whole
    ran = [outcome for outcome in outcomes if outcome is not None]
    notes = {note for outcome in ran for note in outcome.notes} | {
        note for one in comparisons if one is not None for note in one.notes
    }
    verdict = Verdict(exercise, "right", fraction, results, notes=tuple(sorted(notes)), output=_printed(ran))
    failing = _failing(comparisons)
    if not failing:
        return replace(verdict, message=wording.of_right(exercise, len(ran)))
    if ran[-1].timed_out:
        message = wording.of_timeout(ran[-1], len(ran) - 1, len(outcomes), seconds)
        return replace(
            verdict, state="timeout", message=message, counterexample=_pictured(bench, outcomes, len(ran) - 1)
        )
    state = _state(bench, outcomes, results)
    failure = _failure(bench, outcomes, comparisons, failing[0])
    verdict = replace(verdict, state=state, diagnosis=diagnosis)
    return _with_failure(verdict, failure)


def _property_results(bench: Bench, comparisons: Sequence[Comparison | None]) -> tuple[PropertyResult, ...]:
    results = []
    for item in bench.exercise.properties:
        mine = [one for one, trial in zip(comparisons, bench.trials, strict=True) if trial.property is item]
        ran = any(one is not None for one in mine)
        passed = all(one is not None and one.holds for one in mine)
        results.append(PropertyResult(item.id, item.says, item.weight, passed, ran))
    return tuple(results)


def _state(bench: Bench, outcomes: Sequence[Outcome | None], results: Sequence[PropertyResult]) -> str:
    raising = {
        trial.property.id
        for trial, outcome, expected in zip(bench.trials, outcomes, bench.expected, strict=True)
        if outcome is not None and outcome.raised is not None and expected.raised is None
    }
    first = outcomes[0]
    first_raised = first is not None and first.raised is not None and bench.expected[0].raised is None
    if first_raised or len(raising) == len(results):
        return "error"
    return "partial" if any(item.passed for item in results) else "wrong"


def _failure(
    bench: Bench, outcomes: Sequence[Outcome | None], comparisons: Sequence[Comparison | None], index: int
) -> Failure:
    outcome, comparison = outcomes[index], comparisons[index]
    assert outcome is not None
    assert comparison is not None
    return Failure(bench.trials[index].case, bench.expected[index], outcome, comparison)


def _pictured(bench: Bench, outcomes: Sequence[Outcome | None], index: int) -> Counterexample:
    outcome = outcomes[index]
    assert outcome is not None
    return Counterexample(
        bench.trials[index].case, bench.expected[index].value, None, None, False, outcome.output
    )


def _with_failure(verdict: Verdict, failure: Failure) -> Verdict:
    returned = failure.got.raised is None and not failure.got.timed_out
    changed = failure.comparison.kind.startswith("changed") and failure.got.changed is not None
    shown = Counterexample(
        failure.case,
        failure.expected.value,
        failure.got.value if returned else None,
        failure.comparison.guilty,
        returned,
        failure.got.output,
        failure.comparison.sentence,
    )
    if changed:
        name, value = failure.got.changed  # type: ignore[misc]
        shown = replace(shown, expected=failure.case[name], got=value, label=f"{name} before")
    message = wording.of_failure(failure.comparison.sentence, verdict.diagnosis)
    return replace(verdict, counterexample=shown, message=message)


def _shrunk(
    bench: Bench,
    answer: Answer,
    outcomes: Sequence[Outcome | None],
    comparisons: Sequence[Comparison | None],
    diagnosis: Misconception | None,
    verdict: Verdict,
) -> Verdict:
    """The verdict with its counterexample made as small as it goes."""
    index = _failing(comparisons)[0]
    trial, failure = bench.trials[index], _failure(bench, outcomes, comparisons, index)
    with answer.within(1.0) as call:
        again = call(trial.case)
    if not again.timed_out and not same_result(failure.got, again):
        return replace(verdict, notes=(*verdict.notes, wording.UNSTEADY))
    return _with_failure(verdict, shrink(bench, trial, failure, answer, diagnosis))


def _printed(outcomes: Sequence[Outcome]) -> str:
    """Everything printed, capped once more over all calls."""
    kept = Capped(10_000)
    for outcome in outcomes:
        kept.write(outcome.output)
    return kept.text
