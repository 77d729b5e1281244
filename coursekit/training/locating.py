"""Labels and boxes in the loop that was made for masks.

The loop gathers, shares and weighs one tensor of truth for each batch. So label and box travel as one row of
five numbers, and are taken apart where the loss, an augmentation or a score looks at them. Boxes are shares
of the image's sides on the way, whatever size the images have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from coursekit.boxes import normalize
from coursekit.nets import SegmentationNet, TwoHeadNet
from coursekit.training.batches import Augmentation
from coursekit.training.given import Given, device_of, judging, require_images
from coursekit.training.joint import JointLoss, Truth
from coursekit.training.losses import cross_entropy
from coursekit.training.outlined import Outlined, gives_both
from coursekit.upsampling.validation import described, sentence


def packed(truth: Truth) -> Tensor:
    """``(N, 5)`` float: the label, then the box."""
    return torch.cat([truth.labels[:, None].to(truth.boxes), truth.boxes], 1)


def truth_in(rows: Tensor) -> Truth:
    """What :func:`packed` packed."""
    return Truth(rows[:, 0].long(), rows[:, 1:])


@dataclass(frozen=True, eq=False)
class Located(Given):
    """Images with their labels and boxes; ``masks`` holds the packed rows, ``classes`` the labels' names.

    Attributes
    ----------
    mean_box : Tensor
        ``(4,)`` as shares: the mean of the training boxes, which is what the scores' baseline answers.
    """

    mean_box: Tensor

    @classmethod
    def of(cls, samples: Any, name: str) -> Located:
        """Read :class:`coursekit.data.Samples`, or ``(images, (labels, boxes))`` with boxes in pixels."""
        pair = isinstance(samples, tuple | list) and len(samples) == 2
        if pair and isinstance(samples[1], tuple | list) and len(samples[1]) == 2:
            images, (labels, boxes), names = samples[0], samples[1], ()
        elif all(hasattr(samples, each) for each in ("images", "labels", "boxes")):
            images, labels, boxes = samples.images, samples.labels, samples.boxes
            names = tuple(getattr(samples, "label_names", ()))
        else:
            expected = f"{name} as Samples, or (images, (labels, boxes))"
            got = "images with something else" if pair else described(samples)
            raise TypeError(sentence(expected, got, "load_scenes(1000, objects=1)"))
        require_images(images, name)
        _require_labels(labels, len(images), name)
        _require_boxes(boxes, len(images), name)
        shares = normalize(boxes.float(), images.shape[2:])
        mean = shares[shares.isfinite().all(1)].mean(0)
        return cls(images, packed(Truth(labels, shares)), names, mean)

    def for_net(self, net: nn.Module) -> Located:
        """The same with a name for every label of ``net``, or a sentence why they do not go together."""
        wanted = _classes_of(net, self.images[:1])
        if self.classes and len(self.classes) != wanted:
            got = f"{len(self.classes)} in the data ({', '.join(self.classes)})"
            attempt = f"{type(net).__name__}({len(self.classes)}, …)"
            raise ValueError(sentence(f"data with the net's {wanted} classes", got, attempt))
        highest = int(self.masks[:, 0].max())
        if highest >= wanted:
            attempt = f"a net of {highest + 1} classes"
            raise ValueError(sentence(f"labels from 0 to {wanted - 1}", f"the label {highest}", attempt))
        return replace(self, classes=self.classes or tuple(f"class {number}" for number in range(wanted)))


def given_for(net: nn.Module, samples: Any, name: str) -> Given:
    """What the net is to learn from, or is scored on: masks, or labels and boxes for a net of two heads."""
    return _kind(net, samples).of(samples, name).for_net(net)


def _kind(net: nn.Module, samples: Any) -> type[Given]:
    """By what the net gives for an image; one that fails is left to those who say why."""
    if isinstance(net, SegmentationNet | TwoHeadNet):
        return Located if isinstance(net, TwoHeadNet) else Given
    pair = isinstance(samples, tuple | list) and len(samples) == 2
    if not (hasattr(samples, "boxes") or (pair and isinstance(samples[1], tuple | list))):
        return Given
    try:
        answer = _answer_to(net, Given.of_images(samples).images[:1])
    except Exception:
        return Given
    if gives_both(answer):
        return Outlined
    return Located if isinstance(answer, tuple | list) and len(answer) == 2 else Given


def loss_for_boxes(loss: Callable[..., Tensor]) -> Callable[[Any, Tensor], Tensor]:
    """``loss(answer, truth)`` for a loop that knows rows; the default for masks becomes the one for boxes."""
    mine = JointLoss() if loss is cross_entropy else loss

    def of_rows(answer: Any, rows: Tensor) -> Tensor:
        _require_answer(answer, len(rows))
        return mine(answer, truth_in(rows))

    return of_rows


def augment_for_boxes(augment: Augmentation | None) -> Augmentation | None:
    """``augment(images, truth, generator)`` for a loop that knows rows."""
    if augment is None:
        return None

    def of_rows(images: Tensor, rows: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        changed, truth = augment(images, truth_in(rows), generator)  # type: ignore[arg-type]
        labels, boxes = truth
        return changed, packed(Truth(labels, boxes))

    return of_rows


def _answer_to(net: nn.Module, image: Tensor) -> Any:
    with judging(net), torch.inference_mode():
        return net(image.to(device_of(net)))


def _classes_of(net: nn.Module, image: Tensor) -> int:
    said = getattr(net, "classes", None)
    if isinstance(said, int):
        return said
    answer = _answer_to(net, image)
    _require_answer(answer, 1)
    return int(answer[0].shape[1])


def _require_answer(answer: Any, count: int) -> None:
    expected = f"a net that gives logits ({count}, classes) and boxes ({count}, 4)"
    got = [described(part) for part in answer] if isinstance(answer, tuple | list) else [described(answer)]
    fine = len(got) == 2 and all(isinstance(part, Tensor) and part.ndim == 2 for part in answer)
    if not fine or len(answer[0]) != count or tuple(answer[1].shape) != (count, 4):
        raise ValueError(sentence(expected, " and ".join(got), "TwoHeadNet(classes)"))


def _require_labels(labels: Any, count: int, name: str) -> None:
    expected = f"{name} with labels ({count},) of whole numbers from 0"
    if not isinstance(labels, Tensor) or labels.is_floating_point() or labels.is_complex():
        raise TypeError(sentence(expected, described(labels), "labels.to(torch.int64)"))
    if tuple(labels.shape) != (count,):
        raise ValueError(sentence(expected, described(labels), "one label an image"))
    if int(labels.min()) < 0:
        raise ValueError(sentence(expected, f"the label {int(labels.min())}", "classes counted from 0"))


def _require_boxes(boxes: Any, count: int, name: str) -> None:
    expected = f"{name} with boxes ({count}, 4) in pixels, (x, y, width, height)"
    if not isinstance(boxes, Tensor) or not boxes.is_floating_point():
        raise TypeError(sentence(expected, described(boxes), "boxes.float()"))
    if tuple(boxes.shape) != (count, 4):
        raise ValueError(sentence(expected, described(boxes), "one box an image, NaN where there is none"))
    there = boxes[boxes.isfinite().all(1)]
    if not len(there):
        raise ValueError(sentence(f"{name} with at least one box", "none", "photographs that have a box"))
    if bool((there[:, 2:] <= 0).any()):
        row = int((~(boxes[:, 2:] > 0).all(1) & boxes.isfinite().all(1)).nonzero()[0])
        attempt = "xyxy_to_xywh(boxes), if these are two corners"
        raise ValueError(sentence(f"{expected}, wider and higher than 0", f"{boxes[row].tolist()}", attempt))
    if float(there.max()) <= 1:
        got = f"nothing above {float(there.max()):.2f}"
        raise ValueError(sentence(expected, got, "boxes times the image's width and height"))
