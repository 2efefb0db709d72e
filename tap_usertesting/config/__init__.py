"""The settings: what each is, how they are read, and how they are checked."""

from __future__ import annotations
