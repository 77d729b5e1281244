"""What a net costs: parameters, multiply-adds, memory for training, and how far each pixel sees."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from coursekit.upsampling.validation import described, require_pair, sentence

FARTHEST = 512


@dataclass(frozen=True)
class Cost:
    """The price of one image.

    Attributes
    ----------
    size : tuple
        Rows and columns of the image.
    parameters : int
        Numbers that are learned.
    multiply_adds : int
        Multiplications, each with its addition, of one pass forward.
    activation_bytes : int
        What training keeps of one image between the pass forward and the pass back.
    receptive_field : tuple
        Rows and columns of input pixels that one output pixel can depend on, in an image without end; for a
        net of two heads, that one cell of its features can depend on.
    """

    size: tuple[int, int]
    parameters: int
    multiply_adds: int
    activation_bytes: int
    receptive_field: tuple[int, int]

    def __repr__(self) -> str:
        rows, columns = self.receptive_field
        farthest = "at least " if max(rows, columns) >= FARTHEST else ""
        return (
            f"Cost of one {self.size[0]}x{self.size[1]} image\n"
            f"  parameters       {self.parameters:>12,}\n"
            f"  multiply-adds    {self.multiply_adds:>12,}\n"
            f"  activations      {self.activation_bytes / 2**20:>12.2f} MiB\n"
            f"  receptive field  {farthest}{rows} x {columns} pixels"
        )


def cost(net: nn.Module, size: int | tuple[int, int] = 64) -> Cost:
    """Count what a net does to one image.

    Parameters
    ----------
    net : nn.Module
        Takes images ``(N, 3, H, W)``, such as :class:`SegmentationNet`.
    size : int or pair of int
        Rows and columns of the image.

    Returns
    -------
    Cost

    Notes
    -----
    Multiply-adds are half of what torch's flop counter says, which counts a multiplication and an addition as
    two. The receptive field is found by letting a NaN in and looking at where it comes out.

    Examples
    --------
    >>> from coursekit.nets import SegmentationNet, cost
    >>> cost(SegmentationNet(5, "none"), 64).receptive_field     # four 3x3 convolutions
    (9, 9)
    """
    if not isinstance(net, nn.Module):
        raise TypeError(sentence("a net (nn.Module)", described(net), "cost(SegmentationNet(2))"))
    rows, columns = require_pair(size, "size", least=1)
    copy = deepcopy(net).cpu().float().eval()
    image = torch.zeros(1, 3, rows, columns)
    eyes = getattr(copy, "backbone", copy)  # a box depends on all pixels; a cell of the features does not
    return Cost(
        (rows, columns),
        sum(parameter.numel() for parameter in net.parameters()),
        _multiply_adds(copy, image),
        activation_bytes(copy, image),
        _receptive_field(eyes),
    )


class _FlopCount(TorchDispatchMode):
    """Adds up torch's own formulas, as its FlopCounterMode does, but without the compiler."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def _multiply_adds(net: nn.Module, image: Tensor) -> int:
    with torch.no_grad(), _FlopCount() as count:
        net(image)
    return count.total // 2


def activation_bytes(net: nn.Module, image: Tensor) -> int:
    """The bytes of all that autograd saves, each storage once, the net's own numbers not counted."""
    # As `fit` trains: normalisation keeps other things then, and numbers lie channels last in memory.
    twin = deepcopy(net).train().to(memory_format=torch.channels_last)
    images = image.repeat(2, 1, 1, 1)  # two: batch statistics need more than one number
    own = {tensor.untyped_storage().data_ptr() for tensor in (*twin.parameters(), *twin.buffers())}
    kept: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # held, so that no later tensor gets the same address
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        output = twin(images.contiguous(memory_format=torch.channels_last))
    del output
    return sum(storage.nbytes() for storage in kept.values()) // 2


def _receptive_field(net: nn.Module) -> tuple[int, int]:
    exact = net.double()  # torch's own loops, which never mix a NaN into a neighbour as fast algorithms may
    return _reach(exact, axis=2), _reach(exact, axis=3)


def _reach(net: nn.Module, axis: int) -> int:
    """How many input rows (or columns) one output row depends on: those whose NaN arrives there."""
    length = 64
    while True:
        extent, truncated = _extent(net, axis, length)
        if not truncated or length == FARTHEST:
            return extent
        length *= 2


def _extent(net: nn.Module, axis: int, length: int) -> tuple[int, bool]:
    shape = [length, 3, 8, 8]
    shape[axis] = length
    images = torch.zeros(shape, dtype=torch.float64)
    lines = torch.arange(length)
    images.movedim(axis, 1)[lines, lines] = float("nan")  # image k has NaN in its line k
    with torch.no_grad():
        arrived = torch.cat([net(part) for part in images.split(64)]).isnan()
    reached = arrived.movedim(axis, 1).flatten(2).any(dim=2)  # [input line, output line]
    outputs = reached.shape[1]  # fewer than the input's lines where a net only shrinks
    middle = reached[:, outputs * 3 // 8 : max(outputs * 5 // 8, outputs * 3 // 8 + 1)]
    first, last = middle.int().argmax(dim=0), length - 1 - middle.flip(0).int().argmax(dim=0)
    return int((last - first).max()) + 1, bool((first == 0).any() or (last == length - 1).any())
