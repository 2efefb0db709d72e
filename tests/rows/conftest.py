"""The stories of the cases serve here too."""

from __future__ import annotations

from tests.cases.conftest import days_later, tell

__all__ = ["days_later", "tell"]
