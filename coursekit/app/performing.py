"""Run a lesson's cells in a kernel, and keep what they show and the state of their widgets."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import queue
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from voila.execute import VoilaExecutor

from coursekit.app.outputs import as_html

CELL_SECONDS = 180
FIRST = "from coursekit.app.inside import number_the_widgets as _begin; _begin(); del _begin"

log = logging.getLogger("coursekit.app")

States = dict[str, dict[str, Any]]


@dataclass
class Performance:
    """What the cells of one run gave.

    Attributes
    ----------
    outputs : dict
        HTML of each code cell that shows something, by the cell's place in the notebook.
    states : dict
        The state of each widget, by its name.
    """

    outputs: dict[int, str] = field(default_factory=dict)
    states: States = field(default_factory=dict)


async def perform(manager: Any, client: Any, path: Path) -> Performance:
    """Run every code cell of a notebook; one that fails is a note on the page and a log entry here.

    Parameters
    ----------
    manager, client : jupyter_client.AsyncKernelManager, AsyncKernelClient
        A running kernel, and a client with open channels.
    path : Path
        The notebook.
    """
    notebook = nbformat.read(path, as_version=4)
    executor = VoilaExecutor(notebook, km=manager, allow_errors=True, timeout=CELL_SECONDS)
    executor.kc = client
    await _run(executor, nbformat.v4.new_code_cell(FIRST), 0)
    performance = Performance(states=executor.widget_state)
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and cell.source.strip():
            cell.outputs = []
            await _run(executor, cell, place)
            _report(path, cell)
            html = as_html(cell.outputs)
            if html:
                performance.outputs[place] = html
    return performance


async def _run(executor: Any, cell: Any, place: int) -> None:
    try:
        await executor.async_execute_cell(cell, place, store_history=False)
    except CellTimeoutError:
        cell.outputs = [nbformat.v4.new_output("error", ename="Timeout", evalue="", traceback=[])]
    except DeadKernelError:
        raise ConnectionError("the kernel has died") from None


def _report(path: Path, cell: Any) -> None:
    for output in cell.outputs:
        if output.output_type == "error":
            log.error("%s: a cell failed: %s: %s", path.name, output.ename, output.evalue)


def changes(before: States, now: States) -> States:
    """What differs in `now`, widget by widget; widgets that `before` lacks come whole.

    Examples
    --------
    >>> changes({"w1": {"x": 1, "y": 2}}, {"w1": {"x": 1, "y": 3}})
    {'w1': {'y': 3}}
    """
    found: States = {}
    for name, state in now.items():
        old = before.get(name, {})
        new = {key: value for key, value in state.items() if key not in old or old[key] != value}
        if new:
            found[name] = new
    return found


def same_widgets(one: Performance, other: Performance) -> bool:
    """Whether two runs made the same widgets under the same names."""
    kinds = [
        {name: state.get("_anywidget_id") or state.get("_model_name") for name, state in each.states.items()}
        for each in (one, other)
    ]
    return kinds[0] == kinds[1]


def copied(performance: Performance) -> Performance:
    """A copy that later messages of the kernel do not change."""
    return copy.deepcopy(performance)


async def wait_until_ready(client: Any, manager: Any, seconds: float = 60) -> None:
    """Wait until a kernel answers and is heard, asking often: jupyter_client's own asks once a second.

    Raises
    ------
    ConnectionError
        When it does not.
    """
    client.start_channels()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline and await manager.is_alive():
        client.kernel_info()
        with contextlib.suppress(queue.Empty):
            await client.get_shell_msg(timeout=0.2)
            # A client whose subscription comes late would miss what the first cells show.
            await client.get_iopub_msg(timeout=0.2)
            return
    raise ConnectionError("the kernel does not answer")
