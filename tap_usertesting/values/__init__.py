"""Pure functions for times, columns, text, transcripts and personal data."""

from __future__ import annotations
