"""Training inside a lesson: pictures to learn from, a live board, and what came out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from coursekit.notes import Note, show
from coursekit.queueing import in_turn

if TYPE_CHECKING:
    import ipywidgets
    from torch import nn

    from coursekit.data import Samples
    from coursekit.plots import ResultGallery
    from coursekit.training import History

_waiting: WeakKeyDictionary[nn.Module, list[tuple[ipywidgets.HTML, Samples]]] = WeakKeyDictionary()
"""On a web page: the results to fill in once a net is trained."""


def train(
    net: nn.Module, practice: Samples, test: Samples | None = None, *, budget: float = 60, **settings: Any
) -> History:
    """Train a net with a live board below the cell.

    Parameters
    ----------
    net : nn.Module
        Such as a ``SegmentationNet``.
    practice, test : Samples
        What it learns from, and what it is scored on.
    budget : float
        Seconds of training.
    **settings
        Passed to :func:`coursekit.training.fit`.

    Returns
    -------
    History
        On a page of the web app nothing trains before the visitor presses a button; there the history
        stays empty until then.
    """
    from coursekit.training import fit
    from coursekit.widgets import TrainingBoard

    board = TrainingBoard(test)
    if on_a_web_page():
        return _offered(board, net, practice, test, budget=budget, **settings)
    show(board)
    return fit(net, practice, test, budget=budget, on_step=board, **settings)


def offered(label: str, work: Callable[[], Any]) -> Any:
    """Do what takes a while: at once in a notebook, at the press of a button on a page of the web app.

    Parameters
    ----------
    label : str
        What the button says.
    work : callable
        Takes nothing; what it returns is shown.

    Returns
    -------
    object
        What `work` returns; on a page of the web app the button, with room for it below.

    Examples
    --------
    >>> offered("Add for a moment", lambda: 1 + 1)
    2
    """
    if not on_a_web_page():
        return work()
    import ipywidgets
    from IPython.display import display

    button, room = ipywidgets.Button(description=label, button_style="primary"), ipywidgets.Output()
    button.layout = {"width": "auto", "align_self": "flex-start"}

    def run(_: object) -> None:
        button.disabled = True
        room.clear_output()
        try:
            with in_turn(lambda before: _tell_place(button, label, before)), room:
                display(work())
        finally:
            button.disabled, button.description = False, label

    button.on_click(run)
    return ipywidgets.VBox([button, room])


def results(net: nn.Module, samples: Samples) -> ResultGallery | ipywidgets.HTML:
    """Pictures, what is true about them, and what a net says, side by side.

    Parameters
    ----------
    net : nn.Module
        A net for these samples' classes.
    samples : Samples
        A handful; each makes a row.

    Returns
    -------
    object
        Draws itself. On a page of the web app it draws once the net was trained.
    """
    if net not in _waiting:
        return _gallery(net, samples)
    import ipywidgets

    space = ipywidgets.HTML(Note("Press Train above. The results will appear here.")._repr_html_())
    _waiting[net].append((space, samples))
    return space


def photographs(size: int = 64) -> tuple[Samples, Samples]:
    """Real photographs with masks, for practice and for testing; scenes where there are none.

    Parameters
    ----------
    size : int
        Rows and columns of each picture.

    Returns
    -------
    practice, test : Samples
    """
    from coursekit.data import load_pets, load_scenes

    try:
        return load_pets(split="trainval", size=size), load_pets(split="test", size=size)
    except FileNotFoundError:
        say_that_scenes_serve("this cell")
        scenes = load_scenes(2200, size=size)
        return scenes[:2000], scenes[2000:]


def say_that_scenes_serve(what: str) -> None:
    """One line about photographs that are not there; a visitor of a web page can do nothing about it."""
    if on_a_web_page():
        show(
            Note(
                "Here drawn scenes stand in for photographs; the notebook uses photographs where it has some."
            )
        )
        return
    show(
        Note(
            f"There are no photographs on this machine, so {what} uses drawn scenes. "
            "With internet, `coursekit data download pets` in a terminal brings photographs."
        )
    )


def on_a_web_page() -> bool:
    """Whether this kernel serves a page of the web app, where code runs before anybody asked for it."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def _offered(board: Any, net: nn.Module, practice: Samples, test: Samples | None, **settings: Any) -> History:
    """A button that trains; the history that it will fill."""
    import ipywidgets

    from coursekit.training import History, fit

    history = History(device="cpu", batch=0, notes=["not trained yet: press Train"])
    settings["budget"] = min(settings["budget"], float(os.environ.get("COURSEKIT_MOST_SECONDS", "inf")))
    label = f"Train for {settings['budget']:g} s"
    button = ipywidgets.Button(description=label, button_style="primary")
    button.layout.width = "auto"
    _waiting.setdefault(net, [])

    def run(_: object) -> None:
        button.disabled = True
        try:
            with in_turn(lambda before: _tell_place(button, label, before)):
                vars(history).update(vars(fit(net, practice, test, on_step=board, **settings)))
            for space, samples in _waiting[net]:
                space.value = _gallery(net, samples)._repr_html_()
        finally:
            button.disabled, button.description = False, label

    button.on_click(run)
    show(ipywidgets.VBox([button, board]))
    return history


def _tell_place(button: Any, label: str, before: int) -> None:
    """One visitor trains at a time: the button says how many are before this one."""
    button.description = f"In line: {before} before you" if before else label


def _gallery(net: nn.Module, samples: Samples) -> ResultGallery:
    from coursekit.plots import result_gallery
    from coursekit.training import predict_masks

    return result_gallery(samples, predict_masks(net, samples))
