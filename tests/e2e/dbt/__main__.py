"""A warehouse to try the dbt project on: `python -m tests.e2e.dbt` fills one, says where it is, and waits for Enter."""
# ruff: noqa: T201 - printing is its work

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

from tap_usertesting.sandbox import Sandbox
from tests.e2e.database import server
from tests.e2e.dbt.project import demo_world, load, on_postgres


def main() -> int:
    """Run until Enter, or the end of the input."""
    print("Installing what is missing, then syncing a sandbox into PostgreSQL...", flush=True)
    with tempfile.TemporaryDirectory() as name, server() as running:
        database = running.database()
        with Sandbox(demo_world(), quota=None) as box:
            load(box, database, Path(name))
        dbt = on_postgres(database, Path(name))
        print("\nReady. In another terminal, before the commands of docs/examples/dbt/README.md:\n")
        for variable, value in dbt.env.items():
            print(f"  export {variable}={value}")
        print(f"  export PATH={dbt.programs}:$PATH\n", flush=True)
        with contextlib.suppress(EOFError):
            input("Enter ends the server and removes the data. ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
