"""What a lesson's cells call: `exercise`, `example`, `hint`, `solution`, `failure`, `mine`, `explore`, ….

The exercise run last and its counterexample are remembered as long as the kernel runs. Verdicts, passing
functions, hints seen, guesses and answers stay in the learner's record.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from coursekit.checking import Verdict, check
from coursekit.exercises import all_exercises, find_exercise
from coursekit.handing_in import capstone_photographs, check_capstone, save_capstone
from coursekit.notes import Mistake, Note, show
from coursekit.practice import offered, photographs, results, train
from coursekit.recap import lecture_map
from coursekit.remembering import (
    MOST_RETURNING,
    follow_prediction,
    follow_quiz,
    keep_hints,
    keep_verdict,
    passed_before,
    progress,
    returning_questions,
)

if TYPE_CHECKING:
    from coursekit.checking import Exercise
    from coursekit.widgets import GridExplorer, Predict, Quiz, SideBySide

__all__ = [
    "Mistake",
    "capstone_photographs",
    "check_capstone",
    "compare",
    "earned",
    "example",
    "exercise",
    "explore",
    "failure",
    "hint",
    "lecture_map",
    "mine",
    "offered",
    "photographs",
    "predict",
    "progress",
    "quiz",
    "results",
    "save_capstone",
    "solution",
    "train",
]

Function = Callable[..., Any]


@dataclass
class _Session:
    """What the learner did since the kernel started."""

    last: str | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    passed: dict[str, Function] = field(default_factory=dict)
    hints_seen: dict[str, int] = field(default_factory=dict)


_session = _Session()


def exercise(id: str) -> Callable[[Function], Function]:
    """Check a function when its cell runs, and show the verdict.

    Parameters
    ----------
    id : str
        The exercise, such as ``"transposed-conv"``.

    Returns
    -------
    callable
        A decorator that returns the function as it is, so that it stays usable.

    Raises
    ------
    Mistake
        If there is no such exercise.

    Examples
    --------
    >>> @exercise("transposed-conv")               # doctest: +SKIP
    ... def transposed_conv(x, kernel, stride):
    ...     ...
    """
    found = _find(id)

    def check_and_show(function: Function) -> Function:
        _bind_early(function)
        verdict = check(found, function)
        _session.last = id
        _session.verdicts[id] = verdict
        if verdict.passed:
            _session.passed[id] = function
        show(verdict)
        keep_verdict(verdict, function)
        return function

    return check_and_show


def _bind_early(function: Function) -> None:
    """Give a function its name before its ``def`` does: one that calls itself is checked as it will be."""
    name = getattr(function, "__name__", "")
    if inspect.isfunction(function) and function.__qualname__ == name and name.isidentifier():
        function.__globals__[name] = function


def example(id: str | None = None) -> Any:
    """One case of an exercise, drawn before any code is written.

    Parameters
    ----------
    id : str, optional
        The exercise; the one run last unless named.

    Returns
    -------
    object
        Draws itself: the inputs and what should come out.
    """
    from coursekit.checking import draw_example

    found = _find(id)
    check(
        found, found.reference, named=False
    )  # plans the cases while the learner reads, so the first own check is quick
    return draw_example(found)


def hint(id: str | None = None) -> Note:
    """One more hint a call, from gentle to explicit.

    Parameters
    ----------
    id : str, optional
        The exercise; the one run last unless named.
    """
    found = _find(id)
    if not found.hints:
        return Note(f"There is no hint for {found.id!r}.")
    seen = min(_session.hints_seen.get(found.id, 0) + 1, len(found.hints))
    _session.hints_seen[found.id] = seen
    keep_hints(found.id, seen)
    lines = [
        f"Hint {number} of {len(found.hints)}: {text}" for number, text in enumerate(found.hints[:seen], 1)
    ]
    if seen == len(found.hints):
        lines.append(f'That was the last one. solution("{found.id}") shows the course\'s own function.')
    return Note("\n".join(lines))


def solution(id: str | None = None) -> Note:
    """The course's own function for an exercise.

    Parameters
    ----------
    id : str, optional
        The exercise; the one run last unless named.
    """
    found = _find(id)
    return Note(f"One way to write {found.function}:", found.solution)


def failure() -> tuple[Any, Any]:
    """The counterexample of the exercise run last, to try by hand.

    Returns
    -------
    inputs, expected
        `inputs` is a dict of arguments by name, for ``f(**inputs)``, or the argument itself if there is only
        one; `expected` is what should come out.

    Raises
    ------
    Mistake
        If the exercise run last did not fail on a case.
    """
    found = _find(None)
    counterexample = _session.verdicts[found.id].counterexample
    if counterexample is None:
        raise Mistake(
            f"Expected a failed case of {found.id!r}; got none. Try it after a verdict that draws one."
        )
    arguments = dict(zip(counterexample.case, counterexample.case.arguments(), strict=True))
    inputs = next(iter(arguments.values())) if len(arguments) == 1 else arguments
    return inputs, counterexample.expected


def earned(id: str) -> float:
    """The points that an exercise's check gave when its cell ran last; 0 before it ran.

    The locked cells of an assignment made by ``coursekit export nbgrader`` end with it: nbgrader takes a
    cell's value as its points.

    Parameters
    ----------
    id : str
        The exercise.

    Examples
    --------
    >>> earned("stamp")               # doctest: +SKIP
    2.0
    """
    verdict = _session.verdicts.get(_find(id).id)
    return 0.0 if verdict is None else float(verdict.points)


def mine(id: str) -> Function:
    """The learner's last passing function; before there is one, the course's own, with a notice.

    A function that passed in another notebook, or before the kernel was restarted, is run again from its
    text and checked again.

    Parameters
    ----------
    id : str
        The exercise.
    """
    found = _find(id)
    if found.id not in _session.passed:
        recalled, notice = passed_before(found)
        if recalled is None:
            show(Note(notice))
            return found.reference
        _session.passed[found.id] = recalled
    return _session.passed[found.id]


def explore(
    method: Function | str,
    x: Any = None,
    kernel: Any = None,
    *,
    panels: Sequence[str] | None = None,
    **settings: Any,
) -> GridExplorer:
    """Open the explorer on any up-sampling: one of the course's by name, or any function.

    Parameters
    ----------
    method : callable or str
        A function of a grid (and of a kernel, if its second parameter is one), or a name such as
        ``"transposed_conv"``.
    x, kernel : nested lists or tensors, optional
        The grids to begin with.
    panels : tuple of str, optional
        As for :class:`coursekit.widgets.GridExplorer`, such as ``("meter",)``.
    **settings
        Passed to the function, such as ``stride=2``.
    """
    from coursekit.widgets import GridExplorer

    shown: dict[str, Any] = {} if panels is None else {"panels": panels}
    grids = {name: _rows(grid) for name, grid in (("x", x), ("kernel", kernel)) if grid is not None}
    if isinstance(method, str):
        return GridExplorer(method, **grids, **shown, **settings)
    from coursekit.upsampling import probe

    inputs = [_tensor(grids.get("x", [[1, 2], [3, 4]]))]
    if "kernel" in grids or _takes_kernel(method):
        inputs.append(_tensor(grids.get("kernel", [[1, 2, 1], [0, 1, 0], [1, 0, 2]])))
    return GridExplorer.of(probe(method, *inputs, **settings), **shown)


def compare(
    first: Function | str, second: Function | str, x: Any = None, kernel: Any = None, **settings: Any
) -> SideBySide:
    """Two explorers side by side, the same cell chosen in both. Parameters as for :func:`explore`."""
    import ipywidgets

    from coursekit.widgets import SideBySide

    left, right = (explore(method, x, kernel, **settings) for method in (first, second))
    ipywidgets.link((left, "cell"), (right, "cell"))
    return SideBySide(left, right)


def predict(
    id: str,
    options: Sequence[Any],
    *,
    question: str = "What do you expect?",
    answer: Any = None,
    why: str = "",
) -> Predict:
    """Ask for a guess before the reveal; a later cell calls ``.reveal(answer)`` on what comes back.

    Parameters
    ----------
    id : str
        The prediction's name, under which the record keeps the guess. The first guess counts.
    options : sequence
        Texts, numbers or small grids.
    question, answer, why
        As for :class:`coursekit.widgets.Predict`; an answer left open is found out by a later cell.
    """
    from coursekit.widgets import Predict

    card = Predict(question, list(options), answer=answer, why=why, id=id)
    follow_prediction(card)
    return card


def quiz(
    questions: Sequence[dict[str, Any]],
    *,
    title: str = "From memory",
    id: str = "",
    missed: int | None = MOST_RETURNING,
) -> Quiz:
    """Recall questions, answered at once. Those that were missed in earlier lessons come first.

    Parameters
    ----------
    questions, title
        As for :class:`coursekit.widgets.Quiz`. A question's `idea` names what it asks about; without one the
        question itself does.
    id : str
        ``"lesson-06"`` for the recall of lesson 06: the record keeps its answers, and questions that were
        missed in lessons before it return. Any other quiz leaves no trace.
    missed : int or None
        How many of those come back at once; None for every one.
    """
    from coursekit.widgets import Quiz

    lesson = re.fullmatch(r"lesson-(\d\d)", id)
    if lesson is None:
        return Quiz(list(questions), title=title, id=id)
    card = Quiz([*returning_questions(lesson[1], missed), *questions], title=title, id=id)
    follow_quiz(card, lesson[1])
    return card


def _find(id: str | None) -> Exercise:
    wanted = _session.last if id is None else id
    if wanted is None:
        first = all_exercises()[0].id
        raise Mistake(f'Expected the id of an exercise, since none has run yet; got nothing. Try "{first}".')
    try:
        return find_exercise(wanted)
    except KeyError as unknown:
        raise Mistake(unknown.args[0]) from None


def _takes_kernel(method: Function) -> bool:
    try:
        names = list(inspect.signature(method).parameters)
    except (TypeError, ValueError):  # built-in functions may have no signature
        return False
    return len(names) > 1 and names[1] in ("kernel", "weight")


def _rows(grid: Any) -> Any:
    return grid.tolist() if hasattr(grid, "tolist") else grid


def _tensor(rows: Any) -> Any:
    import torch

    return torch.tensor(rows, dtype=torch.float32)
