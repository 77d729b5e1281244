"""What was recorded once in Python, and is played or shown again in the browser."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from coursekit.site.live import Live
from coursekit.site.shell import FOLDER


@cache
def recorded() -> dict[str, Any]:
    """The two runs that ``python -m coursekit.site.recording`` wrote down."""
    told: dict[str, Any] = json.loads((FOLDER / "recorded.json").read_text(encoding="utf-8"))
    return told


def recorded_board() -> Live:
    """The training board at the end of the recorded run, with all its frames to play."""
    from coursekit.widgets import TrainingBoard

    told = recorded()["board"]
    live = Live.of(TrainingBoard())
    last = {name: value for frame in told["frames"] for name, value in frame.items()}
    fallback = f"<p>{last['now']['words']}</p>"
    return Live(
        live.kind, {**live.state, **told["state"], **last, "frames": told["frames"]}, fallback, live.key
    )


def replay_controls() -> str:
    """Play and a slider over the recorded seconds; the page's script brings them to life."""
    frames = recorded()["board"]["frames"]
    return (
        '<div class="replay" data-replays="TrainingBoard"><button type="button" '
        'class="replay-play">Play</button>'
        f'<label>Moment of the run <input type="range" min="0" max="{len(frames) - 1}" '
        f'value="{len(frames) - 1}" '
        'step="1"></label><output></output></div>'
    )


def recorded_tug() -> Live:
    """The tug with the lengths, the angle and the looks of the recorded run."""
    import torch

    from coursekit.widgets import Tug

    told = recorded()["tug"]
    (one, other), cosine = told["lengths"], told["cosine"]
    # Lengths and angle are all that the picture needs of gradients with very many numbers.
    sine = (1 - cosine**2) ** 0.5
    tug = Tug(
        torch.tensor([one, 0.0], dtype=torch.float64),
        torch.tensor([other * cosine, other * sine], dtype=torch.float64),
        angles=[tuple(look) for look in told["looks"]],
    )
    return Live.of(tug)
