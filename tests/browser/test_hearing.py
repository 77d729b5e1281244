"""A widget whose script came too late for anywidget still hears what Python says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.slow

# As on a machine so busy that no script is there in two seconds.
AT_ONCE = "const timeout = AbortSignal.timeout; AbortSignal.timeout = () => timeout.call(AbortSignal, 0);"
CELLS = [
    "import torch\nfrom coursekit.widgets import Predict, Tug\nfrom ipywidgets import Button",
    "pull = Tug(torch.tensor([5., 0., 0.]), torch.tensor([0., 0., 4.]), title='late')\npull",
    "guess = Predict('How large?', ['2x2', '4x4'])\nguess",
    "put = Button(description='Python speaks')\n"
    "def speak(_):\n    pull.weight = 2.5\n    guess.reveal('B')\n"
    "put.on_click(speak)\nput",
]


@pytest.mark.parametrize("name", ["lab", "voila"])
def test_what_python_says_reaches_a_late_widget(
    name: str, request: pytest.FixtureRequest, open_page: Callable, show: Callable, write_notebook: Callable
) -> None:
    place = request.getfixturevalue(name)
    page = open_page(width=1200, height=1000)
    page.add_init_script(AT_ONCE)
    told: list[str] = []
    page.on("pageerror", lambda problem: told.append(str(problem)))
    page.on("console", lambda message: told.append(message.text))
    show(page, place, write_notebook(place, "late.ipynb", *CELLS), "button:has-text('Python speaks')")
    page.locator('.ck-tug[aria-label="late"]').wait_for(timeout=60_000)
    page.locator("button:has-text('Python speaks')").click()
    page.locator(".ck-tug .ck-weight label b", has_text="2.5").wait_for(timeout=30_000)
    page.locator(".qc-predict", has_text="The answer is ready").wait_for(timeout=30_000)
    assert any("Failed to initialize model" in each for each in told), "anywidget did not give up"
