"""Follow the pages and list their blocks: `python -m tests.e2e.pages [--write] [PAGE...]`.

`--write` writes what blocks printed into the pages that show it.
"""
# ruff: noqa: T201 - printing is its work

from __future__ import annotations

import argparse
import sys

from tests.e2e.database import server
from tests.e2e.pages.blocks import order, rewritten
from tests.e2e.pages.reader import reader
from tests.e2e.pages.terminals import PasteError
from tests.published.pages import ROOT


def main() -> int:
    """Follow pages; return 1 if a block failed or printed something else than is shown."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.pages", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write what was printed into the pages")
    parser.add_argument("pages", nargs="*", default=order(), help="such as docs/state.md (default: all)")
    options = parser.parse_args()
    wrong = 0
    with server() as running, reader(running) as person:
        for name in options.pages:
            try:
                pasted = person.follow(name)
            except PasteError as error:
                print(error, flush=True)
                wrong += 1
                continue
            for one in pasted:
                print(one, flush=True)
            differences = [one.difference for one in pasted if one.difference]
            for difference in differences:
                print(difference, flush=True)
            wrong += len(differences)
            if options.write:
                path = ROOT / name
                printed = [(one.block, one.printed) for one in pasted if not one.skipped]
                path.write_text(rewritten(path.read_text(encoding="utf-8"), printed), encoding="utf-8")
        print(f"{sum(one.seconds for one in person.pasted):.0f} s in all")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
