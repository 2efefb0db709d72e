"""What a broken or hostile server may send: no traceback, no endless loop, no unbounded memory, no secret let out."""

from __future__ import annotations
