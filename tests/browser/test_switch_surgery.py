"""Switch surgery in a real browser, by keys alone and by the pointer: in JupyterLab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NAMES = ("keys", "swap", "all", "pointer", "look", "heard")
CELLS = [
    "import torch\nfrom coursekit.widgets import SwitchSurgery\nfrom ipywidgets import Button, Label",
    *(f"{name} = SwitchSurgery(title={name!r})\n{name}" for name in NAMES),
    "said = Label()\n"
    "def say(change):\n    said.value = f'python {heard.switches} {heard.output[0]}'\n"
    "heard.observe(say, 'switches')\nsaid",
    "drop = Button(description='Python drops')\ndrop.on_click(lambda _: heard.drop())\ndrop",
    "other = Button(description='Python gives another grid')\n"
    "def give(_):\n    heard.x = [[1, 2, 9], [3, 4, 9]]\nother.on_click(give)\nother",
    "odd = SwitchSurgery([[-2, 3, 1, -1, 9], [9, -7, -9, 2, -6], [8, 0, 5, 5, 1]], title='odd')\nodd",
    "picture = SwitchSurgery(torch.linspace(0, 1, 288).reshape(12, 24), title='picture')\npicture",
]
BACK = "0 0 0 0 5 0 0 4 0 0 7 0 6 0 0 0"


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def shown(place: Any, write_notebook: Callable, open_page: Callable, show: Callable) -> Any:
    page = open_page(width=1200, height=1000)
    show(page, place, write_notebook(place, "surgery.ipynb", *CELLS), '[aria-label="picture"]')
    return page


@pytest.fixture(autouse=True)
def no_errors(shown: Any) -> Any:
    yield
    assert not shown.errors, shown.errors


class Surgery:
    """One widget of the page, by its title."""

    def __init__(self, page: Any, title: str) -> None:
        self.page = page
        self.where = f'.ck-surgery[aria-label="{title}"]'
        self.node = page.locator(self.where)
        self.node.scroll_into_view_if_needed()

    def wait_for(self, what: str, text: str, where: str) -> None:
        """What some nodes say in the end, however busy the machine is."""
        try:
            self.page.wait_for_function(
                "([where, text]) => text === "
                "[...document.querySelectorAll(where)].map((one) => one.textContent.trim()).join(' ')",
                arg=[f"{self.where} {where}", text],
                timeout=10_000,
            )
        except Exception as never:
            found = self.node.locator(where).all_inner_texts()
            raise AssertionError(f"{what}: {' '.join(found)}, not {text}") from never

    def brings_back(self, numbers: str) -> None:
        self.wait_for("brought back", numbers, '[data-grid="back"] .ck-number')

    def reads(self, in_place: str, difference: str) -> None:
        self.wait_for("in place", in_place, '[data-meter="in-place"] b')
        self.wait_for("difference", difference, '[data-meter="difference"] b')

    def cell(self, grid: str, row: int, column: int) -> Any:
        return self.node.locator(f'[data-grid="{grid}"] [data-row="{row}"][data-column="{column}"]')

    def button(self, action: str) -> Any:
        return self.node.locator(f'[data-action="{action}"]')

    def line(self) -> str:
        """What stands there, also where JupyterLab has not laid the cell out yet."""
        return str(self.node.locator(".ck-line").text_content())


def test_a_switch_is_moved_by_keys_and_put_back(shown: Any) -> None:
    one = Surgery(shown, "keys")
    one.brings_back(BACK)
    one.reads("4 of 4", "1.125")
    cell = one.cell("pooled", 0, 0)
    cell.press("Shift+ArrowRight")
    one.brings_back("0 0 0 0 0 5 0 4 0 0 7 0 6 0 0 0")
    one.reads("3 of 4", "1.5")  # |5 - 2| at the new place, 5 lost at the old: (18 - 2 - 0 + 3 + 5) / 16
    label = cell.get_attribute("aria-label")
    assert label.startswith("pooled row 1 column 1, value 5, switch at row 2 column 2 of its block")
    assert label.endswith("flat index 5, not where x has it")
    assert "1·4 + 1 = 5" in one.line()
    cell.press("Shift+ArrowRight")
    cell.press("Shift+ArrowUp")
    one.brings_back("0 5 0 0 0 0 0 4 0 0 7 0 6 0 0 0")
    cell.press("Enter")  # on to the next place, which is where x has it
    one.brings_back(BACK)
    cell.press("ArrowRight")
    focus = shown.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focus.startswith("pooled row 1 column 2, value 4")
    one.button("restore").press("Enter")
    one.brings_back(BACK)
    one.reads("4 of 4", "1.125")
    assert one.button("restore").get_attribute("aria-disabled") == "true"


def test_keys_on_what_came_back_choose_the_place(shown: Any) -> None:
    one = Surgery(shown, "keys")
    one.cell("back", 2, 3).press("Enter")
    one.brings_back("0 0 0 0 5 0 0 4 0 0 0 7 6 0 0 0")
    one.button("restore").press("Enter")
    one.brings_back(BACK)


def test_two_cells_swap_places(shown: Any) -> None:
    one = Surgery(shown, "swap")
    one.cell("pooled", 0, 0).focus()
    one.button("swap").press("Enter")
    assert one.button("swap").get_attribute("aria-pressed") == "true"
    one.cell("pooled", 0, 1).press("Enter")
    one.brings_back("0 0 0 0 0 5 4 0 0 0 7 0 6 0 0 0")
    one.button("swap").press("Enter")
    one.cell("pooled", 0, 1).press("Escape")
    assert one.button("swap").get_attribute("aria-pressed") == "false"
    one.brings_back("0 0 0 0 0 5 4 0 0 0 7 0 6 0 0 0")


def test_drop_and_shuffle_all_and_each_shuffle_is_another(shown: Any) -> None:
    one = Surgery(shown, "all")
    one.button("shuffle").press("Enter")
    first = one.node.locator('[data-grid="back"] .ck-number').all_inner_texts()
    assert sorted(first) == sorted(BACK.split())
    one.button("drop").press("Enter")
    one.brings_back("5 0 4 0 0 0 0 0 6 0 7 0 0 0 0 0")
    one.reads("1 of 4", "2.625")
    assert one.node.locator('[data-grid="back"] [data-missed="true"]').count() == 3


def test_the_pointer_does_the_same(shown: Any) -> None:
    one = Surgery(shown, "pointer")
    one.cell("pooled", 1, 1).locator('[data-place="3"]').click()
    one.brings_back("0 0 0 0 5 0 0 4 0 0 0 0 6 0 0 7")
    one.cell("back", 2, 2).click()
    one.brings_back(BACK)
    one.cell("pooled", 0, 1).hover()
    assert one.node.locator('[data-grid="x"] [data-mark="reach"]').count() == 4


def test_python_hears_and_is_heard(shown: Any) -> None:
    one = Surgery(shown, "heard")
    one.cell("pooled", 0, 0).press("Shift+ArrowUp")
    shown.get_by_text("python [[0, 7], [12, 10]] [5, 0, 0, 0]").wait_for()
    shown.get_by_role("button", name="Python drops").click()
    one.brings_back("5 0 4 0 0 0 0 0 6 0 7 0 0 0 0 0")
    shown.get_by_role("button", name="Python gives another grid").click()
    one.brings_back("0 0 0 0 4 0")
    assert "output_size=(2, 3)" in one.node.locator("[data-remainder]").text_content()


def test_what_fills_no_block_is_dropped(shown: Any) -> None:
    one = Surgery(shown, "odd")
    one.brings_back("0 0 0 0 0 9 0 0 2 0 0 0 0 0 0")
    assert one.node.locator('[data-grid="x"] .ck-rest').count() == 7
    one.cell("x", 2, 0).focus()
    assert one.line() == "This cell is in no block: pooling drops it."


def test_a_picture_is_worked_by_keys(shown: Any) -> None:
    one = Surgery(shown, "picture")
    one.reads("72 of 72", "0.364")
    pooled = one.node.locator('[data-grid="pooled"]')
    pooled.press("ArrowDown")
    pooled.press("Shift+ArrowUp")
    one.wait_for("in place", "71 of 72", '[data-meter="in-place"] b')
    assert pooled.get_attribute("aria-label").startswith("pooled row 2 column 1, value 0.254")
    one.button("drop").press("Enter")
    one.wait_for("in place", "0 of 72", '[data-meter="in-place"] b')


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    place: Any, shown: Any, open_page: Callable, show: Callable, artifacts: Path, theme: str
) -> None:
    page = open_page(width=1200, height=1000, theme=theme)
    show(page, place, "surgery.ipynb", '[aria-label="picture"]', theme)
    for title in ("look", "odd", "picture"):
        one = Surgery(page, title)
        one.button("shuffle").press("Enter")
        for width in (1200, 360):
            page.set_viewport_size({"width": width, "height": 1000})
            page.wait_for_timeout(500)
            inner = one.node.evaluate("node => [node.scrollWidth, node.clientWidth]")
            assert inner[0] <= inner[1] + 1, "nothing sticks out sideways"
            one.node.screenshot(path=artifacts / f"surgery-{title}-{place.name}-{theme}-{width}.png")
        assert one.node.get_attribute("data-theme") == theme
    assert not page.errors
    page.context.close()
