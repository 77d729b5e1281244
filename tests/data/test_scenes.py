"""Scenes are what they promise: exact, repeatable, and told apart by shape alone."""

import hashlib
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

from coursekit.data import Samples, load_scenes
from coursekit.data.planning import Plan, Recipe, planned

CLASSES = ("background", "disc", "square", "triangle", "ring")


@pytest.fixture(scope="module")
def single() -> Samples:
    return load_scenes(200, seed=5, objects=1)


def plan_of(n: int, seed: int, **changes: Any) -> Plan:
    usual = {
        "size": 64,
        "objects": (1, 3),
        "radius": (0.14, 0.28),
        "occlusion": 0.5,
        "frequencies": (1.0,) * 4,
    }
    numbers = torch.arange(n)
    plan = planned(Recipe(**{**usual, **changes}), seed, numbers)
    back = plan.numbers.argsort()
    return Plan(*(each[back] for each in plan))


def digest(samples: Samples) -> str:
    hashed = hashlib.sha256()
    for each in (samples.images, samples.masks, samples.boxes, samples.labels):
        hashed.update(each.contiguous().numpy().tobytes())
    return hashed.hexdigest()[:16]


# -- the same everywhere -----------------------------------------------------------------------------------


def test_the_scenes_are_the_same_on_every_machine() -> None:
    # A change of these digests changes every learner's data: raise scenes._VERSION with it.
    assert digest(load_scenes(8)) == "2695c9d68ab55519"
    assert digest(load_scenes(4, seed=7, size=48, objects=3, occlusion=1.0)) == "dacea5d187d4dfe0"


def test_the_first_scenes_do_not_depend_on_how_many_are_asked_for() -> None:
    few, many = load_scenes(5, seed=3), load_scenes(150, seed=3)
    assert digest(few) == digest(many[:5])
    assert digest(load_scenes(100, seed=3)) == digest(many[:100])


def test_defaults_that_a_learner_may_have_set_change_nothing() -> None:
    usual = digest(load_scenes(3))
    threads = torch.get_num_threads()
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        torch.manual_seed(99)
        assert digest(load_scenes(3)) == usual
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_num_threads(threads)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    load_scenes(3)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_two_scenes_are_alike_and_no_two_seeds() -> None:
    seen = {image.numpy().tobytes() for seed in (0, 1, 2**32 - 1) for image in load_scenes(100, seed).images}
    assert len(seen) == 300


def test_loading_needs_neither_torchvision_nor_jupyter() -> None:
    program = (
        "import sys; from coursekit.data import load_pets, load_scenes; load_scenes(2)._repr_html_(); "
        "print(*{'torchvision', 'IPython', 'ipywidgets', 'matplotlib'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == ""


# -- exact masks and boxes ---------------------------------------------------------------------------------


def test_one_object_has_one_class_and_the_box_around_its_pixels(single: Samples) -> None:
    for mask, box, label in zip(single.masks.numpy(), single.boxes, single.labels, strict=True):
        rows, columns = np.nonzero(mask)
        around = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert box.tolist() == around
        assert set(np.unique(mask)) == {0, int(label)}


def test_with_several_objects_the_box_is_that_of_one_nothing_covers() -> None:
    scenes = load_scenes(100, seed=2, objects=3, occlusion=1.0)
    for mask, box, label in zip(scenes.masks, scenes.boxes.int().tolist(), scenes.labels, strict=True):
        x, y, width, height = box
        window = mask[y : y + height, x : x + width] == label
        # Its outermost rows and columns are all there, which those of a covered object need not be.
        assert all(edge.any() for edge in (window[0], window[-1], window[:, 0], window[:, -1]))


@pytest.mark.parametrize("kind", range(4))
def test_every_shape_covers_the_pixels_whose_middle_its_outline_holds(kind: int) -> None:
    frequencies = tuple(float(each == kind) for each in range(4))
    scenes = load_scenes(20, seed=4, objects=1, frequencies=frequencies)
    plan = plan_of(20, 4, objects=(1, 1), frequencies=frequencies)
    middles = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1).reshape(-1, 2)
    for index in range(20):
        inside = np.zeros(64 * 64, dtype=bool)
        for outline in outlines(plan, index):
            inside ^= outline.contains_points(middles)  # the ring's inner circle takes away
        mask = scenes.masks[index].numpy().ravel() > 0
        assert (mask != inside).sum() <= 2  # a middle that lies on the outline itself
        assert set(scenes.labels.tolist()) == {kind + 1}


def outlines(plan: Plan, index: int) -> list[Outline]:
    """The same shapes as matplotlib's polygons: an independent way to say which pixels they cover."""
    radius, (cosine, sine) = float(plan.radii[index, 0]), plan.axes[index, 0].tolist()
    kind = int(plan.kinds[index, 0])
    corners = {
        0: [circle(radius)],
        1: [0.85 * radius * np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)])],
        2: [1.28 * radius * np.array([(math.sqrt(3) / 2, 0.5), (-math.sqrt(3) / 2, 0.5), (0, -1)])],
        3: [circle(radius), circle(0.52 * radius)],
    }[kind]
    turn = np.array([[cosine, sine], [-sine, cosine]])
    return [Outline(each @ turn + plan.centres[index, 0].numpy()) for each in corners]


def circle(radius: float) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    return radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


@given(size=st.integers(16, 90), most=st.integers(1, 4), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_objects_lie_inside_the_image_at_every_size(size: int, most: int, seed: int) -> None:
    scenes = load_scenes(3, seed, size, objects=(1, most))
    assert scenes.images.shape == (3, 3, size, size)
    border = torch.cat(
        [scenes.masks[:, 0], scenes.masks[:, -1], scenes.masks[:, :, 0], scenes.masks[:, :, -1]]
    )
    assert not border.any()
    assert (scenes.boxes[:, 2:] >= 3).all()
    assert ((scenes.labels >= 1) & (scenes.labels <= 4)).all()
    assert scenes.classes == CLASSES


# -- what the settings do ----------------------------------------------------------------------------------


def test_the_radius_is_a_share_of_the_size() -> None:
    discs = load_scenes(20, size=100, objects=1, radius=(0.1, 0.1), frequencies=(1, 0, 0, 0))
    assert ((discs.boxes[:, 2:] - 20).abs() <= 1).all()


def test_frequencies_make_an_unbalanced_set() -> None:
    counts = load_scenes(1000, size=16, objects=1, frequencies=(8, 1, 1, 1)).labels.bincount(minlength=5)
    expected = torch.tensor([0, 8, 1, 1, 1]) * (1000 / 11)
    assert (counts - expected).abs().max() < 50  # three standard deviations
    assert counts[0] == 0


def test_a_shape_of_frequency_0_never_comes() -> None:
    scenes = load_scenes(60, objects=3, frequencies=(1, 0, 1, 0))
    assert set(scenes.masks.unique().tolist()) == {0, 1, 3}


def test_the_number_of_objects_varies_evenly_from_one_to_three() -> None:
    counts = plan_of(3000, 0).counts.bincount()
    assert counts[0] == 0
    assert (counts[1:] - 1000).abs().max() < 110


def test_occlusion_0_keeps_objects_apart_and_1_hides_more() -> None:
    small = {"objects": (2, 2), "radius": (0.08, 0.12)}
    plan = plan_of(300, 1, occlusion=0.0, **small)
    gap = (plan.centres[:, 0] - plan.centres[:, 1]).norm(dim=-1)
    assert (gap >= plan.radii.sum(1)).all()
    covered = [(load_scenes(300, 1, objects=3, occlusion=each).masks > 0).sum() for each in (0.0, 0.5, 1.0)]
    assert covered[0] > covered[1] > covered[2]


def test_an_object_is_never_the_colour_of_its_ground(single: Samples) -> None:
    for image, mask in zip(single.images.float(), single.masks, strict=True):
        inside, outside = image[:, mask > 0].mean(1), image[:, mask == 0].mean(1)
        assert (inside - outside).norm() > 45


def test_colour_does_not_give_the_class_away() -> None:
    plan = plan_of(4000, 3, objects=(1, 1))
    colours, kinds = plan.colours[:, 1], plan.kinds[:, 0]
    means = torch.stack([colours[kinds == kind].mean(0) for kind in range(4)])
    assert (means - colours.mean(0)).abs().max() < 12  # of 255; each mean is uncertain by 2.5


# -- bad input ---------------------------------------------------------------------------------------------

BAD: list[tuple[type[Exception], dict[str, Any]]] = [
    (ValueError, {"n": 0}),
    (ValueError, {"n": -3}),
    (TypeError, {"n": 2.5}),
    (TypeError, {"n": True}),
    (TypeError, {"n": "10"}),
    (ValueError, {"n": 1, "seed": -1}),
    (TypeError, {"n": 1, "seed": None}),
    (ValueError, {"n": 1, "size": 15}),
    (TypeError, {"n": 1, "size": (64, 64)}),
    (ValueError, {"n": 1, "objects": 0}),
    (ValueError, {"n": 1, "objects": (3, 1)}),
    (ValueError, {"n": 1, "objects": (1, 2, 3)}),
    (TypeError, {"n": 1, "objects": "two"}),
    (ValueError, {"n": 1, "radius": (0.3, 0.2)}),
    (ValueError, {"n": 1, "radius": (0.1, 0.5)}),
    (ValueError, {"n": 1, "radius": (0.01, 0.2)}),
    (TypeError, {"n": 1, "radius": 0.2}),
    (ValueError, {"n": 1, "occlusion": 1.5}),
    (ValueError, {"n": 1, "occlusion": math.nan}),
    (ValueError, {"n": 1, "frequencies": (1, 1)}),
    (ValueError, {"n": 1, "frequencies": (0, 0, 0, 0)}),
    (ValueError, {"n": 1, "frequencies": (1, 1, 1, -1)}),
    (TypeError, {"n": 1, "frequencies": (1, 1, 1, math.inf)}),
]


@pytest.mark.parametrize(("error", "settings"), BAD, ids=[str(each[1]) for each in BAD])
def test_bad_input_is_a_sentence(error: type[Exception], settings: dict[str, Any]) -> None:
    with pytest.raises(error, match=r"^Expected .+; got .+\. Try .+\.$"):
        load_scenes(**settings)


def test_numpy_numbers_count_as_numbers() -> None:
    assert len(load_scenes(np.int64(2), seed=np.uint8(3), size=np.int32(16))) == 2
