"""A PostgreSQL server until stdin closes: `python -m tests.chaos.server FOLDER`; its first line names its programs.

Run by the Python of the environment that holds the server, which has neither the tap nor its tests' dependencies.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.demo.errors import DemoError
from tests.demo.postgres import postgres


def main() -> str | None:
    """Serve; returns the reason when there is no server."""
    try:
        with postgres(Path(sys.argv[1]), dict(os.environ)) as database:
            sys.stdout.write(f"{database.programs}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except DemoError as error:
        return str(error)
    return None


if __name__ == "__main__":
    sys.exit(main())
