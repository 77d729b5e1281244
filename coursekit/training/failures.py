"""Where a net fails, object by object, and what made it hard: `failure_atlas`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from coursekit.training.boundaries import BAND, boundary_band
from coursekit.training.objects import Measures, gapless, measured, nearest_object, numbered_objects
from coursekit.training.scoring import predict_masks
from coursekit.upsampling.validation import described, sentence

if TYPE_CHECKING:
    from coursekit.data import Samples

SMALL = 0.05  # of the picture
TOUCHED = 0.2  # of the outline
SHALLOW = 3  # pixels
FAILED = 0.25  # wrong pixels, as a share of the object's own
MOSTLY = 0.8  # of the wrong pixels

CAUSES = ("small", "occluded", "thin", "boundary", "inside")
RULES = {
    "small": f"covers less than {SMALL:.0%} of the picture",
    "occluded": f"another object touches {TOUCHED:.0%} of its outline or more, so one covers the other",
    "thin": f"none of its pixels lies deeper than {SHALLOW} pixels",
    "boundary": f"none of these; {MOSTLY:.0%} of its wrong pixels or more lie by an edge ({BAND} pixels)",
    "inside": "none of these; many of its wrong pixels lie further from any edge",
}


@dataclass(frozen=True)
class ObjectCase:
    """One object and what became of it.

    Attributes
    ----------
    measures : Measures
        What the true mask says about it.
    missed : int
        Its pixels that got another class.
    invented : int
        Pixels of class 0 that got some class, and to which it is the nearest object.
    at_edge : int
        How many of both lie within two pixels of a true edge.
    """

    measures: Measures
    missed: int
    invented: int
    at_edge: int
    small: bool

    @property
    def wrong(self) -> int:
        """Missed and invented pixels."""
        return self.missed + self.invented

    @property
    def share(self) -> float:
        """Wrong pixels for each of its own."""
        return self.wrong / self.measures.area

    @property
    def failed(self) -> bool:
        """Whether a quarter of its pixels or more are wrong."""
        return self.share >= FAILED

    @property
    def cause(self) -> str:
        """The first of `CAUSES` whose rule fits."""
        told = self.measures
        if self.small:
            return "small"
        if told.touching >= TOUCHED * told.outline and told.touching:
            return "occluded"
        if told.depth <= SHALLOW:
            return "thin"
        return "boundary" if self.at_edge >= MOSTLY * self.wrong else "inside"


@dataclass(frozen=True, eq=False)
class FailureAtlas:
    """Every object of some samples, those that went wrong by cause; a notebook draws the worst.

    A cause is a rule about the true mask, not a proof: small objects that fail may fail for another reason.
    So each count stands beside how many objects of that kind there are.

    Attributes
    ----------
    samples : Samples
        What was looked at.
    predictions : Tensor
        ``(N, H, W)`` what the net said.
    cases : tuple of ObjectCase
        Every object.
    """

    samples: Samples
    predictions: Tensor
    cases: tuple[ObjectCase, ...]

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """``(objects, failed ones, their wrong pixels)`` of each cause.

        "boundary" and "inside" say where the wrong pixels lie, so they count wrong objects only: both stand
        beside the number of all objects that are neither small, occluded nor thin.
        """
        groups = {cause: [case for case in self.cases if case.cause == cause] for cause in CAUSES}
        others = len(groups["boundary"]) + len(groups["inside"])
        return {
            cause: (
                others if cause in ("boundary", "inside") else len(group),
                sum(case.failed for case in group),
                sum(case.wrong for case in group if case.failed),
            )
            for cause, group in groups.items()
        }

    def worst(self, cause: str, most: int = 3) -> list[ObjectCase]:
        """The failed objects of a cause, most wrong pixels for their size first."""
        if cause not in CAUSES:
            raise ValueError(sentence(f"one of {', '.join(CAUSES)}", repr(cause), 'cause="small"'))
        found = [case for case in self.cases if case.cause == cause and case.failed]
        return sorted(found, key=lambda case: (-case.share, case.measures.image))[:most]

    @property
    def failed_pixels(self) -> int:
        """The wrong pixels of all failed objects."""
        return sum(case.wrong for case in self.cases if case.failed)

    def __repr__(self) -> str:
        failed = sum(case.failed for case in self.cases)
        lines = [
            f"{failed} of {len(self.cases)} objects in {len(self.samples)} pictures went wrong "
            f"(wrong pixels: {FAILED:.0%} of their own or more)",
            f"{'':<10}{'objects':>9}{'wrong':>7}{'of 100':>8}{'wrong pixels':>14}",
        ]
        lines += [
            f"{cause:<10}{there:>9}{wrong:>7}{_of_hundred(wrong, there):>8}{pixels:>14,}  {RULES[cause]}"
            for cause, (there, wrong, pixels) in self.counts().items()
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from coursekit.plots import failure_pictures

        head = ("cause", "objects", "went wrong", "of 100", "wrong pixels", "rule")
        rows = [
            (cause, f"{there}", f"{wrong}", _of_hundred(wrong, there), f"{pixels:,}", RULES[cause])
            for cause, (there, wrong, pixels) in self.counts().items()
        ]
        groups = {
            cause: [
                (case.measures.image, _caption(case, self.samples.classes), case.measures.box)
                for case in worst
            ]
            for cause in CAUSES
            if (worst := self.worst(cause, 2))
        }
        title = repr(self).partition("\n")[0]
        return failure_pictures(self.samples, self.predictions, title, (head, *rows), groups)


def failure_atlas(net: nn.Module, samples: Samples) -> FailureAtlas:
    """Find the objects that a net gets wrong, and group them by what made them hard.

    Every wrong pixel is counted once: a pixel of an object with that object, a pixel of class 0 with the
    nearest object. An object went wrong when its wrong pixels are a quarter of its own or more. Of the rules
    in `RULES` the first that fits is its cause; the first three look at the true mask alone.

    Parameters
    ----------
    net : nn.Module
        Takes images, gives logits ``(N, classes, H, W)``.
    samples : Samples
        Pictures that it did not learn from.

    Returns
    -------
    FailureAtlas

    Examples
    --------
    >>> from coursekit.data import load_scenes
    >>> from coursekit.nets import SegmentationNet
    >>> atlas = failure_atlas(SegmentationNet(5), load_scenes(4))
    >>> sorted(atlas.counts())
    ['boundary', 'inside', 'occluded', 'small', 'thin']
    """
    if not all(hasattr(samples, name) for name in ("images", "masks", "classes")):
        raise TypeError(sentence("Samples", described(samples), "load_scenes(100)"))
    return compare_objects(samples, predict_masks(net, samples))


def compare_objects(samples: Samples, predictions: Tensor) -> FailureAtlas:
    """:func:`failure_atlas` of masks that somebody else predicted."""
    truth = gapless(samples.masks)
    owners = numbered_objects(truth)
    measures = measured(truth, owners)
    wrong = (predictions != truth) & (samples.masks != samples.ignore)
    invented = wrong & (truth == 0)
    missed = _counted(owners, wrong & (truth != 0), len(measures))
    owners[invented] = nearest_object(owners, invented)
    strays = _counted(owners, invented, len(measures))
    at_edge = _counted(owners, wrong & boundary_band(truth), len(measures))
    least = SMALL * truth.shape[1] * truth.shape[2]
    cases = zip(measures, missed, strays, at_edge, strict=True)
    return FailureAtlas(
        samples, predictions, tuple(ObjectCase(*each, small=each[0].area < least) for each in cases)
    )


def _counted(owners: Tensor, where: Tensor, objects: int) -> list[int]:
    return [int(count) for count in torch.bincount(owners[where], minlength=objects + 1)[1:]]


def _of_hundred(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "–"


def _caption(case: ObjectCase, classes: Sequence[str]) -> str:
    told: Any = case.measures
    return f"{classes[told.label]} of {told.area} pixels: {case.missed} missed, {case.invented} invented"
