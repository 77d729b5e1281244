"""The stored table equals a rebuild, and multiplied out it equals a probe of whole grids."""

from __future__ import annotations

import json
from itertools import product

import pytest
import torch

from coursekit.upsampling import atlas
from coursekit.widgets.pictures import State
from tests.widgets.oracle import state, torch_output

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


@pytest.fixture(scope="module")
def stored() -> dict:
    return json.loads(atlas.PATH.read_text(encoding="utf-8"))


def test_the_stored_file_equals_a_rebuild() -> None:
    assert atlas.PATH.read_text(encoding="utf-8") == atlas.text(), "run python -m coursekit.upsampling.atlas"


def test_the_file_stays_small() -> None:
    assert atlas.PATH.stat().st_size < 60_000


def assert_equals_torch(one: State) -> None:
    ours, theirs = torch.tensor(one.output(), dtype=torch.float64), torch_output(one)
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-8, one


SHAPES = [(1, 1), (2, 2), (1, 4), (4, 3), (3, 2)]


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bed_of_nails", "max_unpool", "pixel_shuffle"])
def test_methods_without_a_kernel_equal_torch(method: str) -> None:
    for shape, stride in product(SHAPES, atlas.STRIDES):
        one = state(method, shape, stride=stride)
        assert_equals_torch(one)


@pytest.mark.parametrize("stride", atlas.STRIDES)
def test_resize_conv_equals_torch(stride: int) -> None:
    for shape, kernel in product(SHAPES, product(atlas.KERNELS, repeat=2)):
        one = state("resize_conv", shape, kernel, stride=stride)
        assert_equals_torch(one)


@pytest.mark.parametrize("stride", atlas.STRIDES)
def test_transposed_conv_equals_torch_and_refuses_where_torch_does(stride: int) -> None:
    settings = product(SHAPES, product(atlas.KERNELS, repeat=2), atlas.PADDINGS, atlas.OUTPUT_PADDINGS)
    for shape, kernel, padding, extra in settings:
        one = state("transposed_conv", shape, kernel, stride=stride, padding=padding, output_padding=extra)
        if one.problem:
            x, k = torch.tensor(one.x)[None, None].double(), torch.tensor(one.kernel)[None, None].double()
            with pytest.raises(RuntimeError):
                torch.conv_transpose2d(x, k, None, stride, padding, extra)
        else:
            assert_equals_torch(one)


def test_every_reason_is_a_sentence_that_names_a_way_out(stored: dict) -> None:
    for reason in stored["reasons"]:
        assert reason.endswith(".")
        assert "use " in reason
