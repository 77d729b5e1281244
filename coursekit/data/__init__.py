"""What the course learns from: procedural scenes and photographs of pets, as whole tensors.

The names load when first touched, so that asking what data there is does not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coursekit.data.pets import load_pets
    from coursekit.data.samples import Samples
    from coursekit.data.scenes import load_scenes

__all__ = ["Samples", "load_pets", "load_scenes"]

_LIES_IN = {"Samples": "samples", "load_pets": "pets", "load_scenes": "scenes"}


def __getattr__(name: str) -> object:
    """Load a public name when it is first used (PEP 562)."""
    if name not in _LIES_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LIES_IN[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
