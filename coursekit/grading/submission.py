"""One handed-in notebook, as bytes: whoever finds submissions makes these, the grader takes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Submission:
    """What one learner handed in.

    Attributes
    ----------
    learner : str
        Who.
    file : str
        The file's name as it was handed in.
    content : bytes or None
        The file's bytes; None where they cannot be read.
    reason : str
        Why they cannot be read; empty if they can.
    handed_in : float or None
        POSIX time, where known.

    Examples
    --------
    >>> Submission("ada", "ada.ipynb", b"{}").content
    b'{}'
    """

    learner: str
    file: str
    content: bytes | None
    reason: str = ""
    handed_in: float | None = None
