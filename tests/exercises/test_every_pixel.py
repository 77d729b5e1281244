"""Lesson 01's references against other libraries, and its mistakes as people type them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional
from torchmetrics.classification import MulticlassJaccardIndex

from coursekit.checking import check, function_from
from coursekit.exercises import find_exercise
from coursekit.exercises.every_pixel import mean_iou, pixel_cross_entropy, pixel_softmax, resize_mask
from coursekit.training import cross_entropy
from coursekit.training.confusion import class_ious, confusion, mean_of_present

seeds = pytest.mark.parametrize("seed", range(30))


def masks(seed: int, classes: int, *, ignored: bool = True) -> torch.Tensor:
    """A few pictures, mostly not square, some of whose pixels nobody labelled."""
    generator = torch.Generator().manual_seed(seed)
    shape = torch.randint(1, 7, (3,), generator=generator).tolist()
    grid = torch.randint(0, classes, shape, generator=generator)
    if ignored:
        grid[torch.rand(shape, generator=generator) < 0.2] = 255
        grid[0, 0, 0] = 0
    return grid


@pytest.mark.parametrize("rows", range(1, 9))
def test_a_mask_is_resized_as_torch_does(rows: int) -> None:
    for height in range(1, 9):
        mask = masks(height, 9)[0]
        theirs = functional.interpolate(mask[None, None].float(), size=(rows, 5), mode="nearest")[0, 0]
        assert torch.equal(resize_mask(mask, (rows, 5)), theirs.long())


def test_a_whole_enlargement_is_that_of_pillow_and_numpy() -> None:
    mask = masks(3, 9)[0]
    height, width = mask.shape
    ours = resize_mask(mask, (2 * height, 3 * width)).numpy()
    assert np.array_equal(ours, np.kron(mask.numpy(), np.ones((2, 3), dtype=int)))
    picture = Image.fromarray(mask.to(torch.uint8).numpy())
    assert np.array_equal(ours, np.array(picture.resize((3 * width, 2 * height), Image.Resampling.NEAREST)))


@seeds
def test_softmax_and_cross_entropy_are_those_of_torch(seed: int) -> None:
    torch.manual_seed(seed)
    truth = masks(seed, 4)
    logits = 5 * torch.randn(len(truth), 4, *truth.shape[1:])
    torch.testing.assert_close(pixel_softmax(logits[0]), logits[0].softmax(0))
    torch.testing.assert_close(pixel_softmax(1000 * logits[0]), (1000 * logits[0]).softmax(0))
    torch.testing.assert_close(pixel_cross_entropy(logits, truth), cross_entropy(logits, truth))
    theirs = functional.cross_entropy(logits, truth, ignore_index=255)
    torch.testing.assert_close(pixel_cross_entropy(logits, truth), theirs)


@seeds
def test_the_mean_iou_is_that_of_torchmetrics_and_of_one_table(seed: int) -> None:
    truth, classes = masks(seed, 3), 5
    torch.manual_seed(seed)
    predicted = torch.randint(0, 4, truth.shape)
    ours = mean_iou(predicted, truth, classes)
    table = confusion(predicted, truth, classes)
    assert float(ours) == pytest.approx(mean_of_present(class_ious(table)))
    theirs = MulticlassJaccardIndex(classes, average="none", ignore_index=255)(predicted, truth)
    present = table.sum(0) + table.sum(1) > 0
    assert float(ours) == pytest.approx(float(theirs[present].mean()))


TYPED = {
    ("resize-mask", "blended"): """
def resize_mask(mask, size):
    return F.interpolate(mask[None, None].float(), size=size, mode="bilinear")[0, 0].round().long()
""",
    ("resize-mask", "blended-cut-off"): """
def resize_mask(mask, size):
    out = F.interpolate(mask.float().unsqueeze(0).unsqueeze(0), size, mode="bilinear", align_corners=False)
    return out.squeeze(0).squeeze(0).to(torch.int64)
""",
    ("resize-mask", "swapped-size"): """
def resize_mask(mask, size):
    H, W = mask.shape
    columns, rows = size
    out = torch.zeros(rows, columns, dtype=torch.int64)
    for i in range(rows):
        for j in range(columns):
            out[i, j] = mask[i * H // rows, j * W // columns]
    return out
""",
    ("pixel-softmax", "along-columns"): """
def pixel_softmax(logits):
    powers = torch.exp(logits - logits.max())
    return powers / powers.sum(dim=-1, keepdim=True)
""",
    ("pixel-softmax", "everything"): """
def pixel_softmax(logits):
    powers = torch.exp(logits - logits.max())
    return powers / powers.sum()
""",
    ("pixel-softmax", "too-large"): """
def pixel_softmax(logits):
    out = torch.zeros_like(logits)
    for i in range(logits.shape[1]):
        for j in range(logits.shape[2]):
            out[:, i, j] = logits[:, i, j].exp() / logits[:, i, j].exp().sum()
    return out
""",
    ("pixel-softmax", "one-largest"): """
def pixel_softmax(logits):
    powers = torch.exp(logits - logits.max())
    return powers / powers.sum(dim=0)
""",
    ("pixel-cross-entropy", "softmax-twice"): """
def pixel_cross_entropy(logits, masks):
    shares = torch.softmax(logits, dim=1)
    rows = shares.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    labels = masks.reshape(-1)
    rows, labels = rows[labels != 255], labels[labels != 255]
    logs = torch.log_softmax(rows, dim=1)
    return -logs[torch.arange(len(labels)), labels].mean()
""",
    ("pixel-cross-entropy", "not-permuted"): """
def pixel_cross_entropy(logits, masks):
    scores = logits.reshape(-1, logits.shape[1])
    labels = masks.reshape(-1)
    scores, labels = scores[labels != 255], labels[labels != 255]
    logs = torch.log_softmax(scores, dim=1)
    return -logs[torch.arange(len(labels)), labels].mean()
""",
    ("pixel-cross-entropy", "ignored-in-the-mean"): """
def pixel_cross_entropy(logits, masks):
    total = 0
    for n in range(masks.shape[0]):
        for i in range(masks.shape[1]):
            for j in range(masks.shape[2]):
                if masks[n, i, j] != 255:
                    total = total - torch.log_softmax(logits[n, :, i, j], 0)[masks[n, i, j]]
    return total / masks.numel()
""",
    ("pixel-cross-entropy", "ignored-as-background"): """
def pixel_cross_entropy(logits, masks):
    masks = masks.clone()
    masks[masks == 255] = 0
    scores = logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1])
    labels = masks.reshape(-1)
    logs = torch.log_softmax(scores, dim=1)
    return -logs[torch.arange(len(labels)), labels].mean()
""",
    ("mean-iou", "overlap-twice"): """
def mean_iou(predicted, truth, classes):
    counted = truth != 255
    ious = []
    for c in range(classes):
        ours, theirs = predicted[counted] == c, truth[counted] == c
        union = ours.sum() + theirs.sum()
        if union > 0:
            ious.append((ours & theirs).sum() / union)
    return sum(ious) / len(ious)
""",
    ("mean-iou", "absent-zero"): """
def mean_iou(predicted, truth, classes):
    counted = truth != 255
    total = 0.0
    for c in range(classes):
        ours, theirs = predicted[counted] == c, truth[counted] == c
        if (ours | theirs).any():
            total += (ours & theirs).sum() / (ours | theirs).sum()
    return total / classes
""",
    ("mean-iou", "per-picture"): """
def mean_iou(predicted, truth, classes):
    scores = []
    for ours, theirs in zip(predicted, truth):
        ious = []
        for c in range(classes):
            overlap = ((ours == c) & (theirs == c)).sum()
            union = (((ours == c) | (theirs == c)) & (theirs != 255)).sum()
            if union > 0:
                ious.append(overlap / union)
        scores.append(sum(ious) / len(ious))
    return sum(scores) / len(scores)
""",
    ("mean-iou", "ignored-counted"): """
def mean_iou(predicted, truth, classes):
    ious = []
    for c in range(classes):
        overlap = ((predicted == c) & (truth == c)).sum()
        union = ((predicted == c) | (truth == c)).sum()
        if union > 0:
            ious.append(overlap / union)
    return sum(ious) / len(ious)
""",
}


@pytest.mark.parametrize(("names", "source"), TYPED.items(), ids=[":".join(names) for names in TYPED])
def test_a_mistake_as_people_type_it_is_named(names: tuple[str, str], source: str) -> None:
    exercise = find_exercise(names[0])
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.fraction < 1
    assert verdict.diagnosis is not None, verdict
    assert verdict.diagnosis.id == names[1], verdict


RIGHT_IN_OTHER_WORDS = {
    "resize-mask": """
def resize_mask(mask, size):
    return F.interpolate(mask[None, None].float(), size=size)[0, 0].long()
""",
    "pixel-softmax": """
def pixel_softmax(logits):
    return torch.exp(logits - torch.logsumexp(logits, dim=0))
""",
    "pixel-cross-entropy": """
def pixel_cross_entropy(logits, masks):
    counted = masks != 255
    shares = torch.softmax(logits, dim=1)
    right = shares.gather(1, masks.where(counted, torch.tensor(0)).unsqueeze(1)).squeeze(1)
    return -right[counted].log().mean()
""",
    "mean-iou": """
def mean_iou(predicted, truth, classes):
    counted = truth != 255
    pairs = truth[counted] * classes + predicted[counted]
    table = torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    both = table.diagonal()
    ious = both / (table.sum(0) + table.sum(1) - both)
    return ious[~ious.isnan()].mean().item()
""",
}


@pytest.mark.parametrize(("id", "source"), RIGHT_IN_OTHER_WORDS.items(), ids=list(RIGHT_IN_OTHER_WORDS))
def test_a_right_answer_in_other_words_passes(id: str, source: str) -> None:
    exercise = find_exercise(id)
    verdict = check(exercise, function_from(source, exercise.function))
    assert verdict.state == "right", verdict


@pytest.mark.parametrize(
    ("id", "source"),
    [
        ("pixel-softmax", "def pixel_softmax(logits):\n    return logits.softmax(0)\n"),
        (
            "pixel-cross-entropy",
            "def pixel_cross_entropy(logits, masks):\n"
            "    return F.cross_entropy(logits, masks, ignore_index=255)\n",
        ),
    ],
)
def test_the_library_s_own_is_a_shortcut(id: str, source: str) -> None:
    exercise = find_exercise(id)
    assert check(exercise, function_from(source, exercise.function)).state == "forbidden"
