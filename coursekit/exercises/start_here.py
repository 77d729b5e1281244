"""Lesson 00: one line of code, to see how exercises work."""

from __future__ import annotations

import torch

from coursekit.checking import Exercise, Misconception, Number, Property, Tensor

LESSON = "00-start-here"


def class_share(mask, label):
    return (mask == label).float().mean()


CLASS_SHARE = Exercise(
    id="class-share",
    lesson=LESSON,
    title="How much of the picture belongs to one class?",
    function="class_share",
    points=1,
    minutes=3,
    difficulty=1,
    starter='''def class_share(mask, label):
    """The share of cells in the mask that hold this label: a number from 0 to 1."""
    ...
''',
    reference=class_share,
    parameters=(Tensor("mask", "H W"), Number("label", 1, 6)),
    sizes={"H": (1, 4), "W": (1, 4)},
    properties=(
        Property(
            "counts",
            "Cells with the label count, all others do not",
            weight=2,
            cases=(
                {"mask": [[1, 2]], "label": 1},
                {"mask": [[3, 2, 2]], "label": 2},
                {"mask": [[4, 1], [4, 4], [2, 4]], "label": 4},
                {"mask": [[5, 5], [5, 5]], "label": 5},
            ),
        ),
        Property(
            "absent",
            "A label that is nowhere has the share 0",
            cases=({"mask": [[1, 2]], "label": 3}, {"mask": [[2, 2], [1, 4]], "label": 5}),
            valid=lambda case: not bool((case["mask"] == case["label"]).any()),
        ),
    ),
    misconceptions=(
        Misconception(
            "count",
            "You give the number of cells, not their share.",
            lambda mask, label: (mask == label).float().sum(),
            "Divide by the number of all cells, or take .mean() instead of .sum().",
        ),
        Misconception(
            "others",
            "You give the share of all the other cells.",
            lambda mask, label: (mask != label).float().mean(),
            "`mask == label` is True where the label is.",
        ),
        Misconception(
            "mean-of-labels",
            "You take the mean of the mask itself, so you average label numbers.",
            lambda mask, label: mask.float().mean(),
            "First ask each cell a yes-or-no question: `mask == label`.",
        ),
        Misconception(
            "rows",
            "You divide by the number of rows, not by the number of cells.",
            lambda mask, label: (mask == label).float().sum() / mask.shape[0],
            "A grid has rows times columns cells: mask.numel(), or take .mean().",
        ),
    ),
    hints=(
        "`mask == label` asks every cell a question: True where the label is, False elsewhere.",
        "`(mask == label).float()` turns True into 1 and False into 0. What is the mean of that?",
    ),
    example={"mask": torch.tensor([[0.0, 2.0, 1.0], [0.0, 0.0, 2.0]]), "label": 2},
)

EXERCISES = (CLASS_SHARE,)
