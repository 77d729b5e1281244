"""What the course learns from: procedural scenes and photographs of pets, as whole tensors."""

from coursekit.data.pets import load_pets
from coursekit.data.samples import Samples
from coursekit.data.scenes import load_scenes

__all__ = ["Samples", "load_pets", "load_scenes"]
