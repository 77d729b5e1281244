"""Before the next lecture: a class's commonest mistakes as questions for the board, with their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from coursekit.checking import Case, Exercise, Misconception, check, make_cases
from coursekit.checking.drawing.panels import Panel, panels_of
from coursekit.checking.drawing.svg import panels_html
from coursekit.checking.drawing.text import panels_text
from coursekit.checking.plain import plain
from coursekit.checking.verdict import Counterexample
from coursekit.grading.insights import broken_properties, mistakes
from coursekit.grading.pages import page, prose, text
from coursekit.grading.scores import UNTRIED, Standing

SHORTEST = 4
"""Minutes of the shortest question."""

UNTRIED_SHARE = 0.3
"""Where so many of a class did not try an exercise, its example is worked together."""


Concern = tuple[int, int, Callable[[int, int], "Step | None"]]


@dataclass(frozen=True)
class Step:
    """One question for the board.

    Attributes
    ----------
    exercise : Exercise
    why : str
        Why it is here: what so many of the class did.
    learners, of : int
        How many that is, of how many.
    ask : str
        The question.
    shown : Counterexample
        The input, the right answer, and, where a mistake is behind it, what the mistake gives.
    advice : str
        What to say after it.
    minutes : int
    """

    exercise: Exercise
    why: str
    learners: int
    of: int
    ask: str
    shown: Counterexample
    advice: str
    minutes: int

    @property
    def given(self) -> list[Panel]:
        """What is written on the board first: the arguments, without what an exercise draws beside them."""
        return [
            panel
            for panel in panels_of(replace(self.exercise, draw=None, sheet=None), self.shown)
            if panel.role == "given"
        ]

    @property
    def answers(self) -> list[Panel]:
        """What is uncovered then."""
        found = panels_of(self.exercise, self.shown)[len(self.given) :]
        kept = [panel for panel in found if panel.role != "yours" or self.shown.returned]
        names = {"expected": "answer", "yours": "with the mistake"}
        return [replace(one, label=one.label.replace(*_swap(one, names))) for one in kept]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "exercise": self.exercise.id,
            "lesson": self.exercise.lesson,
            "why": self.why,
            "learners": self.learners,
            "of": self.of,
            "minutes": self.minutes,
            "ask": self.ask,
            "given": panels_text(self.given),
            "answer": panels_text(self.answers),
            "advice": self.advice,
        }


def lesson_plan(
    standings: Sequence[Standing], exercises: Mapping[str, Exercise], minutes: int = 20
) -> list[Step]:
    """The questions that help most learners, within so many minutes.

    Parameters
    ----------
    standings : sequence of Standing
    exercises : mapping of str to Exercise
        By id.
    minutes : int
        The time there is; the first question is there even if it takes longer.

    Returns
    -------
    list of Step
        What concerns most learners first. The inputs come from the exercises, not from the graded batch, so
        nothing of its secret seed is shown.
    """
    concerns = sorted(_concerns(standings, exercises), key=lambda one: (-one[0], -one[0] / one[1]))
    chosen: list[Step] = []
    left = minutes
    for learners, of, step_for in concerns:
        if left < SHORTEST and chosen:
            break
        step = step_for(learners, of)
        if step is not None and (step.minutes <= left or not chosen):
            chosen.append(step)
            left -= step.minutes
    return chosen


def _concerns(standings: Sequence[Standing], exercises: Mapping[str, Exercise]) -> Iterator[Concern]:
    """What could be asked about: how many learners, of how many, and how to make the question."""
    for mistake in mistakes(standings, exercises):
        question = partial(_of_mistake, mistake.exercise, mistake.misconception)
        yield len(mistake.learners), mistake.tried, question
    for broken in broken_properties(standings, exercises):
        if broken.unnamed:
            yield (
                len(broken.unnamed),
                broken.tried,
                partial(_of_property, broken.exercise, broken.id, broken.says),
            )
    for id in standings[0].scores if standings else ():
        count = sum(one.scores[id].result.state in UNTRIED for one in standings)
        reached = count < len(standings)  # what nobody tried was hardly set
        if id in exercises and reached and count >= UNTRIED_SHARE * len(standings):
            yield count, len(standings), partial(_of_untried, exercises[id])


def _of_mistake(exercise: Exercise, mistake: Misconception, learners: int, of: int) -> Step | None:
    """The smallest input that shows a mistake, found by making it."""
    allowed = replace(exercise, forbidden=())  # a mutant may use the very operation a learner may not
    shown = check(allowed, mistake.mutant, named=False).counterexample
    if shown is None:
        return None
    minutes = 3 + exercise.difficulty
    return Step(exercise, mistake.says, learners, of, _question(exercise), shown, mistake.advice, minutes)


def _of_property(exercise: Exercise, id: str, says: str, learners: int, of: int) -> Step | None:
    cases = [trial.case for trial in make_cases(exercise) if trial.property.id == id]
    telling = [case for case in cases if case.size > 1] or cases
    shown = _solved(exercise, min(telling, key=lambda case: case.size))
    why = f"This did not hold, and no known mistake explains it: {says}."
    return Step(exercise, why, learners, of, _question(exercise), shown, "", 3 + exercise.difficulty)


def _of_untried(exercise: Exercise, learners: int, of: int) -> Step:
    advice = "Work it out together, cell by cell, before anybody writes code."
    shown = _solved(exercise, exercise.example_case())
    return Step(exercise, "They handed in no answer.", learners, of, _question(exercise), shown, advice, 5)


def _solved(exercise: Exercise, case: Case) -> Counterexample:
    expected = plain(exercise.reference(*case.arguments()))
    return Counterexample(case, expected, None, returned=False)


def _question(exercise: Exercise) -> str:
    return f"What does `{exercise.signature}` give here?"


def _swap(panel: Panel, names: Mapping[str, str]) -> tuple[str, str]:
    own = panel.label if panel.role == "given" else panel.role
    return own, names.get(own, own)


def as_markdown(steps: Sequence[Step], learners: int) -> str:
    """The plan as text that a person reads and edits."""
    lines = [f"# Before the next lecture\n\n{_extent(steps, learners)}"]
    for number, step in enumerate(steps, 1):
        lines.append(
            f"## {number}. {step.exercise.title} ({step.minutes} min)\n\n"
            f"{step.learners} of {step.of} learners, `{step.exercise.id}`: {step.why}\n\n"
            f"**On the board.** {step.ask}\n\n{_indented(panels_text(step.given))}\n\n"
            f"**Answer.**\n\n{_indented(panels_text(step.answers))}"
            + (f"\n\n**Say.** {step.advice}" if step.advice else "")
        )
    if steps:
        lines.append("Square brackets in an answer mark where the mistake gives something else.")
    return "\n\n".join(lines) + "\n"


def as_page(steps: Sequence[Step], learners: int) -> str:
    """The plan as a page; each answer stays covered until it is asked for."""
    head = '<p class="kicker">Lesson plan</p><h1>Before the next lecture</h1>'
    head += f"<p>{text(_extent(steps, learners))}</p>"
    return page("Lesson plan", head, "".join(_part(number, one) for number, one in enumerate(steps, 1)))


def _part(number: int, step: Step) -> str:
    advice = f'<p class="ck-message">{prose(step.advice)}</p>' if step.advice else ""
    return (
        f'<section class="answer"><h2>{number}. {text(step.exercise.title)}'
        f'<span class="n">{step.minutes} min</span></h2>'
        f"<p><strong>{step.learners} of {step.of} learners</strong> in "
        f"<code>{text(step.exercise.id)}</code>: {prose(step.why)}</p>"
        f'<div class="ck-card"><p class="ck-message"><strong>On the board.</strong> {prose(step.ask)}</p>'
        f"{panels_html(step.given)}<details><summary>Answer</summary>{panels_html(step.answers)}{advice}</details>"
        "</div></section>"
    )


def _extent(steps: Sequence[Step], learners: int) -> str:
    if not steps:
        return "Nobody made a mistake that a question would help with."
    people = "1 learner" if learners == 1 else f"{learners} learners"
    questions = "1 question" if len(steps) == 1 else f"{len(steps)} questions"
    return f"{people}, {questions}, {sum(one.minutes for one in steps)} minutes."


def _indented(block: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in block.split("\n"))
