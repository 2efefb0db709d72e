"""What of the tap is Singer: the base of every stream, its state, and how messages are written."""

from __future__ import annotations
