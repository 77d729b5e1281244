"""`fingerprint`: its numbers against direct definitions, its names by calling what they say."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import coursekit.upsampling as room
from coursekit.upsampling import (
    bed_of_nails,
    bilinear,
    fingerprint,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    probe,
    resize_conv,
    transposed_conv,
)
from tests.upsampling.definitions import assert_near, distinct, integers, transposed_settings

PLANE = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
REMARKS = r" but for the edges| plus a bias| plus an offset"


def called(name):
    """The callable that a name describes, its lists made tensors."""
    text = re.sub(REMARKS, "", name)
    assert re.fullmatch(r"\w+\([\w\s=\[\]().,\"e+-]*\)", text)

    def settings(**given):
        return given

    found = eval(text, dict.fromkeys(room.__all__, settings))
    method = getattr(room, text.split("(")[0])
    made = {key: torch.tensor(value) if isinstance(value, list) else value for key, value in found.items()}
    if "kernel" in made:
        made["kernel"] = made["kernel"].double()
    return lambda x: method(x, **made)


def matrix_of(method, shape):
    """Column by column, without `probe`."""
    cells = torch.Size(shape).numel()
    zero = method(torch.zeros(shape, dtype=torch.float64))
    columns = [method(unit.reshape(shape)) - zero for unit in torch.eye(cells, dtype=torch.float64)]
    return torch.stack(columns, dim=-1)  # [*output, cells]


def assert_names_hold(found, method, shape, digits=1e-9, traced=None):
    """No name may stand for another matrix, on a grid that the fingerprint may or may not have seen.

    Switches bind a max unpooling to the grid that was traced.
    """
    for name in found.looks_like:
        shape = traced if traced and name.startswith("max_unpool") else shape
        ours = matrix_of(method, shape)
        theirs = matrix_of(called(name), shape)
        if "but for the edges" in name:
            rows, columns = (max(1, step // 2) for step in found.stride)
            ours_inside = ours[..., rows:-rows, columns:-columns, :]
            assert_near(theirs[..., rows:-rows, columns:-columns, :], ours_inside, 1e-3)
            assert not torch.allclose(theirs, ours, atol=1e-3)
        else:
            assert_near(theirs, ours, digits)


FACTORS = [(2, 2), (3, 3), (1, 2), (4, 3)]
FIXED = [
    *((name, {"factor": factor}) for name in ("nearest", "bed_of_nails", "bilinear") for factor in FACTORS),
    *(("bilinear", {"factor": factor, "align_corners": True}) for factor in ((2, 2), (3, 2))),
]


class TestNames:
    @pytest.mark.parametrize(("name", "settings"), FIXED, ids=str)
    @pytest.mark.parametrize("side", [(2, 2), (3, 1)], ids=str)
    def test_fixed_methods(self, name, settings, side):
        method = getattr(room, name)
        found = fingerprint(probe(method, torch.ones(side), **settings))
        assert found.looks_like[0].startswith(name)
        assert found.stride == settings["factor"]
        assert_names_hold(found, lambda x: method(x, **settings), (5, 5), 1e-6, traced=side)

    @pytest.mark.parametrize("settings", transposed_settings(14, seed=5), ids=str)
    def test_transposed_convolutions(self, settings):
        settings = dict(settings)
        grid, kernel = settings.pop("grid"), distinct(*settings.pop("kernel")).double()
        found = fingerprint(probe(transposed_conv, integers(*grid).double(), kernel, **settings))
        assert found.looks_like[0].startswith(("transposed_conv", "resize_conv"))
        assert found.stride == settings["stride"]
        side = (9, 9)  # large enough for any of these paddings to leave something
        assert_names_hold(found, lambda x: transposed_conv(x, kernel, **settings), side)

    @pytest.mark.parametrize("mode", ["nearest", "bilinear"])
    @pytest.mark.parametrize("factor", [2, 3, (1, 2)], ids=str)
    @pytest.mark.parametrize("side", [(3, 3), (1, 3), (2, 2), (5, 5)], ids=str)
    def test_resize_convolutions(self, mode, factor, side):
        kernel = distinct(*side).double()
        found = fingerprint(probe(resize_conv, PLANE, kernel.float(), factor=factor, mode=mode))
        named = found.looks_like[0].startswith("resize_conv") and ("bilinear" in found.looks_like[0]) == (
            mode == "bilinear"
        )
        assert named
        assert_names_hold(found, lambda x: resize_conv(x, kernel, factor, mode), (6, 6), 1e-4)

    @pytest.mark.parametrize("shape", [(4, 2, 2), (8, 2, 3), (2, 9, 1, 2)], ids=str)
    def test_pixel_shuffles(self, shape):
        factor = {4: 2, 8: 2, 9: 3}[shape[-3]]
        found = fingerprint(probe(pixel_shuffle, torch.ones(shape), factor=factor))
        assert f"pixel_shuffle(factor={factor})" in found.looks_like
        assert_names_hold(found, lambda x: pixel_shuffle(x, factor), (*shape[:-2], 3, 3))

    @pytest.mark.parametrize(
        ("grid", "size"), [((4, 4), 2), ((5, 4), 2), ((8, 7), 3), ((3, 6), (1, 3))], ids=str
    )
    def test_max_unpooling_is_named_at_the_size_that_its_switches_bind_it_to(self, grid, size):
        values, switches = max_pool(distinct(*grid, seed=7), size)
        found = fingerprint(probe(max_unpool, values, switches, grid))
        assert found.looks_like[0] == f"max_unpool(switches={switches.tolist()}, output_size={grid})"
        assert_names_hold(found, lambda x: max_unpool(x, switches, grid), values.shape)

    def test_the_most_specific_name_comes_first(self):
        assert fingerprint(probe(nearest, PLANE)).looks_like == (
            "nearest(factor=2)",
            "transposed_conv(kernel=[[1, 1], [1, 1]], stride=2)",
        )
        names = fingerprint(probe(bilinear, PLANE)).looks_like
        assert [name.split("(")[0] for name in names] == ["bilinear", "transposed_conv"]
        assert names[1].endswith("stride=2, padding=1) but for the edges")
        assert "[0.0625, 0.1875, 0.1875, 0.0625]" in names[1]
        nails = fingerprint(probe(bed_of_nails, PLANE)).looks_like
        assert [name.split("(")[0] for name in nails] == ["bed_of_nails", "transposed_conv", "max_unpool"]

    def test_all_names_of_doing_nothing(self):
        found = fingerprint(probe(lambda x: x, torch.ones(1, 2, 2)))
        assert {name.split("(")[0] for name in found.looks_like} == {
            "nearest", "bed_of_nails", "bilinear", "pixel_shuffle", "transposed_conv", "max_unpool",
        }  # fmt: skip
        assert_names_hold(fingerprint(probe(lambda x: x, PLANE)), lambda x: x, (2, 2))

    def test_a_transposed_convolution_in_disguise_is_recognized(self):
        tied = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
        inside = fingerprint(probe(transposed_conv, PLANE, torch.outer(tied, tied), stride=2, padding=1))
        assert inside.looks_like[0].startswith("resize_conv")  # nearest and a blur; fewer numbers say more
        ones = fingerprint(probe(transposed_conv, PLANE, torch.ones(2, 2), stride=2))
        assert ones.looks_like[0] == "nearest(factor=2)"
        nails = fingerprint(probe(transposed_conv, PLANE, torch.tensor([[1.0, 0.0], [0.0, 0.0]]), stride=2))
        assert nails.looks_like[0] == "bed_of_nails(factor=2)"

    def test_tensorflows_window_needs_a_kernel_with_a_row_of_zeros(self):
        def same(x, kernel):
            return transposed_conv(x, kernel, stride=2)[..., :-1, :-1]

        found = fingerprint(probe(same, PLANE, torch.ones(3, 3)))
        kernel = "[[0, 0, 0, 0], [0, 1, 1, 1], [0, 1, 1, 1], [0, 1, 1, 1]]"
        assert found.looks_like == (f"transposed_conv(kernel={kernel}, stride=2, padding=1)",)

    def test_a_flipped_kernel_shows(self):
        kernel = distinct(3, 3)
        right = fingerprint(probe(transposed_conv, PLANE, kernel)).looks_like
        flipped = fingerprint(probe(lambda x, k: transposed_conv(x, k.flip(0, 1)), PLANE, kernel)).looks_like
        assert right == (f"transposed_conv(kernel={kernel.int().tolist()}, stride=2)",)
        assert flipped == (f"transposed_conv(kernel={kernel.flip(0, 1).int().tolist()}, stride=2)",)

    def test_modules_and_batches_of_planes_are_named_like_the_methods(self):
        for method in (nn.Upsample(scale_factor=2), nearest):
            assert fingerprint(probe(method, torch.ones(2, 3, 2, 2))).looks_like[0] == "nearest(factor=2)"
        stamps = fingerprint(probe(transposed_conv, torch.ones(3, 2, 2), distinct(2, 3), stride=1))
        assert stamps.looks_like[0].startswith("transposed_conv")
        module = nn.ConvTranspose2d(1, 1, 3, 2, 1, 1)
        assert fingerprint(probe(module, PLANE[None, None])).looks_like[0].endswith(" plus a bias")

    @pytest.mark.parametrize(
        "method",
        [
            nn.AvgPool2d(2),
            lambda x: x.flip(-1),
            lambda x: x.transpose(-1, -2),
            lambda x: x.cumsum(-1),
            lambda x: x - x.mean(),
            lambda x: functional.interpolate(x[None], scale_factor=2, mode="bicubic")[0],
            lambda x: nearest(x) * torch.arange(1.0, 2 * x.shape[-1] + 1).to(x),
            lambda x: nearest(x).roll(1, -1),
            nn.ConvTranspose2d(1, 2, 3),
        ],
        ids=range(9),
    )
    def test_what_is_no_method_of_the_course_stays_without_an_exact_name(self, method):
        for side in (4, 5):
            names = fingerprint(probe(method, torch.ones(1, side, side))).looks_like
            assert all("but for the edges" in name for name in names)

    def test_names_hold_in_half_precision(self):
        for dtype in (torch.float16, torch.bfloat16):
            assert fingerprint(probe(nearest, PLANE.to(dtype))).looks_like[0] == "nearest(factor=2)"
            found = fingerprint(probe(transposed_conv, PLANE.to(dtype), distinct(3, 3).to(dtype)))
            assert found.looks_like[0].startswith("transposed_conv(kernel=[[")

    def test_numpy_code_is_named(self):
        found = fingerprint(probe(lambda x: np.kron(x, np.ones((2, 2))), PLANE.numpy()))
        assert found.looks_like[0] == "nearest(factor=2)"

    @pytest.mark.parametrize("scale", [1e-8, 1e8])
    def test_the_size_of_the_numbers_does_not_matter(self, scale):
        kernel = distinct(3, 3).double() * scale
        found = fingerprint(probe(transposed_conv, PLANE.double(), kernel))
        assert_near(matrix_of(called(found.looks_like[0]), (2, 2)) / scale, matrix_of(
            lambda x: transposed_conv(x, kernel), (2, 2)) / scale, 1e-3)  # fmt: skip
        assert not any("nearest" in name for name in found.looks_like)


class TestNumbers:
    @pytest.mark.parametrize("settings", transposed_settings(10, seed=6), ids=str)
    def test_against_direct_definitions(self, settings):
        settings = dict(settings)
        grid, kernel = settings.pop("grid"), distinct(*settings.pop("kernel"), seed=2)
        stride, padding = settings["stride"], settings["padding"]
        found = fingerprint(probe(transposed_conv, integers(*grid, seed=3), kernel, **settings))
        assert found.stride == stride
        # How bright each seat is: up-sample flat grey, and look in the middle.
        gains = torch.zeros(stride, dtype=torch.float64)
        grey = transposed_conv(torch.ones(15, 15), kernel, **settings)
        for row, column in np.ndindex(stride):
            middle = [s * ((side // 2) // s) for side, s in zip(grey.shape, stride, strict=True)]
            gains[row, column] = grey[middle[0] + row, middle[1] + column]
        assert torch.equal(found.phase_gains, gains)
        assert found.checkerboard == pytest.approx(float((gains.max() - gains.min()) / gains.mean()))
        # Where the stamp's weight lies, from its input cell's place.
        for axis in (0, 1):
            weight = kernel.sum(1 - axis)
            centre = float((weight * torch.arange(len(weight))).sum() / weight.sum()) - padding[axis]
            assert found.shift[axis] == pytest.approx(centre - (stride[axis] - 1) / 2, abs=1e-5)
        # What falls off, and how many stamps meet.
        kept = transposed_conv(torch.ones(grid), kernel, **settings).sum()
        all_of_it = kernel.sum() * grid[0] * grid[1]
        assert found.edge_loss == pytest.approx(1 - float(kept / all_of_it), abs=1e-5)
        meeting = transposed_conv(torch.ones(grid), torch.ones_like(kernel), **settings)
        assert torch.equal(found.overlap, meeting.long())

    def test_grey_that_turns_negative_is_a_checkerboard_too(self):
        found = fingerprint(probe(transposed_conv, PLANE, torch.tensor([[1.0, -1.0]]), stride=(1, 2)))
        assert found.phase_gains.tolist() == [[1, -1]]
        assert found.checkerboard == 2

    def test_rounding_is_no_checkerboard(self):
        side = torch.tensor([0.1, 0.3, 0.3, 0.1])
        smooth = torch.outer(side, side)
        assert fingerprint(probe(transposed_conv, PLANE, smooth, padding=1)).checkerboard == 0
        laplacian = torch.tensor([[0.1, 0.2, -0.3]])
        assert fingerprint(probe(transposed_conv, PLANE, laplacian, stride=1)).checkerboard == 0
        assert fingerprint(probe(bilinear, PLANE, factor=3)).checkerboard == 0

    @pytest.mark.parametrize("method", [nearest, bilinear, lambda x: bilinear(x, align_corners=True)])
    def test_enlarging_keeps_grey_even_in_place_and_whole(self, method):
        found = fingerprint(probe(method, PLANE))
        assert_near(found.phase_gains, torch.ones(2, 2, dtype=torch.float64), 1e-6)
        assert (found.stride, found.checkerboard, found.shift, found.edge_loss) == ((2, 2), 0, (0, 0), 0)

    def test_nails_are_as_uneven_as_can_be(self):
        found = fingerprint(probe(bed_of_nails, PLANE))
        assert (found.phase_gains.tolist(), found.checkerboard) == ([[1, 0], [0, 0]], 4)
        assert found.shift == (-0.5, -0.5)

    def test_the_stride_is_what_is_seen_not_what_is_said(self):
        """A learner's loop that ignores its stride."""
        trace = probe(lambda x, k, stride: transposed_conv(x, k, 1), PLANE, distinct(3, 3), stride=2)
        assert fingerprint(trace).stride == (1, 1)

    def test_every_stamp_is_cropped_and_the_loss_counts_it(self):
        found = fingerprint(probe(transposed_conv, PLANE, torch.ones(3, 3), stride=2, padding=1))
        assert found.edge_loss == pytest.approx(1 - 4 / 9, abs=1e-6)

    def test_an_all_zero_kernel_breaks_nothing(self):
        found = fingerprint(probe(transposed_conv, PLANE, torch.zeros(3, 3)))
        assert (found.checkerboard, found.shift, found.edge_loss) == (0, (0, 0), 0)
        assert found.looks_like[0].startswith("transposed_conv(kernel=[[0")

    def test_what_needs_a_wider_view_gets_it(self):
        kernel = distinct(5, 5)
        found = fingerprint(probe(transposed_conv, torch.ones(5, 5), kernel, stride=1, padding=4))
        assert found.looks_like == (f"transposed_conv(kernel={kernel.int().tolist()}, stride=1, padding=4)",)
        wide = fingerprint(probe(transposed_conv, torch.ones(1, 1), torch.ones(9, 9), stride=2, padding=4))
        assert wide.phase_gains.flatten().sort().values.tolist() == [16, 20, 20, 25]

    def test_a_large_grid_is_described_by_a_small_one(self):
        found = fingerprint(probe(nearest, torch.ones(24, 24)))
        assert (found.looks_like[0], found.overlap.shape) == ("nearest(factor=2)", (48, 48))


class TestRefusals:
    @pytest.mark.parametrize(
        ("make", "error", "attempt"),
        [
            (lambda: nearest, TypeError, r"Try fingerprint\(probe\(method, x\)\)"),
            (lambda: probe(torch.relu, PLANE), ValueError, "Try its linear part alone"),
            (lambda: probe(torch.sum, PLANE), ValueError, "Try a grid with two axes"),
            (lambda: probe(torch.neg, PLANE[0]), ValueError, "Try a grid with two axes"),
        ],
    )
    def test_what_has_no_fingerprint(self, make, error, attempt):
        with pytest.raises(error, match=rf"^Expected .*; got .*\. {attempt}"):
            fingerprint(make())

    def test_it_reads_as_a_sentence(self):
        found = fingerprint(probe(nearest, PLANE))
        assert repr(found).startswith("Fingerprint(nearest(factor=2), and also transposed_conv(kernel=")
        assert repr(found).endswith("checkerboard 0, shift (+0, +0), edge loss 0%)")
        assert "no method of the course" in repr(fingerprint(probe(nn.AvgPool2d(2), torch.ones(1, 4, 4))))
