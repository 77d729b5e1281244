"""What an instructor may want to look at in an answer's text. It never changes a grade."""

from __future__ import annotations

import ast
from collections.abc import Iterable

_MODULES = [
    "builtins",
    "ctypes",
    "gc",
    "importlib",
    "inspect",
    "multiprocessing",
    "os",
    "pickle",
    "pty",
    "resource",
    "shutil",
    "signal",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "urllib",
    "requests",
]
_NAMES = ("__import__", "compile", "eval", "exec", "globals", "open")
_ATTRIBUTES = ("_getframe", "__subclasses__", "__globals__", "__code__", "__builtins__")


def suspicious(trees: Iterable[ast.stmt]) -> list[str]:
    """Sentences such as ``uses ctypes``, each once; an honest answer seldom needs any of it."""
    found: dict[str, None] = {}
    for tree in trees:
        for node in ast.walk(tree):
            found.update(dict.fromkeys(_in(node)))
    return [f"uses {name}" for name in found]


def _in(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [one.name for one in node.names if one.name.split(".")[0] in _MODULES]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and node.module.split(".")[0] in _MODULES else []
    if isinstance(node, ast.Name):
        return [node.id] if node.id in _NAMES else []
    if isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES:
        return [node.attr]
    if isinstance(node, ast.Assign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [f"a patch of {ast.unparse(one)[:60]}" for one in targets if _patches(one)]
    return []


def _patches(target: ast.expr) -> bool:
    """Whether something is assigned to an attribute of a module that everybody shares."""
    while isinstance(target, ast.Attribute):
        target = target.value
        if isinstance(target, ast.Name):
            return target.id in ("torch", "np", "numpy", "math", "F", "nn", "random", "builtins")
    return False
