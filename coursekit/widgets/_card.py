"""What the two question cards share: their files joined, their readable fallback, their mistrust."""

from __future__ import annotations

from typing import Any

import anywidget

from coursekit.widgets.assets import joined as joined


class Card(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """A question in a frame. Not shown itself: `Predict` and `Quiz` are."""

    def _accept(self, offered: dict[str, Any]) -> dict[str, Any]:
        """Return the part of a message from the browser that may be believed."""
        raise NotImplementedError

    def set_state(self, sync_data: object) -> None:
        """Take a message from the browser: keep what is allowed, answer the rest with the true state.

        Any visitor can send any value for any trait, the widget's own script included. What is refused
        changes nothing and raises nothing, since an error here would show the engine's stack to a learner.
        """
        offered = sync_data if isinstance(sync_data, dict) else {}
        accepted = self._accept(offered)
        for name, value in accepted.items():  # in turn: a choice must be in place before it is locked
            super().set_state({name: value})
        refused = [name for name in offered if name in self.keys and name not in accepted]
        if refused:
            self.send_state(refused)

    def as_text(self) -> str:
        """The card as plain text, for a terminal or a screen with no script."""
        raise NotImplementedError

    def as_html(self) -> str:
        """The card as HTML that needs no script."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return self.as_text()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Offer text and HTML beside the live view; a front end takes the richest that it can show."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/plain": self.as_text(), "text/html": self.as_html()}, metadata
