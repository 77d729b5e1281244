"""The tug in a real browser, by keys alone and by the pointer: in JupyterLab and in Voila."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# lengths 5 and 4, at right angles, and 2 against it: numbers that one can work out
CELLS = [
    "import torch\nfrom coursekit.widgets import Tug\nfrom ipywidgets import Button, Label\n"
    "looks = [(10 * step, 60 + step * 3.0) for step in range(21)]",
    "right = Tug(torch.tensor([5., 0., 0.]), torch.tensor([0., 0., 4.]), title='right')\nright",
    "against = Tug(torch.tensor([3., 0.]), torch.tensor([-2., 0.]), title='against')\nagainst",
    "Tug(torch.tensor([3., 0.]), torch.zeros(2), title='zero')",
    "said = Label()\n"
    "def say(_):\n    said.value = f'python {right.weight:.3f} {right.shares[1]:.2f}'\n"
    "right.observe(say, 'weight')\nsaid",
    "put = Button(description='Python weighs')\n"
    "def weigh(_):\n    right.weight = 2.5\nput.on_click(weigh)\nput",
    "Tug(torch.tensor([3., 1., .5]), torch.tensor([-2., 1., 1.]), 1.5, looks, title='look')",
]


@pytest.fixture(scope="module", params=["lab", "voila"])
def place(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def notebook(place: Any, write_notebook: Callable) -> str:
    return write_notebook(place, "tugs.ipynb", *CELLS)


@pytest.fixture(scope="module")
def shown(place: Any, notebook: str, open_page: Callable, show: Callable) -> Any:
    page = open_page(width=1200, height=1000)
    show(page, place, notebook, '[aria-label="look"]')
    return page


@pytest.fixture(autouse=True)
def no_errors(shown: Any) -> Any:
    yield
    assert not shown.errors, shown.errors


class Shown:
    """One widget of the page, by its title."""

    def __init__(self, page: Any, title: str) -> None:
        self.page = page
        self.where = f'.ck-tug[aria-label="{title}"]'
        self.node = page.locator(self.where)
        self.slider = self.node.locator("input")
        self.slider.scroll_into_view_if_needed()

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

    def shares(self, one: str, other: str) -> None:
        self.wait_for(one, '[data-giver="class"] b')
        self.wait_for(other, '[data-giver="box"] b')

    def weighs(self, text: str) -> None:
        self.wait_for(text, ".ck-weight label b")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.slider.press(key)

    def tip(self, name: str) -> list[float]:
        """Where an arrow ends, from where it begins, in pixels of the drawing."""
        return self.node.evaluate(
            """(node, name) => {
              const path = node.querySelector(`.ck-plane [data-arrow="${name}"]`).getAttribute("d");
              const numbers = path.match(/-?[\\d.]+/g).map(Number);
              const root = node.querySelector(".ck-origin");
              return [numbers[6] - root.getAttribute("cx"), root.getAttribute("cy") - numbers[7]];
            }""",
            name,
        )


def test_the_keys_move_the_weight_and_the_arrows_stay_to_scale(shown: Any) -> None:
    one = Shown(shown, "right")
    one.wait_for("90.0\u00b0: they pull nearly at right angles.", ".ck-headline")
    one.node.locator("[data-action=one]").click()
    one.weighs("1")
    one.shares("61 %", "39 %")  # 25 of 41, and 16
    one.press("PageUp", "PageUp")
    one.weighs("10")
    one.shares("2 %", "98 %")  # 25 of 1625
    one.wait_for("Weight 10. Of the sum 2 % is the class loss, 98 % the box loss.", "> .ck-live")
    one.press("PageDown", "PageDown", "ArrowLeft", "ArrowRight", "ArrowRight")
    one.weighs("1.12")
    one.node.locator("[data-action=balanced]").click()
    one.weighs("1.25")
    one.shares("50 %", "50 %")
    across, up, both = one.tip("class"), one.tip("box"), one.tip("sum")
    assert across == pytest.approx([up[1], 0], abs=0.3)
    assert both == pytest.approx([across[0], up[1]], abs=0.3)
    one.press("Home")
    one.weighs("0.01")
    one.press("End")
    one.weighs("100")
    shown.wait_for_function(
        "where => document.querySelector(where).ariaValueText === 'weight 100'", arg=f"{one.where} input"
    )


def test_a_loss_that_is_pulled_back_rises_and_that_is_said(shown: Any) -> None:
    one = Shown(shown, "against")
    one.wait_for("180.0\u00b0: they pull apart.", ".ck-headline")
    one.node.locator("[data-action=one]").click()
    one.shares("300 %", "\u2212200 %")  # 3 and -2 of a sum of 1
    one.wait_for("lowers the class loss and raises the box loss", ".ck-effect")
    one.node.locator("[data-action=balanced]").click()
    one.wait_for("The two cancel", ".ck-effect")
    one.press("PageUp")
    one.wait_for("raises the class loss and lowers the box loss", ".ck-effect")


def test_a_zero_gradient_is_told(shown: Any) -> None:
    one = Shown(shown, "zero")
    one.wait_for("The gradient of the box loss is zero: it pulls nowhere", ".ck-headline")
    one.shares("100 %", "0 %")
    assert one.node.locator("[data-action=balanced]").count() == 0


def test_python_and_the_browser_hear_each_other(shown: Any) -> None:
    one = Shown(shown, "right")
    one.node.locator("[data-action=balanced]").click()
    shown.locator("text=python 1.250 0.50").wait_for(timeout=30_000)
    shown.locator("button:has-text('Python weighs')").click()
    one.weighs("2.5")
    one.shares("20 %", "80 %")


def test_the_focus_is_seen_and_keys_stay_in_the_widget(shown: Any) -> None:
    one = Shown(shown, "against")
    count = shown.locator(".ck-tug").count()
    one.slider.focus()
    one.press("ArrowRight", "d", "d", "x")
    assert one.slider.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    one.press("ArrowLeft")
    assert shown.locator(".ck-tug").count() == count


def test_the_angle_over_training_has_its_right_angle(shown: Any) -> None:
    one = Shown(shown, "look")
    label = one.node.locator(".ck-chart").get_attribute("aria-label")
    told = "Step 0: 60\u00b0. Step 200: 120\u00b0. Above 90\u00b0 in 10 of 21 looks."
    assert label == f"angle between the two over training. {told}"
    assert one.node.locator(".ck-chart .ck-dot").count() == 21
    ninety, dot = (
        one.node.locator(f".ck-chart {which}").first.evaluate(
            "node => node.getBBox().y + node.getBBox().height / 2"
        )
        for which in (".ck-ninety", ".ck-dot:nth-of-type(11)")
    )
    assert ninety == pytest.approx(dot, abs=0.3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(
    place: Any, notebook: str, open_page: Callable, show: Callable, artifacts: Path, theme: str
) -> None:
    page = open_page(width=1200, height=1000, theme=theme)
    show(page, place, notebook, '[aria-label="look"]', theme)
    one = Shown(page, "look")
    page.wait_for_selector(f'{one.where}[data-theme="{theme}"]')
    for width, room in ((1200, ("wide", "medium")), (360, ("narrow",))):
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(
            "([where, rooms]) => rooms.includes(document.querySelector(where).dataset.room)",
            arg=[one.where, list(room)],
        )
        inner = one.node.evaluate("node => [node.scrollWidth, node.clientWidth]")
        assert inner[0] <= inner[1] + 1, "nothing sticks out sideways"
        one.node.screenshot(path=artifacts / f"tug-{place.name}-{theme}-{width}.png")
    assert not page.errors
    page.context.close()
