"""Recall at the end of a lesson: `Quiz`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets

from coursekit.widgets._card import Card
from coursekit.widgets._card_options import (
    is_position,
    letter,
    option_html,
    option_index,
    option_lines,
    read_options,
    read_text,
    rich_html,
)
from coursekit.widgets.assets import joined

_FIELDS = {"question", "options", "answer", "why"}
_NOTES = {"idea", "lesson"}
_EXAMPLE = 'try {"question": "…", "options": ["…", "…"], "answer": "A", "why": "…"}'


def read_question(entry: object, number: int) -> dict[str, Any]:
    """Return one question of a quiz with `why` as one text an option.

    What the question asks about (`idea`) and whose it is (`lesson`) stay, if they are there.
    A single `why` belongs to the right option: shown beside a wrong one it would give the answer away.

    Raises
    ------
    ValueError
        If a field is missing, unknown or of the wrong kind; the sentence names the question.
    """
    if not isinstance(entry, Mapping):
        raise ValueError(f"expected question {number} as a dict, got {type(entry).__name__}: {_EXAMPLE}")
    unknown, missing = set(entry) - _FIELDS - _NOTES, _FIELDS - {"why"} - set(entry)
    if unknown or missing:
        got = ", ".join(sorted(map(str, entry))) or "nothing"
        raise ValueError(
            f"expected question {number} with question, options, answer and why, got {got}: {_EXAMPLE}"
        )
    try:
        options = read_options(entry["options"])
        answer = option_index(entry["answer"], len(options))
        text = read_text(entry["question"], "the question")
        why = _read_whys(entry.get("why", ""), answer, len(options))
        notes = {name: read_text(entry[name], f"its {name}") for name in sorted(_NOTES & set(entry))}
    except ValueError as error:
        raise ValueError(f"question {number}: {error}") from None
    return {"question": text, "options": options, "answer": answer, "why": why, **notes}


def _read_whys(why: object, answer: int, count: int) -> list[str]:
    if isinstance(why, str):
        return [why if index == answer else "" for index in range(count)]
    if isinstance(why, Sequence) and len(why) == count and all(isinstance(text, str) for text in why):
        return list(why)
    raise ValueError(f'expected why as one text or as {count} texts, got {why!r}: try why="Because …"')


class Quiz(Card):
    """Questions to answer from memory, one at a time, each with feedback at once.

    A wrong option is explained and struck out, and the question stays open until the right one is found.
    Only the first answer to each question counts for the score.

    Parameters
    ----------
    questions
        A list of dicts: `question`, `options` (as in `Predict`), `answer` (a letter, or a position from 0)
        and `why`: one text, shown with the right option, or a list with one text an option. An `idea` says
        in a few words what is asked about; a `lesson`, such as "03", which one the question comes back from.
    title
        What stands above the card.
    id
        The name under which a record keeps the answers.

    Raises
    ------
    ValueError
        If there is no question, or one of them is incomplete.

    Attributes
    ----------
    answers : list of int
        The first answer to each question, -1 before any.
    tries : list of list of int
        Every option tried for each question, in order. It only ever grows.

    Examples
    --------
    >>> quiz = Quiz([{"question": "Overlaps are …", "options": ["averaged", "added"], "answer": "B"}])
    >>> quiz.choose(1, "A")
    False
    >>> quiz.choose(1, "B"), quiz.score, quiz.finished
    (True, 0, True)
    """

    _esm = joined("_card.js", "_hearing.js", "quizzing.js")
    _css = joined("_card.css", "quizzing.css")

    id = traitlets.Unicode()
    title = traitlets.Unicode("From memory").tag(sync=True)
    questions = traitlets.List(traitlets.Dict()).tag(sync=True)
    tries = traitlets.List(traitlets.List(traitlets.Int())).tag(sync=True)
    answers = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, questions: Any, *, title: str = "From memory", id: str = "") -> None:
        if isinstance(questions, (str, Mapping)) or not isinstance(questions, Sequence) or not questions:
            raise ValueError(f"expected a list of questions, got {questions!r}: try Quiz([…]); {_EXAMPLE}")
        read = [read_question(entry, number) for number, entry in enumerate(questions, start=1)]
        super().__init__(
            id=id,
            title=read_text(title, "the title"),
            questions=read,
            tries=[[] for _ in read],
            answers=[-1] * len(read),
        )

    def choose(self, question: int, option: str | int) -> bool:
        """Answer from Python, as the buttons do in the browser.

        Parameters
        ----------
        question
            Its number, counted from 1 as on the card.
        option
            A letter, or a position from 0. An option tried before, or one tried after the right one was
            found, changes nothing.

        Returns
        -------
        bool
            Whether the option is the right one.

        Raises
        ------
        ValueError
            If there is no such question or option.
        """
        if question == 0 or not is_position(question, len(self.questions) + 1):
            raise ValueError(f"expected a question 1 to {len(self.questions)}, got {question!r}: try 1")
        asked = self.questions[question - 1]
        position = option_index(option, len(asked["options"]), what="option")
        tried = self.tries[question - 1]
        if position not in tried and asked["answer"] not in tried:
            grown = [list(row) for row in self.tries]
            grown[question - 1].append(position)
            self.tries = grown
        return bool(position == asked["answer"])

    @property
    def score(self) -> int:
        """How many questions were right at the first try."""
        return sum(
            first == asked["answer"] for first, asked in zip(self.answers, self.questions, strict=True)
        )

    @property
    def finished(self) -> bool:
        """Whether the right option of every question was found."""
        return all(asked["answer"] in row for row, asked in zip(self.tries, self.questions, strict=True))

    def as_text(self) -> str:
        """The questions with their lettered options, and the score once there is one."""
        lines = [f"{self.title} ({len(self.questions)} questions)"]
        for number, asked in enumerate(self.questions, start=1):
            lines += ["", f"{number}. {_whose(asked)}{asked['question']}"]
            for index, option in enumerate(asked["options"]):
                lines += option_lines(option, letter(index))
        return "\n".join([*lines, "", self._standing()])

    def as_html(self) -> str:
        """The questions with no script; the answers fold out of sight."""
        items = "".join(self._question_html(asked) for asked in self.questions)
        return f"<p><strong>{rich_html(self.title)}</strong></p><ol>{items}</ol>"

    @staticmethod
    def _question_html(asked: dict[str, Any]) -> str:
        options = "".join(f"<li>{option_html(option)}</li>" for option in asked["options"])
        right = asked["answer"]
        return (
            f'<li>{rich_html(_whose(asked) + asked["question"])}<ol type="A">{options}</ol>'
            "<details><summary>Answer</summary>"
            f"<p>{letter(right)}. {rich_html(asked['why'][right])}</p></details></li>"
        )

    def _standing(self) -> str:
        if any(self.tries):
            return f"{self.score} of {len(self.questions)} right at the first try."
        return 'No buttons here? Call `.choose(1, "A")` on this quiz: question 1, option A.'

    def _accept(self, offered: dict[str, Any]) -> dict[str, Any]:
        accepted: dict[str, Any] = {}
        tries = self.tries
        if self._may_follow(offered.get("tries")):
            tries = accepted["tries"] = offered["tries"]
        if "answers" in offered and offered["answers"] == _first_answers(tries):
            accepted["answers"] = _first_answers(tries)
        return accepted

    def _may_follow(self, tries: object) -> bool:
        """Whether `tries` only adds to what was tried before: a first answer cannot be taken back."""
        return (
            isinstance(tries, list)
            and len(tries) == len(self.questions)
            and all(
                isinstance(row, list) and row[: len(before)] == before and _is_possible(row, asked)
                for row, before, asked in zip(tries, self.tries, self.questions, strict=True)
            )
        )

    @traitlets.validate("tries")
    def _check_tries(self, proposal: Any) -> list[list[int]]:
        tries: list[list[int]] = proposal["value"]
        possible = len(tries) == len(self.questions) and all(map(_is_possible, tries, self.questions))
        if not possible:
            raise traitlets.TraitError(
                f'expected one list of tried options a question, got {tries!r}: try .choose(1, "A")'
            )
        return tries

    @traitlets.observe("tries")
    def _keep_first_answers(self, change: Any) -> None:
        self.answers = _first_answers(change["new"])

    @traitlets.validate("answers")
    def _check_answers(self, proposal: Any) -> list[int]:
        answers: list[int] = proposal["value"]
        if answers != _first_answers(self.tries):
            raise traitlets.TraitError(
                f'expected the first answers as tried, got {answers!r}: try .choose(1, "A")'
            )
        return answers


def _whose(asked: dict[str, Any]) -> str:
    return f"(From lesson {asked['lesson']}) " if "lesson" in asked else ""


def _is_possible(row: list[int], asked: dict[str, Any]) -> bool:
    """Distinct options, and none after the right one: with it the question closes."""
    return (
        len(row) <= len(asked["options"])
        and all(is_position(option, len(asked["options"])) for option in row)
        and len(set(row)) == len(row)
        and asked["answer"] not in row[:-1]
    )


def _first_answers(tries: list[list[int]]) -> list[int]:
    return [row[0] if row else -1 for row in tries]
