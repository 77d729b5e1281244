"""Other dtypes, gradients, and a GPU where there is one."""

import pytest
import torch
from torch.nn import functional

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
from tests.upsampling.definitions import distinct, integers

FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
X, KERNEL = integers(4, 4, 3), integers(3, 2, seed=1)
METHODS = {
    "nearest": nearest,
    "bed_of_nails": bed_of_nails,
    "bilinear": bilinear,
    "max_pool": lambda x: max_pool(x)[0],
    "max_unpool": lambda x: max_unpool(x, torch.arange(12, device=x.device).reshape(4, 3).expand(4, 4, 3), 4),
    "pixel_shuffle": pixel_shuffle,
    "transposed_conv": lambda x: transposed_conv(x, KERNEL.to(x), padding=1, output_padding=1),
    "resize_conv": lambda x: resize_conv(x, KERNEL.to(x)),
    "resize_conv, bilinear": lambda x: resize_conv(x, KERNEL.to(x), mode="bilinear"),
}
LINEAR = [name for name in METHODS if name != "max_pool"]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", METHODS)
def test_every_float_dtype_stays_and_counts_alike(name, dtype):
    """Small whole numbers, halves and quarters have an exact place in all of them."""
    ours = METHODS[name](X.to(dtype))
    assert ours.dtype == dtype
    rounding = 0.02 if dtype == torch.bfloat16 and "bilinear" in name else 0
    exact = METHODS[name](X.double())
    assert float((ours.double() - exact).abs().max()) <= rounding * float(exact.abs().max())


@pytest.mark.parametrize("name", LINEAR)
def test_the_gradient_is_the_probed_matrix_transposed(name):
    """Two engines that know nothing of each other: autograd, and unit impulses."""
    x = X.double().requires_grad_()
    out = METHODS[name](x)
    weights = distinct(*out.shape).double()
    gradient = torch.autograd.grad((out * weights).sum(), x)[0]
    assert torch.equal(probe(METHODS[name], X.double()).matrix.T @ weights.flatten(), gradient.flatten())


@pytest.mark.parametrize("method", [transposed_conv, resize_conv])
def test_the_kernels_gradient_is_what_the_contributions_say(method):
    x, kernel = X[0].double(), KERNEL.double().requires_grad_()
    out = method(x, kernel)
    weights = distinct(*out.shape).double()
    gradient = torch.autograd.grad((out * weights).sum(), kernel)[0]
    expected = torch.zeros_like(gradient)
    for part in probe(method, x, kernel).contributions:
        expected[part.weight] += part.gain * x[part.input] * weights[part.output]
    assert torch.equal(gradient, expected)


def test_max_pooling_sends_the_gradient_to_the_winners():
    x = distinct(4, 6).requires_grad_()
    values, switches = max_pool(x)
    gradient = torch.autograd.grad(values.sum(), x)[0]
    assert gradient.flatten().nonzero().flatten().tolist() == sorted(switches.flatten().tolist())


@pytest.mark.slow
@pytest.mark.parametrize("name", LINEAR)
def test_gradcheck(name):
    """Torch's own check, second derivatives too; slow because of what it imports."""
    x = torch.rand(4, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(METHODS[name], (x,))
    assert torch.autograd.gradgradcheck(METHODS[name], (x,))


@pytest.mark.slow
@pytest.mark.parametrize("method", [transposed_conv, resize_conv])
def test_gradcheck_of_grid_and_kernel_together(method):
    x = torch.rand(1, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    kernel = torch.rand(2, 2, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(method, (x, kernel))


def test_views_that_lie_scattered_in_memory():
    x = distinct(3, 4, 4, 2).permute(3, 1, 2, 0)[:, :, ::2]
    assert not x.is_contiguous()
    for name, method in METHODS.items():
        if name != "max_unpool":  # made for another shape
            assert torch.equal(method(x), method(x.contiguous())), name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
class TestOnTheGpu:
    @pytest.mark.parametrize("name", METHODS)
    def test_as_on_the_cpu(self, name):
        ours = METHODS[name](X.cuda())
        assert ours.is_cuda
        assert torch.equal(ours.cpu(), METHODS[name](X))

    def test_probed_and_named(self):
        trace = probe(transposed_conv, X[0].cuda(), KERNEL.cuda())
        assert trace.linear
        assert torch.equal(trace.output, transposed_conv(X[0], KERNEL))
        assert fingerprint(trace).looks_like == fingerprint(probe(transposed_conv, X[0], KERNEL)).looks_like
        before = torch.cuda.get_rng_state()
        with pytest.raises(ValueError, match="same output"):
            probe(functional.dropout, X.cuda())
        assert torch.equal(torch.cuda.get_rng_state(), before)

    def test_two_devices_are_refused_with_a_sentence(self):
        with pytest.raises(TypeError, match=r"one device; got .*\. Try kernel\.to\(x\.device\)"):
            transposed_conv(X.cuda(), KERNEL)
