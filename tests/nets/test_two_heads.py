"""`TwoHeadNet`: one feature extractor, two heads; frozen means bit-equal."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from coursekit.nets import SegmentationNet, TwoHeadNet, cost
from coursekit.nets.box_heads import SpatialBoxHead

WIDTHS = (4, 8, 8)


def images(count=2, rows=32, columns=32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, rows, columns), dtype=torch.uint8, generator=generator)


def numbers(module):
    return {name: each.clone() for name, each in module.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first) and first.keys() == second.keys()


@pytest.mark.parametrize("box_head", ["spatial", "average"])
@pytest.mark.parametrize("size", [(32, 32), (45, 64), (8, 9), (1, 1)])
def test_any_size_gives_a_label_and_a_box(box_head, size):
    net = TwoHeadNet(3, widths=WIDTHS, box_head=box_head).eval()
    logits, boxes = net(images(4, *size))
    assert logits.shape == (4, 3)
    assert boxes.shape == (4, 4)
    assert bool((boxes[:, 2:] >= 0).all())
    assert bool(boxes.isfinite().all())


def test_bytes_and_floats_from_0_to_1_are_the_same_images():
    net = TwoHeadNet(3, widths=WIDTHS).eval()
    bytes_, floats = net(images()), net(images() / 255)
    for one, other in zip(bytes_, floats, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_the_seed_decides_and_torchs_own_numbers_stay():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    first, second, other = (TwoHeadNet(3, widths=WIDTHS, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(2), expected)
    assert same(numbers(first), numbers(second))
    assert not same(numbers(first), numbers(other))


def test_a_spatial_head_looks_where_its_maps_point():
    head = SpatialBoxHead(1, hidden=1).eval()
    with torch.no_grad():
        for each in head.maps.parameters():
            each.zero_()
        head.maps.bias[0] = 0.0
    attention, places = head.looked_at(torch.zeros(1, 1, 2, 4))
    assert torch.allclose(attention.sum((2, 3)), torch.ones(1, 4))
    assert torch.allclose(places[0, 0], torch.tensor([0.125, 0.375, 0.625, 0.875]).expand(2, 4))  # left: x
    assert torch.allclose(places[0, 1, :, 0], torch.tensor([0.25, 0.75]))  # top: y
    # All cells count alike, so all four sides lie in the middle and the box has no size.
    assert torch.allclose(head(torch.zeros(1, 1, 2, 4)), torch.tensor([[0.5, 0.5, 0.0, 0.0]]))


def test_a_spatial_box_moves_with_the_features_and_an_average_one_does_not():
    features = torch.zeros(1, 8, 8, 8)
    features[:, :, 2:4, 2:4] = 3.0
    moved = features.roll((2, 3), (2, 3))
    torch.manual_seed(0)
    net = TwoHeadNet(2, widths=WIDTHS).eval()
    average = TwoHeadNet(2, widths=WIDTHS, box_head="average").eval()
    assert torch.equal(average.box_head(features), average.box_head(moved))
    assert not torch.equal(net.box_head(features), net.box_head(moved))


# --- backbones -------------------------------------------------------------------------------------


def test_a_trained_net_gives_a_copy_of_its_encoder():
    trained = SegmentationNet(5, widths=WIDTHS, seed=7)
    before = numbers(trained)
    net = TwoHeadNet(5, trained)
    assert same(numbers(net.backbone.encoder), numbers(trained.encoder))
    net(images())  # in training mode: normalisation moves, but not in the net it came from
    assert same(before, numbers(trained))
    assert not same(numbers(net.backbone.encoder), numbers(trained.encoder))


def test_another_two_head_net_gives_its_features_thawed_or_frozen():
    first = TwoHeadNet(3, widths=WIDTHS, seed=5, freeze=True)
    second = TwoHeadNet(7, first)
    assert same(numbers(first.backbone), numbers(second.backbone))
    assert all(each.requires_grad for each in second.parameters())
    assert not any(each.requires_grad for each in TwoHeadNet(7, second, freeze=True).backbone.parameters())
    assert all(each.requires_grad for each in second.parameters())


def test_a_module_of_ones_own_and_a_head_of_ones_own():
    own = nn.Sequential(nn.Conv2d(3, 6, 3, stride=4), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(24, 4), nn.Sigmoid())
    net = TwoHeadNet(2, own, box_head=head)
    logits, boxes = net(images() / 255)
    assert (logits.shape, boxes.shape) == ((2, 2), (2, 4))


def test_naive_means_no_pooling():
    assert TwoHeadNet(2, "naive", widths=WIDTHS).features(images()).shape[2:] == (32, 32)
    assert TwoHeadNet(2, "encoder", widths=WIDTHS).features(images()).shape[2:] == (8, 8)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5"])
def test_a_torchvision_model_keeps_its_own_weights_and_colours(name):
    from torchvision import models

    model = getattr(models, name)(weights=None).eval()
    net = TwoHeadNet(2, model, freeze=True)
    assert same(numbers(net.backbone.layers), numbers(TwoHeadNet(2, model).backbone.layers))
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pixels = (images(2, 64, 64) / 255 - mean[:, None, None]) / deviation[:, None, None]
    torch.testing.assert_close(
        net.features(images(2, 64, 64)), net.backbone.layers(pixels), atol=1e-4, rtol=1e-3
    )


def test_torchvisions_resnet_is_cut_before_it_pools():
    from torchvision.models import resnet18

    model = resnet18(weights=None).eval()
    net = TwoHeadNet(2, model, freeze=True)
    pixels = torch.rand(1, 3, 64, 64)
    normal = (pixels - net.backbone.mean) / net.backbone.deviation
    with torch.no_grad():
        whole = model(normal)
        mine = model.fc(net.features(pixels).mean((2, 3)))
    torch.testing.assert_close(whole, mine, atol=1e-4, rtol=1e-4)


# --- frozen ----------------------------------------------------------------------------------------


def test_a_frozen_backbone_is_in_evaluation_mode_whatever_is_asked():
    net = TwoHeadNet(3, widths=WIDTHS, freeze=True).train()
    assert not any(module.training for module in net.backbone.modules())
    assert net.box_head.training
    before = numbers(net.backbone)
    sum(part.sum() for part in net(images())).backward()
    assert same(before, numbers(net.backbone))
    assert all(each.grad is None for each in net.backbone.parameters())
    assert all(each.grad is not None for each in net.box_head.parameters())


def test_a_backbone_that_is_not_frozen_learns_and_normalises():
    net = TwoHeadNet(3, widths=WIDTHS).train()
    assert all(module.training for module in net.backbone.modules())
    before = numbers(net.backbone)
    sum(part.sum() for part in net(images())).backward()
    assert not same(before, numbers(net.backbone))
    assert all(each.grad is not None for each in net.backbone.parameters())


def test_heads_on_kept_features_answer_as_the_whole_net():
    net = TwoHeadNet(3, widths=WIDTHS).eval()
    with torch.no_grad():
        for one, other in zip(net(images()), net.heads(net.features(images())), strict=True):
            assert torch.equal(one, other)


def test_a_copy_of_a_frozen_net_is_frozen():
    net = deepcopy(TwoHeadNet(3, widths=WIDTHS, freeze=True)).train()
    assert not any(module.training for module in net.backbone.modules())


def test_the_cost_counts_both_heads_and_a_frozen_net_keeps_less():
    both, frozen = (cost(TwoHeadNet(3, widths=WIDTHS, freeze=freeze), 32) for freeze in (False, True))
    assert (
        both.multiply_adds
        == frozen.multiply_adds
        > cost(SegmentationNet(3, widths=WIDTHS), 32).multiply_adds / 3
    )
    assert frozen.activation_bytes < both.activation_bytes / 2
    assert both.receptive_field[0] > 8


# --- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "settings", "kind", "words"),
    [
        ((0,), {}, ValueError, "1 to 255 classes"),
        (("five",), {}, TypeError, "classes as a whole number"),
        ((2, "resnet"), {}, ValueError, "'encoder'"),
        ((2, 7), {}, TypeError, "backbone as a net or a name"),
        ((2, SegmentationNet), {}, TypeError, "with its brackets"),
        ((2, nn.Flatten()), {}, ValueError, "features (N, C, h, w)"),
        ((2, nn.Conv2d(1, 4, 3)), {}, ValueError, "the backbone alone"),
        ((2,), {"box_head": "flat"}, ValueError, "'spatial', 'average'"),
        ((2,), {"box_head": 3}, TypeError, "box_head as a module"),
        ((2,), {"freeze": "yes"}, TypeError, "freeze=True"),
        ((2,), {"norm": "layer"}, ValueError, 'norm="batch"'),
        ((2,), {"widths": ()}, ValueError, "widths as positive whole numbers"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(arguments, settings, kind, words):
    with pytest.raises(kind) as refused:
        TwoHeadNet(*arguments, **settings)
    text = str(refused.value)
    assert words in text
    assert text.startswith("Expected ")
    assert "; got " in text
    assert ". Try " in text


def test_a_torchvision_model_without_a_grid_is_refused():
    from torchvision.models import vit_b_16

    with pytest.raises(ValueError, match="a torchvision model with features to take"):
        TwoHeadNet(2, vit_b_16(weights=None))
