"""What a person sees of a sync: progress, summary, plan."""

from __future__ import annotations
