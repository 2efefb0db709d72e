"""The streams: one file each, with a short declaration and a fetch."""

from __future__ import annotations
