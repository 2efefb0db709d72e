"""The sandbox of the guarantees serves here too."""

from __future__ import annotations

from tests.guarantees.conftest import box

__all__ = ["box"]
