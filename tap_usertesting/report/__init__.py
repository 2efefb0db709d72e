"""What a person sees of a sync: the plan before it, the progress during it, the summary after it."""

from __future__ import annotations
