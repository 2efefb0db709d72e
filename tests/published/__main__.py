"""`python -m tests.published` writes what is generated: parts of README and docs, the dbt package, the contract."""

from __future__ import annotations

import sys

from tests.e2e.dbt import seeds
from tests.published import contract, parts

if __name__ == "__main__":
    parts.write()
    seeds.write()
    sys.exit(contract.main())
