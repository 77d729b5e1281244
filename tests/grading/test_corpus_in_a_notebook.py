"""Each honest submission of the corpus, run as its learner ran it: the notebook says what the class says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from coursekit import notebook
from tests.grading.corpus import ASKED, ENTRIES, Entry, Places

HONEST = {one.name: one for one in ENTRIES if one.group == "honest"}
SAYS_NOTHING = ("missing", "error")  # where a cell is gone or cannot be run, no check is shown either


def verdicts_of(entry: Entry, places: Places) -> dict[str, tuple[str, float]]:
    """What each exercise's last check said."""
    from IPython.core.interactiveshell import InteractiveShell

    notebook._session.verdicts.clear()
    notebook._session.passed.clear()
    shell = InteractiveShell()
    shell.history_manager.enabled = False
    shell.enable_gui = lambda gui=None: None  # only a kernel has one
    for number in entry.order or range(len(entry.cells)):
        shell.run_cell(places.filled(entry.cells[number]))
    return {id: (one.state, one.fraction) for id, one in notebook._session.verdicts.items()}


@pytest.mark.parametrize(
    "name", [pytest.param(one, marks=[] if one in ("cat", "ike") else pytest.mark.slow) for one in HONEST]
)
def test_the_notebook_says_what_the_class_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COURSEKIT_HOME", str(tmp_path))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # nobody waits for a training
    entry, nowhere = HONEST[name], str(tmp_path / "nowhere")
    said = verdicts_of(entry, Places(nowhere, nowhere, nowhere, 9))
    for id in ASKED:
        wanted = entry.earns(id)
        if id not in said and wanted.fraction == 0:
            assert set(wanted.states) & set(SAYS_NOTHING)
        else:
            state, fraction = said[id]
            assert state in wanted.states
            assert fraction == pytest.approx(wanted.fraction, abs=1e-5)
