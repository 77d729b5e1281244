"""Lets the tests of the engine share two demo exercises."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
