"""Finding forbidden operations: by name in the function's own text, and by effect when it runs.

The text is read with the function's globals at hand, so that aliases, ``from … import … as``, and ``getattr``
with a written-out name are seen through; helpers of the learner's that it calls are read too. Running it once
under torch's own modes sees what text cannot, such as a name put together at run time. Both are best effort:
threads and re-implementations outside torch are not seen.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from coursekit.checking.sources import definition_of

# The kernels that torch's named operations end in, and whether transposed (None where it does not matter).
_KERNELS: dict[str, tuple[tuple[str, bool | None], ...]] = {
    "conv_transpose": (
        *(("convolution", True), ("_convolution", True), ("slow_conv_transpose", None)),
        ("convolution_backward", None),
    ),
    "conv": (
        *(("convolution", False), ("_convolution", False), ("_slow_conv2d_forward", None)),
        *(("slow_conv_dilated", None), ("mkldnn_convolution", None)),
    ),
    "fold": (("col2im", None),),
    "unfold": (("im2col", None), ("unfold", None)),
    "max_unpool": (("max_unpool2d", None), ("max_unpool3d", None)),
    "max_pool": (("max_pool", None), ("adaptive_max_pool2d", None)),
    "max_pool2d_with_indices": (("max_pool2d_with_indices", None),),
    "adaptive_max_pool": (("adaptive_max_pool", None),),
    "avg_pool": (("avg_pool", None), ("_adaptive_avg_pool", None)),
    "interpolate": (("upsample_", None), ("_upsample_", None)),
    "upsample": (("upsample_", None), ("_upsample_", None)),
    "pixel_shuffle": (("pixel_shuffle", None),),
    "cross_entropy": (("nll_loss", None), ("cross_entropy", None)),
    "cross_entropy_loss": (("nll_loss", None), ("cross_entropy", None)),
    "nll_loss": (("nll_loss", None),),
    "n_l_l_loss": (("nll_loss", None),),
    "softmax": (("_softmax", None), ("_log_softmax", None)),
    "log_softmax": (("_log_softmax", None), ("_softmax", None)),
}


@dataclass(frozen=True)
class Shortcut:
    """A forbidden operation that was found: its dotted name and the line of the function, if known."""

    name: str
    line: int | None = None


def shortcut_in_text(function: Callable[..., Any], forbidden: tuple[str, ...]) -> Shortcut | None:
    """The first forbidden name that a function's text, or that of a helper it calls, leads to."""
    targets = _targets(forbidden)
    for reader in _own_functions(function):
        definition = definition_of(reader)
        if definition is None:
            continue
        scope = {**vars(builtins), **reader.__globals__, **_imported_inside(definition)}
        found = _shortcut_in(definition, scope, targets)
        if found is not None:
            return found
    return None


def shortcut_in_trees(statements: Sequence[ast.stmt], forbidden: tuple[str, ...]) -> Shortcut | None:
    """The first forbidden name that some definitions lead to, without running or importing anything.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The imports, constants and definitions that an answer is made of, the answer's own last.
    forbidden : tuple of str
    """
    targets, scope = _targets(forbidden), dict(vars(builtins))
    for statement in statements:
        scope.update(_bound_unrun(statement, scope))
    for statement in reversed(statements):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [node for node in ast.walk(statement) if isinstance(node, ast.Import | ast.ImportFrom)]
            bound = {name: value for node in inner for name, value in _bound_unrun(node, scope).items()}
            found = _shortcut_in(statement, {**scope, **bound}, targets)
            if found is not None:
                return found
    return None


def _bound_unrun(statement: ast.AST, scope: dict[str, Any]) -> dict[str, Any]:
    """What a statement gives a name, as far as the modules that are here already tell."""
    if isinstance(statement, ast.Import):
        pairs = [
            (alias, alias.name if alias.asname else alias.name.split(".")[0]) for alias in statement.names
        ]
        return {alias.asname or target: _here(target) for alias, target in pairs}
    if isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
        names = [
            (alias.asname or alias.name, f"{statement.module}.{alias.name}") for alias in statement.names
        ]
        return {name: _here(target) for name, target in names}
    if isinstance(statement, ast.Assign):
        bound = [target.id for target in statement.targets if isinstance(target, ast.Name)]
        return dict.fromkeys(bound, _meaning(statement.value, scope))
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name: None}
    return {}


def _here(name: str) -> Any:
    """What a dotted name stands for among the modules that are loaded; nothing is imported for a learner."""
    first, *parts = name.split(".")
    value: Any = sys.modules.get(first) if first in ("torch", "coursekit") else None
    for part in parts:
        if isinstance(value, ModuleType):
            own = (
                name.startswith("coursekit.")
                and "." in value.__name__
                and part in getattr(value, "__all__", ())
            )
            value = getattr(value, part) if own else vars(value).get(part)
        else:
            value = None
    return value


def _shortcut_in(definition: Any, scope: dict[str, Any], targets: list[tuple[str, Any]]) -> Shortcut | None:
    for node in ast.walk(definition):
        name = _forbidden_at(node, scope, targets)
        if name is not None:
            return Shortcut(name, node.lineno - definition.lineno + 1)  # type: ignore[attr-defined]
    return None


class ShortcutWatch:
    """Sees torch's operations run; a context manager. `found` is the first forbidden one, or None."""

    def __init__(self, forbidden: tuple[str, ...]) -> None:
        self.found: Shortcut | None = None
        self._targets = _targets(forbidden)
        self._endings = [(name, *kernel) for name in forbidden for kernel in kernels_below(name)]
        self._calls, self._kernels = _Calls(self), _Kernels(self)

    def __enter__(self) -> ShortcutWatch:
        self._calls.__enter__()
        self._kernels.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._kernels.__exit__(*reason)
        self._calls.__exit__(*reason)

    def saw_call(self, operation: Any) -> None:
        """Note a torch function that is called."""
        for name, target in self._targets:
            if operation is target and self.found is None:
                self.found = Shortcut(name)

    def saw_kernel(self, kernel: str, arguments: tuple[Any, ...]) -> None:
        """Note a kernel that torch runs in the end."""
        for name, start, transposed in self._endings:
            if kernel.startswith(start) and (transposed is None or is_transposed(arguments) == transposed):
                self.found = self.found or Shortcut(name)


class _Calls(TorchFunctionMode):
    def __init__(self, watch: ShortcutWatch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.watch.saw_call(func)
        return func(*args, **(kwargs or {}))


class _Kernels(TorchDispatchMode):
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # torch's default would import torch._dynamo, which takes seconds

    def __init__(self, watch: ShortcutWatch) -> None:
        super().__init__()
        self.watch = watch

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.watch.saw_kernel(func._schema.name.removeprefix("aten::"), args)
        return func(*args, **(kwargs or {}))


def kernels_below(name: str) -> tuple[tuple[str, bool | None], ...]:
    """How the kernels are called that a named operation ends in, and whether transposed (None: either)."""
    return _KERNELS.get(_family(name), ())


def all_kernels() -> set[str]:
    """The beginnings of all their names."""
    return {start for kernels in _KERNELS.values() for start, _ in kernels}


def _family(name: str) -> str:
    """``ConvTranspose2d`` and ``conv_transpose2d`` are both ``conv_transpose``."""
    last = name.rsplit(".", 1)[-1]
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in last).lstrip("_")
    return snake.rstrip("123d") if snake.endswith(("1d", "2d", "3d")) else snake


def is_transposed(arguments: tuple[Any, ...]) -> bool:
    """Whether a convolution's arguments say that it is transposed: their first truth value."""
    return next((value for value in arguments if isinstance(value, bool)), False)


def resolved(name: str) -> Any:
    """The object that a dotted name stands for.

    Raises
    ------
    ValueError
        When there is no such module or attribute.
    """
    parts = name.split(".")
    try:
        value: Any = importlib.import_module(parts[0])
        for count, part in enumerate(parts[1:], 2):
            if not hasattr(value, part) and isinstance(value, ModuleType):
                importlib.import_module(".".join(parts[:count]))
            value = getattr(value, part)
    except (ImportError, AttributeError):
        raise ValueError(
            f"Expected the dotted name of something that exists, got {name!r}. Try its import path."
        ) from None
    return value


def _targets(forbidden: tuple[str, ...]) -> list[tuple[str, Any]]:
    """The forbidden objects by name; a name that is gone from this version of a library forbids nothing."""
    return [(name, value) for name in forbidden if (value := _loaded(name)) is not None]


def _own_functions(function: Callable[..., Any]) -> Iterator[FunctionType]:
    """The function, and the learner's helpers that it names, each once."""
    waiting, seen = [inspect.unwrap(function)], set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, FunctionType) or current in seen:
            continue
        seen.add(current)
        yield current
        named = (current.__globals__.get(name) for name in current.__code__.co_names)
        waiting += [value for value in named if getattr(value, "__globals__", None) is current.__globals__]


def _imported_inside(definition: ast.AST) -> dict[str, Any]:
    """What the function's own import statements bind."""
    bound: dict[str, Any] = {}
    for node in ast.walk(definition):
        if isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name if alias.asname else alias.name.split(".")[0]
                bound[alias.asname or target] = _loaded(target)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                bound[alias.asname or alias.name] = _loaded(f"{node.module}.{alias.name}")
    return bound


def _loaded(name: str) -> Any:
    try:
        return resolved(name)
    except ValueError:
        return None


def _forbidden_at(node: ast.AST, scope: dict[str, Any], targets: list[tuple[str, Any]]) -> str | None:
    if not isinstance(node, ast.Name | ast.Attribute | ast.Call):
        return None
    value = _meaning(node, scope)
    for name, target in targets:
        if value is not None and value is target:
            return name
        if value is None and isinstance(node, ast.Attribute) and name == f"torch.Tensor.{node.attr}":
            return name
    return None


def _meaning(node: ast.AST, scope: dict[str, Any]) -> Any:
    """What an expression stands for, through names, attributes of modules and classes, and getattr."""
    if isinstance(node, ast.Name):
        return scope.get(node.id)
    if isinstance(node, ast.Attribute):
        return _member(_meaning(node.value, scope), node.attr)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "getattr":
        written = [argument.value for argument in node.args[1:2] if isinstance(argument, ast.Constant)]
        return _member(_meaning(node.args[0], scope), str(written[0])) if written else None
    return None


def _member(owner: Any, name: str) -> Any:
    if not isinstance(owner, ModuleType | type) or owner is torch.ops:  # asking torch.ops would load kernels
        return None
    return getattr(owner, name, None)
