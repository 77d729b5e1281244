"""The demos that need no kernel: their names, what each teaches, which picture stands for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Demo:
    """One demo.

    Attributes
    ----------
    name : str
        The stem of its page's file, such as "grid-explorer".
    title : str
    teaches : str
        One sentence.
    picture : str
        A file in ``coursekit/site/pictures``.
    lesson : str
        The id of the lesson that it belongs to.
    """

    name: str
    title: str
    teaches: str
    lesson: str

    @property
    def picture(self) -> str:
        """The file name of its picture."""
        return f"{self.name}.svg"


_DEMOS = (
    Demo(
        "grid-explorer",
        "Where every number comes from",
        "Seven ways to make a small grid large, put together step by step: point at any cell and read "
        "its sum.",
        "05-learnable-upsampling",
    ),
    Demo(
        "checkerboards",
        "The checkerboard meter",
        "Where stamps overlap unevenly a flat grey turns into a pattern, and one number says how strongly.",
        "06-checkerboards",
    ),
    Demo(
        "switch-surgery",
        "Switch surgery",
        "Max unpooling puts each maximum back where its switch points: move the switches and watch "
        "detail go.",
        "04-max-unpooling",
    ),
    Demo(
        "mask-lab",
        "Paint a mask",
        "Pixel accuracy, mean IoU and two outline scores judge the same mask, and they do not agree.",
        "01-every-pixel-gets-a-class",
    ),
    Demo(
        "box-lab",
        "Drag a box",
        "Four judges push the same box towards its object, and one is lost as soon as the two no "
        "longer touch.",
        "08-where-is-it",
    ),
    Demo(
        "training-board",
        "Watch a net learn",
        "Half a minute of training, recorded: the loss falls, and the blur becomes a mask with outlines.",
        "07-train-a-segmentation-net",
    ),
    Demo(
        "tug",
        "Two losses, one backbone",
        "The class and the box pull on the same features: change the weight and see which way they go.",
        "09-one-backbone-two-heads",
    ),
    Demo(
        "guess-first",
        "Guess first",
        "A guess that is locked before the answer shows: nine questions from the course, wrong ones welcome.",
        "00-start-here",
    ),
    Demo(
        "progress-map",
        "The way through the course",
        "Every lesson and exercise on one map, with what an invented learner has done so far.",
        "00-start-here",
    ),
)


def demos() -> tuple[Demo, ...]:
    """Every demo, in the order in which they are shown.

    Examples
    --------
    >>> demos()[0].name, demos()[0].picture
    ('grid-explorer', 'grid-explorer.svg')
    """
    return _DEMOS


def named(name: str) -> Demo:
    """The demo of this name.

    Raises
    ------
    ValueError
        There is none; the sentence lists those that are there.
    """
    for demo in _DEMOS:
        if demo.name == name:
            return demo
    known = ", ".join(demo.name for demo in _DEMOS)
    raise ValueError(f"expected the name of a demo, got {name!r}. Try one of {known}.")
