"""Streams side by side, and several taps at once."""

from __future__ import annotations
