"""The whole site, written once for all tests of its pages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from coursekit.site import build

sys.path.insert(0, str(Path(__file__).parent))  # reader


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every page's text by its file name."""
    folder: Path = tmp_path_factory.mktemp("site") / "public"
    return {file.name: file.read_text(encoding="utf-8") for file in build(folder)}
