"""The house itself: its rooms, the SDK, and how a stream is added."""

from __future__ import annotations
