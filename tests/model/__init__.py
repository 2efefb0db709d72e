"""Random histories of one test, run through the whole tap: nothing lost, nothing too many."""

from __future__ import annotations
