"""The matrix of a trace with its axes named, and what can be measured on it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from coursekit.upsampling.contributions import Trace

NOISE = 1e-6  # of the largest weight: what the rounding of float32 leaves where nothing was meant


@dataclass(frozen=True, eq=False)
class GridMap:
    """A linear map from grids to grids.

    Attributes
    ----------
    table : float64 Tensor [out lead, H', W', in lead, H, W]
        The weight of every input cell in every output cell; leading axes flattened.
    x_shape, out_shape : torch.Size
        The shapes of input and output.
    tolerance : float
        How far two weights may lie apart and still count as equal, as a share of the largest.
    """

    table: Tensor
    x_shape: torch.Size
    out_shape: torch.Size
    tolerance: float

    @classmethod
    def of(cls, trace: Trace) -> GridMap:
        """The map behind a trace, its offset left aside."""
        ins, outs = trace.x.shape, trace.output.shape
        table = trace.matrix.double().reshape(-1, *outs[-2:], ins[:-2].numel(), *ins[-2:])
        table = table * (table.abs() > NOISE * table.abs().max())
        return cls(table, ins, outs, max(1e-5, 4 * torch.finfo(trace.gains.dtype).eps))

    def size(self, axis: int) -> tuple[int, int]:
        """Input and output cells along rows (0) or columns (1)."""
        return self.x_shape[axis - 2], self.out_shape[axis - 2]

    def profile(self, axis: int) -> Tensor:
        """Absolute weight from each input row (or column) to each output one, ``[out, in]``."""
        return self.table.abs().sum((0, 2, 3, 5)) if axis == 0 else self.table.abs().sum((0, 1, 3, 4))

    def plane(self) -> Tensor | None:
        """``[H', W', H, W]`` if every plane is treated alone and alike, else None."""
        leads, lead = self.table.shape[0], self.table.shape[3]
        if leads != lead:
            return None
        diagonal = torch.stack([self.table[i, :, :, i] for i in range(lead)])
        alone = self.table.abs().sum() - diagonal.abs().sum()
        alike = (diagonal - diagonal[0]).abs().max()
        slack = self.tolerance * float(self.table.abs().max())
        return diagonal[0] if max(float(alone), float(alike)) <= slack else None

    def shows_whole_stamp(self) -> bool:
        """Whether the middle stamp ends before the border does, so that nothing of it is cut off."""
        for axis in (0, 1):
            inputs, outputs = self.size(axis)
            reached = self.profile(axis)[:, inputs // 2].nonzero().flatten()
            if len(reached) and (int(reached[0]) == 0 or int(reached[-1]) == outputs - 1):
                return False
        return True

    def stride(self, axis: int) -> int:
        """Output cells between neighbouring stamps; where the map has no stamps, as the sizes say."""
        inputs, outputs = self.size(axis)
        return self._seen_stride(axis) or max(1, round(outputs / inputs))

    def has_stamps(self) -> bool:
        """Whether every inner input cell makes the same stamp, a stride further on."""
        return all(self.size(axis)[0] == 1 or self._seen_stride(axis) for axis in (0, 1))

    def _seen_stride(self, axis: int) -> int:
        """The stride at which the inner stamps are copies of each other; 0 if there is none."""
        profile, step = self.profile(axis), 0
        inputs, outputs = self.size(axis)
        for i in range(inputs - 1):
            here, there = profile[:, i].nonzero().flatten(), profile[:, i + 1].nonzero().flatten()
            if len(here) and len(there):
                # A stamp cut by the border makes either difference too small, never too large.
                step = max(step, int(there[0] - here[0]), int(there[-1] - here[-1]))
        margin = (inputs - 1) // 3  # the border may treat its neighbours differently
        inner = range(margin, inputs - 1 - margin)
        # [out, in, everything else]: a sum over the rest would take two cells that swap places for a copy.
        rows = self.table.movedim((axis + 1, axis + 4), (0, 1)).flatten(2)
        slack = self.tolerance * float(self.table.abs().max())
        moved = [(rows[step:, i + 1] - rows[: outputs - step, i]).abs() <= slack for i in inner]
        return step if step and all(bool(same.all()) for same in moved) else 0

    def phase_gains(self, stride: tuple[int, int]) -> Tensor:
        """Mean response to flat grey at each seat, over the cells that most input cells reach."""
        stamps, reach = self.has_stamps(), (self.table != 0).sum((3, 4, 5))
        response = self.table.sum((3, 4, 5))
        gains = torch.zeros(stride, dtype=torch.float64)
        for row, column in product(range(stride[0]), range(stride[1])):
            cells = response[:, row :: stride[0], column :: stride[1]]
            counts = reach[:, row :: stride[0], column :: stride[1]]
            if cells.numel():
                # Without stamps no cell is more complete than another.
                gains[row, column] = cells[counts == counts.max()].mean() if stamps else cells.mean()
        return gains

    def unevenness(self, gains: Tensor) -> float:
        """(max - min) / mean of the absolute gains; 0 where all that is left is rounding."""
        spread, mean = float(gains.max() - gains.min()), float(gains.abs().mean())
        finest = self.tolerance * float(self.table.abs().sum((3, 4, 5)).max())
        return spread / mean if spread > finest and mean > 0 else 0.0

    def shift(self, axis: int, stride: int) -> float:
        """How far the most complete stamps' centres of weight lie from their input cells' places."""
        stamps = self.table.abs().sum((0, 3))  # [H', W', H, W]
        reach = (stamps > 0).sum((0, 1))
        if not int(reach.max()):
            return 0.0
        weights = stamps.sum(1 - axis)  # [H' or W', H, W]
        places = torch.arange(len(weights), dtype=torch.float64)
        centres = (weights * places[:, None, None]).sum(0) / weights.sum(0)
        cells = (reach == reach.max()).nonzero()  # [n, 2]
        offsets = centres[cells[:, 0], cells[:, 1]] - ((cells[:, axis] + 0.5) * stride - 0.5)
        return round(float(offsets.sort().values[len(offsets) // 2]), 6) + 0.0

    def stamp_weights(self) -> Tensor:
        """The total absolute weight of every input cell's stamp, ``[in lead, H, W]``."""
        return self.table.abs().sum((0, 1, 2))
