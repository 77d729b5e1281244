"""A guess before the reveal: `Predict`."""

from __future__ import annotations

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


class Predict(Card):
    """A question that locks the learner's guess before anything shows the answer.

    Parameters
    ----------
    question
        The question; `code` may stand between backticks.
    options
        Two to eight options. Each is a text, a number, or a small grid of numbers (a list of rows, an array
        or a tensor), which is drawn.
    answer
        The right option, as a letter or a position from 0. It stays in Python until `reveal`. None if a
        later cell will find it out.
    why
        What to say once the answer is shown.
    id
        The name under which a record keeps the guess.
    static
        True for a page with no kernel: the answer travels with the page, and a button shows it after the
        guess.

    Raises
    ------
    ValueError
        If the question is empty, the options are not options, or the answer is none of them.

    Attributes
    ----------
    choice : int
        The chosen position, -1 before any.
    committed : bool
        Whether the guess is locked. It is never unlocked.
    revealed : bool
        Whether the answer is shown. Only ever after `committed`.

    Examples
    --------
    >>> guess = Predict("How large is the output?", ["2 x 2", "4 x 4"], answer="B")
    >>> guess.commit("A")
    >>> guess.reveal().right
    False
    """

    _esm = joined("_card.js", "_hearing.js", "predicting.js")
    _css = joined("_card.css", "predicting.css")

    id = traitlets.Unicode()
    question = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Dict()).tag(sync=True)
    static = traitlets.Bool(False).tag(sync=True)
    choice = traitlets.Int(-1).tag(sync=True)
    committed = traitlets.Bool(False).tag(sync=True)
    awaited = traitlets.Bool(False, help="a later cell asked for the answer before the guess").tag(sync=True)
    revealed = traitlets.Bool(False).tag(sync=True)
    solution = traitlets.Dict(help="empty until the answer may be seen").tag(sync=True)

    def __init__(
        self,
        question: str,
        options: Any,
        *,
        answer: str | int | None = None,
        why: str = "",
        id: str = "",
        static: bool = False,
    ) -> None:
        read = read_options(options)
        self._answer = None if answer is None else option_index(answer, len(read))
        self._why = why
        if static and self._answer is None:
            raise ValueError('expected an answer for a static page, got none: try answer="A"')
        super().__init__(
            id=id,
            question=read_text(question, "the question"),
            options=read,
            static=static,
            solution=self._solution() if static else {},
        )

    def commit(self, choice: str | int) -> None:
        """Lock a guess from Python, as the button does in the browser.

        Parameters
        ----------
        choice
            A letter, or a position from 0. Once a guess is locked, a second one changes nothing.

        Raises
        ------
        ValueError
            If `choice` is none of the options.
        """
        position = option_index(choice, len(self.options), what="guess")
        if not self.committed:
            self.choice = position
            self.committed = True

    def reveal(self, answer: str | int | None = None, why: str | None = None) -> Predict:
        """Show the answer beside the guess; without a guess yet, wait for it.

        Parameters
        ----------
        answer
            The right option, if it was not known when the question was asked.
        why
            The explanation, if it was not known either.

        Returns
        -------
        Predict
            The same card, so that it shows itself again under a later cell.

        Raises
        ------
        ValueError
            If no answer was ever given, or it is none of the options.
        """
        if answer is not None:
            self._answer = option_index(answer, len(self.options))
        if self._answer is None:
            raise ValueError('expected an answer to show, got none: try .reveal("A")')
        self._why = self._why if why is None else why
        if self.committed:
            self._show()
        else:
            self.awaited = True
        return self

    @property
    def right(self) -> bool | None:
        """Whether the guess was right; None while it is open or the answer is unknown."""
        if not self.committed or self._answer is None:
            return None
        return bool(self.choice == self._answer)

    def as_text(self) -> str:
        """The question, its lettered options and where the guess stands."""
        lines = [f"Predict: {self.question}"]
        for index, option in enumerate(self.options):
            lines += option_lines(option, letter(index))
        return "\n".join([*lines, self._standing()])

    def as_html(self) -> str:
        """The same with no script."""
        options = "".join(f"<li>{option_html(option)}</li>" for option in self.options)
        return (
            f"<p><strong>Predict:</strong> {rich_html(self.question)}</p>"
            f'<ol type="A">{options}</ol><p>{rich_html(self._standing())}</p>'
        )

    def _standing(self) -> str:
        if self.awaited and not self.committed:
            return "No guess yet: choose above, and the answer appears here."
        if not self.committed:
            return 'No buttons here? Call `.commit("A")` on this prediction, with your letter.'
        if not self.revealed:
            return f"Recorded: {letter(self.choice)}. Run the next cell to see."
        right = self.solution["answer"]
        if right == self.choice:
            verdict = f"Your guess {letter(right)} was right."
        else:
            verdict = f"Your guess was {letter(self.choice)}. The answer is {letter(right)}."
        return f"{verdict} {self._why}".strip()

    def _solution(self) -> dict[str, Any]:
        return {"answer": self._answer, "why": self._why}

    def _show(self) -> None:
        """Both traits in one message: the browser never sees one without the other."""
        with self.hold_sync():
            self.solution = self._solution()
            self.revealed = True
            self.awaited = False

    def _accept(self, offered: dict[str, Any]) -> dict[str, Any]:
        accepted: dict[str, Any] = {}
        if not self.committed:
            choice = offered.get("choice", self.choice)
            chosen = is_position(choice, len(self.options))
            if "choice" in offered and (chosen or (type(choice) is int and choice == -1)):
                accepted["choice"] = choice
            if chosen and offered.get("committed") is True:
                accepted["committed"] = True
        locked = self.committed or "committed" in accepted
        if self.static and locked and offered.get("revealed") is True:
            accepted["revealed"] = True
        return accepted

    @traitlets.validate("choice")
    def _check_choice(self, proposal: Any) -> int:
        choice: int = proposal["value"]
        if choice != -1 and not is_position(choice, len(self.options)):
            raise traitlets.TraitError(
                f'expected a choice from -1 to {len(self.options) - 1}, got {choice}: try .commit("A")'
            )
        if self.committed and choice != self.choice:
            raise traitlets.TraitError(
                f"expected the locked guess {self.choice}, got {choice}: it stays as it is"
            )
        return choice

    @traitlets.validate("committed")
    def _check_committed(self, proposal: Any) -> bool:
        committed: bool = proposal["value"]
        if committed and self.choice == -1:
            raise traitlets.TraitError('expected a choice to lock, got none: try .commit("A")')
        if self.committed and not committed:
            raise traitlets.TraitError("expected the guess to stay locked, got an unlock: ask a new question")
        return committed

    @traitlets.validate("revealed")
    def _check_revealed(self, proposal: Any) -> bool:
        revealed: bool = proposal["value"]
        if revealed and not (self.committed and self.solution):
            raise traitlets.TraitError("expected a locked guess before the answer, got none: try .reveal()")
        return revealed

    @traitlets.observe("committed")
    def _answer_if_awaited(self, change: Any) -> None:
        if change["new"] and self.awaited:
            self._show()
