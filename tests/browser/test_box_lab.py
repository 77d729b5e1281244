"""The box lab in a real browser, by keys alone, by the pointer and by touch: in JupyterLab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

NAMES = ("keys", "size", "pointer", "same", "zero", "fresh", "heard")
# 20 x 20 pixels of 100 x 100; the box beside it shares a third of the union
CELLS = [
    "import torch\nfrom coursekit.widgets import BoxLab\nfrom ipywidgets import Button, Label\n"
    "picture = (torch.arange(3 * 100 * 100) % 200).byte().reshape(3, 100, 100)\n"
    "def lab(title, **more):\n"
    "    return BoxLab(picture, (40, 40, 20, 20), more.pop('box', (50, 40, 20, 20)), title=title, **more)",
    *(f"{name} = lab({name!r})\n{name}" for name in NAMES if name != "fresh"),
    "fresh = lab('fresh', box=(5, 5, 10, 10))\nfresh",
    "said = Label()\n"
    "def say(_):\n    said.value = f'python {heard.box.tolist()} {heard.scores[\"iou\"]:.3f} '"
    "f'{heard.arrows}'\n"
    "heard.observe(say, ['now', 'arrows'])\nsaid",
    "put = Button(description='Python moves')\n"
    "def move(_):\n    heard.box = (40, 40, 20, 20)\nput.on_click(move)\nput",
    "told = Label()\n"
    "def tell(_):\n    told.value = f'reached {zero.reached}'\nzero.observe(tell, 'reached')\ntold",
    "lab('look', arrows='giou', box=(30, 52, 16, 24))",
]


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def notebook(place: Any, write_notebook: Callable) -> str:
    return write_notebook(place, "boxes.ipynb", *CELLS)


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
  const sheet = node.querySelector("svg");
  node.scrollIntoView({ block: "center" });
  for (let [still, last] = [0, ""]; still < 8; ) {
    await new Promise(requestAnimationFrame);
    const { left, top, width } = sheet.getBoundingClientRect();
    const now = [left, top, width].join();
    still = now === last ? still + 1 : 0;
    last = now;
  }
  const { left, top, width } = sheet.getBoundingClientRect();
  return [left, top, width];
}"""


class Lab:
    """One widget of the page, by its title."""

    def __init__(self, page: Any, title: str) -> None:
        self.page = page
        self.where = f'.ck-box-lab[aria-label="{title}"]'
        self.node = page.locator(self.where)
        self.easel = self.node.locator(".ck-easel")
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

    def stands_at(self, *numbers: float) -> None:
        label = "your box, " + ", ".join(f"{name} {one:g}" for name, one in zip("xywh", numbers, strict=True))
        self.page.wait_for_function(
            "([where, label]) => document.querySelector(where).ariaLabel.startsWith(label)",
            arg=[f"{self.where} .ck-easel", f"{label};"],
            timeout=30_000,
        )

    def reads(self, **scores: str) -> None:
        for name, value in scores.items():
            self.wait_for(value, f'[data-judge="{name}"] b')

    def pushes(self, name: str, **numbers: str) -> None:
        for number, value in numbers.items():
            self.wait_for(value, f'[data-judge="{name}"] [data-number="{number}"] > span:last-child')

    def says(self, text: str) -> None:
        self.wait_for(text, "> .ck-live")

    def has(self, where: str, name: str, value: str) -> None:
        self.node.locator(f'{where}[{name}="{value}"]').wait_for(state="attached", timeout=30_000)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.easel.press(key)

    def button(self, action: str) -> Any:
        return self.node.locator(f'[data-action="{action}"]')

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a pointer finds a place of the picture."""
        left, top, side = self.easel.evaluate(AT_REST)
        return left + x * side / 100, top + y * side / 100

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.page.mouse.move(*self.at(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.at(*end), steps=3)
        self.page.mouse.up()


def test_arrows_move_the_box_and_everything_follows(shown: Any) -> None:
    one = Lab(shown, "keys")
    one.reads(l2="0.0025", smooth_l1="0.018", iou="0.333", giou="0.333")
    one.pushes("l2", x="\u22120.05", y="0", w="0", h="0")
    one.press("ArrowLeft", "ArrowLeft")
    one.stands_at(48, 40, 20, 20)
    one.reads(l2="0.0016", iou="0.429")
    one.says("x 48, y 40, w 20, h 20. L2 0.0016, smooth L1 0.013")
    one.says("IoU 0.429, GIoU 0.429. L2 pushes x \u22120.04, y 0, w 0, h 0.")
    one.press("]", "ArrowDown")
    one.wait_for("4 px", ".ck-step")
    one.stands_at(48, 44, 20, 20)
    one.press("[", "[", "ArrowUp")
    one.stands_at(48, 43.75, 20, 20)
    one.press("Home")
    one.stands_at(50, 40, 20, 20)
    one.press("3")
    one.has('[data-judge="iou"]', "data-chosen", "true")
    one.says("Arrows of IoU. IoU pushes x")
    for _ in range(2):
        one.press("]")
    one.press("]", *["ArrowRight"] * 3)
    one.stands_at(80, 40, 20, 20)  # held in the picture
    one.says("IoU pushes nowhere.")
    one.press("ArrowRight")
    one.says("At the edge of the picture.")
    one.has(".ck-arrows", "data-none", "true")
    one.press("4")
    one.has(".ck-arrows", "data-none", "false")


def test_shift_and_arrows_change_the_size_and_keys_stay_in_the_widget(shown: Any) -> None:
    one = Lab(shown, "size")
    count = shown.locator(".ck-box-lab").count()
    one.press("Shift+ArrowRight", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowLeft")
    one.stands_at(50, 40, 20, 22)
    one.press("]", "]", "Shift+ArrowLeft", "Shift+ArrowLeft")
    one.stands_at(50, 40, 1, 22)  # a pixel stays
    one.press("Shift+ArrowLeft")
    one.says("No further")
    for key in ("d", "d", "x"):  # in JupyterLab, a cell is deleted by d, d and cut by x
        one.press(key)
    one.press("Home")
    one.stands_at(50, 40, 20, 20)
    assert shown.locator(".ck-box-lab").count() == count


def test_the_focus_is_seen(shown: Any) -> None:
    one = Lab(shown, "size")
    one.easel.focus()
    one.press("[")
    seen = one.easel.evaluate(
        "node => [getComputedStyle(node)].map((one) => [one.outlineStyle, one.outlineWidth])"
    )
    assert seen[0][0] == "solid"
    assert float(seen[0][1].removesuffix("px")) >= 2


def test_a_mouse_moves_the_box_its_corners_and_draws_a_new_one(shown: Any) -> None:
    one = Lab(shown, "pointer")
    one.drag((60, 50), (40, 60))
    one.stands_at(30, 50, 20, 20)
    one.drag((30, 50), (20, 45))
    one.stands_at(20, 45, 30, 25)
    one.drag((20, 45), (60, 80))  # turned over
    one.stands_at(50, 70, 10, 10)
    one.drag((5, 10), (25, 40))
    one.stands_at(5, 10, 20, 30)
    one.drag((20, 30), (190, 190))
    one.stands_at(80, 70, 20, 30)
    one.button("truth").click()
    one.reads(iou="1.000", l2="0")
    one.wait_for("IoU has its peak", ".ck-note")
    one.button("restart").click()
    one.stands_at(50, 40, 20, 20)


def test_two_boxes_with_the_same_l2_are_found_by_keys(shown: Any) -> None:
    one = Lab(shown, "same")
    one.button("truth").click()
    one.stands_at(40, 40, 20, 20)
    one.press(*["Shift+ArrowRight"] * 10, *["Shift+ArrowDown"] * 10, "k")
    one.stands_at(40, 40, 30, 30)
    one.wait_for("kept: 0.444", '[data-judge="iou"]')
    one.press(*["Shift+ArrowLeft"] * 10, *["Shift+ArrowUp"] * 10)
    one.wait_for("100 % apart", '[data-judge="l2"]')
    one.has("[data-task=order]", "data-done", "false")
    one.has("[data-task=same-l2]", "data-done", "false")
    one.press(*["ArrowRight"] * 10, *["ArrowDown"] * 10)
    one.stands_at(50, 50, 20, 20)
    one.wait_for("the same", '[data-judge="l2"] .ck-before')
    one.has("[data-task=same-l2]", "data-done", "true")
    one.wait_for("a wrong size only once", "[data-task=same-l2]")
    one.has("[data-task=order]", "data-done", "true")  # on the way: nearer for L2, and worse for IoU
    one.button("drop").click()
    one.wait_for("", '[data-judge="l2"] .ck-before')
    one.node.locator('[data-action="drop"]').wait_for(state="hidden")


def test_the_places_without_a_gradient_are_ticked_off_and_said(shown: Any) -> None:
    one = Lab(shown, "zero")
    one.press("3", "]", "]", "ArrowLeft", "ArrowLeft")
    one.stands_at(18, 40, 20, 20)
    one.pushes("iou", x="0", y="0", w="0", h="0")
    one.wait_for("no push", ".ck-arrows")
    one.has("[data-task=apart]", "data-done", "true")
    one.says("Task done: Find a place, not on the true box")
    shown.locator("text=reached ['apart']").wait_for(timeout=30_000)
    one.button("truth").click()
    one.has("[data-task=nested]", "data-done", "false")
    one.press("[", "Shift+ArrowLeft", "Shift+ArrowUp", "[", "ArrowRight", "ArrowDown")
    one.stands_at(41, 41, 16, 16)
    one.pushes("iou", x="0", y="0", w="+4.00", h="+4.00")
    one.pushes("giou", x="0", y="0", w="+4.00", h="+4.00")
    one.has("[data-task=nested]", "data-done", "true")
    shown.locator("text=reached ['apart', 'nested']").wait_for(timeout=30_000)


def test_what_was_there_to_start_with_is_nobodys_find(shown: Any) -> None:
    one = Lab(shown, "fresh")
    one.pushes("iou", x="0", y="0", w="0", h="0")
    one.has("[data-task=apart]", "data-done", "false")


def test_python_and_the_browser_hear_each_other(shown: Any) -> None:
    one = Lab(shown, "heard")
    one.press("ArrowRight")
    shown.locator("text=python [51.0, 40.0, 20.0, 20.0] 0.290 l2").wait_for(timeout=30_000)
    one.press("4")
    shown.locator("text=python [51.0, 40.0, 20.0, 20.0] 0.290 giou").wait_for(timeout=30_000)
    shown.locator("button:has-text('Python moves')").click()
    one.stands_at(40, 40, 20, 20)
    one.reads(iou="1.000")


def test_a_finger_moves_the_box_on_a_phone(
    place: Any, notebook: str, open_page: Callable, show: Callable, artifacts: Path
) -> None:
    page = open_page(width=360, height=740, has_touch=True)
    show(page, place, notebook, '[aria-label="look"]')
    one = Lab(page, "pointer")
    begin, middle, end = one.at(60, 50), one.at(52, 54), one.at(40, 60)
    touch = page.context.new_cdp_session(page)

    def send(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    send("touchStart", begin)
    send("touchMove", middle)
    send("touchMove", end)
    send("touchEnd")
    one.stands_at(30, 50, 20, 20)
    one.node.screenshot(path=artifacts / f"box-lab-phone-{place.name}.png")
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
        one.node.screenshot(path=artifacts / f"box-lab-{place.name}-{theme}-{width}.png")
    assert not page.errors
    page.context.close()
