"""The explorer in a real browser: in JupyterLab and in Voila, pressed and read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

TORCH = "1 3 2 2 4 10 6 6 3 7 4 4 3 7 4 4"
TENSORFLOW = "1 1 3 2 1 1 3 2 4 4 10 6 3 3 7 4"
NAMES = ("keys", "steps", "window", "settings", "values", "methods", "look")
CELLS = [
    "from coursekit.widgets import GridExplorer\nfrom ipywidgets import Label",
    *(f"{name} = GridExplorer(padding=1, output_padding=1, title={name!r})\n{name}" for name in NAMES),
    "said = Label()\n"
    "def say(change):\n    said.value = f'python {values.output}'\n"
    "values.observe(say, ['kernel', 'window'])\nsaid",
    "matrix = GridExplorer(kernel=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], padding=1, output_padding=1,\n"
    "    panels=('canvas', 'matrix', 'meter'), title='matrix')\nmatrix",
    "meter = GridExplorer(padding=1, output_padding=1, panels=('meter',), title='meter')\nmeter",
    "from coursekit import explore\n"
    "def doubled(x, kernel):\n    return kernel[0, 0] * x.repeat_interleave(2, 0).repeat_interleave(2, 1)\n"
    "own = explore(doubled, kernel=[[2.0]], panels=('matrix', 'meter'))\nown.title = 'own'\nown",
    "mine = GridExplorer.of(lambda x: x ** 2, name='squares', title='squares')\nmine",
]


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def shown(place: Any, write_notebook: Callable, open_page: Callable, show: Callable) -> Any:
    page = open_page(width=1200, height=1000)
    show(page, place, write_notebook(place, "explorer.ipynb", *CELLS), '[aria-label="squares"]')
    return page


@pytest.fixture(autouse=True)
def no_errors(shown: Any) -> Any:
    yield
    assert not shown.errors, shown.errors


class Explorer:
    """One explorer of the page, by its title."""

    def __init__(self, page: Any, title: str) -> None:
        self.page = page
        self.title = title
        self.node = page.locator(f'.ck-explorer[aria-label="{title}"]')
        self.node.scroll_into_view_if_needed()

    def numbers(self, grid: str) -> str:
        return " ".join(self.node.locator(f'[data-grid="{grid}"] .ck-number').all_text_contents())

    def wait_for(self, grid: str, numbers: str) -> None:
        """What a grid shows in the end, however busy the machine is; with the focus, where it never does."""
        shown = f'.ck-explorer[aria-label="{self.title}"] [data-grid="{grid}"] .ck-number'
        try:
            self.page.wait_for_function(
                "([where, numbers]) => numbers === "
                "[...document.querySelectorAll(where)].map((one) => one.textContent).join(' ')",
                arg=[shown, numbers.strip()],
                timeout=10_000,
            )
        except Exception as never:
            focus = self.page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
            raise AssertionError(f"{grid} shows {self.numbers(grid)}; the focus is on {focus}") from never

    def says(self, part: str, text: str) -> None:
        """What a part says in the end."""
        self.page.wait_for_function(
            "([where, text]) => document.querySelector(where).textContent === text",
            arg=[f'.ck-explorer[aria-label="{self.title}"] .ck-{part}', text],
            timeout=10_000,
        )

    def cell(self, grid: str, row: int, column: int) -> Any:
        return self.node.locator(f'[data-grid="{grid}"] [data-row="{row}"][data-column="{column}"]')

    def text(self, part: str) -> str:
        """What stands there, also where JupyterLab has not laid the cell out yet."""
        return str(self.node.locator(f".ck-{part}").text_content())

    def choose(self, setting: str, value: int) -> None:
        self.node.locator(f'[data-setting="{setting}"] label').filter(has_text=str(value)).click()


def test_arrows_move_the_cell_and_its_arithmetic_is_written_and_said(shown: Any) -> None:
    one = Explorer(shown, "keys")
    assert one.numbers("output") == TORCH
    one.cell("output", 0, 0).press("ArrowDown")
    one.cell("output", 1, 0).press("ArrowRight")
    one.says("line", "output[1, 1] 10 = 1·1 + 2·1 + 3·1 + 4·1")
    one.says("live", "output row 2 column 2: 10 = 1 × 1 + 2 × 1 + 3 × 1 + 4 × 1")
    label = one.cell("output", 1, 1).get_attribute("aria-label")
    assert label == "output row 2 column 2, value 10"
    assert one.node.locator('[data-grid="input"] [data-mark="source"]').count() == 4
    assert one.node.locator('[data-grid="kernel"] [data-mark="source"]').count() == 4
    one.cell("input", 0, 1).hover()
    assert one.node.locator('[data-grid="canvas"] [data-mark="reach"]').count() == 9
    one.cell("kernel", 0, 0).hover()
    assert one.node.locator('[data-grid="canvas"] [data-mark="reach"]').count() == 4
    shown.mouse.move(0, 0)
    assert one.text("line").startswith("output[1, 1] 10 =")


def test_each_region_is_one_tab_stop(shown: Any) -> None:
    one = Explorer(shown, "keys")
    assert one.node.locator('[role="gridcell"][tabindex="0"]').count() == 4
    one.cell("input", 0, 0).focus()
    stops = []
    for _ in range(5):
        stops.append(shown.evaluate("document.activeElement.closest('[data-region]')?.dataset.region"))
        shown.keyboard.press("Tab")
    assert stops == ["input", "kernel", "kernel", "canvas", "canvas"]


def test_stamps_come_one_by_one(shown: Any) -> None:
    one = Explorer(shown, "steps")
    focused = one.cell("output", 0, 0)  # `press` focuses it each time: Lab may move the focus as it scrolls
    for _ in range(4):
        focused.press("p")
    one.wait_for("canvas", "0 " * 25)
    focused.press("n")
    one.wait_for("canvas", "1 1 1 0 0 1 1 1 0 0 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0")
    focused.press("n")
    one.wait_for("canvas", "1 1 3 2 2 1 1 3 2 2 1 1 3 2 2 0 0 0 0 0 0 0 0 0 0")
    both = one.cell("canvas", 0, 2)
    assert both.get_attribute("data-stamps") == "2:0,1"
    assert "2 of 4" in one.text("count")
    focused.press(" ")
    one.says("count", "all 4 stamps")
    assert one.numbers("output") == TORCH
    one.node.locator('[data-action="reset"]').click()
    focused.press("n")
    one.wait_for("canvas", "1 1 1 0 0 1 1 1 0 0 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0")
    assert "1 of 4" in one.text("count")


def test_the_window_moves_by_key_by_pointer_and_by_name(shown: Any) -> None:
    one = Explorer(shown, "window")
    window = one.node.locator(".ck-window")
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft"):
        window.press(key)
    one.wait_for("output", TENSORFLOW)
    assert "canvas[0:4, 0:4]" in one.text("slice")
    assert "TensorFlow" in one.text("slice")
    assert window.get_attribute("aria-label").startswith("window on canvas rows 1–4, columns 1–4")
    box = one.node.locator(".ck-grip").bounding_box()
    shown.mouse.move(box["x"] + 10, box["y"] + 5)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 57, box["y"] + 52, steps=4)
    shown.mouse.up()
    assert one.numbers("output") == TORCH
    one.node.locator(".ck-chip", has_text="TensorFlow").click()
    assert one.numbers("output") == TENSORFLOW
    one.node.locator(".ck-chip", has_text="whole").click()
    assert len(one.numbers("output").split()) == 25
    one.node.locator(".ck-chip", has_text="torch").click()
    assert one.numbers("output") == TORCH


def test_an_impossible_setting_says_why_and_keeps_the_picture(shown: Any) -> None:
    one = Explorer(shown, "settings")
    one.choose("output_padding", 2)
    assert one.text("problem").startswith("output_padding must be smaller than the stride (2)")
    assert one.numbers("output") == TORCH
    assert "ck-dimmed" in one.node.locator(".ck-stage").get_attribute("class")
    one.choose("output_padding", 0)
    assert not one.node.locator(".ck-problem").is_visible()
    assert one.numbers("output") == "1 3 2 4 10 6 3 7 4"
    one.choose("stride", 3)
    one.choose("kernel", 5)
    one.choose("padding", 4)
    one.choose("padding", 0)
    assert len(one.numbers("output").split()) == 64


def test_values_are_edited_and_python_hears(shown: Any) -> None:
    one = Explorer(shown, "values")
    one.cell("kernel", 2, 2).focus()
    shown.keyboard.type("-1")
    shown.keyboard.press("Enter")
    assert one.numbers("output").split()[5] == "8"
    shown.get_by_text("python [[1, 3, 2, 2], [4, 8,").wait_for()
    assert shown.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
        "kernel row 3 column 3"
    )
    one.cell("kernel", 0, 0).focus()
    shown.keyboard.type("--")
    shown.keyboard.press("Enter")
    assert "A number is needed" in one.text("line")
    shown.keyboard.press("Escape")
    assert one.numbers("output").split()[5] == "8"
    one.node.locator('select[aria-label="fill the kernel"]').select_option("nails")
    assert one.numbers("output") == "1 0 2 0 0 0 0 0 3 0 4 0 0 0 0 0"


def test_every_method_can_be_chosen(shown: Any) -> None:
    one = Explorer(shown, "methods")
    expected = {
        "nearest": "1 1 2 2 1 1 2 2 3 3 4 4 3 3 4 4",
        "bed_of_nails": "1 0 2 0 0 0 0 0 3 0 4 0 0 0 0 0",
        "bilinear": "1 1.25 1.75 2 1.5 1.75 2.25 2.5 2.5 2.75 3.25 3.5 3 3.25 3.75 4",
        "resize_conv": "4 8 10 8 10 18 21 16 14 24 27 20 12 20 22 16",
        "max_unpool": "0 0 0 2 0 1 0 0 3 0 0 0 0 0 4 0",
        "pixel_shuffle": "1 5 2 6 9 13 10 14 3 7 4 8 11 15 12 16",
        "transposed_conv": TORCH,
    }
    for method, want in expected.items():
        one.node.locator('select[aria-label="method"]').select_option(method)
        assert one.numbers("output") == want, method
        assert one.node.locator('[data-region="canvas"]').is_visible() == (method == "transposed_conv")


def test_a_function_that_is_not_linear_is_only_shown(shown: Any) -> None:
    one = Explorer(shown, "squares")
    one.wait_for("output", "1 4 9 16")
    assert "Neither linear nor affine" in one.text("note")
    one.cell("input", 0, 0).press("5")
    assert one.numbers("input") == "1 2 3 4"


def test_the_matrix_is_linked_both_ways_by_keys(shown: Any) -> None:
    one = Explorer(shown, "matrix")
    matrix = one.node.locator('[data-grid="matrix"]')
    assert matrix.locator('[role="gridcell"]').count() == 64
    one.cell("matrix", 5, 0).focus()
    one.says("line", "matrix[5, 0] = 9: output[1, 1] takes 9 times input[0, 0], through kernel[2, 2].")
    assert one.cell("input", 0, 0).get_attribute("data-mark") == "source"
    assert one.cell("output", 1, 1).get_attribute("data-mark") == "target"
    assert one.cell("canvas", 2, 2).get_attribute("data-mark") == "target"
    assert one.cell("kernel", 2, 2).get_attribute("data-mark") == "source"
    assert matrix.locator('[data-mark="reach"], [data-mark="target"]').count() == 16 + 4 - 1
    label = one.cell("matrix", 5, 0).get_attribute("aria-label")
    assert label == "output row 2 column 2 from input row 1 column 1: 9"
    one.cell("matrix", 5, 0).press("ArrowRight")
    one.says("line", "matrix[5, 1] = 7: output[1, 1] takes 7 times input[0, 1], through kernel[2, 0].")
    one.cell("matrix", 5, 1).press("ArrowUp")
    one.cell("matrix", 4, 1).press("ArrowLeft")
    one.cell("output", 1, 1).focus()
    assert matrix.locator('[data-mark="reach"]').count() == 4
    one.cell("input", 0, 1).focus()
    assert matrix.locator('[data-mark="reach"]').count() == 16
    one.cell("kernel", 2, 2).focus()
    assert matrix.locator('[data-mark="reach"]').count() == 4


def test_the_meter_follows_kernel_and_stride_by_keys(shown: Any) -> None:
    one = Explorer(shown, "meter")
    one.wait_for("seat", "1 2 2 4")
    assert one.text("reading") == "1.333"
    assert one.text("read").endswith("uneven")
    one.cell("seat", 1, 1).focus()
    one.says(
        "line", "seat[1, 1] = 4 times the flat grey that goes in: of the kernel 1 + 1 + 1 + 1 lands here."
    )
    assert one.node.locator('[data-grid="output"] [data-mark="target"]').count() == 4
    for at, value in (((0, 0), "0.25"), ((0, 1), ".5"), ((0, 2), "0.25"), ((1, 0), "0.5"), ((1, 2), "0.5"),
                      ((2, 0), "0.25"), ((2, 1), ".5"), ((2, 2), "0.25")):  # fmt: skip
        cell = one.cell("kernel", *at)
        cell.press("F2")
        box = cell.locator("input")
        box.fill(value)
        box.press("Enter")
    one.wait_for("seat", "1 1 1 1")
    assert one.text("reading") == "0"
    assert "even: no checkerboard" in one.text("read")
    one.node.locator('[data-setting="stride"] input').nth(1).press("ArrowRight")
    one.wait_for("seat", "1 0.5 0.5 0.5 0.25 0.25 0.5 0.25 0.25")
    one.choose("output_padding", 0)
    one.choose("stride", 1)
    one.wait_for("seat", "4")
    assert one.text("reading") == "0"


def test_a_function_of_ones_own_has_both_panels(shown: Any) -> None:
    one = Explorer(shown, "own")
    one.wait_for("seat", "2 2 2 2")
    assert one.node.locator('[data-grid="matrix"] [role="gridcell"]').count() == 64
    cell = one.cell("kernel", 0, 0)
    cell.press("-")
    cell.locator("input").fill("-3")
    cell.locator("input").press("Enter")
    one.wait_for("seat", "−3 −3 −3 −3")
    one.cell("matrix", 0, 0).focus()
    one.says("line", "matrix[0, 0] = −3: output[0, 0] takes −3 times input[0, 0], through kernel[0, 0].")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    place: Any, shown: Any, open_page: Callable, show: Callable, artifacts: Path, theme: str
) -> None:
    page = open_page(width=1200, height=1000, theme=theme)
    show(page, place, "explorer.ipynb", '[aria-label="look"]', theme)
    one = Explorer(page, "look")
    one.cell("output", 1, 1).focus()
    for width in (1200, 700, 360):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(500)
        inner = one.node.evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert inner[0] <= inner[1] + 1, "nothing sticks out sideways"
        one.node.screenshot(path=artifacts / f"explorer-{place.name}-{theme}-{width}.png")
    panels = Explorer(page, "matrix")
    for width in (1200, 360):
        page.set_viewport_size({"width": width, "height": 2200})
        page.wait_for_timeout(1000)
        panels.node.scroll_into_view_if_needed()
        inner = panels.node.evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert inner[0] <= inner[1] + 1, "nothing sticks out sideways"
        panels.node.screenshot(path=artifacts / f"explorer-panels-{place.name}-{theme}-{width}.png")
    assert one.node.get_attribute("data-theme") == theme
    assert not page.errors
    page.context.close()


def test_every_explorer_of_a_page_shows_its_own_choices(shown: Any) -> None:
    fields = shown.locator("fieldset[data-setting]:not([hidden])")
    chosen = fields.evaluate_all("nodes => nodes.map(node => node.querySelectorAll('input:checked').length)")
    assert len(chosen) > 2 * len(NAMES)
    assert set(chosen) == {1}
