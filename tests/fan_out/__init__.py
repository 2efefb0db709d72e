"""Several rows of one answer."""

from __future__ import annotations
