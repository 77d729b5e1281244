"""axe-core finds nothing serious in any widget: light and dark, in JupyterLab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from coursekit import widgets
from tests.browser.seeing import complaints

pytestmark = pytest.mark.slow

# How each widget is made, and the node that is its own: the rest of the page is Jupyter's.
MADE = {
    "GridExplorer": ("GridExplorer(padding=1, output_padding=1, panels=('canvas', 'matrix', 'meter'))",
                     ".ck-explorer:not(.ck-surgery, .ck-mask-lab, .ck-box-lab, .ck-tug)"),
    "SwitchSurgery": ("SwitchSurgery([[1, 5, 2], [2, 3, 8], [0, 1, 4]])", ".ck-surgery"),
    "MaskLab": ("MaskLab(load_scenes(1, objects=1, radius=(0.06, 0.07)))", ".ck-mask-lab"),
    "BoxLab": ("BoxLab()", ".ck-box-lab"),
    "Tug": ("Tug(torch.tensor([3., 1.]), torch.tensor([-2., 1.]), 2, [(0, 80), (10, 110), (20, 95)])",
            ".ck-tug"),
    "Predict": ("Predict('How large is it?', ['2x2', '4x4'], answer='B', why='Twice.')", ".qc-predict"),
    "Quiz": ("Quiz([{'question': 'Which?', 'options': ['this', 'that'], 'answer': 'A', "
             "'why': ['Yes.', 'No.']}])", ".qc-quiz"),
    "TrainingBoard": ("TrainingBoard()", ".tb-board"),
    "ProgressMap": ("progress()", ".pm-map"),
}  # fmt: skip
MORE = [
    "GridExplorer('max_unpool', panels=('meter',))",
    "GridExplorer.of(lambda x: x ** 2, panels=('matrix', 'meter'))",
    "SwitchSurgery(torch.linspace(0, 1, 288).reshape(12, 24), title='picture')",
]


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def notebook(place: Any, write_notebook: Callable) -> str:
    names = [name for name in MADE if name != "ProgressMap"]
    imports = "import torch\nfrom coursekit import progress\nfrom coursekit.data import load_scenes\n"
    start = f"{imports}from coursekit.widgets import {', '.join(names)}"
    cells = [made for made, _ in MADE.values()]
    return write_notebook(place, "accessible.ipynb", start, *cells, *MORE)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    place: Any, notebook: str, open_page: Callable, show: Callable, theme: str
) -> None:
    page = open_page(width=1200, height=1000, theme=theme)
    show(page, place, notebook, '[aria-label="picture"]', theme)
    page.locator('[aria-label="picture"]').scroll_into_view_if_needed()
    found = []
    for name, (_, node) in MADE.items():
        page.locator(node).first.wait_for(timeout=60_000)
        found += complaints(page, name, node)
    # worked, not only looked at: a cell pointed at, a swap begun, a switch astray
    explorer = page.locator(MADE["GridExplorer"][1]).first
    explorer.locator('[data-grid="matrix"] [data-index="5"]').first.focus()
    page.locator(".ck-surgery [data-action=drop]").first.press("Enter")
    page.locator(".ck-surgery [data-action=swap]").first.press("Enter")
    page.locator(".ck-mask-lab [data-start=empty]").first.press("Enter")
    page.wait_for_selector(".ck-mask-lab [data-done=true]", state="attached")
    easel = page.locator(".ck-box-lab .ck-easel").first
    for key in ("k", "4", "]", "]", *["ArrowLeft"] * 9):
        easel.press(key)
    page.wait_for_selector(".ck-box-lab [data-task=apart][data-done=true]", state="attached")
    page.locator(".ck-tug [data-action=balanced]").first.press("Enter")
    found += complaints(page, "worked", ".ck-explorer")
    assert not found, "\n".join(found)
    page.context.close()


def test_axe_would_find_something(open_page: Callable) -> None:
    """A page with a fault: else a selector that meets nothing would pass for ever."""
    page = open_page()
    page.set_content("<main><button class='bad'></button><img class='bad' src='data:,'></main>")
    assert len(complaints(page, "bad", ".bad")) == 2
    page.context.close()


def test_every_widget_is_asked() -> None:
    assert set(widgets.__all__) - {"SideBySide"} == set(MADE)  # that one is only a row of others
