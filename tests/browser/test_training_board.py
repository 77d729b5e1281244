"""Watch a net learn and stop it from a real browser, while the kernel is busy, in JupyterLab and in Voila."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# Long enough that only Stop can end it in time: here budgets are not shortened.
PREPARE = """
import os, torch
os.environ.pop("COURSEKIT_FAST", None)
torch.set_num_threads(1)
from IPython.display import display
from coursekit.data import load_scenes
from coursekit.nets import SegmentationNet
from coursekit.training import fit
from coursekit.widgets import TrainingBoard
train, valid = load_scenes(64), load_scenes(16, seed=1)
net = SegmentationNet(5)
board = TrainingBoard(valid)
"""
IN_A_CELL = """
display(board)
history = fit(net, train, valid, budget=90, on_step=board)
print("ENDED", history.interrupted, history.train_seconds < 60, board.now["state"])
"""
ON_A_BUTTON = """
import ipywidgets
button, said = ipywidgets.Button(description="Train now"), ipywidgets.Label("nothing yet")
def run(_):
    history = fit(net, train, valid, budget=90, on_step=board)
    said.value = f"ENDED {history.interrupted} {history.train_seconds < 60} {board.now['state']}"
button.on_click(run)
display(button, said, board)
"""
EXPECTED = "ENDED True True stopped"


# Each state that the board shows from now on, once, with the moment.
REMEMBER_STATES = """
() => {
  window.states = [];
  const board = document.querySelector(".tb-board");
  let last = board.querySelector(".tb-state").textContent;
  new MutationObserver(() => {
    const state = board.querySelector(".tb-state").textContent;
    if (state !== last) window.states.push([last = state, performance.now()]);
  }).observe(board, { subtree: true, childList: true, characterData: true });
}
"""


def start(page: Any) -> None:
    """Wait until the curve has moved twice and the first pictures are there."""
    line = page.locator(".tb-line").first
    page.locator(".tb-state", has_text="Training").wait_for(timeout=120_000)
    line.wait_for(state="attached", timeout=60_000)
    before = line.get_attribute("points")
    moved = "(before) => document.querySelector('.tb-line')?.getAttribute('points') !== before"
    page.wait_for_function(moved, arg=before, timeout=60_000)
    page.locator(".tb-gallery small", has_text="IoU").first.wait_for(timeout=60_000)


def press_stop(page: Any) -> float:
    """Press Stop by keyboard; seconds until the board says that the run has ended."""
    page.evaluate(REMEMBER_STATES)
    page.get_by_role("button", name="Stop").press("Enter")
    page.locator(".tb-state", has_text="Stopped").wait_for(timeout=30_000)
    states = page.evaluate("window.states")
    assert [state for state, _ in states] == ["● Stopping", "■ Stopped"], "it answers before the kernel does"
    return float((states[1][1] - states[0][1]) / 1000)


def pictured(page: Any, name: str, artifacts: Path) -> None:
    page.locator(".tb-board").screenshot(path=artifacts / f"training-board-{name}.png")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_stop_ends_a_busy_cell_at_once_in_lab(
    open_page: Callable[..., Any], lab: Any, write_notebook: Callable[..., str], artifacts: Path, theme: str
):
    page = open_page(theme=theme, height=1500)
    notebook = write_notebook(lab, f"board_{theme}.ipynb", PREPARE, IN_A_CELL)
    page.goto(lab.page_of(notebook), wait_until="domcontentloaded", timeout=120_000)
    run_without_waiting(page, theme)
    start(page)
    pictured(page, f"lab-{theme}-running", artifacts)
    tops = {figure.bounding_box()["y"] for figure in page.locator(".tb-figures > div").all()}
    assert len(tops) == 1, "JupyterLab's own style got in between"
    waited = press_stop(page)
    page.locator(".jp-OutputArea-output", has_text=EXPECTED).wait_for(timeout=10_000)
    pictured(page, f"lab-{theme}-stopped", artifacts)
    print(f"lab, {theme}: stopped after {waited:.2f} s")
    page.locator(".tb-words", has_text="keeps what it learned").wait_for(state="attached", timeout=10_000)
    assert page.evaluate("document.activeElement.classList.contains('qc-card')")
    assert not page.errors, page.errors


def test_stop_ends_a_button_s_callback_at_once_in_voila(
    page: Any, voila: Any, write_notebook: Callable[..., str], artifacts: Path
):
    notebook = write_notebook(voila, "board.ipynb", PREPARE, ON_A_BUTTON)
    page.goto(voila.page_of(notebook), wait_until="domcontentloaded", timeout=120_000)
    page.locator(".tb-board").wait_for(timeout=120_000)
    assert page.locator(".tb-state").inner_text() == "○ Not begun"
    page.get_by_role("button", name="Train now").press("Enter")
    start(page)
    pictured(page, "voila-running", artifacts)
    waited = press_stop(page)
    page.get_by_text(EXPECTED).wait_for(timeout=10_000)
    print(f"voila: stopped after {waited:.2f} s")


def test_a_button_s_callback_can_be_stopped_in_lab_too(
    page: Any, lab: Any, write_notebook: Callable[..., str]
):
    notebook = write_notebook(lab, "board_button.ipynb", PREPARE, ON_A_BUTTON)
    page.goto(lab.page_of(notebook), wait_until="domcontentloaded", timeout=120_000)
    run_without_waiting(page, "light")
    page.get_by_role("button", name="Train now").press("Enter")
    start(page)
    waited = press_stop(page)
    page.get_by_text(EXPECTED).wait_for(timeout=10_000)
    print(f"lab, button: stopped after {waited:.2f} s")


def test_the_notebook_s_own_interrupt_ends_it_too(page: Any, lab: Any, write_notebook: Callable[..., str]):
    notebook = write_notebook(lab, "board_interrupt.ipynb", PREPARE, IN_A_CELL)
    page.goto(lab.page_of(notebook), wait_until="domcontentloaded", timeout=120_000)
    run_without_waiting(page, "light")
    start(page)
    page.evaluate("void jupyterapp.commands.execute('notebook:interrupt-kernel')")
    page.locator(".jp-OutputArea-output", has_text=EXPECTED).wait_for(timeout=30_000)
    page.locator(".tb-state", has_text="■ Stopped").wait_for(state="attached", timeout=10_000)


def test_a_closed_tab_leaves_the_run_to_its_end(
    open_page: Callable[..., Any], lab: Any, write_notebook: Callable[..., str]
):
    page = open_page()
    told = "f'{history.interrupted} {board.now[\"state\"]}'"
    ending = f"from pathlib import Path\nPath('ended.txt').write_text({told})"
    notebook = write_notebook(lab, "board_closed.ipynb", PREPARE, IN_A_CELL.replace("90", "15"), ending)
    page.goto(lab.page_of(notebook), wait_until="domcontentloaded", timeout=120_000)
    run_without_waiting(page, "light")
    start(page)
    page.close()
    end, ended = time.monotonic() + 90, lab.folder / "ended.txt"
    while not (ended.exists() and ended.read_text()) and time.monotonic() < end:
        time.sleep(0.5)
    assert ended.read_text() == "False finished"


def run_without_waiting(page: Any, theme: str) -> None:
    """Run all cells until the board shows; the last one goes on."""
    patience = 120_000
    page.wait_for_function("window.jupyterapp && document.querySelector('.jp-Notebook')", timeout=patience)
    if theme == "dark":
        page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area')")
    kernel = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(f"{kernel}?.status === 'idle'", timeout=patience)
    prompts = "[...document.querySelectorAll('.jp-InputPrompt')].map((one) => one.textContent).join()"
    for _ in range(40):
        if page.evaluate(f"/[*\\d]/.test({prompts})"):
            break
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_timeout(2500)
    page.locator(".tb-board").wait_for(timeout=patience)
