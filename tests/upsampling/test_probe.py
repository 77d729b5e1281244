"""`probe` on everything that can be called: it shows what the callable does, and disturbs nothing."""

import random
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from coursekit.upsampling import (
    Trace,
    bed_of_nails,
    bilinear,
    contributions,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    probe,
    resize_conv,
    transposed_conv,
)
from tests.upsampling.definitions import assert_near, distinct, integers, transposed_settings

X, KERNEL = distinct(2, 3), distinct(3, 2, seed=1)
PLANE = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def learners_loop(x, kernel, stride=2):
    out = torch.zeros(
        (x.shape[0] - 1) * stride + kernel.shape[0], (x.shape[1] - 1) * stride + kernel.shape[1]
    )
    for i, j in product(range(x.shape[0]), range(x.shape[1])):
        out[i * stride : i * stride + kernel.shape[0], j * stride : j * stride + kernel.shape[1]] += (
            x[i, j] * kernel
        )
    return out


def spoiling_loop(x, kernel):
    """Right, but it uses up its inputs on the way."""
    out = learners_loop(x, kernel)
    x.zero_()
    kernel += 1
    return out


def numpy_loop(x, kernel, stride=2):
    out = np.zeros(((x.shape[0] - 1) * stride + kernel.shape[0], (x.shape[1] - 1) * stride + kernel.shape[1]))
    for i, j in np.ndindex(x.shape):
        for a, b in np.ndindex(kernel.shape):
            out[i * stride + a, j * stride + b] += x[i, j] * kernel[a, b]
    return out


def gradient_of_a_convolution(x, kernel):
    """The transposed convolution as autograd does it."""
    y = torch.zeros(1, 1, 2 * x.shape[0] + kernel.shape[0] - 2, 2 * x.shape[1] + kernel.shape[1] - 2)
    y.requires_grad_()
    shrunk = functional.conv2d(y, kernel[None, None], stride=2)
    return torch.autograd.grad((shrunk[0, 0] * x).sum(), y)[0][0, 0]


def terms(trace):
    return {(part.input, part.weight, part.output): part.gain for part in trace.contributions}


def assert_adds_up(trace):
    """The three views agree with each other and with the output."""
    x, kernel = trace.x, trace.kernel
    predicted = trace.offset.flatten() + trace.matrix @ x.flatten().to(trace.matrix.dtype)
    assert_near(predicted.reshape(trace.output.shape), trace.output)
    total = trace.offset.clone()
    for part in trace.contributions:
        total[part.output] += x[part.input] * part.gain * (1 if part.weight is None else kernel[part.weight])
    assert_near(total, trace.output)
    everything = sorted(terms(trace))
    outs = product(*(range(side) for side in trace.output.shape))
    ins = product(*(range(side) for side in trace.x.shape))
    assert sorted((p.input, p.weight, p.output) for cell in outs for p in trace.into(cell)) == everything
    assert sorted((p.input, p.weight, p.output) for cell in ins for p in trace.out_of(cell)) == everything


class TestLinear:
    @pytest.mark.parametrize("found", transposed_settings(12, seed=9), ids=str)
    def test_a_transposed_convolutions_contributions_are_the_index_formula(self, found):
        found = dict(found)
        (h, w), (kh, kw) = found.pop("grid"), found.pop("kernel")
        trace = probe(transposed_conv, integers(h, w), integers(kh, kw, seed=1), **found)
        rows, columns = trace.output.shape
        expected = {}
        for i, j, a, b in product(range(h), range(w), range(kh), range(kw)):
            r = i * found["stride"][0] + a - found["padding"][0]
            c = j * found["stride"][1] + b - found["padding"][1]
            if 0 <= r < rows and 0 <= c < columns:
                expected[(i, j), (a, b), (r, c)] = 1.0
        assert trace.linear
        assert terms(trace) == expected

    @pytest.mark.parametrize(
        "method", [learners_loop, spoiling_loop, gradient_of_a_convolution, partial(learners_loop, stride=2)]
    )
    def test_however_it_is_written_the_terms_are_the_same(self, method):
        x, kernel = X.clone(), KERNEL.clone()
        trace = probe(method, x, kernel)
        assert trace.linear
        assert terms(trace) == terms(probe(transposed_conv, X, KERNEL, stride=2))
        assert torch.equal(x, X)
        assert torch.equal(kernel, KERNEL)
        assert_adds_up(trace)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_numpy_code_gets_arrays_and_gives_the_same_terms(self, dtype):
        seen = []

        def watched(x, kernel):
            seen.append((type(x), x.dtype, type(kernel)))
            return numpy_loop(x, kernel)

        trace = probe(watched, X.numpy().astype(dtype), KERNEL.numpy().astype(dtype))
        assert set(seen) == {(np.ndarray, np.dtype(dtype), np.ndarray)}
        assert trace.linear
        assert terms(trace) == terms(probe(transposed_conv, X, KERNEL, stride=2))

    def test_odd_arrays_work_too(self):
        backwards = X.numpy()[::-1, ::-1]
        frozen = X.numpy().copy()
        frozen.setflags(write=False)
        assert terms(probe(np.flip, backwards)) == terms(probe(np.flip, frozen))

    @pytest.mark.parametrize(
        ("method", "inputs", "kwargs"),
        [
            (nearest, (X,), {"factor": (2, 3)}),
            (bed_of_nails, (X,), {}),
            (bilinear, (X,), {"factor": 3}),
            (bilinear, (X,), {"align_corners": True}),
            (pixel_shuffle, (distinct(4, 2, 2),), {}),
            (resize_conv, (PLANE, distinct(3, 3)), {}),
            (transposed_conv, (distinct(2, 2, 2), KERNEL), {}),
            (transposed_conv, (distinct(1, 2, 2, 2), distinct(2, 3, 2, 1)), {}),
            (lambda x: x.mean(), (X,), {}),
            (torch.flatten, (X,), {}),
            (nn.Upsample(scale_factor=2), (distinct(1, 2, 2, 2),), {}),
            (nn.PixelShuffle(2), (distinct(4, 1, 2),), {}),
            (nn.AvgPool2d(2), (distinct(1, 4, 4),), {}),
            (nn.ConvTranspose2d(1, 2, 3, 2, bias=False), (PLANE[None, None],), {}),
        ],
        ids=lambda value: getattr(
            value, "__name__", type(value).__name__ if isinstance(value, nn.Module) else ""
        ),
    )
    def test_the_views_agree(self, method, inputs, kwargs):
        trace = probe(method, *inputs, **kwargs)
        assert trace.linear
        assert not trace.offset.any()
        assert_adds_up(trace)

    def test_max_unpooling_is_linear_once_its_switches_are_held(self):
        values, switches = max_pool(distinct(4, 4))
        trace = probe(max_unpool, values, switches, (4, 4))
        assert trace.linear
        expected = {((i, j), None, divmod(int(switches[i, j]), 4)): 1.0 for i, j in np.ndindex(2, 2)}
        assert terms(trace) == expected

    def test_channels_are_told_apart(self):
        x, kernel = distinct(1, 2, 2, 2), distinct(2, 3, 1, 1)
        trace = probe(transposed_conv, x, kernel)
        for part in trace.contributions:
            assert part.weight == (part.input[1], part.output[1], 0, 0)

    @settings(max_examples=15)
    @given(
        st.integers(0, len(transposed_settings(20, seed=3)) - 1),
        st.floats(-8, 8, width=16),
        st.floats(-8, 8, width=16),
        st.integers(0, 99),
    )
    def test_superposition(self, place, first, second, seed):
        """What the trace says of a weighed sum of inputs is what the method does with it."""
        found = dict(transposed_settings(20, seed=3)[place])
        grid, kernel = found.pop("grid"), integers(*found.pop("kernel"), seed=seed).double()
        x, y = (integers(*grid, seed=seed + i).double() for i in (1, 2))
        mixed = transposed_conv(first * x + second * y, kernel, **found)
        matrix = probe(
            lambda grid: transposed_conv(grid, kernel, **found), torch.ones(grid, dtype=torch.float64)
        ).matrix
        assert_near(matrix @ (first * x + second * y).flatten(), mixed.flatten())

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    def test_rounding_is_not_taken_for_bending(self, dtype):
        x, kernel = torch.rand(3, 3).to(dtype), torch.rand(3, 3).to(dtype)
        for method in (transposed_conv, resize_conv):
            trace = probe(method, x, kernel)
            assert trace.linear
            assert trace.output.dtype == trace.matrix.dtype == dtype
        assert probe(bilinear, x, factor=3).linear

    def test_products_in_float32_added_in_float64_are_linear(self):
        trace = probe(
            numpy_loop, np.random.default_rng(0).random((3, 3), np.float32), np.full((2, 2), 0.1, np.float32)
        )
        assert trace.linear

    def test_a_transform_and_back_is_linear_despite_its_rounding(self):
        def by_fourier(x, kernel):
            return torch.fft.irfft2(torch.fft.rfft2(x, (6, 6)) * torch.fft.rfft2(kernel, (6, 6)), (6, 6))

        assert probe(by_fourier, PLANE, KERNEL).linear


class TestAffine:
    def test_a_bias_is_the_offset(self):
        module = nn.ConvTranspose2d(1, 2, 3, stride=2)
        trace = probe(module, PLANE[None, None])
        assert (trace.kind, trace.linear) == ("affine", False)
        assert_near(trace.offset, module.bias.detach()[None, :, None, None].expand(1, 2, 5, 5))
        assert_adds_up(trace)
        bare = nn.ConvTranspose2d(1, 2, 3, stride=2, bias=False)
        bare.weight = module.weight
        assert_near(trace.matrix, probe(bare, PLANE[None, None]).matrix)

    def test_with_a_kernel_too(self):
        trace = probe(lambda x, kernel: transposed_conv(x, kernel) + 7, X, KERNEL)
        assert trace.kind == "affine"
        assert trace.offset.unique().tolist() == [7]
        assert terms(trace) == terms(probe(transposed_conv, X, KERNEL))

    def test_a_sum_with_the_kernel_is_affine_in_the_grid(self):
        trace = probe(lambda x, kernel: x + kernel.sum(), X, torch.ones(2, 2))
        assert (trace.kind, trace.kernel, trace.offset.unique().tolist()) == ("affine", None, [4])


class TestHeldKernel:
    @pytest.mark.parametrize(
        "squash", [torch.tanh, lambda k: k**2, lambda k: k / k.sum(), lambda k: k + 1, lambda k: k.softmax(0)]
    )
    def test_linear_in_the_grid_but_not_in_the_kernel(self, squash):
        trace = probe(lambda x, kernel: transposed_conv(x, squash(kernel)), X, KERNEL)
        assert trace.linear
        assert trace.kernel is None
        assert all(part.weight is None for part in trace.contributions)
        assert_near(trace.matrix, probe(transposed_conv, X, squash(KERNEL)).matrix)


class TestLocal:
    @pytest.mark.parametrize(
        "method",
        [
            torch.relu,
            torch.sigmoid,
            torch.square,
            torch.abs,
            torch.round,
            torch.exp,
            torch.log,
            torch.sqrt,
            lambda x: x.long(),
            lambda x: x > 1,
            lambda x: x / x.sum(),
            lambda x: x.softmax(-1),
            lambda x: x.clamp(0, 255),
            lambda x: x.clamp(-500, 500),
            lambda x: functional.max_pool2d(x[None], 2),
            lambda x: x * x.flip(0),
        ],
    )
    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_what_bends_is_local(self, method, dtype):
        trace = probe(method, PLANE.to(dtype))
        assert (trace.kind, trace.linear) == ("local", False)
        assert_adds_up(trace)

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    @pytest.mark.parametrize(
        "method", [torch.relu, torch.square, lambda x: functional.max_pool2d(x[None], 2)]
    )
    def test_in_half_precision_too(self, method, dtype):
        assert probe(method, PLANE.to(dtype)).kind == "local"

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
    @pytest.mark.parametrize("scale", [1, 64, 4096])
    def test_slopes_are_the_slopes_at_the_given_inputs(self, dtype, scale):
        x = torch.tensor([[-2.0, 3.0], [5.0, -7.0]], dtype=dtype) * scale
        slopes = probe(torch.relu, x).matrix.diag().tolist()
        assert slopes == [0, 1, 1, 0]

    def test_max_pooling_shows_who_won(self):
        trace = probe(max_pool, torch.tensor([[1.0, 5.0], [2.0, 3.0]]))  # a tuple: its first entry counts
        assert terms(trace) == {((0, 1), None, (0, 0)): 1.0}


class TestRefusals:
    def test_random_callables_are_refused_not_traced(self):
        x = torch.ones(3, 3)
        for method in (nn.Dropout(0.5), lambda x: x + torch.rand(3, 3), lambda x: x * random.random()):
            with pytest.raises(ValueError, match=r"Expected the same output.* Try module\.eval"):
                probe(method, x)
        assert probe(nn.Dropout(0.5).eval(), x).linear

    def test_a_fixed_seed_inside_is_not_random(self):
        def seeded(x):
            torch.manual_seed(3)
            return x * torch.rand(2, 2)

        assert probe(seeded, PLANE).linear

    def test_its_own_errors_come_through(self):
        def picky(x):
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            probe(picky, X)

    def test_an_error_far_from_the_given_inputs_only_makes_it_local(self):
        def positive(x):
            assert x.min() > 0
            return x * 2

        trace = probe(positive, PLANE)
        assert trace.kind == "local"
        assert torch.equal(trace.matrix, 2 * torch.eye(4))

    @pytest.mark.parametrize(
        ("answer", "attempt"),
        [
            (lambda x: None, "a return at the end of <lambda>"),
            (lambda x: [x], "torch.tensor"),
            (lambda x: 3.0, "torch.tensor"),
            (lambda x: (), "torch.tensor"),
            (lambda x: (None, x), "torch.tensor"),
            (lambda x: torch.fft.fft2(x), "its real part"),
            (lambda x: np.array(["a"]), "an array of floats"),
            (lambda x: np.array([None]), "an array of floats"),
            (lambda x: x[:0], "1x1 or more"),
            (lambda x: x / 0, "small whole numbers"),
        ],
    )
    def test_unusable_answers(self, answer, attempt):
        with pytest.raises((TypeError, ValueError), match=r"^Expected .*; got .*\. Try ") as caught:
            probe(answer, X)
        assert attempt in str(caught.value)

    def test_a_shape_that_depends_on_the_values(self):
        for method in (lambda x: x[x > 0], lambda x: x[: int(x.sum().clamp(1, 2))], torch.nonzero):
            with pytest.raises(ValueError, match="Expected one output shape for every input of one shape"):
                probe(method, torch.ones(2, 2))

    def test_too_large_a_grid_is_refused_at_once(self):
        with pytest.raises(
            ValueError, match=r"Expected at most 20,000 impulses .* got 90,000\. Try a smaller grid"
        ):
            probe(transposed_conv, torch.ones(100, 100), torch.ones(3, 3))

    def test_a_large_trace_is_kept_sparse_and_its_matrix_is_refused(self, monkeypatch):
        monkeypatch.setattr(contributions, "MOST_ENTRIES", 1_000_000)
        trace = probe(nearest, torch.ones(30, 30))
        assert len(trace.gains) == 60 * 60
        assert "30x30 -&gt; 60x60" in trace._repr_html_()  # which does not touch the matrix
        with pytest.raises(ValueError, match=r"at most 1,000,000 entries; got 3,600 x 900\. Try into"):
            _ = trace.matrix

    def test_what_is_no_cell(self):
        trace = probe(nearest, X)
        for cell in ((9, 0), (0, -1), (0,), (0, 0, 0), 1, "a", (0.0, 1), (True, 0), None):
            with pytest.raises(
                ValueError, match=r"Expected an input cell from \(0, 0\) to \(1, 2\).*Try \(1, 2\)"
            ):
                trace.out_of(cell)
            with pytest.raises(ValueError, match=r"Expected an output cell"):
                trace.into(cell)
        assert trace.into([np.int64(0), 1]) == trace.into((0, 1))
        assert trace.into((3, 5)) == trace.out_of((1, 2))[-1:]


class TestNothingIsDisturbed:
    def test_random_generators(self):
        def drawing(x):
            return x + 0 * (torch.rand(1) + np.random.rand() + random.random())

        before = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
        probe(drawing, X)
        with pytest.raises(ValueError, match="same output"):
            probe(nn.Dropout(), torch.ones(3, 3))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
        assert random.getstate() == before[2]

    def test_running_averages_and_threads(self):
        module, threads = nn.BatchNorm2d(2), torch.get_num_threads()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        assert probe(module, distinct(1, 2, 3, 3)).kind == "local"
        assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
        assert torch.get_num_threads() == threads

    def test_inputs_that_want_gradients(self):
        x, kernel = X.clone().requires_grad_(), nn.Parameter(KERNEL)
        trace = probe(transposed_conv, x, kernel)
        assert terms(trace) == terms(probe(transposed_conv, X, KERNEL))
        assert x.grad is None
        assert not trace.output.requires_grad

    def test_held_arguments_and_settings(self):
        switches, shift, plain = torch.tensor([[1, 2]]), np.ones(2), torch.ones(2)

        def spoiling(x, held, *, more, array):
            out = x * held.sum() * more.sum() * array.sum()
            held += 1
            more.zero_()
            array[:] = 0
            return out

        trace = probe(spoiling, torch.ones(1, 2), switches, more=plain, array=shift)
        assert trace.matrix.tolist() == [[12, 0], [0, 12]]
        assert (switches.tolist(), plain.tolist(), shift.tolist()) == ([[1, 2]], [1, 1], [1, 1])

    def test_a_trace_does_not_change_with_its_inputs(self):
        x, kernel = X.clone(), KERNEL.clone()
        trace = probe(transposed_conv, x, kernel)
        x.zero_()
        kernel.zero_()
        assert torch.equal(trace.x, X)
        assert torch.equal(trace.matrix @ trace.x.flatten(), trace.output.flatten())


class TestShown:
    def test_a_trace_says_what_it_is(self):
        assert repr(probe(nearest, PLANE)) == "Trace(nearest, 2x2 -> 4x4, 16 contributions, linear)"
        assert repr(probe(partial(nearest, factor=1), PLANE)).startswith("Trace(nearest, 2x2 -> 2x2")
        assert "Trace(Upsample, 1x1x2x2" in repr(probe(nn.Upsample(scale_factor=2), PLANE[None, None]))

    def test_it_shows_itself_as_tables(self):
        page = probe(transposed_conv, PLANE, torch.ones(2, 2))._repr_html_()
        for title in ("input", "kernel", "output", "matrix"):
            assert f">{title}" in page
        assert "&lt;lambda&gt;" in probe(lambda x: x, PLANE)._repr_html_()

    def test_a_setting_may_bear_any_name(self):
        trace = probe(lambda x, method, self: x * method * self, PLANE, method=2, self=3)
        assert isinstance(trace, Trace)
        assert trace.settings == {"method": 2, "self": 3}
