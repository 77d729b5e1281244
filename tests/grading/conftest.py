"""One sandbox for all tests of a process: starting it imports torch, which takes seconds."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hand_in import needs_sandbox

from coursekit.grading.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox():
    needs_sandbox()
    with Sandbox() as running:
        yield running
