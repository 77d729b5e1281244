"""What the course learns from: procedural scenes and photographs of pets, as whole tensors.

The names load when first touched, so that asking what data there is does not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coursekit.lazily import loaded_lazily

if TYPE_CHECKING:
    from coursekit.data.gallery import colour_of
    from coursekit.data.pets import load_pets
    from coursekit.data.samples import Samples
    from coursekit.data.scenes import load_scenes

__all__ = ["Samples", "colour_of", "load_pets", "load_scenes"]

_LIES_IN = {"Samples": "samples", "colour_of": "gallery", "load_pets": "pets", "load_scenes": "scenes"}

__getattr__, __dir__ = loaded_lazily(__name__, _LIES_IN)
