"""Up-sampling methods, and a probe that shows what any of them does with every number.

Grids are the last two axes, ``(..., H, W)``; leading axes are a batch.
"""

from coursekit.upsampling.contributions import Contribution, Trace
from coursekit.upsampling.identify import Fingerprint, fingerprint
from coursekit.upsampling.likeness import likeness
from coursekit.upsampling.methods import (
    bed_of_nails,
    bilinear,
    max_pool,
    max_unpool,
    nearest,
    pixel_shuffle,
    resize_conv,
    transposed_conv,
)
from coursekit.upsampling.tracing import probe

__all__ = [
    "Contribution",
    "Fingerprint",
    "Trace",
    "bed_of_nails",
    "bilinear",
    "fingerprint",
    "likeness",
    "max_pool",
    "max_unpool",
    "nearest",
    "pixel_shuffle",
    "probe",
    "resize_conv",
    "transposed_conv",
]
