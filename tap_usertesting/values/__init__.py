"""Pure functions on values: times, columns, text, transcripts, personal data."""

from __future__ import annotations
