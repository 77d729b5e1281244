"""What a visitor's kernel does before the first cell of a lesson."""

from __future__ import annotations

import itertools
from typing import Any


def number_the_widgets() -> None:
    """Let widgets have numbers as names, in the order in which they are made.

    A page is shown before its kernel is there, from what an earlier run of the same lesson gave. So a widget
    of that run and the same widget of this kernel must have one name.
    """
    import comm

    numbers = itertools.count(1)
    create = comm.create_comm

    def create_numbered(*arguments: Any, **named: Any) -> Any:
        named.setdefault("comm_id", f"w{next(numbers)}")
        return create(*arguments, **named)

    comm.create_comm = create_numbered
