"""Every method against torch's operator and against a plain loop, on whole numbers, exactly."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.upsampling import (
    bed_of_nails,
    bilinear,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)
from tests.upsampling.definitions import (
    assert_near,
    bilinear_loop,
    convolution_loop,
    distinct,
    integers,
    max_pool_loop,
    nails_loop,
    nearest_loop,
    transposed_loop,
    transposed_settings,
)

FACTORS = [1, 2, 3, (1, 3), (4, 2)]
GRIDS = [(1, 1), (1, 4), (2, 2), (3, 5)]
LEADS = [(), (2,), (2, 3), (1, 2, 3)]


def as_pair(value):
    return (value, value) if isinstance(value, int) else value


def named(found):
    return "-".join(f"{name[0]}{pair[0]}.{pair[1]}" for name, pair in found.items())


@pytest.fixture(params=transposed_settings(40), ids=named)
def found(request):
    return dict(request.param)


class TestTransposedConv:
    def test_is_the_sum_of_stamps_and_torchs_operator(self, found):
        x, kernel = integers(*found.pop("grid"), seed=1), integers(*found.pop("kernel"), seed=2)
        ours = transposed_conv(x, kernel, **found)
        assert torch.equal(ours, transposed_loop(x, kernel, **found))
        assert torch.equal(
            ours, functional.conv_transpose2d(x[None, None], kernel[None, None], **found)[0, 0]
        )

    def test_treats_every_plane_of_a_batch_alike(self, found):
        x, kernel = integers(2, 3, *found.pop("grid"), seed=3), integers(*found.pop("kernel"), seed=4)
        ours = transposed_conv(x, kernel, **found)
        for n, c in np.ndindex(2, 3):
            assert torch.equal(ours[n, c], transposed_conv(x[n, c], kernel, **found))

    def test_mixes_channels_as_the_module_does(self, found):
        x, kernel = integers(2, 3, *found.pop("grid"), seed=5), integers(3, 2, *found.pop("kernel"), seed=6)
        module = nn.ConvTranspose2d(3, 2, tuple(kernel.shape[2:]), bias=False, **found)
        module.weight.data = kernel
        ours = transposed_conv(x, kernel, **found)
        assert torch.equal(ours, module(x))
        alone = sum(transposed_conv(x[:, c], kernel[c, 1], **found) for c in range(3))
        assert torch.equal(ours[:, 1], alone)

    def test_is_the_adjoint_of_the_convolution(self, found):
        """<conv(y), x> = <y, convT(x)> for every y and x, and so convT is conv's gradient."""
        x, kernel = integers(1, 1, *found["grid"], seed=7), integers(1, 1, *found["kernel"], seed=8)
        settings = {name: found[name] for name in ("stride", "padding")}
        grown = transposed_conv(x, kernel, **settings, output_padding=found["output_padding"])
        y = integers(*grown.shape, seed=9).requires_grad_()
        shrunk = functional.conv2d(y, kernel, **settings)
        assert shrunk.shape == x.shape
        assert (shrunk * x).sum() == (y * grown).sum()
        assert torch.equal(torch.autograd.grad((shrunk * x).sum(), y)[0], grown)

    def test_is_the_convolutions_matrix_transposed(self):
        kernel = distinct(3, 2)
        impulses = torch.eye(30).reshape(30, 1, 5, 6)
        conv = functional.conv2d(impulses, kernel[None, None], stride=2).flatten(1).T  # [4 * ..., 30]
        x = distinct(2, 3)
        grown = transposed_conv(x, kernel, stride=2)
        assert grown.shape == (5, 6)
        assert torch.equal(conv.T @ x.flatten(), grown.flatten())

    def test_is_columns_folded_back(self):
        """The table read by columns: im2col turned round (fold of an outer product)."""
        x, kernel = distinct(3, 4), distinct(3, 3)
        columns = kernel.flatten()[:, None] * x.flatten()
        folded = functional.fold(columns[None], (7, 9), (3, 3), stride=2)[0, 0]
        assert torch.equal(folded, transposed_conv(x, kernel, stride=2))

    def test_is_a_full_convolution_of_the_bed_of_nails_with_the_flipped_kernel(self):
        x, kernel = distinct(3, 2), distinct(3, 3)
        nails = bed_of_nails(x, 2)[:-1, :-1]
        full = functional.conv2d(nails[None, None], kernel.flip(0, 1)[None, None], padding=2)[0, 0]
        assert torch.equal(full, transposed_conv(x, kernel, stride=2))

    def test_output_padding_names_each_size_that_the_stride_maps_together(self):
        x, kernel = distinct(3, 3), torch.ones(3, 3)
        for extra in range(3):
            grown = transposed_conv(x, kernel, stride=3, padding=1, output_padding=extra)
            assert (
                functional.conv2d(grown[None, None], kernel[None, None], stride=3, padding=1).shape[2:]
                == x.shape
            )

    def test_no_padding_can_reach_past_what_is_left(self):
        assert transposed_conv(torch.ones(3, 3), torch.ones(2, 2), stride=1, padding=1).shape == (2, 2)
        assert transposed_conv(torch.ones(1, 1), torch.ones(5, 5), padding=2).tolist() == [[1.0]]


@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("grid", GRIDS)
class TestFixedMethods:
    def test_nearest(self, grid, factor):
        x, (rows, columns) = distinct(*grid), as_pair(factor)
        theirs = functional.interpolate(x[None, None], scale_factor=(rows, columns), mode="nearest")[0, 0]
        assert torch.equal(nearest(x, factor), nearest_loop(x, rows, columns))
        assert torch.equal(nearest(x, factor), theirs)
        assert np.array_equal(nearest(x, factor), np.kron(x, np.ones((rows, columns))))

    def test_bed_of_nails(self, grid, factor):
        x, (rows, columns) = distinct(*grid), as_pair(factor)
        corner = np.zeros((rows, columns))
        corner[0, 0] = 1
        assert torch.equal(bed_of_nails(x, factor), nails_loop(x, rows, columns))
        assert np.array_equal(bed_of_nails(x, factor), np.kron(x, corner))

    @pytest.mark.parametrize("corners", [False, True])
    def test_bilinear(self, grid, factor, corners):
        x, (rows, columns) = distinct(*grid).double(), as_pair(factor)
        ours = bilinear(x, factor, align_corners=corners)
        assert_near(ours, bilinear_loop(x, rows, columns, corners), 1e-12)
        size = (grid[0] * rows, grid[1] * columns)
        module = nn.Upsample(size=size, mode="bilinear", align_corners=corners)
        assert torch.equal(ours, module(x[None, None])[0, 0])

    @pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (4, 1)], ids=str)
    def test_resize_conv(self, grid, factor, kernel):
        x, weights = integers(*grid, seed=1), integers(*kernel, seed=2)
        grown = nearest_loop(x, *as_pair(factor))
        assert torch.equal(resize_conv(x, weights, factor), convolution_loop(grown, weights))
        assert torch.equal(
            resize_conv(x, weights, factor, mode="bilinear"), resize_conv(bilinear(x, factor), weights, 1)
        )

    def test_every_plane_of_a_batch_alone(self, grid, factor):
        kernel = distinct(3, 3)
        methods = [nearest, bed_of_nails, bilinear, lambda x, factor: resize_conv(x, kernel, factor)]
        for lead in LEADS:
            x = distinct(*lead, *grid)
            for method in methods:
                whole = method(x, factor)
                for place in np.ndindex(*lead):
                    assert_near(whole[place], method(x[place], factor))


class TestResizeConv:
    @pytest.mark.parametrize("mode", ["nearest", "bilinear"])
    @pytest.mark.filterwarnings("error")  # torch warns about even kernels with padding="same"
    @pytest.mark.parametrize("kernel", [(3, 3), (2, 2), (5, 2)], ids=str)
    def test_mixes_channels_as_a_convolution_does(self, mode, kernel):
        x, weights = integers(2, 3, 4, 5, seed=1), integers(4, 3, *kernel, seed=2)
        frame = [(kernel[1] - 1) // 2, kernel[1] // 2, (kernel[0] - 1) // 2, kernel[0] // 2]
        grown = functional.interpolate(x, scale_factor=2, mode=mode)
        theirs = functional.conv2d(functional.pad(grown, frame), weights)
        assert_near(resize_conv(x, weights, 2, mode), theirs)

    @pytest.mark.filterwarnings("ignore:Using padding")
    def test_is_torchs_same_padding(self):
        x, weights = integers(1, 1, 3, 4), integers(1, 1, 4, 2)
        theirs = functional.conv2d(nearest(x), weights, padding="same")
        assert torch.equal(resize_conv(x, weights), theirs)


class TestMaxPooling:
    @pytest.mark.parametrize("size", [1, 2, 3, (1, 2), (3, 2)])
    @pytest.mark.parametrize("grid", [(3, 3), (4, 6), (5, 7)])
    def test_pool_is_the_loop_and_torchs_with_ties_to_the_first(self, grid, size):
        x = torch.randint(0, 3, grid, generator=torch.Generator().manual_seed(sum(grid))).float()  # many ties
        values, switches = max_pool(x, size)
        expected = max_pool_loop(x, *as_pair(size))
        assert torch.equal(values, expected[0])
        assert torch.equal(switches, expected[1])
        theirs = nn.MaxPool2d(size, return_indices=True)(x[None, None])
        assert torch.equal(values, theirs[0][0, 0])
        assert torch.equal(switches, theirs[1][0, 0])

    @pytest.mark.parametrize("lead", LEADS)
    @pytest.mark.parametrize("grid", [(4, 4), (5, 6)])
    def test_unpool_is_torchs(self, grid, lead):
        x = distinct(*lead, *grid)
        values, switches = max_pool(x)
        planes = values.reshape(-1, 1, *values.shape[-2:]), switches.reshape(-1, 1, *switches.shape[-2:])
        # The operator itself: functional.max_unpool2d imports for seconds first.
        theirs = torch.ops.aten.max_unpool2d(*planes, grid).reshape(x.shape)
        ours = max_unpool(values, switches, grid)
        assert torch.equal(ours, theirs)
        assert torch.equal(ours, torch.where(ours != 0, x, 0.0))  # every maximum stands where it stood

    def test_switches_count_in_each_plane_alone(self):
        x = distinct(2, 4, 4)
        _, switches = max_pool(x)
        for plane in range(2):
            assert torch.equal(switches[plane], max_pool(x[plane])[1])

    def test_pooling_the_unpooled_gives_the_values_back_unless_a_negative_meets_zeros(self):
        values, switches = max_pool(distinct(4, 6))
        assert torch.equal(max_pool(max_unpool(values, switches, (4, 6)))[0], values)
        assert torch.equal(max_pool(max_unpool(-values, switches, (4, 6)))[0], torch.zeros_like(values))

    def test_minus_infinity_is_a_number_too(self):
        x = torch.full((2, 2), -torch.inf)
        values, switches = max_pool(x)
        assert (values.item(), switches.item()) == (-torch.inf, 0)

    def test_output_size_tells_odd_from_even(self):
        values, switches = max_pool(distinct(5, 5))
        assert max_unpool(values, switches, 5).shape == (5, 5)
        assert max_unpool(values, switches, (5, 5)).sum() == values.sum()


class TestPixelShuffle:
    @pytest.mark.parametrize("factor", [1, 2, 3])
    @pytest.mark.parametrize("lead", LEADS)
    def test_is_torchs_module_and_a_reshape(self, lead, factor):
        x = distinct(*lead, 2 * factor**2, 3, 4)
        ours = pixel_shuffle(x, factor)
        split = x.reshape(*lead, 2, factor, factor, 3, 4)
        axes = (*range(len(lead) + 1), -2, -4, -1, -3)
        order = [axis % split.ndim for axis in axes]
        assert torch.equal(ours, split.permute(order).reshape(*lead, 2, 3 * factor, 4 * factor))
        assert torch.equal(ours, nn.PixelShuffle(factor)(x))

    def test_channel_by_channel(self):
        x = distinct(8, 2, 3)
        ours = pixel_shuffle(x, 2)
        for c, i, j in np.ndindex(2, 2, 2):
            assert torch.equal(ours[c, i::2, j::2], x[c * 4 + i * 2 + j])

    def test_a_tie_of_channels_is_nearest(self):
        x = distinct(1, 3, 3)
        assert torch.equal(pixel_shuffle(x.expand(4, 3, 3)), nearest(x))


def test_numpy_counts_are_whole_numbers_too():
    x = distinct(2, 2)
    assert torch.equal(nearest(x, np.int64(3)), nearest(x, 3))
    assert torch.equal(transposed_conv(x, x, stride=(np.int32(1), 3)), transposed_conv(x, x, stride=(1, 3)))


def test_no_method_writes_into_its_input_or_shares_memory_with_it():
    x, kernel = distinct(1, 4, 2, 2), distinct(2, 2)
    values, switches = max_pool(x)
    calls = [
        (nearest, x, 1), (bed_of_nails, x, 1), (bilinear, x, 1), (pixel_shuffle, x, 1),
        (transposed_conv, x, torch.ones(1, 1), 1), (resize_conv, x, torch.ones(1, 1), 1),
        (max_unpool, values, switches, 2), (transposed_conv, x, kernel), (resize_conv, x, kernel),
    ]  # fmt: skip
    for method, *arguments in calls:
        before = [value.clone() for value in arguments if isinstance(value, torch.Tensor)]
        method(*arguments).add_(100)
        after = [value for value in arguments if isinstance(value, torch.Tensor)]
        assert all(map(torch.equal, before, after)), method.__name__
