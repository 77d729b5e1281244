"""Every decoder at every size, and what happens to a layer that cannot be one."""

import pytest
import torch
from torch import nn

from coursekit.nets import UPSAMPLINGS, SegmentationNet
from coursekit.nets.decoders import put_back

SIZES = [(1, 1), (2, 3), (5, 7), (33, 20)]


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("classes", [1, 5])
def test_any_size_comes_back_with_a_logit_for_every_class(upsampling, classes):
    net = SegmentationNet(classes, upsampling, widths=(4, 6, 8))
    for rows, columns in SIZES:
        images = torch.randint(0, 256, (1, 3, rows, columns), dtype=torch.uint8)
        logits = net.train()(images)
        assert logits.shape == (1, classes, rows, columns)
        logits.square().mean().backward()
        assert net.eval()(images).isfinite().all()
    assert all(each.grad is not None and each.grad.isfinite().all() for each in net.parameters())


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_bytes_and_floats_from_0_to_1_are_the_same_image(upsampling):
    net = SegmentationNet(3, upsampling, widths=(4, 8)).eval()
    images = torch.randint(0, 256, (2, 3, 9, 12), dtype=torch.uint8)
    assert torch.allclose(net(images), net(images.float() / 255), atol=1e-4, rtol=1e-4)


def test_a_layer_of_your_own_is_the_named_one_when_it_is_the_same_layer():
    named = SegmentationNet(3, "transposed", widths=(4, 8, 8))
    own = SegmentationNet(
        3, lambda ins, outs: nn.ConvTranspose2d(ins, outs, 4, 2, 1, bias=False), widths=(4, 8, 8)
    )
    images = torch.rand(2, 3, 16, 24)
    assert torch.equal(named.eval()(images), own.eval()(images))


def test_a_class_that_is_a_layer_works_as_a_callable():
    class Repeat(nn.Module):
        def __init__(self, ins, outs):
            super().__init__()
            self.mix = nn.Conv2d(ins, outs, 1)

        def forward(self, x):
            return self.mix(x).repeat_interleave(2, -1).repeat_interleave(2, -2)

    assert SegmentationNet(2, Repeat)(torch.rand(1, 3, 21, 21)).shape == (1, 2, 21, 21)


def test_trying_a_layer_out_leaves_it_as_it_was():
    net = SegmentationNet(
        2, lambda ins, outs: nn.Sequential(nn.ConvTranspose2d(ins, outs, 2, 2), nn.BatchNorm2d(outs))
    )
    norms = [each for name, each in net.named_modules() if "upsampler.1" in name]
    assert norms
    assert all(int(each.num_batches_tracked) == 0 and each.training for each in norms)


def test_the_seed_decides_the_weights_and_nothing_else():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = SegmentationNet(4), SegmentationNet(4), SegmentationNet(4, seed=1)
    assert torch.equal(torch.rand(3), expected)
    pairs = list(zip(first.parameters(), second.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(mine, same) for mine, same, _ in pairs)
    assert any(not torch.equal(mine, differs) for mine, _, differs in pairs)


def test_group_norm_sees_one_image_at_a_time():
    images = torch.rand(3, 3, 16, 16)
    by_group, by_batch = (SegmentationNet(2, widths=(4, 8), norm=norm).train() for norm in ("group", "batch"))
    assert torch.allclose(by_group(images)[:1], by_group(images[:1]), atol=1e-5)
    assert not torch.allclose(by_batch(images)[:1], by_batch(images[:1]))


def test_the_u_net_hands_fine_detail_on_and_the_others_cannot():
    """With nothing coming through the bottom, only what a U-Net lays beside can reach the logits."""
    image = torch.zeros(1, 3, 16, 16)
    nudged = image.clone()
    nudged[..., 8, 8] = 0.5
    net = SegmentationNet(2, "unet", widths=(4, 8)).eval()
    with torch.no_grad():
        net.encoder.blocks[1][0][0].weight.zero_()  # nothing gets through the bottom
    assert not torch.allclose(net(image), net(nudged))
    blind = SegmentationNet(2, "transposed", widths=(4, 8)).eval()
    with torch.no_grad():
        blind.encoder.blocks[1][0][0].weight.zero_()
    assert torch.equal(blind(image), blind(nudged))


def test_unpooling_is_torchs():
    values, switches = nn.functional.max_pool2d(
        torch.randn(2, 3, 7, 10), 2, ceil_mode=True, return_indices=True
    )
    wanted = nn.functional.max_unpool2d(values, switches, 2, output_size=[7, 10])
    assert torch.equal(put_back(values, switches, (7, 10)), wanted)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"classes": 0}, "classes=2"),
        ({"classes": 300}, "classes=2"),
        ({"classes": ("a", "b", "c")}, "classes=3"),
        ({"classes": 2.0}, "whole number"),
        ({"classes": 2, "widths": ()}, "widths"),
        ({"classes": 2, "widths": (8, 0)}, "widths"),
        ({"classes": 2, "norm": "layer"}, "norm"),
        ({"classes": 2, "upsampling": "transpose"}, "'transposed'"),
        ({"classes": 2, "upsampling": 3}, "transposed"),
        ({"classes": 2, "upsampling": nn.Upsample(scale_factor=2)}, "finished layer"),
        ({"classes": 2, "upsampling": lambda ins: nn.Identity()}, "two numbers"),
        ({"classes": 2, "upsampling": lambda ins, outs: None}, "return nn.ConvTranspose2d"),
        (
            {"classes": 2, "upsampling": lambda ins, outs: nn.ConvTranspose2d(ins, outs, 3, 2)},
            "(2, 32, 7, 11)",
        ),
        (
            {"classes": 2, "upsampling": lambda ins, outs: nn.ConvTranspose2d(outs, ins, 2, 2)},
            "the layer alone",
        ),
        ({"classes": 2, "upsampling": lambda ins, outs: nn.Upsample(scale_factor=2)}, "(2, 64, 6, 10)"),
    ],
)
def test_what_cannot_be_is_a_sentence(arguments, says):
    with pytest.raises((TypeError, ValueError)) as caught:
        SegmentationNet(**arguments)
    message = str(caught.value)
    assert message.startswith("Expected ")
    assert "; got " in message
    assert ". Try " in message
    assert says in message


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (torch.zeros(3, 8, 8), "images[None]"),
        (torch.zeros(1, 1, 8, 8), "(N, 3, H, W)"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.int64), "uint8"),
        (torch.zeros(1, 3, 0, 8), "at least one pixel"),
        ([[1.0]], "(N, 3, H, W)"),
    ],
)
def test_images_of_another_kind_are_a_sentence(images, says):
    with pytest.raises((TypeError, ValueError), match=r"Expected .*; got .*Try ") as caught:
        SegmentationNet(2)(images)
    assert says in str(caught.value)
