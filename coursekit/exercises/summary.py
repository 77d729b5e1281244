"""Lesson 10: the best answer that never looks, and how far a score is above it."""

from __future__ import annotations

from typing import Any

import torch

from coursekit.checking import Exercise, Misconception, Number, Property, Rectangle, Sheet, Tensor

LESSON = "10-summary-and-capstone"

Grid = torch.Tensor


# --- blind-mask ------------------------------------------------------------------------------------


def blind_mask(masks):
    pets = (masks == 1).sum(0)
    ground = (masks == 0).sum(0)
    return (pets > ground).long()


def _of_all_pictures(masks: Grid) -> Grid:
    return ((masks == 1).sum(0) * 2 > len(masks)).long()


def _unknown_for_pet(masks: Grid) -> Grid:
    return ((masks != 0).sum(0) > (masks == 0).sum(0)).long()


def _ever(masks: Grid) -> Grid:
    return (masks == 1).any(0).long()


def _always(masks: Grid) -> Grid:
    return (masks == 1).all(0).long()


def _ties_for_pet(masks: Grid) -> Grid:
    return ((masks == 1).sum(0) >= (masks == 0).sum(0)).long()


def _counted_per_picture(masks: Grid) -> Grid:
    return ((masks == 1).sum((1, 2)) > (masks == 0).sum((1, 2))).long()


BLIND_MASK = Exercise(
    id="blind-mask",
    lesson=LESSON,
    title="One mask for all pictures",
    function="blind_mask",
    points=2,
    minutes=6,
    difficulty=2,
    starter='''def blind_mask(masks):
    """One mask for all pictures: 1 where more of them have the pet than the background, else 0.

    masks: (N, H, W) of whole numbers: 1 is the pet, 0 the background, 2 is unknown and counts for neither.
    Return (H, W) of whole numbers.
    """
    ...
''',
    reference=blind_mask,
    parameters=(Tensor("masks", "N H W", dtype="int64", low=0, high=2),),
    sizes={"N": (1, 5), "H": (1, 3), "W": (1, 4)},
    properties=(
        Property(
            "majority",
            "A pixel is pet where most pictures say so",
            count=0,
            cases=(
                {"masks": [[[1, 0, 1]], [[1, 1, 0]], [[0, 0, 1]]]},
                {"masks": [[[1, 1], [0, 0]], [[0, 1], [0, 1]], [[1, 1], [0, 0]]]},
            ),
        ),
        Property(
            "ties",
            "Where equally many say both, it is background",
            count=0,
            cases=({"masks": [[[1, 0, 1]], [[0, 0, 1]]]}, {"masks": [[[1, 1]], [[0, 1]], [[2, 2]]]}),
        ),
        Property(
            "unknown",
            "A picture that does not know counts for neither",
            weight=2,
            count=2,
            sizes={"N": (3, 5), "H": (1, 3), "W": (2, 4)},
            cases=({"masks": [[[1, 1, 0]], [[2, 1, 2]], [[2, 0, 2]]]},),
            valid=lambda case: bool((case["masks"] == 2).any()),
        ),
    ),
    misconceptions=(
        Misconception(
            "of-all-pictures",
            "You ask for more than half of all pictures, also of those that do not know.",
            _of_all_pictures,
            "Compare the pictures with pet with those with background.",
        ),
        Misconception(
            "unknown-is-pet",
            "You count an unknown pixel as pet.",
            _unknown_for_pet,
            "`masks == 1` is true for the pet alone.",
        ),
        Misconception(
            "ever",
            "A pixel is pet in your mask as soon as one picture has it there.",
            _ever,
            "Count the pictures: `(masks == 1).sum(0)`.",
        ),
        Misconception(
            "always",
            "A pixel is pet in your mask only if all pictures have it there.",
            _always,
            "Count the pictures: `(masks == 1).sum(0)`.",
        ),
        Misconception(
            "ties-are-pet",
            "Where pet and background are equally frequent, you say pet.",
            _ties_for_pet,
            "More means `>`, not `>=`.",
        ),
        Misconception(
            "per-picture",
            "You count the pixels of each picture, and get one number a picture.",
            _counted_per_picture,
            "Count over the first axis, the pictures: `.sum(0)`.",
        ),
    ),
    hints=(
        "How many pictures have the pet at a pixel, and how many the background?",
        "`(masks == 1).sum(0)` counts the first for all pixels at once.",
        "`(a > b).long()` is 1 where a is larger than b, else 0.",
    ),
)


# --- way-to-perfect --------------------------------------------------------------------------------


def way_to_perfect(score, blind):
    return max(0, (score - blind) / (100 - blind))


def _way_sheet(case: dict[str, Any], output: Any) -> Sheet:
    """A bar from 0 to 100, drawn ten wide: what was left to gain, and how much of it was gained."""
    blind, left = case["blind"] / 10, 10 - case["blind"] / 10
    gained = Rectangle("way gone", blind, 0, float(output) * left, 1, "answer")
    return Sheet((Rectangle("", blind, 0, left, 1, "area"), gained), (1, 10))


WAY_TO_PERFECT = Exercise(
    id="way-to-perfect",
    lesson=LESSON,
    title="How far above never looking",
    function="way_to_perfect",
    points=2,
    minutes=4,
    difficulty=1,
    starter='''def way_to_perfect(score, blind):
    """The share of the way from an answer that never looks to a perfect one: from 0 to 1.

    score, blind: mean IoUs in hundredths, whole numbers. 100 is perfect; blind is below 100.
    Whoever scores less than blind has gone no part of the way: 0.
    """
    ...
''',
    reference=way_to_perfect,
    parameters=(Number("score", 0, 100), Number("blind", 20, 90)),
    properties=(
        Property(
            "above",
            "Above blind it is the share of what was left to gain",
            weight=2,
            valid=lambda case: case["blind"] > 0 and case["blind"] < case["score"] < 100,
            cases=({"score": 80, "blind": 60},),
        ),
        Property(
            "ends",
            "A perfect score is the whole way, blind itself is none of it",
            count=0,
            cases=({"score": 100, "blind": 60}, {"score": 60, "blind": 60}),
        ),
        Property(
            "below",
            "Below blind it is 0",
            valid=lambda case: case["score"] < case["blind"],
            cases=({"score": 40, "blind": 60},),
        ),
    ),
    misconceptions=(
        Misconception(
            "difference",
            "You give the gain in hundredths, not its share of what was left to gain.",
            lambda score, blind: max(0, score - blind),
            "Divide by what a perfect answer gains.",
        ),
        Misconception(
            "of-hundred",
            "You divide by 100. But blind is given: only the rest was left to gain.",
            lambda score, blind: max(0, (score - blind) / 100),
            "Divide by 100 - blind.",
        ),
        Misconception(
            "of-blind",
            "You divide by blind: that says how many times better, and has no end at 1.",
            lambda score, blind: max(0, (score - blind) / max(blind, 1)),
            "Divide by 100 - blind.",
        ),
        Misconception(
            "negative",
            "Below blind your share is negative.",
            lambda score, blind: (score - blind) / (100 - blind),
            "`max(0, …)` stops at 0.",
        ),
    ),
    hints=(
        "How many hundredths lie between blind and perfect? How many of them were gained?",
        "Divide the second by the first, and let nothing fall below 0: `max(0, …)`.",
    ),
    example={"score": 80, "blind": 60},
    sheet=_way_sheet,
)

EXERCISES = (BLIND_MASK, WAY_TO_PERFECT)
