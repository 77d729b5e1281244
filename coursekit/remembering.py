"""The one place where a lesson's cells write to the learner's record, and read from it.

Nothing here may break or slow a cell. A visitor of the web app leaves no trace on the machine of its host:
there the record lives in memory, and no stored function is run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

from coursekit.checking import check
from coursekit.checking.portable import function_in, portable_source
from coursekit.curriculum import LESSONS
from coursekit.notes import Note, show
from coursekit.practice import on_a_web_page
from coursekit.record import Record
from coursekit.standing import standing

if TYPE_CHECKING:
    from coursekit.checking import Exercise, Verdict
    from coursekit.widgets import Predict, ProgressMap, Quiz

P = ParamSpec("P")

MOST_RETURNING = 3
"""So many questions of earlier lessons come back at once: a recall stays short."""

_records: dict[str, Record] = {}


def the_record() -> Record:
    """This learner's record, opened once a kernel (and again where ``COURSEKIT_HOME`` changed)."""
    nobodys = (
        on_a_web_page() or os.environ.get("NBGRADER_EXECUTION") == "autograde"
    )  # the instructor's kernel
    home = "" if nobodys else os.environ.get("COURSEKIT_HOME", "checkout")
    if home not in _records:
        _records[home] = Record.of_this_learner() if home else Record(None)
    return _records[home]


def _never_in_the_way(keep: Callable[P, None]) -> Callable[P, None]:
    """A cell's own work is done by then: whatever goes wrong here is a sentence, not an error."""

    @wraps(keep)
    def guarded(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            keep(*arguments, **named)
        except Exception as problem:
            show(Note(f"This was not kept in your record: {type(problem).__name__}: {problem}"))

    return guarded


@_never_in_the_way
def keep_verdict(verdict: Verdict, function: Callable[..., Any]) -> None:
    """Keep what a check found, and the function's text if it passed."""
    exercise, record = verdict.exercise, the_record()
    record.keep_verdict(
        exercise.id,
        lesson=exercise.lesson,
        version=exercise.version,
        state=verdict.state,
        fraction=verdict.fraction,
        points=verdict.points,
    )
    source = portable_source(function) if verdict.passed else None
    if source is not None:
        record.keep_source(exercise.id, exercise.version, source)
    _tell(record)


@_never_in_the_way
def keep_hints(exercise: str, seen: int) -> None:
    """Keep how many hints were seen."""
    record = the_record()
    record.keep_hints(exercise, seen)
    _tell(record)


def passed_before(exercise: Exercise) -> tuple[Callable[..., Any] | None, str]:
    """The learner's function from an earlier session, if it still passes.

    Returns
    -------
    function, notice
        The function and no notice; or None and a sentence that says why the course's own is used.
    """
    record = the_record()
    source = None if on_a_web_page() else record.source(exercise.id)
    _tell(record)
    if source is None:
        return (
            None,
            f"{exercise.function} has not passed its check yet, so this cell uses the course's own for now.",
        )
    function = function_in(source, exercise.function, f"<your {exercise.function}>")
    if function is not None and check(exercise, function, named=False).passed:
        return function, ""
    return None, (
        f"Your {exercise.function} from an earlier session does not pass its check any more, so this cell "
        f"uses the course's own. Run your cell in lesson {exercise.lesson[:2]} again to mend it."
    )


def follow_prediction(card: Predict) -> None:
    """Keep a guess the moment it is locked, and its outcome when that is revealed."""
    if not card.id:
        return

    @_never_in_the_way
    def keep(_: object) -> None:
        record = the_record()
        if card.committed:  # first: a reveal that waited for the guess comes within the same change
            record.keep_guess(card.id, card.choice, _said(card.options[card.choice]))
        if card.revealed:
            record.keep_outcome(card.id, card.solution["answer"])
        _tell(record)

    card.observe(keep, ["committed", "revealed"])


def follow_quiz(card: Quiz, lesson: str) -> None:
    """Keep the first answer to each question as it comes."""

    @_never_in_the_way
    def keep(change: Any) -> None:
        record = the_record()
        before = change["old"] or [-1] * len(card.questions)
        for asked, old, new in zip(card.questions, before, change["new"], strict=True):
            if old == -1 and new != -1:
                record.keep_answer(
                    lesson=asked.get("lesson", lesson),
                    idea=asked.get("idea") or asked["question"],
                    asked_in=lesson,
                    choice=new,
                    correct=new == asked["answer"],
                    question=_as_written(asked),
                )
        _tell(record)

    card.observe(keep, "answers")


def returning_questions(lesson: str, most: int | None = MOST_RETURNING) -> list[dict[str, Any]]:
    """Questions of earlier lessons whose idea was missed at the last first try, as a quiz takes them.

    Parameters
    ----------
    lesson : str
        Two digits: those of lessons before it return.
    most : int or None
        How many at once; None for all of them.
    """
    from coursekit.widgets.quizzing import read_question

    record = the_record()
    found: list[dict[str, Any]] = []
    for row in record.missed():
        if row["lesson"] >= lesson or len(found) == most:
            continue
        try:
            asked = {**row["question"], "lesson": row["lesson"], "idea": row["idea"]}
            read_question(asked, 1)
        except (TypeError, ValueError):  # written by another version: it is left out, and stays in the record
            continue
        found.append(asked)
    _tell(record)
    return found


def progress() -> ProgressMap:
    """The lessons with what was done: exercises, points, guesses, missed ideas, and what comes next."""
    from coursekit.widgets.progress_map import ProgressMap

    record = the_record()
    told = standing(record)
    _tell(record)
    if on_a_web_page():
        remarks = ["A visit to this page is not remembered."]
    elif record.on_disk:
        remarks = ["This record stays on your machine. `coursekit progress --reset` forgets it."]
    else:
        remarks = ["This record ends with this session."]
    return ProgressMap(told, links=lesson_links(), remarks=remarks)


def lesson_links() -> dict[str, str]:
    """Addresses of the lessons as seen from the notebook, whose folder the kernel works in."""
    here = Path.cwd()
    folder = LESSONS[0].path.parent
    if here != folder and folder not in here.parents:
        return {}
    return {each.id: Path(os.path.relpath(each.path, here)).as_posix() for each in LESSONS}


def _as_written(asked: dict[str, Any]) -> dict[str, Any]:
    """A card's question as a quiz takes it, with its options as texts and rows again."""
    options = [option.get("text", option.get("grid")) for option in asked["options"]]
    return {"question": asked["question"], "options": options, "answer": asked["answer"], "why": asked["why"]}


def _said(option: dict[str, Any]) -> str:
    return str(option.get("text", option.get("grid")))


def _tell(record: Record) -> None:
    for sentence in record.take_notices():
        show(Note(sentence))
