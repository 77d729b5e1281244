"""`fit` on labels and boxes: the same loop, and what is special about boxes."""

import json

import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit.boxes import iou, xywh_to_xyxy
from coursekit.cli import main
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet, TwoHeadNet
from coursekit.training import (
    BoxScores,
    JointLoss,
    Truth,
    evaluate,
    fit,
    flipped_sideways,
    load_weights,
    predict_boxes,
    pretraining,
    recipes,
    running,
    varied,
)
from coursekit.training.locating import packed, truth_in
from coursekit.training.telling import as_plain, from_plain

KEYS = ["accuracy", "mean_iou", "baseline_iou", "images_per_second", "train_seconds", "device"]


@pytest.fixture(scope="module")
def scenes():
    return load_scenes(24, seed=3, size=32, objects=1)


def small_net(**settings):
    return TwoHeadNet(5, **{"widths": (4, 8), "norm": "group", **settings})


def numbers(net):
    return torch.cat([each.detach().flatten().float() for each in net.state_dict().values()])


def kept(module):
    return {name: each.clone() for name, each in module.state_dict().items()}


def same(before, module):
    now = module.state_dict()
    return all(torch.equal(before[name], now[name]) for name in before)


# --- it learns, and is the same every time ---------------------------------------------------------


@pytest.mark.parametrize("loss", ["l2", "smooth_l1", "giou"])
def test_a_few_scenes_are_learned_by_heart(scenes, loss):
    few = scenes[:3]
    history = fit(small_net(widths=(8, 16)), few, few, steps=150, augment=None, loss=JointLoss(loss))
    assert history.scores.accuracy == 1
    assert history.scores.mean_iou > 0.75 > history.scores.baseline_iou + 0.1


def test_steps_and_a_seed_give_the_same_weights_and_the_default_loss_is_the_joint_one(scenes):
    first, second, other = small_net(), small_net(), small_net()
    fit(first, scenes, steps=6)
    fit(second, scenes, scenes[:4], steps=6, loss=JointLoss("giou", 1.0))
    fit(other, scenes, steps=6, loss=JointLoss("giou", 2.0))
    assert torch.equal(numbers(first), numbers(second))
    assert not torch.equal(numbers(first), numbers(other))


@pytest.mark.parametrize("freeze", [False, True])
def test_a_run_that_was_interrupted_ends_the_same_bit_for_bit(scenes, tmp_path, freeze):
    whole, part = small_net(freeze=freeze), small_net(freeze=freeze)
    fit(whole, scenes, steps=9)
    stop = {"on_step": lambda progress: progress.step == 4 and progress.stop()}
    assert fit(part, scenes, steps=9, checkpoint=tmp_path / "run", **stop).interrupted
    again = small_net(freeze=freeze, seed=8)
    history = fit(again, scenes, steps=9, checkpoint=tmp_path / "run", resume=True)
    assert history.steps == 9
    assert torch.equal(numbers(whole), numbers(again))
    loaded = small_net(seed=9)
    load_weights(loaded, tmp_path / "run")
    assert torch.equal(numbers(loaded), numbers(whole))


def test_a_net_and_a_loss_of_ones_own(scenes):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.look = nn.Linear(3, 9)

        def forward(self, images):
            answer = self.look(images.float().mean((2, 3)) / 255)
            return answer[:, :5], answer[:, 5:].sigmoid()

    seen = []

    def loss(answer, truth):
        (logits, boxes), (labels, true) = answer, truth
        seen.append((logits.shape, boxes.shape, labels.dtype, true.shape, float(true.max())))
        return functional.cross_entropy(logits, labels) + (boxes - true).abs().mean()

    history = fit(Own(), scenes, scenes[:4], steps=2, batch=6, loss=loss)
    assert seen[0][:4] == ((6, 5), (6, 4), torch.int64, (6, 4))
    assert 0 < seen[0][4] <= 1  # shares of the image, not pixels
    assert isinstance(history.scores, BoxScores)


def test_images_with_labels_and_boxes_are_data_too(scenes):
    given = (scenes.images, (scenes.labels, scenes.boxes))
    first, second = small_net(), small_net()
    fit(first, scenes, steps=3)
    fit(second, given, given, steps=3)
    assert torch.equal(numbers(first), numbers(second))


# --- frozen ----------------------------------------------------------------------------------------


def test_freezing_freezes_weights_and_statistics_bit_for_bit(scenes):
    net = small_net(freeze=True, norm="batch")
    before, heads = kept(net.backbone), kept(net.box_head)
    history = fit(net, scenes, scenes[:4], steps=8)
    assert same(before, net.backbone)
    assert not same(heads, net.box_head)
    assert "Features were computed once" in history.notes[0]
    assert 0 < history.feature_seconds <= history.train_seconds
    joint = small_net(norm="batch")
    before = kept(joint.backbone)
    fit(joint, scenes, steps=2)
    assert not same(before, joint.backbone)


def test_kept_features_train_the_heads_as_features_computed_at_every_step(scenes):
    class AtEachStep(nn.Module):
        """Not known to be frozen, so nothing is kept."""

        def __init__(self, net):
            super().__init__()
            self.net = net

        def forward(self, images):
            return self.net(images)

    order = torch.randperm(24, generator=torch.Generator().manual_seed(running_seed()))
    once, every = small_net(freeze=True), small_net(freeze=True)
    fit(once, scenes, steps=6, augment=None)
    # The features lie in the order in which they were computed.
    wrapped = AtEachStep(every)
    fit(wrapped, scenes[order], steps=6, augment=None)
    assert torch.equal(numbers(once), numbers(every))


def running_seed():
    from coursekit.training.batches import mixed

    return mixed(0, 3, 0)


def test_the_backbone_looks_at_each_version_once_and_never_more_than_steps_can_use(scenes):
    seen = []
    net = small_net(freeze=True)
    net.backbone.register_forward_hook(lambda _, inputs, __: seen.append(len(inputs[0])))
    fit(net, scenes, steps=20, batch=24, augment=None)
    assert sum(seen) == 24
    seen.clear()
    fit(net, scenes, steps=20, batch=24, augment=varied)
    assert sum(seen) == 8 * 24
    seen.clear()
    fit(net, scenes, steps=2, batch=24, augment=varied)
    assert sum(seen) == 2 * 24


def test_features_take_at_most_a_third_of_the_budget(monkeypatch):
    class Clock:
        now = 0.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(running, "clock", clock)
    scenes = load_scenes(250, size=16, objects=1)  # four parts of up to 64 images
    net = small_net(freeze=True)

    def passes(*_):
        clock.now += 1.0

    net.backbone.register_forward_hook(passes)
    history = fit(net, scenes, budget=6.5, on_step=lambda _: passes(), augment=None)
    assert history.feature_seconds == 2
    assert "of 128 of the 250 images" in history.notes[0]
    assert 5 <= history.train_seconds <= 6.5 * 1.05


# --- mirrors ---------------------------------------------------------------------------------------


def box_of(images):
    """Around the bright pixels, as shares."""
    boxes = []
    for image in images:
        rows, columns = (image[0] > 0.5).nonzero().T
        first, last = torch.stack([columns.min(), rows.min()]), torch.stack([columns.max(), rows.max()]) + 1
        boxes.append(torch.cat([first, last - first]) / image.shape[-1])
    return torch.stack(boxes)


def bright(count=32, side=40):
    generator = torch.Generator().manual_seed(5)
    images = torch.zeros(count, 3, side, side)
    for image in images:
        x, y, width, height = torch.randint(4, 16, (4,), generator=generator).tolist()
        image[:, y : y + height, x : x + width] = 1
    return images


def test_mirrored_images_mirror_their_boxes():
    images = bright()
    truth = Truth(torch.arange(32), box_of(images))
    mirrored, after = flipped_sideways(images, truth, torch.Generator().manual_seed(1))
    changed = (after.boxes != truth.boxes).any(1)
    assert 8 < int(changed.sum()) < 24
    torch.testing.assert_close(after.boxes, box_of(mirrored))
    assert torch.equal(after.labels, truth.labels)


def test_varied_images_take_their_boxes_along():
    images = bright()
    truth = Truth(torch.arange(32), box_of(images))
    seen, after = varied(images, truth, torch.Generator().manual_seed(1))
    inside = ((after.boxes[:, :2] > 0.02) & (after.boxes[:, :2] + after.boxes[:, 2:] < 0.98)).all(1)
    assert int(inside.sum()) > 8
    shades = (seen - seen.amin((1, 2, 3), keepdim=True)) / (seen.amax((1, 2, 3)) - seen.amin((1, 2, 3)))[
        :, None, None, None
    ]
    torch.testing.assert_close(after.boxes[inside], box_of(shades[inside]), atol=1.5 / 40, rtol=0)
    assert bool((after.boxes[:, :2].nan_to_num(0) >= 0).all())


def test_a_box_that_left_the_frame_is_no_box_any_more():
    from coursekit.training.mirrors import seen_through

    view = torch.tensor([[[0.5, 0.0, 0.5], [0.0, 0.5, 0.0]]])  # the right half
    boxes = torch.tensor([[0.1, 0.4, 0.2, 0.2], [0.6, 0.4, 0.2, 0.2], [0.4, 0.4, 0.2, 0.2]])
    after = seen_through(Truth(torch.zeros(3), boxes), view.expand(3, -1, -1)).boxes
    assert bool(after[0].isnan().all())
    torch.testing.assert_close(after[1], torch.tensor([0.2, 0.3, 0.4, 0.4]))
    torch.testing.assert_close(after[2], torch.tensor([0.0, 0.3, 0.2, 0.4]))


# --- losses ----------------------------------------------------------------------------------------


def answers(count=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, 5, generator=generator)
    boxes = torch.rand(count, 4, generator=generator) * 0.5 + 0.1
    true = torch.rand(count, 4, generator=generator) * 0.5 + 0.1
    return logits, boxes, Truth(torch.arange(count) % 5, true)


def test_losses_are_those_of_torch_and_torchvision():
    from torchvision.ops import generalized_box_iou_loss

    logits, boxes, truth = answers()
    theirs = {
        "l2": functional.mse_loss(boxes, truth.boxes) * 4,
        "smooth_l1": functional.smooth_l1_loss(boxes, truth.boxes, beta=0.05) * 4,
        "giou": generalized_box_iou_loss(xywh_to_xyxy(boxes), xywh_to_xyxy(truth.boxes), reduction="mean"),
    }
    for name, expected in theirs.items():
        class_part, box_part = JointLoss(name, 3.0).parts(logits, boxes, truth)
        torch.testing.assert_close(class_part, functional.cross_entropy(logits, truth.labels))
        torch.testing.assert_close(box_part, expected)
        torch.testing.assert_close(JointLoss(name, 3.0)((logits, boxes), truth), class_part + 3 * box_part)


@pytest.mark.parametrize("name", ["l2", "smooth_l1", "giou"])
def test_an_image_without_a_box_teaches_its_label_only(name):
    logits, boxes, truth = answers()
    boxes.requires_grad_()
    truth.boxes[2] = torch.nan
    class_part, box_part = JointLoss(name).parts(logits, boxes, truth)
    (class_part + box_part).backward()
    assert bool(boxes.grad.isfinite().all())
    assert bool((boxes.grad[2] == 0).all())
    assert bool((boxes.grad[[0, 1, 3]] != 0).any())
    others = [0, 1, 3, 4, 5]
    alone = JointLoss(name).parts(logits[others], boxes[others], Truth(*(each[others] for each in truth)))[1]
    torch.testing.assert_close(box_part, alone * 5 / 6)  # a mean over all images, so parts of a batch add up


def test_what_lies_where_there_is_no_box_makes_no_difference(scenes):
    boxes = scenes.boxes.clone()
    boxes[::3] = torch.nan
    partly = (scenes.images, (scenes.labels, boxes))
    net = small_net()
    history = fit(net, partly, partly, steps=4)
    assert bool(numbers(net).isfinite().all())
    assert history.scores.boxes == 16
    assert history.scores.images == 24


def test_rows_hold_labels_and_boxes():
    truth = Truth(torch.tensor([3, 254]), torch.rand(2, 4))
    again = truth_in(packed(truth))
    assert torch.equal(again.labels, truth.labels)
    assert torch.equal(again.boxes, truth.boxes)


# --- scores ----------------------------------------------------------------------------------------


def test_scores_are_those_of_other_libraries(scenes):
    from torchmetrics.functional.classification import multiclass_accuracy
    from torchvision.ops import box_iou

    net = small_net()
    fit(net, scenes, steps=5)
    scores = evaluate(net, scenes)
    labels, boxes = predict_boxes(net, scenes)
    theirs = multiclass_accuracy(labels, scenes.labels, num_classes=5, average="micro")
    assert scores.accuracy == pytest.approx(float(theirs))
    ious = box_iou(xywh_to_xyxy(boxes), xywh_to_xyxy(scenes.boxes)).diagonal()
    assert scores.mean_iou == pytest.approx(float(ious.mean()), abs=1e-5)
    assert scores.found == pytest.approx(float(((labels == scenes.labels) & (ious >= 0.5)).float().mean()))
    mean = scenes.boxes.mean(0, keepdim=True).expand(24, -1)
    ious = box_iou(xywh_to_xyxy(mean), xywh_to_xyxy(scenes.boxes)).diagonal()
    assert scores.baseline_iou == pytest.approx(float(ious.mean()), abs=1e-5)
    assert scores.baseline_accuracy == pytest.approx(float(scenes.labels.bincount().max()) / 24)


def test_the_baseline_of_a_run_is_the_mean_box_of_the_training_set(scenes):
    from torchvision.ops import box_iou

    train, test = scenes[:10], scenes[10:]
    scores = fit(small_net(), train, test, steps=1).scores
    mean = train.boxes.mean(0, keepdim=True).expand(14, -1)
    ious = box_iou(xywh_to_xyxy(mean), xywh_to_xyxy(test.boxes)).diagonal()
    assert scores.baseline_iou == pytest.approx(float(ious.mean()), abs=1e-5)


def test_scores_show_themselves_and_travel(scenes):
    history = fit(small_net(), scenes, scenes, steps=3)
    scores = history.scores
    assert from_plain(json.loads(json.dumps(as_plain(scores)))).mean_iou == scores.mean_iou
    for text in (repr(scores), scores._repr_html_(), repr(history), history._repr_html_()):
        assert "mean IoU" in text
        assert "accuracy" in text
    assert "the mean box" in repr(scores)


def test_a_board_shows_the_boxes_of_any_net_of_two_heads(scenes):
    from coursekit.widgets import TrainingBoard

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = small_net()

        def forward(self, images):
            return self.net(images)

    for net in (small_net(), Wrapped()):
        board = TrainingBoard(scenes[:3])
        board.train(net, scenes, scenes[:3], steps=4)
        assert board.now["state"] == "finished"
        assert "the mean box would have" in board.now["words"]
        _, boxes = predict_boxes(net, scenes[:3])
        fits = iou(boxes, scenes.boxes[:3]).tolist()
        assert [each["iou"] for each in board.predictions] == pytest.approx(fits, abs=1e-5)


# --- errors ----------------------------------------------------------------------------------------


def spoilt(scenes, **changes):
    parts = {"images": scenes.images, "labels": scenes.labels, "boxes": scenes.boxes, **changes}
    return parts["images"], (parts["labels"], parts["boxes"])


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda s: {"boxes": s.boxes / 32}, ValueError, "in pixels"),
        (lambda s: {"boxes": s.boxes[:5]}, ValueError, "one box an image"),
        (lambda s: {"boxes": s.boxes.long()}, TypeError, "boxes.float()"),
        (lambda s: {"boxes": s.boxes * torch.tensor([1, 1, -1, 1])}, ValueError, "wider and higher than 0"),
        (lambda s: {"boxes": s.boxes * torch.nan}, ValueError, "at least one box"),
        (lambda s: {"labels": s.labels.float()}, TypeError, "labels.to(torch.int64)"),
        (lambda s: {"labels": s.labels[:, None]}, ValueError, "one label an image"),
        (lambda s: {"labels": s.labels - 9}, ValueError, "counted from 0"),
        (lambda s: {"labels": s.labels + 9}, ValueError, "a net of 1"),
        (lambda s: {"images": s.images[:, :1]}, ValueError, "images (N, 3, H, W)"),
    ],
)
def test_data_that_cannot_be_is_refused_before_anything_is_touched(scenes, change, kind, words):
    net = small_net()
    before = numbers(net)
    with pytest.raises(kind) as refused:
        fit(net, spoilt(scenes, **change(scenes)), steps=2)
    assert words in str(refused.value)
    assert str(refused.value).startswith("Expected train with") or "labels from 0" in str(refused.value)
    assert torch.equal(before, numbers(net))


def test_masks_alone_are_no_data_for_boxes_and_a_net_of_other_classes_is_refused(scenes):
    with pytest.raises(TypeError, match="labels, boxes"):
        fit(small_net(), (scenes.images, scenes.masks), steps=2)
    with pytest.raises(ValueError, match="data with the net's 3 classes"):
        fit(TwoHeadNet(3, widths=(4,)), scenes, steps=2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("l1",), "l2, smooth_l1, giou"), (("giou", -1), "weight=1.0"), (("giou", "much"), "weight=1.0")],
)
def test_a_joint_loss_that_cannot_be_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        JointLoss(*arguments)


# --- recipes and the command -----------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch):
    scenes = load_scenes(12, size=16, objects=1)
    settings = {"augment": None, "batch": 4}
    found = recipes.BoxRecipe(scenes, scenes, None, mask_settings=settings, head_settings=settings)
    monkeypatch.setattr(recipes, "box_recipe", lambda data, boxes="animal": found)
    return found


@pytest.mark.parametrize("freeze", ["none", "features", "classes", "random"])
def test_the_command_prints_the_keys_that_other_programs_read(tiny, capsys, freeze):
    options = ["--budget", "0.2", "--feature-budget", "0.2", "--freeze", freeze, "--loss", "smooth_l1"]
    assert main(["train", "localization", *options, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(KEYS) <= set(report)
    assert all(0 <= report[name] <= 1 for name in ("accuracy", "mean_iou", "baseline_iou"))
    assert (report["feature_seconds"] > 0) == (freeze in ("features", "classes"))


def test_the_command_prints_a_table(tiny, capsys):
    assert main(["train", "localization", "--budget", "0.2"]) == 0
    out = capsys.readouterr().out
    assert "accuracy" in out
    assert "baseline" in out


@pytest.mark.parametrize("options", [["--loss", "l3"], ["--freeze", "all"], ["--weight", "-1"]])
def test_options_that_cannot_be_end_with_2(options):
    with pytest.raises(SystemExit) as ended:
        main(["train", "localization", *options])
    assert ended.value.code == 2


def test_features_are_trained_on_the_training_images_alone(tiny, monkeypatch):
    given = []

    def spied(net, train, *rest, **settings):
        given.append((train, rest))
        return fit(net, train, *rest, **settings)

    monkeypatch.setattr(pretraining, "fit", spied)
    net, history = pretraining.pretrained("features", tiny, steps=2)
    assert isinstance(net, SegmentationNet)
    assert history.steps == 2
    classes, _ = pretraining.pretrained("classes", tiny, steps=2)
    random, nothing = pretraining.pretrained("random", tiny)
    assert [each is tiny.train and not rest for each, rest in given] == [True, True]
    assert isinstance(classes, TwoHeadNet)
    assert nothing is None
    assert any(each.ne(0).any() for name, each in random.named_buffers() if name.endswith("running_mean"))
    with pytest.raises(ValueError, match="'features', 'classes', 'random'"):
        pretraining.pretrained("masks", tiny)
