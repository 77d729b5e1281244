"""The mask lab in a real browser, by keys, by the pointer and by touch: in JupyterLab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NAMES = ("keys", "pen", "pointer", "starts", "ticks", "fresh", "hand", "heard")
TASKS = {
    "ticks": '["pixel_accuracy > 0.95, miou < 0.6", "boundary_f1 > 0.95, miou < 0.1"]',
    "fresh": '["pixel_accuracy > 0.95, miou < 0.6"]',
    "hand": '["by hand, miou > 0.6"]',
}
# 8 x 8 pixels of 40 x 40: nothing painted has 1536 of 1600 right, and the middle (20, 20) lies in the square
CELLS = [
    "import torch\nfrom coursekit.data import load_scenes\nfrom coursekit.widgets import MaskLab\n"
    "from ipywidgets import Button, Label\n"
    "picture = (torch.arange(3 * 40 * 40) % 200).byte().reshape(3, 40, 40)\n"
    "mask = torch.zeros(40, 40, dtype=torch.uint8)\nmask[16:24, 16:24] = 1\n"
    "def lab(title, tasks=False):\n"
    "    return MaskLab(picture, mask, classes=('ground', 'square'), tasks=tasks, title=title)",
    *(f"{name} = lab({name!r}, {TASKS.get(name, False)})\n{name}" for name in NAMES),
    "said = Label()\n"
    "def say(_):\n    said.value = f'python {int(heard.mask.sum())} {heard.scores.miou:.3f}'\n"
    "heard.observe(say, 'painted')\nsaid",
    "fill = Button(description='Python paints')\n"
    "def paint(_):\n    heard.mask = mask\nfill.on_click(paint)\nfill",
    "told = Label()\n"
    "def tell(_):\n    told.value = f'reached {ticks.reached}'\nticks.observe(tell, 'reached')\ntold",
    "scene = load_scenes(1, seed=3)\nignoring = scene.masks[0].clone()\nignoring[:6, :20] = 255\n"
    "MaskLab(scene.images[0], ignoring, classes=scene.classes, start='grown', title='look')",
]


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def notebook(place: Any, write_notebook: Callable) -> str:
    return write_notebook(place, "masks.ipynb", *CELLS)


@pytest.fixture(scope="module")
def shown(place: Any, notebook: str, open_page: Callable, show: Callable) -> Any:
    page = open_page(width=1200, height=1000)
    show(page, place, notebook, '[aria-label="look"]')
    return page


@pytest.fixture(autouse=True)
def no_errors(shown: Any) -> Any:
    yield
    assert not shown.errors, shown.errors


# JupyterLab goes on moving cells while it scrolls: the place is that which holds for eight frames.
AT_REST = """async (node) => {
  const canvas = node.querySelector("canvas");
  node.scrollIntoView({ block: "center" });
  for (let [still, last] = [0, ""]; still < 8; ) {
    await new Promise(requestAnimationFrame);
    const { left, top, width } = canvas.getBoundingClientRect();
    const now = [left, top, width].join();
    still = now === last ? still + 1 : 0;
    last = now;
  }
  const { left, top, width } = canvas.getBoundingClientRect();
  return [left, top, width];
}"""


class Lab:
    """One widget of the page, by its title."""

    def __init__(self, page: Any, title: str) -> None:
        self.page = page
        self.where = f'.ck-mask-lab[aria-label="{title}"]'
        self.node = page.locator(self.where)
        self.easel = self.node.locator('[data-sheet="paint"]')
        self.easel.scroll_into_view_if_needed()

    def wait_for(self, text: str, where: str) -> None:
        """What a node says in the end, however busy the machine is."""
        try:
            self.page.wait_for_function(
                "([where, text]) => document.querySelector(where)?.textContent.includes(text)",
                arg=[f"{self.where} {where}", text],
                timeout=30_000,
            )
        except Exception as never:
            found = self.node.locator(where).first.text_content()
            raise AssertionError(f"{where}: {found}, not {text}") from never

    def reads(self, **scores: str) -> None:
        for name, value in scores.items():
            self.wait_for(value, f'[data-meter="{name}"] b')

    def sums_up(self, name: str, text: str) -> None:
        self.wait_for(text, f'[data-meter="{name}"] .ck-sum')

    def says(self, text: str) -> None:
        self.wait_for(text, "> .ck-live")

    def has(self, where: str, name: str, value: str) -> None:
        self.node.locator(f'{where}[{name}="{value}"]').wait_for(state="attached", timeout=30_000)

    def button(self, action: str) -> Any:
        return self.node.locator(f'[data-action="{action}"]')

    def start(self, name: str) -> None:
        self.node.locator(f'[data-start="{name}"]').click()

    def at(self, row: float, column: float) -> tuple[float, float]:
        """The middle of a pixel of the picture, where a pointer finds it."""
        left, top, side = self.easel.evaluate(AT_REST)
        return left + (column + 0.5) * side / 40, top + (row + 0.5) * side / 40


EMPTY = {"pixel_accuracy": "0.960", "miou": "0.480", "boundary_f1": "0.000", "boundary_iou": "0.000"}
# 21 pixels, all of them in the square: (1536 + 21) / 1600, and (1536 / 1579 + 21 / 64) / 2
TOUCHED = {"pixel_accuracy": "0.973", "miou": "0.650"}


def test_painting_by_keys_changes_the_scores_and_shows_their_sums(shown: Any) -> None:
    one = Lab(shown, "keys")
    one.start("empty")
    one.reads(**EMPTY)
    one.sums_up("pixel_accuracy", "1,536 right / 1,600 that count = 0.960")
    one.sums_up("miou", "square: 0 shared / 64 in either = 0.000")
    one.sums_up("boundary_f1", "0 of 60 true ones lie within 1 px of a painted one")
    one.easel.press("Space")
    one.reads(**TOUCHED)
    one.sums_up("miou", "mean of the 2 that occur: (0.973 + 0.328) / 2 = 0.650")
    one.says("Painted square. Pixel accuracy 0.973, mean IoU 0.650")
    one.easel.press("Space")  # the same touch again erases
    one.reads(**EMPTY)
    one.easel.press("u")
    one.reads(**TOUCHED)
    one.easel.press("u")
    one.reads(**EMPTY)
    one.easel.press("r")
    one.reads(**TOUCHED)
    one.easel.press("e")
    one.says("Eraser")
    one.easel.press("Space")
    one.reads(**EMPTY)
    one.easel.press("f")  # the eraser fills ground with ground: nothing
    one.says("This patch is ground already")
    one.easel.press("1")
    one.says("Class 1, square")
    one.easel.press("f")
    one.reads(pixel_accuracy="0.040")
    one.easel.press("Control+z")
    one.reads(**EMPTY)
    one.easel.press("Control+Shift+z")
    one.reads(pixel_accuracy="0.040")


def test_the_pen_held_down_paints_a_line_and_keys_do_not_reach_the_page(shown: Any) -> None:
    one = Lab(shown, "pen")
    one.start("empty")
    count = shown.locator(".ck-mask-lab").count()
    for _ in range(9):
        one.easel.press("[")
    one.wait_for("1 px", ".ck-brush")
    shown.mouse.click(*one.at(20, 20))  # the cursor
    one.start("empty")
    one.reads(**EMPTY)
    one.easel.press("Enter")
    shown.wait_for_selector(f'{one.where}[data-pen="down"]')
    for _ in range(3):
        one.easel.press("ArrowRight")
    one.says("row 21 column 24, painted square, truth square")
    one.sums_up("miou", "square: 4 shared / 64 in either")
    label = "your mask, 40 by 40 pixels; row 21 column 24, painted square, truth square"
    one.has('[data-sheet="paint"]', "aria-label", label)
    one.easel.press("Enter")
    one.says("Pen lifted.")
    one.easel.press("ArrowRight")
    one.says("row 21 column 25, painted ground, truth ground")
    one.sums_up("miou", "square: 4 shared / 64 in either")
    one.easel.press("u")  # the whole line was one stroke
    one.reads(**EMPTY)
    for key in ("d", "d", "x"):  # in JupyterLab, a cell is deleted by d, d and cut by x
        one.easel.press(key)
    one.easel.press("]")
    one.wait_for("3 px", ".ck-brush")
    assert shown.locator(".ck-mask-lab").count() == count


def test_a_stroke_of_the_mouse_is_one_step(shown: Any) -> None:
    one = Lab(shown, "pointer")
    one.start("empty")
    for _ in range(7):
        one.button("thinner").click()
    one.wait_for("1 px", ".ck-brush")
    shown.mouse.move(*one.at(18, 16))
    shown.mouse.down()
    shown.mouse.move(*one.at(18, 23))  # far in one go: no gaps
    shown.mouse.up()
    one.sums_up("miou", "square: 8 shared / 64 in either")
    one.reads(pixel_accuracy="0.965")
    one.button("undo").click()
    one.reads(**EMPTY)
    one.button("redo").click()
    one.reads(pixel_accuracy="0.965")
    one.button("fill").click()
    shown.mouse.click(*one.at(2, 2))
    one.reads(pixel_accuracy="0.040")
    one.has('[data-action="fill"]', "aria-pressed", "true")
    one.easel.press("Escape")
    one.has('[data-action="fill"]', "aria-pressed", "false")


def test_the_starts_and_moves_make_the_scores_disagree(shown: Any) -> None:
    one = Lab(shown, "starts")
    perfect = dict.fromkeys(EMPTY, "1.000")
    one.start("truth")
    one.reads(**perfect)
    one.start("grown")  # 12 x 12 around 8 x 8: 80 too much
    one.reads(pixel_accuracy="0.950", miou="0.696", boundary_f1="0.479")
    counts = "errors in pixels: 1,520 right, 0 missed, 80 too much"
    one.has('[data-sheet="errors"]', "aria-label", counts)
    one.start("truth")
    one.reads(**perfect)
    one.easel.press("Shift+ArrowRight")
    one.reads(boundary_f1="1.000", pixel_accuracy="0.990")  # one pixel is forgiven
    one.easel.press("Shift+ArrowRight")
    one.reads(pixel_accuracy="0.980", boundary_f1="0.")
    one.button("left").click()
    one.button("left").click()
    one.reads(**perfect)
    one.button("grow").click()
    one.button("shrink").click()
    one.reads(**perfect)
    one.start("empty")
    one.reads(**EMPTY)


def test_a_task_is_ticked_off_and_said(shown: Any) -> None:
    one = Lab(shown, "ticks")
    one.node.locator(".ck-classes input").last.check()
    one.start("empty")
    one.has(".ck-tasks li:nth-child(1)", "data-done", "true")
    one.says("Task done: Find a mask with pixel accuracy above 0.95 and mean IoU below 0.6.")
    one.wait_for("Done.", ".ck-tasks li:nth-child(1)")
    shown.locator("text=reached ['pixel_accuracy > 0.95, miou < 0.6']").wait_for(timeout=30_000)
    one.easel.press("f")  # all square, then the true square to ground: inside out
    one.reads(pixel_accuracy="0.040")
    one.node.locator(".ck-classes input").first.check()
    for _ in range(7):
        one.easel.press("[")
    one.wait_for("1 px", ".ck-brush")
    shown.mouse.move(*one.at(16, 16))
    shown.mouse.down()
    for row in range(16, 24):
        shown.mouse.move(*one.at(row, 16 if row % 2 else 23))
        shown.mouse.move(*one.at(row, 23 if row % 2 else 16))
    shown.mouse.up()
    one.reads(pixel_accuracy="0.000", miou="0.000", boundary_f1="1.000")
    one.has(".ck-tasks li:nth-child(2)", "data-done", "true")


def test_what_was_painted_to_start_with_is_nobodys_find(shown: Any) -> None:
    one = Lab(shown, "fresh")
    one.reads(**EMPTY)
    one.has('[data-action="undo"]', "aria-disabled", "true")
    assert one.node.locator(".ck-tasks li").get_attribute("data-done") == "false"


def test_a_task_by_hand_has_to_begin_empty(shown: Any) -> None:
    one = Lab(shown, "hand")
    one.start("truth")
    one.reads(miou="1.000")
    one.wait_for("Not done yet.", ".ck-tasks li")
    one.start("empty")
    one.reads(**EMPTY)
    one.easel.press("Space")
    one.reads(**TOUCHED)
    one.has(".ck-tasks li", "data-done", "true")


def test_python_and_the_browser_hear_each_other(shown: Any) -> None:
    one = Lab(shown, "heard")
    one.start("empty")
    one.reads(**EMPTY)
    one.easel.press("Space")
    shown.locator("text=python 21 0.650").wait_for(timeout=30_000)
    shown.locator("button:has-text('Python paints')").click()
    one.reads(miou="1.000", boundary_f1="1.000")
    shown.locator("text=python 64 1.000").wait_for(timeout=30_000)
    one.easel.press("u")
    one.reads(**TOUCHED)


def test_a_finger_paints_on_a_phone(
    place: Any, notebook: str, open_page: Callable, show: Callable, artifacts: Path
) -> None:
    page = open_page(width=360, height=740, has_touch=True)
    show(page, place, notebook, '[aria-label="look"]')
    one = Lab(page, "pointer")
    page.touchscreen.tap(*one.at(20, 20))
    one.reads(**TOUCHED)
    one.start("empty")
    one.reads(**EMPTY)
    one.node.screenshot(path=artifacts / f"mask-lab-phone-{place.name}.png")
    assert not page.errors
    page.context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    place: Any, notebook: str, open_page: Callable, show: Callable, artifacts: Path, theme: str
) -> None:
    page = open_page(width=1200, height=1000, theme=theme)
    show(page, place, notebook, '[aria-label="look"]', theme)
    one = Lab(page, "look")
    page.wait_for_selector(f'{one.where}[data-theme="{theme}"]')
    for width, room in ((1200, ("wide", "medium")), (360, ("narrow",))):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(
            "([where, rooms]) => rooms.includes(document.querySelector(where).dataset.room)",
            arg=[one.where, list(room)],
        )
        inner = one.node.evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert inner[0] <= inner[1] + 1, "nothing sticks out sideways"
        one.node.screenshot(path=artifacts / f"mask-lab-{place.name}-{theme}-{width}.png")
    assert not page.errors
    page.context.close()
