"""What a person sees of a sync."""

from __future__ import annotations
