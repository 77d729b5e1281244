"""Scores that count pixels, all from one confusion matrix over a whole data set."""

from __future__ import annotations

import torch
from torch import Tensor

from coursekit.training.losses import IGNORE


def confusion(predicted: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Count how often each class (row) was taken for each class (column), ignored pixels left out.

    Parameters
    ----------
    predicted, truth : Tensor
        Whole numbers of one shape; 255 in ``truth`` is ignored.
    classes : int
        How many classes there are.

    Returns
    -------
    Tensor
        ``(classes, classes)`` int64. Matrices of parts of a data set add up to the matrix of all of it.

    Examples
    --------
    >>> confusion(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    counted = truth != IGNORE
    cells = truth[counted].long() * classes + predicted[counted].long()
    return torch.bincount(cells, minlength=classes**2).reshape(classes, classes)


def class_ious(matrix: Tensor) -> Tensor:
    """Intersection over union of each class; NaN for a class that neither side has.

    The definition of PASCAL VOC: Everingham et al. 2010, https://doi.org/10.1007/s11263-009-0275-4.
    """
    both = matrix.diagonal().double()
    return both / (matrix.sum(0) + matrix.sum(1) - both)


def class_dices(matrix: Tensor) -> Tensor:
    """Dice of each class, twice the intersection over the sum of both sides; NaN where both are empty."""
    return 2 * matrix.diagonal().double() / (matrix.sum(0) + matrix.sum(1)).double()


def mean_of_present(values: Tensor) -> float:
    """The mean over the classes that occur; 0 if none does."""
    present = values[~values.isnan()]
    return float(present.mean()) if len(present) else 0.0


def accuracy(matrix: Tensor) -> float:
    """The share of pixels whose class is right; 0 where none counts."""
    return float(matrix.diagonal().sum() / matrix.sum().clamp_min(1))


def always(majority: int, matrix: Tensor) -> Tensor:
    """The confusion matrix of answering ``majority`` everywhere."""
    constant = torch.zeros_like(matrix)
    constant[:, majority] = matrix.sum(1)
    return constant
