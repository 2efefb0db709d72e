"""`python -m tests.published` writes the generated parts of README and docs/ anew, and the contract."""

from __future__ import annotations

import sys

from tests.published import contract, parts

if __name__ == "__main__":
    parts.write()
    sys.exit(contract.main())
