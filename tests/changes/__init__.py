"""What changed: lists and feed."""

from __future__ import annotations
