"""`import coursekit` is light, its names load when touched, a wrong name is answered with the right one."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import coursekit

PACKAGE = Path(coursekit.__file__).parent
JUPYTER = (
    "IPython",
    "ipywidgets",
    "ipykernel",
    "anywidget",
    "jupyterlab",
    "jupyter_client",
    "nbformat",
    "voila",
)
ROOMS = sorted(each.name for each in pkgutil.iter_modules([str(PACKAGE)]))
BARE_ROOMS = [name for name in ROOMS if name in {"upsampling", "boxes", "data", "nets", "training"}]


def modules_after(code: str) -> set[str]:
    """Return the top-level names in sys.modules of a fresh interpreter after it ran some code."""
    report = "; import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("code", ["import coursekit", "import coursekit.cli", "import coursekit.listing"])
def test_the_root_and_the_command_import_neither_torch_nor_jupyter(code: str) -> None:
    heavy = {"torch", "torchvision", "numpy", "matplotlib", *JUPYTER}
    assert not modules_after(code) & heavy


def test_the_rooms_for_bare_machines_import_no_jupyter() -> None:
    """In one interpreter, as torch alone takes seconds; the message names whatever came along."""
    assert "upsampling" in BARE_ROOMS
    assert not modules_after("; ".join(f"import coursekit.{room}" for room in BARE_ROOMS)) & set(JUPYTER)


def test_every_promised_name_loads_and_is_listed() -> None:
    assert set(coursekit.__all__) <= set(dir(coursekit))
    for name in coursekit.__all__:
        assert callable(getattr(coursekit, name)), name


def test_no_submodule_bears_an_exported_name() -> None:
    assert not set(ROOMS) & set(coursekit.__all__)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("exersise", "Did you mean 'exercise'?"),
        ("upsampling", "from coursekit.upsampling import"),
        ("zebra", "earned, example"),
    ],
)
def test_a_wrong_name_is_answered_with_what_to_write(wrong: str, says: str) -> None:
    code = f"import coursekit\ntry: coursekit.{wrong}\nexcept AttributeError as problem: print(problem)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert says in run.stdout


def names_taken_from_the_root(tree: ast.AST) -> list[int]:
    """Return the lines that reach into the lazy root, where the import linter cannot follow."""
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "coursekit" and node.level == 0:
            lines += [node.lineno for alias in node.names if alias.name != "__version__"]
        if isinstance(node, ast.Import):
            lines += [node.lineno for alias in node.names if alias.name == "coursekit"]
    return lines


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("from coursekit import hint", [1]),
        ("import coursekit\ncoursekit.hint()", [1]),
        ("from coursekit import __version__", []),
        ("from coursekit.upsampling import probe", []),
        ("import coursekit.upsampling as up", []),
    ],
)
def test_the_search_for_root_imports_finds_them(code: str, lines: list[int]) -> None:
    assert names_taken_from_the_root(ast.parse(code)) == lines


# What runs inside the sandbox meets another root there, the one in `root.py` beside it.
OUTSIDE = sorted(path for path in PACKAGE.rglob("*.py") if path.parent.name != "inside")


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_room_imports_from_the_lazy_root(path: Path) -> None:
    assert names_taken_from_the_root(ast.parse(path.read_text(encoding="utf-8"))) == []
