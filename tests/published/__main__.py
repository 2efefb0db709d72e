"""`python -m tests.published` writes the generated parts of README and docs/ anew."""

from __future__ import annotations

from tests.published.parts import write

if __name__ == "__main__":
    write()
