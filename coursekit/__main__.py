"""``python -m coursekit`` is the ``coursekit`` command, for places where scripts are not on the path."""

import sys

from coursekit.cli import main

if __name__ == "__main__":
    sys.exit(main())
