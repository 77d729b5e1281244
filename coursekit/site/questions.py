"""Guesses and a short quiz from the whole course. What is a number is computed here, as in the lessons."""

from __future__ import annotations

from collections.abc import Sequence

from coursekit.widgets import GridExplorer, Predict, Quiz


def predictions() -> list[Predict]:
    """Questions that lock a guess; the answers travel with the page."""
    return [_overlap(), _canvas(), _lazy()]


def _overlap() -> Predict:
    ones = GridExplorer(kernel=[[1] * 3] * 3, padding=1, output_padding=1).output
    never_adds = [[max(1, value) if value < 5 else 4 for value in row] for row in ones]
    nearest = GridExplorer("nearest").output
    return Predict(
        "A 2×2 grid of 1, 2, 3, 4 is enlarged with a 3×3 kernel of ones and stride 2. Which of these "
        "comes out?",
        [nearest, ones, never_adds],
        answer=1,
        why="Each number stamps a 3×3 square of itself, two cells apart. Where stamps overlap they add.",
        static=True,
    )


def _canvas() -> Predict:
    rows, kernel, stride = 2, 3, 2
    size = (rows - 1) * stride + kernel
    sizes = [4, 5, 6]
    return Predict(
        "How large is the canvas on which those four stamps lie, before anything is cut off?",
        [f"{side}×{side}" for side in sizes],
        answer=sizes.index(size),
        why=f"({rows} − 1) · {stride} + {kernel} = {size}. So a 4×4 output has to be cut out of it, "
        "and there is no way to cut it from the middle.",
        static=True,
    )


def _lazy() -> Predict:
    background = 98
    options = ["0.49", "0.75", "0.98"]
    return Predict(
        f"In a mask {background} of 100 pixels are background, and a lazy net answers background everywhere. "
        "What is its mean IoU over the two classes?",
        options,
        answer=options.index(f"{(background / 100 + 0) / 2:.2f}"),
        why="Background scores 0.98, the object 0. The mean counts both classes alike.",
        static=True,
    )


def quiz() -> Quiz:
    """Questions whose every option has its reason."""
    return Quiz(
        [
            _asked(
                "A 7×7 grid, a 4×4 kernel, stride 2. How large is the output?",
                ["2×2", "3×3", "4×4"],
                f"{(7 - 4) // 2 + 1}×{(7 - 4) // 2 + 1}",
                "The kernel fits at rows 0 and 2 only: from row 4 on it would stick out.",
            ),
            _asked(
                "A class has 6 pixels in the truth and 4 in the guess; 2 of them are the same. What "
                "is its IoU?",
                ["0.2", "0.25", "0.4"],
                f"{2 / (6 + 4 - 2):g}",
                "Together they cover 6 + 4 − 2 = 8 pixels: the common ones count once.",
            ),
            _asked(
                "A bed of nails doubles a 5×5 grid of ones. How many cells of the result are 0?",
                ["25", "50", "75"],
                str(10 * 10 - 5 * 5),
                "100 cells, and 25 nails.",
            ),
            _asked(
                "A 5×5 kernel of ones, stride 2. How many stamps reach the fullest cell?",
                ["4", "6", "9"],
                str(3 * 3),
                "Kernel rows 0, 2 and 4 meet in one row, and so do three columns.",
            ),
            _asked(
                "A small box lies wholly inside a large true one and moves a little, still inside. Its IoU:",
                ["rises towards the middle", "falls towards the middle", "stays the same"],
                "stays the same",
                "Neither what they share nor what they cover together changes.",
            ),
            _asked(
                "A box head begins by taking each channel’s mean over all cells. What does it lose?",
                ["how much of something there is", "where it is", "which channel it is in"],
                "where it is",
                "The mean is the same, wherever in the channel a number stood.",
            ),
        ],
        title="Six from the whole course",
    )


def _asked(question: str, options: Sequence[str], right: str, why: str) -> dict[str, object]:
    return {"question": question, "options": list(options), "answer": options.index(right), "why": why}
