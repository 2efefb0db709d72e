"""From change to record: one file per stream, each a short declaration and a fetch."""

from __future__ import annotations
