"""A function on planes becomes a layer that does exactly what the function does, mistakes included."""

import pytest
import torch
from torch.nn import functional

from coursekit.nets import SegmentationNet, own_layer
from coursekit.upsampling import bilinear, nearest, transposed_conv

SIZES = [(1, 1), (3, 2), (8, 11)]


def stamps(x, kernel, stride):
    """As a learner writes it."""
    canvas = torch.zeros((len(x) - 1) * stride + len(kernel), (x.shape[1] - 1) * stride + kernel.shape[1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            top, left = i * stride, j * stride
            canvas[top : top + len(kernel), left : left + kernel.shape[1]] += x[i, j] * kernel
    return canvas


def overwriting(x, kernel, stride):
    canvas = torch.zeros((len(x) - 1) * stride + len(kernel), (x.shape[1] - 1) * stride + kernel.shape[1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            top, left = i * stride, j * stride
            canvas[top : top + len(kernel), left : left + kernel.shape[1]] = x[i, j] * kernel
    return canvas


def flipped(x, kernel, stride):
    return stamps(x, kernel.flip(0, 1), stride)


def averaging(x, kernel, stride):
    return stamps(x, kernel, stride) / stamps(torch.ones_like(x), torch.ones_like(kernel), stride).clamp_min(
        1
    )


def blocks_only(x, kernel, stride):
    return stamps(x, kernel, stride)[: x.shape[0] * stride, : x.shape[1] * stride]


def channel_sum(function, layer, x, side):
    """What the layer should give, by calling the function for every pair of channels; uncut."""
    weight = layer.weight.detach().reshape(x.shape[1], -1, side, side)
    return torch.stack(
        [
            torch.stack(
                [
                    sum(function(image[i], weight[i, o], 2) for i in range(len(image)))
                    for o in range(weight.shape[1])
                ]
            )
            for image in x
        ]
    )


@pytest.mark.parametrize("side", [2, 3, 5])
def test_the_right_function_is_torchs_transposed_convolution(side):
    layer = own_layer(transposed_conv, kernel=side)(3, 2)
    kernel = layer.weight.reshape(3, 2, side, side)
    excess = side - 2  # beyond twice the rows: half of it goes above, as padding does in torch
    padding = -(-excess // 2)
    for size in SIZES:
        x = torch.randn(2, 3, *size)
        wanted = functional.conv_transpose2d(
            x, kernel, stride=2, padding=padding, output_padding=2 * padding - excess
        )
        assert torch.allclose(layer(x), wanted, atol=1e-5, rtol=1e-4)


def test_a_canvas_that_is_too_small_is_filled_with_zeros():
    layer = own_layer(transposed_conv, kernel=1)(3, 2)
    x = torch.randn(2, 3, 4, 5)
    nails = functional.conv_transpose2d(x, layer.weight.reshape(3, 2, 1, 1), stride=2)
    assert torch.allclose(layer(x), functional.pad(nails, [0, 1, 0, 1]), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("function", [stamps, overwriting, flipped, averaging, blocks_only])
@pytest.mark.parametrize("side", [3, 4])
def test_a_layer_does_what_its_function_does(function, side):
    layer = own_layer(function, kernel=side)(2, 3)
    for size in SIZES:
        x = torch.randn(2, 2, *size)
        canvas = channel_sum(function, layer, x, side)
        start = -(-(canvas.shape[-1] - 2 * size[1]) // 2)
        wanted = canvas[..., start : start + 2 * size[0], start : start + 2 * size[1]]
        assert torch.allclose(layer(x).detach(), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("function", [overwriting, flipped, averaging])
def test_a_wrong_function_is_not_quietly_mended(function):
    right, wrong = own_layer(stamps)(1, 1), own_layer(function)(1, 1)
    wrong.load_state_dict(right.state_dict())
    x = torch.randn(1, 1, 6, 6)
    assert not torch.allclose(right(x), wrong(x), atol=1e-2)


@pytest.mark.parametrize("function", [stamps, overwriting, averaging])
def test_gradients_are_the_functions_own(function):
    layer = own_layer(function, kernel=3)(1, 1)
    x = torch.randn(5, 6, requires_grad=True)
    kernel = layer.weight.detach().reshape(3, 3).clone().requires_grad_()
    function(x, kernel, 2)[1:11, 1:13].square().sum().backward()
    again = x.detach().clone().requires_grad_()
    layer(again[None, None]).square().sum().backward()
    assert torch.allclose(again.grad, x.grad, atol=1e-4, rtol=1e-4)
    assert torch.allclose(layer.weight.grad.reshape(3, 3), kernel.grad, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize(("function", "mode"), [(nearest, "nearest"), (bilinear, "bilinear")])
def test_a_function_without_a_kernel_enlarges_each_channel_and_mixes_them(function, mode):
    layer = own_layer(function, kernel=None)(2, 3)
    for size in SIZES:
        x = torch.randn(2, 2, *size)
        mixed = torch.einsum("nihw,io->nohw", x, layer.weight[..., 0])
        assert torch.allclose(
            layer(x), functional.interpolate(mixed, scale_factor=2, mode=mode), atol=1e-5, rtol=1e-4
        )


def test_the_function_is_not_called_while_the_net_runs():
    calls = []

    def counted(x, kernel, stride):
        calls.append(1)
        return stamps(x, kernel, stride)

    net = SegmentationNet(2, own_layer(counted, kernel=2), widths=(4, 4, 4))
    net(torch.rand(1, 3, 32, 32))
    before = len(calls)
    net(torch.rand(2, 3, 48, 40)).sum().backward()
    assert len(calls) == before
    assert net.upsampling == "counted"


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (3, "its bare name"),
        (lambda x, kernel, stride: None, "return canvas"),
        (lambda x, kernel, stride: x[5], "IndexError|return canvas"),
        (lambda x, kernel: x, "TypeError"),
        (lambda x, kernel, stride: stamps(x, kernel, 1), "two cells for each cell"),
        (lambda x, kernel, stride: stamps(x, kernel, 3), "two cells for each cell"),
        (lambda x, kernel, stride: stamps(x.T, kernel, stride), "two cells for each cell|alike"),
        (lambda x, kernel, stride: stamps(x, kernel, stride).relu(), "linear"),
        (lambda x, kernel, stride: stamps(x, kernel, stride) + 1, "linear"),
        (lambda x, kernel, stride: stamps(x.flip(0), kernel, stride), "alike"),
        (lambda x, kernel, stride: stamps(torch.ones_like(x), kernel, stride), "linear"),
    ],
)
def test_a_function_that_no_rule_describes_is_a_sentence(function, says):
    with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*Try ") as caught:
        own_layer(function)
    assert any(part in str(caught.value) for part in says.split("|"))


@pytest.mark.parametrize("kernel", [0, 9, 2.5, "4"])
def test_the_kernels_size_is_a_small_whole_number(kernel):
    with pytest.raises(ValueError, match=r"Expected kernel .*; got .*Try kernel=4"):
        own_layer(stamps, kernel=kernel)
