"""Public names that load when first touched (PEP 562), so that one of them does not wait for the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from sys import modules


def loaded_lazily(
    package: str, lies_in: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """A package's ``__getattr__`` and ``__dir__``.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    lies_in : mapping of str to str
        Each public name, and the package's module that defines it.

    Examples
    --------
    >>> load, names = loaded_lazily("coursekit.nets", {"cost": "costing"})
    >>> names()
    ['cost']
    """

    def load(name: str) -> object:
        if name not in lies_in:
            known = ", ".join(sorted(lies_in))
            raise AttributeError(f"module {package!r} has no attribute {name!r}; it has {known}", name=name)
        value = getattr(import_module(f"{package}.{lies_in[name]}"), name)
        setattr(modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted(lies_in)

    return load, names
