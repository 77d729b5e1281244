"""Every exercise keeps its promises: references accepted, mistakes rejected and rightly named."""

from __future__ import annotations

import pytest
import torch

from coursekit.checking import Exercise, Misconception, check, function_from
from coursekit.exercises import all_exercises, find_exercise
from coursekit.exercises.learnable_upsampling import crop_canvas, stamp, strided_conv, transposed_conv

EXERCISES = all_exercises()
MISTAKES = [(exercise, mistake) for exercise in EXERCISES for mistake in exercise.misconceptions]
exercises = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
mistakes = pytest.mark.parametrize(
    ("exercise", "mistake"), MISTAKES, ids=[f"{exercise.id}:{mistake.id}" for exercise, mistake in MISTAKES]
)


@exercises
def test_the_declaration_holds(exercise: Exercise) -> None:
    exercise.validate()
    assert len(exercise.hints) >= 2


@exercises
def test_the_reference_is_right(exercise: Exercise) -> None:
    for seed in range(8):
        verdict = check(exercise, exercise.reference, seed=seed, named=False)
        assert verdict.state == "right", verdict


@exercises
def test_the_solution_that_a_learner_sees_is_right(exercise: Exercise) -> None:
    verdict = check(exercise, function_from("import torch\n" + exercise.solution, exercise.function))
    assert verdict.state == "right", verdict


@exercises
def test_the_starter_is_not_an_attempt(exercise: Exercise) -> None:
    assert check(exercise, function_from(exercise.starter, exercise.function)).state == "not_attempted"


@mistakes
def test_a_mistake_is_rejected_and_named(exercise: Exercise, mistake: Misconception) -> None:
    require_named(exercise, mistake, range(3))


@pytest.mark.slow
@mistakes
def test_a_mistake_is_rejected_and_named_with_twenty_seeds(
    exercise: Exercise, mistake: Misconception
) -> None:
    require_named(exercise, mistake, range(3, 20))


def require_named(exercise: Exercise, mistake: Misconception, seeds: range) -> None:
    for seed in seeds:
        verdict = check(exercise, mistake.mutant, seed=seed, named=False)
        assert verdict.state in ("partial", "wrong", "error"), f"seed {seed}: {verdict}"
        assert verdict.diagnosis is not None, f"seed {seed}: {verdict}"
        assert verdict.diagnosis.id == mistake.id, f"seed {seed}: {verdict.diagnosis}"
        assert verdict.fraction < 1


def test_ids_lead_to_exercises() -> None:
    assert [find_exercise(exercise.id) for exercise in EXERCISES] == list(EXERCISES)
    with pytest.raises(KeyError, match="Try 'transposed-conv'"):
        find_exercise("transposed_conv")


def randint(*shape: int) -> torch.Tensor:
    return torch.randint(-9, 10, shape).float()


@pytest.mark.parametrize("seed", range(40))
def test_references_agree_with_torch(seed: int) -> None:
    torch.manual_seed(seed)
    height, width, kh, kw = torch.randint(1, 6, (4,)).tolist()
    stride = int(torch.randint(1, 4, ()))
    x, kernel = randint(height, width), randint(kh, kw)
    theirs = torch.nn.functional.conv_transpose2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
    assert torch.equal(transposed_conv(x, kernel, stride), theirs)
    if height >= kh and width >= kw:
        theirs = torch.nn.functional.conv2d(x[None, None], kernel[None, None], stride=stride)[0, 0]
        assert torch.equal(strided_conv(x, kernel, stride), theirs)


@pytest.mark.parametrize("seed", range(40))
def test_the_crop_agrees_with_torch(seed: int) -> None:
    torch.manual_seed(seed)
    size, side, stride = (
        int(torch.randint(1, 5, ())),
        int(torch.randint(1, 6, ())),
        int(torch.randint(1, 4, ())),
    )
    x, kernel = randint(size, size), randint(side, side)
    canvas = transposed_conv(x, kernel, stride)
    padding = int(torch.randint(0, (len(canvas) + 1) // 2, ()))
    for rows in range(1, 20):
        extra = rows - (len(canvas) - 2 * padding)
        ours = crop_canvas(canvas, (rows, rows), stride, padding)
        if 0 <= extra < stride:
            theirs = torch.nn.functional.conv_transpose2d(
                x[None, None], kernel[None, None], stride=stride, padding=padding, output_padding=extra
            )
            assert torch.equal(ours, theirs[0, 0])
        else:
            assert ours is None


def test_the_stamp_agrees_with_torch() -> None:
    pixel, kernel = randint(3), randint(3, 2, 4, 5)
    theirs = torch.nn.functional.conv_transpose2d(pixel.reshape(1, 3, 1, 1), kernel)[0]
    assert torch.equal(stamp(pixel, kernel), theirs)
