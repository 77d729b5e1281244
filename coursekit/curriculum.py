"""The lessons in their order, and the terms each of them introduces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

LESSONS_FOLDER = Path(__file__).resolve().parent.parent / "lessons"


@dataclass(frozen=True)
class Lesson:
    """One lesson: its name, how long it takes, and the words a learner meets in it first."""

    id: str
    title: str
    minutes: int
    introduces: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The notebook."""
        return LESSONS_FOLDER / f"{self.id}.ipynb"


PLAN = (
    Lesson(
        "00-start-here",
        "Start here",
        30,
        (
            "grid",
            "cell",
            "channel",
            "convolution",
            "kernel",
            "stride",
            "max pooling",
            "feature map",
            "softmax",
        ),
    ),
    Lesson(
        "01-every-pixel-gets-a-class",
        "Every pixel gets a class",
        40,
        ("semantic segmentation", "mask", "cross-entropy", "pixel accuracy", "IoU", "mIoU", "boundary F1"),
    ),
    Lesson(
        "02-the-naive-stack",
        "The naive stack and its price",
        35,
        ("receptive field", "multiply-add", "resolution"),
    ),
    Lesson(
        "03-pooling-down-unpooling-up",
        "Pooling down, unpooling up",
        40,
        ("up-sampling", "nearest neighbour", "bed of nails", "bilinear", "block"),
    ),
    Lesson("04-max-unpooling", "Max unpooling", 35, ("switches", "max unpooling")),
    Lesson(
        "05-learnable-upsampling",
        "Learnable up-sampling",
        45,
        (
            "strided convolution",
            "stamp",
            "overlap",
            "canvas",
            "crop",
            "transposed convolution",
            "padding",
            "output_padding",
        ),
    ),
    Lesson(
        "06-checkerboards",
        "Checkerboards and what to do",
        40,
        ("checkerboard", "resize-convolution", "pixel shuffle"),
    ),
    Lesson(
        "07-train-a-segmentation-net",
        "Train a segmentation net",
        45,
        ("encoder", "decoder", "skip connection"),
    ),
    Lesson("08-where-is-it", "Where is it?", 40, ("bounding box", "box regression", "localization")),
    Lesson("09-one-backbone-two-heads", "One backbone, two heads", 45, ("backbone", "head", "joint loss")),
    Lesson("10-summary-and-capstone", "Summary and capstone", 45, ()),
)
"""The whole course in order, lessons still to be written among them."""

LESSONS = tuple(lesson for lesson in PLAN if lesson.path.exists())
"""The lessons that are there."""
