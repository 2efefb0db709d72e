"""What changed in a test since a cursor: one change log per test, from the feed or from the session list."""

from __future__ import annotations
