"""Lesson 09's references against the course's nets and losses, and its mistakes as people type them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from coursekit.boxes import normalize
from coursekit.checking import check, function_from
from coursekit.data import load_scenes
from coursekit.exercises import find_exercise
from coursekit.exercises.two_heads import box_head, joint_loss, joint_step, mirrored_rounds
from coursekit.nets.box_heads import SpatialBoxHead
from coursekit.training import JointLoss, fit
from coursekit.training.joint import Truth
from coursekit.training.mirrors import turned_over

seeds = pytest.mark.parametrize("seed", range(10))


@seeds
def test_the_head_is_the_courses_without_its_corrections(seed: int) -> None:
    torch.manual_seed(seed)
    theirs = SpatialBoxHead(3).eval()
    with torch.no_grad():
        theirs.maps.weight[4:], theirs.maps.bias[:] = 0, 0
        features = torch.randn(2, 3, 5, 7)
        x, y, w, h = box_head(theirs.block(features), theirs.maps.weight[:4]).unbind(1)
        first, second = torch.stack([x, y], 1), torch.stack([x + w, y + h], 1)
        corner = torch.minimum(first, second)
        ours = torch.cat([corner, torch.maximum(first, second) - corner], 1)
        torch.testing.assert_close(ours, theirs(features))


@seeds
def test_the_loss_is_the_courses(seed: int) -> None:
    torch.manual_seed(seed)
    scores, labels, answers = torch.randn(6, 4), torch.randint(0, 4, (6,)), torch.rand(6, 4)
    boxes, size = 20 * torch.rand(6, 4) + 1, (30, 50)
    theirs = JointLoss("l2", weight=3)((scores, answers), Truth(labels, normalize(boxes, size)))
    torch.testing.assert_close(joint_loss(scores, labels, answers, boxes, size, 3), theirs)


@seeds
def test_mirrored_boxes_are_the_courses(seed: int) -> None:
    torch.manual_seed(seed)
    plain, turned, boxes = torch.randn(3, 2, 2), torch.randn(3, 2, 2), torch.rand(3, 4)
    coins = torch.randint(0, 2, (4, 3))
    features, answers = mirrored_rounds(plain, turned, boxes, 1, coins)
    for i, chosen in enumerate(coins.bool()):
        theirs = turned_over(Truth(torch.zeros(3), boxes), chosen).boxes
        torch.testing.assert_close(answers[3 * i : 3 * i + 3], theirs)
        assert torch.equal(features[3 * i : 3 * i + 3], torch.where(chosen[:, None, None], turned, plain))


@pytest.mark.parametrize("frozen", [0, 1])
@seeds
def test_a_step_is_that_of_torchs_optimizer(frozen: int, seed: int) -> None:
    torch.manual_seed(seed)
    x, labels, boxes = torch.randn(5, 6), torch.randint(0, 2, (5,)), torch.rand(5, 4)
    layers = [nn.Linear(6, 3, bias=False), nn.Linear(3, 2, bias=False), nn.Linear(3, 4, bias=False)]
    norm = nn.BatchNorm1d(3, affine=False, eps=1e-12).train(not frozen)
    norm.running_mean.normal_()
    start = [layer.weight.detach().T.clone() for layer in layers]
    remembered = norm.running_mean.clone()
    features = layers[0](x)
    spread = torch.ones(3) if frozen else features.var(0, correction=0).sqrt()
    features = norm(features) * spread  # ours takes away a mean alone
    wrong_box = ((layers[2](features) - boxes) ** 2).sum(1).mean()
    moving = layers[1:] if frozen else layers
    optimizer = torch.optim.SGD([layer.weight for layer in moving], lr=0.1)
    (nn.functional.cross_entropy(layers[1](features), labels) + wrong_box).backward()
    optimizer.step()
    ours = joint_step(x, start[0], remembered, start[1], start[2], labels, boxes, frozen)
    for mine, layer in zip(ours, layers, strict=True):
        torch.testing.assert_close(mine, layer.weight.T, atol=1e-4, rtol=1e-4)


def test_the_head_and_the_loss_learn_inside_a_net() -> None:
    from coursekit.nets import TwoHeadNet

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 64, 1, 1))

        def forward(self, features: torch.Tensor) -> torch.Tensor:
            return box_head(features, self.weight)

    def loss(answer: tuple[torch.Tensor, torch.Tensor], truth: Truth) -> torch.Tensor:
        return joint_loss(answer[0], truth.labels, answer[1], truth.boxes * 64, (64, 64), 10)

    scenes, head = load_scenes(16, objects=1), Head()
    net = TwoHeadNet(5, box_head=head, freeze=True)
    before = [each.clone() for each in net.backbone.state_dict().values()]
    fit(net, scenes, loss=loss, steps=3, device="cpu")
    assert head.weight.abs().max() > 0
    after = net.backbone.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


AS_TYPED = {
    ("box-head", "average-first"): """def box_head(features, weight):
    H, W = features.shape[2:]
    mean = features.mean((2, 3), keepdim=True)
    maps = torch.nn.functional.conv2d(mean, weight).repeat(1, 1, H, W)
    shares = maps.flatten(2).softmax(2).reshape(maps.shape)
    across, down = (torch.arange(W) + 0.5) / W, (torch.arange(H) + 0.5) / H
    x, y = (shares * across).sum((2, 3)), (shares * down[:, None]).sum((2, 3))
    return torch.stack([x[:, 0], y[:, 1], x[:, 2] - x[:, 0], y[:, 3] - y[:, 1]], dim=1)
""",
    ("joint-loss", "in-pixels"): """def joint_loss(scores, labels, answers, boxes, size, weight):
    H, W = size
    pixels = answers * torch.tensor([W, H, W, H])
    part = ((pixels - boxes) ** 2).sum(1).mean()
    return torch.nn.functional.cross_entropy(scores, labels) + weight * part
""",
    ("mirrored-rounds", "cached"): """def mirrored_rounds(plain, turned, boxes, width, coins):
    kept, answers = [], []
    for i in range(len(boxes)):
        x, y, w, h = boxes[i]
        mirrored = coins[0, i] == 1
        kept.append(turned[i] if mirrored else plain[i])
        answers.append(torch.stack([width - x - w, y, w, h]) if mirrored else boxes[i])
    return torch.stack(kept * len(coins)), torch.stack(answers * len(coins))
""",
    ("mirrored-rounds", "box-stays"): """def mirrored_rounds(plain, turned, boxes, width, coins):
    features, answers = [], []
    for r in range(len(coins)):
        for i in range(len(boxes)):
            features.append(turned[i] if coins[r, i] else plain[i])
            answers.append(boxes[i])
    return torch.stack(features), torch.stack(answers)
""",
}
STEP = """def joint_step(x, backbone, mean, class_head, box_head, labels, boxes, frozen):
    weights = (backbone, class_head, box_head)
    backbone, class_head, box_head = (each.clone().requires_grad_() for each in weights)
    features = x @ backbone
    features = features - (mean if frozen else features.mean(0))
    loss = torch.nn.functional.cross_entropy(features @ class_head, labels)
    loss = loss + ((features @ box_head - boxes) ** 2).sum(1).mean()
    learning = [class_head, box_head] + ([] if frozen else [backbone])
    a, b, *c = torch.autograd.grad(loss, learning)
    class_head, box_head = class_head - 0.1 * a, box_head - 0.1 * b
    return (backbone if frozen else backbone - 0.1 * c[0]), class_head, box_head
"""
CHANGES = {
    "train-mode": ("(mean if frozen else features.mean(0))", "features.mean(0)"),
    "box-head-absent": ("box_head - 0.1 * b", "box_head"),
    "box-detached": ("(features @ box_head", "(features.detach() @ box_head"),
    "uphill": ("- 0.1", "+ 0.1"),
}
AS_TYPED |= {("joint-step", name): STEP.replace(*change) for name, change in CHANGES.items()}


def test_a_step_typed_another_way_is_right() -> None:
    exercise = find_exercise("joint-step")
    assert check(exercise, function_from(STEP, exercise.function)).state == "right"


@pytest.mark.parametrize(("id", "mistake"), AS_TYPED, ids=lambda name: name)
def test_a_mistake_as_people_type_it_is_named(id: str, mistake: str) -> None:
    exercise = find_exercise(id)
    verdict = check(exercise, function_from(AS_TYPED[id, mistake], exercise.function))
    assert verdict.diagnosis is not None
    assert verdict.diagnosis.id == mistake
