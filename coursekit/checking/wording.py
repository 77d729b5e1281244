"""The sentences of a verdict."""

from __future__ import annotations

from coursekit.checking.declaration import Exercise, Misconception
from coursekit.checking.outcomes import Outcome
from coursekit.checking.shortcuts import Shortcut


def of_right(exercise: Exercise, cases: int) -> str:
    """What a right answer hears."""
    count = len(exercise.properties)
    return (
        f"Every value is right on all {cases} inputs tried."
        if count == 1
        else (f"All {count} properties hold, on {cases} inputs.")
    )


def of_failure(sentence: str, misconception: Misconception | None) -> str:
    """The named mistake and its advice where there is one; else what differs."""
    if misconception is None:
        return sentence
    advice = f" {misconception.advice}" if misconception.advice else ""
    return f"{misconception.says.rstrip()}{advice}"


def of_not_attempted(exercise: Exercise) -> str:
    """What an untouched starter hears."""
    return (
        f"Nothing to check yet: replace the `...` in `{exercise.function}` by your own lines "
        "and run the cell again."
    )


def of_forbidden(exercise: Exercise, shortcut: Shortcut) -> str:
    """Which operation may not be used here, where it stands, and why."""
    where = f" on line {shortcut.line}" if shortcut.line else ""
    return (
        f"Your function uses `{shortcut.name}`{where}. Here you build what it does, step by step, to see "
        "how it works; elsewhere it is fine to use. Try it with indexing, loops and sums."
    )


def of_timeout(outcome: Outcome, done: int, total: int, seconds: float) -> str:
    """That the function was stopped, where it was, and whether it hangs or is slow."""
    place = f" It was at: {outcome.place}." if outcome.place else ""
    if outcome.seconds < 0.5 * seconds and done:
        return (
            f"Stopped after {seconds:g} seconds: your function finished {done} of {total} inputs, so it is "
            f"very slow rather than endless.{place} Try doing less work inside the innermost loop."
        )
    return (
        f"Stopped after {seconds:g} seconds: your function did not finish.{place} "
        "Try checking that every loop comes to an end: does its counter change on each round?"
    )


def of_wrong_head(expected: str, got: str, advice: str) -> str:
    """For something that cannot be called as the exercise's function."""
    return f"Expected {expected}; got {got}. Try {advice}."


UNSTEADY = (
    "Your function gave different answers to the same input. It may use chance, or remember something "
    "between calls: try making everything it needs inside it."
)
