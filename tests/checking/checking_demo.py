"""Two exercises that the tests of the engine use: a strided convolution and its transpose."""

from __future__ import annotations

import textwrap

import torch
import torch.nn.functional as F

from coursekit.checking import Exercise, Misconception, Number, Property, Tensor, check, function_from


def correct_stamps(x, kernel, stride):
    (height, width), (kh, kw) = x.shape, kernel.shape
    out = torch.zeros((height - 1) * stride + kh, (width - 1) * stride + kw)
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            out[top : top + kh, left : left + kw] += x[i, j] * kernel
    return out


def _stamps(x, kernel, stride, put):
    (height, width), (kh, kw) = x.shape, kernel.shape
    out = torch.zeros((height - 1) * stride + kh, (width - 1) * stride + kw)
    for i in range(height):
        for j in range(width):
            top, left = i * stride, j * stride
            window = out[top : top + kh, left : left + kw]
            window.copy_(put(window, x[i, j] * kernel))
    return out


def overwrites(x, kernel, stride):
    return _stamps(x, kernel, stride, lambda old, stamp: stamp)


def averages(x, kernel, stride):
    count = _stamps(torch.ones_like(x), torch.ones_like(kernel), stride, torch.add)
    return correct_stamps(x, kernel, stride) / count.clamp(min=1)


def flips(x, kernel, stride):
    return correct_stamps(x, kernel.flip(0, 1), stride)


def steps_by_one(x, kernel, stride):
    return correct_stamps(x, kernel, 1)


def swaps_axes(x, kernel, stride):
    return correct_stamps(x, kernel, stride).T


STAMPS = Exercise(
    id="stamps",
    lesson="05",
    title="Sum the stamps",
    function="stamps",
    points=4,
    starter="def stamps(x, kernel, stride):\n    ...\n",
    reference=correct_stamps,
    parameters=(Tensor("x", "H W"), Tensor("kernel", "kh kw"), Number("stride", 1, 3)),
    sizes={"H": (1, 3), "W": (1, 3), "kh": (1, 3), "kw": (1, 3)},
    properties=(
        Property("single", "one input cell stamps one scaled kernel", 1, fixed={"H": 1, "W": 1}),
        Property(
            "apart",
            "stamps that do not touch stand apart",
            1,
            sizes={"kh": (1, 2), "kw": (1, 2)},
            fixed={"stride": 2},
        ),
        Property(
            "overlap",
            "where stamps overlap, they are summed",
            2,
            sizes={"kh": (2, 3), "kw": (2, 3), "stride": (1, 2)},
        ),
    ),
    misconceptions=(
        Misconception(
            "overwrite", "A later stamp replaces an earlier one.", overwrites, "Try `+=` instead of `=`."
        ),
        Misconception("average", "Overlapping stamps are averaged.", averages, "Try summing them."),
        Misconception("flip", "The kernel is flipped.", flips, "Try the kernel as it is."),
        Misconception(
            "step-one",
            "The stamps are one cell apart, whatever the stride.",
            steps_by_one,
            "Try `i * stride`.",
        ),
        Misconception(
            "swap", "Height and width are swapped.", swaps_axes, "Try `x.shape` as (height, width)."
        ),
    ),
    hints=("Each input cell leaves a stamp.", "Begin with zeros.", "Add the stamp to its window."),
    forbidden=(
        "torch.nn.functional.conv_transpose2d",
        "torch.nn.ConvTranspose2d",
        "torch.nn.functional.fold",
    ),
)


def correct_conv(x, kernel, stride):
    return F.conv2d(x[None, None], kernel[None, None], stride=stride)[0, 0]


def fits(case):
    return case["kernel"].shape[0] <= case["x"].shape[0] and case["kernel"].shape[1] <= case["x"].shape[1]


def ignores_stride(x, kernel, stride):
    return correct_conv(x, kernel, 1)


def flips_conv(x, kernel, stride):
    return correct_conv(x, kernel.flip(0, 1), stride)


def convolution(**changes):
    values = {
        "id": "conv",
        "lesson": "05",
        "title": "Strided convolution",
        "function": "conv",
        "points": 2,
        "starter": "def conv(x, kernel, stride):\n    ...\n",
        "reference": correct_conv,
        "parameters": (Tensor("x", "H W"), Tensor("kernel", "kh kw"), Number("stride", 1, 2)),
        "sizes": {"H": (1, 5), "W": (1, 5), "kh": (1, 3), "kw": (1, 3)},
        "valid": fits,
        "properties": (
            Property("dense", "with a step of 1", fixed={"stride": 1}),
            Property("strided", "with a step of 2", fixed={"stride": 2}),
        ),
        "misconceptions": (
            Misconception("ignores-stride", "The window moves one cell at a time.", ignores_stride),
            Misconception("flip", "The kernel is flipped.", flips_conv),
        ),
        "hints": ("Slide a window.",),
    }
    return Exercise(**{**values, **changes})


CONV = convolution()


def written(source, name="stamps", **scope):
    """The function that a notebook cell with this text would make."""
    return function_from(textwrap.dedent(source), name, scope)


def checked(source, exercise=STAMPS, **options):
    """The verdict on a cell's text."""
    return check(exercise, written(source, exercise.function), **options)


RIGHT = """
def stamps(x, kernel, stride):
    h, w = x.shape
    kh, kw = kernel.shape
    out = torch.zeros((h - 1) * stride + kh, (w - 1) * stride + kw)
    for i in range(h):
        for j in range(w):
            out[i * stride : i * stride + kh, j * stride : j * stride + kw] += x[i, j] * kernel
    return out
"""
