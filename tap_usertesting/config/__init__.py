"""The settings: their schema, where they are read from, and how they are checked."""

from __future__ import annotations
